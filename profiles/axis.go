package profiles

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// levelName is what a formula calls the level of its axis.
const levelName = "level"

// AtLevel is the settings (each PATH=VALUE, as --set takes them) that put a profile at a level of one of its axes. p is the
// profile as it was loaded, its other settings applied. The formulas were checked by Load; what a level makes of them may
// still be no value for its field, which loading the profile with these settings says.
func (p *Profile) AtLevel(axis string, level float64) ([]string, error) {
	a, ok := p.Axes[axis]
	if !ok {
		return nil, p.noAxis(axis)
	}
	var sets []string
	for _, path := range sortedKeys(a.Set) {
		f, err := parseFormula(a.Set[path])
		if err != nil {
			return nil, fmt.Errorf("axis %s: %s: %w", axis, path, err)
		}
		v, err := f.value(level, p)
		if err != nil {
			return nil, fmt.Errorf("axis %s at level %s: %s: %w", axis, plainNumber(level), path, err)
		}
		sets = append(sets, path+"="+p.written(path, v))
	}
	return sets, nil
}

// noAxis is the error for an axis that a profile does not have.
func (p *Profile) noAxis(axis string) error {
	names := sortedKeys(p.Axes)
	if len(names) == 0 {
		return fmt.Errorf("the profile %s has no axes; declare one under axes:, or with --set-axis 'PATH=FORMULA'", p.Name)
	}
	hint := ""
	if near, ok := nearest(axis, names); ok {
		hint = fmt.Sprintf(", did you mean %s?", near)
	}
	return fmt.Errorf("the profile %s has no axis %q%s (they are: %s)", p.Name, axis, hint, strings.Join(names, ", "))
}

// written is a number as the field at a path takes it: a duration in seconds, everything else as it is.
func (p *Profile) written(path string, v float64) string {
	if at, err := p.lookup(path); err == nil && at.Type() == reflect.TypeFor[Duration]() {
		return Duration(time.Duration(math.Round(v*1e3)) * time.Millisecond).String()
	}
	return plainNumber(v)
}

// plainNumber is a number without an exponent and without the last digits, which floating point makes up.
func plainNumber(v float64) string {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// lookup finds a value of a profile by its path.
func (p *Profile) lookup(path string) (reflect.Value, error) {
	segments, _, err := parsePath(path)
	if err != nil {
		return reflect.Value{}, err
	}
	v, walked := reflect.ValueOf(p).Elem(), ""
	for _, seg := range segments {
		for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		next, choices := child(v, seg)
		if !next.IsValid() {
			return next, &pathError{walked: walked, segment: seg, choices: choices}
		}
		if seg.isIndex {
			walked = joinIndex(walked, seg.index)
		} else {
			walked = joinKey(walked, seg.key)
		}
		v = next
	}
	for (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	return v, nil
}

// child is what one segment leads to; where there is nothing, what there is instead.
func child(v reflect.Value, seg segment) (next reflect.Value, choices []string) {
	switch {
	case v.Kind() == reflect.Slice && seg.isIndex && seg.index < v.Len():
		return v.Index(seg.index), nil
	case v.Kind() == reflect.Map && !seg.isIndex:
		for _, k := range v.MapKeys() {
			choices = append(choices, k.String())
		}
		return v.MapIndex(reflect.ValueOf(seg.key)), choices
	case v.Kind() == reflect.Struct && !seg.isIndex:
		if f, ok := fieldNamed(v.Type(), seg.key); ok {
			return v.Field(f.index), nil
		}
		return reflect.Value{}, fieldNames(v.Type())
	}
	return reflect.Value{}, nil
}

// pathError is a path that leads nowhere.
type pathError struct {
	walked  string
	segment segment
	choices []string
}

func (e *pathError) Error() string {
	where, what := "the profile", fmt.Sprintf("%q", e.segment.key)
	if e.walked != "" {
		where = e.walked
	}
	if e.segment.isIndex {
		what = fmt.Sprintf("item [%d]", e.segment.index)
	}
	return fmt.Sprintf("%s has no %s", where, what)
}

func (e *pathError) hint() string {
	if e.segment.isIndex {
		return ""
	}
	return suggest(e.segment.key, e.choices)
}

// formula is an expression over the level of an axis and the numbers of a profile: + − × ÷, brackets, min, max, round, floor
// and ceil. It has the syntax of Go's expressions, of which paths such as phases[1].tracks[0].name are a part.
type formula struct{ root ast.Expr }

// errFormula is a text that is no formula.
var errFormula = errors.New("is not a formula")

func parseFormula(text string) (formula, error) {
	root, err := parser.ParseExpr(text)
	if err != nil {
		return formula{}, fmt.Errorf("%q %w", text, errFormula)
	}
	return formula{root}, nil
}

// value works the formula out.
func (f formula) value(level float64, p *Profile) (float64, error) {
	v, err := evaluate(f.root, level, p)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = errors.New("the formula gives no finite number")
	}
	return v, err
}

func evaluate(e ast.Expr, level float64, p *Profile) (float64, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return evaluate(e.X, level, p)
	case *ast.BasicLit:
		if e.Kind == token.INT || e.Kind == token.FLOAT {
			return strconv.ParseFloat(e.Value, 64)
		}
	case *ast.UnaryExpr:
		if v, err := evaluate(e.X, level, p); err != nil || e.Op == token.SUB {
			return -v, err
		}
	case *ast.BinaryExpr:
		return operation(e, level, p)
	case *ast.CallExpr:
		return function(e, level, p)
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr:
		path := pathOf(e)
		if path == levelName {
			return level, nil
		}
		return p.number(path)
	}
	return 0, fmt.Errorf("%w: only numbers, %s, paths of the profile, + - * / ( ), min, max, round, floor and ceil are allowed", errFormula, levelName)
}

func operation(e *ast.BinaryExpr, level float64, p *Profile) (float64, error) {
	x, err := evaluate(e.X, level, p)
	if err != nil {
		return 0, err
	}
	y, err := evaluate(e.Y, level, p)
	switch e.Op {
	case token.ADD:
		return x + y, err
	case token.SUB:
		return x - y, err
	case token.MUL:
		return x * y, err
	case token.QUO:
		return x / y, err
	}
	return 0, fmt.Errorf("%w: %s is not one of + - * /", errFormula, e.Op)
}

func function(e *ast.CallExpr, level float64, p *Profile) (float64, error) {
	var args []float64
	for _, arg := range e.Args {
		v, err := evaluate(arg, level, p)
		if err != nil {
			return 0, err
		}
		args = append(args, v)
	}
	name := pathOf(e.Fun)
	rounding := map[string]func(float64) float64{"round": math.Round, "floor": math.Floor, "ceil": math.Ceil}
	choosing := map[string]func([]float64) float64{"min": slices.Min[[]float64], "max": slices.Max[[]float64]}
	if f, ok := rounding[name]; ok && len(args) == 1 {
		return f(args[0]), nil
	}
	if f, ok := choosing[name]; ok && len(args) > 0 {
		return f(args), nil
	}
	known := slices.Concat(slices.Sorted(maps.Keys(rounding)), slices.Sorted(maps.Keys(choosing)))
	return 0, fmt.Errorf("%w: %s with %d arguments is not a function; one of: %s", errFormula, name, len(args), strings.Join(known, ", "))
}

// pathOf writes an expression as the path that it is, "" when it is none.
func pathOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return joinKey(pathOf(e.X), e.Sel.Name)
	case *ast.IndexExpr:
		if lit, ok := e.Index.(*ast.BasicLit); ok && lit.Kind == token.INT {
			return pathOf(e.X) + "[" + lit.Value + "]"
		}
	}
	return ""
}

// number is the number at a path; durations count in seconds.
func (p *Profile) number(path string) (float64, error) {
	v, err := p.lookup(path)
	switch {
	case err != nil:
		return 0, err
	case v.Type() == reflect.TypeFor[Duration]():
		return time.Duration(v.Int()).Seconds(), nil
	case v.CanInt():
		return float64(v.Int()), nil
	case v.CanUint():
		return float64(v.Uint()), nil
	case v.CanFloat():
		return v.Float(), nil
	}
	return 0, fmt.Errorf("%s is not a number", path)
}
