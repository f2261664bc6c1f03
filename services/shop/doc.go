// Package shop is the domain of the bundled service: a catalogue of products. It holds the types, the rules they obey and the ports through
// which the service reaches the world, and imports nothing but the standard library. One package per technology beside it implements a port.
package shop
