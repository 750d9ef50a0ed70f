package profiles

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v3"
)

// SourceText is a text that problems point into, for front ends that read other formats than a profile's.
type SourceText struct{ src *source }

// NewSourceText makes a text under the name that messages give it.
func NewSourceText(name string, data []byte) SourceText {
	return SourceText{src: newSource(name, data)}
}

// Problem makes a problem of a place of the text: line and column count from 1, columns in characters, width is how many
// characters to underline. Line 0 stands for the text as a whole.
func (t SourceText) Problem(line, column, width int, path, hint, message string) Problem {
	return mark{src: t.src, line: line, col: column, width: width, bare: line == 0}.problem(path, hint, message)
}

// YAMLSyntax says where and why a YAML document cannot be parsed, as Load does of a profile: with the place where a person
// would look for the mistake and a hint. bad is false when the document can be parsed; what follows it is not looked at.
func YAMLSyntax(data []byte) (p Problem, bad bool) {
	var document yaml.Node
	err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&document)
	if err == nil || errors.Is(err, io.EOF) {
		return Problem{}, false
	}
	found := &findings{}
	reportSyntax(newSource("", data), data, err, found)
	return found.list[0], true
}
