package cl2

import "windtunnel/profiles"

// tuningSetKind is one of the keys by which a tuning set chooses its pace.
type tuningSetKind struct {
	key, meaning string
	pace         profiles.PaceKind
	fields       func(d *decoder, p *profiles.Pace) fields
	// required are the keys below it, all of which must be positive.
	required []string
}

// tuningSetKinds are all of them, in the order in which ClusterLoader2 looks for them.
func tuningSetKinds() []tuningSetKind {
	return []tuningSetKind{
		{"qpsLoad", "one every 1/qps", profiles.PaceEven, func(d *decoder, p *profiles.Pace) fields {
			return fields{"qps": d.float(&p.Rate)}
		}, []string{"qps"}},
		{"randomizedLoad", "gaps uniform between 0 and 2/averageQps", profiles.PaceUniform, func(d *decoder, p *profiles.Pace) fields {
			return fields{"averageQps": d.float(&p.Rate)}
		}, []string{"averageQps"}},
		{"steppedLoad", "burstSize at once, then stepDelay of nothing", profiles.PaceBursts, func(d *decoder, p *profiles.Pace) fields {
			return fields{"burstSize": d.integer(&p.Burst), "stepDelay": d.duration(&p.Period)}
		}, []string{"burstSize", "stepDelay"}},
		{"timeLimitedLoad", "spread evenly over timeLimit", profiles.PaceSpread, func(d *decoder, p *profiles.Pace) fields {
			return fields{"timeLimit": d.duration(&p.Period)}
		}, []string{"timeLimit"}},
		{"randomizedTimeLimitedLoad", "each at a random instant within timeLimit", profiles.PaceScatter, func(d *decoder, p *profiles.Pace) fields {
			return fields{"timeLimit": d.duration(&p.Period)}
		}, []string{"timeLimit"}},
		{"parallelismLimitedLoad", "parallelismLimit at a time, the next when one is done (closed loop)", profiles.PaceParallel, func(d *decoder, p *profiles.Pace) fields {
			return fields{"parallelismLimit": d.integer(&p.Workers)}
		}, []string{"parallelismLimit"}},
		{"globalQPSLoad", "a bucket of burst tokens with qps new ones a second, shared by all phases", profiles.PaceBucket, func(d *decoder, p *profiles.Pace) fields {
			return fields{"qps": d.float(&p.Rate), "burst": d.integer(&p.Burst)}
		}, []string{"qps", "burst"}},
		{"poissonLoad", "exponential gaps with mean 1/expectedActionsPerSecond", profiles.PacePoisson, func(d *decoder, p *profiles.Pace) fields {
			return fields{"expectedActionsPerSecond": d.float(&p.Rate)}
		}, []string{"expectedActionsPerSecond"}},
	}
}

// positive tells whether the value that a key of the kind set is one.
func positive(p profiles.Pace, key string) bool {
	switch key {
	case "burstSize", "burst":
		return p.Burst > 0
	case "stepDelay", "timeLimit":
		return p.Period > 0
	case "parallelismLimit":
		return p.Workers > 0
	}
	return p.Rate > 0
}
