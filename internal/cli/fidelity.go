package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"windtunnel/analysis/fidelity"
	"windtunnel/analysis/render"
	"windtunnel/profiles"
	"windtunnel/results"
)

// fidelityScript is the built-in profile that both sides run unless another is given.
const fidelityScript = "fidelity"

type fidelityFlags struct {
	profile            profileFlags
	a, b               []string
	aNodes, bNodes     []string
	reference          string
	root, output       string
	gaps               string
	require            []string
	all                bool
	runsOfA, runsOfB   []string // what the arguments name
	changedA, changedB bool     // --a, --b were given
}

func (a *app) fidelityCommand() *cobra.Command {
	var f fidelityFlags
	cmd := &cobra.Command{
		Use:   "fidelity [--a SET…] --b SET… | fidelity A B | fidelity A… -- B… | fidelity --reference FILE (B… | --b SET…)",
		Short: "Tell whether nodes behave towards the API server like other nodes, call by call",
		Long: `Compare what nodes send to the API server on two sides, A (what is right) and B (what is to be like it): verb, resource and count per node and pod
in each stage of their lives, sizes of bodies, order, watches open, and everybody's latencies by the rule of Kubernetes' perf-tests.

A side is the script run with some settings (--a, --b), a run directory or several, or a recording that "fidelity record" wrote. The
script is the built-in profile fidelity, or one given with -f; its phases are the stages. The run needs an audit log. Nodes are chosen
by their names, so that one run with real and hollow nodes can be both sides.

The exit code is 0 when B matches A in every part that --require names, 3 when it does not, 4 when there is nothing to tell by.
docs/fidelity.md describes each part, and each tolerance.`,
		Example: `  windtunnel fidelity --b hollowNodes.runtime.containerStart=1s
  windtunnel fidelity results/runs/A results/runs/B --all
  windtunnel fidelity --reference kubelet.json results/runs/B -o markdown
  windtunnel fidelity --reference real.json --gaps gaps.yaml results/runs/B
  windtunnel fidelity RUN RUN --a-nodes real-worker --b-nodes 'hollow-*' --require calls,order
  windtunnel fidelity record results/runs/RUN --to kubelet.json --note "real kubelet"`,
		Args: usage(func(cmd *cobra.Command, args []string) error { return f.parse(cmd, args) }),
		RunE: func(cmd *cobra.Command, args []string) error { return a.fidelity(cmd, &f) },
	}
	flags := cmd.Flags()
	f.profile.register(cmd)
	flags.StringArrayVar(&f.a, "a", nil, "run the script for side A with this `SETTING` besides --set; may be given several times (default: the script as it is)")
	flags.StringArrayVar(&f.b, "b", nil, "run the script for side B with this `SETTING` besides --set; may be given several times")
	flags.StringVar(&f.reference, "reference", "", "take side A from a recording in `FILE`")
	flags.StringSliceVar(&f.aNodes, "a-nodes", nil, "`PATTERNS` of the names of A's nodes (default: the hollow nodes)")
	flags.StringSliceVar(&f.bNodes, "b-nodes", nil, "`PATTERNS` of the names of B's nodes (default: the hollow nodes)")
	flags.StringVar(&f.gaps, "gaps", "", "leave rows out of the verdict that differ as `FILE` says, each with its reason")
	flags.StringSliceVar(&f.require, "require", fidelity.Parts(), "the `PARTS` that must match; the others are shown")
	flags.BoolVar(&f.all, "all", false, "show watches, orders and latencies that match, too")
	flags.StringVar(&f.root, "results", filepath.Join("results", "runs"), "keep run directories in `DIR`")
	outputFlag(cmd, &f.output, outputFormats()...)
	cmd.AddCommand(a.fidelityRecordCommand())
	return cmd
}

// parse tells which side each argument is.
func (f *fidelityFlags) parse(cmd *cobra.Command, args []string) error {
	f.changedA, f.changedB = cmd.Flags().Changed("a"), cmd.Flags().Changed("b")
	for _, part := range f.require {
		if !slices.Contains(fidelity.Parts(), part) {
			return fmt.Errorf("--require %s: there is no such part (%s)", part, strings.Join(fidelity.Parts(), ", "))
		}
	}
	dash := cmd.ArgsLenAtDash()
	switch {
	case f.reference != "" && f.changedA:
		return errors.New("give either --reference or --a: each is side A")
	case f.reference != "" && dash >= 0:
		return errors.New("--reference is side A, so that all runs are of side B: leave -- out")
	case f.reference != "":
		f.runsOfA, f.runsOfB = []string{f.reference}, args
	case f.changedB && len(args) > 0:
		f.runsOfA = args
	case len(args) > 0 || dash >= 0:
		var err error
		if f.runsOfA, f.runsOfB, err = sides(args, dash); err != nil {
			return err
		}
	}
	switch {
	case f.changedA && len(f.runsOfA) > 0:
		return errors.New("give either --a or runs for side A")
	case f.changedB && len(f.runsOfB) > 0:
		return errors.New("give either --b or runs for side B")
	case len(f.runsOfB) == 0 && !f.changedB:
		return errors.New("what is side B? Give --b SETTING, or runs or recordings A and B")
	}
	return nil
}

func (a *app) fidelity(cmd *cobra.Command, f *fidelityFlags) error {
	rules, err := fidelity.DefaultRules()
	if err != nil {
		return err
	}
	gaps, err := f.readGaps()
	if err != nil {
		return err
	}
	// What is wrong with either side is said before any of them is run.
	plans, err := f.plans(a, cmd)
	if err != nil {
		return err
	}
	sideNames, nodes := [2]string{"A", "B"}, [2][]string{f.aNodes, f.bNodes}
	var recordings [2]fidelity.Recording
	for i, paths := range [][]string{f.runsOfA, f.runsOfB} {
		if recordings[i], err = readSides(paths, nodes[i]); err != nil {
			return fmt.Errorf("side %s: %w", sideNames[i], err)
		}
	}
	for i, plan := range plans {
		if plan == nil {
			continue
		}
		dir, err := a.fidelityRun(cmd.Context(), f.root, plan)
		if err == nil {
			recordings[i], err = record(dir, fidelity.Options{Nodes: nodes[i]})
		}
		if err != nil {
			return fmt.Errorf("side %s: %w", sideNames[i], err)
		}
	}
	c := fidelity.Compare(recordings[0], recordings[1], rules, f.require)
	for _, g := range c.Except(gaps) {
		c.Notes = append(c.Notes, fmt.Sprintf("%s says that the %s of %s %s differ in the stage %s, and they do not", f.gaps, g.Part, g.Verb, g.Resource, g.Stage))
	}
	if err := a.printFidelity(c, f); err != nil {
		return err
	}
	if code := verdictCode(c.Verdict); code != codePass {
		return silent{code}
	}
	return nil
}

// readGaps reads the known differences, if there are any.
func (f *fidelityFlags) readGaps() ([]fidelity.Gap, error) {
	if f.gaps == "" {
		return nil, nil
	}
	file, err := os.Open(f.gaps)
	if err != nil {
		return nil, usageError{err}
	}
	defer file.Close()
	gaps, err := fidelity.ReadGaps(f.gaps, file)
	if err != nil {
		return nil, usageError{err}
	}
	return gaps, nil
}

// plans are the plans of the sides that are to be run, nil for those that are there already.
func (f *fidelityFlags) plans(a *app, cmd *cobra.Command) (plans [2]*profiles.Plan, err error) {
	var args []string
	if f.profile.file == "" {
		args = []string{fidelityScript}
	} else if _, _, err := f.profile.read(a); err != nil { // before it is copied for either side
		return plans, err
	}
	for i, side := range []struct {
		sets  []string
		there bool
	}{{f.a, len(f.runsOfA) > 0}, {f.b, len(f.runsOfB) > 0}} {
		if side.there {
			continue
		}
		flags := f.profile
		flags.sets = slices.Concat(f.profile.sets, side.sets)
		if plans[i], err = a.load(cmd, &flags, args); err != nil {
			return plans, err
		}
		if level := plans[i].Profile.ControlPlane.APIServer.Audit; level == "" || level == "none" {
			return plans, usageError{fmt.Errorf("%s keeps no audit log: set controlPlane.apiServer.audit", plans[i].Profile.Name)}
		}
	}
	return plans, nil
}

// readSides reads all that is there of one side.
func readSides(paths, nodes []string) (fidelity.Recording, error) {
	var all []fidelity.Recording
	for _, p := range paths {
		r, err := readSide(p, nodes)
		if err != nil {
			return fidelity.Recording{}, err
		}
		all = append(all, r...)
	}
	return fidelity.Merge(all...), nil
}

// readSide reads a recording, a run directory, or all runs in a folder.
func readSide(file string, nodes []string) ([]fidelity.Recording, error) {
	info, err := os.Stat(file)
	if err != nil {
		if strings.HasPrefix(file, "-") {
			err = fmt.Errorf("%w; flags go before --", err)
		}
		return nil, usageError{err}
	}
	if info.Mode().IsRegular() {
		if len(nodes) > 0 {
			return nil, usageError{fmt.Errorf("%s is a recording: its nodes were chosen when it was made", file)}
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, usageError{err}
		}
		defer f.Close()
		r, err := fidelity.Read(file, f)
		if err != nil {
			return nil, usageError{err}
		}
		return []fidelity.Recording{r}, nil
	}
	dirs, err := openRuns([]string{file})
	if err != nil {
		return nil, usageError{err}
	}
	var all []fidelity.Recording
	for _, d := range dirs {
		r, err := record(d, fidelity.Options{Nodes: nodes})
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// record makes a recording; that there is nothing to make it of is exit code 4.
func record(d *results.Dir, o fidelity.Options) (fidelity.Recording, error) {
	r, err := fidelity.Record(d, o)
	switch {
	case errors.Is(err, fidelity.ErrNoData):
		return r, noDataError{err}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, path.ErrBadPattern):
		return r, usageError{err}
	}
	return r, err
}

func (a *app) printFidelity(c fidelity.Comparison, f *fidelityFlags) error {
	switch f.output {
	case "json":
		return writeJSON(a.out, c)
	case "csv":
		return render.FidelityCSV(a.out, c)
	case "markdown":
		return render.FidelityMarkdown(a.out, c)
	}
	return render.Fidelity(a.out, c, render.Style{Color: a.color, Width: a.width()}, f.all)
}

func (a *app) fidelityRecordCommand() *cobra.Command {
	var nodes []string
	var to, note string
	cmd := &cobra.Command{
		Use:   "record RUN…",
		Short: "Write what the nodes of runs sent, stage by stage, into a small file that later runs are compared with",
		Example: `  windtunnel fidelity record results/runs/RUN --to kubelet.json
  windtunnel fidelity record results/runs/RUN --nodes kind-worker --note "real kubelet and containerd" --to kind.json`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			var all []fidelity.Recording
			dirs, err := openRuns(args)
			if err == nil {
				err = notTwice(dirs)
			}
			if err != nil {
				return usageError{err}
			}
			for _, d := range dirs {
				r, err := record(d, fidelity.Options{Nodes: nodes, Note: note})
				if err != nil {
					return err
				}
				all = append(all, r)
			}
			recording := fidelity.Merge(all...)
			if to == "-" {
				return recording.Write(a.out)
			}
			if _, err := os.Stat(filepath.Dir(to)); err != nil {
				return usageError{err}
			}
			_, err = createWhole(to, recording.Write)
			if errors.Is(err, fs.ErrExist) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.err, "wrote %s\n", to)
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&nodes, "nodes", nil, "`PATTERNS` of the names of the nodes to record (default: the hollow nodes)")
	cmd.Flags().StringVar(&to, "to", "-", "write `FILE`, which must not exist; - for stdout")
	cmd.Flags().StringVar(&note, "note", "", "keep `TEXT` with the recording, such as what kind of nodes they were")
	return cmd
}
