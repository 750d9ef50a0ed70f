package stages

import (
	"math/rand/v2"
	"time"
)

// Surroundings is what a template asks about the cluster around an object.
type Surroundings interface {
	// NodeIPs are the addresses of a node, the first being the one to use alone; of an empty name, those of the node that
	// carries out the stages.
	NodeIPs(node string) []string
	// NodeName is the host name of what carries out the stages.
	NodeName() string
	// NodePort is the port of the node's kubelet API; 0 when there is none.
	NodePort() int
	// PodIPs are the addresses of a pod, the first being the one to use alone. It gives the same pod the same addresses.
	PodIPs(p PodAddress) []string
}

// PodAddress says for which pod an address is asked. A template that calls PodIP without arguments asks with all of them empty.
type PodAddress struct {
	Node        string
	HostNetwork bool
	UID         string
	Name        string
	Namespace   string
}

// Scope is what a template sees beside the object.
type Scope struct {
	// Now is the instant at which the stage is carried out.
	Now time.Time
	// Started is the instant that StartTime gives.
	Started time.Time
	// Version is the text that Version gives.
	Version string
	// Random decides what the template leaves to chance. It is not used by several goroutines at once.
	Random *rand.Rand
	// Around is the cluster; nil leaves every address empty.
	Around Surroundings
	// Placeholders makes what asks for the instant or the surroundings give its own name, such as <Now>, so that what is
	// rendered can be compared with a file. The names are those of KWOK's own tests.
	Placeholders bool
}

func (s *Scope) nodeIPs(node string) []string {
	if s.Around == nil {
		return nil
	}
	return s.Around.NodeIPs(node)
}

func (s *Scope) nodeName() string {
	if s.Around == nil {
		return ""
	}
	return s.Around.NodeName()
}

func (s *Scope) nodePort() int {
	if s.Around == nil {
		return 0
	}
	return s.Around.NodePort()
}

func (s *Scope) podIPs(p PodAddress) []string {
	if s.Around == nil {
		return nil
	}
	return s.Around.PodIPs(p)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
