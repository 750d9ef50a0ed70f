package results

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockProbe makes the test binary print the instant of now on the clock of that base, see TestClockAcrossProcesses.
const clockProbe = "WINDTUNNEL_TEST_CLOCK_BASE"

func probeClock(base string) {
	n, err := strconv.ParseInt(base, 10, 64)
	if err != nil {
		panic(err)
	}
	fmt.Println(ClockAt(n).Now())
}

func TestClock(t *testing.T) {
	c := NewClock()
	if now := c.Now(); now < 0 || now > int64(time.Second) {
		t.Errorf("a new clock says %d", now)
	}
	at := time.Now()
	if got, want := c.At(at.Add(time.Hour))-c.At(at), int64(time.Hour); got != want {
		t.Errorf("an hour later is %d ns later", got)
	}
	if got := c.At(c.Time(12345)); got != 12345 {
		t.Errorf("At(Time(12345)) = %d", got)
	}
	// A second clock of the same base in this process agrees to within the error of reading two clocks.
	d := ClockAt(c.Base())
	if diff := d.At(at) - c.At(at); max(diff, -diff) > int64(100*time.Microsecond) {
		t.Errorf("two clocks of one base differ by %d ns", diff)
	}
}

// TestClockAcrossProcesses asks another process for an instant of our clock: it must lie between ours before and after.
func TestClockAcrossProcesses(t *testing.T) {
	c := NewClock()
	before := c.Now()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), clockProbe+"="+strconv.FormatInt(c.Base(), 10))
	out, err := cmd.Output()
	after := c.Now()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if theirs < before || theirs > after {
		t.Errorf("the other process says %d, we said %d before and %d after", theirs, before, after)
	}
}

func BenchmarkClockNow(b *testing.B) {
	c := NewClock()
	for b.Loop() {
		c.Now()
	}
}
