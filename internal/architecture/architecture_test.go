// Package architecture holds the rules of docs/design.md that a compiler does not: which package may import which, that
// the system under test keeps the versions that Kubernetes chose, and that only the command line touches the process.
package architecture

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const module = "windtunnel"

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// own lists the packages of this module with everything they depend on.
func own(t *testing.T) []pkg {
	t.Helper()
	var packages []pkg
	decoder := json.NewDecoder(bytes.NewReader(command(t, "go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Deps", module+"/...")))
	for {
		var p pkg
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 10 {
		t.Fatalf("go list named only %d packages of this module", len(packages))
	}
	return packages
}

func command(t *testing.T, argv ...string) []byte {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, &stderr)
	}
	return out
}

func under(path string, rooms ...string) bool {
	for _, room := range rooms {
		if path == module+"/"+room || strings.HasPrefix(path, module+"/"+room+"/") {
			return true
		}
	}
	return false
}

// TestPureRooms: what judges a run must build and test without a cluster.
func TestPureRooms(t *testing.T) {
	for _, p := range own(t) {
		if !under(p.ImportPath, "analysis", "profiles", "results") {
			continue
		}
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, "k8s.io/") {
				t.Errorf("%s depends on %s: analysis, profiles and results import no cluster package", p.ImportPath, dep)
				break
			}
		}
	}
}

// TestOnlyTheTunnelLinksKubernetes: the instrument stays light.
func TestOnlyTheTunnelLinksKubernetes(t *testing.T) {
	for _, p := range own(t) {
		if under(p.ImportPath, "cmd/windtunnel-kube", "internal/kube", "hollow/kubelet", "hollow/proxy", "hollow/shard") {
			continue
		}
		for _, dep := range p.Deps {
			if dep == "k8s.io/kubernetes" || strings.HasPrefix(dep, "k8s.io/kubernetes/") || strings.HasPrefix(dep, "go.etcd.io/etcd/server") {
				t.Errorf("%s links %s: only what is behind cmd/windtunnel-kube may", p.ImportPath, dep)
				break
			}
		}
	}
}

// TestImportsGoOneWay: cli → harness → {hollow, profiles, manifests, results}, cli → analysis → {results, profiles}.
func TestImportsGoOneWay(t *testing.T) {
	allowed := map[string][]string{
		"profiles":  {"profiles"},
		"results":   {"results"},
		"analysis":  {"analysis", "results", "profiles"},
		"hollow":    {"hollow", "results", "profiles"},
		"manifests": {"manifests"},
		"harness":   {"harness", "hollow", "profiles", "manifests", "results"},
	}
	for _, p := range own(t) {
		for room, may := range allowed {
			if !under(p.ImportPath, room) {
				continue
			}
			for _, imp := range p.Imports {
				if !strings.HasPrefix(imp, module+"/") || under(imp, may...) {
					continue
				}
				t.Errorf("%s imports %s: %s may import only %v", p.ImportPath, imp, room, may)
			}
		}
	}
}

// TestOnlyTheCommandLineTouchesTheProcess: flags, standard streams and exit codes live in internal/cli (and in the command
// tree of windtunnel-kube, internal/kube).
func TestOnlyTheCommandLineTouchesTheProcess(t *testing.T) {
	forbidden := map[string]bool{"os.Exit": true, "os.Stdout": true, "os.Stderr": true, "os.Stdin": true, "os.Args": true,
		"fmt.Print": true, "fmt.Printf": true, "fmt.Println": true, "log.Fatal": true, "log.Fatalf": true}
	for _, p := range own(t) {
		if under(p.ImportPath, "internal/cli", "internal/kube", "cmd", testSupport) || strings.Contains(p.ImportPath, "/internal/gen") {
			continue
		}
		eachFile(t, p, func(fset *token.FileSet, file *ast.File) {
			ast.Inspect(file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && x.Obj == nil && forbidden[x.Name+"."+sel.Sel.Name] {
						t.Errorf("%s: %s.%s belongs to internal/cli", fset.Position(n.Pos()), x.Name, sel.Sel.Name)
					}
				}
				return true
			})
		})
	}
}

// testSupport re-executes test binaries as supervisors; it is no part of the product.
const testSupport = "harness/harnesstest"

// goldenFiles compares with files, and has a flag for it; recordFiles writes run directories.
const (
	goldenFiles = "internal/golden"
	recordFiles = "results/resultstest"
)

// TestTestSupportStaysInTests: what only tests may import is imported only by tests.
func TestTestSupportStaysInTests(t *testing.T) {
	for _, p := range own(t) {
		for _, imp := range p.Imports {
			if under(imp, testSupport, goldenFiles, recordFiles) && !strings.Contains(p.ImportPath, "/internal/live") {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

// TestNoInit: nothing happens at import time.
func TestNoInit(t *testing.T) {
	for _, p := range own(t) {
		eachFile(t, p, func(fset *token.FileSet, file *ast.File) {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					t.Errorf("%s: init()", fset.Position(d.Pos()))
				}
			}
		})
	}
}

func eachFile(t *testing.T, p pkg, do func(*token.FileSet, *ast.File)) {
	t.Helper()
	for _, name := range p.GoFiles {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		do(fset, file)
	}
}

// TestKubernetesKeepsItsVersions: every module that Kubernetes' own go.mod requires is built here in the very version that
// it requires, so that no library of the system under test is changed by our choice.
func TestKubernetesKeepsItsVersions(t *testing.T) {
	var kubernetes struct{ Version, GoMod string }
	if err := json.Unmarshal(command(t, "go", "list", "-m", "-json", "k8s.io/kubernetes"), &kubernetes); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(kubernetes.GoMod)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := modfile.ParseLax(kubernetes.GoMod, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]string{}
	for _, line := range strings.Split(string(command(t, "go", "list", "-m", "-f", "{{.Path}} {{with .Replace}}{{.Version}}{{else}}{{.Version}}{{end}}", "all")), "\n") {
		if path, version, ok := strings.Cut(line, " "); ok {
			ours[path] = version
		}
	}
	staging := "v0." + strings.TrimPrefix(kubernetes.Version, "v1.")
	compared := 0
	for _, require := range theirs.Require {
		want := require.Mod.Version
		if want == "v0.0.0" { // a staging module, published as v0.x.y beside Kubernetes v1.x.y
			want = staging
		}
		if have, ok := ours[require.Mod.Path]; ok {
			compared++
			if have != want {
				t.Errorf("%s is built in %s, Kubernetes %s requires %s", require.Mod.Path, have, kubernetes.Version, want)
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d modules were compared; Kubernetes requires %d", compared, len(theirs.Require))
	}
	if t.Failed() {
		t.Log("pin them by a replace directive in go.mod")
	}
}
