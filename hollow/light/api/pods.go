package api

import (
	"strconv"
	"time"

	"windtunnel/hollow/light/wire"
)

// Annotations by which a pod says how it behaves on a light node.
const (
	// RunForAnnotation is how long its containers run before they exit by themselves, such as 30s.
	RunForAnnotation = "windtunnel/run-for"
	// ExitCodeAnnotation is the code that they exit with; 0 where it is not given.
	ExitCodeAnnotation = "windtunnel/exit-code"
	// InitForAnnotation and InitExitCodeAnnotation are the same of its init containers; they end at once, with 0, where nothing is said.
	// Only fidelity kubelet heeds them, and the next.
	InitForAnnotation      = "windtunnel/init-for"
	InitExitCodeAnnotation = "windtunnel/init-exit-code"
	// ReadyAfterAnnotation is how long its containers fail their startup and readiness probes, from their start on.
	ReadyAfterAnnotation = "windtunnel/ready-after"
)

// JobRunsFor is how long the pod of a Job runs that does not say.
const JobRunsFor = time.Second

// RunsFor is how long a pod's containers run until they exit by themselves, and their exit code; 0 for ever. It reads metadata:
// annotations = 12, ownerReferences = 13 {kind = 1}. Only containers that are not started again end a pod.
func RunsFor(meta []byte, restartPolicy string) (time.Duration, int) {
	code, _ := strconv.Atoi(string(wire.InMap(meta, 12, ExitCodeAnnotation))) // what is no number is 0
	if d, err := time.ParseDuration(string(wire.InMap(meta, 12, RunForAnnotation))); err == nil && d > 0 {
		return d, code
	}
	if restartPolicy == "Never" || restartPolicy == "OnFailure" {
		if string(wire.At(meta, 13, 1)) == "Job" {
			return JobRunsFor, code
		}
	}
	return 0, code
}

// DeleteNow is DeleteOptions in their envelope: gracePeriodSeconds = 1 of 0 and preconditions = 2 {uid = 1}.
func DeleteNow(uid string) []byte {
	b := wire.AppendInt(nil, 1, 0)
	b = wire.AppendBytes(b, 2, wire.AppendString(nil, 1, uid))
	return wire.Envelope("v1", "DeleteOptions", b)
}
