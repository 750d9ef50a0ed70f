package kubelet

import (
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"windtunnel/hollow"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

// TestCallsOfAStart: what a node asks of a server where all goes well, from its start on and when it is idle. The figures are those of
// docs/fidelity.md.
func TestCallsOfAStart(t *testing.T) {
	onANode(t, hollow.ShardConfig{}, func(a *alone) {
		const self = "/api/v1/nodes n"
		there := map[string]bool{}
		node := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "uid"}, Spec: corev1.NodeSpec{PodCIDR: "10.0.0.0/24"}}
		var s *served
		shows := func(kind string, ready corev1.ConditionStatus) {
			node.Status.Conditions = nil
			for i := range ownConditions {
				c := corev1.NodeCondition{Type: corev1.NodeConditionType(own(i)), Status: corev1.ConditionFalse}
				if own(i) == "Ready" {
					c.Status = ready
				}
				node.Status.Conditions = append(node.Status.Conditions, c)
			}
			raw, err := node.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			s.push(self, kind, raw)
		}
		patches := 0
		s = a.served(func(call string) h2.Response {
			method, path, _ := strings.Cut(call, " ")
			switch {
			case method == "POST" && path == "/api/v1/nodes":
				there["/api/v1/nodes/n"] = true
				a.loop.After(300*time.Millisecond, func() { shows(wire.Added, corev1.ConditionFalse) })
			case method == "POST":
				there[path+"/n"] = true
			case method == "PATCH" && path == "/api/v1/nodes/n/status":
				if patches++; patches == 2 {
					a.loop.After(time.Millisecond, func() { shows(wire.Modified, corev1.ConditionTrue) })
				}
			case method == "GET" && !there[path]:
				return h2.Response{Status: http.StatusNotFound}
			}
			return answers(nil)(call)
		})
		ready := 0
		a.do(func() {
			a.addresses = nil
			a.start(t.Context(), func() { ready++ }, func() { t.Error("it is strained") })
			s.push(self, wire.Bookmark, bookmark())
		})
		time.Sleep(40 * time.Second)
		for call, want := range map[string][2]int{
			"GET /apis/storage.k8s.io": {2, 3}, "POST /apis/storage.k8s.io": {1, 1}, "POST /api/v1/nodes": {1, 1}, "GET /api/v1/nodes": {3, 8},
			"PATCH /api/v1/nodes": {2, 2}, "GET " + api.LeasePath: {1, 3}, "POST " + api.LeasePath: {1, 1}, "PUT " + api.LeasePath: {1, 2},
			"POST /api/v1/namespaces/default/events": {6, 6}, "PATCH /api/v1/namespaces/default/events": {6, 6}, "DELETE /apis/resource.k8s.io": {1, 1},
		} {
			if n := s.count(call); n < want[0] || n > want[1] {
				t.Errorf("%s: %d, want %v", call, n, want)
			}
		}
		if ready != 1 {
			t.Errorf("ready %d times", ready)
		}
		before := s.count("")
		time.Sleep(time.Minute)
		if renewals, all := s.count("PUT "+api.LeasePath), s.count("")-before; all < 5 || all > 6 {
			t.Errorf("%d calls in a minute, %d renewals in all", all, renewals)
		}
	})
}
