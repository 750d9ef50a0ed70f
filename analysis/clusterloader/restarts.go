package clusterloader

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"windtunnel/results"
)

// The original counts restarts of the control plane's containers. Here its components are processes: a restart is another process under a
// component's name. Each stands for a pod of one container of that name in kube-system.
const systemNamespace = "kube-system"

// restarts are how often each component of the control plane was started again after an instant, by name, and the components.
func (e *evidence) restarts(since, until results.Instant) (components []string, by map[string]int) {
	by = map[string]int{}
	last := map[string]int32{}
	for _, s := range e.processes {
		if s.Component == "windtunnel" || strings.HasPrefix(s.Component, "hollow-") || s.At > until {
			continue
		}
		if pid, known := last[s.Component]; known && pid != s.PID && s.At > since {
			by[s.Component]++
		} else if !known {
			components = append(components, s.Component)
		}
		last[s.Component] = s.PID
	}
	slices.Sort(components)
	return components, by
}

type containerRestart struct {
	Container, Pod, Namespace string
	RestartCount              int
}

// containerRestarts holds the restarts of every component to those that are allowed for pods of its name.
func containerRestarts(e *evidence, w window) finding {
	p := w.gather.params
	allowed, err1 := p.number("defaultAllowedRestarts", 0)
	failing, err2 := p.boolean("failureEnabled", true)
	enforced, err3 := p.boolean("enableViolations", false)
	custom, err4 := customRestarts(p)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return failed(err)
		}
	}
	components, by := e.restarts(w.start.At, w.gather.At)
	f := finding{decides: true, empty: len(components) == 0, notEnforced: !enforced || !failing}
	list := []containerRestart{}
	for _, name := range components {
		list = append(list, containerRestart{name, name, systemNamespace, by[name]})
		limit := int(allowed)
		for _, c := range custom {
			if podPattern(c.Pod).MatchString(name) {
				limit = max(limit, c.AllowedRestarts)
			}
		}
		f.restarted(name, by[name], limit)
	}
	f.summaries = []summary{{"ContainerRestarts", list}}
	return f
}

// customRestart is an entry of the list in the parameter customAllowedRestarts.
type customRestart struct {
	Container, Pod, Namespace string
	AllowedRestarts           int `yaml:"allowedRestarts"`
}

func customRestarts(p params) (all []customRestart, err error) {
	text, err := p.text("customAllowedRestarts", "")
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("parameter customAllowedRestarts: %w", err)
	}
	return all, nil
}

// restartLimits reads the parameter restartCountThresholdOverrides: a limit by the name of a pod.
func restartLimits(p params) (map[string]int, error) {
	text, err := p.text("restartCountThresholdOverrides", "")
	if err != nil {
		return nil, err
	}
	limits := map[string]int{}
	if err := yaml.Unmarshal([]byte(text), &limits); err != nil {
		return nil, fmt.Errorf("parameter restartCountThresholdOverrides: %w", err)
	}
	return limits, nil
}

func (f *finding) restarted(name string, n, limit int) {
	f.judge(name+" restarts", float64(n), "restarts", float64(limit), false, 1)
	if n > limit {
		f.violate("%s was restarted %d times, more than %d", name, n, limit)
	}
}

// podPattern reads the name of a pod in which * stands for anything.
func podPattern(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
}

type systemContainer struct {
	Name       string `json:"name"`
	Image      string `json:"image"`
	Restarts   int    `json:"restartCount"`
	LastReason string `json:"lastRestartReason"`
}

type systemPod struct {
	Name       string            `json:"name"`
	Containers []systemContainer `json:"containers"`
}

// systemPodMetrics are the restarts of the control plane since the start, or since the last unpause, where the test wants them.
func systemPodMetrics(e *evidence, w window) finding {
	p := w.gather.params
	wanted, err1 := p.boolean("systemPodMetricsEnabled", false)
	check, err2 := p.boolean("enableRestartCountCheck", false)
	failing, err3 := p.boolean("systemPodsFailureEnabled", true)
	limits, err4 := restartLimits(p)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return failed(err)
		}
	}
	if !wanted {
		return finding{skip: "systemPodMetricsEnabled is not set"}
	}
	since := w.start.At
	for _, c := range w.before {
		if c.Action == "unpause" || c.Action == "unpauseSystemPodMetrics" {
			since = max(since, c.At)
		}
	}
	components, by := e.restarts(since, w.gather.At)
	f := finding{decides: check, empty: len(components) == 0, notEnforced: !failing}
	pods := []systemPod{}
	for _, name := range components {
		pods = append(pods, systemPod{name, []systemContainer{{Name: name, Restarts: by[name], LastReason: e.lastExit(name, by[name])}}})
		limit, known := limits[name]
		if !known {
			limit = limits["default"]
		}
		if check {
			f.restarted(name, by[name], limit)
		} else {
			f.show(name+" restarts", float64(by[name]), "restarts", 1)
		}
	}
	f.summaries = []summary{{"SystemPodMetrics", map[string][]systemPod{"pods": pods}}}
	return f
}

// lastExit is how the process of a restarted component ended, as far as that is known.
func (e *evidence) lastExit(name string, restarts int) string {
	reason := ""
	for _, c := range e.run.Components {
		if c.Name == name && c.Exit != "" && restarts > 0 {
			reason = c.Exit
		}
	}
	return reason
}
