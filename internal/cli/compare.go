package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"windtunnel/analysis/compare"
	"windtunnel/analysis/render"
	"windtunnel/results"
)

type compareFlags struct {
	output  string
	figures []string
	differ  []string
	failOn  []string
	least   string
	level   float64
	force   bool
	all     bool
}

func (a *app) compareCommand() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare BASE NEW | compare BASE… -- NEW…",
		Short: "Tell whether runs differ: medians, intervals, a rank test corrected for all figures, and a verdict",
		Long: `Compare the runs of two sides. BASE and NEW are run directories, or folders of runs, which stand for all runs in them; several
a side are parted by --. A run gives one value of each figure, so that it takes several runs a side to show a change: 8 are enough
for any profile here, made in turns.

Marks: ✗ a change for the worse was shown, ✓ for the better, · one that is less than matters, ~ none was shown,
? with so few runs none could have been shown.

Without --fail-on the exit code is 0 whatever was found; with it 7 when such a regression was shown and 4 when that cannot be told.`,
		Example: `  windtunnel compare results/runs/A results/runs/B
  windtunnel compare results/before results/after --fail-on 'regression>5%'
  windtunnel compare results/runs/smoke-*-base -- results/runs/smoke-*-new --differ controlPlane,versions
  windtunnel compare before after --fail-on 'client * p99: regression>10%' -o markdown`,
		Args: usage(func(cmd *cobra.Command, args []string) error {
			_, _, err := sides(args, cmd.ArgsLenAtDash())
			return err
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			base, new, _ := sides(args, cmd.ArgsLenAtDash())
			return a.compare(base, new, f)
		},
	}
	outputFlag(cmd, &f.output, "text", "json", "csv", "markdown", "html")
	flags := cmd.Flags()
	flags.StringArrayVar(&f.figures, "figures", nil, "compare only figures whose names match `PATTERN`, as in 'client * p99'; may be given several times")
	flags.StringSliceVar(&f.differ, "differ", nil, "`PATHS` in which the sides may differ, as in controlPlane,versions.kubernetes")
	flags.BoolVar(&f.force, "force", false, "compare runs that are not alike")
	flags.StringVar(&f.least, "least", "", "the change from which on it matters, as in `10%` (default: 5% and a floor by the kind of figure)")
	flags.Float64Var(&f.level, "level", 0.05, "probability of showing a change in any figure where there is none")
	flags.StringArrayVar(&f.failOn, "fail-on", nil, "exit with 7 when `CONDITION` was shown: regression, 'regression>5%', 'client * p99: regression'")
	flags.BoolVar(&f.all, "all", false, "show all figures, not just those that changed")
	return cmd
}

// sides parts the arguments at --, or takes two as one each.
func sides(args []string, dash int) (base, new []string, err error) {
	switch {
	case dash > 0 && dash < len(args):
		return args[:dash], args[dash:], nil
	case dash >= 0:
		return nil, nil, errors.New("there must be runs before and after --")
	case len(args) == 2:
		return args[:1], args[1:], nil
	case len(args) < 2:
		return nil, nil, errors.New("give two runs or folders of runs, or BASE… -- NEW…")
	}
	return nil, nil, fmt.Errorf("which of the %d are the base? Put -- between the sides: BASE… -- NEW…", len(args))
}

func (a *app) compare(basePaths, newPaths []string, f compareFlags) error {
	options, gates, err := f.parse()
	if err != nil {
		return usageError{err}
	}
	base, err := openRuns(basePaths)
	if err != nil {
		return usageError{err}
	}
	new, err := openRuns(newPaths)
	if err != nil {
		return usageError{err}
	}
	if err := notTwice(slices.Concat(base, new)); err != nil {
		return usageError{err}
	}
	baseRuns, newRuns := readRuns(base), readRuns(new)
	c, err := compare.Compare(baseRuns, newRuns, options)
	var unlike *compare.Unlike
	switch {
	case errors.As(err, &unlike):
		return usageError{err}
	case errors.Is(err, compare.ErrNoRuns):
		return noDataError{err}
	case err != nil:
		return err
	case len(c.Rows)+len(c.OnlyBase)+len(c.OnlyNew) == 0 && len(f.figures) > 0:
		return usageError{noFigure(f.figures, slices.Concat(baseRuns, newRuns))}
	}
	for _, g := range gates {
		c.Gates = append(c.Gates, g.Check(c))
	}
	if err := a.printComparison(c, baseRuns, newRuns, f); err != nil {
		return err
	}
	return gateCode(c.Gates)
}

// parse checks the flags before any run is read.
func (f compareFlags) parse() (compare.Options, []compare.Gate, error) {
	o := compare.Options{Level: f.level, Differ: f.differ, Force: f.force}
	if !(f.level > 0 && f.level < 1) {
		return o, nil, fmt.Errorf("--level %g: must be between 0 and 1, such as 0.05", f.level)
	}
	if f.least != "" {
		percent, ok := strings.CutSuffix(f.least, "%")
		v, err := strconv.ParseFloat(percent, 64)
		if !ok || err != nil || !(v >= 0) {
			return o, nil, fmt.Errorf("--least %s: must be a percentage, such as 10%%", f.least)
		}
		v /= 100
		o.LeastRelative = &v
	}
	for _, p := range f.figures {
		o.Figures = append(o.Figures, compare.ParsePattern(p))
	}
	var gates []compare.Gate
	for _, text := range f.failOn {
		g, err := compare.ParseGate(text)
		if err != nil {
			return o, nil, fmt.Errorf("--fail-on: %w", err)
		}
		gates = append(gates, g)
	}
	return o, gates, nil
}

// openRuns opens run directories and all runs in folders of runs.
func openRuns(paths []string) ([]*results.Dir, error) {
	var dirs []*results.Dir
	for _, path := range paths {
		dir, err := results.Open(path)
		if err == nil {
			dirs = append(dirs, dir)
			continue
		}
		if info, serr := os.Stat(path); serr != nil || !info.IsDir() {
			if strings.HasPrefix(path, "-") {
				return nil, fmt.Errorf("%w; flags go before --", err)
			}
			return nil, err
		}
		inside, lerr := results.List(path)
		if lerr != nil {
			return nil, lerr
		}
		if len(inside) == 0 {
			return nil, fmt.Errorf("%s is neither a run directory nor a folder of runs: there is no %s in it or one level below", path, results.RunFile)
		}
		dirs = append(dirs, inside...)
	}
	return dirs, nil
}

// notTwice refuses a run that is given twice: it is not two observations.
func notTwice(dirs []*results.Dir) error {
	seen := map[string]bool{}
	for _, d := range dirs {
		if seen[d.ID()] {
			return fmt.Errorf("run %s is given twice", d.ID())
		}
		seen[d.ID()] = true
	}
	return nil
}

// readRuns reads runs; one that cannot be read stands there with the reason, and spoils nothing but itself.
func readRuns(dirs []*results.Dir) []compare.Run {
	var runs []compare.Run
	for _, d := range dirs {
		r, err := compare.Read(d)
		if err != nil {
			r = compare.Unreadable(d.ID(), err)
		}
		runs = append(runs, r)
	}
	return runs
}

// noFigure says that patterns match nothing, with a few names that they could match.
func noFigure(patterns []string, runs []compare.Run) error {
	var names []string
	for _, r := range runs {
		for _, reading := range r.Readings {
			names = append(names, reading.Figure.String())
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	text := fmt.Sprintf("no figure is called %s; they are called like these:", strings.Join(patterns, " or "))
	for i := 0; i < len(names); i += max(1, len(names)/6) {
		text += "\n  " + names[i]
	}
	return errors.New(text)
}

func (a *app) printComparison(c compare.Comparison, base, new []compare.Run, f compareFlags) error {
	switch f.output {
	case "json":
		return writeJSON(a.out, c)
	case "csv":
		return render.ComparisonCSV(a.out, c)
	case "markdown":
		return render.ComparisonMarkdown(a.out, c)
	case "html":
		charts, err := compare.Charts(c, base, new)
		if err != nil {
			return err
		}
		return render.ComparisonHTML(a.out, c, charts)
	}
	return render.Comparison(a.out, c, render.Style{Color: a.color, Width: a.width()}, f.all)
}

// gateCode is 7 when a gate failed, 4 when one could not be judged.
func gateCode(gates []compare.GateResult) error {
	failed := func(v compare.Verdict) bool {
		return slices.ContainsFunc(gates, func(g compare.GateResult) bool { return g.Verdict == v })
	}
	switch {
	case failed(compare.Regression):
		return silent{codeRegression}
	case failed(compare.Unknown):
		return silent{codeInvalid}
	}
	return nil
}

// noDataError is exit code 4: nothing could be judged.
type noDataError struct{ error }

func (e noDataError) Unwrap() error { return e.error }
