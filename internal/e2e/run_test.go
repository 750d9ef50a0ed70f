package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"windtunnel/results"
)

// TestSmoke is the shortest whole run: a verdict, every record, and the host as it was.
func TestSmoke(t *testing.T) {
	before := host(t)
	w := windtunnel(t, "run", "smoke", "-o", "json", "--set", patient).run(0)
	if after := host(t); after != before {
		t.Errorf("the host changed:\nbefore:\n%s\nafter:\n%s", before, after)
	}
	var summary results.Summary
	if err := json.Unmarshal(w.stdout.Bytes(), &summary); err != nil {
		t.Fatalf("stdout is not summary.json: %v\n%s", err, &w.stdout)
	}
	if summary.Verdict != results.Pass || summary.Validity.Verdict != results.Pass {
		t.Errorf("verdict %q, validity %q", summary.Verdict, summary.Validity.Verdict)
	}
	if want := kubernetesVersion(t); summary.Run.Versions["kubernetes"] != want {
		t.Errorf("the API server says it is %q; go.mod requires %q", summary.Run.Versions["kubernetes"], want)
	}
	for _, file := range []string{"run.json", "summary.json", "junit.xml", results.RequestsFile, results.PodsFile, results.NodesFile,
		results.ProcessesFile, results.ScrapesFile, results.MetricsFile, results.HollowFile(0), "logs/kube-apiserver.log", "logs/etcd.log"} {
		if info, err := os.Stat(filepath.Join(w.dir(), file)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing or empty (%v)", file, err)
		}
	}
	noSecrets(t, w.dir())

	// The same answer comes from the records alone.
	again := windtunnel(t, "report", w.dir(), "-o", "json").run(0)
	if again.stdout.String() != w.stdout.String() {
		t.Error("windtunnel report gives another summary than the run gave")
	}
}

// noSecrets looks for private keys and bearer tokens in everything that a run leaves.
func noSecrets(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, secret := range []string{"PRIVATE KEY", "eyJhbGciOi"} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s contains %q", path, secret)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// host is what a run must leave as it was.
func host(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"/proc/self/mounts", "/proc/net/ip_tables_names", "/proc/net/route", "/proc/sys/net/ipv4/ip_forward",
		"/proc/sys/net/ipv4/conf/all/route_localnet", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/panic",
		"/proc/sys/kernel/panic_on_oops", "/proc/sys/fs/inotify/max_user_instances", "/proc/sys/fs/file-max"} {
		data, err := os.ReadFile(path)
		all.WriteString(path + "\n" + string(data))
		if err != nil && !os.IsNotExist(err) && !os.IsPermission(err) {
			t.Fatal(err)
		}
	}
	if rules, err := exec.Command("iptables-save").Output(); err == nil {
		for _, line := range strings.Split(string(rules), "\n") {
			if !strings.HasPrefix(line, "#") { // comments carry the time
				all.WriteString(line + "\n")
			}
		}
	}
	return all.String()
}

func kubernetesVersion(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestAsAnotherUser: no root is needed.
func TestAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("this test is root already being another user")
	}
	const nobody = 65534
	w := windtunnel(t, "run", "smoke", "--set", patient, "--set", unjudged)
	for dir := range map[string]bool{w.root: true, w.tmp: true, w.cmd.Dir: true} {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		for parent := filepath.Dir(dir); parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
			if err := os.Chmod(parent, 0o755); err != nil { // the testing package's own directories are for their owner alone
				t.Fatal(err)
			}
		}
	}
	w.cmd.Env = append(w.cmd.Env, "HOME="+w.tmp)
	w.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	w.run(0)
}

// TestSamePlan: the same seed plans the same, byte for byte, and another seed something else.
func TestSamePlan(t *testing.T) {
	t.Parallel()
	plan := func(seed string) string {
		return windtunnel(t, "plan", "density", "--seed", seed, "-o", "json").run(0).stdout.String()
	}
	first, again, other := plan("7"), plan("7"), plan("8")
	if first != again {
		t.Error("two plans of one seed differ")
	}
	if strings.ReplaceAll(first, `"seed": 7`, `"seed": 8`) == other {
		t.Error("the seed changes nothing but itself")
	}
}
