package profiles

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Load reads a profile: it decodes the YAML document strictly, applies the sets (each PATH=VALUE, as --set takes them, in
// order), gives every field that is not there its default, and validates the result. name is the file's name for
// messages. The error is a *Problems with everything that is wrong, each at its position; the profile is then nil.
func Load(name string, data []byte, sets []string) (*Profile, error) {
	found := &findings{}
	root := parseFile(newSource(name, data), data, found)
	if root == nil {
		return nil, found.err()
	}
	if kind, is := objectIn(root); is {
		found = &findings{}
		found.add(kind.at, "", "a profile has it below objects: NAME: {manifest: …}; a template of a ClusterLoader2 test is checked with the test's config",
			fmt.Sprintf("a %s is an object and no profile", kind.text))
		return nil, found.err()
	}
	for i, text := range sets {
		if root.kind == yaml.MappingNode {
			applySet(root, text, i+1, found)
		}
	}
	decoder := &decoder{found: found, root: reflect.TypeFor[Profile](), places: map[string]place{}}
	var p Profile
	decoder.decode(root, reflect.ValueOf(&p).Elem(), "", mark{src: root.at.src, line: 1, col: 1, bare: true})
	if root.kind != yaml.MappingNode {
		return nil, found.err()
	}
	written := func(path string) bool {
		_, there := decoder.places[path]
		return there || found.bad[path]
	}
	fillDefaults(&p, written)
	if found.damaged {
		return nil, found.err() // rules would only repeat that parts are missing
	}
	(&checker{Profile: &p, found: found, places: decoder.places, text: true}).profile()
	if err := found.err(); err != nil {
		return nil, err
	}
	p.places = decoder.places
	return &p, nil
}

// objectIn tells that a document is an object of Kubernetes', and where it names its kind.
func objectIn(root *node) (kind *node, is bool) {
	apiVersion, kind := root.get("apiVersion"), root.get("kind")
	if apiVersion == nil || kind == nil {
		return nil, false
	}
	_, is = ResourceFor(apiVersion.text, kind.text)
	return kind, is
}

// Validate checks every rule that a profile must keep, as Load does, for a profile that was built in Go. Call Default
// first. The error is a *Problems without positions.
func Validate(p *Profile) error {
	found := &findings{}
	(&checker{Profile: p, found: found}).profile()
	return found.err()
}

// sortedKeys are the keys of a map in order, so that everything that is made of a map comes out the same each time.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
