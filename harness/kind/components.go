package kind

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"windtunnel/harness/cluster"
	"windtunnel/results"
)

// The programs of a node beside the control plane, as components of a run: they share the machine.
const (
	kubeletName    = "kind-kubelet"
	containerdName = "kind-containerd"
	proxyName      = "kube-proxy"
)

// component is one program in one node.
type component struct {
	name    string // of the component in records
	program string
	node    int // number of the node
	pid     int // on this machine, 0 where it cannot be seen
	args    []string
	killed  bool // by Kill, and not yet started again
}

// programs are the programs of a node that are components, by their names in records.
func programs() map[string]string {
	return map[string]string{etcdName: etcdName, apiServerName: apiServerName, controllerManagerName: controllerManagerName, schedulerName: schedulerName,
		proxyName: proxyName, "kubelet": kubeletName, "containerd": containerdName}
}

// order is the order of components in records.
func order() []string {
	return []string{etcdName, apiServerName, controllerManagerName, schedulerName, kubeletName, containerdName, proxyName}
}

// findComponents looks for the components' processes. Where the nodes are not on this machine, there are none to be seen and
// the components are known by name alone.
func (c *Cluster) findComponents(ctx context.Context) error {
	parents, err := readParents()
	if err != nil {
		return err
	}
	var all []component
	for i, n := range c.nodes {
		node, err := c.engine.inspect(ctx, n.String())
		if err != nil {
			return err
		}
		seen := map[string]component{}
		for pid := range parents {
			if !node.holds(pid, parents) {
				continue
			}
			args := commandLine(pid)
			if len(args) == 0 {
				continue
			}
			program := path.Base(args[0])
			if name, ok := programs()[program]; ok {
				seen[name] = component{name: name + suffix(i), program: program, node: i, pid: pid, args: args}
			}
		}
		controls := i < c.controlPlanes()
		for _, name := range order() {
			k, ok := seen[name]
			if !ok && controls && isControl(name) {
				k, ok = component{name: name + suffix(i), program: name, node: i}, true
			}
			if ok {
				all = append(all, k)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.components = all
	return nil
}

func isControl(name string) bool {
	return name == etcdName || name == apiServerName || name == controllerManagerName || name == schedulerName
}

// controlPlanes is how many nodes have a control plane.
func (c *Cluster) controlPlanes() int {
	count := 0
	for _, n := range c.nodes {
		if role, err := n.Role(); err == nil && role == "control-plane" {
			count++
		}
	}
	return count
}

// holds tells whether a process of this machine descends from the container's first one. That the engine's pid is one of this
// machine shows in the process' cgroup, which the engine names after the container.
func (c container) holds(pid int, parents map[int]int) bool {
	cgroup, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.pid))
	if err != nil || !bytes.Contains(cgroup, []byte(c.id)) {
		return false
	}
	for at := pid; at > 1; at = parents[at] {
		if at == c.pid {
			return true
		}
	}
	return false
}

// readParents maps every process of this machine to its parent.
func readParents() (map[int]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	parents := map[int]int{}
	for _, file := range stats {
		pid, err := strconv.Atoi(strings.Split(file, "/")[2])
		if err != nil {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid …, where the name may hold anything
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) > 1 {
			parents[pid], _ = strconv.Atoi(fields[1])
		}
	}
	return parents, nil
}

// commandLine is the program of a process with its arguments, nil for a kernel's or one that has ended.
func commandLine(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
}

// Components are the programs of all nodes with their flags: those of the control plane, the kubelets and what runs beside them.
func (c *Cluster) Components() []results.Component {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []results.Component{{Name: childName, PID: c.ownerPID, Args: []string{c.opts.Executable, "kind-cluster"}, Log: filepath.Join("logs", childName+".log")}}
	for _, k := range c.components {
		list = append(list, results.Component{Name: k.name, PID: k.pid, Args: k.args, Log: filepath.Join(filepath.Base(c.opts.LogDir), k.name+".log")})
	}
	return list
}

// Limits are the limits in force that shape the load.
func (c *Cluster) Limits() map[string]float64 {
	return cluster.Limits(func(component, flag string) string { return c.flag(component, flag) })
}

// flag is the value of a component's flag, "" when it is not given.
func (c *Cluster) flag(component, name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.components {
		for _, arg := range k.args {
			if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok && k.name == component {
				return value
			}
		}
	}
	return ""
}
