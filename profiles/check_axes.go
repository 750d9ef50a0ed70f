package profiles

import (
	"errors"
	"regexp"
)

// axisName is what an axis may be called: a word as fields are called, for it stands in commands and in file names.
var axisName = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)

// axes checks what capacity may vary: that every path is there and takes a number, and that every formula has a value at both
// ends of the axis.
func (c *checker) axes() {
	for _, name := range sortedKeys(c.Axes) {
		path, a := joinKey("axes", name), c.Axes[name]
		if !axisName.MatchString(name) {
			c.keyProblem(path, "such as podsPerNode", "%q is not the name of an axis: letters and digits, beginning with a small letter", name)
		}
		c.positive(path+".step", a.Step)
		c.positive(path+".from", a.From)
		if a.To < a.From {
			c.problem(path+".to", "", "must be at least from, %v, not %v", a.From, a.To)
		}
		if len(a.Set) == 0 {
			c.problem(path+".set", "write PATH: FORMULA, such as hollowNodes.count: level", "is required: without it the axis changes nothing")
		}
		for _, target := range sortedKeys(a.Set) {
			c.axisSetting(joinKey(path+".set", target), target, a)
		}
	}
}

// axisSetting checks one path and its formula.
func (c *checker) axisSetting(path, target string, a Axis) {
	report := func(report reporter, err error) {
		hint := ""
		var wrong *pathError
		if errors.As(err, &wrong) {
			hint = wrong.hint()
		}
		report(path, hint, "%s", err.Error())
	}
	if _, err := c.number(target); err != nil {
		report(c.keyProblem, err)
		return
	}
	f, err := parseFormula(a.Set[target])
	if err != nil {
		report(c.problem, err)
		return
	}
	for _, level := range []float64{a.From, a.To} {
		if _, err := f.value(level, c.Profile); err != nil {
			report(c.problem, err)
			return
		}
	}
}
