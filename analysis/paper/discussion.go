package paper

import (
	"fmt"
	"strings"
)

// discussion says what the data say, and nothing that they do not.
func discussion(in Input, findings []Finding) []Block {
	var blocks []Block
	if len(in.Density) > 0 {
		blocks = append(blocks, startupDiscussion(in.Density[0])...)
	}
	for _, e := range in.all() {
		if p := verbDiscussion(e); p != nil {
			blocks = append(blocks, p)
		}
	}
	if len(in.Density) > 0 && len(in.Load) > 0 {
		blocks = append(blocks, betweenTests(in.Density[0], in.Load[0])...)
	}
	for _, e := range in.all() {
		blocks = append(blocks, costDiscussion(e)...)
	}
	for i, f := range findings {
		blocks = append(blocks, findingDiscussion(f, "5"+letter(i)))
	}
	return blocks
}

// startupDiscussion names the stage that takes most of the start-up, for the typical pod and for the slow ones.
func startupDiscussion(e *Experiment) []Block {
	bars := e.startupBars()
	half, ok := bar(bars, 0.5)
	most, ok2 := bar(bars, 0.99)
	if !ok || !ok2 {
		return nil
	}
	return []Block{para(fmt.Sprintf("The longest stage of a pod's start-up in %s is %s of the pods around the median (n = %d), and %s of those around p99 (n = %d). p99 of the total is %s times its median.",
		e.Name, half.longest(), half.N, most.longest(), most.N, number(most.Total.Value/half.Total.Value)))}
}

// longest names the longest stage of the pods around a quantile, with its share of their time.
func (b StartupBar) longest() string {
	names, longest, sum := stageNames(), 0, 0.0
	for i, s := range b.Around {
		sum += s
		if s > b.Around[longest] {
			longest = i
		}
	}
	return fmt.Sprintf("%s, with %.0f %% of the %s s", names[longest], 100*b.Around[longest]/sum, number(sum))
}

// verbDiscussion names the fastest and the slowest call on pods, and whether their intervals keep them apart.
func verbDiscussion(e *Experiment) Block {
	low, high, ok := e.extremes(onPods, 0.9)
	if !ok {
		return nil
	}
	apart := "Their intervals overlap, so that this order may be chance."
	if low.High != nil && high.Low != nil && *low.High < *high.Low {
		apart = "Their intervals do not overlap."
	}
	return para(fmt.Sprintf("Of the requests on pods in %s, %s has the lowest p90, %s, and %s the highest, %s. %s",
		e.Name, e.label(low.call), inText(&low.Bounds, milliseconds, " ms"), e.label(high.call), inText(&high.Bounds, milliseconds, " ms"), apart))
}

// betweenTests names the calls on pods whose p90 differs between density and load beyond their intervals.
func betweenTests(d, l *Experiment) []Block {
	var slower, faster, same []string
	for _, c := range d.calls(onPods) {
		a, b := d.bounds(c, 0.9), l.bounds(c, 0.9)
		if a == nil || b == nil {
			continue
		}
		said := fmt.Sprintf("%s (%s → %s ms)", d.label(c), milliseconds(a.Value), milliseconds(b.Value))
		switch {
		case b.Low != nil && a.High != nil && *b.Low > *a.High:
			slower = append(slower, said)
		case b.High != nil && a.Low != nil && *b.High < *a.Low:
			faster = append(faster, said)
		default:
			same = append(same, said)
		}
	}
	if len(slower)+len(faster)+len(same) == 0 {
		return nil
	}
	say := func(words []string) string {
		if len(words) == 0 {
			return "none"
		}
		return strings.Join(words, ", ")
	}
	return []Block{para("From ", d.Name, " to ", l.Name, ", p90 of requests on pods is higher beyond both intervals for ", say(slower), "; lower for ", say(faster), "; not told apart for ", say(same), ". These are two runs with different loads, and more differs between them than the test.")}
}

// costDiscussion says what share of the machine's CPU time each component took in the measured phases.
func costDiscussion(e *Experiment) []Block {
	length, cores := e.measuredSeconds(), float64(e.Run.Machine.Cores)
	if length <= 0 || cores <= 0 || len(e.Summary.Components) == 0 {
		return nil
	}
	sum := 0.0
	most := e.Summary.Components[0]
	for _, c := range e.Summary.Components {
		sum += c.CPUSeconds
		if c.CPUSeconds > most.CPUSeconds {
			most = c
		}
	}
	if sum <= 0 {
		return nil
	}
	return []Block{para(fmt.Sprintf("In %s all processes together took %s of the machine's CPU time; %s took the largest part, %s of that.",
		e.Name, percent(sum/length/cores), most.Name, percent(most.CPUSeconds/sum)))}
}

// findingDiscussion says in which rows a claim holds and in which it does not.
func findingDiscussion(f Finding, no string) Block {
	p := para("“", f.Claim, "” ", strong(sentence(f.Result)))
	for _, group := range []struct {
		of   Judgement
		text string
	}{{Holds, " It holds for "}, {Fails, " It does not hold for "}, {Undecided, " It is not decided for "}, {NoData, " There are too few data for "}} {
		if said := f.rows(group.of); said != "" {
			p = append(p, para(group.text, said, ".")...)
		}
	}
	if len(f.Rows) == 0 {
		return p
	}
	if f.apart() {
		p = append(p, para(" That is outside of the peaks; over all stages together the claim ", verdictPhrase(overall(f.whole())), ".")...)
	}
	return append(p, para(" The figures are in ", table(no), ".")...)
}

// rows names the rows with a judgement by run, and the range of their figures; empty when there are none.
func (f Finding) rows(j Judgement) string {
	var runs []string
	of := map[string][]string{} // by run
	var least, most float64
	measured := 0
	for _, r := range f.Rows {
		if r.Result != j {
			continue
		}
		if of[r.Run] == nil {
			runs = append(runs, r.Run)
		}
		of[r.Run] = append(of[r.Run], r.What)
		if r.Measured == nil {
			continue
		}
		if v := r.Measured.Value; measured == 0 {
			least, most = v, v
		} else {
			least, most = min(least, v), max(most, v)
		}
		measured++
	}
	for i, run := range runs {
		runs[i] = listing(of[run]) + " in " + run
	}
	said := strings.Join(runs, "; ")
	format := number
	if f.Share {
		format = percent
	}
	switch {
	case measured == 1:
		said += " (" + format(least) + ")"
	case measured > 1:
		said += " (" + format(least) + " to " + format(most) + ")"
	}
	return said
}

// sentence is a judgement as a sentence.
func sentence(j Judgement) string {
	switch j {
	case Holds:
		return "This holds."
	case Fails:
		return "This does not hold."
	case InPart:
		return "This holds in part."
	case NoData:
		return "This could not be tested."
	}
	return "This is not decided by these data."
}
