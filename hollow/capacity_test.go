package hollow

import (
	"strings"
	"testing"
)

func TestParseCapacity(t *testing.T) {
	got, err := ParseCapacity(map[string]string{
		"cpu": "32", "memory": "256Gi", "ephemeral-storage": "1Ti", "hugepages-2Mi": "1Gi", "example.com/gpu": "8",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Cores != 32 || got.Memory != 256<<30 || got.EphemeralStorage != 1<<40 || got.HugePages[2<<20] != 512 {
		t.Errorf("got %+v", got)
	}
	gpu := got.Extended["example.com/gpu"]
	if gpu.Value() != 8 || len(got.Extended) != 1 {
		t.Errorf("extended resources %v", got.Extended)
	}
	if got, err := ParseCapacity(map[string]string{"cpu": "1", "memory": "1Gi"}); err != nil || got.EphemeralStorage != 100<<30 {
		t.Errorf("default ephemeral storage %d, error %v", got.EphemeralStorage, err)
	}
}

func TestParseCapacityReportsEveryProblem(t *testing.T) {
	_, err := ParseCapacity(map[string]string{
		"cpu": "0", "ephemeral-storage": "-1", "hugepages-x": "1Gi", "hugepages-2Mi": "3Mi", "example.com/gpu": "1500m", "pods": "5", "a.b/c": "many",
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"cpu", "no memory", "ephemeral-storage", "hugepages-x", "hugepages-2Mi", "example.com/gpu", "pods", "a.b/c",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not speak of %q: %v", want, err)
		}
	}
}
