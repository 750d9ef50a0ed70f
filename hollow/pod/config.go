// Package pod is what hollow nodes need when their process is a pod of a cluster instead of a child of the harness: a description that
// holds no secret, identities that the cluster itself signs, and a readiness that a kubelet can probe. See package hollow for what a
// hollow node is.
package pod

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"windtunnel/hollow"
)

// Config describes all hollow nodes of a cluster. It is the same for every pod of the StatefulSet, and each takes its share by the number
// at the end of its own name.
type Config struct {
	// NamePrefix begins every node's name; the node's number follows.
	NamePrefix string `json:"namePrefix"`
	// Count is how many nodes there are in all pods together.
	Count int `json:"count"`
	// PerPod is how many of them a pod holds; the last one may hold fewer.
	PerPod int `json:"perPod"`
	// Zones spreads the nodes evenly over this many zones; 0 sets no zone.
	Zones int `json:"zones,omitempty"`
	// Shard is what a shard is told besides; what a pod finds out by itself (its name, nodes, server, authority and paths) is left out.
	Shard hollow.ShardConfig `json:"shard"`
}

// zoneLabel is the well-known label of a node's zone.
const zoneLabel = "topology.kubernetes.io/zone"

// ReadConfig reads a description and reports everything that is wrong with it.
func ReadConfig(path string) (Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("read hollow nodes' configuration: %w", err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	var c Config
	if err := decoder.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("read hollow nodes' configuration %s: %w", path, err)
	}
	var problems []error
	for name, n := range map[string]int{"count": c.Count, "perPod": c.PerPod} {
		if n < 1 {
			problems = append(problems, fmt.Errorf("%s is %d, less than 1", name, n))
		}
	}
	if c.Zones < 0 {
		problems = append(problems, fmt.Errorf("zones is %d, less than 0", c.Zones))
	}
	if err := errors.Join(problems...); err != nil {
		return Config{}, fmt.Errorf("hollow nodes' configuration %s: %w", path, err)
	}
	return c, nil
}

// Nodes are those of a pod by its name, which ends with the number that its StatefulSet gave it. A pod beyond the last node has none,
// which is no error: the StatefulSet is about to be scaled down.
func (c Config) Nodes(pod string) ([]hollow.Node, error) {
	ordinal, err := strconv.Atoi(pod[strings.LastIndex(pod, "-")+1:])
	if err != nil || ordinal < 0 {
		return nil, fmt.Errorf("the name of pod %q does not end with the number that a StatefulSet gives", pod)
	}
	var nodes []hollow.Node
	for i := ordinal * c.PerPod; i < min((ordinal+1)*c.PerPod, c.Count); i++ {
		node := hollow.Node{Name: c.NamePrefix + strconv.Itoa(i), Index: i}
		if c.Zones > 0 {
			node.Labels = map[string]string{zoneLabel: "zone-" + strconv.Itoa(i%c.Zones)}
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
