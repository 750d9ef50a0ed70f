package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"windtunnel/harness/cluster"
	"windtunnel/harness/internal/live"
	"windtunnel/profiles"
	"windtunnel/results"
)

// BenchmarkCost compares what one request costs this process: in the engine with its records written to disk, in a bare net/http
// loop that throws the body away, and with client-go's typed client (protobuf, no limit). 10 in flight over 1 connection, against
// the real control plane, the three in turns of a few hundred requests, so that what the machine does meanwhile falls on all of them
// alike. A PUT is a GET and a PUT; a LIST has 1 000 objects. Run it with -benchtime 1x.
func BenchmarkCost(b *testing.B) {
	c := newCosts(b)
	for _, verb := range []string{"GET", "LIST", "POST", "PUT", "PATCH", "DELETE"} {
		b.Run(verb, func(b *testing.B) {
			used := map[string]time.Duration{}
			n := c.turn(verb)
			for range b.N * turns {
				for name, run := range map[string]func(first, n int) error{
					"bare":   each10(func(i int) error { return c.bare(verb, i) }),
					"engine": func(first, n int) error { return c.engine(verb, first, n) },
					"typed":  each10(func(i int) error { return c.typed(verb, i) }),
				} {
					used[name] += c.measure(b, verb, n, run)
				}
			}
			for name, cpu := range used {
				b.ReportMetric(float64(cpu.Microseconds())/float64(b.N*turns*n), name+"-cpu-µs/op")
			}
			b.ReportMetric(float64(used["engine"])/float64(used["bare"]), "engine/bare")
			b.ReportMetric(float64(used["engine"])/float64(used["typed"]), "engine/typed")
			b.ReportMetric(0, "ns/op")
		})
	}
}

const turns = 20

// turn is how many requests of a verb are sent at a time.
func (c *costs) turn(verb string) int {
	if verb == "LIST" {
		return 20
	}
	return 300
}

// costs is a control plane with three clients.
type costs struct {
	server   string
	template profiles.Template
	client   *Client
	http     *http.Client
	set      kubernetes.Interface
	next     int // number of the next object
}

const listed = 1000 // objects of a LIST, which are numbered from 0

func newCosts(b *testing.B) *costs {
	sut := live.Use(b, suite.Shared(b))
	c := &costs{server: sut.Server(), template: configMaps()}
	c.template.In, c.template.Namespaces = "cost", 1
	c.template.Manifest = bytes.Replace(c.template.Manifest, []byte(`"data":{`), []byte(`"data":{"payload":"`+strings.Repeat("x", 1000)+`",`), 1)
	writer, err := results.NewWriter[results.Request](filepath.Join(b.TempDir(), "requests"))
	if err != nil {
		b.Fatal(err)
	}
	id := sut.User("windtunnel:user-0")
	c.client, err = Dial(context.Background(), Options{
		Server: c.server, CA: sut.CA(), Run: "cost", Clock: results.NewClock(), Record: writer.Append,
		Identities: []cluster.Identity{id},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		c.client.Close()
		writer.Close()
		sut.Do(http.MethodDelete, "/api/v1/namespaces/cost-0", "", nil)
	})
	pair, err := tls.X509KeyPair(id.Cert, id.Key)
	if err != nil {
		b.Fatal(err)
	}
	c.http = bareClient(b, sut.CA())
	c.http.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{pair}
	config := sut.Observer()
	config.QPS, config.ContentType, config.AcceptContentTypes = -1, mediaProtobuf, mediaUsual
	c.set = kubernetes.NewForConfigOrDie(config)
	sut.Do(http.MethodPost, "/api/v1/namespaces", mediaJSON, strings.NewReader(`{"metadata":{"name":"cost-0"}}`))
	return c
}

// measure prepares what n requests need, and returns the CPU time that they take.
func (c *costs) measure(b *testing.B, verb string, n int, run func(first, n int) error) time.Duration {
	if c.next == 0 {
		c.next = listed
		c.must(b, c.engine("POST", 0, listed))
	}
	first := c.next
	c.next += n
	made := verb == "POST" || verb == "LIST"
	if !made {
		c.must(b, c.engine("POST", first, n))
	}
	before := cpuTime()
	c.must(b, run(first, n))
	used := cpuTime() - before
	if verb != "DELETE" && verb != "LIST" { // so that a LIST stays as it is
		c.must(b, c.engine("DELETE", first, n))
	}
	return used
}

func (c *costs) must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// each10 carries out requests ten at a time.
func each10(one func(i int) error) func(first, n int) error {
	return func(first, n int) error {
		var done atomic.Int64
		var failed atomic.Pointer[error]
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for i := done.Add(1) - 1; i < int64(n) && failed.Load() == nil; i = done.Add(1) - 1 {
					if err := one(first + int(i)); err != nil {
						failed.Store(&err)
					}
				}
			})
		}
		all.Wait()
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
}

func (c *costs) engine(verb string, first, n int) error {
	st := &step{client: c.client, phase: "workload", track: "users"}
	r := profiles.Request{Verb: verb}
	if verb == "LIST" {
		r.ResourceVersion = "0"
	}
	op, err := st.byTemplate(r, c.template)
	if err != nil {
		return err
	}
	_, err = c.client.run(context.Background(), 10, func(_ context.Context, d *dispatcher) (int, error) {
		return c.client.feed(d, reconciliation{op: op, first: first, stride: 1, count: n}), nil
	})
	return err
}

// bare sends the same request as the engine does.
func (c *costs) bare(verb string, i int) error {
	collection := c.server + "/api/v1/namespaces/cost-0/configmaps"
	object := collection + "/" + c.template.InstanceName(i)
	switch verb {
	case "GET":
		_, err := c.roundTrip("GET", object, mediaUsual, "", nil, false)
		return err
	case "LIST":
		_, err := c.roundTrip("GET", collection+"?resourceVersion=0", mediaUsual, "", nil, false)
		return err
	case "POST":
		_, err := c.roundTrip("POST", collection, mediaJSON, mediaJSON, c.template.Render("cost", "cost-0", i), false)
		return err
	case "PUT":
		body, err := c.roundTrip("GET", object, mediaJSON, "", nil, true)
		if err == nil {
			_, err = c.roundTrip("PUT", object, mediaJSON, mediaJSON, body, false)
		}
		return err
	case "PATCH":
		body := []byte(`{"metadata":{"annotations":{"windtunnel/touched":"` + strconv.Itoa(i) + `"}}}`)
		_, err := c.roundTrip("PATCH", object, mediaJSON, mediaMergePatch, body, false)
		return err
	}
	_, err := c.roundTrip("DELETE", object, mediaJSON, mediaJSON, []byte(deleteOptions), false)
	return err
}

func (c *costs) roundTrip(method, url, accept, contentType string, body []byte, keep bool) ([]byte, error) {
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	if !keep {
		request.Header.Set("Accept-Encoding", "gzip") // and it is thrown away packed, as in the engine
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode > 299 {
		return nil, fmt.Errorf("%s %s: %s", method, url, response.Status)
	}
	if keep {
		return io.ReadAll(response.Body)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return nil, err
}

func (c *costs) typed(verb string, i int) error {
	ctx, maps, name := context.Background(), c.set.CoreV1().ConfigMaps("cost-0"), c.template.InstanceName(i)
	var err error
	switch verb {
	case "GET":
		_, err = maps.Get(ctx, name, metav1.GetOptions{})
	case "LIST":
		_, err = maps.List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	case "POST":
		_, err = maps.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"windtunnel/run": "cost", "windtunnel/object": "config"}},
			Data:       map[string]string{"payload": strings.Repeat("x", 1000), "number": strconv.Itoa(i)},
		}, metav1.CreateOptions{})
	case "PUT":
		var object *corev1.ConfigMap
		if object, err = maps.Get(ctx, name, metav1.GetOptions{}); err == nil {
			object.Annotations = map[string]string{"windtunnel/touched": strconv.Itoa(i)}
			_, err = maps.Update(ctx, object, metav1.UpdateOptions{})
		}
	case "PATCH":
		body := []byte(`{"metadata":{"annotations":{"windtunnel/touched":"` + strconv.Itoa(i) + `"}}}`)
		_, err = maps.Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{})
	case "DELETE":
		policy := metav1.DeletePropagationBackground
		err = maps.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &policy})
	}
	return err
}
