//go:build linux && race

package main

// slow says that the race detector multiplies every time.
const slow = true
