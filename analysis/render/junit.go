package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"windtunnel/results"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Errors    int        `xml:"errors,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Timestamp string     `xml:"timestamp,attr,omitempty"`
	Cases     []testCase `xml:"testcase"`
}

type testCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *outcome `xml:"failure"`
	Error   *outcome `xml:"error"`
	Skipped *outcome `xml:"skipped"`
	Out     string   `xml:"system-out,omitempty"`
}

type outcome struct {
	Message string `xml:"message,attr"`
}

// JUnit writes the verdict as a JUnit report: one suite of the checks of the run, one of the SLOs, and one of the steps and measurements of a
// test of ClusterLoader2. A required SLO that
// was violated is a failure; an invalid check and a required SLO without data are errors; an SLO that is not required and
// did not pass is skipped. When the run is invalid or not judged, no SLO fails: its case is skipped with what was found.
func JUnit(w io.Writer, s results.Summary) error {
	doc := suites{Name: "windtunnel " + s.Run.Profile, Time: fmt.Sprintf("%.3f", s.Run.Seconds)}
	checks := suite{Name: "validity", Timestamp: timestamp(s)}
	for _, c := range s.Validity.Checks {
		tc := testCase{Class: "windtunnel.validity", Name: c.Name, Out: c.Text}
		if c.Verdict != results.Pass {
			tc.Error = &outcome{Message: strings.TrimSpace(c.Text + " " + c.Remedy)}
		}
		checks.add(tc)
	}
	slos := suite{Name: "slo", Timestamp: timestamp(s)}
	for _, r := range s.SLOs {
		slos.add(sloCase(r, s.Verdict))
	}
	parts := []suite{checks, slos}
	if s.ClusterLoader != nil {
		parts = append(parts, testSuite(s))
	}
	for _, part := range parts {
		doc.Suites = append(doc.Suites, part)
		doc.Tests += part.Tests
		doc.Failures += part.Failures
		doc.Errors += part.Errors
		doc.Skipped += part.Skipped
	}
	data, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, data); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}

// timestamp is the run's start as JUnit writes it, without a zone.
func timestamp(s results.Summary) string { return strings.TrimSuffix(s.Run.Started, "Z") }

func sloCase(r results.SLOResult, verdict results.Verdict) testCase {
	found := fmt.Sprintf("%s: measured %s, interval %s, n %d, margin %s pp", r.Verdict, percent(r.Measured), percentInterval(r.Interval), r.N, points(r.Margin))
	if r.Note != "" {
		found += "; " + r.Note
	}
	tc := testCase{Class: "windtunnel.slo", Name: r.Expression, Out: found}
	switch {
	case verdict == results.Invalid:
		tc.Skipped = &outcome{Message: "the run is invalid; " + found}
	case verdict == results.NotJudged:
		tc.Skipped = &outcome{Message: "not judged; " + found}
	case r.Verdict == results.Pass:
	case !r.Required:
		tc.Skipped = &outcome{Message: "not required; " + found}
	case r.Verdict == results.NoData:
		tc.Error = &outcome{Message: found}
	default:
		tc.Failure = &outcome{Message: found}
	}
	return tc
}

func (s *suite) add(c testCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}
