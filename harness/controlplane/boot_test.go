package controlplane_test

import (
	"os"
	"testing"
	"time"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/supervise"
)

func TestBoot(t *testing.T) {
	sup, err := supervise.Start(t.Context(), supervise.Options{Executable: os.Args[0], Args: []string{"-test.run=^$"}, Env: []string{asSupervisor + "=1"}})
	if err != nil {
		t.Fatal(err)
	}
	dir := "/tmp/cplogs"
	os.RemoveAll(dir)
	begin := time.Now()
	c, err := controlplane.Boot(t.Context(), sup, controlplane.Options{KubeBinary: "/tmp/c-kube/windtunnel-kube", LogDir: dir, Progress: func(s string) { t.Log(time.Since(begin), s) }})
	t.Log(err, time.Since(begin))
	if err == nil {
		for _, k := range c.Components() {
			t.Log(k)
		}
	}
	begin = time.Now()
	if c != nil {
		t.Log(c.Stop(t.Context()))
	}
	t.Log("stop", time.Since(begin))
	t.Log(sup.Close(t.Context()), time.Since(begin))
}
