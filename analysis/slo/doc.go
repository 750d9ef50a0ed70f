// Package slo judges runs by service level objectives that a user writes down: a YAML file of expressions such as
//
//	quantile(0.99, request_latency{verb="GET", resource="pods"}) <= 1s
//
// over the metrics of a run. docs/slo.md is the language's manual; its tables are made from functions() and metrics().
//
// The language is small and has units and positions of its own, so that it is read here, by recursive descent, and not by a
// general expression library: those that were looked at know neither that seconds do not compare with bytes nor where in a
// YAML file a mistake stands.
//
// Everything is a pure function: Read makes a File of a text, Judge a Report of a File and the Data of a run. Package analysis
// makes the Data.
package slo
