package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"windtunnel/analysis"
	"windtunnel/results"
)

// Run is what a comparison needs of a run.
type Run struct {
	ID      string
	Profile string // its name
	Started time.Time
	Seed    uint64
	// Traits are what runs must have in common to be compared, by path: the fields of the profile that shape the load, provider,
	// versions.kubernetes, machine.cpu and so on.
	Traits map[string]string
	// Instrument are the versions of what measured, by name.
	Instrument map[string]string
	// Invalid says why the run proves nothing; empty for one that can be trusted.
	Invalid  []string
	Readings []Reading
	dir      *results.Dir

	unreadable bool // nothing is known of it but ID and Invalid
}

// Read reads a run. Its summary is made again from the records where they are there, so that both sides are worked out alike
// whatever wrote them; of a reference run, which has none (see Reduce), the stored summary is taken.
func Read(dir *results.Dir) (Run, error) {
	record, err := dir.ReadRun()
	if err != nil {
		return Run{}, err
	}
	summary, err := summaryOf(dir)
	if err != nil {
		return Run{}, err
	}
	r := Run{ID: record.ID, Profile: record.Name, Seed: record.Seed, Readings: Readings(summary), dir: dir}
	if r.Started, err = time.Parse(time.RFC3339, record.Started); err != nil {
		return Run{}, fmt.Errorf("read run %s: started: %w", record.ID, err)
	}
	if r.Traits, r.Instrument, err = traits(record); err != nil {
		return Run{}, fmt.Errorf("read run %s: %w", record.ID, err)
	}
	if summary.Validity.Verdict != results.Pass {
		for _, c := range summary.Validity.Checks {
			if c.Verdict != results.Pass {
				r.Invalid = append(r.Invalid, c.Name+": "+c.Text)
			}
		}
		if r.Invalid == nil {
			r.Invalid = []string{"it says of itself that it is " + string(summary.Validity.Verdict)}
		}
	}
	return r, nil
}

// Unreadable stands for a run of which Read failed: it is left out of comparisons and histories by its name with the reason.
func Unreadable(id string, err error) Run {
	return Run{ID: id, Invalid: []string{"it cannot be read: " + err.Error()}, unreadable: true}
}

func summaryOf(dir *results.Dir) (results.Summary, error) {
	if reduced, err := isReduced(dir); err != nil || reduced {
		if err != nil {
			return results.Summary{}, err
		}
		return dir.ReadSummary()
	}
	return analysis.Summarize(dir)
}

// isReduced tells whether a run has its distributions in place of its records.
func isReduced(dir *results.Dir) (bool, error) {
	_, err := os.Stat(dir.Path(DistributionsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// traits splits what a run says of itself into what must be equal and what measured it.
func traits(r results.Run) (traits, instrument map[string]string, err error) {
	var profile map[string]any
	if err := json.Unmarshal(r.Profile, &profile); err != nil {
		return nil, nil, fmt.Errorf("the profile cannot be read: %w", err)
	}
	// These change what is said about a run, not what happens in it; but of the SLOs, podStartup chooses whose pods are measured.
	slo, _ := profile["slo"].(map[string]any)
	for _, said := range []string{"name", "description", "seed", "slo", "validity", "timeout", "axes"} {
		delete(profile, said)
	}
	if pods, ok := slo["podStartup"]; ok {
		profile["slo"] = map[string]any{"podStartup": pods}
	}
	if control, ok := profile["controlPlane"].(map[string]any); ok {
		delete(control, "provider") // the run says it itself, also where the profile is older than the field
	}
	traits = map[string]string{"provider": r.Provider, "machine.os": r.Machine.OS, "machine.kernel": r.Machine.Kernel, "machine.cpu": r.Machine.CPU,
		"machine.cores": fmt.Sprint(r.Machine.Cores), "machine.memory": fmt.Sprintf("%.0f GiB", float64(r.Machine.MemoryBytes)/(1<<30)),
		"machine.filesystem": r.Machine.Filesystem}
	flatten(traits, "", profile)
	instrument = map[string]string{}
	for name, version := range r.Versions {
		if name == "kubernetes" || name == "etcd" {
			traits["versions."+name] = version
		} else {
			instrument[name] = version
		}
	}
	return traits, instrument, nil
}

// flatten writes every leaf of a JSON value under its path, as in phases[0].tracks[1].name.
func flatten(into map[string]string, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, child := range v {
			if path != "" {
				key = path + "." + key
			}
			flatten(into, key, child)
		}
	case []any:
		for i, child := range v {
			flatten(into, fmt.Sprintf("%s[%d]", path, i), child)
		}
	default:
		text, _ := json.Marshal(v) // a leaf of JSON that was read a moment ago
		into[path] = string(text)
	}
}
