package profiles

// Label and taint of hollow nodes in a cluster that has real nodes, too. The taint keeps off what does not ask for hollow nodes.
const (
	LabelHollow = "windtunnel/hollow"
	TaintHollow = "windtunnel/hollow"
)

// amongReal says whether there are real nodes beside the hollow ones: everywhere but with the embedded control plane, which has none.
func (cp ControlPlane) amongReal() bool {
	return cp.Provider != "" && cp.Provider != ProviderEmbedded
}

// podSpecs are where in a manifest of some kind the specs of pods are.
func podSpecs(kind string) [][]string {
	if kind == "CronJob" {
		return [][]string{{"spec", "jobTemplate", "spec", "template", "spec"}}
	}
	if holder, ok := podHolderOf(kind); ok {
		return [][]string{holder.spec}
	}
	return nil
}

// placeOnHollow makes the pods of a manifest run on hollow nodes and nowhere else, where there are real nodes beside them: it selects their
// label and tolerates their taint, unless the author has said something of either.
func placeOnHollow(manifest map[string]any, kind string) {
	for _, path := range podSpecs(kind) {
		v, _ := dig(manifest, path...)
		spec, ok := v.(map[string]any)
		if !ok {
			continue
		}
		if selector := ensureMap(spec, "nodeSelector"); selector[LabelHollow] == nil {
			selector[LabelHollow] = "true"
		}
		tolerations, _ := spec["tolerations"].([]any)
		if !toleratesHollow(tolerations) {
			spec["tolerations"] = append(tolerations[:len(tolerations):len(tolerations)],
				map[string]any{"key": TaintHollow, "operator": "Exists", "effect": "NoSchedule"})
		}
	}
}

// forReal says whether the author of pods has chosen real nodes: with a value of the hollow nodes' label that these do not have.
func forReal(spec map[string]any) bool {
	value, chosen := dig(spec, "nodeSelector", LabelHollow)
	return chosen && value != "true"
}

// toleratesHollow says whether one of the tolerations is for the taint of hollow nodes, or for every taint.
func toleratesHollow(tolerations []any) bool {
	for _, t := range tolerations {
		if t, ok := t.(map[string]any); ok && (t["key"] == TaintHollow || t["operator"] == "Exists" && (t["key"] == nil || t["key"] == "")) &&
			(t["effect"] == nil || t["effect"] == "" || t["effect"] == "NoSchedule") {
			return true
		}
	}
	return false
}
