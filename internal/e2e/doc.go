// Package e2e tests windtunnel from outside, as its users and their accidents meet it: the real binaries, a real control
// plane, real kubelet code, interrupts, kills and full disks. The Makefile builds the binaries and names them in WINDTUNNEL
// and WINDTUNNEL_KUBE.
package e2e
