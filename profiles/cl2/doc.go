// Package cl2 reads the test configs of ClusterLoader2, the load tester of Kubernetes' own scalability tests
// (github.com/kubernetes/perf-tests/clusterloader2), as they are: Go templates of YAML files with modules, object templates,
// overrides and suites. Read gives a Test, every template executed and every module in its place; Test.Problems has what is
// wrong with it and what is hardly meant, at its place in the file where it was written; Test.Plan says step by step which
// objects would be created, patched and deleted, and when.
//
// It is an implementation of the format from its description, not a copy. Where it differs, docs/clusterloader2.md says so.
// The package is pure: files and the environment come in through Options, and nothing of Kubernetes is imported.
package cl2
