package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"windtunnel/analysis"
	"windtunnel/analysis/clusterloader"
	"windtunnel/analysis/render"
	"windtunnel/analysis/report"
	"windtunnel/results"
)

func (a *app) reportCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Make the summary, the page and the charts of a run directory again from its records and print the summary",
		Long: `Make summary.json, junit.xml, report.html and charts/ of a run directory again from its records, without a cluster, and print the
summary. report.html is one file that needs no network.`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := results.Open(args[0])
			if err != nil {
				return usageError{err}
			}
			study, err := examine(dir)
			if err != nil {
				return err
			}
			if err := a.print(output, study.Summary, dir); err != nil {
				return err
			}
			if !a.draw(dir, study) {
				return silent{codeInternal}
			}
			return nil
		},
	}
	outputFlag(cmd, &output, outputFormats()...)
	return cmd
}

// examine judges a run directory and writes summary.json and junit.xml into it, and after a test of ClusterLoader2 the files that it leaves.
func examine(dir *results.Dir) (analysis.Study, error) {
	study, err := analysis.Examine(dir)
	if err != nil {
		return study, fmt.Errorf("analyse %s: %w", dir.Path(), err)
	}
	if err := dir.WriteSummary(study.Summary); err != nil {
		return study, fmt.Errorf("write summary.json: %w", err)
	}
	if err := writeTest(dir, study.Test); err != nil {
		return study, err
	}
	return study, writeJUnit(dir, study.Summary)
}

// writeTest writes the files of a test of ClusterLoader2; nil is none.
func writeTest(dir *results.Dir, test *clusterloader.Outcome) error {
	if test == nil {
		return nil
	}
	if err := os.MkdirAll(dir.Path(clusterloader.Folder), 0o755); err != nil {
		return fmt.Errorf("write the test's files: %w", err)
	}
	for _, f := range test.Files {
		if err := dir.WriteFile(f.Name, f.Data); err != nil {
			return err
		}
	}
	return nil
}

// draw writes the page and the charts, after the summary was printed: nobody has to wait for them to know the verdict. A file that
// could not be written is a warning, and ok is false then.
func (a *app) draw(dir *results.Dir, study analysis.Study) (ok bool) {
	if !a.warn(report.Files(dir, study)) {
		return false
	}
	fmt.Fprintf(a.err, "report: %s\n", dir.Path(report.File))
	return true
}

// warn says what is wrong with the page or the charts; ok is whether nothing is.
func (a *app) warn(err error) (ok bool) {
	if err != nil {
		fmt.Fprintf(a.err, "windtunnel: warning: the report is not whole: %v\n", err)
	}
	return err == nil
}

func outputFormats() []string { return []string{"text", "json", "csv", "markdown"} }

// outputFlag adds -o with the formats that a verb knows; the first is the default.
func outputFlag(cmd *cobra.Command, output *string, formats ...string) {
	cmd.Flags().VarP(&choice{value: output, of: formats}, "output", "o", "how to print the result: "+strings.Join(formats, ", "))
	*output = formats[0]
	// The flag was registered two lines above, so this cannot fail.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

// choice is a flag value that must be one of a few words.
type choice struct {
	value *string
	of    []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "FORMAT" }
func (c *choice) Set(s string) error {
	if !slices.Contains(c.of, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.of, ", "))
	}
	*c.value = s
	return nil
}

// print writes a summary to stdout in the format asked for.
func (a *app) print(output string, summary results.Summary, dir *results.Dir) error {
	switch output {
	case "json":
		return writeJSON(a.out, summary)
	case "csv":
		return render.CSV(a.out, summary)
	case "markdown":
		return render.Markdown(a.out, summary)
	}
	return render.Text(a.out, summary, render.Style{Color: a.color, Width: a.width(), Dir: dir.Path()})
}

// width is the terminal's width in columns, 120 elsewhere.
func (a *app) width() int {
	if f, ok := a.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 120
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

func writeJUnit(dir *results.Dir, summary results.Summary) error {
	f, err := os.Create(dir.Path("junit.xml"))
	if err != nil {
		return fmt.Errorf("write junit.xml: %w", err)
	}
	if err := render.JUnit(f, summary); err != nil {
		f.Close()
		return fmt.Errorf("write junit.xml: %w", err)
	}
	return f.Close()
}
