package fidelity

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// Write writes a recording as JSON, one row a line, so that two versions of it can be told apart by eye.
func (r Recording) Write(w io.Writer) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	source, err := json.MarshalIndent(r.Source, "  ", "  ")
	if err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	fmt.Fprintf(out, "{\n  \"format\": %d,\n  \"source\": %s,\n  \"stages\": [\n", r.Format, source)
	for i, s := range r.Stages {
		fmt.Fprintf(out, "    {\"name\": %q, \"nodes\": %d, \"proxied\": %d, \"pods\": %d, \"nodeSeconds\": %.3f,\n", s.Name, s.Nodes, s.Proxied, s.Pods, s.NodeSeconds)
		list(out, "      ", "calls", s.Calls, ",")
		list(out, "      ", "watches", s.Watches, ",")
		list(out, "      ", "order", s.Order, "")
		fmt.Fprintf(out, "    }%s\n", comma(i, len(r.Stages)))
	}
	fmt.Fprint(out, "  ],\n")
	list(out, "  ", "metrics", r.Metrics, ",")
	list(out, "  ", "notes", r.Notes, "")
	fmt.Fprint(out, "}\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}

func list[T any](w io.Writer, indent, name string, rows []T, end string) {
	fmt.Fprintf(w, "%s%q: [", indent, name)
	for i, r := range rows {
		line, err := json.Marshal(r)
		if err != nil { // unreachable: the rows hold texts and finite numbers
			line = []byte("null")
		}
		fmt.Fprintf(w, "\n%s  %s%s", indent, line, comma(i, len(rows)))
	}
	if len(rows) > 0 {
		fmt.Fprintf(w, "\n%s", indent)
	}
	fmt.Fprintf(w, "]%s\n", end)
}

func comma(i, n int) string {
	if i+1 < n {
		return ","
	}
	return ""
}

// Read reads a recording that Write wrote. One of a newer format is an error.
func Read(name string, from io.Reader) (Recording, error) {
	var r Recording
	decoder := json.NewDecoder(from)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return r, fmt.Errorf("read recording %s: %w", name, err)
	}
	if r.Format > FormatVersion {
		return r, fmt.Errorf("read recording %s: it has format %d, newer than this windtunnel's %d", name, r.Format, FormatVersion)
	}
	if r.Format < 1 || len(r.Stages) == 0 {
		return r, fmt.Errorf("read recording %s: it is none: it has no format or no stages", name)
	}
	return r, nil
}
