package cl2

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"windtunnel/profiles"
)

// Test is a config that was read: rendered, with its modules in their places, given its defaults and checked.
type Test struct {
	// Identifier is that of the scenario of a suite; empty without one.
	Identifier string
	// Path is the config's file.
	Path string
	// Nodes is the number of nodes that it was rendered for.
	Nodes int
	// Seed made its random choices.
	Seed uint64
	// Config is what was read; nil when there is nothing that could be.
	Config *Config

	options   Options
	variables variables
	files     *files
	templates *templates
	manifests map[string]*manifest
	// constraints are the files of constraints by their names, as JSON.
	constraints map[string]string
	methods     []Method
	found       problems
	modules     int             // that were rendered
	skipped     map[string]bool // names of steps that were left out
	images      []string        // of containers that are to do something
	rendering   sync.Mutex      // of bodies
}

// Read reads a config for so many nodes. It never fails: Problems and Err say what is wrong.
func Read(path string, o Options) *Test { return read(Scenario{ConfigPath: path}, o) }

// read reads a scenario.
func read(s Scenario, o Options) *Test {
	t := &Test{Identifier: s.Identifier, Path: s.ConfigPath, Nodes: o.Nodes, Seed: o.Seed, options: o, manifests: map[string]*manifest{}, methods: Methods(), skipped: map[string]bool{}}
	t.files = &files{read: o.Read, dir: filepath.Dir(s.ConfigPath), known: map[string]*file{}}
	t.templates = &templates{files: t.files, seed: o.Seed, includeDir: o.IncludeDir, env: lookup(o.Environment), parsed: map[*file]*parsed{}}
	f, err := t.files.openAt(s.ConfigPath)
	if err != nil {
		t.found.add(s.at, "", "", "read the config: %v", err)
		return t
	}
	t.load(append(append([]string{}, o.Overrides...), s.OverridePaths...), o)
	root := t.render(f, t.variables.values, "config", s.ConfigPath)
	if root == nil {
		if !t.found.failed() {
			t.found.add(f.at(0, 1), "", "", "the config has no content")
		}
		return t
	}
	t.overwrite(root, o.Overwrite)
	d := &decoder{found: &t.found}
	t.Config = d.config(root)
	t.Config.Steps = t.flatten(d, t.Config.Steps, "", 0)
	t.unskipped()
	t.fillDefaults()
	t.validate()
	t.lint()
	return t
}

// Problems are everything that was found, by file and place. Those with the severity warning do not keep the test from running.
func (t *Test) Problems() []profiles.Problem { return t.found.sorted(t.files.rank) }

// Err is a *profiles.Problems with what keeps the test from running, or nil.
func (t *Test) Err() error {
	var list []profiles.Problem
	for _, p := range t.Problems() {
		if p.Severity != profiles.Warning {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return &profiles.Problems{List: list}
}

// render executes a file and parses what it gives. It is nil for nothing, and after an error, which has been reported.
func (t *Test) render(f *file, variables map[string]any, what ...string) *node {
	p := t.parseTemplate(f)
	if p.executor == nil {
		return nil
	}
	r, err := t.templates.execute(p, variables, what...)
	if err != nil {
		t.templateFailed(p, "", err)
		return nil
	}
	t.missing(r)
	docs := r.documents()
	if len(docs) == 0 {
		return nil
	}
	if len(docs) > 1 {
		t.found.warn(docs[1].place(1, 1, 1), "", "put it in a file of its own", "another YAML document begins here: only the first one is read")
	}
	if docs[0].start > 0 && !onlyComments(r.text[:docs[0].start]) {
		t.found.warn(docs[0].place(1, 1, 1), "", "take the line --- away", "ClusterLoader2 reads nothing of this file: to it the comments before --- are the first document")
	}
	return docs[0].parse(&t.found)
}

// onlyComments is false for a text with more in it than a first line of ---.
func onlyComments(before []byte) bool {
	return regexp.MustCompile(`^---[ \t\r]*\n$`).Match(before)
}

// parseTemplate parses a file and reports what is wrong with it as a template.
func (t *Test) parseTemplate(f *file) *parsed {
	p := t.templates.parse(f)
	for _, b := range p.broken {
		t.found.add(b.at, "", b.hint, "%s", b.message)
	}
	return p
}

// templateFailed reports an error of an execution, of an object template with the object's name as the path, unless it follows from one of the template itself.
func (t *Test) templateFailed(p *parsed, path string, err error) {
	var failed *templateError
	switch {
	case len(p.broken) > 0:
	case errors.As(err, &failed):
		t.found.add(failed.at, path, "", "template: %s", failed.message)
	default:
		t.found.add(p.file.at(0, 1), path, "", "%v", err)
	}
}

// missing reports what a template prints that has no value.
func (t *Test) missing(r *rendered) {
	for i, p := range r.pieces {
		end := len(r.text)
		if i+1 < len(r.pieces) {
			end = r.pieces[i+1].out
		}
		line := r.text[bytes.LastIndexByte(r.text[:p.out], '\n')+1:]
		isComment := bytes.HasPrefix(bytes.TrimSpace(line), []byte("#"))
		if !p.verbatim && !isComment && string(r.text[p.out:end]) == noValue && len(t.templates.parse(r.file).broken) == 0 {
			t.found.warn(r.file.action(p.at), "", "set it, or give it a default, as in {{DefaultParam .NAME 1}}", "this prints %s: what it names is set nowhere", noValue)
		}
	}
}

// mostNested bounds modules in modules: a module can name itself.
const mostNested = 50

// flatten puts the steps of modules in the places of the steps that name them.
func (t *Test) flatten(d *decoder, steps []*Step, module string, depth int) []*Step {
	var all []*Step
	for _, s := range steps {
		s.Module = module
		if t.skips(s, depth) {
			continue
		}
		if s.module == nil || s.module.path == "" && len(s.module.params) == 0 {
			all = append(all, s)
			continue
		}
		if len(s.Phases)+len(s.Measurements) > 0 {
			t.found.warn(s.node.at, s.path, "give them a step of their own", "the step is replaced by its module: its own phases and measurements are ignored")
		}
		all = append(all, t.expand(d, s, depth)...)
	}
	return all
}

// expand renders a module. It sees the variables of the test and its own parameters, and not those of the module that names it.
func (t *Test) expand(d *decoder, s *Step, depth int) []*Step {
	at, path := s.module.node.at, s.path+".module"
	if v := s.module.node.get("path"); v != nil {
		at = v.at
	}
	switch {
	case s.module.path == "":
		t.found.add(at, path, "give the file as path: FILE", "the module has no path")
		return nil
	case depth >= mostNested:
		t.found.add(at, path+".path", "", "the modules are nested more than %d deep: does one name itself?", mostNested)
		return nil
	case t.modules >= mostModules:
		t.found.add(at, path+".path", "", "the test has more than %d modules", mostModules)
		return nil
	}
	f, err := t.files.open(s.module.path)
	if err != nil {
		t.found.add(at, path+".path", t.nearestFile(s.module.path), "there is no module %s: %s", s.module.path, reason(err))
		return nil
	}
	t.modules++
	root := t.render(f, t.variables.with(s.module.params), "module", s.module.path, ordinal(t.modules))
	t.unreadParams(s.module.node.get("params"), path+".params", t.templates.parse(f), "the module "+s.module.path)
	if root == nil {
		return nil
	}
	var inner []*Step
	d.object(root, "", "a module", fields{"steps": d.steps(&inner)})
	return t.flatten(d, inner, s.module.path, depth+1)
}

const mostModules = 10_000

// unreadParams reports the parameters that a template never reads.
func (t *Test) unreadParams(params *node, path string, p *parsed, reader string) {
	if params == nil || p.executor == nil {
		return
	}
	names := slices.Sorted(maps.Keys(p.facts.reads))
	for _, key := range params.keys {
		if !p.facts.reads[key.text] {
			t.found.warn(key.at, path, profiles.Suggest(key.text, names), "%s never reads %q", reader, key.text)
		}
	}
}

// nearestFile suggests a file of the same directory.
func (t *Test) nearestFile(name string) string {
	if t.options.List == nil {
		return ""
	}
	dir, base := filepath.Split(filepath.Join(t.files.dir, name))
	hint := profiles.Suggest(base, t.options.List(dir))
	if hint != "" {
		hint += " (in " + filepath.Dir(filepath.Join(t.files.dir, name)) + ")"
	}
	return hint
}

// reason is an error of the file system without the path.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Sprint(p.Err)
	}
	return err.Error()
}

// lookup reads the environment's lines as os.Getenv does.
func lookup(environment []string) func(string) string {
	return func(name string) string {
		for _, line := range environment {
			if len(line) > len(name) && line[len(name)] == '=' && line[:len(name)] == name {
				return line[len(name)+1:]
			}
		}
		return ""
	}
}
