package profiles

import "fmt"

// lifeCycles checks where stages come from; what they say is for those who know their language (ResolveStages).
func (c *checker) lifeCycles(path string, h HollowNodes) {
	if len(h.Stages) > 0 && h.Tier == TierKubelet {
		c.problem(path, "write tier: light, or take the stages away", "the life of pods on nodes of tier %s is the kubelet's own", h.Tier)
	}
	for i, s := range h.Stages {
		given := 0
		for _, text := range []string{s.Builtin, s.File, s.Text} {
			if text != "" {
				given++
			}
		}
		if given != 1 {
			c.problem(joinIndex(path, i), "", "needs exactly one of builtin, file and text")
		}
	}
}

// ResolveStages turns every source of a profile's stages into a text: read gives the text of a built-in life cycle or file, and
// check says what is wrong with all of them together. What read reports is shown at its place in the profile; what check reports
// is at places of the stages' own.
func ResolveStages(p *Profile, read func(StageSource) (name string, text []byte, err error), check func([]StageSource) error) error {
	if len(p.HollowNodes.Stages) == 0 {
		return nil
	}
	found := &findings{}
	c := &checker{Profile: p, found: found, places: p.places}
	texts := make([]StageSource, len(p.HollowNodes.Stages))
	for i, source := range p.HollowNodes.Stages {
		path := joinIndex("hollowNodes.stages", i)
		if texts[i] = source; source.Text != "" {
			if source.Name == "" {
				texts[i].Name = path
			}
			continue
		}
		name, text, err := read(source)
		if err != nil {
			c.problem(path, "", "%v", err)
			continue
		}
		texts[i] = StageSource{Name: name, Text: string(text)}
		if len(text) == 0 {
			c.problem(path, "", "%s is empty", name)
		}
	}
	if err := found.err(); err != nil {
		return err
	}
	if err := check(texts); err != nil {
		return fmt.Errorf("hollowNodes.stages: %w", err)
	}
	p.HollowNodes.Stages = texts
	return nil
}
