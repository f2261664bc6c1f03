//go:build linux && !race

package main

// slow says that nothing multiplies the time that a start takes.
const slow = false
