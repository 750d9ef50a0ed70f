package walk

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"windtunnel/hollow/stages"
	"windtunnel/profiles"
)

// The kinds of the document beside the object: a whole life, or what may come next, which is also what an object by itself asks.
const (
	Kind        = "Walk"
	OutlookKind = "Outlook"
)

// outlookDocument asks what may come next.
type outlookDocument struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	// Stages are the files of the life cycle, beside the input. Default: all files of stages in the folder above it.
	Stages []string `yaml:"stages"`
}

// walkDocument is the second document of an input: how the object is carried through its life.
type walkDocument struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	// Stages are the files of the life cycle, beside the input. Default: all files of stages in the folder above it.
	Stages []string `yaml:"stages"`
	// Seed decides every choice. Default 0.
	Seed uint64 `yaml:"seed"`
	// Until is how long the walk is. Default 1h.
	Until *profiles.Duration `yaml:"until"`
	// Transitions is how many there are at most. Default 50.
	Transitions *int `yaml:"transitions"`
	// Changes are what others do.
	Changes []changeDocument `yaml:"changes"`
}

type changeDocument struct {
	At          profiles.Duration `yaml:"at"`
	Patch       map[string]any    `yaml:"patch"`
	Delete      bool              `yaml:"delete"`
	GracePeriod profiles.Duration `yaml:"gracePeriod"`
}

// Input is what a test of a life cycle begins with.
type Input struct {
	// Object is the object, whole numbers being int64.
	Object map[string]any
	// Script is the walk; nil where the input only asks what may come next.
	Script *Script
	// Stages are the files that the input names, beside it.
	Stages []string

	asked bool // a Walk or Outlook was read
}

// ParseInput reads an input: an object and, if its whole life is asked for, a Walk. The error is a *profiles.Problems.
func ParseInput(name string, data []byte) (*Input, error) {
	in := &Input{}
	err := profiles.DecodeEach(name, "test of a life cycle", "it begins with an object, as kubectl get -o yaml prints it", data, func(d *profiles.Document) {
		switch d.Top("kind") {
		case Kind:
			in.walk(d)
			return
		case OutlookKind:
			var o outlookDocument
			if d.Into(&o) {
				in.version(d, o.APIVersion)
				in.Stages = o.Stages
			}
			return
		}
		object := map[string]any{}
		if !d.Into(&object) {
			return
		}
		switch r := stages.ResourceOf(object); {
		case in.Object != nil:
			d.Problem("", "put each object in a file of its own", "a second object begins here")
		case r.APIVersion == "" || r.Kind == "":
			d.Problem("", "", "an object needs apiVersion and kind")
		}
		in.Object = object
	})
	if err == nil && in.Object == nil {
		err = &profiles.Problems{List: []profiles.Problem{{File: name, Message: "there is no object to carry through its life", Hint: "write it before the Walk"}}}
	}
	if err != nil {
		return nil, err
	}
	return in, nil
}

// version checks the head of the document beside the object.
func (in *Input) version(d *profiles.Document, version string) {
	if version != profiles.APIVersion {
		d.Problem("apiVersion", "write apiVersion: "+profiles.APIVersion, "%q is not a version of this format", version)
	}
	if in.asked {
		d.Problem("", "an input has one Walk or Outlook", "a second one begins here")
	}
	in.asked = true
}

func (in *Input) walk(d *profiles.Document) {
	var w walkDocument
	if !d.Into(&w) {
		return
	}
	in.version(d, w.APIVersion)
	s := &Script{Seed: w.Seed, Until: time.Hour, Most: 50}
	if w.Until != nil {
		s.Until = time.Duration(*w.Until)
	}
	if w.Transitions != nil {
		s.Most = *w.Transitions
	}
	if s.Until <= 0 {
		d.Problem("until", "", "must be more than 0s, not %s", s.Until)
	}
	if s.Most <= 0 {
		d.Problem("transitions", "", "must be more than 0, not %d", s.Most)
	}
	for i, c := range w.Changes {
		path := fmt.Sprintf("changes[%d]", i)
		if c.At < 0 {
			d.Problem(path+".at", "", "must not be negative, not %s", c.At)
		}
		if (c.Patch != nil) == c.Delete {
			d.Problem(path, "", "needs either patch or delete: true")
		}
		if c.GracePeriod < 0 {
			d.Problem(path+".gracePeriod", "", "must not be negative, not %s", c.GracePeriod)
		}
		s.Changes = append(s.Changes, Change{At: time.Duration(c.At), Patch: c.Patch, Delete: c.Delete, GracePeriod: time.Duration(c.GracePeriod)})
	}
	slices.SortStableFunc(s.Changes, func(a, b Change) int { return int(a.At - b.At) })
	in.Script, in.Stages = s, w.Stages
}

// ReadStages reads the files of a life cycle. The error holds the problems of all of them.
func ReadStages(files ...string) (*stages.Set, error) {
	var all []*stages.Stage
	problems := &profiles.Problems{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read stages: %w", err)
		}
		some, err := stages.Parse(file, data)
		if err := problems.Join(err); err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	if len(problems.List) > 0 {
		return nil, problems
	}
	return stages.NewSet(all...)
}

// stageFiles are the files of stages in a folder, sorted.
func stageFiles(folder string) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var found []string
	for _, file := range all {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read stages: %w", err)
		}
		if stages.IsFile(data) {
			found = append(found, file)
		}
	}
	return found, nil
}
