package profiles

import "slices"

// Label and taint of hollow nodes in a cluster that has real nodes, too. The taint keeps off what does not ask for hollow nodes.
const (
	LabelHollow = "windtunnel/hollow"
	TaintHollow = "windtunnel/hollow"
)

// HollowStorageClass is the StorageClass of hollow volumes. Where there are others, claims have to name it.
const HollowStorageClass = "windtunnel-hollow"

// Mark makes an object whose author knew nothing of windtunnel one of a run, on a cluster that has others, too: it and its pods carry the
// run's label, the pods run on hollow nodes, and claims that name no class ask for hollow volumes.
func Mark(manifest map[string]any, kind, run string) {
	placeOnHollow(manifest, kind)
	claimHollow(manifest, kind)
	label(manifest, kind, map[string]string{LabelRun: run})
}

// AmongReal says whether there are real nodes beside the hollow ones: everywhere but with the embedded control plane, which has none.
func (cp ControlPlane) AmongReal() bool {
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

// claimHollow gives the claims in a manifest the class of hollow volumes, where the author has named none.
func claimHollow(manifest map[string]any, kind string) {
	var claims []map[string]any
	switch kind {
	case "PersistentVolumeClaim":
		claims = append(claims, manifest)
	case "StatefulSet":
		for _, v := range digList(manifest, "spec", "volumeClaimTemplates") {
			claim, _ := v.(map[string]any)
			claims = append(claims, claim)
		}
	}
	for _, path := range podSpecs(kind) {
		for _, v := range digList(manifest, append(slices.Clone(path), "volumes")...) {
			volume, _ := v.(map[string]any)
			claims = append(claims, digMap(volume, "ephemeral", "volumeClaimTemplate"))
		}
	}
	for _, claim := range claims {
		if spec := digMap(claim, "spec"); spec != nil && spec["storageClassName"] == nil {
			spec["storageClassName"] = HollowStorageClass
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
