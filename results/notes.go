package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Note is one line of NotesFile: what somebody found worth keeping with a run. A run may have any number of them.
type Note struct {
	At         string `json:"at"`                   // RFC 3339, UTC, when it was made
	Text       string `json:"text"`                 // not empty
	Conclusion bool   `json:"conclusion,omitempty"` // what the run showed; the last conclusion is the one that holds
}

// Kind is what a note is called: conclusion or note.
func (n Note) Kind() string {
	if n.Conclusion {
		return "conclusion"
	}
	return "note"
}

// AddNote appends a note to the run: one line of JSON in NotesFile, written with one call, so that two writers do not
// mix. The text loses the white space around it and must not be empty.
func (d *Dir) AddNote(text string, conclusion bool, now time.Time) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("add note to %s: %w", d.ID(), err)
		}
	}()
	n := Note{At: now.UTC().Format(time.RFC3339), Text: strings.TrimSpace(text), Conclusion: conclusion}
	if n.Text == "" {
		return errors.New("it has no text")
	}
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(d.Path(NotesFile), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if !endsLine(f) { // the writer of the last note was killed: its rest stays one bad line
		line = append([]byte{'\n'}, line...)
	}
	_, werr := f.Write(line)
	return errors.Join(werr, f.Sync(), f.Close())
}

// endsLine reports whether a file is empty or ends with a line feed.
func endsLine(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return true
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err != nil || last[0] == '\n'
}

// Notes returns the notes of the run in the order in which they were made; none where nobody made any. Lines that make
// no sense are left out and named in the error, beside which the notes are good.
func (d *Dir) Notes() ([]Note, error) {
	data, err := os.ReadFile(d.Path(NotesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	return parseNotes(data)
}

func parseNotes(data []byte) ([]Note, error) {
	var notes []Note
	var bad []error
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var note Note
		err := json.Unmarshal(line, &note)
		if err == nil && note.Text == "" {
			err = errors.New("it has no text")
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", NotesFile, n, err))
			continue
		}
		notes = append(notes, note)
	}
	return notes, errors.Join(bad...)
}

// Conclusion is the last conclusion among notes, "" where there is none.
func Conclusion(notes []Note) string {
	text := ""
	for _, n := range notes {
		if n.Conclusion {
			text = n.Text
		}
	}
	return text
}
