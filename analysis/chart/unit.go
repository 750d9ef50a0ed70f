package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Unit is what numbers are counted in. The named ones choose their own prefixes; any other is written behind the number as
// it stands, such as req/s, pods or cores.
type Unit string

// The units that are scaled to the size of the numbers.
const (
	Seconds  Unit = "s"       // µs, ms, s, min
	Elapsed  Unit = "elapsed" // seconds since the start of a run, written as min:s or h:min:s
	Bytes    Unit = "B"       // B, KiB, MiB, GiB
	Fraction Unit = "%"       // 1 is 100 %
	None     Unit = ""
)

// Format writes a number of this unit (seconds, bytes, …) for people, with three significant digits: 12.3 ms, 148 MiB,
// 33.4 req/s.
func (u Unit) Format(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if u == Elapsed {
		return clock(v)
	}
	factor, suffix := u.scale(math.Abs(v))
	text := significant(v/factor, 3)
	if suffix != "" {
		text += " " + suffix
	}
	return text
}

// scale chooses the prefix for numbers of a size: a number of the unit divided by factor counts suffixes.
func (u Unit) scale(size float64) (factor float64, suffix string) {
	switch u {
	case Seconds:
		switch {
		case size == 0 || size >= 0.9995 && size < 600:
			return 1, "s"
		case size < 0.9995e-3:
			return 1e-6, "µs"
		case size < 1:
			return 1e-3, "ms"
		}
		return 60, "min"
	case Bytes:
		for _, p := range []string{"B", "KiB", "MiB"} {
			if size < 1023.5 {
				return math.Max(1, factor), p
			}
			size /= 1024
			factor = math.Max(1, factor) * 1024
		}
		return factor, "GiB"
	case Fraction:
		return 0.01, "%"
	case Elapsed:
		return 1, "s"
	}
	return 1, string(u)
}

// significant writes a number with that many significant digits, or all digits before the point, and no zeros that say
// nothing.
func significant(v float64, digits int) string {
	if v == 0 {
		return "0"
	}
	decimals := max(0, digits-1-int(math.Floor(math.Log10(math.Abs(v)))))
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// clock is a number of seconds as min:s, or h:min:s from an hour on.
func clock(v float64) string {
	sign := ""
	if v < 0 {
		sign, v = "−", -v
	}
	whole := math.Floor(v)
	s, rest := int64(whole), v-whole
	fraction := ""
	if rest >= 0.001 {
		fraction = strings.TrimRight(strconv.FormatFloat(rest, 'f', 3, 64)[1:], "0")
	}
	if s >= 3600 {
		return fmt.Sprintf("%s%d:%02d:%02d%s", sign, s/3600, s/60%60, s%60, fraction)
	}
	return fmt.Sprintf("%s%d:%02d%s", sign, s/60, s%60, fraction)
}
