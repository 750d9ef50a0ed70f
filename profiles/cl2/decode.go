package cl2

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"windtunnel/profiles"
)

// decoder turns nodes into a config as encoding/json does: keys of any case, and keys that it does not know are passed over,
// which is reported.
type decoder struct {
	found *problems
}

// fields are the keys of a mapping with what takes their values.
type fields map[string]func(v *node, path string)

// object hands the values of a mapping over. It tells whether there is a mapping at all.
func (d *decoder) object(n *node, path, what string, into fields) bool {
	if n.isNull() {
		return false
	}
	if n.kind != yaml.MappingNode {
		d.wrong(n, path, what+" is a mapping")
		return false
	}
	names := make([]string, 0, len(into))
	for name := range into {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, key := range n.keys {
		name := key.text
		take, known := into[name]
		if !known {
			if j := slices.IndexFunc(names, func(s string) bool { return strings.EqualFold(s, name) }); j >= 0 {
				take, known = into[names[j]], true
			}
		}
		if !known {
			d.found.warn(key.at, path, profiles.Suggest(key.text, names), "unknown key %q in %s: it is ignored", key.text, what)
			continue
		}
		take(n.values[i], join(path, key.text))
	}
	return true
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// wrong reports a value of a wrong type.
func (d *decoder) wrong(n *node, path, want string) {
	if n.isLost() {
		return // the template that could not give it has been reported
	}
	d.found.reject(n, path, "", "%s, not %s", want, n.describe())
}

// each hands the items of a list over.
func (d *decoder) each(n *node, path string, item func(v *node, path string)) {
	if n.isNull() {
		return
	}
	if n.kind != yaml.SequenceNode {
		d.wrong(n, path, "this is a list")
		return
	}
	for i, v := range n.values {
		item(v, fmt.Sprintf("%s[%d]", path, i))
	}
}

// text reads a text. A number or boolean is taken as it is written in JSON.
func (d *decoder) text(into *string) func(v *node, path string) {
	return func(v *node, path string) {
		switch s := v.scalar.(type) {
		case string:
			*into = s
		case bool:
			*into = strconv.FormatBool(s)
		case float64:
			*into = strconv.FormatFloat(s, 'g', -1, 64)
			if s == math.Trunc(s) && math.Abs(s) < 1<<53 {
				*into = strconv.FormatInt(int64(s), 10)
			}
		default:
			if !v.isNull() {
				d.wrong(v, path, "this is a text")
			}
		}
	}
}

func (d *decoder) texts(into *[]string) func(v *node, path string) {
	return func(v *node, path string) {
		if v.kind == yaml.SequenceNode {
			*into = []string{}
		}
		d.each(v, path, func(v *node, path string) {
			var s string
			d.text(&s)(v, path)
			*into = append(*into, s)
		})
	}
}

// integer reads a whole number of 32 bits, also one that a template printed with an exponent.
func (d *decoder) integer(into *int) func(v *node, path string) {
	return func(v *node, path string) {
		if v.isNull() {
			return
		}
		n, ok := v.scalar.(float64)
		if !ok || n != math.Trunc(n) || n < math.MinInt32 || n > math.MaxInt32 {
			d.wrong(v, path, "this is a whole number of 32 bits")
			return
		}
		if strings.ContainsAny(v.text, "eE.") && !strings.HasPrefix(v.text, "0x") {
			d.found.warn(v.at, path, "make it whole in the template, as in {{AddInt 0 …}}", "ClusterLoader2 refuses %s here: it is no whole number to it", v.text)
		}
		*into = int(n)
	}
}

func (d *decoder) float(into *float64) func(v *node, path string) {
	return func(v *node, path string) {
		if v.isNull() {
			return
		}
		n, ok := v.scalar.(float64)
		if !ok {
			d.wrong(v, path, "this is a number")
			return
		}
		*into = n
	}
}

func (d *decoder) boolean(into *bool) func(v *node, path string) {
	return func(v *node, path string) {
		if v.isNull() {
			return
		}
		b, ok := v.scalar.(bool)
		if !ok {
			d.wrong(v, path, "this is true or false")
			return
		}
		*into = b
	}
}

func (d *decoder) duration(into *profiles.Duration) func(v *node, path string) {
	return func(v *node, path string) {
		if v.isNull() {
			return
		}
		s, ok := v.scalar.(string)
		if !ok {
			d.wrong(v, path, "this is a duration, such as 90s or 1h30m")
			return
		}
		if v.isLost() {
			return
		}
		t, err := time.ParseDuration(s)
		if err != nil {
			d.found.reject(v, path, "such as 90s or 1h30m", "this is no duration: %q", s)
			return
		}
		*into = profiles.Duration(t)
	}
}

// params reads a mapping of anything.
func (d *decoder) params(into *Params) func(v *node, path string) {
	return func(v *node, path string) {
		if v.isNull() {
			return
		}
		m, ok := v.value().(map[string]any)
		if !ok {
			d.wrong(v, path, "this is a mapping")
			return
		}
		*into = m
	}
}
