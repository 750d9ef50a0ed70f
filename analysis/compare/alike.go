package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Difference is a trait that two runs do not share.
type Difference struct {
	Path string `json:"path"`
	Base string `json:"base"` // "" where it is absent
	New  string `json:"new"`
	// Named says that the user named it as what is to be compared.
	Named bool `json:"named"`
}

// String is the path with both values.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s | %s", d.Path, orAbsent(d.Base), orAbsent(d.New))
}

// Unlike is the refusal to compare runs that differ in what nobody named.
type Unlike struct {
	A, B        string // ids of runs, or of sides
	Differences []Difference
}

// mostDifferences is how many the refusal prints.
const mostDifferences = 12

func (u *Unlike) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s and %s are not alike, so a change between them could come from any of these:\n", u.A, u.B)
	width := 0
	shown := u.Differences[:min(len(u.Differences), mostDifferences)]
	for _, d := range shown {
		width = max(width, len(d.Path))
	}
	for _, d := range shown {
		fmt.Fprintf(&b, "  %-*s  %s | %s\n", width, d.Path, orAbsent(d.Base), orAbsent(d.New))
	}
	if left := len(u.Differences) - len(shown); left > 0 {
		fmt.Fprintf(&b, "  … and %d more\n", left)
	}
	fmt.Fprintf(&b, "name what you mean to compare, as in --differ %s, or give --force", strings.Join(roots(u.Differences), ","))
	return b.String()
}

func orAbsent(s string) string {
	if s == "" {
		return "(absent)"
	}
	return s
}

// roots are the first elements of the paths.
func roots(ds []Difference) []string {
	var names []string
	for _, d := range ds {
		if root := d.Path[:strings.IndexAny(d.Path+".", ".[")]; !slices.Contains(names, root) {
			names = append(names, root)
		}
	}
	return names
}

// differences compares the traits of two runs, in order of their paths. Those at or below a path of named are the user's.
func differences(base, new Run, named []string) []Difference {
	var ds []Difference
	paths := maps.Clone(base.Traits)
	maps.Copy(paths, new.Traits)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if a, b := base.Traits[path], new.Traits[path]; a != b {
			ds = append(ds, Difference{path, a, b, slices.ContainsFunc(named, func(n string) bool { return below(path, n) })})
		}
	}
	return ds
}

// below tells whether a path is another or lies in it.
func below(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// alike checks that the runs of each side are alike in everything and those of different sides in all that is not named. It
// returns what the sides differ in.
func alike(base, new []Run, o Options) ([]Difference, error) {
	for _, side := range [][]Run{base, new} {
		for _, r := range side[1:] {
			if ds := differences(side[0], r, nil); len(ds) > 0 && !o.Force {
				return nil, &Unlike{side[0].ID, r.ID, ds}
			}
		}
	}
	ds := differences(base[0], new[0], o.Differ)
	unnamed := slices.DeleteFunc(slices.Clone(ds), func(d Difference) bool { return d.Named })
	if len(unnamed) > 0 && !o.Force {
		return nil, &Unlike{base[0].ID, new[0].ID, unnamed}
	}
	return ds, nil
}
