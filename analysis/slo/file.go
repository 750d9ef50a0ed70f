package slo

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"windtunnel/profiles"
)

// FileKind is the kind of the documents.
const FileKind = "SLO"

// File is a set of objectives as a user writes it.
type File struct {
	// APIVersion is the version of this format: windtunnel/v1alpha1.
	APIVersion string `yaml:"apiVersion"`
	// Kind is always SLO.
	Kind string `yaml:"kind"`
	// Name identifies the set.
	Name string `yaml:"name"`
	// Description is one paragraph for people.
	Description string `yaml:"description,omitempty"`
	// Objectives are judged in this order.
	Objectives []Objective `yaml:"objectives"`
	// NotMeasured names what belongs to the set and cannot be measured here, with the reason.
	NotMeasured []NotMeasured `yaml:"notMeasured,omitempty"`
}

// Objective is one requirement or observation.
type Objective struct {
	// Name is what tables call it. Default: the expression.
	Name string `yaml:"name,omitempty"`
	// Expression is what is measured and, after a comparison, what is required of it.
	Expression string `yaml:"expression"`
	// Observe shows the objective without letting it decide. Required where the expression compares nothing.
	Observe bool `yaml:"observe,omitempty"`
	// MinSamples is the least n for a verdict; with less there is no data. Default: of a quantile or fraction as many as would show
	// it with 95 % confidence if none were outside (299 at 99 %), otherwise 1.
	MinSamples int `yaml:"minSamples,omitempty"`
	// FewSamples says what a group (by) with less is: noData leaves the objective open, observe shows the group and judges the
	// others. Default noData.
	FewSamples string `yaml:"fewSamples,omitempty" enum:"noData,observe"`

	measure *measure
}

// NotMeasured is what a set names without being able to measure it.
type NotMeasured struct {
	// Name is what it is called.
	Name string `yaml:"name" json:"name"`
	// Reason says why it cannot be measured here.
	Reason string `yaml:"reason" json:"reason"`
}

// Values of FewSamples.
const (
	NoData  = "noData"
	Observe = "observe"
)

// least is the least n for a verdict.
func (o Objective) least() int64 {
	if o.MinSamples > 0 {
		return int64(o.MinSamples)
	}
	return int64(o.measure.least())
}

// Read reads a file of objectives; name is the file's name for messages. The error is a *profiles.Problems with everything that is
// wrong, each at its position.
func Read(name string, data []byte) (*File, error) {
	f := &File{}
	d, ok := profiles.Decode(name, "set of SLOs", "windtunnel slo show official prints one to start from", data, f)
	if ok {
		f.check(d)
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

// IsFile tells whether a YAML text says that it is of this kind, whatever else is wrong with it.
func IsFile(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "kind:"); ok {
			return strings.Trim(strings.TrimSpace(value), `"'`) == FileKind
		}
	}
	return false
}

func (f *File) check(d *profiles.Document) {
	if f.APIVersion != profiles.APIVersion && !d.Bad("apiVersion") {
		d.Problem("apiVersion", "write apiVersion: "+profiles.APIVersion, "%q is not a version of this format", f.APIVersion)
	}
	if f.Kind != FileKind && !d.Bad("kind") {
		d.Problem("kind", "write kind: "+FileKind, "%q is not the kind of a set of SLOs", f.Kind)
	}
	if f.Name == "" {
		d.Problem("name", "", "is required")
	}
	if len(f.Objectives) == 0 {
		d.Problem("objectives", "write at least one: - expression: quantile(0.99, request_latency) <= 1s", "there are no objectives")
	}
	for i := range f.Objectives {
		f.Objectives[i].check(d, fmt.Sprintf("objectives[%d]", i))
	}
	for i, n := range f.NotMeasured {
		if n.Name == "" || n.Reason == "" {
			d.Problem(fmt.Sprintf("notMeasured[%d]", i), "", "needs a name and a reason")
		}
	}
}

func (o *Objective) check(d *profiles.Document, path string) {
	if o.MinSamples < 0 {
		d.Problem(path+".minSamples", "", "must not be negative, not %d", o.MinSamples)
	}
	if choices := []string{NoData, Observe}; o.FewSamples != "" && !slices.Contains(choices, o.FewSamples) {
		d.Problem(path+".fewSamples", profiles.Suggest(o.FewSamples, choices), "%q is not known", o.FewSamples)
	}
	if strings.TrimSpace(o.Expression) == "" {
		d.Problem(path+".expression", "such as quantile(0.99, request_latency) <= 1s", "is required")
		return
	}
	where := path + ".expression"
	report := func(m mistake) {
		d.ProblemIn(where, o.Expression, m.at, m.width, m.hint, "%s", m.message)
	}
	parsed, wrong := parse(o.Expression)
	if wrong != nil {
		report(*wrong)
		return
	}
	var mistakes []mistake
	if o.measure, mistakes = check(parsed); len(mistakes) > 0 {
		for _, m := range mistakes {
			report(m)
		}
		return
	}
	o.Expression = strings.Join(strings.Fields(o.Expression), " ")
	if o.Name == "" {
		o.Name = o.Expression
	}
	if o.measure.compare == "" && !o.Observe {
		d.Problem(where, "add what is required, such as <= 1s; or observe: true to see the figure without a verdict", "it compares nothing, so there is nothing to judge")
	}
}

// Metrics are the names of the metrics that the objectives are worked out from.
func (f *File) Metrics() []string {
	var names []string
	for _, o := range f.Objectives {
		for _, c := range o.measure.selected() {
			name := c.metric.Name
			if name == Errors {
				name = Requests
			}
			names = append(names, name)
			if o.measure.inner != nil && name == RequestLatency {
				names = append(names, Requests) // those that were not answered have no latency
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

//go:embed *.yaml
var builtins embed.FS

// Builtin is the text of a built-in set.
func Builtin(name string) (data []byte, ok bool) { return profiles.Library{Files: builtins}.Text(name) }

// Builtins are the names of the built-in sets, sorted.
func Builtins() []string { return profiles.Library{Files: builtins}.Names() }
