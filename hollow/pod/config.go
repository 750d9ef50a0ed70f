// Package pod is what hollow nodes need when their process is a pod of a cluster instead of a child of the harness: a description that
// holds no secret and can be changed while they run, identities that the cluster itself signs, a readiness that a kubelet can probe, and
// what a harness reads of them. See package hollow for what a hollow node is.
package pod

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"windtunnel/hollow"
)

// Keys of the ConfigMap that describes the hollow nodes of a cluster.
const (
	// KeyNodes holds a Config as JSON.
	KeyNodes = "nodes.json"
	// KeyDown holds the names of the nodes that are cut off, a JSON array; where there is none all are connected.
	KeyDown = "down.json"
)

// Config describes all hollow nodes of a cluster. It is the same for every pod of the StatefulSet, and each takes its share by the number
// at the end of its own name. Count may be changed at any time; what else is changed applies to pods that start afterwards.
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

// Parse reads the data of the ConfigMap and reports everything that is wrong with it.
func Parse(data map[string]string) (c Config, down []string, err error) {
	text, ok := data[KeyNodes]
	if !ok {
		return Config{}, nil, fmt.Errorf("hollow nodes' configuration: there is no key %s", KeyNodes)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	var problems []error
	if err := decoder.Decode(&c); err != nil {
		problems = append(problems, fmt.Errorf("%s: %w", KeyNodes, err))
	} else {
		problems = c.problems()
	}
	if text, ok := data[KeyDown]; ok {
		if err := json.Unmarshal([]byte(text), &down); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", KeyDown, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return Config{}, nil, fmt.Errorf("hollow nodes' configuration: %w", err)
	}
	return c, down, nil
}

func (c Config) problems() (problems []error) {
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(KeyNodes+": "+format, args...))
	}
	if c.Count < 0 {
		report("count is %d, less than 0", c.Count)
	}
	if c.PerPod < 1 {
		report("perPod is %d, less than 1", c.PerPod)
	}
	if c.Zones < 0 {
		report("zones is %d, less than 0", c.Zones)
	}
	if c.NamePrefix == "" {
		report("there is no namePrefix")
	}
	if c.Shard.Usage != nil {
		report("shard.usage: nodes in pods serve no metrics")
	}
	return problems
}

// Pods is how many pods the nodes need.
func (c Config) Pods() int { return (c.Count + c.PerPod - 1) / c.PerPod }

// Name is the name of node number index.
func (c Config) Name(index int) string { return c.NamePrefix + strconv.Itoa(index) }

// Has says whether a node of that name is one of them.
func (c Config) Has(name string) bool {
	number, ok := strings.CutPrefix(name, c.NamePrefix)
	index, err := strconv.Atoi(number)
	return ok && err == nil && index >= 0 && index < c.Count && c.Name(index) == name
}

// Check says whether there can be that many nodes.
func (c Config) Check(count int) error {
	c.Count = count
	return errors.Join(c.problems()...)
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
		node := hollow.Node{Name: c.Name(i), Index: i}
		if c.Zones > 0 {
			node.Labels = map[string]string{zoneLabel: "zone-" + strconv.Itoa(i%c.Zones)}
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
