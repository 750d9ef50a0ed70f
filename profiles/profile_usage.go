package profiles

// Usage is what containers use of their nodes' CPU and memory, as the nodes' metrics say it (docs/usage.md).
type Usage struct {
	// CPU is what each container uses on average: a share of what it requests, such as 80%, or a quantity of cores, such as 250m.
	// Default 50%.
	CPU string `yaml:"cpu,omitempty" json:"cpu,omitempty" default:"50%"`
	// Memory is the working set of each container on average: a share of what it requests, or a quantity, such as 64Mi. Default 50%.
	Memory string `yaml:"memory,omitempty" json:"memory,omitempty" default:"50%"`
	// Swing is by how much of the average both rise and fall, in a sine wave; each container has its own phase, from the seed.
	// 0.3 is from 70 to 130 %. Default: they do not.
	Swing float64 `yaml:"swing,omitempty" json:"swing,omitempty"`
	// Period is how long a wave lasts. Default 10m.
	Period Duration `yaml:"period,omitempty" json:"period,omitempty" default:"10m"`
}
