package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windtunnel/analysis/capacity"
	"windtunnel/profiles"
	"windtunnel/results"
)

// capacityFlags are what is searched and how.
type capacityFlags struct {
	profileFlags
	axis       string
	setAxis    []string
	from, to   float64
	step       float64
	levels     []float64
	resolution float64
	repeats    int
	retries    int
	confidence float64
	budget     time.Duration
	root       string
	resume     string
	plan       bool
	output     string
}

func (a *app) capacityCommand() *cobra.Command {
	var f capacityFlags
	cmd := &cobra.Command{
		Use:   "capacity [PROFILE]",
		Short: "Find the largest load inside the SLO along one axis, and what gives out beyond it",
		Long: `Run a profile at different levels of one of its axes (profiles show NAME lists them under axes:) until the largest level inside
the SLO is found and confirmed by repeats; or, with --step or --levels, at each of a list of levels. Each run leaves an ordinary run
directory below the search's own, with capacity.json, capacity.html and charts/. An interrupted search goes on with --resume.`,
		Example: `  windtunnel capacity smoke --axis rate --plan
  windtunnel capacity smoke --axis rate --from 200 --to 1600 --repeats 3
  windtunnel capacity density --axis podsPerNode --from 10 --to 60 --step 10 --repeats 3
  windtunnel capacity -f mine.yaml --axis size --set-axis 'phases[0].tracks[0].steps[0].reconcile.count=level*10' --to 50
  windtunnel capacity --resume results/capacity/smoke-rate-20261122T095500Z-1a2b3c`,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.search(cmd, &f, args)
			if err != nil {
				return err
			}
			if f.plan && f.output != "text" && f.output != "json" {
				return usageError{fmt.Errorf("--plan prints text or json, not %s", f.output)}
			}
			if f.plan {
				return a.planCapacity(s, f.output)
			}
			return a.runCapacity(cmd.Context(), s, f.budget, f.output)
		},
	}
	f.register(cmd)
	outputFlag(cmd, &f.output, outputFormats()...)
	return cmd
}

func (f *capacityFlags) register(cmd *cobra.Command) {
	f.profileFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.axis, "axis", "", "the axis of the profile to vary, such as podsPerNode, nodes or rate")
	flags.StringArrayVar(&f.setAxis, "set-axis", nil, "declare the axis: `PATH=FORMULA`, as in 'hollowNodes.count=level*10'; may be given several times")
	flags.Float64Var(&f.from, "from", 0, "the first level (default: the axis' from)")
	flags.Float64Var(&f.to, "to", 0, "the highest level (default: the axis' to)")
	flags.Float64Var(&f.step, "step", 0, "run every level from --from to --to in steps of this, instead of searching")
	flags.Float64SliceVar(&f.levels, "levels", nil, "run these levels, instead of searching")
	flags.Float64Var(&f.resolution, "resolution", 0.1, "how near the edge is to be found, as a share of the level")
	flags.IntVar(&f.repeats, "repeats", 5, "how many runs in a row have to pass at a level; 5 of 5 show with 95 % confidence that at least 49.7 % of runs pass (54.9 % in a sweep), 3 of 3 that 31.2 % do (36.8 %)")
	flags.IntVar(&f.retries, "retries", 2, "how many more runs a level gets for those that are invalid or have no data")
	flags.Float64Var(&f.confidence, "confidence", 0.95, "of every bound that is stated")
	flags.DurationVar(&f.budget, "budget", 0, "begin no run that would end after this time (default: none)")
	flags.StringVar(&f.root, "results", filepath.Join("results", "capacity"), "keep the directories of searches in `DIR`")
	flags.StringVar(&f.resume, "resume", "", "go on with the search in `DIR`; what was asked there stays")
	flags.BoolVar(&f.plan, "plan", false, "say what would be run, how long it takes and what it needs; touches nothing")
}

// search is one invocation: the record, new or read, and where it is kept.
type search struct {
	record capacity.Record
	base   *profiles.Profile // at no level
	root   string            // of searches, for a new one
	dir    string            // empty until a new search has one
	claim  *results.Dir      // of dir: no other process may add runs
}

// search reads what was asked, or what was asked of the search to go on with.
func (a *app) search(cmd *cobra.Command, f *capacityFlags, args []string) (*search, error) {
	if f.resume != "" {
		return a.resumed(cmd, f, args)
	}
	if f.axis == "" {
		return nil, usageError{errors.New("which axis? Give --axis NAME (profiles show lists a profile's axes below axes)")}
	}
	name, data, err := a.source(&f.profileFlags, args)
	if err != nil {
		return nil, err
	}
	sets, err := f.withAxis(cmd)
	if err != nil {
		return nil, err
	}
	s := &search{root: f.root, record: capacity.Record{Format: capacity.Format, Axis: f.axis,
		Source: capacity.Source{File: name, Text: string(data), Sets: sets}}}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.record.Profile, s.record.Source.Seed = s.base.Name, s.base.Seed
	axis := s.base.Axes[f.axis]
	s.record.Unit, s.record.Description = axis.Unit, axis.Description
	if s.record.Search, err = f.asked(cmd, axis); err != nil {
		return nil, usageError{err}
	}
	return s, s.check()
}

// load reads the profile of the record.
func (s *search) load() error {
	source := s.record.Source
	plan, err := compile(source.File, []byte(source.Text), source.Sets)
	if err != nil {
		return err
	}
	s.base = &plan.Profile
	if judged := s.base.SLO.Judged; judged != nil && !*judged {
		return usageError{fmt.Errorf("the profile %s is not judged, so that no level could be inside its SLO: give it rows under slo and take judged: false away", s.base.Name)}
	}
	if _, err := s.base.AtLevel(s.record.Axis, s.base.Axes[s.record.Axis].To); err != nil {
		return usageError{err}
	}
	return nil
}

// withAxis turns --set-axis into a setting that declares the axis.
func (f *capacityFlags) withAxis(cmd *cobra.Command) ([]string, error) {
	if len(f.setAxis) == 0 {
		return f.settings(cmd), nil
	}
	axis := map[string]any{"to": f.to}
	if f.to == 0 {
		return nil, usageError{errors.New("an axis that is declared with --set-axis needs --to, the highest level")}
	}
	formulas := map[string]string{}
	for _, text := range f.setAxis {
		path, formula, ok := profiles.CutSetting(text)
		if !ok {
			return nil, usageError{fmt.Errorf("--set-axis %s: must be PATH=FORMULA, such as 'hollowNodes.count=level*10'", text)}
		}
		formulas[path] = formula
	}
	axis["set"] = formulas
	if f.from > 0 {
		axis["from"] = f.from
	}
	data, err := json.Marshal(axis) // which is YAML, too
	if err != nil {
		return nil, usageError{fmt.Errorf("--set-axis: %w", err)}
	}
	return append(f.sets[:len(f.sets):len(f.sets)], fmt.Sprintf("axes.%s=%s", f.axis, data)), nil
}

// asked is the search that the flags ask for along an axis.
func (f *capacityFlags) asked(cmd *cobra.Command, axis profiles.Axis) (capacity.Search, error) {
	s := capacity.Search{From: axis.From, To: axis.To, Step: axis.Step, Resolution: f.resolution, Repeats: f.repeats, Retries: f.retries, Confidence: f.confidence}
	if cmd.Flags().Changed("from") {
		s.From = f.from
	}
	if cmd.Flags().Changed("to") {
		s.To = f.to
	}
	switch {
	case f.step != 0 && len(f.levels) > 0:
		return s, errors.New("give either --step or --levels, not both")
	case !(s.From > 0) || s.To < s.From || math.IsInf(s.To, 0):
		return s, fmt.Errorf("the levels go from --from up to --to, both more than 0, not from %g to %g", s.From, s.To)
	case f.step < 0 || math.IsNaN(f.step) || cmd.Flags().Changed("step") && f.step == 0:
		return s, fmt.Errorf("--step must be more than 0, not %g", f.step)
	case !(f.resolution >= 0):
		return s, fmt.Errorf("--resolution must be a share such as 0.1, not %g", f.resolution)
	case f.repeats < 1 || f.repeats > 1000 || f.retries < 0:
		return s, fmt.Errorf("--repeats must be at least 1 and --retries at least 0, not %d and %d", f.repeats, f.retries)
	case !(f.confidence > 0 && f.confidence < 1):
		return s, fmt.Errorf("--confidence must be between 0 and 1, such as 0.95, not %g", f.confidence)
	}
	s.Levels = f.levels
	if f.step > 0 {
		const most = 1000 // levels; nobody waits for more
		if (s.To-s.From)/f.step >= most {
			return s, fmt.Errorf("--step %g makes more than %d levels from %g to %g", f.step, most, s.From, s.To)
		}
		for i := 0; s.From+float64(i)*f.step <= s.To*(1+1e-9); i++ {
			s.Levels = append(s.Levels, s.From+float64(i)*f.step)
		}
	}
	return s, s.Check()
}

// mostChecked is how many levels of a search are looked at before it begins.
const mostChecked = 10_000

// check finds a level that is no profile before anything is run. Each level of a sweep and both ends of a search are loaded; of
// the levels between, all formulas are worked out and the first level is loaded at which other fields than before get a
// fraction: fields that take whole numbers refuse it.
func (s *search) check() error {
	load := func(level float64) error {
		if _, err := s.at(level, s.record.Source.Seed); err != nil {
			return fmt.Errorf("%s at %.10g: %w", s.record.Axis, level, err)
		}
		return nil
	}
	search := s.record.Search
	levels := search.Levels
	if len(levels) == 0 {
		levels = []float64{search.First(), search.Last()}
	}
	seen := map[string]bool{}
	for _, level := range levels {
		if err := load(level); err != nil {
			return err
		}
		fractions, err := s.fractions(level)
		if err != nil {
			return err
		}
		seen[fractions] = true
	}
	for i := 1; len(search.Levels) == 0 && i <= mostChecked && float64(i)*search.Step < search.Last(); i++ {
		level := float64(i) * search.Step
		fractions, err := s.fractions(level)
		if err == nil && !seen[fractions] {
			seen[fractions], err = true, load(level)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fractions are the fields that the axis sets to a number with a fraction at a level.
func (s *search) fractions(level float64) (string, error) {
	sets, err := s.base.AtLevel(s.record.Axis, level)
	if err != nil {
		return "", usageError{err}
	}
	var all []string
	for _, set := range sets {
		if path, value, _ := profiles.CutSetting(set); strings.Contains(value, ".") {
			all = append(all, path)
		}
	}
	return strings.Join(all, " "), nil
}

// at is the plan of a run at a level.
func (s *search) at(level float64, seed uint64) (*profiles.Plan, error) {
	sets, err := s.base.AtLevel(s.record.Axis, level)
	if err != nil {
		return nil, usageError{err}
	}
	source := s.record.Source
	all := append(source.Sets[:len(source.Sets):len(source.Sets)], sets...)
	return compile(source.File, []byte(source.Text), append(all, fmt.Sprintf("seed=%d", seed)))
}

// resumed reads the search in a directory.
func (a *app) resumed(cmd *cobra.Command, f *capacityFlags, args []string) (*search, error) {
	for _, name := range []string{"axis", "set-axis", "from", "to", "step", "levels", "resolution", "repeats", "retries", "confidence", "set", "seed", "provider", "node-image", "file", "results", "plan"} {
		if cmd.Flags().Changed(name) || len(args) > 0 {
			return nil, usageError{errors.New("--resume goes on with what was asked before: beside it only --budget and --output have a meaning")}
		}
	}
	claim, err := results.Claim(f.resume) // before it is read: whoever holds it changes it
	if errors.Is(err, results.ErrInUse) {
		return nil, usageError{fmt.Errorf("the search in %s is going on in another process: wait for its end", f.resume)}
	}
	data, rerr := os.ReadFile(filepath.Join(f.resume, capacity.File))
	if err := errors.Join(err, rerr); err != nil {
		return nil, usageError{fmt.Errorf("%s is not the directory of a search: %w", f.resume, err)}
	}
	s := &search{dir: f.resume, claim: claim}
	if err := json.Unmarshal(data, &s.record); err != nil {
		return nil, usageError{fmt.Errorf("read %s: %w", filepath.Join(f.resume, capacity.File), err)}
	}
	if s.record.Format > capacity.Format {
		return nil, usageError{fmt.Errorf("%s was written by a newer windtunnel (format %d): go on with that", f.resume, s.record.Format)}
	}
	if err := s.record.Search.Check(); err != nil {
		return nil, usageError{fmt.Errorf("read %s: %w", filepath.Join(f.resume, capacity.File), err)}
	}
	return s, s.load()
}
