package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"windtunnel/analysis/paper"
	"windtunnel/results"
)

// paperFlags say which run plays which part and how the paper is written.
type paperFlags struct {
	density, load []string
	capacity      []string
	formats       []string
	out           string
	seed          uint64
	allowInvalid  bool
}

func (a *app) paperCommand() *cobra.Command {
	f := paperFlags{formats: []string{"markdown"}}
	cmd := &cobra.Command{
		Use:   "paper [DENSITY LOAD]",
		Short: "Write the paper about a density run and a load run, with its tables and figures",
		Long: `Write a paper about one density run and one load run: the tables 1 to 3 and the figures 3 to 9 of Lei Qing's study of 2020 by
the same definitions, the check of its findings, method, environment, threats to validity and how to reproduce it. A run is not
told by its name: the first argument is taken as the density test and the second as the load test, or --density and --load say
so, each as often as there are runs (density at different numbers of pods a node, load again). What the runs do not have is
left out, and the paper says why.

The exit code says whether the paper was written, not what it found.`,
		Example: `  windtunnel paper results/runs/density-… results/runs/load-… --format latex --out paper
  windtunnel paper --density A --density B --density C --load D --format html,markdown`,
		Args: usage(cobra.MaximumNArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error { return a.paper(f, args) },
	}
	cmd.Flags().StringArrayVar(&f.density, "density", nil, "take `RUN` as a density test; may be given several times")
	cmd.Flags().StringArrayVar(&f.load, "load", nil, "take `RUN` as a load test; may be given several times")
	cmd.Flags().StringArrayVar(&f.capacity, "capacity", nil, "answer from the objectives to the load by the search in `DIR` (see windtunnel capacity); may be given several times")
	cmd.Flags().StringSliceVar(&f.formats, "format", f.formats, "`FORMAT` to write: "+strings.Join(paper.Formats(), ", ")+"; several with commas")
	cmd.Flags().StringVar(&f.out, "out", "paper", "write into `DIR`")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "the seed of the bootstrap")
	cmd.Flags().BoolVar(&f.allowInvalid, "allow-invalid", false, "write about invalid runs too, and mark every page")
	// The flag was registered above, so this cannot fail.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(paper.Formats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) paper(f paperFlags, args []string) error {
	if err := f.check(args); err != nil {
		return usageError{err}
	}
	if len(args) > 0 {
		f.density = args[:1]
		f.load = args[1:]
	}
	in, err := f.read()
	if err != nil {
		return err
	}
	if bad := in.Invalid(); len(bad) > 0 && !f.allowInvalid {
		return a.refuseInvalid(bad)
	}
	files, err := renderAll(paper.Write(in), f.formats)
	if err != nil {
		return err
	}
	for _, gap := range in.Gaps() {
		fmt.Fprintf(a.err, "left out: %s\n", gap)
	}
	for _, file := range files {
		if err := writeFile(filepath.Join(f.out, filepath.FromSlash(file.Name)), file.Data); err != nil {
			return err
		}
		if strings.HasPrefix(file.Name, "paper.") {
			fmt.Fprintln(a.out, filepath.Join(f.out, file.Name))
		}
	}
	return nil
}

// check finds everything that is wrong with the flags and arguments.
func (f paperFlags) check(args []string) error {
	var problems []error
	roles := len(f.density) + len(f.load)
	switch {
	case len(args) > 0 && roles > 0:
		problems = append(problems, errors.New("give the runs either as arguments, density first, or by --density and --load, not both"))
	case len(args)+roles == 0:
		problems = append(problems, errors.New("which runs? Give a density run and a load run, or --density RUN and --load RUN"))
	}
	if len(f.formats) == 0 {
		problems = append(problems, errors.New("--format: no format"))
	}
	for _, format := range f.formats {
		if !slices.Contains(paper.Formats(), format) {
			problems = append(problems, fmt.Errorf("--format: %q is none of %s", format, strings.Join(paper.Formats(), ", ")))
		}
	}
	return errors.Join(problems...)
}

// read reads everything that the paper is about and names all that cannot be read.
func (f paperFlags) read() (paper.Input, error) {
	in := paper.Input{Seed: f.seed, Commit: knownCommit()}
	var problems []error
	experiments := func(paths []string) (es []*paper.Experiment) {
		for _, path := range paths {
			dir, err := results.Open(path)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			e, err := paper.Read(dir)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			es = append(es, e)
		}
		return es
	}
	in.Density, in.Load = experiments(f.density), experiments(f.load)
	for _, dir := range f.capacity {
		c, err := paper.ReadCapacity(dir)
		if err != nil {
			problems = append(problems, err)
		}
		in.Capacity = append(in.Capacity, c)
	}
	if len(problems) > 0 {
		return in, usageError{errors.Join(problems...)}
	}
	return in, nil
}

// knownCommit is the commit of this program; empty when the linker was not told.
func knownCommit() string {
	if commit == "unknown" {
		return ""
	}
	return commit
}

// refuseInvalid says what is wrong with the runs.
func (a *app) refuseInvalid(bad []*paper.Experiment) error {
	for _, e := range bad {
		fmt.Fprintf(a.err, "windtunnel: %s is invalid:\n", e.Run.ID)
		for _, c := range e.Summary.Validity.Checks {
			if c.Verdict != results.Pass {
				fmt.Fprintf(a.err, "  %s: %s\n", c.Name, c.Text)
			}
		}
	}
	fmt.Fprintln(a.err, "A paper about it would say so on every page: --allow-invalid")
	return silent{codeInvalid}
}

// renderAll writes a document in every format; nothing is on the disk before all of it could be made.
func renderAll(d paper.Document, formats []string) ([]paper.File, error) {
	var files []paper.File
	for _, format := range formats {
		made, err := paper.Render(d, format)
		if err != nil {
			return nil, fmt.Errorf("write paper: %w", err)
		}
		files = append(files, made...)
	}
	return files, nil
}

// writeFile replaces a file as a whole and makes its directory where it is missing.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write paper: %w", err)
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return fmt.Errorf("write paper: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write paper: %w", errors.Join(err, os.Remove(temporary)))
	}
	return nil
}
