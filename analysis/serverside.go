package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"windtunnel/results"
)

const (
	scheduler         = "kube-scheduler"
	controllerManager = "kube-controller-manager"
	etcd              = "etcd"
)

// serverSide are the components' own figures, nil when there was no look at any in the measured phases.
func (l *looks) serverSide() *results.ServerSide {
	if len(l.n) == 0 {
		return nil
	}
	s := &results.ServerSide{Figures: []results.ComponentFigure{}, PriorityLevels: l.priorityLevels(), WorkQueues: []results.WorkQueue{}}
	for _, component := range []string{controllerManager, scheduler} {
		s.WorkQueues = append(s.WorkQueues, l.workQueues(component)...)
	}
	slices.SortStableFunc(s.WorkQueues, func(a, b results.WorkQueue) int { return cmp.Compare(waited(b), waited(a)) })
	s.Figures = slices.Concat(s.Figures, l.etcdFigures(), l.apiServerFigures(), l.schedulerFigures(), l.controllerFigures(s.WorkQueues))
	return s
}

// waited is how long the items of a queue waited in all, in seconds.
func waited(q results.WorkQueue) float64 {
	if q.MeanWait == nil {
		return 0
	}
	return *q.MeanWait * float64(q.N)
}

// mean makes a figure of a histogram's mean, none when it saw nothing.
func (l *looks) mean(component, metric, name, text string) []results.ComponentFigure {
	n := l.rise(component, metric+"_count")
	if n <= 0 {
		return nil
	}
	return []results.ComponentFigure{{Component: component, Name: name, Value: l.rise(component, metric+"_sum") / n, Unit: "s", N: int64(n), Text: text}}
}

// of makes a figure from the looks at a component, none when there were none.
func (l *looks) of(component, name string, value float64, unit, text string) []results.ComponentFigure {
	n := l.n[component]
	if n == 0 {
		return nil
	}
	return []results.ComponentFigure{{Component: component, Name: name, Value: value, Unit: unit, N: n, Text: text}}
}

func (l *looks) etcdFigures() []results.ComponentFigure {
	var size float64
	if s := l.series[seriesKey{component: etcd, name: "etcd_mvcc_db_total_size_in_bytes"}]; s != nil {
		size = s.last
	}
	return slices.Concat(
		l.of(etcd, "db_size_end", size, "bytes", "size of its store at the end"),
		l.mean(etcd, "etcd_disk_wal_fsync_duration_seconds", "fsync_mean", "mean time to flush its log to the disk"),
		l.mean(etcd, "etcd_disk_backend_commit_duration_seconds", "commit_mean", "mean time to commit to its store"),
		l.of(etcd, "requests", l.rise(etcd, "grpc_server_handled_total"), "requests", "requests that it answered"),
	)
}

func (l *looks) apiServerFigures() []results.ComponentFigure {
	inflight := l.peaks(apiServer, "apiserver_current_inflight_requests", "request_kind")
	return slices.Concat(
		l.of(apiServer, "inflight_mutating_max", inflight["mutating"], "requests", "most mutating requests under way, in the second before any look"),
		l.of(apiServer, "inflight_read_only_max", inflight["readOnly"], "requests", "most reading requests under way, in the second before any look"),
		l.mean(apiServer, "etcd_request_duration_seconds", "etcd_request_mean", "mean time of a request to etcd, as the API server sees it"),
		l.of(apiServer, "watch_events", l.rise(apiServer, "apiserver_watch_cache_events_dispatched_total"), "events", "events that the watch caches gave to watchers"),
		l.of(apiServer, "watchers_terminated", l.rise(apiServer, "apiserver_terminated_watchers_total"), "watchers", "watchers that were closed because they did not keep up"),
	)
}

func (l *looks) schedulerFigures() []results.ComponentFigure {
	return slices.Concat(
		l.of(scheduler, "pending_max", l.peak(scheduler, "scheduler_pending_pods"), "pods", "most pods that waited to be scheduled at any look"),
		l.mean(scheduler, "scheduler_scheduling_attempt_duration_seconds", "attempt_mean", "mean time of an attempt to schedule a pod, binding included"),
		l.mean(scheduler, limiterMetric, "limiter_mean", limiterText),
	)
}

// The clients of the API server limit themselves, which a slow cluster is easily taken for.
const (
	limiterMetric = "rest_client_rate_limiter_duration_seconds"
	limiterText   = "mean time that its own client's rate limit held a request back"
)

func (l *looks) controllerFigures(queues []results.WorkQueue) []results.ComponentFigure {
	figures := l.mean(controllerManager, limiterMetric, "limiter_mean", limiterText)
	var deepest, slowest *results.WorkQueue
	for i, q := range queues {
		if q.Component != controllerManager {
			continue
		}
		if deepest == nil || q.Deepest > deepest.Deepest {
			deepest = &queues[i]
		}
		if q.MeanWait != nil && (slowest == nil || *q.MeanWait > *slowest.MeanWait) {
			slowest = &queues[i]
		}
	}
	if deepest != nil {
		figures = append(figures, l.of(controllerManager, "queue_depth_max", deepest.Deepest, "items", fmt.Sprintf("items in its deepest work queue at any look, %s", deepest.Name))...)
	}
	if slowest != nil {
		figures = append(figures, results.ComponentFigure{Component: controllerManager, Name: "queue_mean_max", Value: *slowest.MeanWait, Unit: "s", N: slowest.N,
			Text: fmt.Sprintf("longest mean time in a work queue, %s", slowest.Name)})
	}
	return figures
}

// workQueues are the queues of a component that something was added to, by name.
func (l *looks) workQueues(component string) []results.WorkQueue {
	const label = "name"
	adds := l.rises(component, "workqueue_adds_total", label)
	depth := l.peaks(component, "workqueue_depth", label)
	taken := l.rises(component, "workqueue_queue_duration_seconds_count", label)
	sum := l.rises(component, "workqueue_queue_duration_seconds_sum", label)
	var queues []results.WorkQueue
	for _, name := range slices.Sorted(maps.Keys(depth)) {
		if adds[name] == 0 && taken[name] == 0 && depth[name] == 0 {
			continue
		}
		queues = append(queues, results.WorkQueue{Component: component, Name: name, Adds: int64(adds[name]), N: int64(taken[name]),
			MeanWait: ratio(sum[name], taken[name]), Deepest: depth[name], Looks: l.n[component]})
	}
	return queues
}

// ratio is a / b, nil where b is nothing.
func ratio(a, b float64) *float64 {
	if b <= 0 {
		return nil
	}
	mean := a / b
	return &mean
}

// priorityLevels are the levels of priority and fairness that requests passed through or were rejected by.
func (l *looks) priorityLevels() []results.PriorityLevel {
	const prefix, label = "apiserver_flowcontrol_", "priority_level"
	requests, rejected := l.rises(apiServer, prefix+"dispatched_requests_total", label), l.rises(apiServer, prefix+"rejected_requests_total", label)
	waits, waited := l.rises(apiServer, prefix+"request_wait_duration_seconds_count", label), l.rises(apiServer, prefix+"request_wait_duration_seconds_sum", label)
	seats, limit := l.peaks(apiServer, prefix+"current_executing_seats", label), l.peaks(apiServer, prefix+"nominal_limit_seats", label)
	queued := l.peaks(apiServer, prefix+"current_inqueue_requests", label)
	levels := []results.PriorityLevel{}
	for _, name := range slices.Sorted(maps.Keys(limit)) {
		if requests[name] == 0 && rejected[name] == 0 {
			continue
		}
		levels = append(levels, results.PriorityLevel{Name: name, Requests: int64(requests[name]), Rejected: int64(rejected[name]),
			MeanWait: ratio(waited[name], waits[name]), MostSeats: seats[name], Seats: limit[name], MostQueued: queued[name], Looks: l.n[apiServer]})
	}
	return levels
}
