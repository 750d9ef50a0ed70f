package hollow

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	// defaultEphemeralStorage is the size of a node's only filesystem where the profile does not say.
	defaultEphemeralStorage = 100 << 30
	hugePages               = "hugepages-"
)

// Capacity is a node's capacity as the kubelet learns it from different places.
type Capacity struct {
	// Cores is the number of CPUs.
	Cores int
	// Memory and EphemeralStorage are in bytes.
	Memory, EphemeralStorage int64
	// HugePages maps page size to the number of pages, both in bytes and pages.
	HugePages map[int64]int64
	// Extended are all other resources, as a device plugin would report them.
	Extended map[string]resource.Quantity
}

// ParseCapacity reads a capacity by resource name: cpu (whole cores), memory, ephemeral-storage (default 100Gi), hugepages-SIZE
// and extended resources, which have a domain in their name. The number of pods is not part of it. It reports every problem.
func ParseCapacity(quantities map[string]string) (Capacity, error) {
	c := Capacity{
		EphemeralStorage: defaultEphemeralStorage,
		HugePages:        make(map[int64]int64),
		Extended:         make(map[string]resource.Quantity),
	}
	var problems []error
	for name, text := range quantities {
		if err := c.set(name, text); err != nil {
			problems = append(problems, fmt.Errorf("capacity %s: %q: %w", name, text, err))
		}
	}
	for _, name := range []string{"cpu", "memory"} {
		if _, ok := quantities[name]; !ok {
			problems = append(problems, fmt.Errorf("capacity has no %s", name))
		}
	}
	return c, errors.Join(problems...)
}

func (c *Capacity) set(name, text string) error {
	quantity, err := resource.ParseQuantity(text)
	if err != nil {
		return err
	}
	if quantity.Sign() < 0 {
		return errors.New("less than 0")
	}
	switch {
	case name == "cpu":
		if quantity.MilliValue()%1000 != 0 || quantity.Sign() == 0 {
			return errors.New("not a whole number of cores, at least 1")
		}
		c.Cores = int(quantity.Value())
	case name == "memory":
		if quantity.Sign() == 0 {
			return errors.New("no memory at all")
		}
		c.Memory = quantity.Value()
	case name == "ephemeral-storage":
		c.EphemeralStorage = quantity.Value()
	case strings.HasPrefix(name, hugePages):
		size, err := resource.ParseQuantity(strings.TrimPrefix(name, hugePages))
		if err != nil || size.Value() < 1<<10 {
			return errors.New("the name has no page size, as in hugepages-2Mi")
		}
		if quantity.Value()%size.Value() != 0 {
			return errors.New("not a whole number of pages")
		}
		c.HugePages[size.Value()] = quantity.Value() / size.Value()
	case strings.Contains(name, "/"):
		if quantity.MilliValue()%1000 != 0 {
			return errors.New("not a whole number")
		}
		c.Extended[name] = quantity
	default:
		return errors.New("a kubelet has no such resource: cpu, memory, ephemeral-storage, hugepages-SIZE or DOMAIN/NAME")
	}
	return nil
}
