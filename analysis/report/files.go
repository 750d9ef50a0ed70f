package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
	"windtunnel/results"
)

// File is the name of the page in the run directory, and Folder that of the charts beside it.
const (
	File   = "report.html"
	Folder = "charts"
)

// drawers is how many charts are drawn at the same time.
const drawers = 2

// Files writes the page and every chart, as SVG and PNG, into the run directory, in place of those that were there. It goes
// on after an error; each names its file.
func Files(d *results.Dir, s analysis.Study) error {
	charts := Charts(s)
	var page error
	errs := make([]error, len(charts))
	cleared := clear(d)
	var group errgroup.Group
	group.SetLimit(drawers)
	group.Go(func() error { page = writePage(d, s); return nil })
	for i, c := range charts {
		group.Go(func() error {
			errs[i] = errors.Join(writeChart(d, c, chart.SVG), writeChart(d, c, chart.PNG))
			return nil
		})
	}
	_ = group.Wait() // the functions give no error: theirs are kept in order
	return errors.Join(append([]error{cleared, page}, errs...)...)
}

// clear takes away the charts of an earlier report, which may have had others, and makes the folder.
func clear(d *results.Dir) error {
	if err := os.MkdirAll(d.Path(Folder), 0o755); err != nil {
		return fmt.Errorf("make the folder of the charts: %w", err)
	}
	entries, err := os.ReadDir(d.Path(Folder))
	if err != nil {
		return fmt.Errorf("clear %s: %w", d.Path(Folder), err)
	}
	var errs []error
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext == ".svg" || ext == ".png" {
			errs = append(errs, os.Remove(d.Path(Folder, e.Name())))
		}
	}
	return errors.Join(errs...)
}

func writePage(d *results.Dir, s analysis.Study) error {
	var b bytes.Buffer
	if err := HTML(&b, s); err != nil {
		return err
	}
	return d.WriteFile(File, b.Bytes())
}

func writeChart(d *results.Dir, c chart.Chart, format chart.Format) error {
	var b bytes.Buffer
	if err := c.Write(&b, format, chart.Light()); err != nil {
		return err
	}
	return d.WriteFile(filepath.Join(Folder, c.Name+"."+string(format)), b.Bytes())
}
