package hollow

// What a shard needs, measured with k8s.io/kubernetes v1.36.3 on linux/amd64 (docs/performance.md has the commands).
const (
	// programBytes are the program's own pages in memory, which several shards share.
	programBytes = 30 << 20
	// processFiles is what a shard holds open before its first node.
	processFiles = 64
)

// cost is what the nodes of a tier take.
type cost struct {
	// process is what a shard takes besides the program, before its first node, in bytes.
	process int64
	// node and proxy are what an idle node's two parts take, in bytes.
	node, proxy int64
	// pod is what one pod takes on top, in bytes.
	pod int64
	// nodeFiles and proxyFiles are what a node's two parts hold open.
	nodeFiles, proxyFiles int
}

// cost is that of the tier and fidelity. What the processes of tier light took at most (.ci/bench light-nodes), all that is theirs divided by
// their nodes, was 138 KB a node with its proxy at fidelity kubelet (3 000 nodes) and 12.6 and 9.1 KB at fidelity minimal (5 000 and
// 10 000); the allowances leave room for what the collector has not taken yet.
func (s Size) cost() cost {
	switch {
	case s.Minimal:
		// A few connections for all nodes; a kube-proxy is not simulated.
		return cost{process: 30 << 20, node: 16 << 10, pod: 8 << 10}
	case s.Light:
		// A connection each, which may be two while one is replaced.
		return cost{process: 30 << 20, node: 160 << 10, proxy: 90 << 10, pod: 24 << 10, nodeFiles: 2, proxyFiles: 2}
	}
	// A pod takes about 70 KiB live, what the collector leaves lying between two of its runs, and 16 KiB of files in RootDir. A
	// kubelet also holds its pod resources socket.
	return cost{process: 50 << 20, node: 1000 << 10, proxy: 350 << 10, pod: 400 << 10, nodeFiles: 4, proxyFiles: 2}
}

// Size is how much one process holds.
type Size struct {
	// Nodes is the number of nodes, Pods that of their pods at one time.
	Nodes, Pods int
	// Proxy says that every node has a kube-proxy.
	Proxy bool
	// Light says that the nodes are of tier light, and Minimal that they are so at fidelity minimal.
	Light, Minimal bool
}

// Need returns what one process needs at most: bytes of memory, with the files of its RootDir where that is in memory, and
// open files.
func Need(s Size) (memory int64, files int) {
	c := s.cost()
	files = processFiles + s.Nodes*c.nodeFiles
	if s.Proxy {
		files += s.Nodes * c.proxyFiles
	}
	return programBytes + HeapAllowance(s), files
}

// HeapAllowance returns the part of Need's memory that the Go runtime may take, in bytes.
func HeapAllowance(s Size) int64 {
	c := s.cost()
	memory := c.process + int64(s.Nodes)*c.node + int64(s.Pods)*c.pod
	if s.Proxy {
		memory += int64(s.Nodes) * c.proxy
	}
	return memory
}
