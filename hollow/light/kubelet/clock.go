package kubelet

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// instant is when something happened on a node: the machine's time, by which time passes, and that of the node's own clock, which is what the
// node says.
type instant struct {
	time.Time
	said time.Time
}

// SetClock implements host.Clocked.
func (n *node) SetClock(offset time.Duration) {
	n.usage.SetClock(offset)
	n.loop.Post(func() { n.skew = offset })
}

// now is the time by the node's clock: everything that it reports of itself and its pods has it. What it waits for has the machine's, as a
// clock that is wrong goes on at the right speed.
func (n *node) now() time.Time { return time.Now().Add(n.skew) }

// stamp is now as Kubernetes writes it.
func (n *node) stamp() metav1.Time { return metav1.NewTime(n.now()) }

// moment is now, by both clocks.
func (n *node) moment() instant {
	now := time.Now()
	return instant{Time: now, said: now.Add(n.skew)}
}
