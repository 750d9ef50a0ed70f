// Package load sends requests to an API server and records every one of them.
//
// # Open loop
//
// A Stream's requests have planned instants that are a pure function of the profile and the seed (profiles.Picks). One
// goroutine waits for each instant and puts the pick into a queue; workers take it from there as soon as a connection of
// its identity has a free stream and fewer than MaxInFlight are under way. The queue is bounded by memory alone, so that
// nothing, a stalled server least of all, can hold up the schedule: what has to wait is sent late, and latency counted from
// the planned instant says so. Every planned instant is recorded: answered, failed, dropped because the step ended first, or
// without a target.
//
// # Closed loop
//
// A Stream can have users instead, each of whom takes a request, waits for its answer, thinks, and takes the next. Which
// requests they take, in which order, and how long each of them thinks is a pure function of the profile and the seed
// (profiles.Users); when, depends on the answers. Planned is then the instant at which a worker takes the request, so that
// latency is what the user waits for an answer: it says nothing of the requests that a slow system kept from being sent.
// Analysis marks such figures.
//
// # Connections
//
// The number of connections is fixed. Each is one TCP connection with HTTP/2 and the client certificate of one identity; it
// carries as many requests at a time as the server allows (kube-apiserver: 100), and more wait in our own queue. A connection
// is made again, in its place, only when it broke or the server said GOAWAY, and that is counted (Client.Reconnects).
//
// # Instants of a record
//
// Planned is the instant of the plan, Sent that at which the request was handed to its connection, FirstByte that at which
// the response header had arrived, Done that of the last byte, or at which the request was given up. Sent − Planned is the
// lag: the generator's own doing, or that of the limits it was given. Done − Planned is the latency that a user would see.
//
// # What is sent
//
// A verb in one of its forms on one resource is an Operation, which turns a pick into one or more Calls; a Variant says the
// query and the media types of a Call, an Encoder the form of its body. Reads ask for protobuf, offer gzip and throw the body
// away, counted; writes are JSON.
//
//	GET     one object
//	LIST    a collection, without resourceVersion or limit: a consistent read of all of it, as client-go's typed List does it
//	POST    the next instance of a template
//	PUT     read-modify-write: a GET (variant "rmw") and a PUT under its resourceVersion, planned at the instant the GET was done
//	PATCH   a merge patch of the annotation windtunnel/touched to a new value
//	DELETE  the oldest instance, with background propagation
//
// GETs of what no template made take their targets from a LIST of names at the step's begin, which is recorded under the
// variant "targets".
package load
