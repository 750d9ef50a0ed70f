package load

// queue is a first-in-first-out queue of tasks in a ring that grows as needed. A stall of the server puts every planned
// request here, so a task is small and nothing is allocated for it.
type queue struct {
	ring  []task
	first int
	count int
}

func (q *queue) len() int { return q.count }

// head is the oldest task; the queue must not be empty.
func (q *queue) head() *task { return &q.ring[q.first] }

func (q *queue) push(t task) {
	if q.count == len(q.ring) {
		grown := make([]task, max(64, 2*len(q.ring)))
		n := copy(grown, q.ring[q.first:])
		copy(grown[n:], q.ring[:q.first])
		q.ring, q.first = grown, 0
	}
	q.ring[(q.first+q.count)%len(q.ring)] = t
	q.count++
}

func (q *queue) pop() task {
	t := q.ring[q.first]
	q.ring[q.first] = task{} // so that nothing is kept alive
	q.first = (q.first + 1) % len(q.ring)
	q.count--
	return t
}
