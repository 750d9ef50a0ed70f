package link

import (
	"net"
	"sync"
	"time"
)

// sendBuffer is how much a connection takes that it cannot send yet, in bytes, before writing to it has to wait: about what
// Linux gives a TCP connection.
const sendBuffer = 256 << 10

// conn is a connection over a link. What is written goes through a queue while the link is bad, and until the queue is empty.
type conn struct {
	net.Conn
	link   *Link
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex
	queue   []packet
	queued  int // bytes
	sending bool
	room    *sync.Cond // the queue has become shorter, or the connection was closed
	err     error      // of the last write to the network
	last    time.Time  // when what was queued last is due

	reads sync.Mutex
	free  time.Time // when the way in has room again
}

type packet struct {
	data []byte
	due  time.Time
}

func newConn(l *Link, raw net.Conn) *conn {
	c := &conn{Conn: raw, link: l, closed: make(chan struct{})}
	c.room = sync.NewCond(&c.mu)
	return c
}

// Write sends at once over a good link. Over a bad one it takes what there is room for and waits with the rest; that it was taken
// does not mean that it arrives, as with TCP.
func (c *conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if !c.link.bad.Load() && !c.sending && c.err == nil {
		c.mu.Unlock() // it may take as long as it likes, and must not keep Close waiting
		return c.Conn.Write(b)
	}
	defer c.mu.Unlock()
	for c.queued > 0 && c.queued+len(b) > sendBuffer && !c.isClosed() && c.err == nil {
		c.room.Wait()
	}
	switch {
	case c.isClosed():
		return 0, net.ErrClosed
	case c.err != nil:
		return 0, c.err
	}
	due := time.Now().Add(c.link.delay())
	if due.Before(c.last) {
		due = c.last // nothing overtakes what was sent before
	}
	c.last = due
	c.queue = append(c.queue, packet{append([]byte(nil), b...), due})
	c.queued += len(b)
	if !c.sending {
		c.sending = true
		go c.send()
	}
	return len(b), nil
}

// send sends what is queued, each when it is due and there is room, until nothing is left.
func (c *conn) send() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || c.err != nil || c.isClosed() {
			c.sending, c.queue, c.queued = false, nil, 0
			c.room.Broadcast()
			c.mu.Unlock()
			return
		}
		p := c.queue[0]
		c.mu.Unlock()

		err := c.link.passable(c.closed)
		if err == nil {
			err = sleep(c.closed, time.Until(p.due))
		}
		if err == nil { // it may have become impassable meanwhile
			err = c.link.passable(c.closed)
		}
		if err == nil {
			_, err = c.Conn.Write(p.data)
		}
		conditions, _ := c.link.now()
		if err == nil && conditions.Bandwidth > 0 {
			err = sleep(c.closed, time.Duration(float64(len(p.data))/conditions.Bandwidth*float64(time.Second)))
		}
		c.mu.Lock()
		if c.err == nil {
			c.err = err
		}
		if len(c.queue) > 0 {
			c.queue, c.queued = c.queue[1:], c.queued-len(p.data)
		}
		c.room.Broadcast()
		c.mu.Unlock()
	}
}

// Read hands over what has arrived. What arrives at this machine while the link is partitioned has not arrived at the node.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.link.bad.Load() {
		return n, err
	}
	if gone := c.link.passable(c.closed); gone != nil {
		return 0, gone
	}
	conditions, _ := c.link.now()
	if conditions.Bandwidth > 0 && n > 0 {
		c.reads.Lock()
		defer c.reads.Unlock()
		now := time.Now()
		if c.free.Before(now) {
			c.free = now
		}
		c.free = c.free.Add(time.Duration(float64(n) / conditions.Bandwidth * float64(time.Second)))
		if gone := sleep(c.closed, c.free.Sub(now)); gone != nil {
			return 0, gone
		}
	}
	return n, err
}

// Close closes the connection. While the link is partitioned the other end does not learn of it before the partition ends.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		close(c.closed)
		c.mu.Lock()
		c.room.Broadcast()
		c.mu.Unlock()
		if c.link.leave(c.Conn) {
			err = nil
			return
		}
		err = c.Conn.Close()
	})
	return err
}

// leave keeps a connection whose other end cannot be told now that it was closed.
func (l *Link) leave(raw net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.conditions.Partitioned {
		return false
	}
	// A reader that waits for what will not come any more must learn that; only the node's side of it is over.
	raw.SetReadDeadline(time.Unix(1, 0)) // an error means that it is closed anyhow
	l.orphans = append(l.orphans, raw)
	return true
}

func (c *conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}
