package staged

import (
	"encoding/binary"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"sync"

	corev1 "k8s.io/api/core/v1"
)

// mostRemembered bounds the versions of which it is remembered at the least how often they were changed: some megabytes.
const mostRemembered = 1 << 17

// changes counts the transitions that were carried out of one version of a pod: more than one where a node goes on from its own status
// before the server has it, as at fidelity kubelet, and for as long as it is cut off. Of the versions that were changed long ago it forgets,
// as nobody tells it which pods have gone. Several goroutines use it.
type changes struct {
	mu         sync.Mutex
	young, old map[uint64]uint64 // by the version's hash
	most       int               // of each of the two
}

func newChanges(most int) *changes { return &changes{young: map[uint64]uint64{}, most: most} }

// of is how often a version was changed.
func (c *changes) of(version uint64) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count(version)
}

func (c *changes) count(version uint64) uint64 {
	if n, ok := c.young[version]; ok {
		return n
	}
	return c.old[version]
}

// another says that a version is changed.
func (c *changes) another(version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.count(version) + 1
	if len(c.young) >= c.most {
		c.young, c.old = map[uint64]uint64{}, c.young
	}
	c.young[version] = n
}

// versionOf begins a hash with what tells a version of a pod from all others.
func versionOf(pod *corev1.Pod) hash.Hash64 {
	h := fnv.New64a()
	for _, text := range []string{pod.Namespace, pod.Name, pod.ResourceVersion} {
		h.Write([]byte(text)) // a hash takes everything
		h.Write([]byte{0})
	}
	return h
}

// chance is the source of random numbers for one version of a pod, after the changes that were made of it, and for one purpose.
func (b *Behaviour) chance(pod *corev1.Pod, purpose string) *rand.Rand {
	h := versionOf(pod)
	n := b.changes.of(h.Sum64())
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	if n > 0 {
		h.Write(binary.LittleEndian.AppendUint64(nil, n))
	}
	return rand.New(rand.NewPCG(b.seed, h.Sum64()))
}
