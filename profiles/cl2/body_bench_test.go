package cl2

import "testing"

// BenchmarkBody is what rendering an object costs the harness during a run, per object.
func BenchmarkBody(b *testing.B) {
	test := Read(small, options())
	planner, err := test.Planner()
	if err != nil {
		b.Fatal(err)
	}
	for range 2 {
		step, err := planner.Next(nil)
		if err != nil {
			b.Fatal(err)
		}
		if len(step.Phases) == 0 {
			continue
		}
		operations := step.Phases[0].Actions[0].Operations
		body := operations[len(operations)-1].Body
		b.ReportAllocs()
		for b.Loop() {
			if _, err := body(""); err != nil {
				b.Fatal(err)
			}
		}
	}
}
