package profiles

import "testing"

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		text                string
		request, least, use float64
	}{
		{"80%", 2, 0.001, 1.6}, {"150%", 2, 0.001, 3}, {"12.5%", 8, 0.001, 1}, {"80%", 0, 0.001, 0.001}, {"250m", 2, 0.001, 0.25}, {"1", 0, 0.001, 1}, {"64Mi", 1, 1, 64 << 20},
	} {
		a, err := ParseAmount(c.text)
		if got := a.Of(c.request, c.least); err != nil || got != c.use {
			t.Errorf("%s of %v is %v, want %v (%v)", c.text, c.request, got, c.use, err)
		}
	}
	for _, text := range []string{"", "%", "x%", "NaN%", "Inf%", "80 %", "much", "64mb"} {
		if a, err := ParseAmount(text); err == nil {
			t.Errorf("%q is %+v", text, a)
		}
	}
}

// TestUsageIsOffUnlessAskedFor: an empty group asks for it, with its defaults.
func TestUsageIsOffUnlessAskedFor(t *testing.T) {
	if p := mustLoad(t, good(t)); p.HollowNodes.Usage != nil {
		t.Errorf("%+v", p.HollowNodes.Usage)
	}
	for set, want := range map[string]Usage{
		"hollowNodes.usage={}":         {CPU: "50%", Memory: "50%", Period: Duration(600e9)},
		"hollowNodes.usage.cpu=2500m":  {CPU: "2500m", Memory: "50%", Period: Duration(600e9)},
		"hollowNodes.usage.period=30s": {CPU: "50%", Memory: "50%", Period: Duration(30e9)},
	} {
		p := mustLoad(t, good(t), "hollowNodes.tier=light", set)
		if p.HollowNodes.Usage == nil || *p.HollowNodes.Usage != want {
			t.Errorf("%s: %+v, want %+v", set, p.HollowNodes.Usage, want)
		}
	}
}
