package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
	"windtunnel/analysis/render"
	"windtunnel/results"
)

// head is the top of the page.
type head struct {
	Mark, Class, Verdict, Sentence string
	ID                             string
	Facts                          []item
}

func newHead(s analysis.Study) head {
	sum := s.Summary
	h := head{Mark: render.Mark(sum.Verdict), Class: class(sum.Verdict), Verdict: strings.ToUpper(string(sum.Verdict)), Sentence: sentence(sum), ID: sum.Run.ID}
	r := sum.Run
	var versions []string
	for _, name := range []string{"kubernetes", "windtunnel"} {
		if v := r.Versions[name]; v != "" {
			versions = append(versions, name+" "+v)
		}
	}
	h.Facts = []item{{"profile", r.Profile}, {"nodes", fmt.Sprint(r.Nodes)}, {"pods", fmt.Sprint(r.Pods)}, {"seed", fmt.Sprint(r.Seed)},
		{"started", started(r.Started)}, {"took", render.Duration(r.Seconds)}, {"outcome", r.Outcome},
		{"versions", strings.Join(versions, ", ")}, {"machine", fmt.Sprintf("%d × %s, %s", r.Machine.Cores, r.Machine.CPU, chart.Bytes.Format(float64(r.Machine.MemoryBytes)))}}
	if r.Provider != "embedded" {
		h.Facts = append(h.Facts, item{"provider", r.Provider})
	}
	return h
}

// started is a time of RFC 3339 to the second, as it is when it is none.
func started(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func class(v results.Verdict) string {
	switch v {
	case results.Pass:
		return "pass"
	case results.Fail:
		return "fail"
	case results.NoData, results.Invalid:
		return "unsure"
	}
	return ""
}

// sentence says the verdict in words.
func sentence(s results.Summary) string {
	required, by := 0, map[results.Verdict]int{}
	for _, r := range s.SLOs {
		if r.Required {
			required++
			by[r.Verdict]++
		}
	}
	if test := s.ClusterLoader; test != nil && s.Verdict != results.Invalid {
		return testSentence(test)
	}
	switch s.Verdict {
	case results.Pass:
		return fmt.Sprintf("The run can be trusted, and all %d required objectives hold", required) + borneOut(s.SLOs)
	case results.Fail:
		return fmt.Sprintf("The run can be trusted, and %d of %d required objectives are violated.", by[results.Fail], required)
	case results.NoData:
		return fmt.Sprintf("The run can be trusted, but %d of %d required objectives have no data to judge them by.", by[results.NoData], required)
	case results.Invalid:
		return "The run itself cannot be trusted, so that its figures judge nothing. The checks below say why."
	}
	return "The profile only observes; nothing is judged."
}

// testSentence says how a test of ClusterLoader2 ended.
func testSentence(test *results.ClusterLoader) string {
	failed, by := 0, map[results.Verdict]int{}
	for _, step := range test.Steps {
		if step.Verdict == results.Fail {
			failed++
		}
	}
	for _, m := range test.Measurements {
		by[m.Verdict]++
	}
	switch test.Verdict {
	case results.Fail:
		return fmt.Sprintf("The run can be trusted, and the test %s failed: in %d of %d steps something went wrong, and %d measurements failed.", test.Test, failed, len(test.Steps), by[results.Fail])
	case results.NoData:
		return fmt.Sprintf("The run can be trusted, but %d measurements of the test %s have no data to judge them by.", by[results.NoData], test.Test)
	}
	return fmt.Sprintf("The run can be trusted, and the test %s passed: nothing went wrong in its %d steps, and the %d measurements that decide passed.", test.Test, len(test.Steps), by[results.Pass])
}

// borneOut says whether the intervals of the required objectives show that they hold.
func borneOut(slos []results.SLOResult) string {
	shown, open := 0, []string(nil)
	for _, r := range slos {
		switch {
		case !r.Required:
		case render.Shown(r) == "yes":
			shown++
		default:
			open = append(open, r.Expression)
		}
	}
	if len(open) == 0 {
		return ", each shown by its interval."
	}
	are := func(n int) string {
		if n == 1 {
			return "1 is"
		}
		return fmt.Sprintf("%d are", n)
	}
	return fmt.Sprintf("; %s shown by the interval, %s not: %s.", are(shown), are(len(open)), strings.Join(open, "; "))
}

// sections are the parts of the page, in order.
func sections() []func(analysis.Study) (section, error) {
	return []func(analysis.Study) (section, error){
		plain("objectives", "Objectives", "Objectives", "99 % of the answers of a request type have to be within its threshold (sig-scalability). The interval is that of the share, 95 %; the margin is in percentage points. “Shown” says whether the interval as a whole bears the verdict out.", objectiveBlocks),
		plain("validity", "Validity", "Can the run be trusted?", "A run is judged before the system is. A check that does not hold makes the run invalid, whatever the figures say.", validityBlocks),
		plain("test", "Test", "The ClusterLoader2 test", "Its steps and measurements, by its own definitions and thresholds. Errors and violations fail it; what is skipped or not judged does not.", testBlocks),
		drawn("startup", "Pod start-up", "Pod start-up", startupCharts, "Pod start-up", "Throughput"),
		drawn("latency", "Latency", "Latency", latencyCharts, "Client latency", "Client latency by phase", "API server's own SLI", "Watch latency", "API server's audit log"),
		drawn("traffic", "Load", "Load over time", trafficCharts),
		drawn("components", "CPU and memory", "CPU and memory", componentCharts, "Components", "Components' own figures"),
		drawn("others", "Own users", "The cluster's own users", noCharts, "The cluster's own users: a bystander's GET", "The cluster's own users: priority levels"),
		drawn("fairness", "Fairness", "API server: priority and fairness", fairnessCharts, "Priority and fairness"),
		drawn("etcd", "etcd", "etcd", etcdCharts),
		drawn("queues", "Queues", "Controllers and scheduler", queueCharts, "Work queues"),
		drawn("timeline", "Timeline", "Timeline", timelineCharts, "Faults of nodes"),
		plain("slowest", "Slowest", "The slowest requests", "Of the measured phases, by the time from the planned instant to the answer or the failure, and the three parts of it. A record opens with a click.", slowestBlocks),
		plain("notes", "Notes", "Notes and damage", "What a reader of the figures must know.", noteBlocks),
		plain("again", "Run again", "How it was run, and how to run it again", "", againBlocks),
		plain("limits", "Limits", "What this run cannot show", "The simulated parts leave out what follows; no figure above says anything about it.", limitBlocks),
	}
}

// plain is a section without charts.
func plain(id, short, title, lead string, blocks func(analysis.Study) []block) func(analysis.Study) (section, error) {
	return func(s analysis.Study) (section, error) {
		return section{ID: id, Short: short, Title: title, Lead: lead, Blocks: blocks(s)}, nil
	}
}

// drawn is a section of charts and the summary's tables of these titles.
func drawn(id, short, title string, charts func(analysis.Study) []chart.Chart, tables ...string) func(analysis.Study) (section, error) {
	return func(s analysis.Study) (section, error) {
		blocks, err := figures(charts(s))
		return section{ID: id, Short: short, Title: title, Blocks: append(blocks, titled(s, tables...)...)}, err
	}
}

// noCharts is for a section of tables.
func noCharts(analysis.Study) []chart.Chart { return nil }

// objectiveBlocks are the required rows and those others that fail, then the rest, folded, and the SLO's preconditions.
func objectiveBlocks(s analysis.Study) []block {
	var shown, rest []results.SLOResult
	for _, r := range s.Summary.SLOs {
		if r.Required || render.Short(r) {
			shown = append(shown, r)
		} else {
			rest = append(rest, r)
		}
	}
	t := render.ObjectiveTable(shown)
	t.Title = "Required"
	if slices.ContainsFunc(shown, func(r results.SLOResult) bool { return !r.Required }) {
		t.Title = "Required, and others below what the SLO requires, which do not decide"
	}
	blocks := tableBlock(t, false)
	var notes []item
	for _, r := range shown {
		if r.Note != "" {
			notes = append(notes, item{render.Mark(r.Verdict) + " " + r.Expression, r.Note})
		}
	}
	if len(notes) > 0 {
		blocks = append(blocks, block{List: notes})
	}
	if len(rest) > 0 {
		t := render.ObjectiveTable(rest)
		t.Title = fmt.Sprintf("Not required: %d rows that do not decide", len(rest))
		blocks = append(blocks, tableBlock(t, true)...)
	}
	return append(blocks, tableBlock(render.ConditionTable(s.Summary), false)...)
}

// testBlocks are the tables of a test of ClusterLoader2.
func testBlocks(s analysis.Study) []block {
	return titled(s, "ClusterLoader2: measurements", "ClusterLoader2: not measured", "ClusterLoader2: steps")
}

// check is one check of the validity.
type check struct{ Mark, Class, Verdict, Name, Text, Remedy string }

func validityBlocks(s analysis.Study) []block {
	var checks []check
	for _, c := range s.Summary.Validity.Checks {
		checks = append(checks, check{render.Mark(c.Verdict), class(c.Verdict), string(c.Verdict), strings.ReplaceAll(c.Name, "_", " "), c.Text, c.Remedy})
	}
	if len(checks) == 0 {
		return nil
	}
	return []block{{Checks: checks}}
}

func noteBlocks(s analysis.Study) []block {
	var items []item
	for _, n := range s.Summary.Remarks {
		items = append(items, item{n.Kind() + " of " + n.At, n.Text})
	}
	events := map[string]bool{}
	for _, e := range s.Run.Events {
		events[e.Text] = true
		items = append(items, item{"at " + chart.Elapsed.Format(float64(e.At/1e9)), e.Text})
	}
	for _, n := range s.Summary.Notes {
		if !events[n] {
			items = append(items, item{"note", n})
		}
	}
	for _, d := range s.Summary.Damage {
		items = append(items, item{"damage", d})
	}
	if len(items) == 0 {
		return nil
	}
	return []block{{List: items}}
}

func limitBlocks(s analysis.Study) []block {
	var items []item
	for _, l := range limitsOf(s) {
		items = append(items, item{l.what, l.why})
	}
	return []block{{List: items}}
}

// componentFlags are the processes with every flag that they were given.
func componentFlags(s analysis.Study) []block {
	var text strings.Builder
	for _, c := range s.Run.Components {
		if text.Len() > 0 {
			text.WriteString("\n\n")
		}
		fmt.Fprintf(&text, "%s (process %d)", c.Name, c.PID)
		if c.Exit != "" {
			fmt.Fprintf(&text, ": %s", c.Exit)
		}
		for _, arg := range c.Args[min(1, len(c.Args)):] { // the first is the program's file
			fmt.Fprintf(&text, "\n  %s", arg)
		}
	}
	if text.Len() == 0 {
		return nil
	}
	return []block{{Pre: &pre{Title: "Flags of every component", Text: text.String()}}}
}

// sortedItems are the entries of a map by name.
func sortedItems[V any](m map[string]V) []item {
	var items []item
	for name, v := range m {
		items = append(items, item{name, fmt.Sprint(v)})
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.Term, b.Term) })
	return items
}
