// Package dataplane makes the machine match what the services of the lab have declared. Each reconciler watches the state of its service,
// computes what should run, converges, and writes back what became true. None of them is told of single changes: after a crash the same code
// that follows changes builds everything again.
package dataplane
