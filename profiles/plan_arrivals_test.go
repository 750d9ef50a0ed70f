package profiles

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"
)

// shapes is a profile with a stream of every shape, a ramped reconcile and a closed loop.
const shapes = `
apiVersion: windtunnel/v1alpha1
kind: Profile
name: shapes
objects:
  space: {manifest: {apiVersion: v1, kind: Namespace}}
  config: {in: space, manifest: {apiVersion: v1, kind: ConfigMap}}
phases:
  - name: prepare
    tracks:
      - name: objects
        steps:
          - reconcile: {object: space, count: 1}
          - reconcile: {object: config, count: 201, arrivals: {stages: [{for: 40s, shape: linear, rate: 10}, {for: 1m, rate: 10}]}}
  - name: workload
    tracks:
      - name: users
        steps:
          - requests:
              arrivals:
                process: poisson
                stages:
                  - {for: 1m, shape: linear, rate: 60}
                  - {for: 1m, rate: 60}
                  - {for: 10s, rate: 120}
                  - {for: 2m, shape: sine, rate: 40, amplitude: 30}
                  - {for: 50s, shape: curve, rates: [10, 45.5, 20]}
              mix: [{verb: GET, object: config, weight: 3}, {verb: LIST, object: config}]
      - name: people
        background: true
        steps:
          - requests:
              closedLoop: {users: 300, thinkTime: 1s, thinkProcess: exponential}
              connections: 3
              mix: [{verb: GET, object: config}]
slo: {judged: false}
`

func TestOutlineOfShapes(t *testing.T) {
	plan := compile(t, mustLoad(t, shapes))
	outline := plan.Outline()
	ramp, users, people := outline[0].Tracks[0].Steps[1], outline[1].Tracks[0].Steps[0], outline[1].Tracks[1].Steps[0]
	if want := "config: 0 → 201, constant, 2 stages over 1m40s, at most 10/s, at most 10 in flight"; ramp.Text != want {
		t.Errorf("reconcile: %s, want %s", ramp.Text, want)
	}
	if ramp.Duration != 40*time.Second { // a ramp from 0 to 10/s brings 200 in 40 s, and the 201st is the last
		t.Errorf("the reconcile takes %s", ramp.Duration)
	}
	if want := "2 kinds of requests, poisson, 5 stages over 5m, at most 120/s, 2 connections, 1 identities"; users.Text != want {
		t.Errorf("requests: %s, want %s", users.Text, want)
	}
	total := 30*60 + 60*60 + 120*10 + 40*120 + (27.75+32.75)*25
	if got := users.Requests["GET configmaps"] + users.Requests["LIST configmaps"]; users.Duration != 5*time.Minute || math.Abs(float64(got)-total) > 1 {
		t.Errorf("%d requests in %s, want %v", got, users.Duration, total)
	}
	if want := "1 kinds of requests, closed loop, 300 users, think 1s in the mean, 3 connections, 1 identities"; people.Text != want {
		t.Errorf("closed loop: %s, want %s", people.Text, want)
	}
	if people.Duration != 5*time.Minute || len(people.Requests) != 0 {
		t.Errorf("closed loop: %s, requests %v", people.Duration, people.Requests)
	}
	if got := plan.Phases[1].Tracks[1].Steps[0].Requests.MaxInFlight; got != 300 {
		t.Errorf("maxInFlight %d, want room for all users", got)
	}
}

// TestCurveOfShapes holds that the curve shows the rate of the stages: each bin's count is within 5 standard deviations of
// what is expected in it (the count is Poisson distributed), and the closed loop adds nothing.
func TestCurveOfShapes(t *testing.T) {
	plan := compile(t, mustLoad(t, shapes))
	arrivals := *plan.Phases[1].Tracks[0].Steps[0].Requests.Arrivals
	const bins = 60
	curve := plan.Curve("workload", bins)
	if len(curve) != bins {
		t.Fatalf("%d bins", len(curve))
	}
	width := arrivals.Length() / bins
	for i, rate := range curve {
		want := arrivals.Expected(time.Duration(i+1)*width) - arrivals.Expected(time.Duration(i)*width)
		if got := rate * width.Seconds(); math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("bin %d has %v requests, want about %v", i, got, want)
		}
	}
	if spike := slices.Max(curve); spike != slices.Max(curve[24:26]) {
		t.Errorf("the largest rate is %v, and not in the spike from 2m to 2m10s", spike)
	}
}

// TestSamePlan holds that a profile and its seed give the same plan, byte for byte, and another seed another.
func TestSamePlan(t *testing.T) {
	bytesOf := func(seed string) []byte {
		plan := compile(t, mustLoad(t, shapes, "seed="+seed))
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		for _, v := range []any{plan, plan.Outline(), plan.Curve("workload", 60)} {
			if err := encoder.Encode(v); err != nil {
				t.Fatal(err)
			}
		}
		step := *plan.Phases[1].Tracks[0].Steps[0].Requests
		picks := slices.Collect(Picks(step, map[string]Pool{"config": {Next: 201}}, StreamSeed(plan.Profile.Seed, "workload", "users", 0)))
		if err := encoder.Encode(picks); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	if !bytes.Equal(bytesOf("3"), bytesOf("3")) {
		t.Error("the same seed gives another plan")
	}
	if bytes.Equal(bytesOf("3"), bytesOf("4")) {
		t.Error("another seed gives the same plan")
	}
}

// TestRoundTripOfShapes holds that what Load filled in can be loaded again.
func TestRoundTripOfShapes(t *testing.T) {
	first := mustLoad(t, shapes)
	text, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(mustLoad(t, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, again) {
		t.Errorf("%s\nbecomes\n%s", text, again)
	}
}

// TestNoCurveOfAClosedLoop holds that a phase whose requests nobody can plan is not drawn as one without requests.
func TestNoCurveOfAClosedLoop(t *testing.T) {
	plan := compile(t, mustLoad(t, shapes, "phases[1].tracks[0].steps=[{pause: 1m}]"))
	if curve := plan.Curve("workload", 10); curve != nil {
		t.Errorf("curve %v", curve)
	}
}
