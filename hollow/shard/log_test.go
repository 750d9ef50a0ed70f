package shard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoggerLimitsEachPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		logger := NewLogger(&out).WithValues("node", "n-1")
		for i := range 1000 {
			logger.Error(errors.New("broken"), "it went wrong", "try", i) // one place
			logger.V(4).Info("never")
		}
		logger.Info("another place")
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != siteBurst+1 {
			t.Fatalf("%d lines, want %d of the first place and one of the second:\n%s", len(lines), siteBurst, &out)
		}
		for _, want := range []string{" E log_test.go:", "it went wrong", `err="broken"`, `node="n-1"`, `try="0"`} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("%q is not in %q", want, lines[0])
			}
		}
		if !strings.Contains(lines[siteBurst], " I log_test.go:") || !strings.Contains(lines[siteBurst], "another place") {
			t.Errorf("last line %q", lines[siteBurst])
		}
	})
}

func TestLoggerSaysHowMuchWasLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		logger := NewLogger(&out)
		for i := range 20 {
			if i == 19 {
				time.Sleep(time.Second)
			}
			logger.Info("same\nplace")
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != siteBurst+1 {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), siteBurst+1, &out)
		}
		if want := fmt.Sprintf("(%d more like this were left out before it)", 19-siteBurst); !strings.Contains(lines[siteBurst], want) {
			t.Errorf("%q is not in %q", want, lines[siteBurst])
		}
	})
}
