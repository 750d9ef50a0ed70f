package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"windtunnel/harness/supervise"
)

// probeTime bounds one question about readiness.
const probeTime = 2 * time.Second

// answerLimit bounds what is read of an answer, in bytes.
const answerLimit = 1 << 20

// probe makes the question whether a component is ready; the error that it returns says why not.
func (c *Cluster) probe(k *component) func(context.Context) error {
	if k.name == etcdName {
		url := loopback("http", k.ports["metrics"]) + "/health"
		return func(ctx context.Context) error { return get(ctx, c.plain, url) }
	}
	path := "/healthz"
	if k.name == apiServerName {
		path = "/readyz"
	}
	url := loopback("https", k.ports["secure"]) + path
	return func(ctx context.Context) error { return get(ctx, c.admin, url) }
}

// newAdmin makes the client of an administrator that no limit applies to. It trusts the authority that signed the
// serving certificates of all components but etcd.
func (c *Cluster) newAdmin() (*http.Client, error) {
	id, err := c.Issue("windtunnel:admin", masters)
	if err != nil {
		return nil, err
	}
	client, err := rest.HTTPClientFor(&rest.Config{
		TLSClientConfig: rest.TLSClientConfig{CAData: c.CA(), CertData: id.Cert, KeyData: id.Key},
	})
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return client, nil
}

// get asks for a URL and fails unless the answer is 200.
func get(ctx context.Context, client *http.Client, url string) error {
	_, err := send(ctx, client, http.MethodGet, url, nil)
	return err
}

// statusError is an answer other than success.
type statusError struct {
	Code int
	Body string
}

// Error shows the status and the lines of a health report that name what is missing, or the first line.
func (e *statusError) Error() string {
	var failed []string
	for line := range strings.Lines(e.Body) {
		if strings.HasPrefix(line, "[-]") {
			failed = append(failed, strings.TrimSpace(line))
		}
	}
	detail := strings.Join(failed, "; ")
	if detail == "" {
		detail, _, _ = strings.Cut(e.Body, "\n")
	}
	return fmt.Sprintf("HTTP %d: %.300s", e.Code, detail)
}

// send makes one request and returns the answer's body.
func send(ctx context.Context, client *http.Client, method, url string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", url, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, &statusError{Code: resp.StatusCode, Body: string(answer)}
	}
	return answer, nil
}

// getJSON reads an object of the API.
func (c *Cluster) getJSON(ctx context.Context, path string, into any) error {
	b, err := send(ctx, c.admin, http.MethodGet, c.Server()+path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// awaitDefaults waits for what every workload relies on: the default namespace and its service account, which only
// comes when the controller manager works.
func (c *Cluster) awaitDefaults(ctx context.Context) error {
	err := c.awaitObject(ctx, "/api/v1/namespaces/default/serviceaccounts/default")
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	log := ""
	if k := c.find(controllerManagerName); k != nil {
		log = k.log
	}
	return &supervise.ComponentError{Name: controllerManagerName, Log: log, Tail: supervise.Tail(log, 0), Err: err}
}

// awaitObject waits until an object exists.
func (c *Cluster) awaitObject(ctx context.Context, path string) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		_, why := send(ctx, c.admin, http.MethodGet, c.Server()+path, nil)
		if why == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w (%w)", path, context.Cause(ctx), why)
		case <-tick.C:
		}
	}
}
