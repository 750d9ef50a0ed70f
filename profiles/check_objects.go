package profiles

import (
	"fmt"
	"slices"
	"strings"
)

// longestTemplate leaves room in a DNS label for the number of an instance.
const longestTemplate = 50

func (c *checker) objects() {
	for _, name := range sortedKeys(c.Objects) {
		path := joinKey("objects", name)
		if !dnsLabel.MatchString(name) || len(name) > longestTemplate {
			c.keyProblem(path, "", "%q is not a name for objects: at most %d of a-z, 0-9 and -, and - not at the ends", name, longestTemplate)
		}
		c.object(path, name, c.Objects[name])
	}
}

func (c *checker) object(path, name string, o Object) {
	manifest := path + ".manifest"
	if len(o.Manifest) == 0 {
		c.problem(manifest, "write the object's apiVersion, kind and spec below manifest:", "is required")
		return
	}
	resource, ok := c.manifestType(path, o)
	c.metadata(manifest, o)
	c.placeholders(manifest, o.Manifest, ok && !resource.Namespaced)
	if !ok {
		return
	}
	if o.PaddingBytes < 0 || o.PaddingBytes > mostPadding {
		c.problem(path+".paddingBytes", "", "must be between 0 and %d, the API server's bound of all annotations, not %d", mostPadding, o.PaddingBytes)
	}
	c.namespaceOf(path, o, resource)
	c.kindRules(path, name, o, resource)
	if holder, hasPods := podHolderOf(resource.Kind); hasPods {
		c.podHolder(manifest, o, holder)
	}
}

// manifestType finds the resource of a manifest by its apiVersion and kind.
func (c *checker) manifestType(path string, o Object) (Resource, bool) {
	manifest := path + ".manifest"
	for _, key := range []string{"apiVersion", "kind"} {
		if v, there := o.Manifest[key]; !there {
			c.problem(joinKey(manifest, key), "", "is required")
			return Resource{}, false
		} else if s, isText := v.(string); !isText || s == "" {
			c.problem(joinKey(manifest, key), "", "must be a text, not %v", v)
			return Resource{}, false
		}
	}
	apiVersion, kind := o.typeMeta()
	if r, ok := ResourceFor(apiVersion, kind); ok {
		if o.Resource != "" && o.Resource != r.Name {
			c.problem(path+".resource", "take it away", "a %s is in the resource %s", kind, r.Name)
		}
		if o.ClusterScoped && r.Namespaced {
			c.problem(path+".clusterScoped", "take it away", "a %s lives in a namespace", kind)
		}
		return r, true
	}
	if o.Resource != "" {
		if !dnsLabel.MatchString(o.Resource) {
			c.problem(path+".resource", "write the plural, in lower case, as in URLs", "%q is not the name of a resource", o.Resource)
			return Resource{}, false
		}
		return o.resource(), true
	}
	c.unknownKind(path, apiVersion, kind)
	return Resource{}, false
}

// unknownKind says which of apiVersion and kind is probably wrong.
func (c *checker) unknownKind(path, apiVersion, kind string) {
	const custom = "for a custom resource name its plural: resource: NAME"
	manifest := path + ".manifest"
	var versions, kinds []string
	versionKnown := false
	for _, r := range Resources() {
		if r.Kind == kind {
			versions = append(versions, r.APIVersion())
		}
		versionKnown = versionKnown || r.APIVersion() == apiVersion
		if !isVirtual(r.Name) && !slices.Contains(kinds, r.Kind) {
			kinds = append(kinds, r.Kind)
		}
	}
	if len(versions) > 0 {
		c.problem(manifest+".apiVersion", "write apiVersion: "+strings.Join(versions, " or "), "there is no %s in %s", kind, apiVersion)
		return
	}
	hint := custom
	if best, ok := nearest(kind, kinds); ok {
		hint = suggest(kind, []string{best})
		if !versionKnown {
			hint += " " + custom
		}
	}
	c.problem(manifest+".kind", hint, "windtunnel does not know the kind %s", kind)
}

// metadata checks what windtunnel sets by itself.
func (c *checker) metadata(manifest string, o Object) {
	v, there := o.Manifest["metadata"]
	if !there || v == nil {
		return
	}
	metadata, ok := v.(map[string]any)
	if !ok {
		c.problem(manifest+".metadata", "", "must be a mapping")
		return
	}
	owned := map[string]string{
		"name":         "take it away: instances are called after the template, with a number",
		"generateName": "take it away: instances are called after the template, with a number",
		"namespace":    "name the template of the namespaces instead: in: TEMPLATE",
	}
	for _, key := range sortedKeys(owned) {
		if _, there := metadata[key]; there {
			c.keyProblem(joinKey(manifest+".metadata", key), owned[key], "windtunnel sets the %s", key)
		}
	}
	for _, key := range []string{"labels", "annotations"} {
		c.textMap(joinKey(manifest+".metadata", key), metadata[key])
	}
	for _, key := range []string{LabelRun, LabelObject} {
		if _, there := digMap(metadata, "labels")[key]; there {
			c.keyProblem(joinKey(manifest+".metadata.labels", key), "take it away", "windtunnel sets this label")
		}
	}
}

// textMap checks labels and annotations, in which Kubernetes takes texts only.
func (c *checker) textMap(path string, v any) {
	if v == nil {
		return
	}
	m, ok := v.(map[string]any)
	if !ok {
		c.problem(path, "", "must be a mapping")
		return
	}
	for _, key := range sortedKeys(m) {
		if _, isText := m[key].(string); !isText {
			c.problem(joinKey(path, key), fmt.Sprintf("put it in quotes: %q", fmt.Sprint(m[key])), "must be a text, not %v", m[key])
		}
	}
}

func (c *checker) placeholders(manifest string, m map[string]any, clusterScoped bool) {
	texts(m, manifest, func(path, text string) {
		c.placeholdersOf(path, text, placeholders())
		if clusterScoped && strings.Contains(strings.ReplaceAll(text, escapedDollar, ""), placeholderNamespace) {
			c.problem(path, "", "an object without a namespace has no %s", placeholderNamespace)
		}
	})
}

// placeholdersOf checks that a text has no ${…} but the known ones.
func (c *checker) placeholdersOf(path, text string, known []string) {
	bad := unknownPlaceholder(text, known)
	if bad == "" {
		return
	}
	hint := fmt.Sprintf("to keep it as it is write $%s", bad)
	if best, near := nearest(placeholderWord(bad), placeholderWords(known)); near {
		hint = fmt.Sprintf("did you mean ${%s}? If not, %s", best, hint)
	}
	c.problem(path, hint, "unknown placeholder %s", bad)
}

// namespaceOf checks the template of the namespaces that hold the instances.
func (c *checker) namespaceOf(path string, o Object, r Resource) {
	var spaces []string
	for _, name := range sortedKeys(c.Objects) {
		if apiVersion, kind := c.Objects[name].typeMeta(); apiVersion == "v1" && kind == "Namespace" {
			spaces = append(spaces, name)
		}
	}
	switch {
	case !r.Namespaced && o.In != "":
		c.keyProblem(path+".in", "take it away", "a %s has no namespace", r.Kind)
	case r.Namespaced && o.In == "" && len(spaces) == 0:
		c.problem(path+".in", "add an object of kind Namespace, and name it here", "is required: a %s lives in a namespace", r.Kind)
	case r.Namespaced && o.In == "":
		c.problem(path+".in", "write in: "+spaces[0], "is required: a %s lives in a namespace", r.Kind)
	case r.Namespaced && !slices.Contains(spaces, o.In):
		if _, there := c.Objects[o.In]; there {
			_, kind := c.Objects[o.In].typeMeta()
			c.problem(path+".in", suggest(o.In, spaces), "%q is a %s, not a Namespace", o.In, kind)
			return
		}
		c.problem(path+".in", suggest(o.In, spaces), "there is no object %q", o.In)
	}
}

// kindRules are rules of single kinds.
func (c *checker) kindRules(path, name string, o Object, r Resource) {
	kind := path + ".manifest.kind"
	switch {
	case isVirtual(r.Name) || isReadOnly(r.Name):
		c.problem(kind, "", "a %s cannot be stored", r.Kind)
	case r.Kind == "APIService":
		c.problem(kind, "", "an APIService cannot be a template: its content decides its name")
	case r.Kind == "CustomResourceDefinition":
		c.definition(path+".manifest", o)
	case r.Kind == "Node" && r.Group == "" && name+"-" == c.HollowNodes.NamePrefix:
		c.keyProblem(path, "choose another name, or another hollowNodes.namePrefix", "its instances would be named as the hollow nodes are")
	}
	if labels, there := dig(o.Manifest, "spec", "template", "metadata", "labels"); there && r.Kind != "CronJob" {
		c.textMap(path+".manifest.spec.template.metadata.labels", labels)
	}
}

// podHolder checks what windtunnel must know of kinds that bring pods.
func (c *checker) podHolder(manifest string, o Object, holder podHolder) {
	at := manifest + "." + strings.Join(holder.spec, ".")
	spec, ok := dig(o.Manifest, holder.spec...)
	if _, isMap := spec.(map[string]any); !ok || !isMap {
		c.problem(at, "", "is required: the spec of the pods")
		return
	}
	if len(digList(o.Manifest, append(slices.Clone(holder.spec), "containers")...)) == 0 {
		c.problem(at+".containers", "", "is required: a pod has at least one container")
	}
	if _, err := podCount(o.Manifest, holder, c.HollowNodes); err != nil {
		c.problem(manifest+".spec."+holder.count, "", "%s", err)
	}
	if holder.selector {
		c.selector(manifest, o)
	}
}

// selector checks that the instances of a template do not select each other's pods, and that they select their own.
func (c *checker) selector(manifest string, o Object) {
	at := manifest + ".spec.selector"
	wanted := digMap(o.Manifest, "spec", "selector", "matchLabels")
	if _, there := dig(o.Manifest, "spec", "selector", "matchExpressions"); there {
		return // the API server judges it
	}
	if len(wanted) == 0 {
		c.problem(at, `write selector: {matchLabels: {app: "${name}"}}`, "is required")
		return
	}
	labels := digMap(o.Manifest, "spec", "template", "metadata", "labels")
	perInstance := false
	for _, key := range sortedKeys(wanted) {
		if labels[key] != wanted[key] {
			c.problem(joinKey(at+".matchLabels", key), fmt.Sprintf("write %s: %v in spec.template.metadata.labels", key, wanted[key]), "the label %s is not on the pods of the template", key)
		}
		text, _ := wanted[key].(string)
		perInstance = perInstance || isPerInstance(text)
	}
	if !perInstance {
		c.problem(at+".matchLabels", "use ${name} in a label of the selector and of the pods", "all instances would select each other's pods")
	}
}

// definition checks what the name of a CustomResourceDefinition is made of.
func (c *checker) definition(manifest string, o Object) {
	plural, group := digText(o.Manifest, "spec", "names", "plural"), digText(o.Manifest, "spec", "group")
	switch {
	case plural == "" || group == "":
		c.problem(manifest+".spec", "write group: and names: {plural: …, kind: …}", "spec.group and spec.names.plural make its name, and are required")
	case !isPerInstance(plural + group):
		c.problem(manifest+".spec.names.plural", "write plural: "+plural+"${index}", "all instances would have the same name, %s.%s", plural, group)
	}
	if text := plural + group; strings.Contains(text, placeholderName) {
		c.problem(manifest+".spec.names.plural", "use ${index}", "the name is made of it, so it cannot hold ${name}")
	}
}
