package results

// Others is what a run did to the other users of a cluster that it shared with them: their figures before there was any load, and in the
// measured phases. It judges nothing; whether the cluster's users can live with it is their owner's to say.
type Others struct {
	// Level is the priority level that the load went through; it is not among Levels.
	Level string `json:"level"`
	// BeforeSeconds and DuringSeconds are how long was looked.
	BeforeSeconds float64 `json:"beforeSeconds"`
	DuringSeconds float64 `json:"duringSeconds"`
	// Levels are all other priority levels of priority and fairness, by name, that something passed through or was rejected by.
	Levels []OtherLevel `json:"levels"`
	// Bystander is what a small GET took, one a second, of a user like any other.
	Bystander Bystander `json:"bystander"`
}

// OtherLevel is a priority level that the load does not go through.
type OtherLevel struct {
	Name   string         `json:"name"`
	Before *PriorityLevel `json:"before"` // null when nothing passed through it at that time
	During *PriorityLevel `json:"during"`
}

// Bystander is the bystander's figures before the load and in the measured phases.
type Bystander struct {
	Before BystanderTime `json:"before"`
	During BystanderTime `json:"during"`
}

// BystanderTime is the bystander's figures of one time; latencies are in seconds, from the planned instant, of requests without an error.
type BystanderTime struct {
	N      int64    `json:"n"`
	Errors int64    `json:"errors"`
	P50    *Bounds  `json:"p50"` // null when they are too few for it (2, 10 and 100 are needed)
	P90    *Bounds  `json:"p90"`
	P99    *Bounds  `json:"p99"`
	Max    *float64 `json:"max"`
}
