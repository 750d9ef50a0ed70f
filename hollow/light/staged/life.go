package staged

import (
	"fmt"
	"sync/atomic"

	"windtunnel/hollow"
	"windtunnel/hollow/light/behaviour"
)

const (
	// version is what templates get for Version: that of the kubelet which light nodes imitate.
	version = "v1.36.3"
	// mostTold bounds what is told of stages that fail; one that does fails for each change of each pod.
	mostTold = 100
)

// Life is what decides the life of a shard's pods: the stages of its description, or nil where it has none. failed is told of stages
// that cannot choose, the first hundred times.
func Life(config hollow.ShardConfig, failed func(error)) (behaviour.Behaviour, error) {
	if len(config.Stages) == 0 {
		return nil, nil
	}
	set, err := Read(config.Stages)
	if err != nil {
		return nil, fmt.Errorf("stages of shard %s: %w", config.Name, err)
	}
	var told atomic.Int64
	return New(set, Options{Seed: config.Seed, Version: version, Failed: func(err error) {
		if told.Add(1) <= mostTold {
			failed(err)
		}
	}}), nil
}
