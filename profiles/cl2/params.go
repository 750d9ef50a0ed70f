package cl2

import (
	"strconv"
	"strings"
	"time"
)

// The values of parameters as ClusterLoader2 takes them: numbers and switches may also be texts, durations are texts. What cannot be read
// is what is not there; validation has refused it before.

func (p Params) text(name string) string {
	text, _ := p[name].(string)
	return text
}

func (p Params) float(name string, otherwise float64) float64 {
	switch v := p[name].(type) {
	case float64:
		return v
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
	}
	return otherwise
}

func (p Params) int(name string, otherwise int) int {
	return int(p.float(name, float64(otherwise)))
}

func (p Params) bool(name string, otherwise bool) bool {
	switch v := p[name].(type) {
	case bool:
		return v
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
	}
	return otherwise
}

func (p Params) duration(name string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(p.text(name)); err == nil {
		return d
	}
	return otherwise
}

func (p Params) texts(name string) []string {
	list, _ := p[name].([]any)
	var out []string
	for _, v := range list {
		if text, ok := v.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// lowerCase has the names of all parameters in lower case.
func (p Params) lowerCase() Params {
	out := Params{}
	for name, v := range p {
		out[strings.ToLower(name)] = v
	}
	return out
}
