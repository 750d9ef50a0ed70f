package results

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"windtunnel/results/internal/schemagen"
)

// update makes the tests write what they would compare: go test ./results -update
var update = flag.Bool("update", false, "write the generated parts of README.md and docs/summary.schema.json")

const (
	readmeFile = "README.md"
	schemaFile = "../docs/summary.schema.json"
	tableBegin = "<!-- begin of the generated tables -->\n"
	tableEnd   = "<!-- end of the generated tables -->"
)

// TestReadmeTables holds the column tables of README.md to the schemas in the code.
func TestReadmeTables(t *testing.T) {
	readme, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(readme), tableBegin)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the tables", readmeFile)
	}
	want := before + tableBegin + tables() + tableEnd + after
	stale(t, readmeFile, readme, []byte(want))
}

func tables() string {
	var b strings.Builder
	describe(&b, "`"+RequestsFile+"`: one request that the harness sent, or was to send", columnsOf[Request]())
	describe(&b, "`"+ObjectsFile+"`: one transition of an object that a measurement of a script follows", columnsOf[ObjectEvent]())
	describe(&b, "`"+WatchesFile+"`: one event that a watcher of a watch step received", columnsOf[WatchEvent]())
	describe(&b, "`"+PodsFile+"` and `samples/hollow-<n>.arrows`: one transition in a pod's life", columnsOf[PodEvent]())
	describe(&b, "`"+NodesFile+"`: one transition of a node", columnsOf[NodeEvent]())
	describe(&b, "`"+ProcessesFile+"`: one look at one process", columnsOf[ProcessSample]())
	describe(&b, "`"+ScrapesFile+"`: one answer of a component's /metrics", columnsOf[Scrape]())
	describe(&b, "`"+MetricsFile+"`: one value of a chosen metric of a component", columnsOf[Metric]())
	return b.String()
}

func describe[T Record](b *strings.Builder, title string, columns []column[T]) {
	fmt.Fprintf(b, "\n### %s (`%s`)\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |\n", title, recordName[T]())
	for _, c := range columns {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", c.name, c.typ, c.unit, c.doc)
	}
	b.WriteString("\n")
}

// TestSummarySchema holds docs/summary.schema.json to the types.
func TestSummarySchema(t *testing.T) {
	docs, err := schemagen.ReadDocs("summary.go", "serverside.go", "others.go", "run.go")
	if err != nil {
		t.Fatal(err)
	}
	want, err := schemagen.Generate(reflect.TypeFor[Summary](), schemagen.Options{
		Title: "Summary of a windtunnel run (summary.json)", Docs: docs,
		Enums: map[string][]string{"Verdict": {string(Pass), string(Fail), string(NoData), string(Invalid), string(NotJudged)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(schemaFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	stale(t, schemaFile, have, want)
}

// stale compares a generated file, or writes it.
func stale(t *testing.T, file string, have, want []byte) {
	t.Helper()
	if bytes.Equal(have, want) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the code says; run go test ./results -update", file)
	}
	if err := os.WriteFile(file, want, 0o644); err != nil {
		t.Fatal(err)
	}
}
