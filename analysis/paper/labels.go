package paper

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel/results"
)

// none stands for a number that is not known.
const none = "–"

// label names a call by its verb, with its scope where the run has the verb on that resource in several.
func (e *Experiment) label(c Call) string {
	scopes := e.calls(func(d Call) bool { return d.Verb == c.Verb && d.Resource == c.Resource })
	if len(scopes) > 1 {
		return c.Verb + " (" + c.Scope + ")"
	}
	return c.Verb
}

// resourceLabel names a call by its resource, likewise. The group is left out where no other resource has the name.
func (e *Experiment) resourceLabel(c Call) string {
	name := c.Resource
	plain := withoutGroup(name)
	others := e.calls(func(d Call) bool { return d.Verb == c.Verb && d.Resource != name && withoutGroup(d.Resource) == plain })
	if len(others) == 0 {
		name = plain
	}
	if scopes := e.calls(func(d Call) bool { return d.Verb == c.Verb && d.Resource == c.Resource }); len(scopes) > 1 {
		name += " (" + c.Scope + ")"
	}
	return name
}

func withoutGroup(resource string) string {
	resource, sub, found := strings.Cut(resource, "/")
	resource, _, _ = strings.Cut(resource, ".")
	if found {
		return resource + "/" + sub
	}
	return resource
}

// number writes a number with three significant digits, and all digits before the point.
func number(v float64) string {
	if v == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return strconv.FormatFloat(v, 'f', min(max(digits, 0), 6), 64)
}

// short is a number with three significant digits and no zeros that say nothing.
func short(v float64) string {
	return strconv.FormatFloat(v, 'g', max(3, len(strconv.Itoa(int(math.Abs(v))))), 64)
}

func milliseconds(seconds float64) string { return number(seconds * 1e3) }

// optional formats a value that may be missing.
func optional(v *float64, format func(float64) string) string {
	if v == nil {
		return none
	}
	return format(*v)
}

// withInterval is a figure with its interval, as in 4.1 [3.9, 4.4].
func withInterval(b *results.Bounds, format func(float64) string) string {
	if b == nil {
		return none
	}
	return format(b.Value) + " [" + optional(b.Low, format) + ", " + optional(b.High, format) + "]"
}

// inText is a figure with its unit and its interval as a sentence has them.
func inText(b *results.Bounds, format func(float64) string, unit string) string {
	said := format(b.Value) + unit
	switch {
	case b.Low != nil && b.High != nil:
		return said + " (95 % interval " + format(*b.Low) + " to " + format(*b.High) + unit + ")"
	case b.Low != nil:
		return said + " (95 % interval: at least " + format(*b.Low) + unit + ")"
	case b.High != nil:
		return said + " (95 % interval: at most " + format(*b.High) + unit + ")"
	}
	return said
}

// percent is a share with two decimals, which never rounds up to 100 what is less than all.
func percent(share float64) string {
	p := share * 100
	if p < 100 && p > 99.99 {
		p = 99.99
	}
	return strconv.FormatFloat(p, 'f', 2, 64) + " %"
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

func gibibytes(bytes int64) string { return number(float64(bytes)/(1<<30)) + " GiB" }

func duration(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond).String()
}

// listing joins words as a sentence does.
func listing(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// plural is a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// each collects what a function says of every experiment, once.
func each(es []*Experiment, say func(*Experiment) string) []string {
	var said []string
	for _, e := range es {
		if s := say(e); s != "" && !slices.Contains(said, s) {
			said = append(said, s)
		}
	}
	return said
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
