package minimal

import (
	"time"

	"windtunnel/hollow/host"
	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/wire"
)

// What is read of a Pod as the server has it, and what is written of its status.

// container is one of a pod, as far as a status needs it.
type container struct{ name, image string }

// sighting is what a node looks at of a pod.
type sighting struct {
	namespace, name, uid, object string
	phase                        string
	deleting                     bool
	unready                      bool // its status says that it is running and not ready
	grace                        time.Duration
	hostNetwork                  bool
	runFor                       time.Duration // how long its containers run; 0 for ever
	began                        time.Time     // when they began, of one that runs
	exitCode                     int
	inits, containers            []container // until it runs, or while its end is to be reported
	count                        int         // of containers
}

// see reads what a node looks at of a Pod.
func see(object []byte) *sighting {
	meta, err := wire.ReadMeta(object)
	if err != nil {
		return &sighting{}
	}
	spec := wire.Field(object, 2)
	p := &sighting{
		namespace: string(meta.Namespace), name: string(meta.Name), uid: string(meta.UID),
		deleting: meta.Deleting, grace: time.Duration(meta.GraceSeconds) * time.Second,
		unready: api.SaidNotReady(object), phase: string(wire.At(object, 3, 1)), object: string(wire.InMap(meta.Raw, 11, host.ObjectLabel)),
	}
	// A pod whose containers would be started again counts as one that runs for ever.
	if policy := string(wire.Field(spec, 3)); policy != "Always" {
		p.runFor, p.exitCode = api.RunsFor(meta.Raw, policy)
	}
	pending, runs := p.phase == "" || p.phase == "Pending", p.phase == "Running"
	if runs {
		p.began = seconds(wire.At(object, 3, 7)) // status.startTime
	}
	_ = wire.Each(spec, func(f wire.Number, b []byte, n uint64) bool {
		switch f {
		case 2:
			p.count++
			if pending || runs && p.runFor > 0 {
				p.containers = append(p.containers, container{string(wire.Field(b, 1)), string(wire.Field(b, 2))})
			}
		case 20:
			if pending {
				p.inits = append(p.inits, container{string(wire.Field(b, 1)), string(wire.Field(b, 2))})
			}
		case 11:
			p.hostNetwork = n != 0
		}
		return true
	})
	return p
}

// seconds reads a time, which has whole seconds; now where there is none.
func seconds(encoded []byte) time.Time {
	at := time.Now()
	_ = wire.Each(encoded, func(f wire.Number, _ []byte, n uint64) bool {
		if f == 1 {
			at = time.Unix(int64(n), 0)
		}
		return f != 1
	})
	return at
}

// running is the patch of a status that says that the pod runs.
func (p *pod) running(now time.Time) []byte {
	b := append(make([]byte, 0, 1024), `{"metadata":{"uid":`...)
	b = append(api.AppendText(b, p.uid), `},"status":{"conditions":[`...)
	for i, kind := range [...]string{"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"} {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"type":"`...), kind...), `","status":"True","lastTransitionTime":`...)
		b = append(api.AppendTime(b, now), '}')
	}
	b = append(b, `],"containerStatuses":[`...)
	for i, c := range p.containers {
		b = appendContainer(b, i, c)
		b = append(b, `,"ready":true,"started":true,"state":{"running":{"startedAt":`...)
		b = append(api.AppendTime(b, now), `}}}`...)
	}
	if len(p.inits) > 0 {
		b = append(b, `],"initContainerStatuses":[`...)
		for i, c := range p.inits {
			b = appendContainer(b, i, c)
			b = appendTerminated(append(b, `,"ready":true,"started":false`...), now, now, 0)
		}
	}
	b = append(b, `],"hostIP":`...)
	b = api.AppendText(b, p.node.shard.machine.Address)
	b = append(api.AppendText(append(b, `,"hostIPs":[{"ip":`...), p.node.shard.machine.Address), `}]`...)
	ip := p.node.shard.machine.Address
	if p.address.IsValid() {
		ip = p.address.String()
	}
	b = append(api.AppendText(append(b, `,"podIP":`...), ip), `,"podIPs":[{"ip":`...)
	b = append(api.AppendText(b, ip), `}],"phase":"Running","startTime":`...)
	return append(api.AppendTime(b, now), `}}`...)
}

// completed is the patch of a status that says that all containers have ended by themselves.
func (p *pod) completed(now time.Time) []byte {
	phase, reason := "Succeeded", "PodCompleted"
	if p.exitCode != 0 {
		phase, reason = "Failed", "PodFailed"
	}
	b := append(make([]byte, 0, 1024), `{"metadata":{"uid":`...)
	b = append(api.AppendText(b, p.uid), `},"status":{"conditions":[`...)
	for i, kind := range [...]string{"Ready", "ContainersReady"} {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"type":"`...), kind...), `","status":"False","reason":"`...)
		b = append(append(b, reason...), `","lastTransitionTime":`...)
		b = append(api.AppendTime(b, now), '}')
	}
	b = append(b, `],"containerStatuses":[`...)
	for i, c := range p.containers {
		b = appendContainer(b, i, c)
		b = appendTerminated(append(b, `,"ready":false,"started":false`...), p.began, now, p.exitCode)
	}
	return append(append(append(b, `],"phase":"`...), phase...), `"}}`...)
}

// appendContainer begins a container's status, which the caller ends.
func appendContainer(b []byte, i int, c container) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	b = api.AppendText(append(b, `{"name":`...), c.name)
	b = api.AppendText(append(b, `,"image":`...), c.image)
	b = append(append(append(b, `,"imageID":"`...), api.ImageID(c.image)...), `","containerID":"windtunnel://`...)
	return append(append(b, api.NewID()...), `","restartCount":0`...)
}

func appendTerminated(b []byte, started, finished time.Time, code int) []byte {
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	b = api.AppendNumber(append(b, `,"state":{"terminated":{"exitCode":`...), int64(code))
	b = append(append(append(b, `,"reason":"`...), reason...), `","startedAt":`...)
	b = append(api.AppendTime(b, started), `,"finishedAt":`...)
	return append(api.AppendTime(b, finished), `}}}`...)
}
