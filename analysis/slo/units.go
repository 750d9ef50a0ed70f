package slo

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Unit is what a measured value is a number of.
type Unit string

// The units of measured values, as Prometheus' base units. Seconds, bytes and a second's share compare only with quantities that
// say their unit.
const (
	Seconds   Unit = "seconds"
	Bytes     Unit = "bytes"
	Fraction  Unit = "fraction" // a part of 1
	PerSecond Unit = "1/s"
	Cores     Unit = "cores"
	Number    Unit = "1"
)

// unitNames are the units that can be written, by the unit that they measure, the largest first, with how many base units
// they are. Those in the first column are what a value is printed in.
func unitNames() map[Unit][]unitName {
	return map[Unit][]unitName{
		Seconds:   {{"h", 3600}, {"m", 60}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"µs", 1e-6}},
		Bytes:     {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}},
		Fraction:  {{"%", 0.01}},
		PerSecond: {{"/s", 1}},
		Cores:     {{"cores", 1}},
	}
}

type unitName struct {
	name   string
	factor float64
}

// unitNamesOf are the written forms of a unit, for hints.
func unitNamesOf(u Unit) []string {
	var names []string
	for _, n := range unitNames()[u] {
		names = append(names, n.name)
	}
	return names
}

// units are all measured units in order.
func units() []Unit { return []Unit{Seconds, Bytes, Fraction, PerSecond, Cores, Number} }

// in gives a quantity in a unit, or says why it is none of that unit.
func (q quantity) in(want Unit) (float64, *mistake) {
	if q.unit == "" {
		if want == Number || want == Fraction || want == Cores {
			return q.number, nil
		}
		return 0, &mistake{q.span, fmt.Sprintf("%s has no unit", plain(q.number)), "write " + joinOr(examples(q.number, want))}
	}
	for _, u := range units() {
		for _, n := range unitNames()[u] {
			if n.name != q.unit {
				continue
			}
			if u != want {
				return 0, &mistake{q.span, fmt.Sprintf("%s is %s, and what is compared with it is %s", q, phrase(u), phrase(want)), "write " + joinOr(examples(q.number, want))}
			}
			return shift(q.number, n.factor), nil
		}
	}
	return 0, &mistake{q.span, fmt.Sprintf("%q is not a unit", q.unit), unitHint(q, want)}
}

// shift multiplies so that 99.9 % is what 0.999 is: a hundredth has no exact form, and the limit decides.
func shift(number, factor float64) float64 {
	if factor >= 1 {
		return number * factor
	}
	text := strconv.FormatFloat(number, 'f', -1, 64) + "e" + strconv.Itoa(int(math.Round(math.Log10(factor))))
	shifted, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return number * factor // unreachable: the text is a number
	}
	return shifted
}

func unitHint(q quantity, want Unit) string {
	for _, u := range units() {
		for _, n := range unitNames()[u] {
			if u == want && strings.EqualFold(n.name, q.unit) {
				return fmt.Sprintf("write %s%s", plain(q.number), n.name)
			}
		}
	}
	switch q.unit {
	case "sec", "secs", "second", "seconds", "millis", "msec", "min":
		return "durations end with h, m, s, ms or us"
	case "K", "M", "G", "KB", "MB", "GB", "Ki", "Mi", "Gi", "k":
		return "bytes end with B, KiB, MiB or GiB"
	}
	if names := unitNamesOf(want); len(names) > 0 {
		return "write " + joinOr(examples(q.number, want))
	}
	return "write the number alone"
}

// examples are ways to write a number in a unit.
func examples(number float64, u Unit) []string {
	var all []string
	for _, n := range unitNames()[u] {
		if n.name != "h" && n.name != "m" && n.name != "µs" && n.name != "us" {
			all = append(all, plain(number)+strings.TrimPrefix(n.name, ""))
		}
	}
	if len(all) == 0 {
		all = []string{plain(number)}
	}
	return all
}

func joinOr(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// phrase is the unit in a sentence.
func phrase(u Unit) string {
	switch u {
	case Fraction:
		return "a fraction"
	case PerSecond:
		return "a rate"
	case Number:
		return "a plain number"
	}
	return "a number of " + string(u)
}

func plain(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func (q quantity) String() string { return plain(q.number) + q.unit }

// Format writes a value of a unit for people: 162 ms, 1.25 s, 99.95 %, 2.1 GiB, 33.4/s.
func (u Unit) Format(v float64) string {
	switch u {
	case Seconds:
		switch abs := math.Abs(v); {
		case v == 0:
			return "0 s"
		case abs < 1e-3:
			return digits(v*1e6) + " µs"
		case abs < 1:
			return digits(v*1e3) + " ms"
		}
		return digits(v) + " s"
	case Bytes:
		for _, n := range unitNames()[Bytes] {
			if math.Abs(v) >= n.factor {
				return digits(v/n.factor) + " " + n.name
			}
		}
		return digits(v) + " B"
	case Fraction:
		p := v * 100
		if p < 100 && p > 99.99 {
			p = 99.99 // less than all never looks like all
		}
		return strconv.FormatFloat(p, 'f', 2, 64) + " %"
	case PerSecond:
		return digits(v) + "/s"
	case Cores:
		return digits(v) + " cores"
	}
	return digits(v)
}

// digits are four significant ones, or all before the point.
func digits(v float64) string {
	if math.Abs(v) >= 1000 || v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
