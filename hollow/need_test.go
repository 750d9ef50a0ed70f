package hollow

import "testing"

func TestNeed(t *testing.T) {
	for _, kind := range []Size{{}, {Light: true}, {Light: true, Minimal: true}} {
		c := kind.cost()
		of := func(nodes, pods int, proxy bool) Size {
			s := kind
			s.Nodes, s.Pods, s.Proxy = nodes, pods, proxy
			return s
		}
		memory, files := Need(of(0, 0, true))
		if memory != programBytes+c.process || files != processFiles {
			t.Errorf("%+v: no nodes need %d bytes and %d files", kind, memory, files)
		}
		memory, files = Need(of(10, 300, false))
		if want := programBytes + c.process + 10*c.node + 300*c.pod; memory != want {
			t.Errorf("%+v: 10 nodes with 300 pods need %d bytes, want %d", kind, memory, want)
		}
		if want := processFiles + 10*c.nodeFiles; files != want {
			t.Errorf("%+v: 10 nodes need %d files, want %d", kind, files, want)
		}
		withProxy, filesWithProxy := Need(of(10, 300, true))
		if withProxy-memory != 10*c.proxy || filesWithProxy-files != 10*c.proxyFiles {
			t.Errorf("%+v: 10 proxies need %d bytes and %d files", kind, withProxy-memory, filesWithProxy-files)
		}
	}
}

// TestNeedHoldsThePromises: 1 000 nodes with proxies in four processes take at most 2 GB, a light node 250 KB, and one of fidelity
// minimal 60 KB.
func TestNeedHoldsThePromises(t *testing.T) {
	memory, files := Need(Size{Nodes: 250, Proxy: true})
	if 4*memory > 2_000_000_000 {
		t.Errorf("1 000 idle nodes need %d bytes", 4*memory)
	}
	if files > 4096 {
		t.Errorf("a shard of 250 nodes needs %d files", files)
	}
	if light := (Size{Light: true}).cost(); light.node+light.proxy > 250<<10 {
		t.Errorf("a light node needs %d bytes", light.node+light.proxy)
	}
	if minimal := (Size{Light: true, Minimal: true}).cost(); minimal.node > 60<<10 {
		t.Errorf("a minimal node needs %d bytes", minimal.node)
	}
}
