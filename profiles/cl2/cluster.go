package cl2

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"windtunnel/profiles"
)

// clusterProfile is what surrounds a test where nothing else was said.
const clusterProfile = `apiVersion: windtunnel/v1alpha1
kind: Profile
name: clusterloader2
hollowNodes: {count: 100}
timeout: 24h
phases:
  - name: workload
    measured: true
    timeout: 24h
    tracks: [{name: steps, steps: [{pause: 1s}]}]
slo: {judged: false}
`

// clusterFields are the fields of a profile that say something of the cluster, and not of what is done with it.
func clusterFields() []string {
	return []string{"controlPlane", "hollowNodes", "seed", "timeout", "validity"}
}

var firstKey = regexp.MustCompile(`^[A-Za-z]+`)

// Cluster is the profile of the cluster that a test runs on, with the sets applied to it, each PATH=VALUE as for profiles.Load. Its
// phases are of no meaning: those of a test come from its config. Without sets there are 100 nodes. The error is a
// *profiles.Problems.
func Cluster(sets []string) (*profiles.Profile, error) {
	found := &problems{}
	for i, text := range sets {
		if key := firstKey.FindString(text); !slices.Contains(clusterFields(), key) {
			found.put(profiles.Problem{
				File: "--set", Line: i + 1, Column: 1, Path: key, Message: fmt.Sprintf("a ClusterLoader2 config says itself what is done: %q cannot be set", key),
				Hint: "what can be: " + strings.Join(clusterFields(), ", ") + "; variables of the config come from --testoverrides and the environment",
			})
		}
	}
	if len(found.list) > 0 {
		return nil, &profiles.Problems{List: found.list}
	}
	return profiles.Load("clusterloader2", []byte(clusterProfile), sets)
}
