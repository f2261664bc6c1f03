// Package balancer is the data plane of an Application Load Balancer: one Balancer per load balancer, with a node in each of its subnets.
//
// A node listens inside its own network interface and dials targets from there, so that packet filters see true addresses on both sides.
// HTTP is parsed by net/http (HTTP/1.1, and HTTP/2 on HTTPS listeners). Requests travel to targets over pooled HTTP/1.1 connections of this
// package, written and read on the goroutine that serves the client, which costs about half of what http.Transport does.
//
// Behaviour follows "User Guide for Application Load Balancers": listeners, listener rules, target groups, health checks, sticky sessions,
// HTTP headers, access logs, and "Troubleshoot your Application Load Balancers" for the status codes that the load balancer itself answers.
// One difference: a target is checked from one node (that of its zone when there is one), not from every node.
package balancer
