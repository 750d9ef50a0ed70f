package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"windtunnel/results"
)

func main() {
	re := regexp.MustCompile(os.Args[2])
	for s, err := range results.Read[results.Scrape](os.Args[1] + "/series/scrapes.arrows") {
		if err != nil { fmt.Println(err); break }
		for _, l := range strings.Split(string(s.Body), "\n") {
			if re.MatchString(l) && !strings.HasPrefix(l, "#") && !strings.HasSuffix(l, " 0") {
				fmt.Println(int(s.At/1e9), s.Component, s.Phase, s.Mark, l)
			}
		}
	}
}
