package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"windtunnel/profiles"
)

// configured is the key of the faults that befall the nodes during all steps.
const configured = "script"

// scriptFaults are streams of faults that a script has begun.
type scriptFaults struct {
	mu      sync.Mutex
	streams map[string]*faultStreamOfScript
	had     map[string]bool // nodes that had one
	begun   uint64
}

// faultStreamOfScript is one of them.
type faultStreamOfScript struct {
	stop context.CancelFunc
	done chan struct{}
	err  error // when done is closed
}

// start begins a stream of faults; one of the same key that is under way goes on as it is.
func (f *scriptFaults) start(ctx context.Context, s *session, key string, spec profiles.ScriptFaults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.streams == nil {
		f.streams, f.had = map[string]*faultStreamOfScript{}, map[string]bool{}
	}
	if f.streams[key] != nil {
		return
	}
	f.begun++
	seed := profiles.StreamSeed(s.plan.Profile.Seed, "faults", key, int(f.begun))
	ctx, stop := context.WithCancel(ctx)
	one := &faultStreamOfScript{stop: stop, done: make(chan struct{})}
	f.streams[key] = one
	go func() {
		defer close(one.done)
		one.err = f.run(ctx, s, spec, seed)
	}()
}

// stop ends a stream: nodes that are down come up at once.
func (f *scriptFaults) stop(key string) error {
	f.mu.Lock()
	one := f.streams[key]
	delete(f.streams, key)
	f.mu.Unlock()
	if one == nil {
		return errors.New("it has not been started")
	}
	one.stop()
	<-one.done
	return one.err
}

// stopAll ends all streams.
func (f *scriptFaults) stopAll() error {
	f.mu.Lock()
	var keys []string
	for key := range f.streams {
		keys = append(keys, key)
	}
	f.mu.Unlock()
	slices.Sort(keys)
	var err error
	for _, key := range keys {
		err = errors.Join(err, f.stop(key))
	}
	return err
}

// run cuts nodes off again and again until ctx ends.
func (f *scriptFaults) run(ctx context.Context, s *session, spec profiles.ScriptFaults, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, faultStream))
	for number := uint64(0); ; number++ {
		wait := float64(spec.Interval) * (1 + random.Float64()*spec.Jitter)
		if pause(ctx, time.Duration(wait)) != nil {
			return nil
		}
		numbers := f.choose(s.nodeNames(), spec, random)
		if len(numbers) == 0 {
			s.event("fault: no node is left that has not been down")
			return nil
		}
		fault := profiles.NodeFault{Kind: profiles.FaultDown, Numbers: numbers, For: profiles.Duration(spec.For)}
		if err := s.oneFault(ctx, fault, seed, number); err != nil && ctx.Err() == nil {
			return fmt.Errorf("cut nodes off: %w", err)
		}
	}
}

// choose takes nodes that had no fault yet.
func (f *scriptFaults) choose(names []string, spec profiles.ScriptFaults, random *rand.Rand) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var whole []int
	for i, name := range names {
		if !f.had[name] && !slices.Contains(spec.Except, name) {
			whole = append(whole, i)
		}
	}
	random.Shuffle(len(whole), func(i, j int) { whole[i], whole[j] = whole[j], whole[i] })
	chosen := whole[:max(0, min(len(whole), int(math.Ceil(spec.Fraction*float64(len(whole))-1e-9))))]
	for _, i := range chosen {
		f.had[names[i]] = true
	}
	slices.Sort(chosen)
	return chosen
}
