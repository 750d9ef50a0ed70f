// Package live is what tests of the harness ask a control plane for, as somebody beside the code under test.
package live

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"k8s.io/client-go/rest"

	"windtunnel/harness/cluster"
	"windtunnel/harness/controlplane"
)

// Cluster is a control plane with a client of its own.
type Cluster struct {
	*controlplane.Cluster
	tb     testing.TB
	client *http.Client
}

// Use makes a client for the test, which ends with it.
func Use(tb testing.TB, inner *controlplane.Cluster) *Cluster {
	tb.Helper()
	c := &Cluster{Cluster: inner, tb: tb}
	var err error
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
func (c *Cluster) User(name string) cluster.Identity {
	id, err := c.Issue(name, cluster.UsersGroup)
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
