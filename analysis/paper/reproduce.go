package paper

import (
	"fmt"
	"strings"
)

// reproduction is how to make the runs and the paper again.
func reproduction(in Input) []Block {
	var l Listing
	var roles []string
	commit := ""
	for _, e := range in.all() {
		if c := e.Run.Versions["gitCommit"]; c != "" && c != commit {
			commit = c
			l = append(l, "git checkout "+c+" && make build")
		}
		l = append(l, fmt.Sprintf("%s    # gave %s", e.command(), e.Run.ID))
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
