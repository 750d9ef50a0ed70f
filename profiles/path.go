package profiles

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A path names a value of a profile: keys joined by dots, list items by [number], keys with other characters than letters,
// digits, _ and - in double quotes: phases[0].tracks[1].name, hollowNodes.labels."example.com/rack".

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func joinKey(path, key string) string {
	if !plainKey.MatchString(key) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func joinIndex(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// parentPath cuts the last segment off.
func parentPath(path string) string {
	if strings.HasSuffix(path, "]") {
		return path[:strings.LastIndexByte(path, '[')]
	}
	if strings.HasSuffix(path, `"`) {
		// A quoted key: strconv.Quote escapes quotes inside, so the opening one is the last that no backslash precedes.
		for i := len(path) - 2; i >= 0; i-- {
			if path[i] == '"' && (i == 0 || path[i-1] == '.' || path[i-1] == ']') && validQuoted(path[i:]) {
				return strings.TrimSuffix(path[:i], ".")
			}
		}
		return ""
	}
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}

func validQuoted(s string) bool {
	_, err := strconv.Unquote(s)
	return err == nil
}

// segment is one step of a path: a key, or the index of a list.
type segment struct {
	key     string
	index   int
	isIndex bool
	at      int // where it begins in the text, in bytes
	width   int // bytes
}

// parsePath reads a path up to its end. On error it gives the byte where it could not go on.
func parsePath(text string) (segments []segment, at int, err error) {
	i := 0
	for i < len(text) {
		switch {
		case text[i] == '[':
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return nil, i, fmt.Errorf("[ has no ]")
			}
			n, err := strconv.Atoi(text[i+1 : i+end])
			if err != nil || n < 0 {
				return nil, i, fmt.Errorf("%s is not the index of a list item", text[i:i+end+1])
			}
			segments = append(segments, segment{index: n, isIndex: true, at: i, width: end + 1})
			i += end + 1
		case text[i] == '.' && len(segments) > 0:
			i++
			fallthrough
		default:
			s, err := parseKey(text, i, len(segments) == 0 || (i > 0 && text[i-1] == '.'))
			if err != nil {
				return nil, i, err
			}
			segments = append(segments, s)
			i += s.width
		}
	}
	if len(segments) == 0 {
		return nil, 0, fmt.Errorf("the path is empty")
	}
	return segments, 0, nil
}

func parseKey(text string, i int, afterDot bool) (segment, error) {
	if !afterDot {
		return segment{}, fmt.Errorf("a dot is missing")
	}
	if i < len(text) && text[i] == '"' {
		quoted, err := strconv.QuotedPrefix(text[i:])
		if err != nil {
			return segment{}, fmt.Errorf("a quote is not closed")
		}
		key, err := strconv.Unquote(quoted)
		return segment{key: key, at: i, width: len(quoted)}, err
	}
	width := strings.IndexAny(text[i:], ".[")
	if width < 0 {
		width = len(text) - i
	}
	if width == 0 {
		return segment{}, fmt.Errorf("a key is missing")
	}
	return segment{key: text[i : i+width], at: i, width: width}, nil
}
