package results

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// drawRecord fills every field of a record, so that a field without a column shows.
func drawRecord[T Record](t *rapid.T) T {
	var r T
	v := reflect.ValueOf(&r).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Int64:
			f.SetInt(rapid.Int64().Draw(t, "int64"))
		case reflect.Int32:
			f.SetInt(int64(rapid.Int32().Draw(t, "int32")))
		case reflect.Float64:
			f.SetFloat(rapid.Float64().Draw(t, "float64"))
		case reflect.String:
			f.SetString(rapid.String().Draw(t, "string"))
		case reflect.Slice:
			if b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"); len(b) > 0 {
				f.SetBytes(b)
			}
		default:
			t.Fatalf("record field of kind %s", f.Kind())
		}
	}
	return r
}

// collect reads a whole file.
func collect[T Record](t testing.TB, path string) ([]T, error) {
	t.Helper()
	var got []T
	for r, err := range Read[T](path) {
		if err != nil {
			return got, err
		}
		got = append(got, r)
	}
	return got, nil
}

func writeAll[T Record](t testing.TB, path string, rs []T, opts ...WriterOption) {
	t.Helper()
	w, err := NewWriter[T](path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		w.Append(r)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// exampleRequests are n requests such as a run makes.
func exampleRequests(n int) []Request {
	verbs := []string{"GET", "LIST", "POST", "PUT", "PATCH", "DELETE"}
	rs := make([]Request, n)
	for i := range rs {
		at := int64(i) * 10_000_000
		rs[i] = Request{
			Planned: at, Sent: at + 50_000, FirstByte: at + 2_000_000 + int64(i%977), Done: at + 2_100_000 + int64(i%1013),
			Phase: "workload", Track: "users", Verb: verbs[i%len(verbs)], Version: "v1", Resource: "pods", Scope: "resource",
			Object: "load-0/pod-" + string(rune('a'+i%26)), Code: 200, BytesOut: 312, BytesIn: 4000 + int64(i%331), Attempt: 1,
			Identity: "windtunnel:user-0", FlowSchema: "5a6e2f7c-43a8-4e6c-8d6b-0e4a1f1d2c3b", PriorityLevel: "7b6e2f7c-43a8-4e6c-8d6b-0e4a1f1d2c3b",
		}
	}
	return rs
}
