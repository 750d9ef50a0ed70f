package results

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// What can be wrong with the frames of a stream.
var (
	errNoMark = errors.New("no end-of-stream mark")
	errShort  = errors.New("file ends within a message")
	errFrame  = errors.New("message header makes no sense")
	errSum    = errors.New("checksum is wrong")
)

const (
	continuation = 0xFFFFFFFF // begins every message of the stream format
	frameHead    = 8          // bytes of it and of the length of the metadata
	maxMetadata  = 1 << 20    // of a message; ours are a few kilobytes
	maxBuffer    = 1 << 30    // one column of one batch, decompressed; ours are at most some tens of megabytes
	maxCopied    = 64 << 20   // one batch that comes from elsewhere, compressed
)

// frames is the message reader that feeds Arrow's decoder. Arrow's own believes the lengths that it reads, and a damaged
// one makes it ask for gigabytes; this one knows how long the file is and keeps apart a file that is cut off, one that
// was never finished and one that holds nonsense.
type frames struct {
	r    *bufio.Reader
	size int64
	pos  int64 // behind the last whole message
	err  error // what ended the reading, other than the end-of-stream mark
	eos  bool
	seed uint32 // checksum of the schema
	sums bool   // batches carry checksums
	bad  bool   // the last message's checksum is wrong
	body []byte // reused
	last *ipc.Message

	copyTo io.Writer // takes every whole message; nil: nobody
}

// unknownSize is the size of a stream whose end is not known beforehand.
const unknownSize = math.MaxInt64

func newFrames(r io.Reader, size int64) *frames {
	return &frames{r: bufio.NewReaderSize(r, int(min(max(size, 16), 256<<10))), size: size}
}

// Message returns the next message, which is valid until the next call; io.EOF at the end-of-stream mark.
func (f *frames) Message() (*ipc.Message, error) {
	if f.ended() {
		return nil, io.EOF
	}
	m, err := f.read()
	switch {
	case err == io.EOF:
		f.eos = true
		return nil, io.EOF
	case err != nil:
		f.err = err
		return nil, err
	}
	f.release()
	f.last = m
	return m, nil
}

func (f *frames) read() (m *ipc.Message, err error) {
	defer func() {
		if p := recover(); p != nil { // the metadata's own offsets point outside of it
			m, err = nil, errFrame
		}
	}()
	left := f.size - f.pos
	if left == 0 {
		return nil, errNoMark
	}
	if left < frameHead {
		return nil, errShort
	}
	var head [frameHead]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return nil, fmt.Errorf("read message header: %w", err)
	}
	length := int64(int32(binary.LittleEndian.Uint32(head[4:])))
	if binary.LittleEndian.Uint32(head[:]) != continuation || length < 0 || length > maxMetadata {
		return nil, errFrame
	}
	if length == 0 {
		f.pos += frameHead
		if err := f.copyMessage(head[:], nil, nil); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	left -= frameHead
	if length > left {
		return nil, errShort
	}
	meta := make([]byte, length)
	if _, err := io.ReadFull(f.r, meta); err != nil {
		return nil, fmt.Errorf("read message metadata: %w", err)
	}
	if !checkSchema(meta) {
		return nil, errFrame
	}
	left -= length
	body := ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(nil)).BodyLen()
	if body < 0 || (f.copyTo != nil && body > maxCopied) {
		return nil, errFrame
	}
	if body > left {
		return nil, errShort
	}
	if int64(cap(f.body)) < body {
		f.body = make([]byte, body)
	}
	f.body = f.body[:body]
	if _, err := io.ReadFull(f.r, f.body); err != nil {
		return nil, fmt.Errorf("read message body: %w", err)
	}
	if err := f.copyMessage(head[:], meta, f.body); err != nil {
		return nil, err
	}
	f.pos += frameHead + length + body
	if f.last == nil {
		f.seed = sum(0, meta)
	}
	f.bad = f.sums && !sumHolds(meta, f.body, f.seed)
	return ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(f.body)), nil
}

// copyMessage hands a whole message on.
func (f *frames) copyMessage(head, meta, body []byte) error {
	if f.copyTo == nil {
		return nil
	}
	if _, err := f.copyTo.Write(slices.Concat(head, meta, body)); err != nil {
		return fmt.Errorf("copy message: %w", err)
	}
	return nil
}

// ended reports whether no further message can be had.
func (f *frames) ended() bool { return f.eos || f.err != nil }

// unread is how many bytes of the file were not understood.
func (f *frames) unread() int64 { return f.size - f.pos }

// Retain does nothing: frames lives as long as its decoder.
func (f *frames) Retain() {}

// Release lets go of the last message.
func (f *frames) Release() { f.release() }

func (f *frames) release() {
	if f.last != nil {
		f.last.Release()
		f.last = nil
	}
}

// limitedAllocator refuses sizes that no batch of ours has: a damaged length must not exhaust the machine's memory.
// Arrow's decoder turns its panic into an error.
type limitedAllocator struct{ memory.Allocator }

func boundedAllocator() memory.Allocator { return limitedAllocator{memory.NewGoAllocator()} }

func (a limitedAllocator) Allocate(size int) []byte {
	checkSize(size)
	return a.Allocator.Allocate(size)
}

func (a limitedAllocator) Reallocate(size int, b []byte) []byte {
	checkSize(size)
	return a.Allocator.Reallocate(size, b)
}

func checkSize(size int) {
	if size < 0 || size > maxBuffer {
		panic(fmt.Sprintf("buffer of %d bytes", size))
	}
}
