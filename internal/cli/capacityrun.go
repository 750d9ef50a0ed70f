package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"windtunnel/analysis/capacity"
	"windtunnel/analysis/chart"
	"windtunnel/analysis/report"
	"windtunnel/harness/run"
	"windtunnel/results"
)

// overhead is what a run takes beside its plan until one has been timed: boot, nodes, tear-down, analysis.
const overhead = 15 * time.Second

// runCapacity carries a search on until it is done, its budget is used up or it is interrupted; the answer so far is written
// after each run.
func (a *app) runCapacity(ctx context.Context, s *search, budget time.Duration, output string) error {
	var options run.Options
	if !s.record.Search.Next(s.record.History()).Done { // else there is only the answer to be made again
		var err error
		if options, err = a.options(""); err != nil {
			return err
		}
	}
	if err := s.open(time.Now()); err != nil {
		return &run.EnvironmentError{Err: err}
	}
	defer s.claim.Release()
	options.Results = filepath.Join(s.dir, "runs")
	ctx, stop := a.signals(ctx)
	defer stop()
	fmt.Fprintf(a.err, "search %s\n", s.dir)
	runErr := a.levels(ctx, s, options, budget)
	answer, err := s.analyse()
	if err == nil {
		err = a.save(s, answer)
	}
	if err == nil {
		err = a.printCapacity(output, answer)
	}
	if err := errors.Join(runErr, err); err != nil {
		fmt.Fprintf(a.err, "windtunnel: %v\ngo on with: windtunnel capacity --resume %s\n", err, s.dir)
		return silent{exitCode(err)}
	}
	if !s.record.Finished {
		fmt.Fprintf(a.err, "stopped: %s\ngo on with: windtunnel capacity --resume %s\n", s.record.Stopped, s.dir)
	}
	if code := capacityCode(answer); code != codePass {
		return silent{code}
	}
	return nil
}

// capacityCode is 0 when a level was shown to be inside the SLO, 3 when the search came to its end and every level that was
// judged is outside, and 4 when there is no answer.
func capacityCode(r capacity.Report) int {
	switch {
	case r.Answer.Inside != nil && r.Answer.Confirmed:
		return codePass
	case r.Finished && r.Answer.Inside == nil && r.Answer.Outside != nil && !r.Answer.OutsideUndecided:
		return codeViolated
	}
	return codeInvalid
}

// levels runs level after level.
func (a *app) levels(ctx context.Context, s *search, options run.Options, budget time.Duration) error {
	began := time.Now()
	s.record.Stopped, s.record.Finished = "", false
	for {
		next := s.record.Search.Next(s.record.History())
		if next.Done {
			s.record.Stopped, s.record.Finished = next.Why, true
			return nil
		}
		plan, err := s.at(next.Level, s.record.SeedAt(next.Level))
		if err != nil {
			return fmt.Errorf("%s at %g: %w", s.record.Axis, next.Level, err)
		}
		if expected := s.expected(plan.Estimate().Duration); budget > 0 && time.Since(began)+expected > budget {
			s.record.Stopped = fmt.Sprintf("the budget of %s has no room for another run of about %s", budget, short(expected))
			return nil
		}
		options.Plan = plan
		if err := a.level(ctx, s, options, next); err != nil {
			s.record.Stopped = firstLine(err.Error())
			return err
		}
	}
}

// level makes one run and adds it to the record. A run that was interrupted is no run of the search: its error is returned. One
// that never came to its measured phases says of the level that it is too much for the machine or the harness, when the
// environment or a time-out ended it; any other error is one of the profile or of windtunnel, which no level mends.
func (a *app) level(ctx context.Context, s *search, options run.Options, next capacity.Next) error {
	options.Progress = levelProgress{a.progress()}
	began := time.Now()
	dir, runErr := run.Run(ctx, options)
	if dir == nil {
		return runErr
	}
	defer dir.Release() // it is finished, and may be packed while the search goes on
	study, err := examine(dir)
	if err != nil {
		return errors.Join(runErr, err)
	}
	point, err := capacity.Measure(dir, study.Summary, next.Level, next.Stage)
	if err != nil {
		return errors.Join(runErr, err)
	}
	if !isRun(&point, runErr) {
		return runErr
	}
	s.record.Runs = append(s.record.Runs, point)
	a.warn(report.Files(dir, study))
	fmt.Fprintf(a.err, "%s\n", runLine(s.record, point, time.Since(began)))
	answer, err := s.analyse()
	if err != nil {
		return err
	}
	return a.save(s, answer)
}

// isRun says whether a run that ended with an error counts, and marks one that failed before its measured phases.
func isRun(p *capacity.Point, err error) bool {
	if err == nil || errors.Is(err, run.ErrInterrupted) || p.Seconds > 0 {
		return !errors.Is(err, run.ErrInterrupted)
	}
	p.Failed = errors.As(err, new(*run.EnvironmentError)) || errors.Is(err, run.ErrTimeout)
	p.Verdict = results.Invalid
	return p.Failed
}

// runLine is the line of one run.
func runLine(r capacity.Record, p capacity.Point, took time.Duration) string {
	mark := map[results.Verdict]string{results.Pass: "✓", results.Fail: "✗", results.NoData: "?", results.Invalid: "!"}[p.Verdict]
	parts := []string{fmt.Sprintf("%s %3d  %-8s %10.10g %s  %-8s %8s", mark, len(r.Runs), p.Stage, p.Level, r.Unit, p.Verdict, short(took))}
	if p.Traffic.Answers >= capacity.LeastAnswers {
		parts = append(parts, fmt.Sprintf("%.1f answers/s, p99 %.1f ms", p.Traffic.Throughput, p.Traffic.P99*1e3))
	}
	if p.Startup != nil {
		parts = append(parts, fmt.Sprintf("start-up p99 %.2f s", p.Startup.Value))
	}
	parts = append(parts, fmt.Sprintf("%.2f cores", p.Used()))
	if len(p.Why) > 0 {
		parts = append(parts, p.Why[0])
	}
	return strings.Join(parts, "  ")
}

// expected is how long a run will take, by the longest of the runs so far beyond its plan.
func (s *search) expected(planned time.Duration) time.Duration {
	beyond := overhead
	for _, p := range s.record.Runs {
		summary, err := s.summary(p.Run)
		if plan, perr := s.at(p.Level, p.Seed); err == nil && perr == nil {
			beyond = max(beyond, time.Duration(summary.Run.Seconds*float64(time.Second))-plan.Estimate().Duration)
		}
	}
	return planned + beyond
}

// open makes the directory of a new search.
func (s *search) open(now time.Time) error {
	if s.dir != "" {
		return nil
	}
	// A search is kept like a run: the name says what and when, and nothing is ever overwritten.
	dir, err := results.CreateSearch(s.root, s.record.Profile+"-"+s.record.Axis, now)
	if err != nil {
		return err
	}
	s.claim, s.dir, s.record.ID, s.record.Started = dir, dir.Path(), dir.ID(), now.UTC().Format(time.RFC3339)
	s.record.Runs = []capacity.Point{}
	return s.write(capacity.File, func(w io.Writer) error { return writeJSON(w, capacity.Analyse(s.record, nil)) })
}

func (s *search) summary(id string) (results.Summary, error) {
	dir, err := results.Open(filepath.Join(s.dir, "runs", id))
	if err != nil {
		return results.Summary{}, err
	}
	return dir.ReadSummary()
}

// analyse works out the answer so far.
func (s *search) analyse() (capacity.Report, error) {
	summaries := map[string]results.Summary{}
	for _, p := range s.record.Runs {
		summary, err := s.summary(p.Run)
		if err != nil {
			return capacity.Report{}, fmt.Errorf("a run of the search is gone: %w", err)
		}
		summaries[p.Run] = summary
	}
	return capacity.Analyse(s.record, summaries), nil
}

// save writes capacity.json, without which the search could not go on, and the page and the charts, which can be made again:
// what goes wrong with them is a warning.
func (a *app) save(s *search, r capacity.Report) error {
	if err := s.write(capacity.File, func(w io.Writer) error { return writeJSON(w, r) }); err != nil {
		return err
	}
	if len(r.Runs) > 0 {
		a.warn(errors.Join(s.write("capacity.html", func(w io.Writer) error { return capacity.HTML(w, r) }), s.draw(r)))
	}
	return nil
}

// draw writes the charts and removes those that are none any more.
func (s *search) draw(r capacity.Report) error {
	err := os.MkdirAll(filepath.Join(s.dir, "charts"), 0o755)
	stale, rerr := os.ReadDir(filepath.Join(s.dir, "charts"))
	err = errors.Join(err, rerr)
	for _, c := range r.Charts() {
		stale = slices.DeleteFunc(stale, func(file os.DirEntry) bool { return strings.HasPrefix(file.Name(), c.Name+".") })
		for _, format := range []chart.Format{chart.SVG, chart.PNG} {
			err = errors.Join(err, s.write(filepath.Join("charts", c.Name+"."+string(format)), func(w io.Writer) error { return c.Write(w, format, chart.Light()) }))
		}
	}
	for _, file := range stale {
		err = errors.Join(err, os.Remove(filepath.Join(s.dir, "charts", file.Name())))
	}
	return err
}

// write replaces a file of the search.
func (s *search) write(name string, fill func(w io.Writer) error) error {
	var b bytes.Buffer
	if err := fill(&b); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Join(s.dir, name), err)
	}
	return results.ReplaceFile(filepath.Join(s.dir, name), b.Bytes())
}

func (a *app) printCapacity(output string, r capacity.Report) error {
	switch output {
	case "json":
		return writeJSON(a.out, r)
	case "csv":
		return capacity.CSV(a.out, r)
	case "markdown":
		return capacity.Markdown(a.out, r)
	}
	return capacity.Text(a.out, r)
}

// levelProgress shows the phases of a run on a terminal's live line and leaves no line of them: the search has one a run.
type levelProgress struct{ *progress }

// End closes the phase.
func (p levelProgress) End(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.phase = ""
	if err != nil && !errors.Is(err, run.ErrInterrupted) {
		fmt.Fprintf(p.w, "  %s\n", firstLine(err.Error()))
	}
}
