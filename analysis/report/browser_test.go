package report

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInBrowser opens the page in Chromium, light and dark: no error, nothing asked of the network, every chart has its
// size and its colours, and the pointer tells values. WINDTUNNEL_SCREENSHOTS names a directory for pictures of it.
func TestInBrowser(t *testing.T) {
	b := startBrowser(t)
	d := recorded(t)
	if err := writePage(d, study(t, d)); err != nil {
		t.Fatal(err)
	}
	url := "file://" + d.Path(File)
	grounds := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
		b.open(url)
		var charts, drawn int
		b.eval(`document.querySelectorAll("figure").length`, &charts)
		b.eval(`[...document.querySelectorAll("figure svg")].filter(s => s.getBoundingClientRect().width > 600 && s.getBoundingClientRect().height > 150 && s.querySelectorAll("path, text").length > 5).length`, &drawn)
		if charts < 15 || drawn != charts {
			t.Errorf("%s: %d of %d charts are drawn", scheme, drawn, charts)
		}
		var ground string
		b.eval(`getComputedStyle(document.querySelector("figure svg path")).fill`, &ground)
		grounds[scheme] = ground
		var wide bool
		b.eval(`document.documentElement.scrollWidth > window.innerWidth`, &wide)
		if wide {
			t.Errorf("%s: the page is wider than its window", scheme)
		}
		tip(t, b)
		screenshot(t, b, scheme)
	}
	if grounds["light"] == grounds["dark"] {
		t.Errorf("the charts' ground is %s in light and in dark", grounds["light"])
	}
	for _, c := range b.complaints(url) {
		t.Errorf("%.500s", c)
	}
}

// tip moves the pointer over a chart and reads what it says.
func tip(t *testing.T, b *browser) {
	t.Helper()
	var at struct{ X, Y float64 }
	b.eval(`(() => { const s = document.querySelector("#figure-traffic svg"); s.scrollIntoView({behavior: "instant", block: "center"}); const r = s.getBoundingClientRect(); return {X: r.x + r.width / 2, Y: r.y + r.height / 2}; })()`, &at)
	b.call("Input.dispatchMouseEvent", map[string]any{"type": "mouseMoved", "x": at.X, "y": at.Y}, nil)
	var said string
	b.eval(`document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent`, &said)
	if !strings.Contains(said, "planned") || !strings.Contains(said, "time") {
		t.Errorf("the pointer says %q", said)
	}
	b.eval(`(() => { window.scrollTo({top: 0, behavior: "instant"}); return true; })()`, new(bool))
	b.call("Input.dispatchMouseEvent", map[string]any{"type": "mouseMoved", "x": 1, "y": 1}, nil)
}

func screenshot(t *testing.T, b *browser, name string) {
	t.Helper()
	dir := os.Getenv("WINDTUNNEL_SCREENSHOTS")
	if dir == "" {
		return
	}
	var shot struct {
		Data string `json:"data"`
	}
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true, "format": "png"}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}
