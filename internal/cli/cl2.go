package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"windtunnel/profiles"
	"windtunnel/profiles/cl2"
)

// cl2Flags are those that only ClusterLoader2's configs have.
type cl2Flags struct {
	overrides []string
	suite     string
	skip      []string
	overwrite []string
}

func (f *cl2Flags) register(cmd *cobra.Command, withSuite bool) {
	cmd.Flags().StringArrayVar(&f.overrides, "testoverrides", nil, "of a ClusterLoader2 config: a `FILE` of variables; may be given several times, later ones win")
	cmd.Flags().StringArrayVar(&f.skip, "skip-steps", nil, "of a ClusterLoader2 config: leave out the steps of this `NAME`; may be given several times")
	cmd.Flags().StringArrayVar(&f.overwrite, "overwrite-test-config", nil, "of a ClusterLoader2 config: a value of its own, as in Namespace.Prefix=mine; may be given several times (`PATH=VALUE`)")
	if withSuite {
		cmd.Flags().StringVar(&f.suite, "testsuite", "", "read the ClusterLoader2 configs that the suite in `FILE` names, in place of --file")
	}
}

// cl2Tests reads the tests that the flags name. ok is false when they name none of ClusterLoader2's files. The error is about what
// is not a matter of a single test.
func (a *app) cl2Tests(cmd *cobra.Command, f *profileFlags, c *cl2Flags, args []string) (tests []*cl2.Test, ok bool, err error) {
	name, data, format, err := a.cl2Source(f, c, args)
	if err != nil || format == cl2.NoFormat {
		return nil, false, err
	}
	tests, err = a.readCL2(name, data, format, c, f.settings(cmd))
	return tests, true, err
}

// cl2Source finds the file that the flags name, if it is one of ClusterLoader2's.
func (a *app) cl2Source(f *profileFlags, c *cl2Flags, args []string) (name string, data []byte, format cl2.Format, err error) {
	switch {
	case c.suite != "" && (f.file != "" || len(args) > 0):
		return "", nil, cl2.NoFormat, usageError{errors.New("give either --testsuite or a config or profile, not both")}
	case c.suite != "":
		name, data, err = a.read(c.suite)
		return name, data, cl2.SuiteFile, err
	case f.file != "" && len(args) == 0:
		if name, data, err = f.read(a); err != nil {
			return "", nil, cl2.NoFormat, err
		}
		format = cl2.Recognize(data)
	}
	for flag, values := range map[string][]string{"testoverrides": c.overrides, "skip-steps": c.skip, "overwrite-test-config": c.overwrite} {
		if format == cl2.NoFormat && len(values) > 0 {
			return "", nil, format, usageError{fmt.Errorf("--%s is for ClusterLoader2's configs; a profile's fields are set by --set", flag)}
		}
	}
	return name, data, format, nil
}

// readCL2 reads a config, or the configs of a suite.
func (a *app) readCL2(name string, data []byte, format cl2.Format, c *cl2Flags, sets []string) ([]*cl2.Test, error) {
	if format == cl2.ModuleFile {
		return nil, usageError{fmt.Errorf("%s is a module of a ClusterLoader2 config: give the config that names it", name)}
	}
	cluster, err := cl2.Cluster(sets)
	if err != nil {
		return nil, err
	}
	o := cl2.Options{
		Overrides: c.overrides, SkipSteps: c.skip, Overwrite: c.overwrite, Environment: os.Environ(), Nodes: cluster.HollowNodes.Count, Seed: cluster.Seed,
		ImageRegistry: os.Getenv("REGISTRY_K8S_REPO"),
		Read: func(path string) ([]byte, error) {
			if path == name {
				return data, nil
			}
			return readFile(path)
		},
		List: fileNames, Check: checkCL2,
	}
	if self, err := os.Executable(); err == nil {
		o.IncludeDir = filepath.Dir(self)
	}
	if format == cl2.SuiteFile {
		return cl2.ReadSuite(name, o)
	}
	return []*cl2.Test{cl2.Read(name, o)}, nil
}

// readFile reads a regular file of at most the size that a test's file may have.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is not a regular file")}
	case info.Size() > cl2.LargestFile:
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("has %d bytes, more than %d", info.Size(), cl2.LargestFile)}
	}
	return os.ReadFile(path)
}

// fileNames are the names in a directory; none where it cannot be read.
func fileNames(dir string) []string {
	var all []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// validateCL2 prints what is found in tests. Warnings alone keep no test from running, and count as bad input only if strict.
func (a *app) validateCL2(tests []*cl2.Test, strict bool) error {
	var all error
	for _, test := range tests {
		list := test.Problems()
		if test.Err() == nil { // some mistakes show only when the objects are rendered
			if _, err := test.Plan(); err != nil {
				list = test.Problems()
			}
		}
		problems := &profiles.Problems{List: list}
		switch {
		case len(list) == 0:
			fmt.Fprintf(a.out, "%s: ok\n", testName(test))
		case test.Err() == nil && !strict:
			fmt.Fprintf(a.err, "%v\n", problems)
			fmt.Fprintf(a.out, "%s: ok; warnings: %d\n", testName(test), len(list))
		default:
			all = errors.Join(all, problems)
		}
	}
	return all
}

// testName is the file of a test, and its scenario's identifier.
func testName(t *cl2.Test) string {
	if t.Identifier != "" {
		return t.Path + " (" + t.Identifier + ")"
	}
	return t.Path
}

// planCL2 prints what tests would do on the cluster that the sets describe.
func (a *app) planCL2(tests []*cl2.Test, sets []string, output string) error {
	cluster, err := cl2.Cluster(sets)
	if err != nil {
		return err
	}
	var plans []*cl2.Plan
	var all error
	for _, test := range tests {
		plan, err := test.Plan()
		if err != nil {
			all = errors.Join(all, err)
			continue
		}
		guest := &profiles.Plan{Profile: *cluster}
		if cluster.ControlPlane.Provider == profiles.ProviderExisting {
			if guest, err = test.Compile(cluster); err != nil {
				all = errors.Join(all, err)
				continue
			}
		}
		if n := len(test.Problems()); n > 0 {
			fmt.Fprintf(a.err, "%s: warnings: %d; windtunnel validate shows them\n", testName(test), n)
		}
		plans = append(plans, plan)
		if output != "json" {
			if err := writeCL2Plan(a.out, testName(test), plan, guest); err != nil {
				return err
			}
		}
	}
	if output == "json" && len(plans) > 0 {
		return errors.Join(all, writeJSON(a.out, plans))
	}
	return all
}
