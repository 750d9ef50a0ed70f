package profiles

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// quantitySyntax is that of Kubernetes' resource.Quantity: a decimal number and a binary suffix, a decimal suffix or an
// exponent.
var quantitySyntax = regexp.MustCompile(`^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]+)?$`)

// parseQuantity reads a Kubernetes quantity such as 500m, 32 or 256Gi as a number. Exact enough to compare sums: the
// result is a float64.
func parseQuantity(s string) (float64, error) {
	m := quantitySyntax.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is not a quantity", s)
	}
	if strings.HasPrefix(m[2], "e") || strings.HasPrefix(m[2], "E") && m[2] != "E" && m[2] != "Ei" {
		return strconv.ParseFloat(s, 64)
	}
	value, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a quantity: %w", s, err)
	}
	return value * suffixFactor(m[2]), nil
}

func suffixFactor(suffix string) float64 {
	if binary := strings.TrimSuffix(suffix, "i"); binary != suffix {
		return math.Pow(1024, float64(strings.Index("KMGTPE", binary)+1))
	}
	switch suffix {
	case "":
		return 1
	case "n":
		return 1e-9
	case "u":
		return 1e-6
	case "m":
		return 1e-3
	}
	return math.Pow(1000, float64(strings.Index("kMGTPE", suffix)+1))
}

// quantityHint guesses what was meant by a text that is no quantity.
func quantityHint(s string) string {
	const usual = "write a number with a suffix such as m, k, M, G, Ki, Mi or Gi: 500m, 32, 256Gi"
	unit := strings.TrimLeft(s, "0123456789.+- ")
	digits := strings.TrimSpace(strings.TrimSuffix(s, unit))
	for _, suffix := range []string{"Ki", "Mi", "Gi", "Ti", "Pi"} {
		if folded := strings.ToLower(unit); folded == strings.ToLower(suffix) || folded == strings.ToLower(suffix)+"b" {
			return "write " + digits + suffix
		}
	}
	for _, suffix := range []string{"k", "M", "G", "T", "P"} {
		if folded := strings.ToLower(unit); folded == strings.ToLower(suffix)+"b" || folded == strings.ToLower(suffix) {
			return "write " + digits + suffix + " (decimal) or " + digits + strings.ToUpper(suffix) + "i (binary)"
		}
	}
	return usual
}
