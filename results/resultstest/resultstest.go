// Package resultstest writes run directories for tests of those who read them. Only tests import it.
package resultstest

import (
	"testing"

	"windtunnel/results"
)

// Fill writes records to a stream of a run directory; file is its name there, such as results.PodsFile.
func Fill[T results.Record](t testing.TB, d *results.Dir, file string, records []T) {
	t.Helper()
	w, err := results.NewWriter[T](d.Path(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		w.Append(r)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
