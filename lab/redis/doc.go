// Package redis runs Redis servers in the shape of ElastiCache nodes out of the system's own redis-server: TLS, access control lists, replication,
// promotion of a replica, and commands that only the service itself may use.
//
// # Data
//
// A node keeps nothing: as on ElastiCache its data is in memory, and replicas get it over the network without a file in between. A snapshot is the file
// that BGSAVE makes; a node that starts with one loads it, and the file in its directory is taken away then.
//
//	<Dir>/<node>/redis.log  the node's log
//	<Dir>/<node>/data/      where its server works, empty but for moments
//	<Dir>/.snapshots/<id>   snapshots
//
// # Secrets
//
// The configuration, which has the digests of passwords and those of the engine's own users, goes to the server on its standard input, and the TLS key
// in a file without a name (memfd): neither is on a disk or a command line. The engine's users, who control and replicate, have passwords that are
// drawn when the engine opens. Customers' passwords are known as their SHA-256 digests alone.
//
// # Replication
//
// ElastiCache's nodes talk to each other whatever customers' security groups say. So do these: a replica connects to a port of its own loopback
// interface, and the engine carries the connection to the primary inside its interface; see link.go.
//
// # Users of the machine
//
// When the daemon is root, servers run as the system's redis user (or nobody). Where that user cannot enter the directory or does not exist for the
// daemon (which is root of a user namespace), they run in a nested user namespace that maps the user to the daemon's own.
package redis
