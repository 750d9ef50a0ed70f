package load

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"windtunnel/profiles"
	"windtunnel/results"
)

// timed is an operation that takes a while and sends nothing.
type timed struct {
	takes time.Duration
}

func (o timed) Describe(p profiles.Pick) results.Request {
	return results.Request{Verb: "GET", BytesOut: int64(p.Index)}
}

func (o timed) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	record := o.Describe(p)
	record.Planned, record.Identity, record.Sent = planned, x.lane.identity, x.client.options.Clock.Now()
	select {
	case <-time.After(o.takes):
	case <-ctx.Done():
		record.Error = ClassCanceled
	}
	record.Done = x.client.options.Clock.Now()
	x.client.options.Record(record)
}

// virtual is a client without a server, in a bubble of virtual time.
func virtual(identities, connections, slots int, rec func(results.Request)) *Client {
	clock := results.NewClock()
	c := &Client{options: Options{Allowed: context.Background(), Clock: clock, Record: rec}, pacer: pacer{clock: clock, nap: time.Sleep}}
	for i := range identities {
		l := &lane{identity: string(rune('a' + i))}
		for range connections {
			place := &conn{}
			place.slots.Store(int32(slots))
			l.conns = append(l.conns, place)
		}
		c.lanes = append(c.lanes, l)
	}
	return c
}

// drive runs one operation at a constant rate through a virtual client.
func drive(ctx context.Context, c *Client, op Operation, rate float64, last time.Duration, limit int) (int, error) {
	s := Stream{Requests: profiles.Requests{
		Arrivals:   &profiles.Arrivals{Rate: rate, For: profiles.Duration(last)},
		Identities: len(c.lanes),
		Mix:        []profiles.Request{{Verb: "LIST", Weight: 1}},
	}, Seed: 7}
	return c.run(ctx, limit, func(ctx context.Context, d *dispatcher) (int, error) {
		return c.pace(ctx, d, s, mixture{operations: []Operation{op}, requests: s.Requests.Mix})
	})
}

func TestPaceSendsEveryRequestAtItsInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		planned, err := drive(t.Context(), virtual(1, 1, 100, rec.record), timed{takes: 2 * time.Millisecond}, 300, 600*time.Second, 100)
		if err != nil {
			t.Fatal(err)
		}
		all := rec.records("")
		if planned != 180_000 || len(all) != planned {
			t.Fatalf("planned %d and recorded %d requests, want 180000", planned, len(all))
		}
		begin := all[0].Planned
		for i, one := range all {
			if want := begin + int64(float64(i)/300*1e9); one.Planned != want {
				t.Fatalf("request %d is planned at %d, want %d", i, one.Planned, want)
			}
			if one.Sent != one.Planned {
				t.Fatalf("request %d is sent %v late", i, time.Duration(one.Sent-one.Planned))
			}
		}
	})
}

func TestPaceIsNotHeldUpByASlowServer(t *testing.T) {
	for _, test := range []struct {
		name                       string
		identities, connections    int
		slots, limit, wantInFlight int
	}{
		{"limit", 1, 1, 100, 3, 3},
		{"streams", 1, 2, 4, 100, 8},
		{"streams of identities", 3, 1, 2, 100, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := &recorder{}
				c := virtual(test.identities, test.connections, test.slots, rec.record)
				planned, err := drive(t.Context(), c, timed{takes: time.Second}, 100, 2*time.Second, test.limit)
				if err != nil || planned != 200 {
					t.Fatalf("planned %d, error %v", planned, err)
				}
				all := rec.records("")
				if last := all[len(all)-1].Planned - all[0].Planned; last != int64(1990*time.Millisecond) {
					t.Errorf("the last request is planned %v after the first: the schedule was held up", time.Duration(last))
				}
				if got := mostAtOnce(all); got != test.wantInFlight {
					t.Errorf("%d requests under way at most, want %d", got, test.wantInFlight)
				}
				// In the order of the plan, each identity for itself.
				sent := map[string]int64{}
				for _, one := range all {
					if one.Sent < sent[one.Identity] {
						t.Fatalf("the request planned at %d overtook an earlier one", one.Planned)
					}
					sent[one.Identity] = one.Sent
				}
			})
		})
	}
}

// mostAtOnce is the largest number of requests that were under way at the same time.
func mostAtOnce(all []results.Request) int {
	most := 0
	for _, one := range all {
		n := 0
		for _, other := range all {
			if other.Sent <= one.Sent && one.Sent < other.Done {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestStepEndedEarlyRecordsEveryPlannedInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		ctx, cancel := context.WithTimeout(t.Context(), 1005*time.Millisecond)
		defer cancel()
		begun := time.Now()
		// 100 planned in the first second, 5 under way at a time, 3 s each.
		planned, err := drive(ctx, virtual(1, 1, 5, rec.record), timed{takes: 3 * time.Second}, 100, 0, 100)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		got := byClass(rec.records(""))
		if planned != 101 || got[""] != 5 || got[ClassDropped] != 96 || len(got) != 2 {
			t.Errorf("planned %d, records by class %v; want 101 planned, 5 answered, 96 dropped", planned, got)
		}
		if took := time.Since(begun); took > 3100*time.Millisecond {
			t.Errorf("ended after %v; what is under way may finish", took)
		}
	})
}

func TestStepGivesUpWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		_, err := drive(ctx, virtual(1, 1, 100, rec.record), timed{takes: time.Hour}, 10, 0, 100)
		if took := time.Since(begun); err == nil || took != time.Second+drainTime {
			t.Errorf("ended after %v with error %v, want after 1 s and the drain time", took, err)
		}
		if got := byClass(rec.records("")); got[ClassCanceled] != 10 && got[ClassCanceled] != 11 {
			t.Errorf("records by class %v, want the 10 under way canceled", got)
		}
	})
}

func TestQueueKeepsOrderAcrossGrowth(t *testing.T) {
	var q queue
	next, want := 0, 0
	for round := range 500 {
		for range round%7 + 1 {
			q.push(task{planned: int64(next)})
			next++
		}
		for range round % 6 {
			if q.len() == 0 {
				break
			}
			if got := q.pop().planned; got != int64(want) {
				t.Fatalf("popped %d, want %d", got, want)
			}
			want++
		}
	}
	if q.len() != next-want || q.head().planned != int64(want) {
		t.Fatalf("%d left beginning at %d, want %d at %d", q.len(), q.head().planned, next-want, want)
	}
}
