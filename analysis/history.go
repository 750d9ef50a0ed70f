package analysis

import (
	"cmp"
	"maps"
	"slices"

	"windtunnel/results"
)

// ServerCurves are what the components said of themselves over time. A curve of a counter or of a mean has, at each look, what
// happened since the look before; a curve of a gauge has what was there at the look. Where looks are closer than the places
// of the study, a place has the largest. Curves that are 0 throughout are left out.
type ServerCurves struct {
	Seats    []Curve // in use, by priority level
	Nominal  []Curve // seats that a priority level has unless it borrows or lends
	Queued   []Curve // requests in the queues of priority and fairness, by priority level
	Rejected []Curve // requests a second, by priority level
	Inflight []Curve // in flight, by kind
	EtcdSize []Curve // bytes
	EtcdTime []Curve // mean seconds of WAL fsync and backend commit
	Queues   []Curve // items in the work queues, by component and queue, the deepest first
	Pending  []Curve // pods that wait for the scheduler, by queue
}

// chosen is a metric that curves are drawn of.
type chosen struct{ component, name, label string }

// historyKey is one line of a chosen metric; series that differ only in other labels are summed up.
type historyKey struct {
	chosen
	value string // of the label
}

// metricHistory gathers the looks at the chosen metrics.
type metricHistory struct {
	label map[chosen]string // the label that is kept
	looks map[string]map[results.Instant]bool
	lines map[historyKey]map[results.Instant]float64
}

const (
	flow       = "apiserver_flowcontrol_"
	fsyncTime  = "etcd_disk_wal_fsync_duration_seconds"
	commitTime = "etcd_disk_backend_commit_duration_seconds"
)

func newMetricHistory() *metricHistory {
	h := &metricHistory{label: map[chosen]string{}, looks: map[string]map[results.Instant]bool{}, lines: map[historyKey]map[results.Instant]float64{}}
	keep := func(component, label string, names ...string) {
		for _, name := range names {
			h.label[chosen{component: component, name: name}] = label
		}
	}
	keep(apiServer, "priority_level", flow+"current_executing_seats", flow+"nominal_limit_seats", flow+"current_inqueue_requests", flow+"rejected_requests_total")
	keep(apiServer, "request_kind", "apiserver_current_inflight_requests")
	keep(etcd, "", "etcd_mvcc_db_total_size_in_bytes", fsyncTime+"_sum", fsyncTime+"_count", commitTime+"_sum", commitTime+"_count")
	keep(controllerManager, "name", "workqueue_depth")
	keep(scheduler, "name", "workqueue_depth")
	keep(scheduler, "queue", "scheduler_pending_pods")
	return h
}

func (h *metricHistory) add(m results.Metric) {
	if h.looks[m.Component] == nil {
		h.looks[m.Component] = map[results.Instant]bool{}
	}
	h.looks[m.Component][m.At] = true
	label, ok := h.label[chosen{component: m.Component, name: m.Name}]
	if !ok {
		return
	}
	k := historyKey{chosen: chosen{m.Component, m.Name, label}}
	if label != "" {
		k.value = labelValue(m.Labels, label)
	}
	if h.lines[k] == nil {
		h.lines[k] = map[results.Instant]float64{}
	}
	h.lines[k][m.At] += m.Value
}

func (h *metricHistory) finish(t timeline) ServerCurves {
	s := ServerCurves{
		Seats:    h.gauges(t, apiServer, flow+"current_executing_seats"),
		Nominal:  h.gauges(t, apiServer, flow+"nominal_limit_seats"),
		Queued:   h.gauges(t, apiServer, flow+"current_inqueue_requests"),
		Rejected: h.rates(t, apiServer, flow+"rejected_requests_total"),
		Inflight: h.gauges(t, apiServer, "apiserver_current_inflight_requests"),
		EtcdSize: h.gauges(t, etcd, "etcd_mvcc_db_total_size_in_bytes"),
		Pending:  h.gauges(t, scheduler, "scheduler_pending_pods"),
	}
	s.EtcdTime = append(h.means(t, etcd, fsyncTime, "WAL fsync"), h.means(t, etcd, commitTime, "backend commit")...)
	for _, component := range []string{controllerManager, scheduler} {
		s.Queues = append(s.Queues, h.gauges(t, component, "workqueue_depth")...)
	}
	slices.SortStableFunc(s.Queues, func(a, b Curve) int { return cmp.Compare(slices.Max(b.Value), slices.Max(a.Value)) })
	return s
}

// of are the values of the lines of a metric by the value of their label, in order.
func (h *metricHistory) of(component, name string) []historyKey {
	var keys []historyKey
	for k := range h.lines {
		if k.component == component && k.name == name {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b historyKey) int { return cmp.Compare(a.value, b.value) })
	return keys
}

// times are the looks at a component, in order.
func (h *metricHistory) times(component string) []results.Instant {
	return slices.Sorted(maps.Keys(h.looks[component]))
}

// gauges has 0 at looks that do not name a line: what is at 0 is not always recorded.
func (h *metricHistory) gauges(t timeline, component, name string) []Curve {
	var curves []Curve
	for _, k := range h.of(component, name) {
		curve := thinned{time: t, name: k.value}
		if curve.name == "" {
			curve.name = component
		}
		for _, at := range h.times(component) {
			curve.add(at, h.lines[k][at])
		}
		curves = curve.appendTo(curves)
	}
	return curves
}

// rates are the rises of counters a second between looks (CounterRise).
func (h *metricHistory) rates(t timeline, component, name string) []Curve {
	var curves []Curve
	times := h.times(component)
	for _, k := range h.of(component, name) {
		curve := thinned{time: t, name: k.value}
		for i := 1; i < len(times); i++ {
			curve.add(times[i], rise(h.lines[k], times[i-1], times[i])/seconds(times[i]-times[i-1]))
		}
		curves = curve.appendTo(curves)
	}
	return curves
}

func rise(line map[results.Instant]float64, before, now results.Instant) float64 {
	return CounterRise(line[before], line[now])
}

// means are the means of a histogram's observations between looks; looks between which it saw nothing are left out.
func (h *metricHistory) means(t timeline, component, metric, name string) []Curve {
	sum := h.lines[historyKey{chosen: chosen{component: component, name: metric + "_sum"}}]
	count := h.lines[historyKey{chosen: chosen{component: component, name: metric + "_count"}}]
	times := h.times(component)
	curve := thinned{time: t, name: name}
	for i := 1; i < len(times); i++ {
		if n := rise(count, times[i-1], times[i]); n > 0 {
			curve.add(times[i], rise(sum, times[i-1], times[i])/n)
		}
	}
	return curve.appendTo(nil)
}

// thinned is a curve of looks, of which a place keeps the largest.
type thinned struct {
	time   timeline
	name   string
	at     []float64
	value  []float64
	place  int
	n      int64
	filled bool
}

func (c *thinned) add(at results.Instant, v float64) {
	i, ok := c.time.place(at)
	if !ok {
		return
	}
	c.n++
	if c.filled && i == c.place {
		last := len(c.value) - 1
		c.value[last] = larger(c.value[last], v)
		return
	}
	c.filled, c.place = true, i
	c.at, c.value = append(c.at, seconds(at)), append(c.value, v)
}

// appendTo adds the curve unless it is 0 throughout.
func (c *thinned) appendTo(curves []Curve) []Curve {
	if !slices.ContainsFunc(c.value, func(v float64) bool { return v != 0 }) {
		return curves
	}
	return append(curves, Curve{Name: c.name, At: c.at, Value: c.value, N: c.n})
}
