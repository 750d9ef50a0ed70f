package profiles

import (
	"testing"
	"time"
)

func TestEffect(t *testing.T) {
	for _, c := range []struct {
		request Request
		want    Effect
	}{
		{Request{Verb: "GET", Resource: "pods"}, EffectNone},
		{Request{Verb: "GET", Object: "pod"}, EffectUse},
		{Request{Verb: "LIST", Object: "pod"}, EffectNone},
		{Request{Verb: "LIST", Object: "pod", FieldSelector: "metadata.name=${name}"}, EffectUse},
		{Request{Verb: "POST", Object: "pod"}, EffectAdd},
		{Request{Verb: "POST", Object: "pod", DryRun: true}, EffectTry},
		{Request{Verb: "POST", Object: "pod", Subresource: "binding"}, EffectBind},
		{Request{Verb: "POST", Object: "pod", Subresource: "eviction"}, EffectRemove},
		{Request{Verb: "POST", Object: "pod", Subresource: "eviction", DryRun: true}, EffectUse},
		{Request{Verb: "POST", Object: "account", Subresource: "token"}, EffectUse},
		{Request{Verb: "PUT", Object: "pod", Subresource: "status"}, EffectUse},
		{Request{Verb: "DELETE", Object: "pod"}, EffectRemove},
		{Request{Verb: "DELETE", Object: "pod", DryRun: true}, EffectUse},
		{Request{Verb: "DELETECOLLECTION", Object: "pod"}, EffectNone},
		{Request{Verb: "FETCH", Object: "pod"}, EffectNone},
	} {
		if got := c.request.Effect(); got != c.want {
			t.Errorf("%s %s %s: effect %d, want %d", c.request.Verb, c.request.Subresource, c.request.Form(), got, c.want)
		}
	}
}

// TestPicksOfEachEffect holds which instances are taken: each pod is bound once, the oldest first; what is only tried is never
// an instance that there is; and neither changes the pool.
func TestPicksOfEachEffect(t *testing.T) {
	r := Requests{Arrivals: &Arrivals{Rate: 100, For: Duration(time.Second)}, Mix: []Request{
		{Verb: "POST", Object: "pod", Subresource: "binding", Weight: 1},
		{Verb: "POST", Object: "pod", DryRun: true, Weight: 1},
		{Verb: "PATCH", Object: "pod", Weight: 1},
	}}
	bound := 10
	none := 0
	for pick := range Picks(r, map[string]Pool{"pod": {First: 10, Next: 30}}, 7) {
		switch pick.Request {
		case 0:
			if bound == 30 {
				if !pick.NoTarget {
					t.Errorf("instance %d is bound again", pick.Index)
				}
				none++
				continue
			}
			if pick.Index != bound {
				t.Errorf("instance %d is bound, want %d", pick.Index, bound)
			}
			bound++
		case 1:
			if pick.Index < triedNumbers {
				t.Errorf("instance %d is tried", pick.Index)
			}
		case 2:
			if pick.Index < 10 || pick.Index >= 30 {
				t.Errorf("instance %d is patched", pick.Index)
			}
		}
	}
	if bound != 30 || none == 0 {
		t.Errorf("bound up to %d, %d without a target", bound, none)
	}
}
