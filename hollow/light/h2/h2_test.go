package h2

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// served is a real HTTP/2 server, Go's own as in the API server, and a client of it.
type served struct {
	*Client
	server *httptest.Server
	conns  atomic.Int32
}

func serve(t *testing.T, config *http2.Server, handler http.HandlerFunc) *served {
	t.Helper()
	s := &served{server: httptest.NewUnstartedServer(handler)}
	s.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	if err := http2.ConfigureServer(s.server.Config, config); err != nil {
		t.Fatal(err)
	}
	s.server.TLS = s.server.Config.TLSConfig
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	trust := s.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	s.Client = New(t.Context(), Options{
		Address: strings.TrimPrefix(s.server.URL, "https://"),
		Dial:    new(net.Dialer).DialContext,
		TLS: func() (*tls.Config, error) {
			return &tls.Config{RootCAs: trust, NextProtos: []string{"h2"}}, nil
		},
		Buffers: new(Buffers), UserAgent: "test",
		Authorization: func() (string, error) { return "Bearer x", nil },
	})
	t.Cleanup(s.Close)
	return s
}

// do sends a request and waits for its end.
func (s *served) do(r *Request) (Response, string, error) {
	type end struct {
		response Response
		body     string
		err      error
	}
	done := make(chan end, 1)
	r.Done = func(response Response, err error) { done <- end{response, string(response.Body), err} }
	s.Do(r)
	e := <-done
	return e.response, e.body, e.err
}

func TestExchanges(t *testing.T) {
	s := serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Retry-After", "7")
		for i := range 30 {
			w.Header().Set(fmt.Sprintf("x-%d", i), strings.Repeat("y", 1000)) // takes more than one frame
		}
		code, err := strconv.Atoi(r.URL.Query().Get("code"))
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(code)
		if code != http.StatusNoContent {
			fmt.Fprintf(w, "%s %s %s %s %s %d %s", r.Method, r.Header.Get("Accept"), r.Header.Get("Content-Type"), r.Header.Get("Authorization"), r.UserAgent(), r.ContentLength, body)
		}
	})
	for _, c := range []struct {
		method, body string
		code, size   int
	}{{"GET", "", 200, 0}, {"POST", "hello", 201, 5}, {"PATCH", strings.Repeat("z", 3_000_000), 200, 3_000_000}, {"GET", "", 429, 0}, {"DELETE", "", 204, 0}} {
		r := &Request{Method: c.method, Path: fmt.Sprintf("/p?code=%d", c.code), Accept: "a", ContentType: "t"}
		if c.body != "" {
			r.Body = []byte(c.body)
		}
		response, body, err := s.do(r)
		want := fmt.Sprintf("%s a t Bearer x test %d %s", c.method, c.size, c.body)
		if c.code == http.StatusNoContent {
			want = ""
		}
		if err != nil || response.Status != c.code || body != want {
			t.Errorf("%s: %v, %d, %d bytes; want %d bytes", c.method, err, response.Status, len(body), len(want))
		}
		if c.code == 429 && response.RetryAfter != 7 {
			t.Errorf("retry after %d", response.RetryAfter)
		}
	}
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections for requests one after another", n)
	}
	if response, body, err := s.do(&Request{Method: "GET", Path: "/?code=200", Discard: true}); err != nil || response.Status != 200 || body != "" {
		t.Errorf("a body of no interest: %v, %d, %q", err, response.Status, body)
	}
}

// Streams that outgrow every window many times over must go on, beside other requests, and arrive whole.
func TestStreams(t *testing.T) {
	const pieces, size = 250, 10_000
	s := serve(t, &http2.Server{MaxConcurrentStreams: 4}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/one" {
			io.WriteString(w, "one")
			return
		}
		for i := range pieces {
			w.Write(bytes.Repeat([]byte{byte(i)}, size))
		}
		w.(http.Flusher).Flush()
		if r.URL.Path == "/forever" {
			<-r.Context().Done()
		}
	})
	var all sync.WaitGroup
	for range 9 { // more than a connection carries
		all.Go(func() {
			got := 0
			response, body, err := s.do(&Request{Method: "GET", Path: "/stream", Data: func(b []byte) error {
				for _, x := range b {
					if x != byte(got/size) {
						return fmt.Errorf("byte %d is %d", got, x)
					}
					got++
				}
				return nil
			}})
			if err != nil || response.Status != 200 || body != "" || got != pieces*size {
				t.Errorf("%v, %d, %d bytes beside the stream's %d", err, response.Status, len(body), got)
			}
			if _, body, err := s.do(&Request{Method: "GET", Path: "/one"}); err != nil || body != "one" {
				t.Errorf("%v, %q", err, body)
			}
		})
	}
	all.Wait()
	refused := errors.New("enough")
	if _, _, err := s.do(&Request{Method: "GET", Path: "/forever", Data: func([]byte) error { return refused }}); !errors.Is(err, refused) {
		t.Errorf("a receiver that refuses: %v", err)
	}
}

func TestCancel(t *testing.T) {
	gone := make(chan struct{})
	s := serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	some := make(chan struct{})
	r := &Request{Method: "GET", Path: "/", Data: func([]byte) error { close(some); return nil },
		Done: func(r Response, err error) { t.Errorf("told of the end of a cancelled request: %d, %v", r.Status, err) }}
	s.Do(r)
	<-some
	r.Cancel()
	<-gone // the server was told
	before := &Request{Method: "GET", Path: "/", Done: r.Done}
	before.Cancel()
	s.Do(before)
}

func TestConnectionsThatEnd(t *testing.T) {
	arrived, proceed := make(chan struct{}, 10), make(chan struct{})
	s := serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if r.URL.Path == "/wait" {
			<-proceed
		}
		io.WriteString(w, "done")
	})
	ends := make(chan error, 1)
	s.Do(&Request{Method: "GET", Path: "/wait", Done: func(_ Response, err error) { ends <- err }})
	<-arrived
	s.Disconnect()
	if err := <-ends; !errors.Is(err, ErrClosed) {
		t.Errorf("what was under way ended with %v", err)
	}
	if _, body, err := s.do(&Request{Method: "GET", Path: "/"}); err != nil || body != "done" || s.conns.Load() != 2 {
		t.Errorf("after that: %v, %q, %d connections", err, body, s.conns.Load())
	}
	<-arrived
	// A server that shuts down says farewell, answers what it has, and takes nothing else on that connection.
	s.Do(&Request{Method: "GET", Path: "/wait", Done: func(r Response, err error) { ends <- err }})
	<-arrived
	go s.server.Config.Shutdown(context.WithoutCancel(t.Context()))
	time.Sleep(100 * time.Millisecond)
	close(proceed)
	if err := <-ends; err != nil {
		t.Errorf("an answer before the farewell: %v", err)
	}
	if _, _, err := s.do(&Request{Method: "GET", Path: "/"}); err == nil {
		t.Error("an answer of a server that is gone")
	}
	s.Close()
	if _, _, err := s.do(&Request{Method: "GET", Path: "/"}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed client: %v", err)
	}
}

func TestMalformedFrames(t *testing.T) {
	for _, b := range [][]byte{{}, {9, 1, 2}} {
		if _, ok := unpad(head{kind: frameData, flags: flagPadded}, b); ok {
			t.Errorf("%v is taken", b)
		}
	}
	if _, ok := unpad(head{kind: frameHeaders, flags: flagPriority}, []byte{1, 2}); ok {
		t.Error("half a priority is taken")
	}
	if b, ok := unpad(head{kind: frameHeaders, flags: flagPriority | flagPadded}, []byte{2, 0, 0, 0, 0, 0, 'a', 'b', 0, 0}); !ok || string(b) != "ab" {
		t.Errorf("%q, %v", b, ok)
	}
}
