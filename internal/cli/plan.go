package cli

import (
	"github.com/spf13/cobra"

	"windtunnel/profiles"
)

// planJSON is the shape of plan -o json.
type planJSON struct {
	Estimate profiles.Estimate       `json:"estimate"`
	Phases   []profiles.PhaseOutline `json:"phases"`
	Curves   map[string][]float64    `json:"curves"` // phase -> planned requests a second, in equal bins
	Plan     *profiles.Plan          `json:"plan"`
}

func planned(plan *profiles.Plan) planJSON {
	out := planJSON{Estimate: plan.Estimate(), Phases: plan.Outline(), Curves: map[string][]float64{}, Plan: plan}
	for _, phase := range out.Phases {
		if curve := plan.Curve(phase.Name, curveBins); curve != nil {
			out.Curves[phase.Name] = curve
		}
	}
	return out
}

func (a *app) planCommand() *cobra.Command {
	var flags profileFlags
	var loader cl2Flags
	var output string
	cmd := &cobra.Command{
		Use:               "plan [PROFILE]",
		Short:             "Say what run would do: phases, objects, requests by verb, rates, time and memory; touches nothing",
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			tests, ok, err := a.cl2Tests(cmd, &flags, &loader, args)
			if err != nil {
				return err
			}
			if ok {
				return a.planCL2(tests, flags.settings(cmd), output)
			}
			plan, err := a.load(cmd, &flags, args)
			if err != nil {
				return err
			}
			if output == "json" {
				return writeJSON(a.out, planned(plan))
			}
			return writePlan(a.out, plan)
		},
	}
	flags.register(cmd)
	loader.register(cmd, true)
	outputFlag(cmd, &output, "text", "json")
	return cmd
}
