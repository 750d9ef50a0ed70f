// Package quiet keeps client-go's informers from writing to the terminal: that a watch broke and was opened again is nothing that whoever
// reads the narration of a run can do anything about, and how long a wait took tells it as well.
package quiet

import (
	"context"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// Context is a context under which client-go logs nothing.
func Context(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }
