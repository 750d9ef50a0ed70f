// Package ipam hands out the addresses of a node's pods.
package ipam

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// ErrNoAddress says that all addresses are given.
var ErrNoAddress = errors.New("no address left in the pod CIDR")

// Addresses hands out the addresses of a node's pod CIDR as the host-local CNI plugin does: the next one after the last
// that was given, so that an address is reused as late as possible; the network's own address, the first (the bridge's) and
// the last (broadcast) are kept back.
type Addresses struct {
	prefix netip.Prefix
	first  netip.Addr
	final  netip.Addr
	last   netip.Addr // given most recently; invalid before the first
	taken  map[netip.Addr]struct{}
}

// New returns the addresses of the first of the CIDRs, which are separated by commas.
func New(cidrs string) (*Addresses, error) {
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
	return &Addresses{prefix: prefix, first: first, final: broadcast(prefix).Prev(), taken: make(map[netip.Addr]struct{})}, nil
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

// Prefix is the CIDR.
func (a *Addresses) Prefix() netip.Prefix { return a.prefix }

// Used is how many addresses are given.
func (a *Addresses) Used() int { return len(a.taken) }

// Take gives an address, or fails with ErrNoAddress.
func (a *Addresses) Take() (netip.Addr, error) {
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
			return netip.Addr{}, fmt.Errorf("%w: %s, all %d in use", ErrNoAddress, a.prefix, len(a.taken))
		}
	}
}

// Release takes an address back.
func (a *Addresses) Release(addr netip.Addr) { delete(a.taken, addr) }
