// Package instance runs EC2 instances: each is a machine of its own in PID, mount, UTS and IPC namespaces, inside a network namespace that lab/network made.
// It boots as Amazon Linux 2023 would (cloud-init runs user-data once, systemd starts enabled services) on the host's programs: /usr is the host's, read-only
// below a layer of the machine's own, and nothing else of the host is visible.
//
// What a machine of the lab does not have: a kernel of its own, control groups (so no memory limit, and MemoryMax= and the like are accepted and said to have no
// effect), a package repository, and logins. Its root user has no capability that acts on the host.
package instance
