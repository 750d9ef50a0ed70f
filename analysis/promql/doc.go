// Package promql answers queries in Prometheus' language over series that are in memory: the part of the language that questions about a
// finished run need. Results are those of Prometheus 2 (ranges include their begin) to the last digit of its own arithmetic, extrapolation
// included. What it does not know is an error when the query is parsed, never a wrong answer.
//
// Prometheus' own engine is not used because its module asks for newer versions of libraries that the system under test is built with.
package promql
