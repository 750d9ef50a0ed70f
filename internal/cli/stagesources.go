package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"windtunnel/hollow/light/staged"
	"windtunnel/hollow/stages"
	"windtunnel/profiles"
)

// resolveStages reads the stages that a profile names, and checks them. Files are looked for from the profile's own folder.
func resolveStages(profile string, p *profiles.Profile) error {
	read := func(source profiles.StageSource) (string, []byte, error) {
		if source.Builtin != "" {
			data, ok := stages.Builtin(source.Builtin)
			if !ok {
				return "", nil, fmt.Errorf("there is no built-in life cycle %q (%s)", source.Builtin, profiles.Suggest(source.Builtin, stages.Builtins()))
			}
			return source.Builtin, data, nil
		}
		file := source.File
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(profile), file)
		}
		data, err := os.ReadFile(file)
		return source.File, data, err
	}
	return profiles.ResolveStages(p, read, func(texts []profiles.StageSource) error {
		_, err := staged.Read(texts)
		return err
	})
}
