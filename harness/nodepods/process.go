package nodepods

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processOf finds the process of a container among those of this machine, by the control group that carries the container's id, which a
// container engine inside another container gives as well; 0 where there is none to be seen. Of several the first is meant, which is the
// container's own.
func processOf(container string) int {
	if container == "" {
		return 0
	}
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return 0
	}
	least := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), container) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && (least == 0 || pid < least) {
			least = pid
		}
	}
	return least
}
