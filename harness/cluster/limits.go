package cluster

import "strconv"

// Limits are the limits in force that shape the load, such as "kube-controller-manager qps": those of the clients in requests
// a second and requests, those of the API server in requests under way. flag gives the value of a component's command-line flag,
// "" where Kubernetes' default holds.
func Limits(flag func(component, name string) string) map[string]float64 {
	limits := map[string]float64{}
	for _, l := range []struct {
		component, flag, name string
		byDefault             float64
	}{
		{"kube-controller-manager", "kube-api-qps", "qps", 20},
		{"kube-controller-manager", "kube-api-burst", "burst", 30},
		{"kube-scheduler", "kube-api-qps", "qps", 50},
		{"kube-scheduler", "kube-api-burst", "burst", 100},
		{"kube-apiserver", "max-requests-inflight", "max-requests-inflight", 400},
		{"kube-apiserver", "max-mutating-requests-inflight", "max-mutating-requests-inflight", 200},
	} {
		limits[l.component+" "+l.name] = l.byDefault
		if set, err := strconv.ParseFloat(flag(l.component, l.flag), 64); err == nil {
			limits[l.component+" "+l.name] = set
		}
	}
	return limits
}
