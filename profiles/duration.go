package profiles

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Duration is a time.Duration that YAML and JSON write as in 1m30s. A number without a unit is an error: nobody
// can tell whether 30 was meant as seconds or milliseconds.
type Duration time.Duration

// String writes d in the shortest form that ParseDuration reads back: 5m, not 5m0s.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// ParseDuration reads a duration such as 1m30s, 250ms or 0s. Unlike time.ParseDuration it insists on a unit, also for
// zero, and its error says what to write instead.
func ParseDuration(s string) (Duration, error) {
	if d, err := time.ParseDuration(s); err == nil && !isNumber(s) {
		return Duration(d), nil
	}
	return 0, &durationError{text: s, hint: durationHint(s)}
}

// MarshalYAML writes d as String does.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// UnmarshalYAML reads a text such as 1m30s.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: a duration is a text such as 1m30s", n.Line)
	}
	parsed, err := ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*d = parsed
	return nil
}

// MarshalJSON writes d as a string, as String does.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads a string such as "1m30s".
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return &durationError{text: string(data), hint: durationHint(string(data))}
	}
	parsed, err := ParseDuration(s)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// durationError says what is wrong with the text of a duration, and what to write.
type durationError struct{ text, hint string }

func (e *durationError) message() string {
	if isNumber(e.text) {
		return fmt.Sprintf("%s has no unit", e.text)
	}
	return fmt.Sprintf("%q is not a duration", e.text)
}

// Error is the message and the hint.
func (e *durationError) Error() string { return e.message() + ": " + e.hint }

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

var wordyDuration = regexp.MustCompile(`^\s*([0-9.]+)\s*([a-zA-Zµ]+)\s*$`)

// durationHint guesses what was meant by a text that is not a duration.
func durationHint(s string) string {
	const usual = "write a number and a unit (ms, s, m, h), such as 1m30s"
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		n := strconv.FormatFloat(f, 'f', -1, 64)
		return fmt.Sprintf("write the unit: %ss, %sms or %sm", n, n, n)
	}
	m := wordyDuration.FindStringSubmatch(s)
	if m == nil {
		return usual
	}
	units := map[string]string{
		"sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
		"hour": "h", "hours": "h", "hr": "h", "hrs": "h", "msec": "ms", "millis": "ms", "milliseconds": "ms",
		"s": "s", "m": "m", "h": "h", "ms": "ms",
	}
	word := strings.ToLower(m[2])
	if unit, ok := units[word]; ok {
		return fmt.Sprintf("write %s%s", m[1], unit)
	}
	if days, err := strconv.ParseFloat(m[1], 64); err == nil && (word == "d" || word == "day" || word == "days") {
		return fmt.Sprintf("there is no unit for days: write %sh", strconv.FormatFloat(24*days, 'f', -1, 64))
	}
	return usual
}
