package hollow

import (
	"math"
	"math/rand/v2"
	"time"
)

// normalP99 is the 99th percentile of the standard normal distribution.
const normalP99 = 2.3263478740408408

// Latency is how long a container runtime takes for one thing: P50 always, or where P99 is given, times of a log-normal distribution of which
// these are the median and the 99th percentile.
type Latency struct{ P50, P99 time.Duration }

// Draw draws one time.
func (l Latency) Draw(random *rand.Rand) time.Duration {
	if l.P99 <= l.P50 || l.P50 <= 0 {
		return l.P50
	}
	sigma := math.Log(float64(l.P99)/float64(l.P50)) / normalP99
	drawn := float64(l.P50) * math.Exp(sigma*random.NormFloat64())
	// One in a hundred thousand million would be beyond this.
	return time.Duration(min(drawn, float64(l.P50)*math.Exp(7*sigma))).Round(time.Microsecond)
}

// Random is the source of what is left to chance on a node of that number, which is the same in every run of one seed.
func (c *ShardConfig) Random(node int) *rand.Rand { return rand.New(rand.NewPCG(c.Seed, uint64(node))) }

// Sandbox is the latency of a pod's sandbox.
func (c *ShardConfig) Sandbox() Latency { return Latency{c.SandboxStart, c.SandboxStartP99} }

// Start is the latency of a container's start.
func (c *ShardConfig) Start() Latency { return Latency{c.ContainerStart, c.ContainerStartP99} }

// Stop is the latency of a container's end.
func (c *ShardConfig) Stop() Latency { return Latency{c.ContainerStop, c.ContainerStopP99} }
