// Package walk carries an object through a life cycle without a cluster: it plays the part of the API server (patches, deletion,
// finalizers) and of a clock that jumps from one transition to the next, so that a life can be written down and compared.
package walk
