package paper

import (
	"fmt"
	"strings"
)

// reproduction is how to make the runs and the paper again.
func reproduction(in Input) []Block {
	var l Listing
	built := ""
	build := func(commit string) {
		if commit != "" && commit != built {
			built = commit
			l = append(l, "git checkout "+commit, "make build")
		}
	}
	runs, roles := in.places()
	for i, e := range in.all() {
		build(e.Run.Versions["gitCommit"])
		l = append(l, fmt.Sprintf("%s    # gives %s; here it was %s", e.command(), runs[i], e.Run.ID))
	}
	build(in.Commit)
	l = append(l, fmt.Sprintf("bin/windtunnel paper --seed %d %s --format latex --out paper", in.Seed, strings.Join(roles, " ")))
	blocks := []Block{
		para("The same seed plans the same requests; what the system answers differs from run to run. ", listing(runs), " stand for the directories that the runs name when they end."),
		l,
		para("From the same run directories the last command gives the same bytes. Every number can be made again from the raw records in them, which are Arrow files."),
	}
	if in.Commit == "" {
		blocks = append(blocks, para("The commit of the program that wrote this paper was not recorded."))
	}
	return blocks
}

// places are the words that stand for the directories of new runs, and the flags of the paper's command with them.
func (in Input) places() (runs, roles []string) {
	for _, part := range []struct {
		role string
		es   []*Experiment
	}{{"density", in.Density}, {"load", in.Load}} {
		for i := range part.es {
			word := strings.ToUpper(part.role)
			if len(part.es) > 1 {
				word += fmt.Sprintf("_%d", i+1)
			}
			runs, roles = append(runs, word), append(roles, "--"+part.role+" "+word)
		}
	}
	return runs, roles
}

// command is the command line of a run with its seed, without the directories of the machine and how its answer was printed.
func (e *Experiment) command() string {
	words, seeded := []string{"bin/windtunnel"}, false
	for i := 1; i < len(e.Run.Command); i++ {
		arg := e.Run.Command[i]
		switch {
		case arg == "-o" || arg == "--output" || arg == "--results":
			i++
			continue
		case strings.HasPrefix(arg, "--output=") || strings.HasPrefix(arg, "--results="):
			continue
		case strings.HasPrefix(arg, "/"):
			arg = arg[strings.LastIndex(arg, "/")+1:]
		}
		seeded = seeded || arg == "--seed" || strings.HasPrefix(arg, "--seed=")
		words = append(words, shellWord(arg))
	}
	if len(words) == 1 {
		words = append(words, "run", shellWord(e.Run.Name))
	}
	if !seeded {
		words = append(words, fmt.Sprintf("--seed %d", e.Run.Seed))
	}
	return strings.Join(words, " ")
}

// shellWord quotes an argument where a shell would not take it as it is.
func shellWord(arg string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,@%+", r)
	}
	if arg != "" && strings.IndexFunc(arg, func(r rune) bool { return !plain(r) }) < 0 {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
