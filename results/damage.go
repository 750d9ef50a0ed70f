package results

import "fmt"

// DamageKind says what is wrong with a record stream.
type DamageKind string

// The kinds of damage.
const (
	// Unfinished: all batches are whole but the end-of-stream mark is missing. The writer was killed or is still at it;
	// what it took in within the last second may be missing.
	Unfinished DamageKind = "unfinished"
	// Truncated: the file ends within a batch.
	Truncated DamageKind = "truncated"
	// Corrupt: the content of one or more batches, or of the file's structure, makes no sense.
	Corrupt DamageKind = "corrupt"
	// WrongSchema: the file holds something else, or was written in a newer format.
	WrongSchema DamageKind = "wrong schema"
)

// Damage is the error that ends the reading of a record stream which could not be read whole. The records before it
// are good.
type Damage struct {
	File    string
	Kind    DamageKind
	Batch   int   // number of the first bad batch, from 0; the first number that is missing when the file just ends
	Lost    int   // batches that were skipped because of their content; what they held is not known
	Unread  int64 // bytes at the end of the file that were not read
	Records int64 // records that were read
	Err     error // what the decoder said; may be nil
}

// Error names the file, the batch and what was lost.
func (d *Damage) Error() string {
	text := fmt.Sprintf("%s: %s at batch %d: %d records read", d.File, d.Kind, d.Batch, d.Records)
	switch d.Kind {
	case Unfinished:
		text = fmt.Sprintf("%s: unfinished: no end-of-stream mark after batch %d: %d records read, those of the last second may be missing",
			d.File, d.Batch-1, d.Records)
	case Truncated:
		text += fmt.Sprintf(", the last %d bytes are part of a batch", d.Unread)
	default:
		if d.Lost > 0 {
			text += fmt.Sprintf(", %d batches lost", d.Lost)
		}
		if d.Unread > 0 {
			text += fmt.Sprintf(", %d bytes not read", d.Unread)
		}
	}
	if d.Err != nil {
		text += ": " + d.Err.Error()
	}
	return text
}

// Unwrap returns what the decoder said.
func (d *Damage) Unwrap() error { return d.Err }
