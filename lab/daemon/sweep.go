//go:build linux

package daemon

import (
	"errors"
	"os"
	"path/filepath"

	"storefront/lab/dataplane"
	"storefront/lab/instance"
	"storefront/lab/network"
	"storefront/lab/postgres"
	"storefront/lab/redis"
)

func instancesDir(dir string) string { return filepath.Join(dir, "instances") }
func databasesDir(dir string) string { return filepath.Join(dir, "databases") }
func cachesDir(dir string) string    { return filepath.Join(dir, "caches") }
func objectsDir(dir string) string   { return filepath.Join(dir, "objects") }
func auditDir(dir string) string     { return filepath.Join(dir, "audit") }
func domainsDir(dir string) string   { return filepath.Join(dir, "search") }

// ConsoleFile is where the console of an instance is written, or kept for a while when the instance was terminated.
func ConsoleFile(dir, instanceID string) string {
	file := instance.ConsoleFile(filepath.Join(instancesDir(dir), instanceID))
	if _, err := os.Stat(file); err != nil {
		return dataplane.KeptConsole(instancesDir(dir), instanceID)
	}
	return file
}

// Sweep ends what a killed daemon left running in dir: exactly the processes and namespaces of that lab. It keeps the state.
func Sweep(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return errors.Join(instance.Sweep(instancesDir(dir)), postgres.Sweep(databasesDir(dir)), redis.Sweep(cachesDir(dir)), network.Sweep(dir))
}
