// Package fidelity says how much nodes behave towards the API server like other nodes. A run with an audit log becomes a
// Recording: what its nodes sent in each stage of their lives, how often, how large and in which order, which watches they held
// open, and how long everybody's requests took. Two recordings are compared row by row, with the tolerances of tolerances.yaml.
// A recording is small, and can be kept as a reference; docs/fidelity.md is its documentation.
package fidelity
