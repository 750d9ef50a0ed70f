package results

import (
	"errors"
	"io"
)

// NewStreamWriter starts a writer of records to out, such as the body of an HTTP answer, in the format of the files: the schema at
// once, then a batch at least once a second, each with one call of Write, and the end-of-stream mark by Close. name is for errors. out
// is not closed; a Write of it that fails ends the stream.
func NewStreamWriter[T Record](name string, out io.Writer, opts ...WriterOption) (*Writer[T], error) {
	var cfg writerConfig
	for _, o := range opts {
		o(&cfg)
	}
	return newWriter[T](name, wire{out}, cfg)
}

// wire is a file that cannot be taken back.
type wire struct{ io.Writer }

func (wire) Truncate(int64) error { return errors.New("what was sent cannot be taken back") }
func (wire) Sync() error          { return nil }
func (wire) Close() error         { return nil }

// ErrUnfinished is a stream that ended without its end-of-stream mark: whoever wrote it was cut off.
var ErrUnfinished = errors.New("the stream of records ended before its mark")

// CopyStream copies a stream of records, as a NewStreamWriter wrote it, to out, message by message as they come and each with one call
// of Write, so that out ends with a whole message whatever happens. It returns nil behind the end-of-stream mark, ErrUnfinished where
// the stream ends without one, and else what went wrong. The records in it are not looked at.
func CopyStream(out io.Writer, from io.Reader) error {
	f := newFrames(from, unknownSize)
	f.copyTo = out
	defer f.release()
	for {
		_, err := f.Message()
		switch {
		case f.eos:
			return nil
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return ErrUnfinished
		case err != nil:
			return err
		}
	}
}
