package compare

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Pattern chooses figures by their whole names: * stands for any characters, and case does not count. The zero value matches all.
type Pattern struct{ text string }

// ParsePattern accepts any text; "" matches all.
func ParsePattern(text string) Pattern { return Pattern{strings.TrimSpace(text)} }

// Match tells whether a figure's name is meant.
func (p Pattern) Match(f Figure) bool { return p.matchName(f.String()) }

func (p Pattern) matchName(name string) bool {
	if p.text == "" {
		return true
	}
	parts := strings.Split(p.text, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	// Quoted text and .* always compile.
	return regexp.MustCompile(`(?i)^` + strings.Join(parts, ".*") + `$`).MatchString(name)
}

// Gate is a condition that must not come true, for CI.
type Gate struct {
	Text    string
	Figures Pattern
	// Beyond is what the change for the worse must exceed, 0.05 for 5 % of the base's median; of a share, 5 percentage points: from 0.1 % to
	// 0.2 % of errors would be twice as many. 0: any change that matters.
	Beyond float64
}

// ParseGate reads "regression", "regression>5%" or either behind a pattern of figures, "client * p99: regression>10%".
func ParseGate(text string) (Gate, error) {
	g := Gate{Text: text}
	condition := text
	if i := strings.LastIndex(text, ":"); i >= 0 {
		g.Figures, condition = ParsePattern(text[:i]), text[i+1:]
	}
	limit, ok := strings.CutPrefix(strings.TrimSpace(condition), "regression")
	limit = strings.TrimSpace(limit)
	if !ok || limit != "" && limit[0] != '>' {
		return Gate{}, fmt.Errorf("%q is no condition: give regression, 'regression>5%%', or either for some figures as in 'client * p99: regression>10%%'", text)
	}
	if limit == "" {
		return g, nil
	}
	percent, ok := strings.CutSuffix(strings.TrimSpace(limit[1:]), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(percent), 64)
	if !ok || err != nil || !(v >= 0) {
		return Gate{}, fmt.Errorf("%q: %q is no percentage, such as 5%%", text, strings.TrimSpace(limit[1:]))
	}
	g.Beyond = v / 100
	return g, nil
}

// GateResult is what a comparison says to a gate.
type GateResult struct {
	Gate string `json:"gate"`
	// Verdict is regression when the gate fails, cannot tell when figures that it is about could not be judged, or not shown.
	Verdict Verdict  `json:"verdict"`
	Figures int      `json:"figures"`           // that it is about
	Failed  []string `json:"failed,omitempty"`  // figures with such a regression
	Unknown []string `json:"unknown,omitempty"` // figures that could not be judged
	Gone    []string `json:"gone,omitempty"`    // figures that only the base has
	LeftOut []string `json:"leftOut,omitempty"` // runs of new that are invalid: what spoils runs must not open a gate
}

// Check holds a comparison against the gate. It does not pass where figures or runs of the new side are missing, and fails where a
// regression was shown in what is left.
func (g Gate) Check(c Comparison) GateResult {
	r := GateResult{Gate: g.Text, Verdict: NotShown}
	for _, row := range c.Rows {
		if !g.Figures.Match(row.Figure) {
			continue
		}
		r.Figures++
		switch {
		case row.Verdict == Regression && row.size() > g.Beyond:
			r.Failed = append(r.Failed, row.Figure.String())
		case row.Verdict == Unknown:
			r.Unknown = append(r.Unknown, row.Figure.String())
		}
	}
	for _, name := range c.OnlyBase {
		if g.Figures.matchName(name) {
			r.Figures++
			r.Gone = append(r.Gone, name)
		}
	}
	for _, l := range c.New.LeftOut {
		r.LeftOut = append(r.LeftOut, l.ID)
	}
	switch {
	case len(r.Failed) > 0:
		r.Verdict = Regression
	case len(r.Unknown)+len(r.Gone)+len(r.LeftOut) > 0 || r.Figures == 0:
		r.Verdict = Unknown
	}
	return r
}
