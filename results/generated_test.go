package results

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"windtunnel/internal/golden"
	"windtunnel/results/internal/schemagen"
)

const (
	readmeFile = "README.md"
	schemaFile = "../docs/summary.schema.json"
	tableBegin = "<!-- begin of the generated tables -->\n"
	tableEnd   = "<!-- end of the generated tables -->"
)

// TestReadmeTables holds the column tables of README.md to the schemas in the code.
func TestReadmeTables(t *testing.T) {
	golden.Section(t, readmeFile, tableBegin, tableEnd, tables())
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
	golden.Check(t, schemaFile, string(want))
}
