package command

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// programs are the packages whose program may be on the lab's host already; installing one succeeds when it is.
var programs = map[string]string{
	"amazon-cloudwatch-agent": "amazon-cloudwatch-agent", "awscli": "aws", "awscli-2": "aws", "aws-cli": "aws", "bash": "bash", "bind-utils": "dig", "bzip2": "bzip2",
	"ca-certificates": "sh", "coreutils": "ls", "cronie": "crond", "curl": "curl", "curl-minimal": "curl", "diffutils": "diff", "docker": "docker", "ec2-utils": "ec2-metadata",
	"findutils": "find", "gawk": "awk", "git": "git", "golang": "go", "grep": "grep", "gzip": "gzip", "haproxy": "haproxy", "hostname": "hostname", "httpd": "httpd",
	"iproute": "ip", "iputils": "ping", "java-17-amazon-corretto-headless": "java", "jq": "jq", "less": "less", "lsof": "lsof", "make": "make", "nc": "nc", "nginx": "nginx",
	"nmap-ncat": "ncat", "nodejs": "node", "openssl": "openssl", "perl": "perl", "postgresql15": "psql", "postgresql16": "psql", "postgresql17": "psql",
	"procps-ng": "ps", "python3": "python3", "redis6": "redis-cli", "rsync": "rsync", "sed": "sed", "shadow-utils": "useradd", "socat": "socat", "strace": "strace",
	"sudo": "sudo", "systemd": "systemctl", "tar": "tar", "unzip": "unzip", "util-linux": "mount", "vim-enhanced": "vim", "wget": "wget", "xz": "xz", "zip": "zip",
}

// dnf "installs" what is on the machine already: a machine of the lab takes its programs from the host and reaches no package repository.
func dnf(args []string) int {
	var words []string
	for _, a := range args {
		switch {
		case slices.Contains([]string{"-y", "-q", "--assumeyes", "--quiet", "--allowerasing", "--nobest", "--refresh", "--best", "-d1"}, a),
			strings.HasPrefix(a, "--setopt="), strings.HasPrefix(a, "--releasever="):
		case strings.HasPrefix(a, "-"):
			fmt.Fprintf(os.Stderr, "dnf: the lab does not know the option %s\n", a)
			return 1
		default:
			words = append(words, a)
		}
	}
	if len(words) == 0 {
		fmt.Fprintln(os.Stderr, "dnf: the lab knows install, update, upgrade, upgrade-minimal, makecache and clean")
		return 1
	}
	switch words[0] {
	case "install":
		return install(words[1:])
	case "update", "upgrade", "upgrade-minimal", "check-update", "makecache", "clean":
		if len(words) > 1 && words[0] != "clean" {
			return install(words[1:])
		}
		fmt.Println("Nothing to do.\nComplete!")
		return 0
	}
	fmt.Fprintf(os.Stderr, "dnf: the lab does not know the command %s; it knows install, update, upgrade, upgrade-minimal, makecache and clean\n", words[0])
	return 1
}

// install succeeds when the program of every package is there.
func install(packages []string) int {
	var missing []string
	for _, p := range packages {
		program, known := programs[p]
		if known {
			_, err := exec.LookPath(program)
			known = err == nil
		}
		if !known {
			missing = append(missing, p)
			continue
		}
		fmt.Printf("Package %s is already installed.\n", p)
	}
	if len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "Error: Unable to find a match: %s\n(the lab's machines have the programs of the host they run on, and no package repository: install the program on the host, or bring it as an artifact)\n",
			strings.Join(missing, " "))
		return 1
	}
	fmt.Println("Nothing to do.\nComplete!")
	return 0
}
