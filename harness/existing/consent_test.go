package existing

import (
	"maps"
	"strings"
	"testing"
	"time"

	"windtunnel/profiles"
)

func TestParseConsent(t *testing.T) {
	until := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []Consent{{}, {Load: true}, {Load: true, Until: until, MaxNodes: 5, MaxRequestsPerSecond: 0.5}} {
		back, err := parseConsent(c.data())
		if err != nil || back != c {
			t.Errorf("%+v came back as %+v, %v", c, back, err)
		}
	}
	for _, wrong := range []map[string]string{
		{"load": "true"}, {"load": "ON"}, {"load": ""}, {"load": "on", "maxnodes": "5"}, {"load": "on", "maxNodes": "0"}, {"load": "on", "maxNodes": "many"},
		{"load": "on", "maxRequestsPerSecond": "NaN"}, {"load": "on", "maxRequestsPerSecond": "-1"}, {"load": "on", "until": "tomorrow"},
	} {
		if c, err := parseConsent(wrong); err == nil {
			t.Errorf("%v is read as %v", wrong, c)
		}
	}
	if c, err := parseConsent(nil); err != nil || c.Load {
		t.Errorf("an empty ConfigMap is read as %v, %v", c, err)
	}
}

// paced is a plan of 10 requests a second for 10 s, with a burst, and 20 in the phase before.
func paced(t *testing.T, change string) *profiles.Plan {
	t.Helper()
	text := strings.Replace(`
apiVersion: windtunnel/v1alpha1
kind: Profile
name: paced
hollowNodes: {count: 7}
objects:
  team: {manifest: {apiVersion: v1, kind: Namespace}}
phases:
  - name: prepare
    tracks: [{name: fill, steps: [{reconcile: {object: team, count: 20, arrivals: {rate: 40}}}]}]
  - name: workload
    measured: true
    tracks:
      - {name: users, steps: [{requests: {arrivals: {rate: 10, for: 10s}, identities: 4, mix: [{verb: GET, object: team}]}}]}
      - {name: more, steps: [{pause: 5s}, {requests: {arrivals: {rate: 30, for: 2s}, mix: [{verb: PUT, object: team}]}}]}
slo: {judged: false}
`, "arrivals: {rate: 40}", change, 1)
	p, err := profiles.Load("paced.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := profiles.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestAllows(t *testing.T) {
	now := time.Now()
	plan, unbounded := paced(t, "arrivals: {rate: 40}"), paced(t, "maxInFlight: 5")
	for _, test := range []struct {
		consent Consent
		plan    *profiles.Plan
		says    string // "" when it is allowed
	}{
		{Consent{}, plan, "off"},
		{Consent{Load: true}, plan, ""},
		{Consent{Load: true, Until: now.Add(time.Second)}, plan, ""},
		{Consent{Load: true, Until: now}, plan, "ended"},
		{Consent{Load: true, MaxNodes: 7}, plan, ""},
		{Consent{Load: true, MaxNodes: 6}, plan, "7 hollow nodes"},
		{Consent{Load: true, MaxRequestsPerSecond: 40}, plan, ""},
		{Consent{Load: true, MaxRequestsPerSecond: 39}, plan, "phase workload"}, // 10 and 30 a second, together
		{Consent{Load: true, MaxRequestsPerSecond: 19}, plan, "phase prepare"},
		{Consent{Load: true, MaxRequestsPerSecond: 1000}, unbounded, "phase prepare, track fill, step 0"},
		{Consent{Load: true}, unbounded, ""},
		{Consent{Load: true, MaxRequestsPerSecond: 50}, scripted(50, ""), ""},
		{Consent{Load: true, MaxRequestsPerSecond: 49}, scripted(50, ""), "the script plans 50 requests in a second"},
		{Consent{Load: true, MaxRequestsPerSecond: 1000}, scripted(1, "step 3"), "step 3 sends as many as the system answers: give it a tuning set with a rate"},
	} {
		err := test.consent.allows(test.plan, now)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: %v, want %q", test.consent, err, test.says)
		}
	}
}

// scripted is a plan of a script that makes Deployments and patches Roles, and waits for Jobs.
func scripted(most int, unpaced string) *profiles.Plan {
	deployments, _ := profiles.ResourceFor("apps/v1", "Deployment")
	roles, _ := profiles.ResourceFor("rbac.authorization.k8s.io/v1", "Role")
	jobs, _ := profiles.ResourceFor("batch/v1", "Job")
	return &profiles.Plan{Script: &profiles.Script{Use: profiles.ScriptUse{
		Operations: map[profiles.Resource][]profiles.OperationVerb{
			deployments: {profiles.OperationCreate, profiles.OperationDelete}, roles: {profiles.OperationPatch},
		},
		Reads: []profiles.Resource{jobs}, MostRequests: most, Unpaced: unpaced,
	}}}
}

// rulesOf are rights as texts, by group and resource.
func rulesOf(r rights) map[string]string {
	all := map[string]string{}
	for _, rule := range r.rules() {
		for _, name := range rule.Resources {
			all[rule.APIGroups[0]+"/"+name] = strings.Join(rule.Verbs, " ")
		}
	}
	return all
}

// TestRightsOfScript: the users may do what the script does, the observer sees what it waits for, and neither more.
func TestRightsOfScript(t *testing.T) {
	plan := scripted(1, "")
	const group = "rbac.authorization.k8s.io/"
	users := map[string]string{"apps/deployments": "create delete", group + "roles": "bind escalate get patch", group + "clusterroles": "bind escalate"}
	if got := rulesOf(rightsOf(plan)); !maps.Equal(got, users) {
		t.Errorf("users: %v\nwant %v", got, users)
	}
	look := "get list watch"
	observer := map[string]string{"/pods": look, "/nodes": look, "/namespaces": look, "/serviceaccounts": look, "batch/jobs": look}
	if got := rulesOf(viewOf(plan)); !maps.Equal(got, observer) {
		t.Errorf("observer: %v\nwant %v", got, observer)
	}
	if got := rulesOf(viewOf(paced(t, "arrivals: {rate: 40}"))); !maps.Equal(got, map[string]string{"/pods": look, "/nodes": look}) {
		t.Errorf("the observer of a profile: %v", got)
	}
}

// TestSetConsent: what is written is read, and nothing of the owner's has windtunnel's labels.
func TestSetConsent(t *testing.T) {
	target := openShared(t)
	if c, found, err := target.Consent(t.Context()); found || err != nil || c.Load {
		t.Fatalf("before: %v, %v, %v", c, found, err)
	}
	for _, want := range []Consent{{Load: true, MaxNodes: 3}, {Load: true}, {}} {
		if err := target.SetConsent(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		if c, found, err := target.Consent(t.Context()); !found || err != nil || c != want {
			t.Errorf("%v was written, %v read, %v", want, c, err)
		}
	}
	things, err := target.Remove(t.Context(), Removal{})
	if err != nil || len(things) > 0 {
		t.Errorf("%v, %v would be removed", things, err)
	}
	if _, found, _ := target.Consent(t.Context()); !found {
		t.Error("the consent was removed")
	}
}

func TestRights(t *testing.T) {
	plan := paced(t, "arrivals: {rate: 40}")
	rules := rightsOf(plan).rules()
	if len(rules) != 1 || strings.Join(rules[0].Resources, " ") != "namespaces" || strings.Join(rules[0].Verbs, " ") != "create delete get update" {
		t.Errorf("%+v", rules)
	}
	if n := usersOf(plan); n != 4 {
		t.Errorf("%d users", n)
	}
	step := profiles.Step{Requests: &profiles.Requests{Mix: []profiles.Request{
		{Verb: "LIST", Resource: "nodes"}, {Verb: "GET", Resource: "nodes"}, {Verb: "PATCH", Object: "pod", Subresource: "status"}, {Verb: "POST", Object: "pod", Subresource: "eviction"},
		{Verb: "DELETECOLLECTION", Object: "pod"}, {Verb: "PUT", Object: "web", Subresource: "scale"}}}}
	plan.Objects = map[string]profiles.Template{
		"pod": {Resource: profiles.Resource{Version: "v1", Name: "pods"}}, "web": {Resource: profiles.Resource{Group: "apps", Version: "v1", Name: "deployments"}},
		"role": {Resource: profiles.Resource{Group: "rbac.authorization.k8s.io", Version: "v1", Name: "rolebindings"}}}
	plan.Phases = []profiles.Phase{{Tracks: []profiles.Track{{Steps: []profiles.Step{step, {Watch: &profiles.Watch{Object: "pod"}}, {Reconcile: &profiles.Reconcile{Object: "role"}}}}}}}
	got := rulesOf(rightsOf(plan))
	want := map[string]string{"/nodes": "get list", "/pods": "deletecollection list watch", "/pods/status": "patch", "/pods/eviction": "create", "apps/deployments/scale": "get update",
		"rbac.authorization.k8s.io/rolebindings": "create delete", "rbac.authorization.k8s.io/roles": "bind escalate", "rbac.authorization.k8s.io/clusterroles": "bind escalate"}
	if !maps.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}

func TestRenewAt(t *testing.T) {
	issued := time.Now()
	if got := renewAt(issued, issued.Add(100*time.Minute)).Sub(issued); got != 80*time.Minute {
		t.Errorf("a token of 100 min is renewed after %v", got)
	}
}
