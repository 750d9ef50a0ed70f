package clusterloader

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"windtunnel/analysis/promql"
)

// Mistake is what is wrong with a parameter of a call although it has the right type.
type Mistake struct {
	// Param is the parameter, or what is wrong in it, such as queries[2].query.
	Param string
	// Message says what is wrong.
	Message string
	// Warning says that the measurement does not fail for it.
	Warning bool
}

// Check finds before a run what would otherwise show only when its records are looked at. Values of a wrong type are left out: whoever
// reads the config has reported them.
func Check(method string, raw map[string]any) []Mistake {
	m, p := methods()[method], params(raw)
	if action, _ := p.text("action", ""); m.check == nil || action != "start" && action != "gather" {
		return nil
	}
	return m.check(p)
}

// started has a check look at the parameters of a start alone, and gathered at those of a gather: the other call does not read them.
func started(check func(params) []Mistake) func(params) []Mistake { return checkAt("start", check) }

func gathered(check func(params) []Mistake) func(params) []Mistake { return checkAt("gather", check) }

func checkAt(action string, check func(params) []Mistake) func(params) []Mistake {
	return func(p params) []Mistake {
		if p["action"] != action {
			return nil
		}
		return check(p)
	}
}

// checkSelector finds what the records of pods cannot be picked by.
func checkSelector(p params) []Mistake {
	for _, name := range []string{"labelSelector", "fieldSelector"} {
		text, err := p.text(name, "")
		if err != nil {
			continue
		}
		if _, err := readSelector(params{name: text}); err != nil {
			return []Mistake{{Param: name, Message: err.Error()}}
		}
	}
	return nil
}

// checkNodes finds a selector of nodes: with one, a measurement of nodes decides nothing.
func checkNodes(p params) []Mistake {
	if name := nodeSelector(p); name != "" {
		return []Mistake{{Param: name, Message: noNodeLabels + ": nothing will be decided", Warning: true}}
	}
	return nil
}

// checkGeneric finds queries that cannot be asked.
func checkGeneric(p params) []Mistake {
	g, err := decodeGeneric(p)
	if err != nil {
		return nil // a wrong type
	}
	all := append(emptyTexts(p, "", "metricName", "metricVersion", "unit"), g.mistakes()...)
	for i, q := range g.Queries {
		path := fmt.Sprintf("queries[%d]", i)
		if raw, _ := p.find("queries").([]any); i < len(raw) {
			item, _ := raw[i].(map[string]any)
			all = append(all, emptyTexts(item, path+".", "query")...)
		}
		if _, err := promql.Parse(inRange(q.Query, "1m")); q.Query != "" && err != nil {
			all = append(all, Mistake{Param: path + ".query", Message: "the query cannot be asked: " + strings.TrimPrefix(err.Error(), "parse query: ")})
		}
	}
	return all
}

// emptyTexts are the parameters that were given and are empty, which is as if they were not there.
func emptyTexts(p params, path string, names ...string) []Mistake {
	var all []Mistake
	for _, name := range names {
		if p.find(name) == "" {
			all = append(all, Mistake{Param: path + name, Message: name + " must not be empty"})
		}
	}
	return all
}

func checkThresholds(p params) []Mistake {
	_, err := customThresholds(p)
	return checkYAML(p, "customThresholds", err, &[]customThreshold{})
}

func checkAllowed(p params) []Mistake {
	_, err := customRestarts(p)
	return checkYAML(p, "customAllowedRestarts", err, &[]customRestart{})
}

func checkLimits(p params) []Mistake {
	_, err := restartLimits(p)
	return checkYAML(p, "restartCountThresholdOverrides", err, &map[string]int{})
}

// checkYAML is about a text that has YAML in it: it could not be read, or it has keys that whoever reads it passes over.
func checkYAML(p params, name string, err error, into any) []Mistake {
	text, wrong := p.text(name, "")
	switch {
	case wrong != nil:
		return nil
	case err != nil:
		return []Mistake{{Param: name, Message: strings.TrimPrefix(inOneLine(err), "parameter "+name+": ")}}
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return []Mistake{{Param: name, Message: inOneLine(err), Warning: true}}
	}
	return nil
}

// unknownField is what the parser of YAML says of a key that it has no place for.
var unknownField = regexp.MustCompile(`field (.*) not found in type \S+`)

// inOneLine is an error of the parser of YAML, which otherwise has a line for each value, without what concerns nobody but programmers.
func inOneLine(err error) string {
	text := strings.ReplaceAll(err.Error(), "unmarshal errors:\n  ", "")
	return unknownField.ReplaceAllString(strings.ReplaceAll(text, "\n  ", "; "), "the key $1 is not known: it is ignored")
}
