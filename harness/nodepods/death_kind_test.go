package nodepods_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"windtunnel/harness/nodepods"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
	"windtunnel/results"
)

// TestAMissingImageOnKind: the start fails at once, with the pod and the kubelet's reason, and leaves nothing.
func TestAMissingImageOnKind(t *testing.T) {
	config, client := onKind(t)
	before := everything(t, config, client)
	o := options(profiles.HollowNodes{Count: 2}, "r1")
	o.Image = "windtunnel/there-is-none:of-this"
	_, err := nodepods.Start(t.Context(), config, o)
	var failure *supervise.ComponentError
	if !errors.As(err, &failure) || failure.Name != "hollow-nodes-0" || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"its container cannot start", "there-is-none"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	nothingLeft(t, config, client, before)
}

// TestAPodThatDiesOnKind: a process that ends in the run is told of once, what was seen before is kept, and everything can be removed.
func TestAPodThatDiesOnKind(t *testing.T) {
	config, client := onKind(t)
	before := everything(t, config, client)
	dir := t.TempDir()
	o := options(profiles.HollowNodes{Count: 2}, "r1")
	o.Image, o.SamplesDir, o.LogDir = testImage, dir, dir
	failed, notes := make(chan error, 2), make(chan string, 16)
	o.Failed = func(err error) { failed <- err }
	o.Note = func(text string) { notes <- text }
	p, err := nodepods.Start(t.Context(), config, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(context.Background()) })
	deploy(t, client, 4)
	first := filepath.Join(dir, "hollow-0.arrows")
	eventually(t, "the starts are in the file", func() bool { return countStarts(first) == 4 })
	if err := syscall.Kill(p.Components()[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		var failure *supervise.ComponentError
		if !errors.As(err, &failure) || failure.Name != "hollow-nodes-0" || !strings.Contains(err.Error(), "ended with code 137") {
			t.Errorf("%v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("nobody was told")
	}
	if note := <-notes; !strings.Contains(note, "hollow-nodes-0") || !strings.Contains(note, "broke off") {
		t.Errorf("note %q", note)
	}
	if n := countStarts(first); n != 4 {
		t.Errorf("%d starts are left", n)
	}
	undeploy(t, client) // the kubelet has started the pod's container again, and its nodes have come back
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(failed) != 0 {
		t.Errorf("told of again: %v", <-failed)
	}
	for _, err := range results.Read[results.PodEvent](filepath.Join(dir, "hollow-0.1.arrows")) {
		if err != nil {
			t.Error(err)
		}
	}
	nothingLeft(t, config, client, before)
}

func countStarts(file string) (n int) {
	for e, err := range results.Read[results.PodEvent](file) {
		if err == nil && e.Event == "started" {
			n++
		}
	}
	return n
}
