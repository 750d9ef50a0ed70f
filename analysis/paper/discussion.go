package paper

import (
	"fmt"
	"strings"

	"windtunnel/results"
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
	for _, f := range findings {
		blocks = append(blocks, findingDiscussion(f))
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
	return para(fmt.Sprintf("Of the calls on pods in %s, %s has the lowest p90, %s ms, and %s the highest, %s ms. %s",
		e.Name, e.label(low.call), withInterval(&low.Bounds, milliseconds), e.label(high.call), withInterval(&high.Bounds, milliseconds), apart))
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
		case a.Low == nil || a.High == nil || b.Low == nil || b.High == nil:
		case *b.Low > *a.High:
			slower = append(slower, said)
		case *b.High < *a.Low:
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
	return []Block{para("From ", d.Name, " to ", l.Name, ", p90 of calls on pods is higher beyond both intervals for ", say(slower), "; lower for ", say(faster), "; not told apart for ", say(same), ". These are two runs with different loads, and what differs between them is not only the test.")}
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
	return []Block{para(fmt.Sprintf("In %s all processes together took %s of the machine's CPU time; %s took most of it, %s of the CPU time of all.",
		e.Name, percent(sum/length/cores), most.Name, percent(most.CPUSeconds/sum)))}
}

func findingDiscussion(f Finding) Block {
	rows := func(j Judgement) string {
		var said []string
		for _, r := range f.Rows {
			if r.Result == j {
				format := number
				if f.Share {
					format = percent
				}
				what := r.Run + ", " + r.What
				if r.Measured != nil {
					what += ": " + withInterval(r.Measured, format)
				}
				said = append(said, what)
			}
		}
		return strings.Join(said, "; ")
	}
	p := para("“", f.Claim, "” ", strong(sentence(f.Result)), " ")
	if s := rows(Holds); s != "" && f.Result != Holds {
		p = append(p, para("It holds for ", s, ". ")...)
	}
	if s := rows(Fails); s != "" {
		p = append(p, para("It does not for ", s, ". ")...)
	}
	if s := rows(Undecided); s != "" {
		p = append(p, para("Not decided: ", s, ". ")...)
	}
	return p
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

// threats are what may be wrong: what the runs' own checks and notes say, what hollow nodes cannot show, and what one run each
// cannot.
func threats(in Input) []Block {
	var runs List
	for _, e := range in.all() {
		runs = append(runs, e.threats()...)
	}
	blocks := []Block{}
	if len(runs) == 0 {
		blocks = append(blocks, para("All checks of all runs passed, all records could be read, and no run has notes."))
	} else {
		blocks = append(blocks, para("What the runs say of themselves:"), runs)
	}
	return append(blocks, para("What holds for all of them:"), List{
		para(strong("One machine."), " Users, control plane and nodes share one machine's cores, so that what the machine cannot carry shows as latency. Network between them is a loopback: latencies have no network in them, and no packet is lost."),
		para(strong("Few runs."), " ", replicates(in)),
		para(strong("Dependent requests."), " Requests of one run are not independent of each other. The intervals of quantiles are widened by what their autocorrelation shows, which is an estimate; those of ratios are by blocks. Dependence over times as long as the run cannot be seen in it. The planned rate may change with time; blocks of different rates are drawn as equals."),
		para(strong("Hollow nodes."), " No container runs, no image is pulled, no network is programmed; a container starts after a time that the profile sets. The kubelets send no events about containers and no probes run. Nothing about DNS, network programming or throughput is shown. What is real are the calls, the watches and the work of the control plane."),
		para(strong("Two populations."), " The server's histogram is about all callers and the users' figures are about the users, so that the two columns of a table differ in what they count as well as in where."),
		para(strong("The definitions."), " The source does not say how it reads its clocks, in what order its users ask, or how many runs its figures come from. Same definition does not mean same experiment: versions, machine and mix differ."),
	})
}

func replicates(in Input) string {
	if len(in.Density) <= 1 && len(in.Load) <= 1 {
		return "Each test was run once. The run is the unit of replication: intervals describe what these runs were, not what the next will be, and a difference between two of them is no effect yet."
	}
	return fmt.Sprintf("There are %s and %s. The run is the unit of replication: intervals describe what each run was, not what the next will be.", plural(len(in.Density), "density run"), plural(len(in.Load), "load run"))
}

// threats of one run.
func (e *Experiment) threats() List {
	var l List
	for _, c := range e.Summary.Validity.Checks {
		if c.Verdict != results.Pass {
			l = append(l, para(strong(e.Name), ", check ", code(c.Name), " ", string(c.Verdict), ": ", c.Text))
		}
	}
	for _, d := range e.Summary.Damage {
		l = append(l, para(strong(e.Name), ", damaged: ", d))
	}
	for _, n := range e.Summary.Notes {
		l = append(l, para(strong(e.Name), ", note: ", n))
	}
	var failed, sent int64
	for _, s := range e.Calls {
		sent += s.sent()
		failed += s.sent() - int64(len(s.answers()))
	}
	if failed > 0 {
		l = append(l, para(strong(e.Name), fmt.Sprintf(": %d of %d requests got no answer with a 2xx code and are in no latency.", failed, sent)))
	}
	small := 0
	for c := range e.Calls {
		if e.bounds(c, 0.99) == nil {
			small++
		}
	}
	if small > 0 {
		l = append(l, para(strong(e.Name), fmt.Sprintf(": %d of %d kinds of calls have too few answers for a 99th percentile, which is not shown.", small, len(e.Calls))))
	}
	return l
}

// reproduction is how to make the runs and the paper again.
func reproduction(in Input) []Block {
	var l Listing
	seen := map[string]bool{}
	for _, e := range in.all() {
		if c := e.Run.Versions["gitCommit"]; c != "" && !seen[c] {
			seen[c] = true
			l = append(l, "git checkout "+c)
		}
	}
	l = append(l, "make build")
	var roles []string
	for _, e := range in.all() {
		l = append(l, fmt.Sprintf("%s    # seed %d: %s", e.command(), e.Run.Seed, e.Run.ID))
	}
	for _, e := range in.Density {
		roles = append(roles, "--density results/runs/"+e.Run.ID)
	}
	for _, e := range in.Load {
		roles = append(roles, "--load results/runs/"+e.Run.ID)
	}
	l = append(l, fmt.Sprintf("bin/windtunnel paper --seed %d %s --format latex --out paper", in.Seed, strings.Join(roles, " ")))
	return []Block{
		para("The same seed plans the same requests; what the system answers differs from run to run. From the same run directories the last command gives the same bytes."),
		l,
		para("Every number can be made again from the raw records in the run directories, which are Arrow files."),
	}
}

// command is the command line of a run, without what is only this machine's.
func (e *Experiment) command() string {
	words := []string{"bin/windtunnel"}
	for i, arg := range e.Run.Command {
		if i == 0 {
			continue
		}
		if strings.HasPrefix(arg, "/") {
			arg = arg[strings.LastIndex(arg, "/")+1:]
		}
		words = append(words, arg)
	}
	if len(words) == 1 {
		words = append(words, "run", e.Run.Name)
	}
	return strings.Join(words, " ")
}
