package api

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"windtunnel/hollow/light/h2"
	"windtunnel/hollow/light/loop"
)

// refuser answers every request so, and counts them.
type refuser struct {
	response       h2.Response
	watches, lists int
}

func (r *refuser) Close() {}

func (r *refuser) Do(request *h2.Request) {
	if strings.Contains(request.Path, "watch=true") {
		r.watches++
	} else {
		r.lists++
	}
	time.AfterFunc(time.Millisecond, func() { request.Done(r.response, nil) })
}

// TestRefusedWatches: a watch that the server refuses is tried after as long as that asks for, ten times, before it falls back to a list;
// one that is refused without a time falls back at once.
func TestRefusedWatches(t *testing.T) {
	for _, c := range []struct {
		response       h2.Response
		watches, lists int // within 21 s
	}{
		{h2.Response{Status: http.StatusTooManyRequests, RetryAfter: 2}, 11, 1},
		{h2.Response{Status: http.StatusForbidden, RetryAfter: 2}, 5, 5},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l, server := loop.New(), &refuser{response: c.response}
			var running sync.WaitGroup
			running.Go(func() { l.Run(ctx) })
			l.Post((&Watch{Client: server, Loop: l, Path: "/api/v1/pods"}).Start)
			time.Sleep(21 * time.Second)
			cancel()
			running.Wait()
			if server.lists < c.lists-1 || server.lists > c.lists+1 || server.watches < c.watches-1 || server.watches > c.watches+1 {
				t.Errorf("%d: %d watches and %d lists, want about %d and %d", c.response.Status, server.watches, server.lists, c.watches, c.lists)
			}
		})
	}
}
