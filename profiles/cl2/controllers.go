package cl2

import (
	"strings"

	"windtunnel/profiles"
)

// builtinKind reports a kind that Kubernetes does not have in an API group that is its own. Of other groups nobody knows the kinds.
func (t *Test) builtinKind(m *Measurement) {
	meta := typeMeta{apiVersion: m.Params.text("apiVersion"), kind: m.Params.text("kind")}
	if _, known := profiles.ResourceFor(meta.apiVersion, meta.kind); known || m.action() != profiles.MomentStart || meta.kind == "" || meta.apiVersion == "" {
		return
	}
	var kinds, versions []string
	for _, r := range profiles.Resources() {
		if r.APIVersion() == meta.apiVersion {
			kinds = append(kinds, r.Kind)
		}
		if r.Kind == meta.kind {
			versions = append(versions, r.APIVersion())
		}
	}
	if v, path := m.written("kind"); len(kinds) > 0 && !v.isLost() {
		t.found.add(v.at, path, profiles.Suggest(meta.kind, kinds), "%s of Kubernetes has no kind %q", meta.apiVersion, meta.kind)
	}
	if v, path := m.written("apiVersion"); len(kinds) == 0 && len(versions) > 0 && !v.isLost() {
		t.found.warn(v.at, path, "it is in "+strings.Join(versions, " and "), "Kubernetes has the kind %s, and not in %s: it is taken for a custom resource", meta.kind, meta.apiVersion)
	}
}
