package cl2

import (
	"strconv"
	"time"

	"windtunnel/profiles"
)

// The time limits where a config names none, as in ClusterLoader2.
const (
	shortWait     = time.Minute
	usualWait     = 10 * time.Minute
	longWait      = 30 * time.Minute
	probeTimeout  = 5 * time.Second // ClusterLoader2 gives the hosts this time, and the cluster any
	profileEvery  = 5 * time.Minute
	usualDowntime = 30 // seconds, of a component that is started again
)

// act is what a call does beside being a mark, and whether the test cannot go on when it fails. It is nil for the most.
func (t *Test) act(m PlannedMeasurement) (act *profiles.Act, fatal bool) {
	p := m.Params
	switch m.Method {
	case "Sleep":
		return &profiles.Act{Pause: max(p.duration("duration", 0), 0)}, false
	case "RestartApiserver":
		return &profiles.Act{Restart: &profiles.RestartAct{Component: "kube-apiserver", Down: time.Duration(p.int("downSeconds", usualDowntime)) * time.Second, Timeout: p.duration("readyTimeout", usualWait)}}, false
	case "ChaosMonkey":
		return p.chaos(m.Action), false
	case "APIAvailability":
		return p.availability(m.Action), false
	case "CPUProfile":
		return p.profile(m.Action, profiles.ProfileCPU), false
	case "MemoryProfile":
		return p.profile(m.Action, profiles.ProfileMemory), false
	case "BlockProfile":
		return p.profile(m.Action, profiles.ProfileBlock), false
	case "WaitForControlledPodsRunning":
		return p.controlled(m.Action), false
	case "WaitForFinishedJobs", "JobLifecycleLatency":
		return &profiles.Act{Jobs: &profiles.JobsAct{Moment: m.Action, Selection: p.selection(), Timeout: p.duration("timeout", usualWait), Record: m.Method == "JobLifecycleLatency"}}, false
	case "WaitForRunningPods":
		return &profiles.Act{Pods: &profiles.PodsAct{Selection: p.selection(), Count: p.int("desiredPodCount", 0), Timeout: p.duration("timeout", shortWait)}}, p.bool("isFatal", false)
	case "WaitForNodes":
		return &profiles.Act{Nodes: &profiles.NodesAct{
			Selection: p.selection(), Min: p.int("minDesiredNodeCount", 0), Max: p.int("maxDesiredNodeCount", 0), Timeout: p.duration("timeout", longWait)}}, false
	case "WaitForBoundPVCs":
		return &profiles.Act{Claims: &profiles.ClaimsAct{Selection: p.selection(), Count: p.int("desiredPVCCount", 0), Timeout: p.duration("timeout", shortWait)}}, false
	case "WaitForAvailablePVs":
		return &profiles.Act{Volumes: &profiles.VolumesAct{
			Selection: p.selection(), Provisioner: p.text("provisioner"), Count: p.int("desiredPVCount", 0), Timeout: p.duration("timeout", shortWait)}}, false
	case "WaitForGenericK8sObjects":
		return t.conditions(p), false
	}
	return nil, false
}

// chaos begins or ends failures of nodes. Its parameters are told apart without regard to case.
func (p Params) chaos(action string) *profiles.Act {
	if action != profiles.MomentStart {
		return &profiles.Act{Faults: &profiles.FaultsAct{Moment: profiles.MomentStop}}
	}
	p = p.lowerCase()
	f := NodeFailure{
		FailureRate: p.float("failurerate", 0), Interval: profiles.Duration(p.duration("interval", 0)),
		JitterFactor: p.float("jitterfactor", 0), SimulatedDowntime: profiles.Duration(p.duration("simulateddowntime", 0)),
	}
	return &profiles.Act{Faults: &profiles.FaultsAct{Moment: profiles.MomentStart, Faults: f.faults(nil)}}
}

// availability asks whether the API server is ready; the pauses between are a matter of who counts.
func (p Params) availability(action string) *profiles.Act {
	if action != profiles.MomentStart && action != profiles.MomentGather {
		return nil
	}
	return &profiles.Act{Probe: &profiles.ProbeAct{Moment: action, Path: "/readyz?exclude=shutdown", Every: p.duration("pollFrequency", time.Second), Timeout: probeTimeout}}
}

func (p Params) profile(action, kind string) *profiles.Act {
	return &profiles.Act{Profile: &profiles.ProfileAct{Moment: action, Component: p.text("componentName"), Kind: kind, Every: profileEvery}}
}

func (p Params) controlled(action string) *profiles.Act {
	meta := typeMeta{apiVersion: p.text("apiVersion"), kind: p.text("kind")}
	act := &profiles.ControlledAct{
		Moment: action, Selection: p.selection(), Timeout: p.duration("operationTimeout", usualWait),
		Updated: p.bool("checkIfPodsAreUpdated", true), Margin: p.int("countErrorMargin", 0), Sync: p.duration("syncTimeout", shortWait),
	}
	if action == profiles.MomentStart {
		act.Resource = meta.resource(true)
	}
	return &profiles.Act{Controlled: act}
}

func (t *Test) conditions(p Params) *profiles.Act {
	act := &profiles.ConditionsAct{
		Resource: profiles.Resource{Group: p.text("objectGroup"), Version: p.text("objectVersion"), Name: p.text("objectResource")},
		Labels:   p.text("labelSelector"), Good: p.texts("successfulConditions"), Bad: p.texts("failedConditions"),
		Min: p.int("minDesiredObjectCount", 0), MaxBad: p.int("maxFailedObjectCount", 0), Timeout: p.duration("timeout", longWait),
	}
	span, ranged := p["namespaceRange"].(map[string]any)
	in := Params(span)
	switch {
	case !ranged:
		act.Namespaces = []string{""} // objects that have none
	case !in.bool("allNamespaces", false):
		prefix := in.text("prefix")
		if prefix == "" {
			prefix = t.Config.Namespace.Prefix
		}
		for i := in.int("min", 0); i <= in.int("max", -1); i++ {
			act.Namespaces = append(act.Namespaces, prefix+"-"+strconv.Itoa(i))
		}
	}
	return &profiles.Act{Conditions: act}
}

// selection is the objects that namespace, labelSelector and fieldSelector choose.
func (p Params) selection() profiles.Selection {
	return profiles.Selection{Namespace: p.text("namespace"), Labels: p.text("labelSelector"), Fields: p.text("fieldSelector")}
}
