package clusterloader

import (
	"fmt"
	"slices"
	"strings"
)

// selector picks pods as a LIST with these parameters would: by namespace, labels and fields.
type selector struct {
	namespace string
	labels    []requirement
	fields    []requirement
}

// requirement is one condition of a selector. Without values it is about the key being there.
type requirement struct {
	key    string
	not    bool
	values []string
}

func (r requirement) holds(value string, there bool) bool {
	switch {
	case r.values == nil:
		return there != r.not
	case r.not:
		return !there || !slices.Contains(r.values, value)
	}
	return there && slices.Contains(r.values, value)
}

func readSelector(p params) (selector, error) {
	namespace, err1 := p.text("namespace", "")
	labels, err2 := p.text("labelSelector", "")
	fields, err3 := p.text("fieldSelector", "")
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return selector{}, err
		}
	}
	s := selector{namespace: namespace}
	var err error
	if s.labels, err = parseRequirements(labels); err != nil {
		return selector{}, fmt.Errorf("labelSelector %q: %w", labels, err)
	}
	if s.fields, err = parseRequirements(fields); err != nil {
		return selector{}, fmt.Errorf("fieldSelector %q: %w", fields, err)
	}
	for _, r := range s.fields {
		if !slices.Contains([]string{"metadata.name", "metadata.namespace", "spec.schedulerName"}, r.key) || r.values == nil {
			return selector{}, fmt.Errorf("fieldSelector %q: the records of pods do not have the field %s", fields, r.key)
		}
	}
	return s, nil
}

// parseRequirements reads a selector of Kubernetes: a, !a, a=b, a==b, a!=b, a in (b, c), a notin (b, c), joined by commas.
func parseRequirements(text string) ([]requirement, error) {
	var all []requirement
	for _, part := range splitOutside(text) {
		part = strings.TrimSpace(part)
		if part == "" {
			if strings.TrimSpace(text) == "" {
				return nil, nil
			}
			return nil, fmt.Errorf("there is nothing between two commas")
		}
		r, err := parseRequirement(part)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// splitOutside splits at the commas that are not within parentheses.
func splitOutside(text string) []string {
	var parts []string
	depth, begin := 0, 0
	for i, c := range text {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:])
}

func parseRequirement(part string) (requirement, error) {
	if open := strings.IndexByte(part, '('); open >= 0 {
		words := strings.Fields(part[:open])
		if len(words) != 2 || words[1] != "in" && words[1] != "notin" || !strings.HasSuffix(part, ")") {
			return requirement{}, fmt.Errorf("%q is no condition", part)
		}
		r := requirement{key: words[0], not: words[1] == "notin", values: []string{}}
		for _, v := range strings.Split(part[open+1:len(part)-1], ",") {
			r.values = append(r.values, strings.TrimSpace(v))
		}
		return r, nil
	}
	for _, operator := range []string{"!=", "==", "="} {
		if key, value, ok := strings.Cut(part, operator); ok {
			return requirement{key: strings.TrimSpace(key), not: operator == "!=", values: []string{strings.TrimSpace(value)}}, nil
		}
	}
	key, not := strings.CutPrefix(part, "!")
	if key = strings.TrimSpace(key); key == "" || strings.ContainsAny(key, " )") {
		return requirement{}, fmt.Errorf("%q is no condition", part)
	}
	return requirement{key: key, not: not}, nil
}

// matches tells whether a pod is picked.
func (s selector) matches(p *pod) bool {
	if s.namespace != "" && s.namespace != p.namespace {
		return false
	}
	for _, r := range s.fields {
		value := map[string]string{"metadata.name": p.name, "metadata.namespace": p.namespace, "spec.schedulerName": p.scheduler}[r.key]
		if !r.holds(value, true) {
			return false
		}
	}
	for _, r := range s.labels {
		value, there := p.labels[r.key]
		if !r.holds(value, there) {
			return false
		}
	}
	return true
}
