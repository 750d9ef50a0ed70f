package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"windtunnel/hollow/stages"
	"windtunnel/hollow/stages/walk"
	"windtunnel/profiles"
)

func (a *app) stagesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stages",
		Short: "Life cycles of nodes and pods as data: read, walk and test them without a cluster",
		Long: `Stages say how the life of a node or pod goes on: YAML documents of KWOK's kind Stage, with distributions of delays of our own.
docs/stages.md describes them.`,
		Args: usage(cobra.NoArgs),
	}
	cmd.AddCommand(a.stagesListCommand(), a.stagesShowCommand(), a.stagesWalkCommand(), a.stagesTestCommand())
	return cmd
}

func (a *app) stagesListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the built-in life cycles",
		Args:  usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
			for _, name := range stages.Builtins() {
				data, _ := stages.Builtin(name)
				fmt.Fprintf(w, "%s\t%s\n", name, headline(data))
			}
			return w.Flush()
		},
	}
}

// headline is the comment at the head of a file, as one line.
func headline(data []byte) string {
	var words []string
	for line := range strings.Lines(string(data)) {
		comment, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(comment)...)
	}
	text, _, _ := strings.Cut(strings.Join(words, " "), ". ")
	return strings.TrimSuffix(text, ".")
}

func (a *app) stagesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Print a built-in life cycle, to start one's own from",
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: cobra.FixedCompletions(stages.Builtins(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			data, ok := stages.Builtin(args[0])
			if !ok {
				return noLife(args[0])
			}
			_, err := a.out.Write(data)
			return err
		},
	}
}

func noLife(name string) error {
	return usageError{fmt.Errorf("there is no built-in life cycle %q (%s)", name, profiles.Suggest(name, stages.Builtins()))}
}

func (a *app) stagesWalkCommand() *cobra.Command {
	var object string
	var script walk.Script
	cmd := &cobra.Command{
		Use:   "walk STAGES…",
		Short: "Carry an object through a life cycle and print what happens when",
		Long: `Carry an object through the stages of files or of a built-in life cycle, as an API server and a clock that jumps would, and print
every transition with its instant, what its delay was taken from, and what was sent. Touches nothing.`,
		Example: `  windtunnel stages walk pod-slow-pull --object pod.yaml
  windtunnel stages walk mine.yaml --object pod.yaml --seed 7 --until 10m`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if object == "" {
				return usageError{errors.New("which object? Give --object FILE")}
			}
			name, data, err := a.read(object)
			if err != nil {
				return err
			}
			in, err := walk.ParseInput(name, data)
			if err != nil {
				return err
			}
			if in.Script == nil {
				in.Script = &script
			}
			if cmd.Flags().Changed("seed") {
				in.Script.Seed = script.Seed
			}
			if cmd.Flags().Changed("until") {
				in.Script.Until = script.Until
			}
			if cmd.Flags().Changed("transitions") {
				in.Script.Most = script.Most
			}
			set, err := a.readStages(args)
			if err != nil {
				return err
			}
			life, err := walk.Output(set, in)
			if err != nil {
				return err
			}
			_, err = a.out.Write(life)
			return err
		},
	}
	cmd.Flags().StringVar(&object, "object", "", "the `FILE` of the object, as kubectl get -o yaml prints it (- for standard input)")
	cmd.Flags().Uint64Var(&script.Seed, "seed", 0, "what decides every choice")
	cmd.Flags().DurationVar(&script.Until, "until", time.Hour, "how long the walk is")
	cmd.Flags().IntVar(&script.Most, "transitions", 50, "how many transitions are made at most")
	return cmd
}

// readStages reads files and built-in life cycles; a file that is called like one of them is given with its directory.
func (a *app) readStages(names []string) (*stages.Set, error) {
	var all []*stages.Stage
	problems := &profiles.Problems{}
	for _, name := range names {
		file, data, err := a.lifeText(name)
		if err != nil {
			return nil, err
		}
		some, err := stages.Parse(file, data)
		if err := problems.Join(err); err != nil {
			return nil, err
		}
		a.note(some)
		all = append(all, some...)
	}
	if len(problems.List) > 0 {
		return nil, problems
	}
	return stages.NewSet(all...)
}

// lifeText is the text of a built-in life cycle, or of a file.
func (a *app) lifeText(name string) (file string, data []byte, err error) {
	if data, ok := stages.Builtin(name); ok {
		return name + ".yaml", data, nil
	}
	file, data, err = a.read(name)
	if err != nil && !strings.ContainsAny(name, "./") {
		return "", nil, noLife(name)
	}
	return file, data, err
}

// note tells what stages hold that does nothing.
func (a *app) note(all []*stages.Stage) {
	for _, s := range all {
		for _, n := range s.Notes {
			fmt.Fprintf(a.err, "note: %s\n", n)
		}
	}
}

func (a *app) stagesTestCommand() *cobra.Command {
	var update bool
	cmd := &cobra.Command{
		Use:   "test PATH…",
		Short: "Compare what stages do with what was written down",
		Long: `Test life cycles. A PATH is a folder with files of stages and a folder testdata, or one input of it. Each testdata/NAME.input.yaml holds an
object and, for its whole life, a Walk; what comes out is compared with testdata/NAME.output.yaml. Folders as KWOK keeps them are tests, too.
The exit code is 2 when one differs.`,
		Example: `  windtunnel stages test stages/
  windtunnel stages test stages/ --update`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, paths []string) error {
			var all error
			different := false
			for _, path := range paths {
				inputs, err := walk.Inputs(path)
				if err != nil {
					all = errors.Join(all, usageError{err})
				}
				for _, input := range inputs {
					result, err := walk.Test(input, update)
					if err != nil {
						all = errors.Join(all, badInput(err))
						continue
					}
					different = a.tell(result) || different
				}
			}
			if all == nil && different {
				return silent{codeUsage}
			}
			return all
		},
	}
	cmd.Flags().BoolVar(&update, "update", false, "write the outputs instead of comparing with them")
	return cmd
}

// badInput marks what is wrong with the files of a test as bad input.
func badInput(err error) error {
	if errors.As(err, new(*profiles.Problems)) || errors.Is(err, os.ErrPermission) {
		return err
	}
	return usageError{err}
}

// tell prints the result of one test; it is true when something differs.
func (a *app) tell(r *walk.Result) bool {
	switch name := filepath.ToSlash(r.Input); {
	case r.Written:
		fmt.Fprintf(a.out, "%s: written\n", filepath.ToSlash(r.Output))
	case r.Diff == "":
		fmt.Fprintf(a.out, "%s: ok\n", name)
	default:
		fmt.Fprintf(a.out, "%s: differs\n%s", name, r.Diff)
		return true
	}
	return false
}
