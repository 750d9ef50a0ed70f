package cl2

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"windtunnel/profiles"
)

// Options are what a test is read with.
type Options struct {
	// Read gives the content of a file.
	Read func(path string) ([]byte, error)
	// List gives the names in a directory, for suggestions; it may be nil.
	List func(dir string) []string
	// Overrides are the files of variables, as --testoverrides names them; later ones win.
	Overrides []string
	// SkipSteps are the names of steps that are left out.
	SkipSteps []string
	// Overwrite has PATH=VALUE texts: values of the config itself, such as Namespace.Prefix=mine, that stand in the place of its own.
	Overwrite []string
	// Environment has NAME=VALUE lines. Those that begin with CL2_ are variables of the templates; the others serve only to
	// expand $NAME in the argument of IncludeFile.
	Environment []string
	// Nodes is the number of nodes: the variable Nodes.
	Nodes int
	// ImageRegistry is the variable ImageRegistry. Default registry.k8s.io.
	ImageRegistry string
	// IncludeDir is the directory that IncludeFile looks in: in ClusterLoader2, that of the program itself.
	IncludeDir string
	// Seed makes every random choice of the templates and of the instants.
	Seed uint64
	// Check tells what is wrong with the parameters of a call beyond their names and types. It is for those who compute measurements, whom
	// this package does not know; nil where nobody has more to say.
	Check func(method string, params map[string]any) []Complaint
}

// LargestFile is the most bytes that a file of a test may have.
const LargestFile = profiles.LargestFile

// file is a file of the test that was read.
type file struct {
	path  string
	data  []byte
	text  profiles.SourceText
	lines []int // the byte at which each line begins
}

func newFile(path string, data []byte) *file {
	f := &file{path: path, data: data, text: profiles.NewSourceText(path, data), lines: []int{0}}
	for i, b := range data {
		if b == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	return f
}

// at is the place of a byte, width characters wide.
func (f *file) at(offset, width int) place {
	offset = min(max(offset, 0), len(f.data))
	line, exact := slices.BinarySearch(f.lines, offset)
	if !exact {
		line--
	}
	return place{file: f, line: line + 1, column: utf8.RuneCount(f.data[f.lines[line]:offset]) + 1, width: width}
}

// action is the place of the whole {{…}} around a byte.
func (f *file) action(offset int) place {
	offset = min(max(offset, 0), len(f.data))
	begin := bytes.LastIndex(f.data[:offset], []byte("{{"))
	if begin < 0 {
		return f.at(offset, 1)
	}
	line := f.data[begin:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	if i := bytes.Index(line, []byte("}}")); i >= 0 {
		line = line[:i+2]
	}
	return f.at(begin, utf8.RuneCount(line))
}

// place is where something was written.
type place struct {
	file                *file
	line, column, width int
}

// problem makes a problem of the place.
func (p place) problem(path, hint, format string, args ...any) profiles.Problem {
	message := fmt.Sprintf(format, args...)
	if p.file == nil {
		return profiles.Problem{Path: path, Hint: hint, Message: message}
	}
	return p.file.text.Problem(p.line, p.column, p.width, path, hint, message)
}

// files are those of one test.
type files struct {
	read  func(path string) ([]byte, error)
	dir   string // of the config: every path in the test begins there
	known map[string]*file
	order []*file // in which they were read first
}

// open reads a file by its path in the test. As in ClusterLoader2 it is taken to be in the directory of the config also when it
// begins with a slash; it may lead out of it with .. and through links.
func (fs *files) open(name string) (*file, error) {
	return fs.openAt(filepath.Join(fs.dir, name))
}

func (fs *files) openAt(path string) (*file, error) {
	if f, ok := fs.known[path]; ok {
		return f, nil
	}
	data, err := fs.read(path)
	if err != nil {
		return nil, err
	}
	if len(data) > LargestFile {
		return nil, fmt.Errorf("%s has %d bytes; a file of a test has at most %d (4 MiB)", path, len(data), LargestFile)
	}
	f := newFile(path, data)
	fs.known[path] = f
	fs.order = append(fs.order, f)
	return f, nil
}

// rank orders problems by the file that they are in.
func (fs *files) rank(path string) int {
	if i := slices.IndexFunc(fs.order, func(f *file) bool { return f.path == path }); i >= 0 {
		return i
	}
	return len(fs.order)
}
