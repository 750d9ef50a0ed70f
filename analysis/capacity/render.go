package capacity

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// none stands for a number that is not known.
const none = "–"

// Text writes the answer for a terminal.
func Text(w io.Writer, r Report) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	fmt.Fprintf(out, "%s  %s along %s\n", r.ID, r.Profile, r.Axis)
	if r.Description != "" {
		fmt.Fprintf(out, "  %s\n", r.Description)
	}
	fmt.Fprintf(out, "  %s\n\n", r.method())
	for _, s := range r.Sentences() {
		fmt.Fprintf(out, "%s\n", s)
	}
	if r.Stopped != "" && !r.Finished {
		fmt.Fprintf(out, "Not finished: %s.\n", r.Stopped)
	}
	for _, g := range r.grids() {
		fmt.Fprintf(out, "\n%s\n", g.title)
		if g.note != "" {
			fmt.Fprintf(out, "  %s\n", g.note)
		}
		for line := range strings.Lines(g.writer(evidenceWidth).Render()) {
			fmt.Fprintf(out, "  %s\n", strings.TrimRight(line, " \n"))
		}
	}
	for _, text := range r.warnings() {
		fmt.Fprintf(out, "\nnote: %s\n", text)
	}
	return out.Flush()
}

// Markdown writes the answer as GitHub-flavoured Markdown.
func Markdown(w io.Writer, r Report) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# Capacity of %s along %s\n\n%s %s\n\n", r.Profile, r.Axis, r.Description, r.method())
	for _, s := range r.Sentences() {
		fmt.Fprintf(out, "- %s\n", s)
	}
	for _, g := range r.grids() {
		fmt.Fprintf(out, "\n## %s\n\n", g.title)
		if g.note != "" {
			fmt.Fprintf(out, "%s\n\n", g.note)
		}
		fmt.Fprintf(out, "%s\n", g.writer(0).RenderMarkdown())
	}
	if warnings := r.warnings(); len(warnings) > 0 {
		fmt.Fprint(out, "\n## Notes\n\n")
		for _, text := range warnings {
			fmt.Fprintf(out, "- %s\n", text)
		}
	}
	return out.Flush()
}

// CSV writes a line for each run, with all digits, in base units.
func CSV(w io.Writer, r Report) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"axis", "unit", "level", "stage", "run", "seed", "verdict", "within", "tightest", "answers_per_second", "in_flight", "latency_mean_seconds",
		"latency_p50_seconds", "latency_p99_seconds", "answers", "startup_p99_seconds", "pods", "pods_per_second", "most_pods_on_node", "cores", "machine_cores", "measured_seconds"})
	full := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, p := range r.Runs {
		within, tightest, startup := "", "", ""
		if p.Tightest != nil {
			within, tightest = full(p.Tightest.Within), p.Tightest.Expression
		}
		if p.Startup != nil {
			startup = full(p.Startup.Value)
		}
		t := p.Traffic
		traffic := func(v float64) string {
			if !answered(p) {
				return "" // too few to say
			}
			return full(v)
		}
		_ = out.Write([]string{r.Axis, r.Unit, full(p.Level), string(p.Stage), p.Run, strconv.FormatUint(p.Seed, 10), string(p.Verdict), within, tightest,
			traffic(t.Throughput), traffic(t.InFlight), traffic(t.Mean), traffic(t.P50), traffic(t.P99), strconv.FormatInt(t.Answers, 10), startup, strconv.FormatInt(p.StartupN, 10),
			full(p.PodsPerSecond), full(p.MostPodsOnNode), full(p.Used()), strconv.Itoa(p.MachineCores), full(p.Seconds)})
	}
	out.Flush()
	return out.Error()
}

// method is one sentence on how it was measured.
func (r Report) method() string {
	s := r.Search
	how := fmt.Sprintf("Searched from %s up to %s, to within %.0f %% or one step of %g", r.level(s.From), r.level(s.To), 100*s.Resolution, s.Step)
	if len(s.Levels) > 0 {
		how = fmt.Sprintf("%d levels from %s to %s", len(s.Levels), r.level(slices.Min(s.Levels)), r.level(slices.Max(s.Levels)))
	}
	return fmt.Sprintf("%s; a level is inside after %s (%g %% confidence that at least %.1f %% of runs pass); %s on %d cores, seeds from %d.", how, passes(s.Repeats), 100*s.Confidence, 100*s.Shows(), count(len(r.Runs), "run"), r.Machine.Cores, r.Source.Seed)
}

// warnings are what a reader must know before believing the answer.
func (r Report) warnings() []string {
	all := slices.Clone(r.Answer.Warnings)
	if r.Law != nil {
		all = append(all, r.Law.Warnings...)
	} else if r.NoLaw != "" {
		all = append(all, "no scalability law: "+r.NoLaw)
	}
	if r.Answer.Candidates > 1 {
		all = append(all, fmt.Sprintf("%d levels were tried to be confirmed; the bound makes allowance for it", r.Answer.Candidates))
	}
	return all
}

// grid is one table: a header and rows of cells, the columns in left left-aligned.
type grid struct {
	title, note string
	header      []string
	left        []int
	rows        [][]string
}

func (r Report) grids() []grid {
	return slices.DeleteFunc([]grid{r.levelGrid(), r.findingGrid(), r.reasonGrid(), r.lawGrid()}, func(g grid) bool { return len(g.rows) == 0 })
}

func (r Report) levelGrid() grid {
	g := grid{title: "Levels", note: "medians over the runs of a level that passed or failed; ~ marks figures of runs without a verdict",
		header: []string{r.Axis, "", "pass", "fail", "no data", "invalid", "tightest row", "answers/s", "in flight", "mean ms", "p99 ms", "start-up p99 s", "pods/s", "cores"}, left: []int{1}}
	for _, l := range r.Levels {
		mark := ""
		if !l.Trusted {
			mark = "~"
		}
		cell := func(s Spread, factor float64, format string) string {
			if s.N == 0 {
				return ""
			}
			return mark + fmt.Sprintf(format, s.Median*factor)
		}
		g.rows = append(g.rows, []string{plain(l.Level), r.place(l), strconv.Itoa(l.Pass), strconv.Itoa(l.Fail), nonzero(l.NoData), nonzero(l.Invalid),
			cell(l.Within, 100, "%.2f %%"), cell(l.Throughput, 1, "%.1f"), cell(l.InFlight, 1, "%.2f"), cell(l.Mean, 1e3, "%.1f"), cell(l.P99, 1e3, "%.1f"),
			cell(l.Startup, 1, "%.3f"), cell(l.PodsPerSecond, 1, "%.1f"), cell(l.Cores, 1, "%.2f")})
	}
	return g
}

func nonzero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// place says where a level lies.
func (r Report) place(l Level) string {
	a := r.Answer
	switch {
	case a.Inside != nil && l.Level == *a.Inside && a.Confirmed:
		return "✓ inside, largest"
	case a.Inside != nil && l.Level == *a.Inside:
		return "? not confirmed"
	case l.Pass > 0 && l.Fail == 0 && (a.Outside == nil || l.Level < *a.Outside):
		return "✓"
	case l.Pass+l.Fail == 0:
		return "! no verdict"
	case l.Pass == 0:
		return "✗ outside"
	}
	return "~ some passed"
}

func (r Report) findingGrid() grid {
	g := grid{title: "What gave out first", header: []string{"", "part", "evidence", "runs", "n"}, left: []int{0, 1, 2}}
	if r.FindingsAt != nil {
		g.note = fmt.Sprintf("the runs at %s that did not pass", r.level(*r.FindingsAt))
		if r.Answer.Inside != nil {
			g.note += fmt.Sprintf(", beside those that passed at %s", r.level(*r.Answer.Inside))
		}
		g.note += "; signs, not proof"
	}
	for i, f := range r.Findings {
		if i == 12 {
			break // capacity.json has them all
		}
		g.rows = append(g.rows, []string{string(f.Rank), f.Component, f.Text, strconv.Itoa(f.Runs), strconv.FormatInt(f.N, 10)})
	}
	return g
}

// reasonGrid says of each run that did not pass why.
func (r Report) reasonGrid() grid {
	g := grid{title: "Runs that did not pass", header: []string{r.Axis, "run", "verdict", "why"}, left: []int{1, 2, 3}}
	for _, p := range r.Runs {
		for i, why := range p.Why {
			row := []string{plain(p.Level), p.Run, string(p.Verdict), why}
			if i > 0 {
				row[0], row[1], row[2] = "", "", ""
			}
			g.rows = append(g.rows, row)
		}
	}
	return g
}

func (r Report) lawGrid() grid {
	g := grid{title: "Universal Scalability Law", header: []string{"", "estimate", "low", "high", "meaning"}, left: []int{0, 4}}
	l := r.Law
	if l == nil {
		return g
	}
	g.note = fmt.Sprintf("answers/s over requests under way, both measured; %d runs with %.3g to %.3g under way; R² %.4f; %g %% intervals by residual bootstrap, seed %d",
		l.N, l.From, l.To, l.R2, 100*l.Confidence, r.Source.Seed)
	row := func(name string, v *float64, ends [2]*float64, meaning string) {
		cell := func(v *float64) string {
			if v == nil {
				return "∞"
			}
			return fmt.Sprintf("%.4g", *v)
		}
		value := cell(v)
		if v == nil {
			value = none
		}
		g.rows = append(g.rows, []string{name, value, cell(ends[0]), cell(ends[1]), meaning})
	}
	row("λ", &l.Lambda, [2]*float64{&l.LambdaInterval[0], &l.LambdaInterval[1]}, "answers/s of one request at a time")
	row("σ", &l.Sigma, [2]*float64{&l.SigmaInterval[0], &l.SigmaInterval[1]}, "contention: the share that has to queue")
	row("κ", &l.Kappa, [2]*float64{&l.KappaInterval[0], &l.KappaInterval[1]}, "coherence: the cost of each pair that has to agree")
	row("knee", l.Knee, l.KneeEnds, "requests under way beyond which throughput falls")
	row("peak", l.Peak, l.PeakEnds, "answers/s there, or that throughput nears")
	return g
}

// columns are the columns that hold anything.
func (g grid) columns() []int {
	var keep []int
	for i := range g.header {
		if slices.ContainsFunc(g.rows, func(r []string) bool { return r[i] != "" }) {
			keep = append(keep, i)
		}
	}
	return keep
}

// filled are the header and the rows without the columns that are empty.
func (g grid) filled() (header []string, rows [][]string) {
	pick := func(cells []string) []string {
		var row []string
		for _, i := range g.columns() {
			row = append(row, cells[i])
		}
		return row
	}
	for _, r := range g.rows {
		rows = append(rows, pick(r))
	}
	return pick(g.header), rows
}

// right says of each column of filled whether it is right-aligned.
func (g grid) right() []bool {
	var all []bool
	for _, i := range g.columns() {
		all = append(all, !slices.Contains(g.left, i))
	}
	return all
}

// evidenceWidth is the columns of a terminal that a sentence in a table may take before it is wrapped.
const evidenceWidth = 80

// writer is the table; width bounds its columns, 0 does not.
func (g grid) writer(width int) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	row := func(cells []string) (row table.Row) {
		for _, c := range cells {
			row = append(row, c)
		}
		return row
	}
	header, rows := g.filled()
	t.AppendHeader(row(header))
	for _, r := range rows {
		t.AppendRow(row(r))
	}
	var configs []table.ColumnConfig
	for i, right := range g.right() {
		align := text.AlignLeft
		if right {
			align = text.AlignRight
		}
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align, WidthMax: width, WidthMaxEnforcer: text.WrapSoft})
	}
	t.SetColumnConfigs(configs)
	return t
}

// plain is a level without the last digits, which floating point makes up.
func plain(v float64) string { return strconv.FormatFloat(v, 'g', 10, 64) }

func passes(n int) string {
	if n == 1 {
		return "1 pass"
	}
	return fmt.Sprintf("%d passes in a row", n)
}
