package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"windtunnel/harness/load"
	"windtunnel/profiles"
	"windtunnel/profiles/cl2"
)

// profileFlags choose a profile and change fields of it.
type profileFlags struct {
	file string
	sets []string
	seed uint64

	provider, nodeImage string
	text                *fileText // of file, once it has been read, for a pipe can be read but once; or a command's own default
}

// fileText is a file that was read, under the name that messages call it by.
type fileText struct {
	name string
	data []byte
}

// read reads the file that the flags name, when it has not been read yet. Copies of the flags that are made afterwards share it.
func (f *profileFlags) read(a *app) (name string, data []byte, err error) {
	if f.text == nil {
		if name, data, err = a.read(f.file); err != nil {
			return "", nil, err
		}
		f.text = &fileText{name, data}
	}
	return f.text.name, f.text.data, nil
}

func (f *profileFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "read the profile from `FILE` instead of naming a built-in one (- for standard input)")
	cmd.Flags().StringArrayVar(&f.sets, "set", nil, "set a field of the profile, as in hollowNodes.count=10; may be given several times")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "the seed of every random choice (default: the profile's)")
	cmd.Flags().StringVar(&f.provider, "provider", "", "who makes the control plane: embedded, kind or existing (default: the profile's)")
	cmd.Flags().StringVar(&f.nodeImage, "node-image", "", "with the provider kind: the `IMAGE` of the nodes")
	_ = cmd.RegisterFlagCompletionFunc("provider", cobra.FixedCompletions([]string{profiles.ProviderEmbedded, profiles.ProviderKind, profiles.ProviderExisting}, cobra.ShellCompDirectiveNoFileComp)) // fails only for a flag that is not there
}

// settings are the --set flags, with those that other flags stand for after them.
func (f *profileFlags) settings(cmd *cobra.Command) []string {
	sets := slices.Clone(f.sets)
	for _, short := range []struct{ flag, path, value string }{
		{"seed", "seed", strconv.FormatUint(f.seed, 10)},
		{"provider", "controlPlane.provider", f.provider},
		{"node-image", "controlPlane.kind.nodeImage", strconv.Quote(f.nodeImage)},
	} {
		if cmd.Flags().Changed(short.flag) {
			sets = append(sets, short.path+"="+short.value)
		}
	}
	return sets
}

// load reads, checks and compiles the profile that the flags and the arguments name.
func (a *app) load(cmd *cobra.Command, f *profileFlags, args []string) (*profiles.Plan, error) {
	name, data, err := a.source(f, args)
	if err != nil {
		return nil, err
	}
	plan, err := compile(name, data, f.settings(cmd))
	if err == nil && cmd.Flags().Changed("node-image") && plan.Profile.ControlPlane.Provider != profiles.ProviderKind {
		return nil, usageError{fmt.Errorf("--node-image is for the provider kind, and this is %s: give --provider kind", plan.Profile.ControlPlane.Provider)}
	}
	return plan, err
}

// compile reads, checks and compiles a profile's text.
func compile(name string, data []byte, sets []string) (*profiles.Plan, error) {
	if cl2.Recognize(data) != cl2.NoFormat {
		return nil, usageError{fmt.Errorf("%s is a file of ClusterLoader2's: %w", name, errNotAProfile)}
	}
	profile, err := profiles.Load(name, data, sets)
	if err != nil {
		return nil, err
	}
	if err := resolveStages(name, profile); err != nil {
		return nil, err
	}
	plan, err := profiles.Compile(profile)
	if err != nil {
		return nil, err
	}
	return plan, profiles.CheckManifests(plan, load.CheckObject)
}

// source finds the profile's text.
func (a *app) source(f *profileFlags, args []string) (name string, data []byte, err error) {
	switch {
	case f.file != "" && len(args) > 0:
		return "", nil, usageError{errors.New("give either the name of a built-in profile or --file, not both")}
	case f.file != "" || f.text != nil:
		return f.read(a)
	case len(args) == 1:
		data, err := builtin(args[0])
		return args[0] + ".yaml", data, err
	}
	return "", nil, usageError{fmt.Errorf("which profile? Name a built-in one (%s) or give --file FILE", strings.Join(profiles.Builtins(), ", "))}
}

// builtin is the text of a built-in profile.
func builtin(name string) ([]byte, error) {
	data, ok := profiles.Builtin(name)
	if ok {
		return data, nil
	}
	hint := ""
	if near, ok := profiles.NearestBuiltin(name); ok {
		hint = fmt.Sprintf(", did you mean %s?", near)
	}
	return nil, usageError{fmt.Errorf("there is no built-in profile %q%s (they are: %s; a file is given with --file)", name, hint, strings.Join(profiles.Builtins(), ", "))}
}

// stdinName is what messages call standard input.
const stdinName = "<stdin>"

// read reads a file or standard input, no more than a profile may be long.
func (a *app) read(path string) (name string, data []byte, err error) {
	in := io.Reader(a.in)
	name = stdinName
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", nil, usageError{fmt.Errorf("read a file: %w", err)}
		}
		defer f.Close()
		in, name = f, path
	}
	data, err = io.ReadAll(io.LimitReader(in, profiles.LargestFile+1))
	if err != nil {
		return "", nil, usageError{fmt.Errorf("read a file: %w", err)}
	}
	return name, data, nil
}
