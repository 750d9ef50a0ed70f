package host

import "testing"

func TestMemoryLimit(t *testing.T) {
	for _, c := range []struct {
		name          string
		live, outside int64
		want          int64
	}{
		{"what is allowed", 100 << 20, 50 << 20, 400 << 20},
		{"what is live needs more", 300 << 20, 50 << 20, 530 << 20},
	} {
		if got := memoryLimit(400<<20, memory{live: c.live, outside: c.outside}); got != c.want {
			t.Errorf("%s: limit %d, want %d", c.name, got, c.want)
		}
	}
	if m := readMemory(); m.outside <= 0 || m.live < 0 {
		t.Errorf("this process has %+v", m)
	}
}
