package observe

// family is a metric of which the values are kept, beside the whole scrapes.
type family struct {
	// name is that of its samples; of a histogram only the samples <name>_sum and <name>_count are kept.
	name string
	kind kind
	// by are the labels that are kept; samples that differ only in others are summed up.
	by []string
	// late is a metric that a component shows only after something has happened to it, such as a rejection.
	late bool
}

// kind is how a metric's values are to be read.
type kind int

const (
	gauge     kind = iota
	counter        // counts up from the start of the process
	histogram      // a counter and a sum of seconds
)

// families are the metrics that are kept of a component, by the names that they have in Kubernetes 1.36 and etcd 3.6
// (TestChosenFamilies holds them to the running components). They are those that tell where a second's time went; whoever
// needs another finds it in the whole scrapes.
func families(component string) []family {
	common := []family{
		{name: metricStart}, // tells a restart from a quiet second
		{name: metricCPU, kind: counter}, {name: metricRSS}, {name: metricFDs},
	}
	switch component {
	case "etcd":
		return append(common, etcdFamilies()...)
	case "kube-apiserver":
		return append(common, apiServerFamilies()...)
	case "kube-scheduler":
		return append(append(common, clientFamilies()...), schedulerFamilies()...)
	case "kube-controller-manager":
		return append(common, clientFamilies()...)
	}
	return nil
}

func etcdFamilies() []family {
	return []family{
		{name: "etcd_mvcc_db_total_size_in_bytes"},
		{name: "etcd_disk_wal_fsync_duration_seconds", kind: histogram},
		{name: "etcd_disk_backend_commit_duration_seconds", kind: histogram},
		{name: "etcd_server_proposals_committed_total", kind: counter},
		{name: "grpc_server_handled_total", kind: counter, by: []string{"grpc_method"}},
	}
}

func apiServerFamilies() []family {
	level := []string{"priority_level"}
	return []family{
		{name: "apiserver_current_inflight_requests", by: []string{"request_kind"}},
		{name: "apiserver_longrunning_requests", by: []string{"verb", "group", "resource"}},
		{name: "apiserver_request_total", kind: counter, by: []string{"verb", "resource", "subresource", "code"}},
		{name: "apiserver_request_sli_duration_seconds", kind: histogram, by: []string{"verb", "resource", "subresource", "scope"}},
		{name: "apiserver_flowcontrol_nominal_limit_seats", by: level},
		{name: "apiserver_flowcontrol_current_executing_seats", by: level},
		{name: "apiserver_flowcontrol_current_inqueue_requests", by: level},
		{name: "apiserver_flowcontrol_dispatched_requests_total", kind: counter, by: level},
		{name: "apiserver_flowcontrol_request_wait_duration_seconds", kind: histogram, by: level},
		{name: "apiserver_flowcontrol_rejected_requests_total", kind: counter, by: []string{"priority_level", "reason"}, late: true},
		{name: "apiserver_storage_size_bytes"},
		{name: "apiserver_storage_objects", by: []string{"group", "resource"}},
		{name: "etcd_request_duration_seconds", kind: histogram, by: []string{"operation"}},
		{name: "apiserver_watch_cache_events_dispatched_total", kind: counter, by: []string{"group", "resource"}},
		{name: "apiserver_terminated_watchers_total", kind: counter, by: []string{"group", "resource"}, late: true},
	}
}

// clientFamilies are those of the clients of the API server with work queues.
func clientFamilies() []family {
	queue := []string{"name"}
	return []family{
		{name: "workqueue_depth", by: queue},
		{name: "workqueue_adds_total", kind: counter, by: queue},
		{name: "workqueue_queue_duration_seconds", kind: histogram, by: queue},
		{name: "rest_client_rate_limiter_duration_seconds", kind: histogram, by: []string{"verb"}},
	}
}

func schedulerFamilies() []family {
	return []family{
		{name: "scheduler_pending_pods", by: []string{"queue"}},
		{name: "scheduler_schedule_attempts_total", kind: counter, by: []string{"result"}, late: true},
		{name: "scheduler_scheduling_attempt_duration_seconds", kind: histogram, by: []string{"result"}, late: true},
	}
}
