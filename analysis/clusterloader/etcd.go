package clusterloader

import (
	"strings"
)

const etcdComponent = "etcd"

// The metrics of etcd that the measurement reads; the size has had two names.
const (
	commitMetric    = "etcd_disk_backend_commit_duration_seconds_bucket"
	snapshotMetric  = "etcd_debugging_snap_save_total_duration_seconds_bucket"
	fsyncMetric     = "etcd_disk_wal_fsync_duration_seconds_bucket"
	roundTripMetric = "etcd_network_peer_round_trip_time_seconds_bucket"
	sizeMetric      = "etcd_mvcc_db_total_size_in_bytes"
	oldSizeMetric   = "etcd_debugging_mvcc_db_total_size_in_bytes"
)

func etcdMetricNames(params) []string {
	return []string{commitMetric, snapshotMetric, fsyncMetric, roundTripMetric, sizeMetric, oldSizeMetric}
}

// bucketList is a histogram as the file has it: counts by the text of the upper bound.
type bucketList struct {
	Labels  map[string]string `json:"labels"`
	Buckets map[string]int    `json:"buckets"`
}

type etcdSummary struct {
	Commit    []*bucketList `json:"backendCommitDuration"`
	Snapshot  []*bucketList `json:"snapshotSaveTotalDuration"`
	RoundTrip []*bucketList `json:"peerRoundTripTime"`
	Fsync     []*bucketList `json:"walFsyncDuration"`
	MostBytes float64       `json:"maxDatabaseSize"`
}

// etcdMetrics are etcd's histograms between start and gather, and the most bytes of its database at any look.
func etcdMetrics(e *evidence, w window) finding {
	looks, ok := e.db.between(etcdComponent, w.start.returned(), w.gather.At)
	if !ok {
		return e.unseen(etcdComponent)
	}
	var f finding
	s := etcdSummary{e.bucketLists(commitMetric, looks), e.bucketLists(snapshotMetric, looks), e.bucketLists(roundTripMetric, looks), e.bucketLists(fsyncMetric, looks), 0}
	n := 0
	for _, metric := range []string{sizeMetric, oldSizeMetric} {
		if most, seen := e.maxAtLooks(metric, w); seen > 0 {
			s.MostBytes, n = max(s.MostBytes, most), max(n, seen)
		}
	}
	f.show("maxDatabaseSize", s.MostBytes, "bytes", n)
	for _, h := range []struct{ name, metric string }{{"backendCommitDuration", commitMetric}, {"walFsyncDuration", fsyncMetric}} {
		if whole := e.histogramWithin(h.metric, looks, nil); whole.count() > 0 {
			f.show(h.name+" p99", whole.latency().Perc99.Seconds(), "s", int(whole.count()))
		}
	}
	f.summaries = []summary{{"EtcdMetrics", s}}
	return f
}

// bucketLists are the histograms of a metric, one for each set of labels.
func (e *evidence) bucketLists(metric string, w span) []*bucketList {
	all := []*bucketList{}
	by := map[string]*bucketList{}
	for _, s := range e.db.byName[metric] {
		labels := s.own()
		delete(labels, "le")
		labels["__name__"] = metric
		one := &series{labels: labels}
		key := one.key()
		if by[key] == nil {
			by[key] = &bucketList{Labels: labels, Buckets: map[string]int{}}
			all = append(all, by[key])
		}
		by[key].Buckets[strings.TrimSpace(s.labels["le"])] += int(s.increase(w))
	}
	return all
}
