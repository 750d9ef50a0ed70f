package api

import (
	"fmt"
	"time"

	"windtunnel/hollow/light/wire"
)

// The kubelet's lease (pkg/kubelet/kubelet.go, component-helpers/apimachinery/lease): it lasts 40 s and is renewed every quarter of
// that, which is lengthened by up to 4 % at random.
const (
	LeaseSeconds = 40
	LeaseEvery   = LeaseSeconds / 4 * time.Second
	LeaseJitter  = 0.04
	LeasePath    = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
)

// Fields of coordination.v1.Lease and meta.v1.ObjectMeta.
const (
	leaseMeta, leaseSpec = 1, 2

	metaName, metaNamespace, metaUID, metaVersion, metaOwners = 1, 3, 5, 6, 13
)

// NewLease is the Lease of a node that has none, in its envelope.
func NewLease(node, uid string, now time.Time) []byte {
	var owner, meta []byte
	owner = wire.AppendString(owner, 1, "Node") // meta.v1.OwnerReference{kind = 1, name = 3, uid = 4, apiVersion = 5}
	owner = wire.AppendString(owner, 3, node)
	owner = wire.AppendString(owner, 4, uid)
	owner = wire.AppendString(owner, 5, "v1")
	meta = wire.AppendString(meta, metaName, node)
	meta = wire.AppendString(meta, metaNamespace, "kube-node-lease")
	meta = wire.AppendBytes(meta, metaOwners, owner)
	return lease(meta, node, now)
}

// RenewedLease is a Lease with the metadata that it has, in its envelope.
func RenewedLease(meta []byte, node string, now time.Time) []byte { return lease(meta, node, now) }

// ShortLeaseMeta is as much metadata as a renewal needs.
func ShortLeaseMeta(node, version string) []byte {
	var meta []byte
	meta = wire.AppendString(meta, metaName, node)
	meta = wire.AppendString(meta, metaNamespace, "kube-node-lease")
	return wire.AppendString(meta, metaVersion, version)
}

// lease is a Lease with spec {holderIdentity = 1, leaseDurationSeconds = 2, renewTime = 4 {seconds = 1, nanos = 2}}. Times of leases
// have microseconds.
func lease(meta []byte, node string, now time.Time) []byte {
	now = now.Truncate(time.Microsecond)
	at := wire.AppendInt(nil, 1, now.Unix())
	at = wire.AppendInt(at, 2, int64(now.Nanosecond()))
	spec := wire.AppendString(nil, 1, node)
	spec = wire.AppendInt(spec, 2, LeaseSeconds)
	spec = wire.AppendBytes(spec, 4, at)
	b := wire.AppendBytes(nil, leaseMeta, meta)
	return wire.Envelope("coordination.k8s.io/v1", "Lease", wire.AppendBytes(b, leaseSpec, spec))
}

// AnswerMeta takes the metadata out of an answer that is an object.
func AnswerMeta(body []byte) (wire.Meta, error) {
	object, err := wire.Object(body)
	if err != nil {
		return wire.Meta{}, fmt.Errorf("read an answer: %w", err)
	}
	return wire.ReadMeta(object)
}
