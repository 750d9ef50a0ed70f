package walk

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"sigs.k8s.io/yaml"
)

// The endings of the files of a test: what it begins with, and what that must lead to.
const (
	InputSuffix  = ".input.yaml"
	OutputSuffix = ".output.yaml"
	testdata     = "testdata"
)

// Result is one test of a life cycle.
type Result struct {
	// Input and Output are the files.
	Input, Output string
	// Diff is how what came out differs from the output file, as a unified diff; empty when it does not.
	Diff string
	// Written says that the output file was written.
	Written bool
}

// Inputs finds the tests of a folder of stages: the files testdata/*.input.yaml below it. A path of an input file is one test.
func Inputs(path string) ([]string, error) {
	if strings.HasSuffix(path, InputSuffix) {
		return []string{path}, nil
	}
	all, err := filepath.Glob(filepath.Join(path, testdata, "*"+InputSuffix))
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("there is no %s", filepath.Join(path, testdata, "*"+InputSuffix))
	}
	return all, err
}

// Test makes one test. With update it writes the output file instead of comparing with it.
func Test(input string, update bool) (*Result, error) {
	data, err := os.ReadFile(input)
	if err != nil {
		return nil, fmt.Errorf("read an input: %w", err)
	}
	in, err := ParseInput(input, data)
	if err != nil {
		return nil, err
	}
	text, err := run(input, in)
	if err != nil {
		return nil, err
	}
	r := &Result{Input: input, Output: strings.TrimSuffix(input, InputSuffix) + OutputSuffix}
	if update {
		r.Written = true
		if err := os.WriteFile(r.Output, text, 0o644); err != nil {
			return nil, fmt.Errorf("write an output: %w", err)
		}
		return r, nil
	}
	want, err := os.ReadFile(r.Output)
	if err != nil {
		return nil, fmt.Errorf("read an output (--update writes it): %w", err)
	}
	r.Diff, err = differ(r.Output, want, text)
	return r, err
}

// run reads the stages of an input and works out what it leads to.
func run(input string, in *Input) ([]byte, error) {
	folder := filepath.Dir(input)
	var files []string
	for _, file := range in.Stages {
		files = append(files, filepath.Join(folder, file))
	}
	if files == nil {
		var err error
		if files, err = stageFiles(filepath.Dir(folder)); err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: there are no stages in %s", input, filepath.Dir(folder))
	}
	set, err := ReadStages(files...)
	if err != nil {
		return nil, err
	}
	got, err := Output(set, in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", input, err)
	}
	return got, nil
}

// differ compares two documents by what they say, not by how they are written.
func differ(name string, want, got []byte) (string, error) {
	a, err := canonical(want)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	b, err := canonical(got)
	if err != nil {
		return "", fmt.Errorf("read what came out: %w", err)
	}
	return difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: a, B: b, FromFile: name, ToFile: "what came out", Context: 3})
}

// canonical is a document in one way of writing, its keys sorted, by lines.
func canonical(text []byte) ([]string, error) {
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	again, err := yaml.Marshal(value)
	return difflib.SplitLines(string(again)), err
}
