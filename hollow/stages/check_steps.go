package stages

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"windtunnel/profiles"
)

// steps compiles spec.steps, or spec.next, which is the older form of the same.
func (c *compiler) steps() []action {
	in := &c.from.Spec
	if len(in.Steps) == 0 {
		if in.Next == nil {
			c.note("spec", "write steps (or next)", "the stage does nothing")
			return nil
		}
		return c.next()
	}
	if in.Next != nil {
		c.note("spec.next", "take it away", "does nothing beside steps")
	}
	var all []action
	for i, step := range in.Steps {
		all = append(all, c.step(fmt.Sprintf("spec.steps[%d]", i), step)...)
	}
	return all
}

// next compiles the older form: event, finalizers, patches, delete, in this order.
func (c *compiler) next() []action {
	const path = "spec.next"
	in := c.from.Spec.Next
	var all []action
	if in.Event != nil {
		all = append(all, c.event(path+".event", in.Event))
	}
	if in.Finalizers != nil {
		all = append(all, c.finalizers(path+".finalizers", in.Finalizers))
	}
	for i := range in.Patches {
		all = append(all, c.patch(fmt.Sprintf("%s.patches[%d]", path, i), &in.Patches[i]))
	}
	switch {
	case in.StatusTemplate != "" && len(in.Patches) > 0:
		c.note(path+".statusTemplate", "write it as one more of the patches", "does nothing beside patches")
	case in.StatusTemplate != "":
		patch := action{Action: Action{Verb: Patch, Subresource: "status", Type: types.MergePatchType, Inferred: true}, root: "status"}
		if in.StatusSubresource != nil {
			patch.Subresource = *in.StatusSubresource
		}
		patch.As = c.as(path+".statusPatchAs", in.StatusPatchAs)
		patch.template = c.template(path+".statusTemplate", in.StatusTemplate)
		all = append(all, patch)
	case in.StatusSubresource != nil || in.StatusPatchAs != nil:
		c.note(path, "write the statusTemplate that they belong to", "statusSubresource and statusPatchAs do nothing without a statusTemplate")
	}
	if in.Delete {
		all = append(all, action{Action: Action{Verb: Delete}})
	}
	if len(all) == 0 {
		c.note(path, "", "the stage does nothing")
	}
	return all
}

// step compiles one step; the parts of one step are carried out in this order, too.
func (c *compiler) step(path string, in stepSpec) []action {
	var all []action
	if in.Event != nil {
		all = append(all, c.event(path+".event", in.Event))
	}
	if in.Finalizers != nil {
		all = append(all, c.finalizers(path+".finalizers", in.Finalizers))
	}
	if in.Delete {
		if in.Patch != nil || in.Apply != nil {
			c.note(path, "write them as a step before", "a patch or apply beside delete does nothing")
		}
		return append(all, action{Action: Action{Verb: Delete}})
	}
	if in.Patch != nil {
		all = append(all, c.patch(path+".patch", in.Patch))
	}
	if in.Apply != nil {
		all = append(all, c.apply(path+".apply", in.Apply))
	}
	if len(all) == 0 {
		c.note(path, "", "the step does nothing")
	}
	return all
}

func (c *compiler) patch(path string, in *patchSpec) action {
	out := action{Action: Action{Verb: Patch, Subresource: in.Subresource, Type: types.MergePatchType}, root: in.Root}
	if in.Type == nil {
		out.Inferred = true
	} else if kind, ok := patchTypes()[*in.Type]; ok {
		out.Type = kind
	} else {
		c.Problem(path+".type", profiles.Suggest(*in.Type, sortedKeys(patchTypes())), "%q is no type of a patch", *in.Type)
	}
	out.As = c.as(path+".impersonation", in.Impersonation)
	out.template = c.template(path+".template", in.Template)
	return out
}

func (c *compiler) apply(path string, in *applySpec) action {
	out := action{Action: Action{Verb: Apply, Subresource: in.Subresource, Type: types.ApplyPatchType}}
	known := map[string]types.PatchType{"apply": types.ApplyPatchType, "merge": types.MergePatchType, "strategic": types.StrategicMergePatchType}
	if in.Type != nil {
		kind, ok := known[*in.Type]
		if !ok {
			c.Problem(path+".type", profiles.Suggest(*in.Type, sortedKeys(known)), "%q is no way to apply an object", *in.Type)
		}
		out.Type = kind
	}
	if in.Template == "" {
		c.Problem(path+".template", "it is the object to apply, with apiVersion, kind and metadata.name", "is required")
	}
	out.As = c.as(path+".impersonation", in.Impersonation)
	out.template = c.template(path+".template", in.Template)
	return out
}

// as is the user in whose name a request goes out.
func (c *compiler) as(path string, in *impersonation) string {
	if in == nil || c.Null(path) {
		return ""
	}
	if in.Username == "" {
		c.Problem(path+".username", "", "is required")
	}
	return in.Username
}

func (c *compiler) event(path string, in *eventSpec) action {
	kind := in.Type
	switch kind {
	case "":
		kind = "Normal"
	case "Normal", "Warning":
	default:
		c.Problem(path+".type", profiles.Suggest(kind, []string{"Normal", "Warning"}), "%q is no type of an event", kind)
	}
	return action{Action: Action{Verb: Event, Report: Report{Type: kind, Reason: in.Reason, Message: in.Message}}}
}

func (c *compiler) finalizers(path string, in *finalizersSpec) action {
	for name, list := range map[string][]finalizerItem{"add": in.Add, "remove": in.Remove} {
		for i, item := range list {
			if item.Value == "" {
				c.Problem(fmt.Sprintf("%s.%s[%d].value", path, name, i), "such as example.com/protect", "is required")
			}
		}
	}
	if in.Empty && len(in.Remove) > 0 {
		c.note(path+".remove", "take it away", "does nothing beside empty")
	}
	if !in.Empty && len(in.Add)+len(in.Remove) == 0 {
		c.note(path, "write add, remove or empty", "changes no finalizers")
	}
	return action{Action: Action{Verb: Patch, Type: types.JSONPatchType}, finalizers: in}
}
