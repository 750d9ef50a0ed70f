package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"windtunnel/internal/golden"
)

// documentBlock is a fenced block of a document behind a comment that says what the block is: a file, or commands to run.
var documentBlock = regexp.MustCompile("(?s)<!-- (file: ([^ ]+)|run) -->\n```[a-z]+\n(.*?)```\n")

// TestDocuments carries out pages of docs: it writes the files that a page shows and runs its commands in order.
func TestDocuments(t *testing.T) {
	for name, commands := range map[string]int{"stages.md": 3, "usage.md": 1} {
		t.Run(name, func(t *testing.T) { carryOut(t, name, commands) })
	}
}

// carryOut carries out a page with at least so many commands.
func carryOut(t *testing.T, name string, commands int) {
	t.Helper()
	page, err := filepath.Abs(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	ran := 0
	got := documentBlock.ReplaceAllStringFunc(string(text), func(block string) string {
		parts := documentBlock.FindStringSubmatch(block)
		if file := parts[2]; file != "" {
			layOut(t, file, parts[3])
			return block
		}
		var out strings.Builder
		for line := range strings.Lines(parts[3]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				ran++
				out.WriteString(line + printed(t, strings.Fields(command)))
			}
		}
		return strings.Replace(block, parts[3], out.String(), 1)
	})
	if ran < commands {
		t.Errorf("only %d commands of the page were run", ran)
	}
	golden.Check(t, page, got)
}

func layOut(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// printed is what a command prints on both streams; it must succeed.
func printed(t *testing.T, args []string) string {
	t.Helper()
	code, out, said := invoke(args[1:]...)
	if code != codePass {
		t.Errorf("%s: exit code %d\n%s", strings.Join(args, " "), code, said)
	}
	return said + out
}

// TestStagesVerbs: what the verbs say when something is wrong, and their exit codes.
func TestStagesVerbs(t *testing.T) {
	t.Chdir(t.TempDir())
	layOut(t, "pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n")
	layOut(t, "bad.yaml", "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: x}\nspec: {resourceRef: {kind: Pod}, selector: {}, net: {}}\n")
	layOut(t, "idle.yaml", "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: x}\nspec: {resourceRef: {kind: Pod}, selector: {}}\n")
	layOut(t, "twice.yaml", "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: x}\nspec: {resourceRef: {kind: Pod}, selector: {}, next: {delete: true}}\n---\n"+
		"apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: x}\nspec: {resourceRef: {kind: Pod}, selector: {}, next: {delete: true}}\n")
	layOut(t, "testdata/a.input.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n---\napiVersion: windtunnel/v1alpha1\nkind: Walk\nstages: [../idle.yaml]\n")
	layOut(t, "testdata/a.output.yaml", "end: otherwise\n")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"stages list", codePass, "pod-crash-loop"},
		{"stages show pod-fast", codePass, "kind: Stage"},
		{"stages show pod-fats", codeUsage, `did you mean "pod-fast"?`},
		{"stages walk pod-fast --object pod.yaml", codePass, "stage: pod-ready"},
		{"stages walk pod-fast idle.yaml --object pod.yaml", codePass, "note: idle.yaml:4:1: spec: the stage does nothing"},
		{"stages walk pod-fats --object pod.yaml", codeUsage, `did you mean "pod-fast"?`},
		{"stages walk bad.yaml --object pod.yaml", codeUsage, `bad.yaml:4:48: spec: unknown key "net"`},
		{"stages walk pod-fast --object none.yaml", codeUsage, "none.yaml"},
		{"stages walk pod-fast", codeUsage, "--object"},
		{"validate bad.yaml", codeUsage, `did you mean "next"?`},
		{"validate idle.yaml", codePass, "idle.yaml: ok"},
		{"validate twice.yaml", codeUsage, `twice.yaml:8:18: metadata.name: there are two stages "x" for v1/Pod`},
		{"stages test testdata/a.input.yaml", codeUsage, "-end: otherwise"},
		{"stages test nowhere", codeUsage, "there is no nowhere/testdata/*.input.yaml"},
		{"stages test testdata/a.input.yaml --update", codePass, "testdata/a.output.yaml: written"},
		{"stages test .", codePass, "testdata/a.input.yaml: ok"},
	} {
		code, out, said := invoke(strings.Fields(c.args)...)
		out = said + out
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s", c.args, code, c.code, c.want, out)
		}
	}
}

// TestStagesOfAProfile: a profile's stages are read with it, from its own folder, and what is wrong with them is told with its place.
func TestStagesOfAProfile(t *testing.T) {
	smoke, err := os.ReadFile(filepath.Join("..", "..", "profiles", "smoke.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	const stage = "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: x}\nspec: {resourceRef: {kind: Pod}, selector: {}, %s}\n"
	layOut(t, "lives/good.yaml", strings.Replace(stage, "%s", "next: {delete: true}", 1))
	layOut(t, "lives/bad.yaml", strings.Replace(stage, "%s", "next: {delte: true}", 1))
	layOut(t, "lives/empty.yaml", "")
	for _, c := range []struct {
		stages string
		code   int
		want   string
	}{
		{"[{builtin: pod-fast}]", codePass, "ok"},
		{"[{file: good.yaml}]", codePass, "ok"},
		{"[{builtin: pod-fats}]", codeUsage, `hollowNodes.stages[0]: there is no built-in life cycle "pod-fats" (did you mean "pod-fast"?)`},
		{"[{builtin: node}]", codeUsage, "metadata.name: the stage node-initialise is for v1/Node, not for pods"},
		{"[{file: none.yaml}]", codeUsage, "hollowNodes.stages[0]: open lives/none.yaml"},
		{"[{file: empty.yaml}]", codeUsage, "hollowNodes.stages[0]: empty.yaml is empty"},
		{"[{builtin: pod-fast}, {file: bad.yaml}]", codeUsage, `spec.next: unknown key "delte"`},
		{"[{builtin: pod-fast}, {builtin: pod-job}]", codeUsage, `metadata.name: there are two stages "pod-delete" for v1/Pod`},
		{"[{text: 'kind: Stage'}]", codeUsage, "hollowNodes.stages[0]:1:1: metadata.name: is required"},
	} {
		layOut(t, "lives/profile.yaml", strings.Replace(string(smoke), "hollowNodes:", "hollowNodes:\n  tier: light\n  fidelity: minimal\n  stages: "+c.stages, 1))
		code, out, said := invoke("validate", "lives/profile.yaml")
		if code != c.code || !strings.Contains(out+said, c.want) {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s", c.stages, code, c.code, c.want, out+said)
		}
	}
}
