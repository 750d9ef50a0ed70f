package results

// columnsOf returns the columns of a record type's streams, in order. Columns may be added at the end; a column whose
// meaning changes needs a new FormatVersion.
func columnsOf[T Record]() []column[T] {
	var columns any
	switch any(*new(T)).(type) {
	case Request:
		columns = requestColumns()
	case WatchEvent:
		columns = watchEventColumns()
	case PodEvent:
		columns = podEventColumns()
	case ObjectEvent:
		columns = objectEventColumns()
	case NodeEvent:
		columns = nodeEventColumns()
	case ProcessSample:
		columns = processSampleColumns()
	case Scrape:
		columns = scrapeColumns()
	case Metric:
		columns = metricColumns()
	}
	return columns.([]column[T])
}

const instant = "ns since the run's clock base"

func requestColumns() []column[Request] {
	return []column[Request]{
		int64Column("planned", instant, "when it was to be sent, by the plan; latency counts from here; of a closed loop, when it was sent", func(r *Request) *int64 { return &r.Planned }),
		int64Column("sent", instant, "when it was handed to the connection; 0: never", func(r *Request) *int64 { return &r.Sent }),
		int64Column("first_byte", instant, "when the answer's first byte was there; 0: never", func(r *Request) *int64 { return &r.FirstByte }),
		int64Column("done", instant, "when the answer was complete, or the request had failed; 0: never", func(r *Request) *int64 { return &r.Done }),
		wordColumn("phase", "phase of the run", func(r *Request) *string { return &r.Phase }),
		wordColumn("track", "track of the phase", func(r *Request) *string { return &r.Track }),
		wordColumn("verb", "GET, LIST, POST, PUT, PATCH, DELETE, DELETECOLLECTION, WATCH, or WATCHLIST for the initial events of a watch", func(r *Request) *string { return &r.Verb }),
		wordColumn("group", "API group; empty: core", func(r *Request) *string { return &r.Group }),
		wordColumn("version", "API version", func(r *Request) *string { return &r.Version }),
		wordColumn("resource", "plural name of the resource", func(r *Request) *string { return &r.Resource }),
		wordColumn("subresource", "subresource, such as status", func(r *Request) *string { return &r.Subresource }),
		wordColumn("scope", "resource, namespace or cluster", func(r *Request) *string { return &r.Scope }),
		wordColumn("variant", "which form of the verb, such as rmw for the GET before a PUT", func(r *Request) *string { return &r.Variant }),
		textColumn("object", "the target's namespace/name, or namespace, or empty", func(r *Request) *string { return &r.Object }),
		int32Column("code", "", "HTTP status; 0: no answer", func(r *Request) *int32 { return &r.Code }),
		wordColumn("error", "class of the failure: conflict, not_found, too_many_requests, … , timeout, connection, canceled, dropped or no_target; empty: none", func(r *Request) *string { return &r.Error }),
		int64Column("bytes_out", "bytes", "size of the request's body", func(r *Request) *int64 { return &r.BytesOut }),
		int64Column("bytes_in", "bytes", "size of the answer's body", func(r *Request) *int64 { return &r.BytesIn }),
		int32Column("attempt", "", "1 for the first try", func(r *Request) *int32 { return &r.Attempt }),
		wordColumn("identity", "user that the request was made as", func(r *Request) *string { return &r.Identity }),
		wordColumn("flow_schema", "UID of the FlowSchema that the API server put it under", func(r *Request) *string { return &r.FlowSchema }),
		wordColumn("priority_level", "UID of the PriorityLevelConfiguration that the API server put it under", func(r *Request) *string { return &r.PriorityLevel }),
		int32Column("part", "", "0 for the request that the plan has; 1, 2, … for those that follow it at once: further pages, the PUT after its GET", func(r *Request) *int32 { return &r.Part }),
		int64Column("resource_version", "", "resourceVersion of the object after a write; 0: the answer did not show it", func(r *Request) *int64 { return &r.ResourceVersion }),
	}
}

func watchEventColumns() []column[WatchEvent] {
	return []column[WatchEvent]{
		int64Column("at", instant, "when the whole event was there", func(e *WatchEvent) *int64 { return &e.At }),
		int64Column("resource_version", "", "of the object; the write that caused the event has the same in samples/requests.arrows", func(e *WatchEvent) *int64 { return &e.ResourceVersion }),
		wordColumn("phase", "phase of the run", func(e *WatchEvent) *string { return &e.Phase }),
		wordColumn("track", "track of the phase", func(e *WatchEvent) *string { return &e.Track }),
		int32Column("watcher", "", "number of the watcher within its step", func(e *WatchEvent) *int32 { return &e.Watcher }),
		wordColumn("group", "API group; empty: core", func(e *WatchEvent) *string { return &e.Group }),
		wordColumn("version", "API version", func(e *WatchEvent) *string { return &e.Version }),
		wordColumn("resource", "plural name of the resource", func(e *WatchEvent) *string { return &e.Resource }),
		wordColumn("type", "ADDED, MODIFIED, DELETED, BOOKMARK, ERROR, or INITIAL for an object that was there when the watch began", func(e *WatchEvent) *string { return &e.Type }),
		int64Column("bytes", "bytes", "size of the event", func(e *WatchEvent) *int64 { return &e.Bytes }),
	}
}

func objectEventColumns() []column[ObjectEvent] {
	return []column[ObjectEvent]{
		int64Column("at", instant, "when it was received", func(e *ObjectEvent) *int64 { return &e.At }),
		wordColumn("measure", "the measurement that follows the object, METHOD/IDENTIFIER", func(e *ObjectEvent) *string { return &e.Measure }),
		wordColumn("group", "API group; empty: core", func(e *ObjectEvent) *string { return &e.Group }),
		wordColumn("version", "API version", func(e *ObjectEvent) *string { return &e.Version }),
		wordColumn("resource", "plural name of the resource", func(e *ObjectEvent) *string { return &e.Resource }),
		wordColumn("namespace", "the object's namespace", func(e *ObjectEvent) *string { return &e.Namespace }),
		textColumn("name", "the object's name", func(e *ObjectEvent) *string { return &e.Name }),
		textColumn("uid", "the object's UID", func(e *ObjectEvent) *string { return &e.UID }),
		wordColumn("event", "created, started, completed, failed or deleted", func(e *ObjectEvent) *string { return &e.Event }),
		int64Column("stamp", "s, Unix time", "when it was by the object itself, in whole seconds; 0: it does not say", func(e *ObjectEvent) *int64 { return &e.Stamp }),
	}
}

func podEventColumns() []column[PodEvent] {
	return []column[PodEvent]{
		int64Column("at", instant, "when it was received (watch) or happened (runtime)", func(e *PodEvent) *int64 { return &e.At }),
		wordColumn("source", "watch: received by the harness; runtime: the hollow node's container runtime", func(e *PodEvent) *string { return &e.Source }),
		wordColumn("event", "created, scheduled, running, ready, succeeded, failed, deleting or deleted (watch); started or stopped (runtime)", func(e *PodEvent) *string { return &e.Event }),
		wordColumn("namespace", "the pod's namespace", func(e *PodEvent) *string { return &e.Namespace }),
		textColumn("name", "the pod's name", func(e *PodEvent) *string { return &e.Name }),
		textColumn("uid", "the pod's UID, by which the sources are joined", func(e *PodEvent) *string { return &e.UID }),
		wordColumn("object", "template whose instance owns the pod; empty: none", func(e *PodEvent) *string { return &e.Object }),
		wordColumn("node", "node that the pod is bound to; empty: not bound yet", func(e *PodEvent) *string { return &e.Node }),
		wordColumn("phase", "phase of the run in which it was received", func(e *PodEvent) *string { return &e.Phase }),
		int64Column("created", "s, Unix time", "metadata.creationTimestamp; 0 from the runtime", func(e *PodEvent) *int64 { return &e.Created }),
		wordColumn("labels", "of created, the pod's labels as k=v,k=v, sorted; empty: none, another event, or written before there was this column", func(e *PodEvent) *string { return &e.Labels }),
		wordColumn("scheduler", "of created, spec.schedulerName; empty: another event, or written before there was this column", func(e *PodEvent) *string { return &e.Scheduler }),
		int64Column("started", "s, Unix time", "of running, the latest startedAt of the running containers' states; 0: another event, or not said", func(e *PodEvent) *int64 { return &e.Started }),
		wordColumn("volumes", "of created, ephemeral: all volumes come and go with the pod; stateful: some do not; empty: another event, or written before there was this column", func(e *PodEvent) *string { return &e.Volumes }),
	}
}

func nodeEventColumns() []column[NodeEvent] {
	return []column[NodeEvent]{
		int64Column("at", instant, "when the harness received it, or did it", func(e *NodeEvent) *int64 { return &e.At }),
		textColumn("name", "the node's name", func(e *NodeEvent) *string { return &e.Name }),
		wordColumn("event", "added, ready, notready, tainted (with a NoExecute taint of the node's condition), untainted or deleted, by watch; broken or mended, by a fault step", func(e *NodeEvent) *string { return &e.Event }),
		wordColumn("detail", "of tainted, the taint's key; of broken and mended, the kind of the fault; empty: none, or written before there was this column", func(e *NodeEvent) *string { return &e.Detail }),
	}
}

func processSampleColumns() []column[ProcessSample] {
	return []column[ProcessSample]{
		int64Column("at", instant, "when the sample was taken", func(s *ProcessSample) *int64 { return &s.At }),
		wordColumn("component", "etcd, kube-apiserver, kube-controller-manager, kube-scheduler, hollow-0 … or windtunnel", func(s *ProcessSample) *string { return &s.Component }),
		int32Column("pid", "", "process id; of a process that is not of this machine 0, and after restarts -1, -2, …", func(s *ProcessSample) *int32 { return &s.PID }),
		float64Column("cpu_seconds", "s", "CPU time, user and system, since the process started", func(s *ProcessSample) *float64 { return &s.CPUSeconds }),
		int64Column("rss", "bytes", "resident set size", func(s *ProcessSample) *int64 { return &s.RSS }),
		int64Column("pss", "bytes", "proportional set size; 0: not read in this sample", func(s *ProcessSample) *int64 { return &s.PSS }),
		int32Column("fds", "", "open file descriptors", func(s *ProcessSample) *int32 { return &s.FDs }),
		int32Column("threads", "", "threads", func(s *ProcessSample) *int32 { return &s.Threads }),
	}
}

func scrapeColumns() []column[Scrape] {
	return []column[Scrape]{
		int64Column("at", instant, "when it was asked for", func(s *Scrape) *int64 { return &s.At }),
		wordColumn("component", "component whose /metrics it is", func(s *Scrape) *string { return &s.Component }),
		wordColumn("phase", "phase of the run in which it was taken", func(s *Scrape) *string { return &s.Phase }),
		wordColumn("mark", "begin or end at the edges of a phase, measure at a call of a measurement of a script; empty: between", func(s *Scrape) *string { return &s.Mark }),
		bytesColumn("body", "the answer, in the Prometheus text format", func(s *Scrape) *[]byte { return &s.Body }),
	}
}

func metricColumns() []column[Metric] {
	return []column[Metric]{
		int64Column("at", instant, "when the component was asked for its metrics; the same for all values of one look", func(m *Metric) *int64 { return &m.At }),
		wordColumn("component", "component whose metric it is", func(m *Metric) *string { return &m.Component }),
		wordColumn("name", "Prometheus' name of it, with _sum or _count for those parts of a histogram", func(m *Metric) *string { return &m.Name }),
		wordColumn("labels", "the labels that were kept, in Prometheus' text format and sorted by name; values that differ only in others are summed up", func(m *Metric) *string { return &m.Labels }),
		float64Column("value", "as the name says", "the value; what counts up from the start of the process is left out while it is 0", func(m *Metric) *float64 { return &m.Value }),
	}
}
