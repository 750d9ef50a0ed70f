package profiles

import (
	"strings"
	"testing"
	"time"
)

// TestLargeFiles holds that the time for a file of the largest size grows with its length, not with its square, also when
// everything is on one line and everything is wrong.
func TestLargeFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const size = 128 << 10
	for name, piece := range map[string]string{"one line": "k%: 1, ", "lines": "k%: 1\n", "list": "- [x, y]\n", "anchors": "- &a [1]\n- *a\n"} {
		var b strings.Builder
		if name == "one line" {
			b.WriteByte('{')
		}
		for i := 0; b.Len() < size; i++ {
			b.WriteString(strings.ReplaceAll(piece, "%", strings.Repeat("z", i%60)+time.Duration(i).String()))
		}
		if name == "one line" {
			b.WriteByte('}')
		}
		begin := time.Now()
		if _, err := Load("large.yaml", []byte(b.String()), nil); err == nil {
			t.Errorf("%s: no problem found", name)
		} else if len(err.Error()) > 1<<20 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}
