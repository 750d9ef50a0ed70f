package profiles

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// checker applies the rules to a profile whose defaults are filled in. The rules of one part of the profile are in one
// file: check_*.go.
type checker struct {
	*Profile
	found  *findings
	places map[string]place // where each path was written; nil for a profile built in Go
	text   bool             // the profile comes from a text, so that absent fields can be told from zeros
}

// profile checks everything.
func (c *checker) profile() {
	c.header()
	c.controlPlane()
	c.hollowNodes()
	c.objects()
	c.phases()
	c.flow()
	c.capacity()
	c.slo()
	c.validity()
	c.axes()
}

// problem reports what is wrong at a path. A path that was not written (because its value is a default, or is missing) is
// shown at the nearest one around it.
func (c *checker) problem(path, hint, format string, args ...any) {
	c.found.add(c.where(path), path, hint, fmt.Sprintf(format, args...))
}

func (c *checker) where(path string) mark { return where(c.places, path) }

// where is the place of the value at a path, or of the nearest one around it that was written.
func where(places map[string]place, path string) mark {
	if p, ok := places[path]; ok {
		if p.value.width > 0 || p.key.src == nil {
			return p.value
		}
		return p.key
	}
	for outer := parentPath(path); outer != ""; outer = parentPath(outer) {
		if p, ok := places[outer]; ok {
			return p.key
		}
	}
	return places[""].key // of something that is missing at the top: the document as a whole
}

// keyProblem reports what is wrong with a key itself, not with its value.
func (c *checker) keyProblem(path, hint, format string, args ...any) {
	at := c.where(path)
	if p, ok := c.places[path]; ok {
		at = p.key
	}
	c.found.add(at, path, hint, fmt.Sprintf(format, args...))
}

// unknown tells that the value at one of the paths could not be read, so that no rule can build on it.
func (c *checker) unknown(paths ...string) bool { return slices.ContainsFunc(paths, c.found.spoilt) }

// unknownWithin tells that a value at a path, around it or in it could not be read.
func (c *checker) unknownWithin(path string) bool {
	within := func(bad string) bool { return strings.HasPrefix(bad, path) }
	return c.unknown(path) || slices.ContainsFunc(sortedKeys(c.found.bad), within)
}

// absent tells that a field was not written, where that can be known.
func (c *checker) absent(path string) bool {
	_, there := c.places[path]
	return c.text && !there
}

var (
	dnsLabel     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	dnsSubdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	notDNS       = regexp.MustCompile(`[^a-z0-9]+`)
	labelName    = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
)

// name checks the name of something of ours: a DNS label of at most longest characters.
func (c *checker) name(path, name string, longest int) bool {
	switch {
	case name == "":
		c.problem(path, "", "is required")
	case len(name) > longest:
		c.problem(path, "", "has %d characters; at most %d are allowed", len(name), longest)
	case !dnsLabel.MatchString(name):
		hint := ""
		if better := strings.Trim(notDNS.ReplaceAllString(strings.ToLower(name), "-"), "-"); better != "" {
			hint = "write " + better
		}
		c.problem(path, hint, "%q is not a name: only a-z, 0-9 and - are allowed, and - not at the ends", name)
	default:
		return true
	}
	return false
}

// enum checks that a field has one of the words that its tag allows; empty is for the caller to judge.
func (c *checker) enum(path, value string, choices []string) bool {
	if value == "" || slices.Contains(choices, value) {
		return true
	}
	c.problem(path, suggest(value, choices), "%q is not known", value)
	return false
}

// required reports an empty text.
func (c *checker) required(path, value string) bool {
	if value == "" {
		c.problem(path, "", "is required")
	}
	return value != ""
}

func (c *checker) positive(path string, value float64) {
	if !(value > 0) {
		c.problem(path, "", "must be more than 0, not %v", value)
	}
}

func (c *checker) notNegative(path string, value float64) {
	if !(value >= 0) {
		c.problem(path, "", "must not be negative, not %v", value)
	}
}

func (c *checker) atLeast(path string, value, least int) {
	if value < least {
		c.problem(path, "", "must be at least %d, not %d", least, value)
	}
}

// span checks a duration that must be more than zero.
func (c *checker) span(path string, d Duration) {
	if d <= 0 {
		c.problem(path, "", "must be more than 0s, not %s", d)
	}
}

// delay checks a duration that may be zero.
func (c *checker) delay(path string, d Duration) {
	if d < 0 {
		c.problem(path, "", "must not be negative, not %s", d)
	}
}

func (c *checker) fraction(path string, value float64) {
	if !(value >= 0 && value <= 1) {
		c.problem(path, "write a part of 1: 0.01 is one per cent", "must be between 0 and 1, not %v", value)
	}
}

// reporter is c.problem, or c.keyProblem where the value in question is the key.
type reporter func(path, hint, format string, args ...any)

// labelKey checks the key of a label or taint: an optional DNS prefix and a name.
func (c *checker) labelKey(report reporter, path, key string) {
	prefix, name, hasPrefix := strings.Cut(key, "/")
	if !hasPrefix {
		prefix, name = "", key
	}
	switch {
	case key == "":
		report(path, "", "is required")
	case hasPrefix && (!dnsSubdomain.MatchString(prefix) || len(prefix) > 253), !labelName.MatchString(name), len(name) > 63:
		report(path, "such as rack or example.com/rack", "%q is not a label key", key)
	}
}

func (c *checker) labelValue(path, value string) {
	if value != "" && (!labelName.MatchString(value) || len(value) > 63) {
		c.problem(path, "at most 63 of A-Z, a-z, 0-9, -, _ and ., beginning and ending with a letter or digit", "%q is not a label value", value)
	}
}

// template finds a template that a step refers to.
func (c *checker) template(path, name string) bool {
	if !c.required(path, name) {
		return false
	}
	if _, there := c.Objects[name]; there {
		return true
	}
	hint := suggest(name, sortedKeys(c.Objects))
	if len(c.Objects) == 0 {
		hint = "the profile has no objects"
	}
	c.problem(path, hint, "there is no object %q", name)
	return false
}
