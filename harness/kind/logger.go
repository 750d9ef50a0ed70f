package kind

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"sigs.k8s.io/kind/pkg/log"
)

// verbosity is up to which level kind's messages are kept: the third has kubeadm's own.
const verbosity = 3

// logger writes kind's messages with the time, and takes what kind says to its users as stages.
type logger struct {
	out   io.Writer
	stage func(string)
	mu    sync.Mutex
}

var _ log.Logger = (*logger)(nil)

func (l *logger) write(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "%s %s\n", time.Now().UTC().Format("15:04:05.000"), strings.TrimRight(text, "\n"))
}

// Warn and the others are kind's interface.
func (l *logger) Warn(message string)               { l.write("warning: " + message) }
func (l *logger) Warnf(format string, args ...any)  { l.Warn(fmt.Sprintf(format, args...)) }
func (l *logger) Error(message string)              { l.write("error: " + message) }
func (l *logger) Errorf(format string, args ...any) { l.Error(fmt.Sprintf(format, args...)) }

// V gives the logger of a level.
func (l *logger) V(level log.Level) log.InfoLogger { return &leveled{l, level} }

type leveled struct {
	*logger
	level log.Level
}

// Enabled says whether messages of the level are kept.
func (l *leveled) Enabled() bool { return l.level <= verbosity }

// Info writes a message; one of level 0 is for users.
func (l *leveled) Info(message string) {
	if !l.Enabled() {
		return
	}
	l.write(message)
	if text := plain(message); l.level == 0 && text != "" {
		l.stage(text)
	}
}

// Infof is Info.
func (l *leveled) Infof(format string, args ...any) { l.Info(fmt.Sprintf(format, args...)) }

// plain takes the pictures and dots out of a message.
func plain(message string) string {
	kept := strings.Map(func(r rune) rune {
		if r == '≤' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSpace(r) || r < unicode.MaxASCII && unicode.IsPrint(r) {
			return r
		}
		return -1
	}, message)
	return strings.TrimRight(strings.Join(strings.Fields(kept), " "), " .")
}
