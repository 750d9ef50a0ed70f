package cli

import (
	"errors"
	"fmt"
	"strings"

	"windtunnel/harness/cluster"
	"windtunnel/harness/run"
	"windtunnel/profiles"
	"windtunnel/results"
)

// The exit codes of windtunnel, a promise to scripts.
const (
	codePass        = 0
	codeInternal    = 1
	codeUsage       = 2
	codeViolated    = 3
	codeInvalid     = 4
	codeEnvironment = 5
	codeTimeout     = 6
	codeRegression  = 7
	codeInterrupted = 130
)

// exitCodes documents them in order.
func exitCodes() []struct {
	code    int
	meaning string
} {
	return []struct {
		code    int
		meaning string
	}{
		{codePass, "pass, or nothing was judged"},
		{codeInternal, "an error inside windtunnel"},
		{codeUsage, "usage or bad input, or a cluster that did not agree: found before any load was sent"},
		{codeViolated, "an SLO was violated"},
		{codeInvalid, "the run is invalid, or there is no data to judge it by"},
		{codeEnvironment, "the environment: a component did not start or died, a limit of the machine, a full disk"},
		{codeTimeout, "time-out"},
		{codeRegression, "a regression was shown"},
		{codeInterrupted, "interrupted, or the cluster's owner switched the load off; the report was still written"},
	}
}

func exitTable() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, c := range exitCodes() {
		fmt.Fprintf(&b, "  %3d  %s\n", c.code, c.meaning)
	}
	return b.String()
}

// usageError is bad input: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// silent carries an exit code after everything has been said already.
type silent struct{ code int }

func (s silent) Error() string { return fmt.Sprintf("exit code %d", s.code) }

// exitCode maps an error to its code.
func exitCode(err error) int {
	var s silent
	var problems *profiles.Problems
	var use usageError
	var refused *cluster.RefusedError
	var env *run.EnvironmentError
	var empty noDataError
	switch {
	case err == nil:
		return codePass
	case errors.As(err, &s):
		return s.code
	case errors.As(err, &use), errors.As(err, &problems), errors.As(err, &refused), strings.HasPrefix(err.Error(), "unknown command"):
		return codeUsage
	case errors.As(err, &empty):
		return codeInvalid
	case errors.Is(err, run.ErrInterrupted):
		return codeInterrupted
	case errors.Is(err, run.ErrTimeout):
		return codeTimeout
	case errors.As(err, &env):
		return codeEnvironment
	}
	return codeInternal
}

// verdictCode maps a verdict to its code.
func verdictCode(v results.Verdict) int {
	switch v {
	case results.Pass, results.NotJudged:
		return codePass
	case results.Fail:
		return codeViolated
	}
	return codeInvalid
}
