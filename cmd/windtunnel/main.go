// Command windtunnel is the instrument: it boots a control plane, loads it, judges it and reports.
package main

import (
	"os"

	"windtunnel/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
