package profiles

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"testing"
	"time"
)

// TestInstantsStay holds the instants of streams without stages: the published plans of old runs must stay what they
// were, to the nanosecond. The sums were taken before there were stages.
func TestInstantsStay(t *testing.T) {
	for _, c := range []struct {
		arrivals Arrivals
		seed     uint64
		want     string
	}{
		{Arrivals{Rate: 30, For: Duration(2 * time.Minute)}, 1, "3600 0ae891cd3729ea9d"},
		{Arrivals{Process: ProcessConstant, Rate: 0.7, For: Duration(time.Hour)}, 2, "2520 01086b0713d1aea2"},
		{Arrivals{Process: ProcessConstant, Rate: 333.3}, 3, "10000 6503339cbdd9ab66"},
		{Arrivals{Process: ProcessPoisson, Rate: 30.7, For: Duration(148 * time.Second)}, 1, "4471 3885706cd246e4c6"},
		{Arrivals{Process: ProcessPoisson, Rate: 1234.5}, 0xdecade, "10000 8bdc5414fd379441"},
	} {
		sum, n := fnv.New64a(), 0
		for at := range Schedule(c.arrivals, c.seed) {
			_ = binary.Write(sum, binary.BigEndian, int64(at)) // a hash takes everything
			if n++; n == 10_000 {
				break
			}
		}
		if got := fmt.Sprintf("%d %016x", n, sum.Sum64()); got != c.want {
			t.Errorf("%+v with seed %d: %s, want %s", c.arrivals, c.seed, got, c.want)
		}
	}
}
