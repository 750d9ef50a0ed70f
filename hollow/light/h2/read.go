package h2

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// read reads frames until the connection ends, and then fails what is still under way.
func (n *conn) read() {
	err := n.readFrames()
	n.health.Stop()
	n.raw.NetConn().Close()
	n.mu.Lock()
	n.draining = true
	streams := n.streams
	n.streams = nil
	n.blocked, n.out = nil, nil
	n.mu.Unlock()
	n.client.forget(n)
	for _, s := range streams {
		n.finish(s, fmt.Errorf("%w: %w", ErrClosed, err))
	}
}

func (n *conn) readFrames() error {
	for {
		if _, err := io.ReadFull(n.raw, n.head[:]); err != nil {
			return err
		}
		n.heard.Store(int64(time.Since(n.made)))
		h := parseHead(n.head[:])
		if h.length > maxFrame {
			return fmt.Errorf("a frame of %d bytes", h.length)
		}
		buffer := n.client.options.Buffers.get()
		payload := (*buffer)[:h.length]
		_, err := io.ReadFull(n.raw, payload)
		if err == nil {
			err = n.frame(h, payload)
		}
		n.client.options.Buffers.put(buffer)
		if err != nil {
			return err
		}
	}
}

func (n *conn) frame(h head, b []byte) error {
	switch h.kind {
	case frameData:
		return n.data(h, b)
	case frameHeaders, frameContinuation:
		return n.headers(h, b)
	case frameRSTStream:
		if s := n.take(h.stream); s != nil && len(b) == 4 {
			n.wasReset(s, binary.BigEndian.Uint32(b))
		}
	case frameSettings:
		return n.settings(h, b)
	case framePing:
		if h.flags&flagAck == 0 && len(b) == 8 {
			n.mu.Lock()
			n.out = append(appendHead(n.out, 8, framePing, flagAck, 0), b...)
			n.flush()
			n.mu.Unlock()
		}
	case frameGoAway:
		return n.goAway(b)
	case frameWindowUpdate:
		return n.windowUpdate(h, b)
	}
	return nil // what RFC 9113 does not know is ignored
}

// wasReset ends a stream by the server's will. What the server refused before it looked at it, because it allows fewer streams than
// were assumed before its settings came, is sent again.
func (n *conn) wasReset(s *stream, code uint32) {
	if code == codeRefused && s.response.Status == 0 && !s.request.isCancelled() {
		n.client.Do(s.request)
		return
	}
	n.finish(s, fmt.Errorf("the server reset the stream: code %d", code))
}

func (n *conn) headers(h head, b []byte) error {
	ok := true
	if h.kind == frameHeaders {
		n.fields = fields{}
		n.decoder.SetEmitEnabled(true)
		b, ok = unpad(h, b)
	}
	if !ok {
		return errors.New("a malformed frame of headers")
	}
	// A block may be cut anywhere; the decoder takes it in pieces.
	if _, err := n.decoder.Write(b); err != nil {
		return err
	}
	s := n.get(h.stream)
	if s != nil && h.flags&flagEndStream != 0 && h.kind == frameHeaders {
		s.ended = true
	}
	if h.flags&flagEndHeaders == 0 {
		return nil
	}
	if err := n.decoder.Close(); err != nil {
		return err
	}
	if s == nil {
		return nil
	}
	if n.fields.status != 0 { // else trailers
		s.response.Status, s.response.RetryAfter = n.fields.status, n.fields.retryAfter
	}
	if n.fields.err != nil {
		return n.fields.err
	}
	if s.ended && n.take(h.stream) != nil {
		n.finish(s, nil)
	}
	return nil
}

func (n *conn) data(h head, b []byte) error {
	whole := int(h.length)
	b, ok := unpad(h, b)
	if !ok {
		return errors.New("a malformed frame of data")
	}
	s := n.get(h.stream)
	n.acknowledge(s, whole, h.flags&flagEndStream != 0)
	if s == nil {
		return nil
	}
	r := s.request
	switch {
	case r.Data != nil && s.response.Status == 200:
		if len(b) > 0 {
			if err := r.Data(b); err != nil {
				if n.drop(h.stream) {
					n.finish(s, fmt.Errorf("%w: %w", errData, err))
				}
				return nil
			}
		}
	case r.Discard && s.response.Status < 300:
	case h.flags&flagEndStream != 0 && s.body == nil:
		if n.take(h.stream) != nil { // the whole body in one frame needs no copy
			s.response.Body = b
			n.finish(s, nil)
		}
		return nil
	default:
		if s.body == nil {
			s.body = n.client.options.Buffers.get()
		}
		*s.body = append(*s.body, b...)
	}
	if h.flags&flagEndStream != 0 && n.take(h.stream) != nil {
		n.finish(s, nil)
	}
	return nil
}

// drop ends a stream of which no more is wanted; false when it has ended.
func (n *conn) drop(id uint32) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.streams[id] == nil {
		return false
	}
	delete(n.streams, id)
	n.out = appendReset(n.out, id, codeCancel)
	n.flush()
	return true
}

// finish tells that the stream has ended. It is no longer among the connection's.
func (n *conn) finish(s *stream, err error) {
	if s.body != nil {
		s.response.Body = *s.body
	}
	if !s.request.isCancelled() {
		s.request.Done(s.response, err)
	}
	if s.body != nil {
		n.client.options.Buffers.put(s.body)
		s.body = nil
	}
}

// acknowledge lets the server send more, once half of a window is used up.
func (n *conn) acknowledge(s *stream, size int, last bool) {
	n.taken += size
	connection, own := 0, 0
	if n.taken >= connWindow/2 {
		connection, n.taken = n.taken, 0
	}
	if s != nil {
		s.taken += size
		if s.taken >= streamWindow/2 && !last {
			own, s.taken = s.taken, 0
		}
	}
	if connection == 0 && own == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if connection > 0 {
		n.out = appendWindowUpdate(n.out, 0, connection)
	}
	if own > 0 {
		n.out = appendWindowUpdate(n.out, s.id, own)
	}
	n.flush()
}

func (n *conn) settings(h head, b []byte) error {
	if h.flags&flagAck != 0 {
		return nil
	}
	if len(b)%6 != 0 {
		return errors.New("a malformed frame of settings")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for ; len(b) > 0; b = b[6:] {
		value := binary.BigEndian.Uint32(b[2:])
		switch binary.BigEndian.Uint16(b) {
		case settingHeaderTableSize:
			n.encoder.SetMaxDynamicTableSizeLimit(value)
		case settingMaxConcurrentStreams:
			n.maxStreams = int(min(value, 1<<20))
		case settingInitialWindowSize:
			grown := int(value) - n.newWindow
			n.newWindow = int(value)
			for _, s := range n.streams {
				s.window += grown
			}
		case settingMaxFrameSize:
			n.maxFrame = int(value)
		}
	}
	n.out = appendHead(n.out, 0, frameSettings, flagAck, 0)
	n.unblock()
	n.flush()
	return nil
}

func (n *conn) windowUpdate(h head, b []byte) error {
	if len(b) != 4 {
		return errors.New("a malformed update of a window")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	grown := int(binary.BigEndian.Uint32(b) &^ (1 << 31))
	if h.stream == 0 {
		n.window += grown
	} else if s := n.streams[h.stream]; s != nil {
		s.window += grown
	}
	n.unblock()
	n.flush()
	return nil
}

// goAway lets what the server has taken come to its end and fails the rest.
func (n *conn) goAway(b []byte) error {
	if len(b) < 8 {
		return errors.New("a malformed farewell")
	}
	last := binary.BigEndian.Uint32(b) &^ (1 << 31)
	n.client.retire(n)
	n.mu.Lock()
	n.draining = true
	var lost []*stream
	for id, s := range n.streams {
		if id > last {
			delete(n.streams, id)
			lost = append(lost, s)
		}
	}
	empty := len(n.streams) == 0
	n.mu.Unlock()
	for _, s := range lost {
		n.finish(s, fmt.Errorf("%w: the server says farewell", ErrClosed))
	}
	if empty {
		return io.EOF
	}
	return nil
}
