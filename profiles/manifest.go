package profiles

import (
	"fmt"
	"slices"
	"strings"
)

// What windtunnel needs to know of a manifest: how many pods an instance brings, and what those pods ask of a node.

// podHolder is where in a manifest of some kind the template of pods is.
type podHolder struct {
	spec     []string // path to the pod's spec
	count    string   // field of .spec with the number of pods; "" for one
	byNode   bool     // one pod a node
	selector bool     // the kind selects its pods by labels that the author chooses
}

func podHolderOf(kind string) (podHolder, bool) {
	template := []string{"spec", "template", "spec"}
	switch kind {
	case "Pod":
		return podHolder{spec: []string{"spec"}}, true
	case "Deployment", "ReplicaSet", "StatefulSet", "ReplicationController":
		return podHolder{spec: template, count: "replicas", selector: kind != "ReplicationController"}, true
	case "DaemonSet":
		return podHolder{spec: template, byNode: true, selector: true}, true
	case "Job":
		return podHolder{spec: template, count: "parallelism"}, true
	}
	return podHolder{}, false
}

// labelledParts are the parts of a manifest whose metadata.labels get the windtunnel labels: the object, and the templates
// in it from which controllers make the pods.
func labelledParts(kind string) [][]string {
	parts := [][]string{{}}
	if holder, ok := podHolderOf(kind); ok && kind != "Pod" {
		parts = append(parts, holder.spec[:len(holder.spec)-1])
	}
	if kind == "CronJob" {
		parts = append(parts, []string{"spec", "jobTemplate"}, []string{"spec", "jobTemplate", "spec", "template"})
	}
	return parts
}

// dig follows keys through mappings.
func dig(m map[string]any, keys ...string) (any, bool) {
	var v any = m
	for _, key := range keys {
		inner, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = inner[key]; !ok {
			return nil, false
		}
	}
	return v, true
}

func digMap(m map[string]any, keys ...string) map[string]any {
	v, _ := dig(m, keys...)
	inner, _ := v.(map[string]any)
	return inner
}

func digList(m map[string]any, keys ...string) []any {
	v, _ := dig(m, keys...)
	list, _ := v.([]any)
	return list
}

func digText(m map[string]any, keys ...string) string {
	v, _ := dig(m, keys...)
	s, _ := v.(string)
	return s
}

// wholeNumber reads an integer of a manifest.
func wholeNumber(v any) (int, bool) {
	switch n := v.(type) {
	case int64:
		return int(n), true
	case int:
		return n, true
	case float64:
		return int(n), n == float64(int(n))
	}
	return 0, false
}

// podCount is how many pods one instance brings; a kind with a pod on each node brings none when it selects nodes by a label
// that the hollow nodes do not have.
func podCount(manifest map[string]any, holder podHolder, nodes HollowNodes) (int, error) {
	if holder.byNode {
		for key, want := range digMap(manifest, append(slices.Clone(holder.spec), "nodeSelector")...) {
			if !strings.Contains(key, "kubernetes.io/") && nodes.Labels[key] != want {
				return 0, nil
			}
		}
		return nodes.Count, nil
	}
	if holder.count == "" {
		return 1, nil
	}
	count := 1
	for _, key := range []string{holder.count, "completions"} {
		v, there := dig(manifest, "spec", key)
		if !there || v == nil || key == "completions" && holder.count != "parallelism" {
			continue
		}
		n, ok := wholeNumber(v)
		if !ok || n < 0 {
			return 0, fmt.Errorf("spec.%s must be a whole number that is not negative", key)
		}
		if key == holder.count {
			count = n
		} else {
			count = min(count, n)
		}
	}
	return count, nil
}

// toBeScheduled tells whether the default scheduler is to find nodes for pods of this spec.
func toBeScheduled(spec map[string]any) bool {
	scheduler := digText(spec, "schedulerName")
	return (scheduler == "" || scheduler == "default-scheduler") && len(digList(spec, "schedulingGates")) == 0
}

// podRequests sums up what one pod asks for by resource: the containers together, or the largest init container where that
// is more. Quantities that cannot be read are left to the API server.
func podRequests(spec map[string]any) map[string]float64 {
	total := map[string]float64{}
	for _, c := range digList(spec, "containers") {
		for name, q := range containerRequests(c) {
			total[name] += q
		}
	}
	for _, c := range digList(spec, "initContainers") {
		for name, q := range containerRequests(c) {
			total[name] = max(total[name], q)
		}
	}
	return total
}

// containerRequests are a container's requests; a limit without a request counts as one, as in Kubernetes.
func containerRequests(container any) map[string]float64 {
	c, _ := container.(map[string]any)
	requests := map[string]float64{}
	for _, key := range []string{"limits", "requests"} {
		for name, v := range digMap(c, "resources", key) {
			if q, err := parseQuantity(fmt.Sprint(v)); err == nil {
				requests[name] = q
			}
		}
	}
	return requests
}

// tolerates tells whether pods of this spec may be put on a node with a taint.
func tolerates(spec map[string]any, taint Taint) bool {
	if taint.Effect == "PreferNoSchedule" {
		return true
	}
	for _, v := range digList(spec, "tolerations") {
		t, _ := v.(map[string]any)
		key, operator, effect := digText(t, "key"), digText(t, "operator"), digText(t, "effect")
		if effect != "" && effect != taint.Effect {
			continue
		}
		switch {
		case operator == "Exists" && (key == "" || key == taint.Key):
			return true
		case operator != "Exists" && key == taint.Key && digText(t, "value") == taint.Value:
			return true
		}
	}
	return false
}

// texts calls visit with every string of a value, keys included, and its path below the value.
func texts(v any, path string, visit func(path, text string)) {
	switch v := v.(type) {
	case string:
		visit(path, v)
	case []any:
		for i, item := range v {
			texts(item, joinIndex(path, i), visit)
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			visit(joinKey(path, key), key)
			texts(v[key], joinKey(path, key), visit)
		}
	}
}

// unknownPlaceholder is the first ${…} in a text that is none of the known ones, or "".
func unknownPlaceholder(text string, known []string) string {
	rest := strings.ReplaceAll(text, escapedDollar, "")
	for _, p := range known {
		rest = strings.ReplaceAll(rest, p, "")
	}
	start := strings.Index(rest, "${")
	if start < 0 {
		return ""
	}
	end := strings.IndexByte(rest[start:], '}')
	if end < 0 {
		return rest[start:]
	}
	return rest[start : start+end+1]
}

// placeholderWord is the word inside of ${…}.
func placeholderWord(p string) string { return strings.Trim(p, "${}") }

func placeholderWords(known []string) []string {
	var words []string
	for _, p := range known {
		words = append(words, placeholderWord(p))
	}
	return words
}

// isPerInstance tells whether a text differs from one instance to the next.
func isPerInstance(text string) bool {
	return strings.Contains(text, placeholderName) || strings.Contains(text, placeholderIndex)
}
