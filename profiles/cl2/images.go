package cl2

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// noPrograms is what a reader must know of a test whose pods are to do something: a generator of load in a pod sends nothing.
const noPrograms = "hollow nodes run no containers: what %s would do in the pods of the test is not done"

// programs notes the images in an object that are to do more than to be there, each once, and warns of them.
func (t *Test) programs(n *node) {
	if n == nil {
		return
	}
	for i, v := range n.values {
		if i < len(n.keys) && (n.keys[i].text == "containers" || n.keys[i].text == "initContainers") {
			for _, container := range v.values {
				t.program(container.get("image"))
			}
			continue
		}
		t.programs(v)
	}
}

func (t *Test) program(image *node) {
	if image.isNull() || image.isLost() {
		return
	}
	name, _, _ := strings.Cut(path.Base(image.text), ":")
	if name == "pause" || slices.Contains(t.images, image.text) {
		return
	}
	t.images = append(t.images, image.text)
	t.found.warn(image.at, "", "load that pods make themselves can be put into a profile", noPrograms, image.text)
}

// notes are what a reader of a run of the test must know.
func (t *Test) notes() []string {
	if len(t.images) == 0 {
		return nil
	}
	return []string{fmt.Sprintf(noPrograms, strings.Join(t.images, ", "))}
}
