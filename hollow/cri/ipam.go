package cri

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

var errNoAddress = errors.New("no address left in the pod CIDR")

// addresses hands out the addresses of a node's pod CIDR as the host-local CNI plugin does: the next one after the last
// that was given, so that an address is reused as late as possible; the network's own address, the first (the bridge's) and
// the last (broadcast) are kept back.
type addresses struct {
	prefix netip.Prefix
	first  netip.Addr
	final  netip.Addr
	last   netip.Addr // given most recently; invalid before the first
	taken  map[netip.Addr]struct{}
}

func newAddresses(cidrs string) (*addresses, error) {
	text, _, _ := strings.Cut(cidrs, ",")
	prefix, err := netip.ParsePrefix(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	prefix = prefix.Masked()
	if prefix.Addr().BitLen()-prefix.Bits() < 2 {
		return nil, fmt.Errorf("pod CIDR %s has no room for a pod", prefix)
	}
	first := prefix.Addr().Next().Next()
	return &addresses{prefix: prefix, first: first, final: broadcast(prefix).Prev(), taken: make(map[netip.Addr]struct{})}, nil
}

// broadcast returns the last address of a prefix.
func broadcast(prefix netip.Prefix) netip.Addr {
	raw := prefix.Addr().AsSlice()
	for bit := prefix.Bits(); bit < len(raw)*8; bit++ {
		raw[bit/8] |= 1 << (7 - bit%8)
	}
	addr, _ := netip.AddrFromSlice(raw)
	return addr
}

func (a *addresses) used() int { return len(a.taken) }

func (a *addresses) take() (netip.Addr, error) {
	next := a.first
	if a.last.IsValid() && a.last != a.final {
		next = a.last.Next()
	}
	start := next
	for {
		if _, held := a.taken[next]; !held {
			a.taken[next] = struct{}{}
			a.last = next
			return next, nil
		}
		if next == a.final {
			next = a.first
		} else {
			next = next.Next()
		}
		if next == start {
			return netip.Addr{}, fmt.Errorf("%w: %s, all %d in use", errNoAddress, a.prefix, len(a.taken))
		}
	}
}

func (a *addresses) release(addr netip.Addr) { delete(a.taken, addr) }
