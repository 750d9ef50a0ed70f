package stages

import (
	"fmt"
	"strings"
	"text/template"
)

// placeholders are functions that give their own names and arguments: <Now>, <NodeIPWith("node-0")>, and for lists two items,
// <0 of NodeIPsWith("node-0")> and <1 of …>.
func placeholders() template.FuncMap {
	all := template.FuncMap{}
	for _, name := range []string{"NodeIP", "NodeName", "NodePort", "PodIP", "NodeIPWith", "PodIPWith", "Now", "now", "StartTime", "Version"} {
		all[name] = func(args ...any) any { return "<" + call(name, args) + ">" }
	}
	for _, name := range []string{"NodeIPsWith", "PodIPsWith"} {
		all[name] = func(args ...any) any {
			return []any{"<0 of " + call(name, args) + ">", "<1 of " + call(name, args) + ">"}
		}
	}
	return all
}

func call(name string, args []any) string {
	if len(args) == 0 {
		return name
	}
	written := make([]string, len(args))
	for i, arg := range args {
		written[i] = fmt.Sprintf("%#v", arg)
	}
	return name + "(" + strings.Join(written, ", ") + ")"
}
