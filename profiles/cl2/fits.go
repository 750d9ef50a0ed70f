package cl2

import (
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

func typeNames() map[string]string {
	return map[string]string{"text": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "duration": "a duration such as 90s",
		"list": "a list", "map": "a mapping", "maps": "a list of mappings", "number": "a number without quotes", "switch": "true or false without quotes", "texts": "a list of texts"}
}

// fits tells whether ClusterLoader2 takes a value for a parameter of the type: numbers and booleans also as texts, durations and
// texts as nothing else. No value counts as none being there.
func fits(v *node, kind string) bool {
	if v.isNull() {
		return true
	}
	text, isText := v.scalar.(string)
	_, isNumber := v.scalar.(float64)
	_, isBool := v.scalar.(bool)
	switch kind {
	case "text":
		return isText
	case "int":
		_, err := strconv.Atoi(text)
		return isNumber || isText && err == nil
	case "float":
		_, err := strconv.ParseFloat(text, 64)
		return isNumber || isText && err == nil
	case "bool":
		_, err := strconv.ParseBool(text)
		return isBool || isText && err == nil
	case "duration":
		_, err := time.ParseDuration(text)
		return isText && err == nil
	case "list":
		return v.kind == yaml.SequenceNode
	case "map":
		return v.kind == yaml.MappingNode
	case "number":
		return isNumber
	case "switch":
		return isBool
	case "texts":
		return v.kind == yaml.SequenceNode && !slices.ContainsFunc(v.values, func(item *node) bool { return !item.isNull() && !fits(item, "text") })
	}
	return v.kind == yaml.SequenceNode && !slices.ContainsFunc(v.values, func(item *node) bool { return item.kind != yaml.MappingNode })
}
