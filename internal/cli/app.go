// Package cli is the command line of windtunnel: the only place that knows flags, streams, signals and exit codes.
// There is one file a verb.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"windtunnel/harness/run"
)

// app is one invocation: its streams and what it knows about them.
type app struct {
	in       *os.File
	out, err io.Writer
	terminal bool // narration goes to a person who can see a line being rewritten
	color    bool // results go to a person and NO_COLOR is not set
	args     []string
}

// Main runs one invocation of windtunnel and returns its exit code (see exit.go).
func Main(args []string, in, out, errw *os.File) int {
	a := &app{
		in: in, out: out, err: errw, args: args,
		terminal: term.IsTerminal(int(errw.Fd())),
		color:    term.IsTerminal(int(out.Fd())) && os.Getenv("NO_COLOR") == "",
	}
	root := a.root()
	root.SetArgs(args[1:])
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	err := root.ExecuteContext(context.Background())
	if err != nil && !errors.As(err, new(silent)) {
		fmt.Fprintf(errw, "windtunnel: %v\n", err)
	}
	return exitCode(err)
}

// signals makes the first interrupt end what a verb does in good order, with its report, and the second end it at once:
// the supervisor then sees the pipe close and tears everything down.
func (a *app) signals(ctx context.Context) (context.Context, func()) {
	return a.interrupts(ctx, "stopping the load and writing the report; once more quits at once")
}

// interrupts makes the first interrupt end what a verb does in good order, as doing says, and the second end it at once.
func (a *app) interrupts(ctx context.Context, doing string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	var seen atomic.Int32
	go func() {
		for range ch {
			if seen.Add(1) > 1 {
				os.Exit(codeInterrupted)
			}
			fmt.Fprintf(a.err, "\ninterrupted: %s\n", doing)
			cancel(run.ErrInterrupted)
		}
	}()
	return ctx, func() { signal.Stop(ch); cancel(nil) }
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "windtunnel",
		Short: "A wind tunnel for Kubernetes control planes",
		Long: `windtunnel boots a real Kubernetes control plane, surrounds it with hollow nodes of real kubelet code, drives load at it
and says, with numbers that hold up, whether the Kubernetes service level objectives were kept.

` + exitTable(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, g := range a.groups() {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, c := range g.commands {
			c.GroupID = g.title
			root.AddCommand(c)
		}
	}
	root.AddCommand(a.versionCommand(), a.superviseCommand(), a.kindClusterCommand())
	return root
}

// group is a heading of the list of verbs.
type group struct {
	title    string
	commands []*cobra.Command
}

func (a *app) groups() []group {
	return []group{
		{"Before a run", []*cobra.Command{a.doctorCommand(), a.profilesCommand(), a.validateCommand(), a.planCommand(), a.stagesCommand()}},
		{"Run", []*cobra.Command{a.runCommand(), a.upCommand(), a.downCommand(), a.scaleCommand(), a.consentCommand(), a.imageCommand()}},
		{"What a run left", []*cobra.Command{a.listCommand(), a.reportCommand(), a.sloCommand(), a.noteCommand(), a.exportCommand(), a.packCommand(), a.unpackCommand()}},
		{"Several runs", []*cobra.Command{a.compareCommand(), a.historyCommand(), a.referenceCommand(), a.capacityCommand(), a.fidelityCommand(), a.paperCommand()}},
	}
}

// usage turns cobra's complaints about arguments into usage errors.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w\nusage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}
