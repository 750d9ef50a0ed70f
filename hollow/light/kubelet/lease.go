package kubelet

import (
	"net/http"
	"time"

	"windtunnel/hollow/light/api"
	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/wire"
)

const (
	// heartbeatTimeout bounds requests of the heartbeat client (cmd/kubelet/app/server.go: the least of the lease's duration and the
	// status's period).
	heartbeatTimeout = 10 * time.Second
	// leaseTries is how often a renewal is tried at once, and leaseBackoff the most between tries to find the Lease
	// (component-helpers/apimachinery/lease/controller.go).
	leaseTries   = 5
	leaseBackoff = 7 * time.Second
	leaseStep    = 100 * time.Millisecond
)

// ensureLease finds the Lease or makes it, after which it is renewed. try counts the failures so far.
func (n *node) ensureLease(try int) {
	n.heartbeat(api.Call{Method: http.MethodGet, Path: api.LeasePath + "/" + n.Name, Done: func(r h2.Response, err error) {
		switch {
		case ok(r, err):
			n.keepLease(r)
			n.renew(0)
		case r.Status == http.StatusNotFound:
			n.makeLease(try)
		default:
			n.leaseLater(try)
		}
	}})
}

// leaseLater looks for the Lease again after a while.
func (n *node) leaseLater(try int) {
	n.loop.After(min(leaseStep<<min(try+1, 10), leaseBackoff), func() { n.ensureLease(try + 1) })
}

// makeLease makes the Lease, which the Node owns. While there is no Node it is left for the next period.
func (n *node) makeLease(try int) {
	n.get(n.path(), func(r h2.Response, err error) {
		uid, found := answeredUID(r, err)
		if !found {
			n.loop.After(api.Jitter(api.LeaseEvery, api.LeaseJitter), func() { n.ensureLease(0) })
			return
		}
		n.heartbeat(api.Call{Method: http.MethodPost, Path: api.LeasePath, ContentType: wire.Protobuf, Body: api.NewLease(n.Name, uid, n.now()),
			Done: func(r h2.Response, err error) {
				if !ok(r, err) {
					n.leaseLater(try)
					return
				}
				n.keepLease(r)
				n.renewed = n.shard.Renewed(n.renewed, time.Now())
				n.renewLater()
			}})
	})
}

// keepLease keeps the metadata of the Lease that was answered, which the next renewal sends back.
func (n *node) keepLease(r h2.Response) {
	if meta, err := api.AnswerMeta(r.Body); err == nil {
		n.lease = append(n.lease[:0], meta.Raw...)
	}
}

func (n *node) renewLater() {
	n.loop.After(api.Jitter(api.LeaseEvery, api.LeaseJitter), func() { n.renew(0) })
}

// renew renews the Lease.
func (n *node) renew(try int) {
	n.heartbeat(api.Call{Method: http.MethodPut, Path: api.LeasePath + "/" + n.Name, ContentType: wire.Protobuf,
		Body: api.RenewedLease(n.lease, n.Name, n.now()),
		Done: func(r h2.Response, err error) {
			switch {
			case ok(r, err):
				n.keepLease(r)
				n.renewed = n.shard.Renewed(n.renewed, time.Now())
				n.renewLater()
			case r.Status == http.StatusConflict || try+1 >= leaseTries:
				n.fail("renew lease", r, err)
				n.ensureLease(0)
			default:
				n.fail("renew lease", r, err)
				n.renew(try + 1)
			}
		}})
}
