// Package shop is the domain of the bundled service: a catalogue of products, the orders for them and their summaries. It holds the types, the
// rules they obey and the ports through which the service reaches the world, and imports nothing but the standard library. One package per
// technology beside it implements a port.
//
// An order travels so: an Intake fixes its prices and sends it to the Queue; a worker takes it from the Inbox and applies it to the Ledger in one
// transaction; the Outbox of that ledger feeds the Index of summaries.
package shop
