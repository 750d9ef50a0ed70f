package kubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/loop"
)

// fewestFailures is how many failures in a row make a probe fail that does not say (SetDefaults_Probe in pkg/apis/core/v1).
const fewestFailures = 3

// probing is one probe of a container that runs (pkg/kubelet/prober).
type probing struct {
	of    *container
	kind  string
	spec  *corev1.Probe
	timer **loop.Timer
	// well says what the container answers, by how long it has run.
	well func(runs time.Duration) bool
	// passed is called when the probe has succeeded, after which it is not made any more; nil: it is made as long as the container runs.
	passed func()
	// failed is called when it has failed, after which it is not made any more; nil: it is made until it succeeds.
	failed func()

	successes, failures int32 // in a row
}

// probes begins the startup probe, or else the readiness and the liveness probe.
func (c *container) probes() {
	ready := func(runs time.Duration) bool { return runs >= annotated(c.pod.object, api.ReadyAfterAnnotation, 0) }
	if !c.started {
		p := &probing{of: c, kind: "Startup", spec: c.spec.StartupProbe, timer: &c.probe, well: ready, failed: func() { c.unhealthy("startup") }}
		p.passed = func() {
			c.started = true
			c.pod.node.writer.changed(c.pod)
			c.probes()
		}
		p.look()
		return
	}
	if c.spec.LivenessProbe != nil {
		alive := func(runs time.Duration) bool {
			return runs < annotated(c.pod.object, api.UnhealthyAfterAnnotation, runs+1)
		}
		(&probing{of: c, kind: "Liveness", spec: c.spec.LivenessProbe, timer: &c.liveness, well: alive, failed: func() { c.unhealthy("liveness") }}).look()
	}
	if c.spec.ReadinessProbe == nil {
		c.ready = true
		return
	}
	p := &probing{of: c, kind: "Readiness", spec: c.spec.ReadinessProbe, timer: &c.probe, well: ready}
	p.passed = func() {
		c.ready = true
		c.pod.node.writer.changed(c.pod)
	}
	p.look()
}

// look makes the probe once, and again after its period.
func (p *probing) look() {
	c := p.of
	runs := time.Since(c.begun.Time)
	switch {
	case runs < time.Duration(p.spec.InitialDelaySeconds)*time.Second:
	case p.well(runs):
		p.successes, p.failures = p.successes+1, 0
		if p.passed != nil && p.successes >= max(p.spec.SuccessThreshold, 1) {
			p.passed()
			return
		}
	default:
		p.successes, p.failures = 0, p.failures+1
		c.pod.node.events.aboutPod(c.pod, c.spec.Name, corev1.EventTypeWarning, "Unhealthy", p.kind+" probe failed: "+p.says())
		threshold := p.spec.FailureThreshold
		if threshold == 0 {
			threshold = fewestFailures
		}
		if p.failed != nil && p.failures >= threshold {
			p.failed()
			return
		}
	}
	*p.timer = c.pod.node.loop.After(time.Duration(max(p.spec.PeriodSeconds, 1))*time.Second, func() {
		if c.state == running {
			p.look()
		}
	})
}

func (p *probing) says() string {
	if p.kind == "Liveness" {
		return "the container is not well"
	}
	return "the container is not ready yet"
}

// unhealthy ends a container whose probe has failed, and which is started again unless its pod never does that (computePodActions in
// pkg/kubelet/kuberuntime).
func (c *container) unhealthy(probe string) {
	p := c.pod
	why := "Container " + c.spec.Name + " failed " + probe + " probe"
	if c.sidecar() || p.object.Spec.RestartPolicy != corev1.RestartPolicyNever {
		why += ", will be restarted"
	}
	c.kill(why)
	l := p.node.loop
	l.Stop(c.probe)
	l.Stop(c.liveness)
	l.Stop(c.timer)
	c.timer = l.After(p.node.takes(p.node.shard.config.Stop(), leastStop), func() { c.exit(exitTerminated) })
}

// annotated is the duration that an annotation of the pod says.
func annotated(o *corev1.Pod, name string, otherwise time.Duration) time.Duration {
	d, err := time.ParseDuration(o.Annotations[name])
	if err != nil {
		return otherwise
	}
	return d
}
