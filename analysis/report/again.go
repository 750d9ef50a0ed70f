package report

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
	"windtunnel/analysis/render"
)

// againBlocks say how the run was made: the command, the seed, the whole profile, versions, machine and flags.
func againBlocks(s analysis.Study) []block {
	r := s.Run
	command := make([]string, len(r.Command))
	for i, arg := range r.Command {
		command[i] = quote(arg)
	}
	if len(command) > 0 {
		command[0] = filepath.Base(r.Command[0])
	}
	var blocks []block
	if len(command) > 0 {
		blocks = append(blocks, block{Pre: &pre{Title: "It was run by", Text: strings.Join(command, " "), Open: true}})
	}
	blocks = append(blocks, block{Pre: &pre{Title: "To run it again", Open: true,
		Text: fmt.Sprintf("# the profile below, saved as %s.yaml; the same seed plans the same requests\nwindtunnel run -f %s.yaml --seed %d\n\n# this report again from the records\nwindtunnel report %s",
			r.Name, quote(r.Name), r.Seed, quote("results/runs/"+r.ID))}})
	blocks = append(blocks, block{Pre: &pre{Title: "The profile, whole", Text: profileText(r.Profile)}})
	m := r.Machine
	machine := []item{{"os", m.OS}, {"kernel", render.KernelRelease(m.Kernel)}, {"CPU", fmt.Sprintf("%d × %s", m.Cores, m.CPU)}, {"memory", chart.Bytes.Format(float64(m.MemoryBytes))},
		{"open files", fmt.Sprint(m.OpenFiles)}, {"file system of the store", m.Filesystem}, {"provider", r.Provider}}
	blocks = append(blocks, block{List: append(sortedItems(r.Versions), machine...)})
	if limits := sortedItems(r.Limits); len(limits) > 0 {
		blocks = append(blocks, block{List: limits})
	}
	return append(blocks, componentFlags(s)...)
}

// quote makes an argument safe for a shell.
func quote(arg string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./=:,@%+", c)
	}
	if arg != "" && strings.TrimFunc(arg, plain) == "" && !strings.ContainsFunc(arg, func(c rune) bool { return !plain(c) }) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// profileText writes the recorded profile, which is JSON, as YAML in the order of its fields; as it is when it cannot be read.
func profileText(recorded []byte) string {
	var node yaml.Node
	if err := yaml.Unmarshal(recorded, &node); err != nil {
		return string(recorded)
	}
	indented(&node)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&node); err != nil {
		return string(recorded)
	}
	return b.String()
}

// indented takes the braces and quotes of JSON from a document.
func indented(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	for _, child := range n.Content {
		indented(child)
	}
}
