package profiles

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is where a value of the profile was written: its key (or list dash) and itself.
type place struct {
	key, value mark
	null       bool // nothing was written behind the key
}

// decoder fills a profile from a tree, strictly, and remembers where everything was written.
type decoder struct {
	found  *findings
	root   reflect.Type     // of the whole document
	places map[string]place // by path
}

// decode stores a value. at is the place of the key that leads to it.
func (d *decoder) decode(n *node, v reflect.Value, path string, at mark) {
	d.places[path] = place{key: at, value: n.at, null: n.isNull()}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.slice(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Interface:
		value := d.free(n, path)
		v.Set(reflect.ValueOf(&value).Elem())
	default:
		if err := setScalar(n, v); err != nil {
			d.found.reject(n.at, path, err.hint, err.message)
		}
	}
}

func (d *decoder) wrongType(n *node, path, want, hint string) {
	d.found.reject(n.at, path, hint, fmt.Sprintf("must be %s, not %s", want, n.describe()))
}

func (d *decoder) structure(n *node, v reflect.Value, path string) {
	if n.isNull() {
		return
	}
	t := v.Type()
	there := make(map[string]bool, len(n.keys))
	for _, key := range n.keys {
		there[key.text] = true
	}
	if n.kind != yaml.MappingNode {
		d.wrongType(n, path, "a mapping", "its keys are: "+strings.Join(fieldNames(t), ", "))
		return
	}
	for i, key := range n.keys {
		inner := joinKey(path, key.text)
		f, ok := fieldNamed(t, key.text)
		if !ok {
			d.found.add(key.at, path, unknownKeyHint(d.root, t, key.text), fmt.Sprintf("unknown key %q", key.text))
			d.excuse(there, t, path, key.text)
			continue
		}
		d.decode(n.values[i], v.Field(f.index), inner, key.at)
	}
}

// excuse keeps the field that an unknown key was probably meant for from being reported as missing, too.
func (d *decoder) excuse(there map[string]bool, t reflect.Type, path, key string) {
	if best, ok := nearest(key, fieldNames(t)); ok && !there[best] {
		d.found.spoil(joinKey(path, best))
	}
}

func (d *decoder) slice(n *node, v reflect.Value, path string) {
	if n.isNull() {
		return
	}
	if n.kind != yaml.SequenceNode {
		d.wrongType(n, path, "a list", "begin each item with a dash")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.values), len(n.values)))
	for i, item := range n.values {
		d.decode(item, v.Index(i), joinIndex(path, i), item.at)
	}
}

func (d *decoder) mapping(n *node, v reflect.Value, path string) {
	if n.isNull() {
		return
	}
	if n.kind != yaml.MappingNode {
		d.wrongType(n, path, "a mapping", "")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.keys)))
	for i, key := range n.keys {
		value, inner := n.values[i], joinKey(path, key.text)
		element := reflect.New(v.Type().Elem()).Elem()
		if element.Kind() == reflect.String {
			d.places[inner] = place{key: key.at, value: value.at}
			if value.kind != yaml.ScalarNode || value.isNull() {
				d.wrongType(value, inner, "a text or a number", "")
				continue
			}
			element.SetString(value.text) // as it was written: 4 and 0.5 are quantities and flags, too
		} else {
			d.decode(value, element, inner, key.at)
		}
		v.SetMapIndex(reflect.ValueOf(key.text), element)
	}
}

// free reads a value that has no type of ours: a part of a manifest.
func (d *decoder) free(n *node, path string) any {
	switch n.kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.keys))
		for i, key := range n.keys {
			inner := joinKey(path, key.text)
			d.places[inner] = place{key: key.at, value: n.values[i].at}
			m[key.text] = d.free(n.values[i], inner)
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.values))
		for i, item := range n.values {
			inner := joinIndex(path, i)
			d.places[inner] = place{key: item.at, value: item.at}
			list[i] = d.free(item, inner)
		}
		return list
	}
	value, err := freeScalar(n)
	if err != nil {
		d.found.reject(n.at, path, err.hint, err.message)
	}
	return value
}

// scalarError says why a scalar does not fit.
type scalarError struct{ message, hint string }

func freeScalar(n *node) (any, *scalarError) {
	switch n.tag {
	case tagNull:
		return nil, nil
	case tagBool:
		var b bool
		err := decodeScalar(n, &b)
		return b, err
	case tagInt:
		var i int64
		err := decodeScalar(n, &i)
		return i, err
	case tagFloat:
		f, err := number(n)
		return f, err
	}
	return n.text, nil
}

// decodeScalar lets the YAML library read a number or boolean in any of its notations.
func decodeScalar(n *node, into any) *scalarError {
	y := yaml.Node{Kind: yaml.ScalarNode, Tag: n.tag, Value: n.text}
	if err := y.Decode(into); err != nil {
		return &scalarError{message: fmt.Sprintf("%s is out of range", n.text)}
	}
	return nil
}

func number(n *node) (float64, *scalarError) {
	var f float64
	if err := decodeScalar(n, &f); err != nil {
		return 0, err
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, &scalarError{message: fmt.Sprintf("must be a finite number, not %s", n.text)}
	}
	return f, nil
}

// setScalar stores a scalar in a field of a basic type.
func setScalar(n *node, v reflect.Value) *scalarError {
	want := scalarName(v)
	mismatch := func(hint string) *scalarError {
		return &scalarError{message: fmt.Sprintf("must be %s, not %s", want, n.describe()), hint: hint}
	}
	if n.kind != yaml.ScalarNode {
		return mismatch("")
	}
	if n.isNull() {
		return &scalarError{message: "has no value; must be " + want, hint: "write a value, or take the line away for the default"}
	}
	if v.Type() == reflect.TypeFor[Duration]() {
		return setDuration(n, v)
	}
	switch v.Kind() {
	case reflect.String:
		if n.tag != tagString {
			return mismatch(fmt.Sprintf("put it in quotes: %q", n.text))
		}
		v.SetString(n.text)
		return nil
	case reflect.Bool:
		if n.tag != tagBool {
			return mismatch(booleanHint(n.text))
		}
		return decodeScalar(n, v.Addr().Interface())
	case reflect.Float64:
		if n.tag != tagInt && n.tag != tagFloat {
			return mismatch(numberHint(n.text))
		}
		f, err := number(n)
		v.SetFloat(f)
		return err
	default:
		if n.tag != tagInt {
			return mismatch(numberHint(n.text))
		}
		return setInteger(n, v)
	}
}

func setInteger(n *node, v reflect.Value) *scalarError {
	if v.CanUint() && strings.HasPrefix(n.text, "-") {
		return &scalarError{message: fmt.Sprintf("must not be negative, not %s", n.text)}
	}
	return decodeScalar(n, v.Addr().Interface())
}

func setDuration(n *node, v reflect.Value) *scalarError {
	d, err := ParseDuration(n.text)
	var bad *durationError
	if errors.As(err, &bad) {
		return &scalarError{message: "must be a duration: " + bad.message(), hint: bad.hint}
	}
	v.SetInt(int64(d))
	return nil
}

func scalarName(v reflect.Value) string {
	switch {
	case v.Type() == reflect.TypeFor[Duration]():
		return "a duration such as 1m30s"
	case v.Kind() == reflect.String:
		return "a text"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.Kind() == reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

func booleanHint(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on", "y", "1", "true":
		return "write true"
	case "no", "off", "n", "0", "false":
		return "write false"
	}
	return ""
}

func numberHint(text string) string {
	if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return fmt.Sprintf("write %.0f", f)
	}
	return ""
}
