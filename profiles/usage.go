package profiles

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Amount is how much of a resource a container uses: a share of what it requests, or else a quantity.
type Amount struct {
	// Share is a part of the request, 1 for all of it; 0 where Quantity counts.
	Share float64
	// Quantity is in cores or bytes.
	Quantity float64
}

// ParseAmount reads a share such as 80% or a quantity such as 250m or 64Mi.
func ParseAmount(text string) (Amount, error) {
	if number, ok := strings.CutSuffix(text, "%"); ok {
		share, err := strconv.ParseFloat(number, 64)
		if err != nil || math.IsInf(share, 0) || math.IsNaN(share) {
			return Amount{}, fmt.Errorf("%q is not a share", text)
		}
		return Amount{Share: share / 100}, nil
	}
	quantity, err := parseQuantity(text)
	return Amount{Quantity: quantity}, err
}

// Of is the amount for a container that requests so much, in cores or bytes; least for a share of no request.
func (a Amount) Of(request, least float64) float64 {
	if a.Share == 0 {
		return a.Quantity
	}
	if request == 0 {
		return least
	}
	return a.Share * request
}

// usage checks what containers use.
func (c *checker) usage(path string, h HollowNodes) {
	u := h.Usage
	if u == nil {
		return
	}
	if h.Tier == TierKubelet {
		c.problem(path, "write tier: light, or take the usage away", "nodes of tier %s serve no metrics", h.Tier)
	}
	if p := c.ControlPlane.Provider; p == ProviderKind || p == ProviderExisting {
		c.problem(path, "take it away, or write controlPlane.provider: embedded", "nodes in pods serve no metrics, and with the provider %s they are in pods", p)
	}
	c.amount(path+".cpu", u.CPU)
	c.amount(path+".memory", u.Memory)
	c.fraction(path+".swing", u.Swing)
	c.span(path+".period", u.Period)
}

// amount checks a share or quantity. Nothing is no amount: metrics-server leaves out pods with containers that use nothing.
func (c *checker) amount(path, text string) {
	switch a, err := ParseAmount(text); {
	case err != nil:
		c.problem(path, quantityHint(text)+"; or a share of the request, such as 80%", "%q is neither a share nor a quantity", text)
	case !(a.Share > 0 || a.Quantity > 0):
		c.problem(path, "", "must be more than 0, not %s", text)
	}
}
