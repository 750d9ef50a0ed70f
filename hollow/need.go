package hollow

// What a shard needs, measured with k8s.io/kubernetes v1.36.3 on linux/amd64 (docs/performance.md has the commands).
const (
	// processBytes is what a shard takes before its first node: the program's pages that are its own, and the runtime.
	processBytes = 110 << 20
	// kubeletBytes and proxyBytes are what an idle node's two parts take.
	kubeletBytes = 1300 << 10
	proxyBytes   = 450 << 10
	// podBytes is what one running pod takes on top, files in RootDir included.
	podBytes = 160 << 10

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
	memory = processBytes + int64(nodes)*kubeletBytes + int64(pods)*podBytes
	files = processFiles + nodes*kubeletFiles
	if proxy {
		memory += int64(nodes) * proxyBytes
		files += nodes * proxyFiles
	}
	return memory, files
}
