package cli

import (
	"windtunnel/analysis/clusterloader"
	"windtunnel/profiles/cl2"
)

// checkCL2 has those who will compute a measurement look at its parameters before the run.
func checkCL2(method string, params map[string]any) []cl2.Complaint {
	var all []cl2.Complaint
	for _, m := range clusterloader.Check(method, params) {
		all = append(all, cl2.Complaint{Param: m.Param, Message: m.Message, Warning: m.Warning})
	}
	return all
}
