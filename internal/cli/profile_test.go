package cli

import (
	"os"
	"testing"
)

// TestAPipeIsReadOnce: what standard input has is there for whoever asks again, and for the sides of a comparison, which have copies of the flags.
func TestAPipeIsReadOnce(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := out.WriteString("kind: Profile"); err != nil {
		t.Fatal(err)
	}
	out.Close()
	a, f := &app{in: in}, profileFlags{file: "-"}
	for range 2 {
		if name, data, err := f.read(a); err != nil || name != stdinName || string(data) != "kind: Profile" {
			t.Fatalf("%s has %q: %v", name, data, err)
		}
		side := f
		if _, data, err := side.read(a); err != nil || string(data) != "kind: Profile" {
			t.Errorf("a copy has %q: %v", data, err)
		}
	}
}
