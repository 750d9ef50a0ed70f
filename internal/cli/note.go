package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windtunnel/analysis/render"
	"windtunnel/results"
)

func (a *app) noteCommand() *cobra.Command {
	var conclusion bool
	cmd := &cobra.Command{
		Use:   "note RUN [TEXT…]",
		Short: "Attach a note or a conclusion to a run; without a text, print those that it has",
		Example: `  windtunnel note results/runs/RUN the disk was busy with a backup
  windtunnel note --conclusion results/runs/RUN "50 pods a node is the most that it holds"`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := results.Open(args[0])
			if err != nil {
				return usageError{err}
			}
			if len(args) > 1 {
				if err := dir.AddNote(strings.Join(args[1:], " "), conclusion, time.Now()); err != nil {
					return usageError{err}
				}
				return nil
			}
			notes, err := dir.Notes()
			if err != nil {
				fmt.Fprintf(a.err, "windtunnel: warning: %v\n", err)
			}
			return render.NotesText(a.out, notes)
		},
	}
	cmd.Flags().BoolVar(&conclusion, "conclusion", false, "the text is what the run showed; list shows the last conclusion")
	return cmd
}
