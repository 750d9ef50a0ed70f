package clusterloader

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// params are the parameters of one call, read as leniently as the original reads them: numbers also out of texts.
type params map[string]any

func readParams(raw json.RawMessage) (params, error) {
	p := params{}
	if len(raw) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("read the parameters: %w", err)
	}
	return p, nil
}

// get finds a parameter; one that is null counts as not given.
func (p params) get(name string) (any, bool) {
	v, ok := p[name]
	return v, ok && v != nil
}

// find finds a parameter in whatever case of its letters; nil where there is none.
func (p params) find(name string) any {
	for key, v := range p {
		if strings.EqualFold(key, name) && v != nil {
			return v
		}
	}
	return nil
}

func (p params) text(name, otherwise string) (string, error) {
	v, ok := p.get(name)
	if !ok {
		return otherwise, nil
	}
	s, ok := v.(string)
	if !ok {
		return otherwise, wrongType(name, "a text", v)
	}
	return s, nil
}

func (p params) number(name string, otherwise float64) (float64, error) {
	v, ok := p.get(name)
	if !ok {
		return otherwise, nil
	}
	switch v := v.(type) {
	case float64:
		return v, nil
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) { // which JSON does not have
			return f, nil
		}
	}
	return otherwise, wrongType(name, "a number", v)
}

func (p params) boolean(name string, otherwise bool) (bool, error) {
	v, ok := p.get(name)
	if !ok {
		return otherwise, nil
	}
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b, nil
		}
	}
	return otherwise, wrongType(name, "true or false", v)
}

func (p params) duration(name string, otherwise time.Duration) (time.Duration, error) {
	v, ok := p.get(name)
	if !ok {
		return otherwise, nil
	}
	if s, ok := v.(string); ok {
		if d, err := time.ParseDuration(s); err == nil {
			return d, nil
		}
	}
	return otherwise, wrongType(name, "a duration", v)
}

func wrongType(name, want string, got any) error {
	return fmt.Errorf("parameter %s must be %s, not %v", name, want, got)
}
