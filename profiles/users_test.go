package profiles

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func loopOf(process string, users int) Requests {
	return Requests{
		ClosedLoop: &ClosedLoop{Users: users, ThinkTime: Duration(time.Second), ThinkProcess: process},
		Identities: 3,
		Mix:        []Request{{Verb: VerbGet, Object: "a", Weight: 1}, {Verb: VerbPost, Object: "a", Weight: 2}},
	}
}

// TestUsersTakeThePlannedPicks holds that a closed loop sends what an open one of the same mix and seed would.
func TestUsersTakeThePlannedPicks(t *testing.T) {
	closed, pools := loopOf(ThinkConstant, 2), map[string]Pool{"a": {Next: 8}}
	open := closed
	open.ClosedLoop, open.Arrivals = nil, &Arrivals{Rate: 100, For: Duration(10 * time.Second)}
	users := NewUsers(closed, pools, 4)
	n := 0
	for want := range Picks(open, pools, 4) {
		want.At = 0
		got, ok := users.Pick()
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Fatalf("pick %d (-want +got):\n%s", n, diff)
		}
		n++
	}
	if n != 1000 {
		t.Errorf("%d picks", n)
	}
	for range Picks(closed, pools, 4) {
		t.Fatal("a closed loop has a planned instant")
	}
}

// TestThinkTimes holds that a user's times come from the seed and the user alone, whoever was asked before.
func TestThinkTimes(t *testing.T) {
	one, other := NewUsers(loopOf(ThinkExponential, 3), nil, 4), NewUsers(loopOf(ThinkExponential, 3), nil, 4)
	var a, b []time.Duration
	for range 20 {
		a = append(a, one.Think(1))
		other.Think(0)
		other.Pick()
		b = append(b, other.Think(1))
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("user 1 thinks otherwise beside others:\n%s", diff)
	}
	if one.Think(2) == a[0] {
		t.Error("two users think alike")
	}
	sum := 0.0
	const n = 40_000
	for range n {
		sum += one.Think(0).Seconds()
	}
	// The mean of n exponential times of mean 1 s has the standard error 1/√n.
	if mean := sum / n; math.Abs(mean-1) > 5/math.Sqrt(n) {
		t.Errorf("the mean is %v s, want 1 s", mean)
	}
}

// TestUsersBeginSpread holds the first instants of users who think for a constant time.
func TestUsersBeginSpread(t *testing.T) {
	users := NewUsers(loopOf(ThinkConstant, 4), nil, 1)
	for i := range 4 {
		if got, want := users.Begin(i), time.Duration(i)*250*time.Millisecond; got != want {
			t.Errorf("user %d begins at %s, want %s", i, got, want)
		}
		if users.Think(i) != time.Second {
			t.Errorf("user %d thinks for %s", i, users.Think(i))
		}
	}
}
