package stages

import (
	"fmt"
	"reflect"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
	"k8s.io/apimachinery/pkg/api/resource"
)

// The names under which an expression sees the object, and under which the macros below reach the instant and chance.
const (
	celSelf   = "self"
	celNow    = "@now"
	celRandom = "@random"
	celSince  = "@since"
)

// newCEL is the language of CEL expressions: CEL with the object as self, and the functions that KWOK adds to it: Now(), Rand(),
// SinceSecond(self), UnixSecond(timestamp) and Quantity(text). The object is what JSON says: its times are texts, and a key that
// it does not have is an error that has() guards against.
func newCEL() (*cel.Env, error) {
	ident := func(name string) cel.MacroFactory {
		return func(f cel.MacroExprFactory, _ ast.Expr, _ []ast.Expr) (ast.Expr, *common.Error) {
			return f.NewIdent(name), nil
		}
	}
	since := func(f cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		if len(args) == 1 {
			target = args[0]
		}
		return f.NewCall(celSince, target, f.NewIdent(celNow)), nil
	}
	return cel.NewEnv(
		cel.Variable(celSelf, cel.DynType), cel.Variable(celNow, cel.TimestampType), cel.Variable(celRandom, cel.DoubleType),
		cel.Macros(cel.GlobalMacro("Now", 0, ident(celNow)), cel.GlobalMacro("Rand", 0, ident(celRandom)),
			cel.GlobalMacro("SinceSecond", 1, since), cel.ReceiverMacro("SinceSecond", 0, since)),
		cel.Function(celSince, cel.Overload("since_dyn_timestamp", []*cel.Type{cel.DynType, cel.TimestampType}, cel.DoubleType, cel.BinaryBinding(sinceCreation))),
		cel.Function("UnixSecond", cel.Overload("unix_second_dyn", []*cel.Type{cel.DynType}, cel.DoubleType, cel.UnaryBinding(unixSecond)),
			cel.MemberOverload("dyn_unix_second", []*cel.Type{cel.DynType}, cel.DoubleType, cel.UnaryBinding(unixSecond))),
		cel.Function("Quantity", cel.Overload("quantity_dyn", []*cel.Type{cel.DynType}, cel.DoubleType, cel.UnaryBinding(quantity))),
	)
}

// sinceCreation is the seconds since an object was made.
func sinceCreation(object, now ref.Val) ref.Val {
	native, err := object.ConvertToNative(reflect.TypeFor[map[string]any]())
	if err != nil {
		return types.NewErr("SinceSecond takes an object: %v", err)
	}
	metadata, _ := native.(map[string]any)["metadata"].(map[string]any)
	created, err := time.Parse(time.RFC3339Nano, fmt.Sprint(metadata["creationTimestamp"]))
	if err != nil {
		return types.NewErr("SinceSecond: the object has no metadata.creationTimestamp")
	}
	return types.Double(now.(types.Timestamp).Sub(created).Seconds())
}

// unixSecond is a time, or a text in RFC 3339, in seconds since 1970.
func unixSecond(v ref.Val) ref.Val {
	if t, ok := v.ConvertToType(types.TimestampType).(types.Timestamp); ok {
		return types.Double(float64(t.UnixNano()) / float64(time.Second))
	}
	return types.NewErr("UnixSecond takes a time, not %v", v)
}

// quantity is a Kubernetes quantity as a number.
func quantity(v ref.Val) ref.Val {
	q, err := resource.ParseQuantity(fmt.Sprint(v.Value()))
	if err != nil {
		return types.NewErr("Quantity(%v): %v", v.Value(), err)
	}
	return types.Double(q.AsApproximateFloat64())
}

// activation is what the names of an expression stand for.
type activation struct {
	object *view
	at     moment
}

// ResolveName is the value of a name.
func (a activation) ResolveName(name string) (any, bool) {
	switch name {
	case celSelf:
		return a.object.value, true
	case celNow:
		return a.at.now, true
	case celRandom:
		return a.at.random.Float64(), true
	}
	return nil, false
}

// Parent is nobody.
func (activation) Parent() interpreter.Activation { return nil }

// evaluate gives the value of an expression as Go has it: bool, int64, float64, string, time.Duration, time.Time.
func evaluate(program cel.Program, object *view, at moment) (any, error) {
	out, _, err := program.Eval(activation{object, at})
	if err != nil {
		return nil, err
	}
	return out.Value(), nil
}
