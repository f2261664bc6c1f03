//go:build !linux

// Command lab is the local AWS region. It needs Linux.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "lab: the lab needs Linux (network namespaces, nftables), and this is %s: run it in a Linux virtual machine, or point the stack at another endpoint (README, \"Another endpoint\")\n", runtime.GOOS)
	os.Exit(1)
}
