package main

import (
	"fmt"
	"os"
	"sort"
	"windtunnel/results"
)

func main() {
	dir := os.Args[1]
	type key struct{ c string; s int }
	last := map[string]results.ProcessSample{}
	cpu := map[key]float64{}
	comps := map[string]bool{}
	maxS := 0
	for p, err := range results.Read[results.ProcessSample](dir + "/series/processes.arrows") {
		if err != nil { fmt.Println(err) ; break}
		s := int(p.At / 1e9)
		if l, ok := last[p.Component]; ok {
			cpu[key{p.Component, s / 5}] += p.CPUSeconds - l.CPUSeconds
		}
		last[p.Component] = p
		comps[p.Component] = true
		maxS = max(maxS, s/5)
	}
	ev := map[key]int{}
	evs := map[string]bool{}
	for _, f := range []string{"pods", "hollow-0"} {
		for p, err := range results.Read[results.PodEvent](dir + "/samples/" + f + ".arrows") {
			if err != nil { fmt.Println(err); break }
			k := p.Source + "/" + p.Event
			if p.Source == "watch" && p.Object != "web" { continue }
			ev[key{k, int(p.At/1e9) / 5}]++
			evs[k] = true
		}
	}
	var cs, es []string
	for c := range comps { cs = append(cs, c) }
	for e := range evs { es = append(es, e) }
	sort.Strings(cs); sort.Strings(es)
	fmt.Println("t", cs, es)
	for s := 0; s <= maxS; s++ {
		fmt.Printf("%4d ", s*5)
		t := 0.0
		for _, c := range cs { fmt.Printf(" %5.2f", cpu[key{c, s}]/5); t += cpu[key{c, s}] / 5 }
		fmt.Printf(" = %4.2f |", t)
		for _, e := range es { fmt.Printf(" %5d", ev[key{e, s}]) }
		fmt.Println()
	}
}
