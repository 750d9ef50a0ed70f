package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browser is a headless Chromium, spoken to over a pipe by the DevTools protocol.
type browser struct {
	t       *testing.T
	out     *os.File
	in      *bufio.Reader
	session string
	next    int
	events  []event
}

// event is a message of the browser: the answer to a call, or something that happened.
type event struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// startBrowser starts the Chromium of PATH. Without one the test is skipped, or fails where WINDTUNNEL_BROWSER=required, as in
// CI.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("WINDTUNNEL_BROWSER") == "required" {
			t.Fatalf("WINDTUNNEL_BROWSER=required: %v", err)
		}
		t.Skip("NOT TESTED: the page was not opened in a browser, because there is no chromium (apt-get install chromium)")
	}
	fromUs, toBrowser, err1 := os.Pipe()
	fromBrowser, toUs, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "windtunnel-browser-")
	if err != nil {
		t.Fatal(err)
	}
	// The sandbox needs rights that containers do not give; the page is our own.
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--remote-debugging-pipe", "--user-data-dir="+profile, "--window-size=1280,1000", "about:blank")
	cmd.ExtraFiles = []*os.File{fromUs, toUs} // 3 and 4 of the browser
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fromUs.Close()
	toUs.Close()
	deadline := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() }) // whatever hangs ends as an error of the pipe
	t.Cleanup(func() {
		deadline.Stop()
		toBrowser.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have gone with its pipe, but not yet its own children
		_ = cmd.Wait()
		fromBrowser.Close()
		// Nobody waits for those children, and they write into the folder until they are gone.
		for tries := 0; os.RemoveAll(profile) != nil && tries < 200; tries++ {
			time.Sleep(50 * time.Millisecond)
		}
	})
	b := &browser{t: t, out: toBrowser, in: bufio.NewReaderSize(fromBrowser, 1<<20)}
	var target struct {
		TargetID string `json:"targetId"`
	}
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct {
		SessionID string `json:"sessionId"`
	}
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// call waits for the answer; what happens meanwhile is kept in events.
func (b *browser) call(method string, params any, result any) {
	b.t.Helper()
	b.next++
	message := map[string]any{"id": b.next, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	data, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.out.Write(append(data, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		e := b.read()
		switch {
		case e.ID != b.next:
			continue
		case e.Error != nil:
			b.t.Fatalf("%s: %s", method, e.Error.Message)
		case result != nil:
			if err := json.Unmarshal(e.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

func (b *browser) read() event {
	b.t.Helper()
	data, err := b.in.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("the browser is gone: %v", err)
	}
	var e event
	if err := json.Unmarshal(data[:len(data)-1], &e); err != nil {
		b.t.Fatal(err)
	}
	if e.Method != "" {
		b.events = append(b.events, e)
	}
	return e
}

// open loads a page and waits until it is there.
func (b *browser) open(url string) {
	b.t.Helper()
	from := len(b.events)
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	for {
		for _, e := range b.events[from:] {
			if e.Method == "Page.loadEventFired" {
				return
			}
		}
		b.read()
	}
}

// eval is the value of an expression in the page.
func (b *browser) eval(expression string, value any) {
	b.t.Helper()
	var r struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		ExceptionDetails json.RawMessage `json:"exceptionDetails"`
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails)
	}
	if err := json.Unmarshal(r.Result.Value, value); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

// complaints are what the console said and what was asked of the network, but for the page itself.
func (b *browser) complaints(page string) []string {
	var all []string
	for _, e := range b.events {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			all = append(all, fmt.Sprintf("%s %s", e.Method, e.Params))
		case "Network.requestWillBeSent":
			var r struct {
				Request struct {
					URL string `json:"url"`
				} `json:"request"`
			}
			if err := json.Unmarshal(e.Params, &r); err != nil {
				b.t.Fatal(err)
			}
			if r.Request.URL != page && !strings.HasPrefix(r.Request.URL, "about:") {
				all = append(all, "request of "+r.Request.URL)
			}
		}
	}
	return all
}
