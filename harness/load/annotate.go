package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// touchedAnnotation is the annotation that PUT and PATCH set to a value never used before, so that each is a real write:
// the API server drops a write that changes nothing before it reaches the store.
const touchedAnnotation = "windtunnel/touched"

var errNotObject = errors.New("not a JSON object")

// annotate appends to dst the object with metadata.annotations[windtunnel/touched] set to value. It copies the server's
// bytes and changes only that place, so that no number or unknown field can change on the way, and so that a PUT costs
// the client little more than the copy. value must need no escaping.
func annotate(dst, object []byte, value string) ([]byte, error) {
	metadata, err := member(object, 0, "metadata")
	if err != nil {
		return dst, fmt.Errorf("find metadata: %w", err)
	}
	if metadata.begin < 0 {
		return dst, errors.New("the object has no metadata")
	}
	annotations, err := member(object, metadata.begin, "annotations")
	if err != nil {
		return dst, fmt.Errorf("find annotations: %w", err)
	}
	entry := strconv.Quote(touchedAnnotation) + `:"` + value + `"`
	if annotations.begin < 0 || object[annotations.begin] != '{' { // absent, or null
		return insert(dst, object, metadata.begin, annotations, `"annotations":{`+entry+`}`), nil
	}
	touched, err := member(object, annotations.begin, touchedAnnotation)
	if err != nil {
		return dst, fmt.Errorf("find the annotation: %w", err)
	}
	return insert(dst, object, annotations.begin, touched, entry), nil
}

// span is where a member stands in an object: its key at, its value from begin to end. begin is -1 when there is none.
type span struct{ at, begin, end int }

// insert appends object to dst with text in the place of the member old, or as the first member of the object that begins at
// open when there is no such member.
func insert(dst, object []byte, open int, old span, text string) []byte {
	if old.begin >= 0 {
		dst = append(dst, object[:old.at]...)
		dst = append(dst, text...)
		return append(dst, object[old.end:]...)
	}
	dst = append(dst, object[:open+1]...)
	dst = append(dst, text...)
	if next := skipSpace(object, open+1); next < len(object) && object[next] != '}' {
		dst = append(dst, ',')
	}
	return append(dst, object[open+1:]...)
}

// member finds a member of the object that begins at or after position i. Keys with escapes are not recognised; those
// that are looked for are written without.
func member(data []byte, i int, key string) (span, error) {
	none := span{at: -1, begin: -1, end: -1}
	i = skipSpace(data, i)
	if i >= len(data) || data[i] != '{' {
		return none, errNotObject
	}
	i = skipSpace(data, i+1)
	for i < len(data) && data[i] != '}' {
		end, err := skipString(data, i)
		if err != nil {
			return none, err
		}
		colon := skipSpace(data, end)
		if colon >= len(data) || data[colon] != ':' {
			return none, fmt.Errorf("no colon at byte %d", colon)
		}
		begin := skipSpace(data, colon+1)
		after, err := skipValue(data, begin)
		if err != nil {
			return none, err
		}
		if string(data[i+1:end-1]) == key {
			return span{at: i, begin: begin, end: after}, nil
		}
		i = skipSpace(data, after)
		if i < len(data) && data[i] == ',' {
			i = skipSpace(data, i+1)
		}
	}
	if i >= len(data) {
		return none, errors.New("the JSON ends too early")
	}
	return none, nil
}

// skipValue returns the position after the value that begins at i.
func skipValue(data []byte, i int) (int, error) {
	depth := 0
	for i < len(data) {
		switch c := data[i]; c {
		case '"':
			end, err := skipString(data, i)
			if err != nil {
				return 0, err
			}
			i = end
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			i++
			continue
		default: // a number, true, false or null
			i = skipLiteral(data, i)
		}
		if depth <= 0 {
			return i, nil
		}
	}
	return 0, errors.New("the JSON ends too early")
}

// skipString returns the position after the string that begins at i.
func skipString(data []byte, i int) (int, error) {
	if i >= len(data) || data[i] != '"' {
		return 0, fmt.Errorf("no string at byte %d", i)
	}
	for i++; i < len(data); i++ {
		quote := bytes.IndexAny(data[i:], `"\`)
		if quote < 0 {
			break
		}
		if i += quote; data[i] == '"' {
			return i + 1, nil
		}
		i++ // what follows a backslash
	}
	return 0, errors.New("the JSON ends in a string")
}

func skipLiteral(data []byte, i int) int {
	if n := bytes.IndexAny(data[i:], ",:]} \t\n\r"); n > 0 {
		return i + n
	}
	if i < len(data) && bytes.IndexByte([]byte(",:]} \t\n\r"), data[i]) < 0 {
		return len(data)
	}
	return i + 1
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return i
}
