package h2

import (
	"encoding/binary"
	"sync"
)

// Frame types, flags, settings and error codes of RFC 9113.
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameRSTStream    = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingHeaderTableSize      = 0x1
	settingEnablePush           = 0x2
	settingMaxConcurrentStreams = 0x3
	settingInitialWindowSize    = 0x4
	settingMaxFrameSize         = 0x5

	codeRefused = 0x7
	codeCancel  = 0x8
)

const (
	headLength = 9
	// maxFrame is the largest payload that the server may send: RFC 9113's initial value, which is the least.
	maxFrame = 1 << 14
	// initialWindow is the flow-control window of a new connection and stream before settings say otherwise.
	initialWindow = 1<<16 - 1
	// streamWindow and connWindow are how much the server may send before it is told that it was taken.
	streamWindow = 1 << 20
	connWindow   = 1 << 24
)

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// head is the header of a frame.
type head struct {
	length uint32
	kind   byte
	flags  byte
	stream uint32
}

func parseHead(b []byte) head {
	return head{
		length: uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]),
		kind:   b[3],
		flags:  b[4],
		stream: binary.BigEndian.Uint32(b[5:]) &^ (1 << 31),
	}
}

func appendHead(b []byte, length int, kind, flags byte, stream uint32) []byte {
	b = append(b, byte(length>>16), byte(length>>8), byte(length), kind, flags)
	return binary.BigEndian.AppendUint32(b, stream)
}

func appendSetting(b []byte, id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, id), value)
}

func appendWindowUpdate(b []byte, stream uint32, n int) []byte {
	return binary.BigEndian.AppendUint32(appendHead(b, 4, frameWindowUpdate, 0, stream), uint32(n))
}

func appendReset(b []byte, stream uint32, code uint32) []byte {
	return binary.BigEndian.AppendUint32(appendHead(b, 4, frameRSTStream, 0, stream), code)
}

// opening is what a connection begins with. The server is told to keep no table of headers, because thousands of connections would
// each keep its counterpart.
func opening() []byte {
	b := append([]byte(nil), preface...)
	b = appendHead(b, 18, frameSettings, 0, 0)
	b = appendSetting(b, settingHeaderTableSize, 0)
	b = appendSetting(b, settingEnablePush, 0)
	b = appendSetting(b, settingInitialWindowSize, streamWindow)
	return appendWindowUpdate(b, 0, connWindow-initialWindow)
}

// unpad strips the padding, and of HEADERS the priority, from a payload; false when the frame is malformed.
func unpad(h head, b []byte) ([]byte, bool) {
	pad := 0
	if h.flags&flagPadded != 0 {
		if len(b) < 1 {
			return nil, false
		}
		pad, b = int(b[0]), b[1:]
	}
	if h.kind == frameHeaders && h.flags&flagPriority != 0 {
		if len(b) < 5 {
			return nil, false
		}
		b = b[5:]
	}
	if pad > len(b) {
		return nil, false
	}
	return b[:len(b)-pad], true
}

// Buffers lend memory for what is read, so that idle connections hold none. The zero value is ready for use, by any number of
// goroutines.
type Buffers struct{ pool sync.Pool }

func (b *Buffers) get() *[]byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, 0, maxFrame)
	return &p
}

func (b *Buffers) put(p *[]byte) {
	const largest = 1 << 18 // larger ones are rare and would stay for long
	if cap(*p) <= largest {
		*p = (*p)[:0]
		b.pool.Put(p)
	}
}
