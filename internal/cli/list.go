package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windtunnel/analysis/render"
	"windtunnel/results"
)

// listFlags say which runs are listed, and how.
type listFlags struct {
	root, profile, verdict, state, since, sort, output string
	reverse                                            bool
}

func (a *app) listCommand() *cobra.Command {
	var flags listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the stored runs: verdict, size, notes; damaged and unfinished ones say so",
		Example: `  windtunnel list --verdict fail --since 7d
  windtunnel list --profile density --sort api-p99 -o csv`,
		Args: usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.list(flags, time.Now()) },
	}
	resultsFlag(cmd, &flags.root, "list the run directories in `DIR`")
	cmd.Flags().StringVar(&flags.profile, "profile", "", "only runs of this `PROFILE`; a pattern such as density*")
	verdicts := []string{"pass", "fail", "no data", "invalid", "not judged", "none"}
	cmd.Flags().Var(&choice{value: &flags.verdict, of: verdicts}, "verdict", "only runs with this verdict: "+strings.Join(verdicts, ", "))
	states := []string{string(results.StateFinished), string(results.StateRunning), string(results.StateUnfinished), string(results.StateDamaged)}
	cmd.Flags().Var(&choice{value: &flags.state, of: states}, "state", "only runs in this state: "+strings.Join(states, ", "))
	cmd.Flags().StringVar(&flags.since, "since", "", "only runs that started within this `TIME`, such as 36h, 7d or 2w, or since a date such as 2026-11-02")
	var keys []string
	for _, k := range results.SortKeys() {
		keys = append(keys, string(k))
	}
	flags.sort = string(results.ByStarted)
	cmd.Flags().Var(&choice{value: &flags.sort, of: keys}, "sort", "sort by "+strings.Join(keys, ", "))
	cmd.Flags().BoolVar(&flags.reverse, "reverse", false, "turn the order round")
	outputFlag(cmd, &flags.output, outputFormats()...)
	for name, of := range map[string][]string{"verdict": verdicts, "state": states, "sort": keys} {
		// The flags were registered above, so this cannot fail.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(of, cobra.ShellCompDirectiveNoFileComp))
	}
	return cmd
}

// resultsFlag adds --results, the folder of the archive.
func resultsFlag(cmd *cobra.Command, root *string, help string) {
	cmd.Flags().StringVar(root, "results", filepath.Join("results", "runs"), help)
}

func (a *app) list(flags listFlags, now time.Time) error {
	keep, err := flags.filter(now)
	if err != nil {
		return usageError{err}
	}
	entries, err := results.Entries(flags.root)
	if err != nil {
		return usageError{err}
	}
	entries = slices.DeleteFunc(entries, func(e results.Entry) bool { return !keep(e) })
	results.SortEntries(entries, results.SortKey(flags.sort))
	if flags.reverse {
		slices.Reverse(entries)
	}
	switch flags.output {
	case "json":
		return writeJSON(a.out, entries)
	case "csv":
		return render.RunsCSV(a.out, entries)
	case "markdown":
		return render.RunsMarkdown(a.out, entries)
	}
	return render.RunsText(a.out, entries)
}

// filter tells which runs the flags ask for. One whose start is not known is never left out by --since: nobody knows.
func (f listFlags) filter(now time.Time) (func(results.Entry) bool, error) {
	if _, err := filepath.Match(f.profile, ""); err != nil {
		return nil, fmt.Errorf("--profile %q: %w", f.profile, err)
	}
	since, err := parseSince(f.since, now)
	if err != nil {
		return nil, err
	}
	return func(e results.Entry) bool {
		verdict := string(e.Verdict)
		if verdict == "" {
			verdict = "none"
		}
		profile, _ := filepath.Match(f.profile, e.Profile)
		started, err := time.Parse(time.RFC3339, e.Started)
		return (f.profile == "" || profile) && (f.verdict == "" || verdict == f.verdict) && (f.state == "" || string(e.State) == f.state) &&
			(err != nil || !started.Before(since))
	}, nil
}

// parseSince reads a length of time, to be counted back from now, or a date in UTC; the zero time for "".
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	number, unit := text[:len(text)-1], text[len(text)-1]
	if days := map[byte]float64{'d': 1, 'w': 7}[unit]; days > 0 {
		if n, err := strconv.ParseFloat(number, 64); err == nil && n >= 0 {
			return now.Add(-time.Duration(n * days * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("--since %q: give a length of time such as 36h, 7d or 2w, or a date such as 2026-11-02", text)
}
