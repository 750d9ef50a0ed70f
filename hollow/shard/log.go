package shard

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

const (
	// siteBurst lines of one place in the code are written at once, and siteRate a second after that: what one kubelet says,
	// a thousand say.
	siteBurst = 5
	siteRate  = 1.0
	// maxLine bounds a line, in bytes; the kubelet logs whole objects.
	maxLine = 2 << 10

	// What the kubelet says at the end of OnPodSandboxReady, and at which level.
	sandboxReadyMessage = "Successfully updated PodReadyToStartContainers condition after sandbox creation"
	sandboxReadyLevel   = 3
)

// NewLogger returns a logger for many kubelets in one process: it writes one line a message, those of informational level 0
// and errors, and of the same place in the code a few a second at most. The next line of that place says how many were left
// out. sandboxReady is called with the UID of each pod of which the kubelet says that it has written down its sandbox's
// readiness, which is written nowhere else; it may be nil. The logger is safe for concurrent use.
func NewLogger(w io.Writer, sandboxReady func(uid string)) logr.Logger {
	if sandboxReady == nil {
		sandboxReady = func(string) {}
	}
	return logr.New(&sink{out: &limited{w: w, sites: make(map[uintptr]*site)}, sandboxReady: sandboxReady})
}

// sink implements logr.LogSink.
type sink struct {
	out    *limited
	name   string
	values string // of WithValues, formatted
	depth  int    // frames between the caller and the sink's methods

	sandboxReady func(uid string)
}

var _ logr.CallDepthLogSink = (*sink)(nil)

func (s *sink) Init(info logr.RuntimeInfo) { s.depth = info.CallDepth }

func (s *sink) Enabled(level int) bool { return level == 0 || level == sandboxReadyLevel }

func (s *sink) Info(level int, message string, pairs ...any) {
	switch {
	case level == 0:
		s.write("I", nil, message, pairs)
	case message == sandboxReadyMessage:
		s.sandboxReady(podUID(pairs))
	}
}

// podUID finds the pod's UID in what a message was given.
func podUID(pairs []any) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == "podUID" {
			return fmt.Sprint(pairs[i+1])
		}
	}
	return ""
}

func (s *sink) Error(err error, message string, pairs ...any) {
	s.write("E", err, message, pairs)
}

func (s *sink) WithValues(pairs ...any) logr.LogSink {
	with := *s
	with.values += format(pairs)
	return &with
}

func (s *sink) WithName(name string) logr.LogSink {
	with := *s
	with.name += "/" + name
	return &with
}

func (s *sink) WithCallDepth(depth int) logr.LogSink {
	with := *s
	with.depth += depth
	return &with
}

func (s *sink) write(severity string, err error, message string, pairs []any) {
	// Callers, write, Info or Error, and then the frames that the caller's logger has put in between.
	var pc [1]uintptr
	runtime.Callers(3+s.depth, pc[:])
	now := time.Now()
	left, ok := s.out.allow(pc[0], now)
	if !ok {
		return
	}
	var line strings.Builder
	frame, _ := runtime.CallersFrames(pc[:]).Next()
	fmt.Fprintf(&line, "%s %s%s %s:%d %s", now.UTC().Format("2006-01-02T15:04:05.000Z"), severity, s.name,
		filepath.Base(frame.File), frame.Line, strings.TrimSpace(message))
	if err != nil {
		fmt.Fprintf(&line, " err=%q", err)
	}
	line.WriteString(s.values)
	line.WriteString(format(pairs))
	s.out.print(line.String(), left)
}

func format(pairs []any) string {
	var text strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&text, " %v=%q", pairs[i], fmt.Sprint(pairs[i+1]))
	}
	return text.String()
}

// limited writes the lines of each place in the code at a bounded rate.
type limited struct {
	mu    sync.Mutex
	w     io.Writer
	sites map[uintptr]*site // bounded by the program's size
}

type site struct {
	tokens  float64
	at      time.Time
	leftOut int
}

// allow says whether a line of this place may be written now, and how many were not since the last one.
func (l *limited) allow(pc uintptr, now time.Time) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sites[pc]
	if s == nil {
		s = &site{tokens: siteBurst, at: now}
		l.sites[pc] = s
	}
	s.tokens = min(siteBurst, s.tokens+siteRate*now.Sub(s.at).Seconds())
	s.at = now
	if s.tokens < 1 {
		s.leftOut++
		return 0, false
	}
	s.tokens--
	leftOut, s.leftOut = s.leftOut, 0
	return leftOut, true
}

func (l *limited) print(line string, leftOut int) {
	var text bytes.Buffer
	if len(line) > maxLine {
		line = line[:maxLine] + "…"
	}
	text.WriteString(strings.ReplaceAll(line, "\n", `\n`))
	if leftOut > 0 {
		fmt.Fprintf(&text, " (%d more like this were left out before it)", leftOut)
	}
	text.WriteByte('\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w.Write(text.Bytes()) // there is nowhere to report that the log cannot be written
}
