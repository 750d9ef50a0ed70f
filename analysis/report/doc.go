// Package report makes the page of a run: one HTML file that needs no network, with the verdict first, a picture and the
// table behind it for every figure, and everything that is needed to run it again. It draws a Study and reads nothing itself.
package report
