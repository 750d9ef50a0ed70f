package fidelity

import (
	"cmp"
	"slices"
	"strings"

	"windtunnel/results"
)

// FormatVersion is the version of the format of a recording's file; it changes when the meaning of a field does.
const FormatVersion = 1

// The senders that are told apart.
const (
	Kubelet = "kubelet" // user system:node:NAME
	Proxy   = "proxy"   // user system:kube-proxy, or the service account of that name
	Shared  = "shared"  // the user of all light nodes of fidelity minimal, which also writes what stages say and no kubelet may write
)

// Recording is what some nodes sent to the API server in the stages of a script.
type Recording struct {
	Format int    `json:"format"`
	Source Source `json:"source"`
	// Stages are the script's phases, in order. What came before the first phase belongs to it.
	Stages []Stage `json:"stages"`
	// Metrics are the latencies of all callers and the pods' start-up, over all stages.
	Metrics []Metric `json:"metrics"`
	// Notes say what was left out and what a reader must know.
	Notes []string `json:"notes,omitempty"`
}

// Source says where a recording comes from.
type Source struct {
	// Runs are the runs' names.
	Runs []string `json:"runs"`
	// Script is the profile's name.
	Script string `json:"script"`
	// Provider and Tier are the runs' own.
	Provider string `json:"provider"`
	Tier     string `json:"tier,omitempty"`
	// Kubernetes is the version of the API server.
	Kubernetes string `json:"kubernetes"`
	// Windtunnel is the version that made the runs.
	Windtunnel string `json:"windtunnel,omitempty"`
	// Nodes are the patterns that chose the nodes by name, and Chosen how many they chose in all runs.
	Nodes  []string `json:"nodes"`
	Chosen int      `json:"chosen"`
	// Audit is the level of the audit log; below request there are no bodies.
	Audit string `json:"audit"`
	// Note is what the one who recorded it says of it, such as what kind of node it was.
	Note string `json:"note,omitempty"`
}

// Bodies says whether the audit log had the bodies of requests.
func (s Source) Bodies() bool { return s.Audit == "request" || s.Audit == "requestResponse" }

// Stage is one part of the script.
type Stage struct {
	Name string `json:"name"`
	// Nodes is how many of the chosen nodes there were, and Proxied how many nodes the calls of the proxies are those of.
	Nodes   int `json:"nodes"`
	Proxied int `json:"proxied,omitempty"`
	// Pods is how many pods of the script were on the chosen nodes at some time of the stage.
	Pods int `json:"pods"`
	// NodeSeconds is how long the stage was, in seconds, summed over the chosen nodes; in the first stage each counts from its
	// first call.
	NodeSeconds float64 `json:"nodeSeconds"`
	Calls       []Calls `json:"calls"`
	Watches     []Open  `json:"watches"`
	Order       []Pair  `json:"order"`
}

// Kind is what calls are counted by.
type Kind struct {
	Who      string `json:"who"`      // Kubelet | Proxy | Shared
	Verb     string `json:"verb"`     // as in Kubernetes' metrics
	Resource string `json:"resource"` // RESOURCE[.GROUP][/SUBRESOURCE]
	// Detail tells apart what the resource does not: the selectors of a WATCH or LIST, with NODE for the node's own name; rv=0
	// of a read that the API server's cache may answer; KIND/REASON of an event that is posted, where the log has bodies.
	Detail string `json:"detail,omitempty"`
}

func (k Kind) compare(l Kind) int {
	return cmp.Or(strings.Compare(k.Who, l.Who), strings.Compare(k.Resource, l.Resource), strings.Compare(k.Verb, l.Verb), strings.Compare(k.Detail, l.Detail))
}

// String is the kind in one line.
func (k Kind) String() string {
	s := k.Verb + " " + k.Resource
	if k.Detail != "" {
		s += " (" + k.Detail + ")"
	}
	return s
}

// Calls are the calls of one kind in one stage. A watch counts when it begins, and not when it only goes on after its server
// ended it for its age.
type Calls struct {
	Kind
	N      int64 `json:"n"`
	Errors int64 `json:"errors,omitempty"` // of these, answered with a code of 400 or more or not at all
	// Sized is how many had a body, and Bytes their sizes together as the audit log shows them: JSON, in bytes.
	Sized int64 `json:"sized,omitempty"`
	Bytes int64 `json:"bytes,omitempty"`
}

// Open is how many watches of one kind are open at the end of a stage, over all chosen nodes.
type Open struct {
	Kind
	N int64 `json:"n"`
}

// Pair is how two kinds of calls follow each other. Of Both subjects (pods in a stage with pods, nodes elsewhere) that sent both
// kinds, First began with A before they began with B, and Last ended with A before they ended with B.
type Pair struct {
	A     string `json:"a"`
	B     string `json:"b"`
	Both  int64  `json:"both"`
	First int64  `json:"first"`
	Last  int64  `json:"last"`
}

// The groups of metrics, which have different floors.
const (
	API     = "api"
	Startup = "pod start-up"
)

// Metric is one figure of the latencies: its average over the runs.
type Metric struct {
	Group   string  `json:"group"` // API | Startup
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	N       int64   `json:"n"`              // measured values, of all runs
	Runs    int     `json:"runs,omitempty"` // that have it
}

// Merge makes one recording of several of the same script: counts are added, metrics averaged.
func Merge(all ...Recording) Recording {
	if len(all) == 1 {
		return all[0]
	}
	out := Recording{Format: FormatVersion}
	for i, r := range all {
		if i == 0 {
			out.Source = r.Source
			out.Source.Runs, out.Source.Chosen = nil, 0
		}
		out.Source.Runs = append(out.Source.Runs, r.Source.Runs...)
		out.Source.Chosen += r.Source.Chosen
		for _, s := range r.Stages {
			out.stage(s.Name).add(s)
		}
		for _, m := range r.Metrics {
			out.addMetric(m)
		}
		for _, n := range r.Notes {
			if !slices.Contains(out.Notes, n) {
				out.Notes = append(out.Notes, n)
			}
		}
	}
	return out
}

// stage is the stage of that name, new at the end where there was none.
func (r *Recording) stage(name string) *Stage {
	for i := range r.Stages {
		if r.Stages[i].Name == name {
			return &r.Stages[i]
		}
	}
	r.Stages = append(r.Stages, Stage{Name: name})
	return &r.Stages[len(r.Stages)-1]
}

func (s *Stage) add(t Stage) {
	s.Nodes, s.Proxied, s.Pods, s.NodeSeconds = s.Nodes+t.Nodes, s.Proxied+t.Proxied, s.Pods+t.Pods, s.NodeSeconds+t.NodeSeconds
	for _, c := range t.Calls {
		i := slices.IndexFunc(s.Calls, func(d Calls) bool { return d.Kind == c.Kind })
		if i < 0 {
			s.Calls = append(s.Calls, c)
			continue
		}
		d := &s.Calls[i]
		d.N, d.Errors, d.Sized, d.Bytes = d.N+c.N, d.Errors+c.Errors, d.Sized+c.Sized, d.Bytes+c.Bytes
	}
	for _, w := range t.Watches {
		i := slices.IndexFunc(s.Watches, func(d Open) bool { return d.Kind == w.Kind })
		if i < 0 {
			s.Watches = append(s.Watches, w)
			continue
		}
		s.Watches[i].N += w.N
	}
	for _, p := range t.Order {
		i := slices.IndexFunc(s.Order, func(d Pair) bool { return d.A == p.A && d.B == p.B })
		if i < 0 {
			s.Order = append(s.Order, p)
			continue
		}
		d := &s.Order[i]
		d.Both, d.First, d.Last = d.Both+p.Both, d.First+p.First, d.Last+p.Last
	}
	s.sort()
}

// sort puts the rows in their order, which does not show in which order they were met.
func (s *Stage) sort() {
	slices.SortFunc(s.Calls, func(a, b Calls) int { return a.compare(b.Kind) })
	slices.SortFunc(s.Watches, func(a, b Open) int { return a.compare(b.Kind) })
	slices.SortFunc(s.Order, func(a, b Pair) int { return cmp.Or(strings.Compare(a.A, b.A), strings.Compare(a.B, b.B)) })
}

func (r *Recording) addMetric(m Metric) {
	m.Runs = max(m.Runs, 1)
	for i := range r.Metrics {
		if o := &r.Metrics[i]; o.Group == m.Group && o.Name == m.Name {
			o.Seconds = (o.Seconds*float64(o.Runs) + m.Seconds*float64(m.Runs)) / float64(o.Runs+m.Runs)
			o.N, o.Runs = o.N+m.N, o.Runs+m.Runs
			return
		}
	}
	r.Metrics = append(r.Metrics, m)
}

// resource names what a call is for.
func resource(group, name, sub string) string { return results.ResourcePath(group, name, sub) }
