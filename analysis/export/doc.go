// Package export writes a run for other programs: its raw records as Parquet, CSV and JSON Lines, its figures and series as
// OpenMetrics for Prometheus, and its figures as the files of ClusterLoader2 for perfdash. docs/export.md says what each is for.
package export
