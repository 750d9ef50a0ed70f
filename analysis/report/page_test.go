package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"windtunnel/results"
)

// parsed makes the page of a run and reads it as a browser does.
func parsed(t *testing.T, d *results.Dir) *html.Node {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, study(t, d)); err != nil {
		t.Fatal(err)
	}
	page, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// all are the elements of a name below a node.
func all(n *html.Node, name string) []*html.Node {
	var found []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == name {
			found = append(found, d)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// TestEveryChartHasATable: who does not see a picture gets its words and its numbers.
func TestEveryChartHasATable(t *testing.T) {
	page := parsed(t, recorded(t))
	figures := all(page, "figure")
	if len(figures) < 15 {
		t.Errorf("%d figures", len(figures))
	}
	ids := map[string]bool{}
	for _, f := range figures {
		name := attribute(f, "id")
		if ids[name] {
			t.Errorf("two figures are called %s", name)
		}
		ids[name] = true
		if n := len(all(f, "svg")); n != 1 {
			t.Errorf("%s has %d drawings", name, n)
		}
		for _, element := range []string{"title", "desc", "figcaption"} {
			if found := all(f, element); len(found) != 1 || strings.TrimSpace(text(found[0])) == "" {
				t.Errorf("%s has no %s", name, element)
			}
		}
		tables := all(f, "table")
		if len(tables) != 1 || len(all(tables[0], "th")) < 2 || len(all(tables[0], "tr")) < 2 {
			t.Errorf("%s has no table of its data", name)
		}
	}
}

// TestNoNetwork: nothing in the page names a place outside of it, and the policy forbids all others.
func TestNoNetwork(t *testing.T) {
	page := parsed(t, recorded(t))
	targets := map[string]bool{}
	for n := range page.Descendants() {
		if id := attribute(n, "id"); id != "" {
			targets["#"+id] = true
		}
	}
	for n := range page.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"link", "img", "iframe", "object", "embed", "base", "form", "video", "audio", "use", "image"}, n.Data) {
			t.Errorf("the page has an element %s", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "src" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
			case a.Key == "href" && !targets[a.Val]:
				t.Errorf("%s leads to %q", n.Data, a.Val)
			case strings.Contains(a.Val, "//") && a.Key != "xmlns":
				t.Errorf("%s has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
	for _, style := range all(page, "style") {
		if s := text(style); strings.Contains(s, "url(") || strings.Contains(s, "@import") {
			t.Error("the style sheet loads something")
		}
	}
}

// TestPolicy: the one script is the one that the policy allows.
func TestPolicy(t *testing.T) {
	page := parsed(t, recorded(t))
	scripts := all(page, "script")
	if len(scripts) != 1 {
		t.Fatalf("%d scripts: %v", len(scripts), text(page))
	}
	sum := sha256.Sum256([]byte(text(scripts[0])))
	policy := ""
	for _, m := range all(page, "meta") {
		if attribute(m, "http-equiv") == "Content-Security-Policy" {
			policy = attribute(m, "content")
		}
	}
	for _, rule := range []string{"default-src 'none'", "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"} {
		if !strings.Contains(policy, rule) {
			t.Errorf("the policy %q has no %s", policy, rule)
		}
	}
}

// TestEscaped: names of a run are shown as they are and never become markup.
func TestEscaped(t *testing.T) {
	page := parsed(t, recorded(t))
	if n := strings.Count(text(page), hostile); n < 4 {
		t.Errorf("the hostile name is shown %d times", n)
	}
	if n := len(all(page, "img")); n != 0 {
		t.Errorf("%d images came out of a name", n)
	}
}

// TestWhatThePageSays: the parts that a reader looks for are there, and the command can be used as it stands.
func TestWhatThePageSays(t *testing.T) {
	page := parsed(t, recorded(t))
	var ids []string
	for _, s := range all(page, "section") {
		ids = append(ids, attribute(s, "id"))
	}
	// The run is invalid: why comes first.
	want := []string{"validity", "objectives", "startup", "latency", "traffic", "components", "fairness", "etcd", "queues", "timeline", "slowest", "notes", "again", "limits"}
	if !slices.Equal(ids, want) {
		t.Errorf("sections %v", ids)
	}
	words := text(page)
	for _, part := range []string{"INVALID", `windtunnel run -f 'it'\''s.yaml'`, "windtunnel run -f test.yaml --seed 7", "conflict", "Nothing is pulled", "--name="} {
		if !strings.Contains(words, part) {
			t.Errorf("the page does not say %q", part)
		}
	}
	if strings.Contains(words, "/somewhere") {
		t.Error("the page names a path of the machine")
	}
}

// TestWithoutSight: every table has a caption and names its rows, and no verdict is said by a sign alone.
func TestWithoutSight(t *testing.T) {
	page := parsed(t, recorded(t))
	for _, table := range all(page, "table") {
		captions := all(table, "caption")
		if len(captions) != 1 || text(captions[0]) == "" {
			t.Fatalf("a table has %d captions: %.100s", len(captions), text(table))
		}
		for _, body := range all(table, "tbody") {
			for _, row := range all(body, "tr") {
				if n := len(all(row, "th")); n != 1 {
					t.Errorf("%s: a row has %d names: %s", text(captions[0]), n, text(row))
				}
			}
		}
	}
	for n := range page.Descendants() {
		if attribute(n, "aria-hidden") != "true" {
			continue
		}
		if words := text(n.Parent); !strings.Contains(strings.ToLower(words), "pass") && !strings.Contains(strings.ToLower(words), "fail") && !strings.Contains(strings.ToLower(words), "no data") && !strings.Contains(strings.ToLower(words), "invalid") {
			t.Errorf("a sign stands without its word in %q", words)
		}
	}
}

// TestEvents: the timeline names the events of a run with their instants, and the notes say them once.
func TestEvents(t *testing.T) {
	s := study(t, recorded(t))
	if all := events(s); len(all) != 2 || all[0].Text != "etcd ended" || all[0].At != 29*sec || all[1].At != 34*sec {
		t.Errorf("events of a run that noted none: %+v", all)
	}
	s.Run.Events = []results.Event{{At: 29 * sec, Text: "fault: 2 nodes go down: [a b]"}}
	s.Summary.Notes = []string{"fault: 2 nodes go down: [a b]"}
	rows := timelineCharts(s)[0].Table().Rows
	for _, want := range [][]string{{"events", "fault: 2 nodes go down", "29", "29"}, {"nodes NotReady", "up to 1", "40", "60"}} {
		if !slices.ContainsFunc(rows, func(row []string) bool { return slices.Equal(row, want) }) {
			t.Errorf("the timeline has no %q: %q", want, rows)
		}
	}
	if notes := noteBlocks(s); len(notes[0].List) != 1 || notes[0].List[0].Term != "at 0:29" {
		t.Errorf("notes %+v", notes)
	}
}

// TestBorneOut: the sentence claims no more than the intervals do.
func TestBorneOut(t *testing.T) {
	row := func(low float64) results.SLOResult {
		share, margin := 0.995, 0.005
		return results.SLOResult{Expression: "x", Required: true, Verdict: results.Pass, Measured: &share, Margin: &margin, Interval: []float64{low, 1}}
	}
	s := results.Summary{Verdict: results.Pass, SLOs: []results.SLOResult{row(0.991), row(0.98)}}
	if got, want := sentence(s), "The run can be trusted, and all 2 required objectives hold; 1 is shown by the interval, 1 is not: x."; got != want {
		t.Error(got)
	}
	s.SLOs = s.SLOs[:1]
	if got := sentence(s); !strings.HasSuffix(got, "hold, each shown by its interval.") {
		t.Error(got)
	}
}

// TestEmptyRun: a run that recorded nothing has a page that says so.
func TestEmptyRun(t *testing.T) {
	d, err := results.Create(t.TempDir(), "empty", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteRun(results.Run{Format: results.FormatVersion, ID: d.ID(), Outcome: "failed", Profile: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if err := Files(d, study(t, d)); err != nil {
		t.Fatal(err)
	}
	if words := text(parsed(t, d)); !strings.Contains(words, "INVALID") || !strings.Contains(words, "samples/requests.arrows: missing") {
		t.Errorf("the page of an empty run: %s", words)
	}
}

// TestFiles: the page and two files of every chart are there, those of an earlier report are not, and the page has the same
// bytes every time. That charts have is held in analysis/chart.
func TestFiles(t *testing.T) {
	d := recorded(t)
	s := study(t, d)
	if err := os.MkdirAll(d.Path(Folder), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old.svg", "mine.txt"} {
		if err := os.WriteFile(d.Path(Folder, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Files(d, s); err != nil {
		t.Fatal(err)
	}
	there := func(name string) bool {
		_, err := os.Stat(d.Path(name))
		return err == nil
	}
	if there(Folder+"/old.svg") || !there(Folder+"/mine.txt") {
		t.Error("a chart of an earlier report is still there, or a file that is no chart is gone")
	}
	for _, c := range Charts(s) {
		for _, ext := range []string{".svg", ".png"} {
			if name := Folder + "/" + c.Name + ext; !there(name) {
				t.Errorf("there is no %s", name)
			}
		}
	}
	first, err := os.ReadFile(d.Path(File))
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := HTML(&second, study(t, d)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second.Bytes()) {
		t.Error("the page is not the same the second time")
	}
}

// TestFileThatCannotBeWritten: the error names it, and the others are written.
func TestFileThatCannotBeWritten(t *testing.T) {
	d := recorded(t)
	if err := os.MkdirAll(d.Path(Folder, "cpu.png", "x"), 0o755); err != nil { // in the place of a chart
		t.Fatal(err)
	}
	if err := Files(d, study(t, d)); err == nil || !strings.Contains(err.Error(), "cpu.png") {
		t.Errorf("error %v", err)
	}
	for _, name := range []string{File, Folder + "/cpu.svg", Folder + "/traffic.png"} {
		if _, err := os.Stat(d.Path(name)); err != nil {
			t.Error(err)
		}
	}
}
