package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// endOrphans ends the plugins that hold a lock without a Pulumi to serve: those of a killed one notice its end only minutes later. Where there is no
// /proc, they keep that time.
func endOrphans(lock string) {
	holders := holders(lock)
	if slices.Contains(slices.Collect(maps.Values(holders)), "pulumi") {
		return
	}
	for pid, program := range holders {
		if program != "stack" { // which holds it, or waits as we do
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
}

// holders returns the other processes that have a file open, with the names of their programs.
func holders(file string) map[int]string {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil
	}
	found := map[int]string{}
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, d := range descriptors {
		if target, err := os.Readlink(d); err != nil || target != file {
			continue
		}
		process := filepath.Dir(filepath.Dir(d))
		program, err := os.Readlink(filepath.Join(process, "exe"))
		if pid, _ := strconv.Atoi(filepath.Base(process)); err == nil && pid != os.Getpid() {
			found[pid] = filepath.Base(strings.TrimSuffix(program, " (deleted)"))
		}
	}
	return found
}
