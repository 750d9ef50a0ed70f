package cl2

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/template"

	yamlv2 "go.yaml.in/yaml/v2"
)

// The functions of the templates. Numbers are computed as 64-bit floating point whatever their type is; the functions whose names
// end in Int cut the fraction off, towards zero.

// Bounds of what a template may ask for, so that a slip of the pen ends in a message and not in the machine's memory.
const (
	longestLoop = 1 << 20
	longestData = 8 << 20
)

var (
	errDivision = errors.New("division by zero")
	errNoNumber = errors.New("a number is needed: there is none")
)

// functions are all functions that a template can call beside those of the language.
func (s *templates) functions() template.FuncMap {
	return template.FuncMap{
		"AddFloat": sum, "AddInt": whole(sum),
		"SubtractFloat": difference, "SubtractInt": whole2(difference),
		"MultiplyFloat": product, "MultiplyInt": whole(product),
		"DivideFloat": quotient, "DivideInt": whole2(quotient),
		"MaxFloat": largest, "MaxInt": whole(largest),
		"MinFloat": smallest, "MinInt": whole(smallest),
		"Mod":  remainder,
		"Ceil": func(x any) (float64, error) { n, err := number(x); return math.Ceil(n), err },

		"DefaultParam": defaultParam, "IfThenElse": ifThenElse,
		"Loop": loop, "SliceOfZeros": zeros, "Seq": zeros,
		"StringSplit": func(text string) []string { return strings.Split(text, ",") },
		"Lowercase":   strings.ToLower,
		"Concat":      func(parts ...string) string { return strings.Join(parts, "") },
		"YamlQuote":   yamlQuote,

		"RandInt": s.randInt, "RandIntRange": s.randIntRange,
		"RandData": s.randData, "RandDataWithSeed": s.randDataWithSeed,

		"IncludeFile": s.includeFile, "IncludeEmbedFile": s.includeEmbedFile,
	}
}

// number is a value as the functions count it: of any numeric type but the smallest integers, or a text that is a number.
func number(v any) (float64, error) {
	switch n := v.(type) {
	case float64:
		return n, nil
	case float32:
		return float64(n), nil
	case int:
		return float64(n), nil
	case int64:
		return float64(n), nil
	case int32:
		return float64(n), nil
	case uint:
		return float64(n), nil
	case uint64:
		return float64(n), nil
	case uint32:
		return float64(n), nil
	case string:
		if f, err := strconv.ParseFloat(n, 64); err == nil {
			return f, nil
		}
	case unknown:
		return 1, nil // has been reported; the rest of the file is to be seen
	}
	return 0, fmt.Errorf("cannot cast %v to float64", v)
}

func numbers(values []any) ([]float64, error) {
	all := make([]float64, len(values))
	for i, v := range values {
		n, err := number(v)
		if err != nil {
			return nil, err
		}
		all[i] = n
	}
	return all, nil
}

// whole makes the Int form of a function.
func whole(of func(...any) (float64, error)) func(...any) (int, error) {
	return func(values ...any) (int, error) {
		n, err := of(values...)
		return int(n), err
	}
}

func whole2(of func(a, b any) (float64, error)) func(a, b any) (int, error) {
	return func(a, b any) (int, error) {
		n, err := of(a, b)
		return int(n), err
	}
}

func sum(values ...any) (float64, error) {
	total := 0.0
	all, err := numbers(values)
	for _, n := range all {
		total += n
	}
	return total, err
}

func product(values ...any) (float64, error) {
	total := 1.0
	all, err := numbers(values)
	for _, n := range all {
		total *= n
	}
	return total, err
}

func difference(a, b any) (float64, error) {
	all, err := numbers([]any{a, b})
	if err != nil {
		return 0, err
	}
	return all[0] - all[1], nil
}

func quotient(a, b any) (float64, error) {
	all, err := numbers([]any{a, b})
	switch {
	case err != nil:
		return 0, err
	case all[1] == 0:
		return 0, errDivision
	}
	return all[0] / all[1], nil
}

func remainder(a, b any) (int, error) {
	all, err := numbers([]any{a, b})
	switch {
	case err != nil:
		return 0, err
	case int(all[1]) == 0:
		return 0, errDivision
	}
	return int(all[0]) % int(all[1]), nil
}

func largest(values ...any) (float64, error)  { return extreme(math.Max, values) }
func smallest(values ...any) (float64, error) { return extreme(math.Min, values) }

func extreme(of func(a, b float64) float64, values []any) (float64, error) {
	all, err := numbers(values)
	if err != nil {
		return 0, err
	}
	if len(all) == 0 {
		return 0, errNoNumber
	}
	result := all[0]
	for _, n := range all {
		result = of(result, n)
	}
	return result, nil
}

// defaultParam takes the default only for a variable that nobody has set: an empty text stays what it is.
func defaultParam(value, otherwise any) any {
	if value == nil {
		return otherwise
	}
	return value
}

func ifThenElse(condition, yes, no any) (any, error) {
	holds, ok := condition.(bool)
	switch {
	case !ok:
		return nil, fmt.Errorf("incorrect argument type: got: %T want: bool", condition)
	case holds:
		return yes, nil
	}
	return no, nil
}

// length checks how many items or characters are asked for.
func length(v any, most int) (int, error) {
	n, err := number(v)
	switch {
	case err != nil:
		return 0, err
	case !(n > -1) || int(n) > most:
		return 0, fmt.Errorf("the length must be from 0 to %d, not %v", most, v)
	}
	return int(n), nil
}

// loop is 0, 1, … n-1.
func loop(n any) ([]int, error) {
	items, err := zeros(n)
	for i := range items {
		items[i] = i
	}
	return items, err
}

func zeros(n any) ([]int, error) {
	size, err := length(n, longestLoop)
	if err != nil {
		return nil, err
	}
	return make([]int, size), nil
}

// yamlQuote writes a text as a YAML value and indents what follows its line ends by two spaces a tab. How it is written is
// yaml.v2's choice, as in the original.
func yamlQuote(value, tabs any) (string, error) {
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("incorrect argument type: got: %T want: string", value)
	}
	depth, ok := tabs.(int)
	if !ok {
		return "", fmt.Errorf("incorrect argument type: got: %T want: int", tabs)
	}
	const deepest = 1000
	if depth < 0 || depth > deepest {
		return "", fmt.Errorf("the tabs must be from 0 to %d, not %d", deepest, depth)
	}
	quoted, err := yamlv2.Marshal(text)
	if err != nil {
		return "", fmt.Errorf("write the text as YAML: %w", err)
	}
	return strings.ReplaceAll(string(quoted), "\n", "\n"+strings.Repeat("  ", depth)), nil
}
