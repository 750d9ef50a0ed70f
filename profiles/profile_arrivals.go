package profiles

// Arrivals says at which instants an open-loop stream of requests is planned: at a fixed rate, or at one that changes
// stage after stage.
type Arrivals struct {
	// Process is constant (evenly spaced) or poisson (exponential gaps from the seed). Both follow a rate that changes:
	// constant plans one arrival each time that the rate's integral reaches a whole number, poisson is the
	// non-homogeneous Poisson process of that rate. Default constant.
	Process string `yaml:"process,omitempty" json:"process,omitempty" default:"constant" enum:"constant,poisson"`
	// Rate is the mean number of arrivals a second. Required without stages; with stages it is only the rate from which a
	// first stage of shape linear begins, and 0 if not set.
	Rate float64 `yaml:"rate,omitempty" json:"rate,omitempty"`
	// For is how long the stream lasts; 0 means to the end of the work (reconcile) or of the phase (background requests).
	// Not with stages, which say how long they last.
	For Duration `yaml:"for,omitempty" json:"for,omitempty"`
	// Stages are the rate as a function of time, one after another. Default: Rate throughout.
	Stages []Stage `yaml:"stages,omitempty" json:"stages,omitempty"`
}

// Stage is a part of a stream and says what the rate does in it.
type Stage struct {
	// For is how long the stage lasts.
	For Duration `yaml:"for" json:"for"`
	// Shape is hold (Rate throughout: steps and spikes are made of these), linear (a ramp: from the rate at the end of the
	// stage before to Rate at the end), sine (a day: between Rate − Amplitude and Rate + Amplitude, one period that begins
	// and ends at its lowest) or curve (a recorded rate: through Rates, by straight lines). Default hold.
	Shape string `yaml:"shape,omitempty" json:"shape,omitempty" default:"hold" enum:"hold,linear,sine,curve"`
	// Rate is in arrivals a second: throughout (hold), at the end (linear) or in the mean (sine). Of a curve it is a
	// factor that multiplies its rates. Default for a curve: 1.
	Rate float64 `yaml:"rate" json:"rate"`
	// Amplitude of a sine is how far its rate goes below and above the mean, in arrivals a second; at most Rate.
	Amplitude float64 `yaml:"amplitude,omitempty" json:"amplitude,omitempty"`
	// Rates of a curve are samples in arrivals a second, at least 2, evenly spaced over the stage: the first at its
	// beginning, the last at its end.
	Rates []float64 `yaml:"rates,omitempty" json:"rates,omitempty"`
}

// ClosedLoop is a fixed number of users, each of whom sends a request, waits for its answer, thinks, and sends the next.
// How many requests are sent depends on how fast they are answered: a system that slows down is asked less. Latencies
// are counted from the instant at which a request is sent, so they say less of a slow system than those of an open loop,
// and results are marked as being of a closed loop. The users begin spread over one think time.
type ClosedLoop struct {
	// Users is how many users there are, and so the most requests under way.
	Users int `yaml:"users" json:"users"`
	// ThinkTime is the time (with thinkProcess exponential: the mean time) from an answer to the same user's next request.
	// After a request that nothing answered, or for which there was no target, it is at least 100ms. Default 0s.
	ThinkTime Duration `yaml:"thinkTime,omitempty" json:"thinkTime,omitempty"`
	// ThinkProcess is constant or exponential (independent times from the seed). Default constant.
	ThinkProcess string `yaml:"thinkProcess,omitempty" json:"thinkProcess,omitempty" default:"constant" enum:"constant,exponential"`
	// For is how long users go on to send requests; 0 means to the end of the phase (background requests).
	For Duration `yaml:"for,omitempty" json:"for,omitempty"`
}
