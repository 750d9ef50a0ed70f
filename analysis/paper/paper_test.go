package paper

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"windtunnel/analysis/render"
	"windtunnel/internal/golden"
	"windtunnel/results"
)

// rendered is a document in a format, by file.
func rendered(t testing.TB, d Document, format string) map[string]string {
	t.Helper()
	files, err := Render(d, format)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]string{}
	for _, f := range files {
		by[f.Name] = string(f.Data)
	}
	return by
}

// paperOf is the paper itself, of the files of a format.
func paperOf(t testing.TB, d Document, format string) string {
	t.Helper()
	files, err := Render(d, format)
	if err != nil {
		t.Fatal(err)
	}
	return string(files[0].Data)
}

// drawings are the figures within a page; package chart has goldens of its own.
var drawings = regexp.MustCompile(`(?s)<svg.*?</svg>`)

// TestGolden compares the paper about two made-up runs, in every format.
func TestGolden(t *testing.T) {
	d := Write(pair(t, 1))
	for _, format := range Formats() {
		files, err := Render(d, format)
		if err != nil {
			t.Fatal(err)
		}
		got := drawings.ReplaceAllString(string(files[0].Data), "<svg>…</svg>")
		golden.Check(t, filepath.Join("testdata", files[0].Name), got)
	}
}

// TestSameBytes writes the paper twice, the second time from records in another order.
func TestSameBytes(t *testing.T) {
	shuffled := func(h *history) *Experiment {
		random := rand.New(rand.NewPCG(9, 9))
		random.Shuffle(len(h.requests), func(i, j int) { h.requests[i], h.requests[j] = h.requests[j], h.requests[i] })
		random.Shuffle(len(h.hollow), func(i, j int) { h.hollow[i], h.hollow[j] = h.hollow[j], h.hollow[i] })
		random.Shuffle(len(h.pods), func(i, j int) { h.pods[i], h.pods[j] = h.pods[j], h.pods[i] })
		return h.read(t)
	}
	a := Write(pair(t, 1))
	b := Write(Input{Density: []*Experiment{shuffled(dense(1))}, Load: []*Experiment{shuffled(agreeing(1))}, Seed: 3})
	for _, format := range Formats() {
		if diff := cmp.Diff(rendered(t, a, format), rendered(t, b, format)); diff != "" {
			t.Errorf("%s differs:\n%s", format, diff)
		}
	}
}

// TestNumbersComeFromTheData makes all latencies longer: every figure of one is another then, in the text and in the tables.
func TestNumbersComeFromTheData(t *testing.T) {
	const scale = 1.37
	blocksOf := func(in Input) map[string][]string {
		d := Write(in)
		at := map[string][]string{}
		for _, s := range d.Sections {
			for _, b := range s.Blocks {
				if p, ok := b.(Paragraph); ok {
					at[s.Title] = append(at[s.Title], plainText(p))
				}
			}
			for _, sub := range s.Sections {
				for _, b := range sub.Blocks {
					if table, ok := b.(Table); ok {
						for _, r := range table.Rows {
							at["table "+table.Number] = append(at["table "+table.Number], strings.Join(r, " | "))
						}
					}
				}
			}
		}
		at["Abstract"] = []string{plainText(d.Abstract[0].(Paragraph))}
		return at
	}
	a, b := blocksOf(pair(t, 1)), blocksOf(pair(t, scale))
	for _, title := range []string{"Abstract", "table D3", "table D4", "table D5", "table D6", "table D7", "table D8", "table D9", "table 6"} {
		if len(a[title]) == 0 || len(a[title]) != len(b[title]) {
			t.Fatalf("%s has %d and %d parts", title, len(a[title]), len(b[title]))
		}
		for i, said := range a[title] {
			if said == b[title][i] {
				t.Errorf("%s says the same of other data: %s", title, said)
			}
		}
	}
	// The discussion's sentences with a time in them.
	times := regexp.MustCompile(`[0-9\])] (ms|s)\b`)
	said := 0
	for _, p := range a["Discussion"] {
		if strings.HasPrefix(p, "“") || !times.MatchString(p) {
			continue
		}
		if said++; slices.Contains(b["Discussion"], p) {
			t.Errorf("the discussion says the same of other data: %s", p)
		}
	}
	if said < 4 {
		t.Errorf("%d sentences of the discussion have a time", said)
	}
	// Ratios do not change with the unit, and neither do the judgements.
	if diff := cmp.Diff(a["table 5b"], b["table 5b"]); diff != "" {
		t.Error(diff)
	}
}

func plainText(p Paragraph) string {
	var b strings.Builder
	for _, s := range p {
		b.WriteString(s.Text)
	}
	return b.String()
}

// TestStageDefinitions holds figure 3 against sums done by hand.
func TestStageDefinitions(t *testing.T) {
	h := newHistory("density")
	// Ten pods; the one that is slow in the first stage is fast in the second.
	for i := range 10 {
		h.pod(i, float64(i+1), float64(10-i), 0.5)
	}
	e := h.read(t)
	bars := e.startupBars()
	if len(bars) != 3 { // p50, p90 and the last; ten pods have no 99th percentile
		t.Fatalf("%d bars", len(bars))
	}
	last := bars[2]
	if last.Quantile != 1 || last.Total.Value != 11.5 || last.Stage != [3]float64{10, 10, 0.5} || last.N != 1 {
		t.Errorf("%+v", last)
	}
	for _, b := range bars {
		if sum := b.Around[0] + b.Around[1] + b.Around[2]; sum < 11.499 || sum > 11.501 {
			t.Errorf("the stages of such pods add up to %g s", sum)
		}
	}
}

// TestGaps writes about runs that lack something: the paper says what and why, and has no empty figure.
func TestGaps(t *testing.T) {
	noPods := dense(1)
	noPods.pods, noPods.hollow = nil, nil
	empty := newHistory("nothing")
	for name, c := range map[string]struct {
		in      Input
		figures []string
		says    []string
		gaps    int
	}{
		"both":         {pair(t, 1), []string{"3", "4", "5", "6", "7", "8", "9"}, nil, 0},
		"density only": {Input{Density: pair(t, 1).Density}, []string{"3", "4", "5", "6"}, []string{"No load run was given: figures 7 to 9 are left out.", "“On pods under load, p50 is about half of p90.” could not be tested"}, 1},
		"load only":    {Input{Load: pair(t, 1).Load}, []string{"7", "8", "9"}, []string{"No density run was given: figures 3 to 6 are left out."}, 1},
		"no pods":      {Input{Density: []*Experiment{noPods.read(t)}, Load: pair(t, 1).Load}, []string{"4", "5", "6", "7", "8", "9"}, []string{"Figure 3 is left out: no pod of density was created"}, 1},
		"nothing": {Input{Density: []*Experiment{empty.read(t)}, Load: []*Experiment{empty.read(t)}}, nil,
			[]string{"Figure 3 is left out", "Figure 7 (requests on pods by verb) is left out: load has no request of this type", "Table 3a is left out", "Table 6 is left out"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			d := Write(c.in)
			var figures []string
			d.walk(func(b Block) {
				if f, ok := b.(Figure); ok {
					figures = append(figures, f.Number)
					if len(f.Chart.Table().Rows) == 0 {
						t.Errorf("figure %s is empty", f.Number)
					}
				}
			})
			if !slices.Equal(figures, c.figures) {
				t.Errorf("figures %v, not %v", figures, c.figures)
			}
			text := paperOf(t, d, "markdown")
			for _, say := range c.says {
				if !strings.Contains(text, say) {
					t.Errorf("it does not say %q", say)
				}
			}
			if gaps := c.in.Gaps(); len(gaps) != c.gaps {
				t.Errorf("gaps %q", gaps)
			}
			for _, format := range Formats() {
				rendered(t, d, format)
			}
		})
	}
}

// TestMentions: what is mentioned is there, what is cited is a source, and every source is cited.
func TestMentions(t *testing.T) {
	for _, in := range []Input{pair(t, 1), {Load: pair(t, 1).Load}, {Density: pair(t, 1).Density}} {
		d := Write(in)
		tex := paperOf(t, d, "latex")
		for _, m := range regexp.MustCompile(`\\ref\{([^}]*)\}`).FindAllStringSubmatch(tex, -1) {
			if !strings.Contains(tex, `\label{`+m[1]+`}`) {
				t.Errorf("%s is mentioned and is not there", m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\\cite\{([^}]*)\}`).FindAllStringSubmatch(tex, -1) {
			if !strings.Contains(tex, `\bibitem{`+m[1]+`}`) {
				t.Errorf("%s is cited and is no source", m[1])
			}
		}
	}
	if d := Write(pair(t, 1)); len(d.References) != len(references()) {
		t.Errorf("%d of %d sources are cited", len(d.References), len(references()))
	}
}

// TestInvalidIsMarked: the paper about a run that is invalid says so in every section and on every page.
func TestInvalidIsMarked(t *testing.T) {
	in := pair(t, 1) // made-up runs have no scrapes and no process samples, so that they are invalid
	if len(in.Invalid()) != 2 {
		t.Fatalf("%d are invalid", len(in.Invalid()))
	}
	d := Write(in)
	if !strings.Contains(d.Mark, "density-made-up") || !strings.Contains(d.Mark, "load-made-up") {
		t.Errorf("mark %q", d.Mark)
	}
	if n := strings.Count(paperOf(t, d, "markdown"), "> **Invalid:"); n != len(d.Sections)+1 {
		t.Errorf("%d marks in %d sections", n, len(d.Sections))
	}
	if tex := paperOf(t, d, "latex"); !strings.Contains(tex, "\\fancyhead[C]{\\textbf{Invalid:") || !strings.Contains(tex, "\\thispagestyle{fancy}") {
		t.Error("LaTeX has no mark in the head of its pages")
	}
	if page := paperOf(t, d, "html"); !strings.Contains(page, "class=\"mark\" role=\"alert\">Invalid:") || !strings.Contains(page, "@top-center { content: \"Invalid: density\\00002dmade\\00002dup and load") {
		t.Error("HTML has no mark")
	}
	for _, e := range in.all() {
		e.Summary.Validity.Verdict = results.Pass
	}
	if d := Write(in); d.Mark != "" || strings.Contains(paperOf(t, d, "markdown"), "> **") {
		t.Errorf("valid runs have the mark %q", d.Mark)
	}
}

// TestSeveralRuns compares densities and names the best one among those that passed.
func TestSeveralRuns(t *testing.T) {
	few := dense(1)
	few.pods, few.hollow = few.pods[:150*3], few.hollow[:150]
	in := Input{Density: []*Experiment{dense(1).read(t), few.read(t)}, Load: []*Experiment{agreeing(1).read(t), agreeing(1.2).read(t)}, Seed: 3}
	in.Density[0].Summary.Verdict, in.Density[1].Summary.Verdict = results.Fail, results.Pass
	text := paperOf(t, Write(in), "markdown")
	for _, say := range []string{"density 1", "load 2", "Table 4", "Figure 10", "every run kept all objectives that its profile requires is 15."} {
		if !strings.Contains(text, say) {
			t.Errorf("it does not say %q", say)
		}
	}
	for _, verdicts := range [][2]results.Verdict{{results.Fail, results.NoData}, {results.Invalid, results.Fail}} {
		in.Density[0].Summary.Verdict, in.Density[1].Summary.Verdict = verdicts[0], verdicts[1]
		if text := paperOf(t, Write(in), "markdown"); !strings.Contains(text, "no number of pods per node at which every run passed") {
			t.Errorf("%v: it names a best density", verdicts)
		}
	}
	// Of two runs at one density, one that fails spoils it.
	in.Density = []*Experiment{dense(1).read(t), dense(1).read(t)}
	in.Density[0].Summary.Verdict, in.Density[1].Summary.Verdict = results.Pass, results.Fail
	if text := paperOf(t, Write(in), "markdown"); !strings.Contains(text, "no number of pods per node at which every run passed") {
		t.Error("a density at which a run failed is called the best")
	}
}

// TestBackwards: the question backwards is answered by a search, and only by one.
func TestBackwards(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "capacity.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for text, say := range map[string]string{
		`{"id":"s","profile":"density","axis":"podsPerNode","unit":"pods/node","finished":true,"answer":{"inside":40,"confirmed":true,"passed":5,"runs":5,"bound":0.549,"confidence":0.95,"outside":50,"outsidePassed":0,"outsideRuns":3}}`: "the largest podsPerNode inside the objectives is 40 pods/node: 5 of 5 runs passed, so that with 95 % confidence at least 55 % of runs at it do. The first level outside is 50 pods/node, where 0 of 3 runs passed.\n",
		`{"axis":"rate","unit":"1/s","answer":{"inside":1600,"confirmed":false}}`:         "the largest rate that passed is 1600 1/s; fresh runs have not confirmed it. No level outside was met, so that the system may carry more. The search did not come to its end.",
		`{"axis":"rate","finished":true,"answer":{"outside":20,"outsideUndecided":true}}`: "no rate was shown to be inside the objectives. The next level, 20, gave no verdict.",
	} {
		write(text)
		c, err := ReadCapacity(dir)
		if err != nil {
			t.Fatal(err)
		}
		in := pair(t, 1)
		in.Capacity = []Capacity{c}
		if got := paperOf(t, Write(in), "markdown"); !strings.Contains(got, say) {
			t.Errorf("it does not say %q", say)
		}
	}
	for _, text := range []string{"{", `{"axis":"rate"}`, `{"answer":{}}`} {
		write(text)
		if _, err := ReadCapacity(dir); err == nil {
			t.Errorf("%s was read", text)
		}
	}
	if _, err := ReadCapacity(t.TempDir()); err == nil {
		t.Error("nothing was read")
	}
	if got := paperOf(t, Write(pair(t, 1)), "markdown"); !strings.Contains(got, "These runs do not answer that.") {
		t.Error("without a search it does not say that there is no answer")
	}
}

// TestCommand: the command line of a run without what is only its machine's.
func TestCommand(t *testing.T) {
	for want, argv := range map[string][]string{
		"bin/windtunnel run density --seed 5":                              {"/opt/windtunnel", "run", "density", "-o", "json"},
		"bin/windtunnel run -f 'my profile.yaml' --seed 7":                 {"windtunnel", "run", "-f", "/home/x/my profile.yaml", "--seed", "7", "--results", "/data"},
		"bin/windtunnel run d --set 'a=it'\\''s' --output-file x --seed=8": {"w", "run", "d", "--set", "a=it's", "--output-file", "x", "--seed=8"},
		"bin/windtunnel run made-up --seed 5":                              nil,
	} {
		e := &Experiment{Run: results.Run{Name: "made-up", Seed: 5, Command: argv}}
		if got := e.command(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"0": number(0), "1.00": number(1), "0.0123": number(0.0123), "12.3": number(12.34), "1235": number(1234.6), "30": short(30), "3.83": short(3.834),
		"3000": short(3000), "99.99 %": percent(0.999999), "100.00 %": percent(1), "(0, 50]": render.Bucket(&results.Bounds{Low: new(float64), High: pointer(0.05)}),
		"(60000, ∞]": render.Bucket(&results.Bounds{Low: pointer(60)}), "a, b and c": listing([]string{"a", "b", "c"}), "aa": letter(26), "deployments/scale": withoutGroup("deployments.apps/scale"),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func pointer(v float64) *float64 { return &v }

// TestUnknownFormat names those that there are.
func TestUnknownFormat(t *testing.T) {
	if _, err := Render(Document{}, "word"); err == nil || !strings.Contains(err.Error(), fmt.Sprint(Formats())) {
		t.Errorf("%v", err)
	}
}

// TestRead names what is wrong with a directory.
func TestRead(t *testing.T) {
	h := newHistory("broken")
	d := h.write(t)
	if err := os.WriteFile(d.Path(results.RunFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(d); err == nil || !strings.Contains(err.Error(), "run.json") {
		t.Errorf("%v", err)
	}
	// A damaged file of records is no error: the summary names it and the paper says so.
	h = agreeing(1)
	d = h.write(t)
	data, err := os.ReadFile(d.Path(results.RequestsFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.Path(results.RequestsFile), data[:len(data)-len(data)/10], 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := Read(d)
	if err != nil {
		t.Fatal(err)
	}
	if text := paperOf(t, Write(Input{Load: []*Experiment{e}}), "markdown"); !strings.Contains(text, ", damaged: ") || !bytes.Contains([]byte(text), []byte("requests.arrows")) {
		t.Error("the paper does not name the damage")
	}
}
