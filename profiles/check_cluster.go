package profiles

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// longestName bounds the name of a profile, which begins the name of a directory, and of phases and tracks.
const longestName = 63

func (c *checker) header() {
	switch {
	case c.APIVersion == "":
		c.problem("apiVersion", "write apiVersion: "+APIVersion, "is required")
	case c.APIVersion != APIVersion:
		c.problem("apiVersion", "write "+APIVersion, "%q is not a version that this windtunnel reads", c.APIVersion)
	}
	switch {
	case c.Kind == "":
		c.problem("kind", "write kind: "+Kind, "is required")
	case c.Kind != Kind:
		c.problem("kind", "write "+Kind, "%q is not a profile", c.Kind)
	}
	c.name("name", c.Name, longestName)
	c.span("timeout", c.Timeout)
}

// enumOf are the words that a field of a type may have.
func enumOf[T any](name string) []string {
	f, _ := fieldNamed(reflect.TypeFor[T](), name)
	return f.enum
}

func (c *checker) controlPlane() {
	const path = "controlPlane"
	cp := c.ControlPlane
	c.provider()
	if cp.Port < 0 || cp.Port > 65535 {
		c.problem(path+".port", "0 takes a free one", "must be between 0 and 65535, not %d", cp.Port)
	}
	c.span(path+".readyTimeout", cp.ReadyTimeout)
	c.enum(path+".apiServer.audit", cp.APIServer.Audit, enumOf[APIServer]("audit"))
	c.args(path+".etcd.args", cp.Etcd.Args)
	c.args(path+".apiServer.args", cp.APIServer.Args)
	c.client(path+".controllerManager", cp.ControllerManager)
	c.client(path+".scheduler", cp.Scheduler)
}

func (c *checker) client(path string, client Client) {
	c.positive(path+".qps", client.QPS)
	c.atLeast(path+".burst", client.Burst, 1)
	c.args(path+".args", client.Args)
	for flag, field := range map[string]string{"kube-api-qps": "qps", "kube-api-burst": "burst"} {
		if _, there := client.Args[flag]; there {
			c.keyProblem(joinKey(path+".args", flag), fmt.Sprintf("write %s.%s", path, field), "this flag has a field of its own")
		}
	}
}

// args checks the names of flags.
func (c *checker) args(path string, args map[string]string) {
	for _, name := range sortedKeys(args) {
		at := joinKey(path, name)
		switch bare := strings.TrimLeft(name, "-"); {
		case bare == "":
			c.keyProblem(at, "", "the name of a flag is missing")
		case bare != name:
			c.keyProblem(at, "write "+bare, "flags are named without dashes")
		case strings.ContainsAny(name, "= \t\n"):
			c.keyProblem(at, "write NAME: VALUE", "%q is not the name of a flag", name)
		case strings.ContainsRune(args[name], 0):
			c.problem(at, "", "the value has a NUL character")
		}
	}
}

// mostPadding keeps a padded node below Kubernetes' limit of 256 KiB for all annotations of an object.
const mostPadding = 250_000

func (c *checker) hollowNodes() {
	const path = "hollowNodes"
	h := c.HollowNodes
	c.atLeast(path+".count", h.Count, 0)
	c.enum(path+".tier", h.Tier, enumOf[HollowNodes]("tier"))
	c.enum(path+".fidelity", h.Fidelity, enumOf[HollowNodes]("fidelity"))
	if h.Tier == TierKubelet && h.Fidelity == FidelityMinimal {
		c.problem(path+".fidelity", "write tier: light", "nodes of tier %s are kubelets and always behave like them", h.Tier)
	}
	c.atLeast(path+".perProcess", h.PerProcess, 1)
	c.namePrefix(path+".namePrefix", h.NamePrefix)
	c.atLeast(path+".maxPods", h.MaxPods, 1)
	c.atLeast(path+".zones", h.Zones, 1)
	if h.Count > 0 && h.Zones > h.Count {
		c.problem(path+".zones", fmt.Sprintf("write at most %d", h.Count), "%d zones cannot be filled by %s", h.Zones, counted(h.Count, "node"))
	}
	if h.PaddingBytes < 0 || h.PaddingBytes > mostPadding {
		c.problem(path+".paddingBytes", "Kubernetes limits all annotations of an object to 256 KiB", "must be between 0 and %d, not %d", mostPadding, h.PaddingBytes)
	}
	c.positive(path+".qps", h.QPS)
	c.atLeast(path+".burst", h.Burst, 1)
	c.latency(path+".runtime.sandboxStart", h, h.Runtime.SandboxStart, h.Runtime.SandboxStartP99)
	c.latency(path+".runtime.containerStart", h, h.Runtime.ContainerStart, h.Runtime.ContainerStartP99)
	c.latency(path+".runtime.containerStop", h, h.Runtime.ContainerStop, h.Runtime.ContainerStopP99)
	c.span(path+".readyTimeout", h.ReadyTimeout)
	c.lifeCycles(path+".stages", h)
	c.usage(path+".usage", h)
	c.nodeCapacity(path+".capacity", h.Capacity)
	c.nodeLabels(path+".labels", h)
	c.taints(path+".taints", h.Taints)
}

func (c *checker) namePrefix(path, prefix string) {
	const longest = 50 // leaves room for the number in a DNS label
	switch {
	case !dnsSubdomain.MatchString(prefix + "0"):
		c.problem(path, "such as hollow-", "%q does not begin a node's name: only a-z, 0-9, - and . are allowed", prefix)
	case len(prefix) > longest:
		c.problem(path, "", "has %d characters; at most %d are allowed", len(prefix), longest)
	}
}

func (c *checker) nodeCapacity(path string, capacity map[string]string) {
	for _, name := range sortedKeys(capacity) {
		at := joinKey(path, name)
		if name == "pods" {
			c.keyProblem(at, "write hollowNodes.maxPods", "the number of pods has a field of its own")
			continue
		}
		if q, err := parseQuantity(capacity[name]); err != nil {
			c.problem(at, quantityHint(capacity[name]), "%q is not a Kubernetes quantity", capacity[name])
		} else if !(q > 0) && (name == "cpu" || name == "memory") {
			c.problem(at, "", "must be more than 0, not %s", capacity[name])
		} else if q < 0 {
			c.problem(at, "", "must not be negative, not %s", capacity[name])
		}
		standard := []string{"cpu", "memory", "ephemeral-storage"}
		if slices.Contains(standard, name) || strings.HasPrefix(name, "hugepages-") {
			continue
		}
		if !strings.Contains(name, "/") {
			hint := "an extended resource has a domain, such as example.com/gpu"
			if _, near := nearest(name, standard); near {
				hint = suggest(name, standard) + " " + strings.ToUpper(hint[:1]) + hint[1:]
			}
			c.keyProblem(at, hint, "%q is not a resource of a node", name)
			continue
		}
		c.labelKey(c.keyProblem, at, name)
	}
}

// nodeLabels checks the labels as the kubelet and the NodeRestriction admission plugin do: a node may set few labels of
// Kubernetes' own domains on itself.
func (c *checker) nodeLabels(path string, h HollowNodes) {
	allowed := []string{
		"beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os",
		"failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone", "kubernetes.io/arch",
		"kubernetes.io/hostname", "kubernetes.io/os", "node.kubernetes.io/instance-type", "topology.kubernetes.io/region",
		"topology.kubernetes.io/zone",
	}
	for _, key := range sortedKeys(h.Labels) {
		at := joinKey(path, key)
		c.labelKey(c.keyProblem, at, key)
		c.labelValue(at, h.Labels[key])
		domain, _, _ := strings.Cut(key, "/")
		in := func(d string) bool { return domain == d || strings.HasSuffix(domain, "."+d) }
		switch {
		case key == "topology.kubernetes.io/zone" && h.Zones > 1:
			c.keyProblem(at, "take it away, or hollowNodes.zones", "the zones set this label")
		case key == "kubernetes.io/hostname":
			c.keyProblem(at, "take it away", "every node sets this label to its own name")
		case strings.Contains(key, "/") && (in("kubernetes.io") || in("k8s.io")) && !in("kubelet.kubernetes.io") && !in("node.kubernetes.io") && !slices.Contains(allowed, key):
			c.keyProblem(at, "use a domain of your own, or node.kubernetes.io/NAME", "a kubelet may not set the label %s on its node", key)
		}
	}
}

func (c *checker) taints(path string, taints []Taint) {
	seen := map[Taint]bool{}
	for i, t := range taints {
		at := joinIndex(path, i)
		c.labelKey(c.problem, at+".key", t.Key)
		c.labelValue(at+".value", t.Value)
		if c.required(at+".effect", t.Effect) {
			c.enum(at+".effect", t.Effect, enumOf[Taint]("effect"))
		}
		same := Taint{Key: t.Key, Effect: t.Effect}
		if seen[same] && t.Key != "" {
			c.problem(at, "a node has one taint of a key and effect", "there is a taint %s:%s already", t.Key, t.Effect)
		}
		seen[same] = true
	}
}

func (c *checker) validity() {
	const path = "validity"
	c.fraction(path+".minAchieved", c.Validity.MinAchieved)
	c.span(path+".maxLag", c.Validity.MaxLag)
	c.fraction(path+".maxErrors", c.Validity.MaxErrors)
	c.fraction(path+".maxGeneratorCPU", c.Validity.MaxGeneratorCPU)
	if c.Validity.MaxGeneratorCPU == 0 {
		c.positive(path+".maxGeneratorCPU", 0)
	}
}

// latency checks a time of the container runtime, and its 99th percentile where it varies.
func (c *checker) latency(path string, h HollowNodes, p50, p99 Duration) {
	c.delay(path, p50)
	switch {
	case p99 == 0 || c.unknown(path, path+"P99"):
	case h.Tier == TierKubelet:
		c.problem(path+"P99", "take it away, or choose hollowNodes.tier: light", "the times of nodes of tier kubelet do not vary")
	case p50 <= 0:
		c.problem(path+"P99", "write "+path[strings.LastIndex(path, ".")+1:]+", the median", "is a percentile of no distribution without a median")
	case p99 < p50:
		c.problem(path+"P99", fmt.Sprintf("at least %s", p50), "the 99th percentile is not below the median: %s", p99)
	}
}
