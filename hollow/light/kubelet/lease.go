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

// syncLease renews the Lease once: as it was answered last, and when that has failed as the server has it. What fails then waits for the
// next period.
func (n *node) syncLease() {
	if n.lease == nil {
		n.ensureLease(0, n.renewFound)
		return
	}
	n.renew(0, func(renewed bool) {
		if renewed {
			n.syncLater()
			return
		}
		n.ensureLease(0, n.renewFound)
	})
}

// renewFound renews a Lease that was found; one that has just been made is new.
func (n *node) renewFound(made bool) {
	if made || n.lease == nil {
		n.syncLater()
		return
	}
	n.renew(0, func(bool) { n.syncLater() })
}

func (n *node) syncLater() {
	n.loop.After(api.Jitter(api.LeaseEvery, api.LeaseJitter), n.syncLease)
}

// ensureLease finds the Lease or makes it, however often that takes, and then calls found. try counts the failures so far.
func (n *node) ensureLease(try int, found func(made bool)) {
	n.heartbeat(api.Call{Method: http.MethodGet, Path: api.LeasePath + "/" + n.Name, Done: func(r h2.Response, err error) {
		switch {
		case ok(r, err):
			n.keepLease(r)
			found(false)
		case r.Status == http.StatusNotFound:
			n.makeLease(try, found)
		default:
			n.ensureLater(try, found)
		}
	}})
}

// ensureLater looks for the Lease again after a while.
func (n *node) ensureLater(try int, found func(made bool)) {
	n.loop.After(min(leaseStep<<min(try+1, 10), leaseBackoff), func() { n.ensureLease(try+1, found) })
}

// makeLease makes the Lease, which the Node owns. While there is no Node there is none.
func (n *node) makeLease(try int, found func(made bool)) {
	n.get(n.path(), func(r h2.Response, err error) {
		uid, there := answeredUID(r, err)
		if !there {
			n.lease = nil
			found(false)
			return
		}
		n.heartbeat(api.Call{Method: http.MethodPost, Path: api.LeasePath, ContentType: wire.Protobuf, Body: api.NewLease(n.Name, uid, n.now()),
			Done: func(r h2.Response, err error) {
				if !ok(r, err) {
					n.ensureLater(try, found)
					return
				}
				n.keepLease(r)
				n.renewed = n.shard.Renewed(n.renewed, time.Now())
				found(true)
			}})
	})
}

// keepLease keeps the metadata of the Lease that was answered, which the next renewal sends back.
func (n *node) keepLease(r h2.Response) {
	if meta, err := api.AnswerMeta(r.Body); err == nil {
		n.lease = append(n.lease[:0], meta.Raw...)
	}
}

// renew renews the Lease as it is known, trying it at once as often as the controller does. After a conflict it is read first.
func (n *node) renew(try int, over func(renewed bool)) {
	if try == leaseTries {
		over(false)
		return
	}
	n.heartbeat(api.Call{Method: http.MethodPut, Path: api.LeasePath + "/" + n.Name, ContentType: wire.Protobuf,
		Body: api.RenewedLease(n.lease, n.Name, n.now()),
		Done: func(r h2.Response, err error) {
			if ok(r, err) {
				n.keepLease(r)
				n.renewed = n.shard.Renewed(n.renewed, time.Now())
				over(true)
				return
			}
			n.fail("renew lease", r, err)
			if r.Status == http.StatusConflict {
				n.ensureLease(0, func(bool) { n.renew(try+1, over) })
				return
			}
			n.renew(try+1, over)
		}})
}
