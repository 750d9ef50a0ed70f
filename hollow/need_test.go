package hollow

import "testing"

func TestNeed(t *testing.T) {
	memory, files := Need(0, 0, true)
	if memory != programBytes+processBytes || files != processFiles {
		t.Errorf("no nodes need %d bytes and %d files", memory, files)
	}
	memory, files = Need(10, 300, false)
	if want := int64(programBytes + processBytes + 10*kubeletBytes + 300*podBytes); memory != want {
		t.Errorf("10 nodes with 300 pods need %d bytes, want %d", memory, want)
	}
	if want := processFiles + 10*kubeletFiles; files != want {
		t.Errorf("10 nodes need %d files, want %d", files, want)
	}
	withProxy, filesWithProxy := Need(10, 300, true)
	if withProxy-memory != 10*proxyBytes || filesWithProxy-files != 10*proxyFiles {
		t.Errorf("10 proxies need %d bytes and %d files", withProxy-memory, filesWithProxy-files)
	}
}

// TestNeedHoldsThePromise: 1 000 nodes with proxies in four processes take at most 2 GB.
func TestNeedHoldsThePromise(t *testing.T) {
	memory, files := Need(250, 0, true)
	if 4*memory > 2_000_000_000 {
		t.Errorf("1 000 idle nodes need %d bytes", 4*memory)
	}
	if files > 4096 {
		t.Errorf("a shard of 250 nodes needs %d files", files)
	}
}
