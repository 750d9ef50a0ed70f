package stages

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

const benchStages = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: ready}
spec:
  resourceRef: {kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.phase, operator: In, values: [Pending]}
    - {key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: NotIn, values: ["True"]}
  delay: {durationMilliseconds: 1000, jitterDurationMilliseconds: 5000}
  next:
    statusTemplate: |
      {{ $now := Now }}
      conditions:
      {{ range $type := list "Initialized" "Ready" "ContainersReady" }}
      - type: {{ $type }}
        status: "True"
        lastTransitionTime: {{ $now | Quote }}
      {{ end }}
      containerStatuses:
      {{ range .spec.containers }}
      - name: {{ .name | Quote }}
        image: {{ .image | Quote }}
        ready: true
        restartCount: 0
        state: {running: {startedAt: {{ $now | Quote }}}}
      {{ end }}
      hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
      phase: Running
      startTime: {{ $now | Quote }}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: complete}
spec:
  resourceRef: {kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.phase, operator: In, values: [Running]}
    - {key: '.metadata.ownerReferences.[].kind', operator: In, values: [Job]}
  next: {statusTemplate: "phase: Succeeded"}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: delete}
spec:
  resourceRef: {kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: Exists}
  next: {delete: true}
`

func benchPod() map[string]any {
	conditions := []any{}
	for _, kind := range []string{"PodScheduled", "Initialized", "Ready", "ContainersReady"} {
		conditions = append(conditions, map[string]any{"type": kind, "status": "False"})
	}
	labels := map[string]any{}
	for i := range 6 {
		labels[fmt.Sprintf("app.kubernetes.io/label-%d", i)] = "value"
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": "web-0", "namespace": "default", "uid": "a", "labels": labels},
		"spec": map[string]any{"nodeName": "node-0", "containers": []any{
			map[string]any{"name": "web", "image": "registry.k8s.io/pause:3.10", "ports": []any{map[string]any{"containerPort": int64(80)}}},
		}},
		"status": map[string]any{"phase": "Pending", "conditions": conditions},
	}
}

func benchLife(b testing.TB) *Lifecycle {
	b.Helper()
	all, err := Parse("bench.yaml", []byte(benchStages))
	if err != nil {
		b.Fatal(err)
	}
	set, err := NewSet(all...)
	if err != nil {
		b.Fatal(err)
	}
	return set.For(Resource{"v1", "Pod"})
}

// BenchmarkNext is the choice of what comes next to a pod, from three stages with eight requirements.
func BenchmarkNext(b *testing.B) {
	life, pod, random, now := benchLife(b), benchPod(), rand.New(rand.NewPCG(1, 2)), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := life.Next(pod, now, random); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkNextByJQ is the same choice by jq alone, for comparison.
func BenchmarkNextByJQ(b *testing.B) {
	life, pod, random, now := benchLife(b), benchPod(), rand.New(rand.NewPCG(1, 2)), time.Now()
	texts := [][]string{
		{".metadata.deletionTimestamp", ".status.phase", `.status.conditions.[] | select( .type == "Ready" ) | .status`},
		{".metadata.deletionTimestamp", ".status.phase", ".metadata.ownerReferences.[].kind"},
		{".metadata.deletionTimestamp"},
	}
	for i, s := range life.stages {
		for j, text := range texts[i] {
			q, err := newQuery(text + " | [.] | .[0]") // means the same and is no lookup
			if err != nil || q.program == nil {
				b.Fatal(text, err)
			}
			s.selector.requirements[j].query = q
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := life.Next(pod, now, random); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkActions renders the status of a running pod.
func BenchmarkActions(b *testing.B) {
	life, pod := benchLife(b), benchPod()
	stage := life.Stage("ready")
	scope := Scope{Now: time.Now(), Random: rand.New(rand.NewPCG(1, 2))}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stage.Actions(pod, scope); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkActionsJSON renders the same status from a template that writes JSON.
func BenchmarkActionsJSON(b *testing.B) {
	stage, pod := one(b, `
selector: {}
next:
  statusTemplate: |
    {{ $now := Quote Now -}}
    {"conditions": [
    {{ range $i, $type := list "Initialized" "Ready" "ContainersReady" }}{{ if $i }},{{ end }}
      {"type": {{ Quote $type }}, "status": "True", "lastTransitionTime": {{ $now }}}
    {{ end }}],
    "containerStatuses": [
    {{ range $i, $c := .spec.containers }}{{ if $i }},{{ end }}
      {"name": {{ Quote $c.name }}, "image": {{ Quote $c.image }}, "ready": true, "restartCount": 0, "state": {"running": {"startedAt": {{ $now }}}}}
    {{ end }}],
    "hostIP": {{ NodeIPWith .spec.nodeName | Quote }}, "phase": "Running", "startTime": {{ $now }}}
`), benchPod()
	scope := Scope{Now: time.Now(), Random: rand.New(rand.NewPCG(1, 2))}
	want, err := benchLife(b).Stage("ready").Actions(pod, scope)
	if err != nil {
		b.Fatal(err)
	}
	got, err := stage.Actions(pod, scope)
	if err != nil || !reflect.DeepEqual(value(b, got[0].Body), value(b, want[0].Body)) {
		b.Fatalf("%s is not %s (%v)", got[0].Body, want[0].Body, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stage.Actions(pod, scope); err != nil {
			b.Fatal(err)
		}
	}
}

func value(b *testing.B, body []byte) (v any) {
	b.Helper()
	if err := json.Unmarshal(body, &v); err != nil {
		b.Fatal(err)
	}
	return v
}
