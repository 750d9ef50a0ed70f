// Package live boots a real control plane for tests of packages of the harness. A package that uses it begins its TestMain
// with
//
//	if live.IsSupervisor() {
//		supervise.Serve(context.Background(), os.Stdin, os.Stdout)
//		return
//	}
//
// because the test binary takes the part of windtunnel's supervisor as well.
package live

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"windtunnel/harness/controlplane"
	"windtunnel/harness/supervise"
	"windtunnel/profiles"
)

// supervisorEnv tells the test binary that it is to be a supervisor.
const supervisorEnv = "WINDTUNNEL_TEST_SUPERVISE"

// IsSupervisor tells whether this process is to be a supervisor rather than to run tests.
func IsSupervisor() bool { return os.Getenv(supervisorEnv) != "" }

// Cluster is a control plane of a test.
type Cluster struct {
	*controlplane.Cluster
	tb     testing.TB
	client *http.Client
}

// Boot starts a control plane, which ends with the test. WINDTUNNEL_KUBE names the windtunnel-kube executable; without it
// the test fails, so that nobody takes a skipped test for a passed one. With -short it is skipped.
func Boot(tb testing.TB) *Cluster {
	tb.Helper()
	if testing.Short() {
		tb.Skip("boots a control plane")
	}
	binary := os.Getenv("WINDTUNNEL_KUBE")
	if binary == "" {
		tb.Fatal("WINDTUNNEL_KUBE must name the windtunnel-kube executable: use make test")
	}
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	sup, err := supervise.Start(ctx, supervise.Options{Executable: self, Args: []string{"-test.run=^$"}, Env: []string{supervisorEnv + "=1"}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := sup.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	noFsync := false
	inner, err := controlplane.Boot(ctx, sup, controlplane.Options{
		Spec: profiles.ControlPlane{Etcd: profiles.Etcd{Fsync: &noFsync}}, KubeBinary: binary, LogDir: tb.TempDir(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	c := &Cluster{Cluster: inner, tb: tb}
	if c.client, err = rest.HTTPClientFor(c.Observer()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.client.CloseIdleConnections)
	return c
}

// Observer is the configuration of a client that priority and fairness exempts.
func (c *Cluster) Observer() *rest.Config {
	config, err := c.RESTConfig("windtunnel:observer", "system:masters")
	if err != nil {
		c.tb.Fatal(err)
	}
	return config
}

// User issues a certificate to a user that may do everything and passes through priority and fairness.
func (c *Cluster) User(name string) controlplane.Identity {
	id, err := c.Issue(name, controlplane.UsersGroup)
	if err != nil {
		c.tb.Fatal(err)
	}
	return id
}

// Get reads what is at a path as JSON into out and returns the status code.
func (c *Cluster) Get(path string, out any) int {
	c.tb.Helper()
	code, body := c.Do(http.MethodGet, path, "", nil)
	if code == http.StatusOK {
		if err := json.Unmarshal(body, out); err != nil {
			c.tb.Fatal(err)
		}
	}
	return code
}

// Do sends any request as the observer.
func (c *Cluster) Do(method, path, contentType string, body io.Reader) (int, []byte) {
	c.tb.Helper()
	request, err := http.NewRequest(method, c.Server()+path, body)
	if err != nil {
		c.tb.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := c.client.Do(request)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		c.tb.Fatal(err)
	}
	return response.StatusCode, data
}
