package cl2

import (
	"strconv"
	"strings"
)

// Complaint is what is wrong with a parameter of a measurement although it has the right type.
type Complaint struct {
	// Param is the parameter, or what is wrong in it, such as queries[2].query.
	Param string
	// Message says what is wrong.
	Message string
	// Warning says that the test can run all the same.
	Warning bool
}

// complain reports what those have to say who compute the measurement.
func (t *Test) complain(method Method, m *Measurement) {
	if t.options.Check == nil || method.Skip != "" {
		return
	}
	for _, c := range t.options.Check(m.Method, m.Params) {
		v, path := m.written(c.Param)
		switch {
		case v == nil || v.isLost():
		case c.Warning:
			t.found.warn(v.at, path, "", "%s", c.Message)
		default:
			t.found.add(v.at, path, "", "%s", c.Message)
		}
	}
}

// written finds where a parameter of the call was written: in its instance, or in what all instances share. What has no place of its own is
// where that is of which it is a part. It is nil for a parameter that is nowhere.
func (m *Measurement) written(param string) (v *node, path string) {
	name, inner, _ := strings.Cut(strings.NewReplacer("[", ".", "]", "").Replace(param), ".")
	v, path = m.node.get("params").get(name), m.path+".params."+param
	if instances := m.node.get("instances"); instances != nil {
		for i, n := range instances.values {
			if own := n.get("params").get(name); n.at == m.at && own != nil {
				v, path = own, m.path+".instances["+strconv.Itoa(i)+"].params."+param
			}
		}
	}
	for key := range strings.SplitSeq(inner, ".") {
		part := v.get(key)
		if i, err := strconv.Atoi(key); err == nil && v != nil && i < len(v.values) {
			part = v.values[i]
		}
		if part == nil {
			break
		}
		v = part
	}
	return v, path
}
