package supervise

import (
	"io"
	"os"
	"strings"
)

// What a tail is cut to: enough to hold the reason, little enough to read.
const (
	tailLines     = 12
	tailBytes     = 16 << 10
	tailLineBytes = 400
)

// Tail returns the last lines of a log file, or those that begin with its panic or its complaint about a flag, looking only at what was written at or after the offset. What cannot be
// read is not there: the tail decorates an error and must not become one.
func Tail(path string, offset int64) []string {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	from := max(offset, size-tailBytes)
	b, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if err != nil {
		return nil
	}
	text := strings.TrimRight(strings.ToValidUTF8(string(b), "?"), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if from > offset && len(lines) > 1 {
		lines = lines[1:] // cut in the middle
	}
	lines = excerpt(lines)
	for i, line := range lines {
		if len(line) > tailLineBytes {
			lines[i] = strings.ToValidUTF8(line[:tailLineBytes], "") + "…"
		}
	}
	return lines
}

// excerpt is what of the lines says most: a Go program's panic stands before its stacks, a complaint about a flag before
// the usage text; else it is the end.
func excerpt(lines []string) []string {
	for i, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") || strings.Contains(line, "flag provided but not defined") {
			return lines[i:min(len(lines), i+tailLines)]
		}
	}
	return lines[max(0, len(lines)-tailLines):]
}
