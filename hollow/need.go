package hollow

// What a shard needs, measured with k8s.io/kubernetes v1.36.3 on linux/amd64 (docs/performance.md has the commands).
const (
	// programBytes are the program's own pages in memory, which several shards share.
	programBytes = 30 << 20
	// processBytes is what a shard takes besides, before its first node.
	processBytes = 50 << 20
	// kubeletBytes and proxyBytes are what an idle node's two parts take.
	kubeletBytes = 1000 << 10
	proxyBytes   = 350 << 10
	// podBytes is what one pod takes on top, from its start on: about 70 KiB live, and what the collector leaves lying
	// between two of its runs, and 16 KiB of files in RootDir.
	podBytes = 400 << 10

	// processFiles is what a shard holds open before its first node.
	processFiles = 64
	// kubeletFiles and proxyFiles are what a node's two parts hold open: a connection each, which may be two while one is
	// replaced, and the kubelet's pod resources socket.
	kubeletFiles = 4
	proxyFiles   = 2
)

// Need returns what one process with so many nodes and, at one time, so many pods needs at most: bytes of memory, with the
// files of its RootDir where that is in memory, and open files.
func Need(nodes, pods int, proxy bool) (memory int64, files int) {
	files = processFiles + nodes*kubeletFiles
	if proxy {
		files += nodes * proxyFiles
	}
	return programBytes + HeapAllowance(nodes, pods, proxy), files
}

// HeapAllowance returns the part of Need's memory that the Go runtime may take, in bytes.
func HeapAllowance(nodes, pods int, proxy bool) int64 {
	memory := processBytes + int64(nodes)*kubeletBytes + int64(pods)*podBytes
	if proxy {
		memory += int64(nodes) * proxyBytes
	}
	return memory
}
