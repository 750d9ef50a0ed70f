package stages

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/itchyny/gojq"
	"k8s.io/apimachinery/pkg/types"

	"windtunnel/profiles"
)

// noun and toStartFrom are what problems of the text call a file of stages.
const (
	noun        = "file of stages"
	toStartFrom = "windtunnel stages show pod-fast prints stages to start from"
)

// Parse reads and compiles the stages of a YAML file, which may hold several documents; name is the file's name for messages. The
// error is a *profiles.Problems with everything that is wrong in all of them, each at its position; there are then no stages.
func Parse(name string, data []byte) ([]*Stage, error) {
	language, err := newCEL()
	if err != nil {
		return nil, fmt.Errorf("set up CEL: %w", err)
	}
	var all []*Stage
	err = profiles.DecodeEach(name, noun, toStartFrom, data, func(d *profiles.Document) {
		c := compiler{Document: d, language: language, renderer: newRenderer()}
		if d.Into(&c.from) {
			all = append(all, c.stage())
		}
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// IsFile tells whether a YAML text says that it holds stages, whatever else is wrong with it.
func IsFile(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "kind:"); ok {
			return strings.Trim(strings.TrimSpace(value), `"'`) == Kind
		}
	}
	return false
}

// compiler turns one document into a stage and reports what is wrong with it.
type compiler struct {
	*profiles.Document
	from     document
	language *cel.Env
	renderer *renderer
	notes    []profiles.Problem
}

func (c *compiler) stage() *Stage {
	c.header()
	s := &Stage{Name: c.from.Metadata.Name, renderer: c.renderer, at: c.At("metadata.name")}
	in := &c.from.Spec
	s.For = Resource{APIVersion: in.ResourceRef.APIGroup, Kind: in.ResourceRef.Kind}
	if s.For.APIVersion == "" {
		s.For.APIVersion = "v1"
	}
	if s.For.Kind == "" {
		c.Problem("spec.resourceRef.kind", "such as Pod or Node", "is required")
	}
	s.Immediate = in.ImmediateNextStage != nil && *in.ImmediateNextStage
	s.selector = c.selector()
	if in.Weight < 0 {
		c.Problem("spec.weight", "", "must not be negative, not %d", in.Weight)
	}
	weight := int64(in.Weight)
	s.weight = c.source("spec.weightFrom", in.WeightFrom, &weight)
	s.delay = c.delay()
	s.steps = c.steps()
	s.Notes = c.notes
	return s
}

func (c *compiler) header() {
	if c.from.APIVersion != APIVersion {
		c.Problem("apiVersion", "write apiVersion: "+APIVersion, "%q is not a version of stages", c.from.APIVersion)
	}
	if c.from.Kind != Kind {
		c.Problem("kind", "write kind: "+Kind+"; a document of another kind goes into a file of its own", "%q is not the kind of a stage", c.from.Kind)
	}
	if c.from.Metadata.Name == "" {
		c.Problem("metadata.name", "", "is required")
	}
}

// note reports what is legal and does nothing.
func (c *compiler) note(path, hint, format string, args ...any) {
	p := c.At(path)
	p.Path, p.Message, p.Hint = path, fmt.Sprintf(format, args...), hint
	c.notes = append(c.notes, p)
}

func (c *compiler) selector() *selector {
	const path = "spec.selector"
	in := c.from.Spec.Selector
	if in == nil || c.Null(path) {
		c.note(path, "selector: {} selects every object", "without a selector the stage is never carried out")
		return nil
	}
	out := &selector{labels: in.MatchLabels, annotations: in.MatchAnnotations}
	for i, e := range in.MatchExpressions {
		c.requirement(fmt.Sprintf("%s.matchExpressions[%d]", path, i), e, out)
	}
	return out
}

// requirement compiles one of the three forms of a requirement.
func (c *compiler) requirement(path string, e matchExpression, into *selector) {
	forms := 0
	for _, there := range []bool{e.CEL != nil, e.JQ != nil, e.Key != "" || e.Operator != "" || len(e.Values) > 0} {
		if there {
			forms++
		}
	}
	switch {
	case forms == 0:
		c.Problem(path, "write key and operator, or jq, or cel", "requires nothing")
	case forms > 1:
		c.Problem(path, "write several requirements as several items", "has several forms of a requirement at once")
	case e.CEL != nil:
		if program := c.cel(path+".cel.expression", e.CEL.Expression); program != nil {
			into.conditions = append(into.conditions, condition{program, e.CEL.Expression})
		}
	default:
		r, at := requirement{e.Key, e.Operator, e.Values}, path
		if e.JQ != nil {
			r, at = *e.JQ, path+".jq"
		}
		c.operator(at, r)
		if q := c.jq(at+".key", r.Key); q != nil {
			into.requirements = append(into.requirements, match{query: *q, operator: r.Operator, values: r.Values})
		}
	}
}

func (c *compiler) operator(path string, r requirement) {
	switch r.Operator {
	case opIn, opNotIn:
		if len(r.Values) == 0 {
			c.Problem(path+".values", "", "%s needs at least one value", r.Operator)
		}
	case opExists, opDoesNotExist:
		if len(r.Values) > 0 {
			c.Problem(path+".values", "take the values away, or write In or NotIn", "%s takes no values", r.Operator)
		}
	case "":
		c.Problem(path+".operator", "one of: In, NotIn, Exists, DoesNotExist", "is required")
	default:
		c.Problem(path+".operator", profiles.Suggest(r.Operator, []string{opIn, opNotIn, opExists, opDoesNotExist}), "%q is not known", r.Operator)
	}
}

// source compiles an expression that a weight or a duration comes from; in may be nil.
func (c *compiler) source(path string, in *expressionFrom, fallback *int64) source {
	s := source{fallback: fallback}
	if in == nil {
		return s
	}
	forms := 0
	for _, there := range []bool{in.CEL != nil, in.JQ != nil, in.ExpressionFrom != ""} {
		if there {
			forms++
		}
	}
	switch {
	case forms == 0:
		c.Problem(path, "write expressionFrom, jq or cel", "has no expression")
	case forms > 1:
		c.Problem(path, "", "has several expressions at once")
	case in.CEL != nil:
		s.program, s.text = c.cel(path+".cel.expression", in.CEL.Expression), in.CEL.Expression
	case in.JQ != nil:
		s.query = c.jq(path+".jq.expression", in.JQ.Expression)
	default:
		s.query = c.jq(path+".expressionFrom", in.ExpressionFrom)
	}
	return s
}

func (c *compiler) jq(path, text string) *query {
	if text == "" {
		c.Problem(path, "such as .status.phase", "is required")
		return nil
	}
	q, err := newQuery(text)
	if err == nil {
		return &q
	}
	offset, width := 0, len(text)
	var syntax *gojq.ParseError
	if errors.As(err, &syntax) {
		width = max(len(syntax.Token), 1)
		offset = min(max(syntax.Offset-len(syntax.Token), 0), len(text))
	}
	c.ProblemIn(path, text, utf8.RuneCountInString(text[:offset]), width, "", "jq: %v", err)
	return nil
}

func (c *compiler) cel(path, text string) cel.Program {
	if text == "" {
		c.Problem(path, "such as self.status.phase == 'Running'", "is required")
		return nil
	}
	tree, issues := c.language.Compile(text)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			c.ProblemIn(path, text, offsetOf(text, e.Location.Line(), e.Location.Column()), 1, "", "CEL: %s", e.Message)
		}
		return nil
	}
	program, err := c.language.Program(tree)
	if err != nil {
		c.Problem(path, "", "CEL: %v", err)
		return nil
	}
	return program
}

// offsetOf is the character, from 0, of a line and column, which count from 1 and 0 as CEL has them.
func offsetOf(text string, line, column int) int {
	offset := 0
	for l := range strings.Lines(text) {
		if line--; line <= 0 {
			break
		}
		offset += utf8.RuneCountInString(l)
	}
	return min(offset+max(column, 0), utf8.RuneCountInString(text))
}

var (
	templateError   = regexp.MustCompile(`^template: [^:]*:(\d+):(?:\d+:)? (.*)$`)
	unknownFunction = regexp.MustCompile(`^function "(.*)" not defined$`)
)

// template compiles a template and gives its number.
func (c *compiler) template(path, text string) int {
	number, err := c.renderer.add(text)
	if err == nil {
		return number
	}
	message, hint, offset, width := err.Error(), "", 0, 1
	if m := templateError.FindStringSubmatch(message); m != nil {
		message = m[2]
		line, err := strconv.Atoi(m[1])
		if err != nil {
			line = 1
		}
		leading := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
		offset = utf8.RuneCountInString(text[:leading]) + offsetOf(text[leading:], line, 0)
	}
	if m := unknownFunction.FindStringSubmatch(message); m != nil {
		hint = functionHint(m[1])
		rest := string([]rune(text)[offset:])
		if i := strings.Index(rest, m[1]); i >= 0 {
			offset, width = offset+utf8.RuneCountInString(rest[:i]), utf8.RuneCountInString(m[1])
		}
	}
	c.ProblemIn(path, text, offset, width, hint, "template: %s", message)
	return 0
}

func functionHint(name string) string {
	for _, r := range refused() {
		if r == name {
			return "KWOK has it; here it would make the life of an object depend on more than the seed"
		}
	}
	return profiles.Suggest(name, append(sortedKeys(functions(&Scope{})), "and", "or", "not", "index", "len", "print", "printf", "println", "call", "html", "js", "urlquery", "lt", "le", "gt", "ge"))
}

// patchTypes are the words for the types of a patch.
func patchTypes() map[string]types.PatchType {
	return map[string]types.PatchType{"json": types.JSONPatchType, "merge": types.MergePatchType, "strategic": types.StrategicMergePatchType}
}
