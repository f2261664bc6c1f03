// Package imds is the instance metadata service, versions 1 and 2, as the EC2 User Guide describes it ("Use instance metadata to manage your EC2 instance").
// A Handler answers for one instance; the daemon serves it at 169.254.169.254:80 inside the instance's network namespace, so nobody else can reach it.
package imds
