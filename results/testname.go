package results

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// TestName is the name of the run's test as it stands in the names of its files: the config's, and in a suite the scenario's identifier.
// Runs of profiles, and of older versions, have only the run's.
func (r Run) TestName() string {
	if r.Test == nil || r.Test.Name == "" {
		return r.Name
	}
	if r.Test.Identifier == "" {
		return r.Test.Name
	}
	return r.Test.Name + "_" + r.Test.Identifier
}

// longestTestFile is how many bytes a file's name has at most: file systems take 255, and a temporary file's has more than the file's.
const longestTestFile = 220

// TestFile is ClusterLoader2's name of a file that was made of a test at an instant: <what>_<config>[_<identifier>]_<time>.<extension>.
// Names are other people's words: what would lead out of the directory becomes a hyphen, and what is too long is cut.
func (r Run) TestFile(what string, at time.Time, extension string) string {
	end := "_" + at.UTC().Format(time.RFC3339) + "." + extension
	// What it is comes first, and readers choose by it; so the test's name is cut before it is.
	what = cut(plain(what), longestTestFile/2)
	return what + "_" + cut(plain(r.TestName()), longestTestFile-len(what)-len("_")-len(end)) + end
}

// plain is a text as a part of a file's name.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || unicode.IsControl(r) {
			return '-'
		}
		return r
	}, text)
}

// cut is as much of a text as fits into some bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
