package kind

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/kind/pkg/log"
)

func TestMessagesOfARuntimeLog(t *testing.T) {
	text := strings.Join([]string{
		"2026-01-02T03:04:04.9Z stderr F before",
		"2026-01-02T03:04:05.1Z stderr F one",
		"2026-01-02T03:04:05.2Z stdout P two, ",
		"2026-01-02T03:04:05.3Z stdout F which goes on",
		"2026-01-02T03:04:05.4Z stdout F ",
		"no log line",
	}, "\n")
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if got := string(messages([]byte(text), since)); got != "one\ntwo, which goes on\n\n" {
		t.Errorf("%q", got)
	}
	if got := string(messages([]byte(text), time.Time{})); !strings.HasPrefix(got, "before\none\n") {
		t.Errorf("%q", got)
	}
}

func TestStagesAreWhatKindTellsUsers(t *testing.T) {
	var out bytes.Buffer
	var stages []string
	l := &logger{out: &out, stage: func(s string) { stages = append(stages, s) }}
	l.V(0).Info(" • Starting control-plane 🕹️  ...\n")
	l.V(0).Infof(" %s ", "✓")
	l.V(2).Info("detail")
	l.V(verbosity + 1).Info("chatter")
	l.Warn("careful")
	if len(stages) != 1 || stages[0] != "Starting control-plane" {
		t.Errorf("stages %q", stages)
	}
	if got := out.String(); !strings.Contains(got, "detail\n") || strings.Contains(got, "chatter") || !strings.Contains(got, "warning: careful\n") {
		t.Errorf("%s", got)
	}
	if l.V(log.Level(verbosity + 1)).Enabled() {
		t.Error("a level is enabled that is not written")
	}
}

func TestContentTag(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program")
	tags := map[string]bool{}
	for _, text := range []string{"one", "two", "one"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		tag, err := contentTag(file)
		if err != nil || len(tag) != 12 {
			t.Fatalf("%q %v", tag, err)
		}
		tags[tag] = true
	}
	if len(tags) != 2 {
		t.Errorf("%v", tags)
	}
	if _, err := contentTag(file + "x"); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestEngines(t *testing.T) {
	t.Setenv(ProviderVariable, "dokcer")
	if _, err := FindEngine(t.Context()); err == nil || !strings.Contains(err.Error(), "kind knows docker, podman and nerdctl") {
		t.Errorf("%v", err)
	}
	t.Setenv(ProviderVariable, "")
	t.Setenv("PATH", t.TempDir())
	_, err := FindEngine(t.Context())
	for _, want := range []string{"docker is not installed", "nerdctl is not installed", "podman is not installed", ".ci/docker start"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

// TestImageNames: an image that Podman keeps below localhost/ is named so to kind; what it does not keep there, and Docker's, keeps its name.
func TestImageNames(t *testing.T) {
	bin := t.TempDir()
	const engine = "#!/bin/sh\ncase \"$*\" in *' localhost/windtunnel/node') echo sha256:1 ;; *) exit 125 ;; esac\n" // has this one image
	for _, name := range []string{"docker", "podman"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(engine), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for image, want := range map[string]string{
		"kindest/node:v1.36.3": "docker.io/kindest/node:v1.36.3", "quay.io/a/node": "quay.io/a/node", "host:5000/node": "host:5000/node", "localhost/node": "localhost/node",
	} {
		if got := (Engine{"podman"}).pullName(image); got != want {
			t.Errorf("%s is fetched as %s, want %s", image, got, want)
		}
	}
	for _, c := range []struct{ engine, image, want string }{
		{"podman", "windtunnel/node", "localhost/windtunnel/node"},
		{"podman", "kindest/node:v1.36.3", "kindest/node:v1.36.3"},
		{"docker", "windtunnel/node", "windtunnel/node"},
	} {
		if got := (Engine{c.engine}).localName(t.Context(), c.image); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.engine, c.image, got, c.want)
		}
	}
}
