package render

import "windtunnel/results"

// mark is the sign of a verdict.
func mark(v results.Verdict) string {
	switch v {
	case results.Pass:
		return "✓"
	case results.Fail:
		return "✗"
	case results.NoData:
		return "?"
	case results.Invalid:
		return "!"
	}
	return "–"
}

// ANSI escape sequences for the foreground colour.
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

// colour is the colour of a verdict.
func colour(v results.Verdict) string {
	switch v {
	case results.Pass:
		return green
	case results.Fail:
		return red
	case results.NoData, results.Invalid:
		return yellow
	}
	return ""
}

// paint wraps text in a colour, when the style has colours.
func (s Style) paint(colour, text string) string {
	if !s.Color || colour == "" {
		return text
	}
	return colour + text + reset
}

func (s Style) mark(v results.Verdict) string { return s.paint(colour(v), mark(v)) }
