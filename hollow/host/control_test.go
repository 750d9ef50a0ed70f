package host

import (
	"net/http/httptest"
	"strings"
	"testing"

	"windtunnel/hollow"
)

func TestControl(t *testing.T) {
	h := hostOf("a", "b")
	send := func(method, path, body string, want int) string {
		t.Helper()
		recorder := httptest.NewRecorder()
		h.control().ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
		if recorder.Code != want {
			t.Errorf("%s %s: code %d, want %d: %s", method, path, recorder.Code, want, recorder.Body)
		}
		return recorder.Body.String()
	}
	shut := func() (names string) {
		for _, name := range []string{"a", "b"} {
			if h.still(name).IsShut() {
				names += name
			}
		}
		return names
	}
	send("POST", hollow.PathDown, `{"nodes":["a"]}`, 200)
	if shut() != "a" {
		t.Errorf("%q are shut, want a", shut())
	}
	if body := send("POST", hollow.PathDown, `{"nodes":["b","c"]}`, 404); !strings.Contains(body, `"c"`) || shut() != "a" {
		t.Errorf("answer %q, and %q are shut; want an error about c, and a", body, shut())
	}
	if body := send("GET", hollow.PathStatus, "", 200); !strings.Contains(body, `"nodes":2`) || !strings.Contains(body, `"down":1`) {
		t.Errorf("status %s", body)
	}
	send("POST", hollow.PathUp, `{"nodes":["a","b"]}`, 200)
	if shut() != "" {
		t.Errorf("%q are shut, want none", shut())
	}
	send("POST", hollow.PathUp, `{`, 400)
	send("DELETE", hollow.PathUp, "", 405)
	send("GET", hollow.PathProfiles+"goroutine?debug=1", "", 200)
}
