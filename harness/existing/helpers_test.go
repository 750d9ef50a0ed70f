package existing

import (
	"net/http"
	"os"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
)

// levelProbe notes the priority level of the last answer.
type levelProbe struct {
	next http.RoundTripper
	uid  string
}

func (p *levelProbe) wrap(next http.RoundTripper) http.RoundTripper {
	p.next = next
	return p
}

func (p *levelProbe) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := p.next.RoundTrip(r)
	if err == nil {
		p.uid = answer.Header.Get(flowcontrolv1.ResponseHeaderMatchedPriorityLevelConfigurationUID)
	}
	return answer, err
}

func writeFile(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }
