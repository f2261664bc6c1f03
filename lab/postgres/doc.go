// Package postgres runs PostgreSQL clusters in the shape of Aurora PostgreSQL out of the system's own PostgreSQL: one writer, streaming
// readers, failover that loses nothing, and a master user that is no superuser.
//
// # Data
//
//	<Dir>/clusters/.template-<version>/       an initialised data directory; new clusters are copies of it, which takes a fraction of initdb's time
//	<Dir>/clusters/<cluster>/writer           symbolic link to the writer's node directory
//	<Dir>/clusters/<cluster>/promoting        exists while a promotion is under way, and names its target
//	<Dir>/clusters/<cluster>/nodes/<node>/    data directory, control socket and log of one node
//	<Dir>/clusters/<cluster>/snapshots/<id>/  physical backups
//
// # Shared storage
//
// Aurora's nodes share one storage volume: what a writer acknowledged is never lost with it, and replication does not pass the VPC. The
// package keeps both promises with stock PostgreSQL. Readers stream from the writer over its Unix socket, which network namespaces and
// security groups do not touch, and they follow the link "writer", so that a failover needs no new configuration. Their restore_command
// reads the writer's own write-ahead log directory: when the writer is killed, the reader that is promoted first replays everything that
// the writer had written, whether it had been streamed or not. Therefore the old writer can never be ahead of the new one, and rejoins as a
// reader with its own data. Before each promotion all processes of the old writer are ended.
//
// # Durability
//
// fsync is off: the operating system keeps what processes had written when they were killed, and a lab need not survive a power cut of the
// machine. full_page_writes stays on, since a killed process can tear an 8 kB page.
//
// # Users
//
// PostgreSQL refuses to run as uid 0. When the daemon is root, servers run as the system's postgres user (or nobody). Where that user
// cannot reach the data (a directory below /root) or does not exist for the daemon (which is root of a user namespace), they run in a nested user
// namespace that maps the user to the daemon's own uid. The superuser is rdsadmin, as on AWS; it is let in on the Unix socket only, which lies in
// the node's directory, where only that user and root get.
package postgres
