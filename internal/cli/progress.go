package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress narrates a run on stderr: a line for each phase with its duration. On a terminal the phase under way has one
// live line; elsewhere a plain line is written at most every 30 seconds, so that a CI log shows that the run lives.
type progress struct {
	w        io.Writer
	live     bool
	mu       sync.Mutex
	phase    string
	began    time.Time
	status   string
	lastLine time.Time
}

// heartbeat is how often a phase says where it is when nobody sees the live line.
const heartbeat = 30 * time.Second

func (a *app) progress() *progress { return &progress{w: a.err, live: a.terminal} }

// Begin starts a phase.
func (p *progress) Begin(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase, p.began, p.status, p.lastLine = phase, time.Now(), "", time.Now()
	p.draw()
}

// Status says where the phase is; the newest text replaces the one before, and an empty one takes it away.
func (p *progress) Status(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == "" {
		return
	}
	p.status = text
	if p.live {
		p.draw()
	} else if text != "" && time.Since(p.lastLine) >= heartbeat {
		p.lastLine = time.Now()
		fmt.Fprintf(p.w, "  … %s: %s (%s)\n", p.phase, text, short(time.Since(p.began)))
	}
}

// Note writes a line that stays.
func (p *progress) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintln(p.w, "  "+text)
	p.draw()
}

// End closes the phase with a mark, its duration and its last status.
func (p *progress) End(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == "" {
		return
	}
	p.erase()
	mark, text := "✓", p.status
	if err != nil {
		mark, text = "✗", firstLine(err.Error())
	}
	fmt.Fprintf(p.w, "%s %-12s %8s  %s\n", mark, p.phase, short(time.Since(p.began)), text)
	p.phase = ""
}

func (p *progress) draw() {
	if p.live && p.phase != "" {
		fmt.Fprintf(p.w, "\r\x1b[K• %-12s %8s  %s", p.phase, short(time.Since(p.began)), p.status)
	}
}

func (p *progress) erase() {
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// short prints a duration as people read it: 0.4s, 12.3s, 4m05s.
func short(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
