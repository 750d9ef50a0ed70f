package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"windtunnel/analysis"
	"windtunnel/analysis/export"
	"windtunnel/results"
)

// exportFlags say what is exported and where to.
type exportFlags struct{ format, out, stream, job string }

func (a *app) exportCommand() *cobra.Command {
	var flags exportFlags
	formats := []string{"parquet", "csv", "jsonl", "openmetrics", "perfdata"}
	cmd := &cobra.Command{
		Use:   "export RUN",
		Short: "Write a run for other programs: raw records, OpenMetrics, ClusterLoader2's files",
		Long: `Write a run for other programs:
  parquet, csv, jsonl   every raw record, a file for each stream, in the folder --out; one stream alone with --stream
  openmetrics           series and figures with time stamps, for promtool tsdb create-blocks-from openmetrics; to stdout or --out
  perfdata              the figures as ClusterLoader2's files in the folders that perfdash reads, below --out; runs may share it
What is there already is never overwritten. docs/export.md has the names and units.`,
		Example: `  windtunnel export results/runs/RUN --format parquet --out tables
  windtunnel export results/runs/RUN --format csv --stream samples/requests --out - | head
  windtunnel export results/runs/RUN --format openmetrics > run.om`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return usageError{err}
			}
			dir, err := results.Open(args[0])
			if err != nil {
				return usageError{err}
			}
			return a.export(dir, flags)
		},
	}
	flags.format = formats[0]
	cmd.Flags().Var(&choice{value: &flags.format, of: formats}, "format", "what to write: "+strings.Join(formats, ", "))
	cmd.Flags().StringVar(&flags.out, "out", "", "write to this `PATH`; - for stdout, where it is one file (default RUN-FORMAT for folders, stdout for openmetrics)")
	cmd.Flags().StringVar(&flags.stream, "stream", "", "of the raw records, only this `FILE`, such as samples/requests")
	cmd.Flags().StringVar(&flags.job, "job", "", "`NAME` of the job in perfdash (default windtunnel-PROFILE)")
	// The flag was registered above, so this cannot fail.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check refuses flags that would have no effect.
func (f exportFlags) check() error {
	records := f.format != "openmetrics" && f.format != "perfdata"
	switch {
	case f.stream != "" && !records:
		return fmt.Errorf("--stream is for raw records, not for --format %s", f.format)
	case f.job != "" && f.format != "perfdata":
		return fmt.Errorf("--job is for --format perfdata, not for %s", f.format)
	case f.out == "-" && f.format == "perfdata":
		return errors.New("--out -: perfdata is a folder of files")
	}
	return nil
}

func (a *app) export(dir *results.Dir, flags exportFlags) error {
	if flags.out == "" && flags.format != "openmetrics" {
		flags.out = dir.ID() + "-" + flags.format
	}
	var damage, err error
	switch flags.format {
	case "openmetrics":
		damage, err = a.exportMetrics(dir, flags.out)
	case "perfdata":
		damage, err = a.exportPerfData(dir, flags)
	default:
		damage, err = a.exportRecords(dir, flags)
	}
	if damage != nil {
		fmt.Fprintf(a.err, "not all records could be read; the export has the others:\n  %s\n", strings.ReplaceAll(damage.Error(), "\n", "\n  "))
	}
	if errors.Is(err, os.ErrExist) {
		return usageError{err}
	}
	return err
}

// exportMetrics writes OpenMetrics to a new file, or to stdout.
func (a *app) exportMetrics(dir *results.Dir, out string) (damage, err error) {
	summary, err := analysis.Summarize(dir)
	if err != nil {
		return nil, err
	}
	err = a.createOne(out, func(w io.Writer) error {
		damage, err = export.OpenMetrics(w, dir, summary)
		return err
	})
	return damage, err
}

// createOne writes stdout, or a file that must not exist.
func (a *app) createOne(out string, write func(io.Writer) error) error {
	if out == "" || out == "-" {
		return write(a.out)
	}
	_, err := createWhole(out, write)
	return err
}

// exportPerfData adds the run to a folder for perfdash.
func (a *app) exportPerfData(dir *results.Dir, flags exportFlags) (damage, err error) {
	summary, err := analysis.Summarize(dir)
	if err != nil {
		return nil, err
	}
	if flags.job == "" {
		flags.job = "windtunnel-" + summary.Run.Profile
	}
	if strings.ContainsAny(flags.job, "/\\ \n\"") || strings.HasPrefix(flags.job, ".") {
		return nil, usageError{fmt.Errorf("--job %q cannot be the name of a folder", flags.job)}
	}
	files, damage, err := export.PerfData(dir, summary, flags.job)
	if err != nil {
		return damage, err
	}
	build := filepath.Join(flags.out, flags.job, strings.Split(files[0].Path, "/")[1])
	err = createFolder(build, func(temp string) error {
		for _, f := range files {
			below := strings.SplitN(f.Path, "/", 3)[2]
			if err := os.MkdirAll(filepath.Dir(filepath.Join(temp, below)), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(temp, below), f.Data, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return damage, err
	}
	fmt.Fprintln(a.out, build)
	config := export.PerfdashConfig(flags.job)
	// One that is there already may list more jobs.
	err = a.createOne(filepath.Join(flags.out, config.Path), func(w io.Writer) error { _, err := w.Write(config.Data); return err })
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	return damage, err
}

// createFolder makes a folder that must not exist and is there only when all of it is.
func createFolder(path string, fill func(temp string) error) error {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s: %w", path, os.ErrExist), err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) // what there is of it after an error
	if err := errors.Join(fill(temp), os.Chmod(temp, 0o755)); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// exportRecords writes the record streams as files of a folder, or one of them.
func (a *app) exportRecords(dir *results.Dir, flags exportFlags) (damage, err error) {
	streams := dir.StreamFiles()
	one := func(file string, w io.Writer) (rows int64, err error) {
		stream, err := results.OpenStream(dir.Path(file))
		if err != nil {
			damage = errors.Join(damage, inRun(file, err))
			return 0, nil
		}
		var bad error
		switch flags.format {
		case "csv":
			rows, bad, err = export.CSV(w, stream)
		case "jsonl":
			rows, bad, err = export.JSONLines(w, stream)
		default:
			rows, bad, err = export.Parquet(w, stream, runMetadata(dir))
		}
		damage = errors.Join(damage, inRun(file, bad))
		return rows, err
	}
	if flags.stream != "" {
		file := strings.TrimSuffix(flags.stream, results.StreamSuffix) + results.StreamSuffix
		if !slices.Contains(streams, file) {
			return nil, usageError{fmt.Errorf("--stream %q: the run has %s", flags.stream, strings.Join(streams, ", "))}
		}
		err = a.createOne(flags.out, func(w io.Writer) error { _, err := one(file, w); return err })
		return damage, err
	}
	if flags.out == "-" {
		return nil, usageError{errors.New("--out -: only one stream fits into stdout; choose it with --stream")}
	}
	var report []string
	err = createFolder(flags.out, func(temp string) error {
		for _, file := range streams {
			name := strings.TrimSuffix(file, results.StreamSuffix) + "." + flags.format
			if err := os.MkdirAll(filepath.Dir(filepath.Join(temp, name)), 0o755); err != nil {
				return err
			}
			var rows int64
			size, err := createWhole(filepath.Join(temp, name), func(w io.Writer) (err error) { rows, err = one(file, w); return err })
			if err != nil {
				return fmt.Errorf("export %s: %w", file, err)
			}
			report = append(report, fmt.Sprintf("%s\t%d records\t%.1f MiB", filepath.Join(flags.out, name), rows, float64(size)/(1<<20)))
		}
		return nil
	})
	if err != nil {
		return damage, err
	}
	w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	for _, line := range report {
		fmt.Fprintln(w, line)
	}
	return damage, w.Flush()
}

// inRun names a damaged file as it is called in the run.
func inRun(file string, err error) error {
	var damage *results.Damage
	if errors.As(err, &damage) {
		damage.File = file
	}
	return err
}

// runMetadata says in every file which run it is of, and when its instant 0 was.
func runMetadata(dir *results.Dir) map[string]string {
	meta := map[string]string{"windtunnel.run": dir.ID()}
	if run, err := dir.ReadRun(); err == nil {
		meta["windtunnel.started"] = run.Started
	}
	return meta
}
