package run

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestHurried: an interrupted script leaves a restart a while and not all its time; one that is not leaves it all.
func TestHurried(t *testing.T) {
	interrupted := errors.New("interrupted")
	other, interrupt := context.WithCancelCause(t.Context())
	ctx, cancel := hurried(t.Context(), other, 50*time.Millisecond)
	defer cancel()
	if pause(ctx, 100*time.Millisecond) != nil {
		t.Fatal("it ended before the other")
	}
	interrupt(interrupted)
	if ctx.Err() != nil {
		t.Error("it ended with the other, without the while that it has")
	}
	if err := pause(ctx, 10*time.Second); err == nil || !errors.Is(context.Cause(ctx), interrupted) {
		t.Errorf("10 s after the other: %v, %v", err, context.Cause(ctx))
	}
}
