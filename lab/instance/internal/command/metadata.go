package command

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// known are the options of ec2-metadata that the lab answers, by the metadata they show.
var known = []struct{ short, long, path string }{
	{"-a", "--ami-id", "ami-id"}, {"-i", "--instance-id", "instance-id"}, {"-t", "--instance-type", "instance-type"}, {"-h", "--local-hostname", "local-hostname"},
	{"-o", "--local-ipv4", "local-ipv4"}, {"-z", "--availability-zone", "placement/availability-zone"}, {"-R", "--region", "placement/region"},
	{"-v", "--public-ipv4", "public-ipv4"}, {"-p", "--public-hostname", "public-hostname"}, {"-s", "--security-groups", "security-groups"}, {"-m", "--mac", "mac"},
}

// ec2Metadata prints metadata as "name: value" lines, or values alone with -q; without options everything that it knows.
func ec2Metadata(args []string) int {
	quiet := false
	var paths []string
	for _, arg := range args {
		if arg == "-q" || arg == "--quiet" {
			quiet = true
			continue
		}
		i := slices.IndexFunc(known, func(k struct{ short, long, path string }) bool { return arg == k.short || arg == k.long })
		if i < 0 {
			fmt.Fprintf(os.Stderr, "ec2-metadata: the lab does not know the option %s\n", arg)
			return 1
		}
		paths = append(paths, known[i].path)
	}
	if len(paths) == 0 {
		for _, k := range known {
			paths = append(paths, k.path)
		}
	}
	var m metadata
	for _, path := range paths {
		value, err := m.get(path)
		if err != nil {
			value = "not available"
		}
		if m.token == "" {
			fmt.Fprintln(os.Stderr, "ec2-metadata:", err)
			return 1
		}
		if !quiet {
			name := path[strings.LastIndexByte(path, '/')+1:]
			value = name + ": " + value
		}
		fmt.Println(value)
	}
	return 0
}
