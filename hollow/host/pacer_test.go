package host

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func begin(t *testing.T, p *Pacer) *Join {
	t.Helper()
	j, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func window(t *testing.T, p *Pacer, want int) {
	t.Helper()
	if got := p.Window(); got != want {
		t.Errorf("window %d, want %d", got, want)
	}
}

func joining(t *testing.T, p *Pacer, want int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.joining != want {
		t.Errorf("%d are joining, want %d", p.joining, want)
	}
}

func TestWindowGrowsByOneForEveryQuickJoinAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(7)
		window(t, p, firstWindow)
		for _, want := range []int{5, 6, 7, 7} {
			j := begin(t, p)
			time.Sleep(time.Second)
			j.Ready()
			window(t, p, want)
		}
	})
}

func TestWindowIsHalvedOnceForAllThatWereJoining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(100)
		p.window = 8
		first, second := begin(t, p), begin(t, p)
		time.Sleep(time.Second)
		first.Strain()
		window(t, p, 4)
		second.Strain()
		first.Strain()
		window(t, p, 4)
		first.Ready()
		second.Ready()

		time.Sleep(time.Second)
		later := begin(t, p)
		later.Strain()
		window(t, p, 2)
		later.Ready()
	})
}

func TestWindowGrowsByOneForAWindowOfQuickJoinsAfterStrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(100)
		p.window = 8
		j := begin(t, p)
		j.Strain()
		j.Leave()
		time.Sleep(time.Second)
		for i, want := range []int{4, 4, 4, 5, 5, 5, 5, 5, 6} {
			begin(t, p).Ready()
			if got := p.Window(); got != want {
				t.Fatalf("after %d quick joins the window is %d, want %d", i+1, got, want)
			}
		}
	})
}

func TestSlowJoinHalvesTheWindowBeforeItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(100)
		p.window = 8
		j := begin(t, p)
		time.Sleep(slowJoin + time.Millisecond)
		window(t, p, 4)
		j.Ready() // no praise for it
		window(t, p, 4)
	})
}

func TestBeginWaitsForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(2)
		first := begin(t, p)
		begin(t, p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Begin(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("third of two places: %v, want %v", err, context.DeadlineExceeded)
		}
		started := time.Now()
		time.AfterFunc(3*time.Second, first.Ready)
		begin(t, p)
		if waited := time.Since(started); waited != 3*time.Second {
			t.Errorf("waited %s, want 3s", waited)
		}
	})
}

func TestNodeThatNeverGetsReadyGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(1)
		stuck := begin(t, p)
		started := time.Now()
		begin(t, p)
		if waited := time.Since(started); waited != joinPatience {
			t.Errorf("waited %s, want %s", waited, joinPatience)
		}
		stuck.Ready() // at last; the place is not given back twice
		joining(t, p, 1)
	})
}

func TestAtMostAWindowIsJoining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(10)
		for i := range 200 {
			j := begin(t, p)
			p.mu.Lock()
			joining, window := p.joining, p.window
			p.mu.Unlock()
			if joining > window {
				t.Fatalf("%d are joining in a window of %d", joining, window)
			}
			if i%17 == 0 {
				time.AfterFunc(time.Second, j.Strain)
			}
			time.AfterFunc(2*time.Second, j.Ready)
		}
		time.Sleep(time.Minute)
		joining(t, p, 0)
	})
}
