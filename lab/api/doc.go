// Package api is the parent of the generated packages, one per AWS service. Each serves the operations that its operations.txt lists.
package api

//go:generate go -C ../internal/generate run .
