package main

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"extra"}, {"product", "extra"}, {"order", "order"}} {
		if err := run(t.Context(), args, func(string) string { return "" }); !errors.Is(err, errUsage) {
			t.Errorf("%v: got %v, want a usage error", args, err)
		}
	}
}

// every names all variables that a role can require.
var every = []string{"SHOP_LISTEN", "SHOP_LOG_LEVEL", "SHOP_DB_WRITER", "SHOP_DB_READER", "SHOP_DB_SECRET_ARN", "SHOP_DB_CA",
	"SHOP_CACHE", "SHOP_CACHE_SECRET_ARN", "SHOP_QUEUE_URL", "SHOP_ORDER_SECRET_ARN", "SHOP_SEARCH"}

func TestConfigNamesEveryMistake(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bad, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"SHOP_LISTEN": "8080", "SHOP_DB_WRITER": "host", "SHOP_DB_CA": bad, "SHOP_LOG_LEVEL": "loud", "SHOP_QUEUE_URL": "orders", "SHOP_SEARCH": "ftp://x"}
	_, err := readConfig(roles{product: true, order: true, summary: true}, func(k string) string { return env[k] })
	for _, key := range every {
		if err == nil || !strings.Contains(err.Error(), key+" ") {
			t.Errorf("%s is not named in %v", key, err)
		}
	}
}

func TestConfigOfRoles(t *testing.T) {
	database := map[string]string{"SHOP_DB_WRITER": "w:5432", "SHOP_DB_SECRET_ARN": "arn"}
	for _, c := range []struct {
		args []string
		env  map[string]string
	}{
		{[]string{"product"}, map[string]string{"SHOP_DB_READER": "r:5432"}},
		{[]string{"product"}, map[string]string{"SHOP_DB_READER": "r:5432", "SHOP_CACHE": "c:6379", "SHOP_CACHE_SECRET_ARN": "arn"}},
		{[]string{"order"}, map[string]string{"SHOP_DB_READER": "r:5432", "SHOP_CACHE": "c:6379", "SHOP_CACHE_SECRET_ARN": "arn", "SHOP_QUEUE_URL": "https://q/1/orders", "SHOP_ORDER_SECRET_ARN": "arn"}},
		{[]string{"summary"}, map[string]string{"SHOP_QUEUE_URL": "https://q/1/orders", "SHOP_SEARCH": "https://s"}},
	} {
		r, err := readRoles(c.args)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(c.env, database)
		got, err := readConfig(r, func(k string) string { return c.env[k] })
		if err != nil || got.listen != ":8080" || got.database != "shop" || got.authority != nil {
			t.Errorf("%v: got %+v, %v", c.args, got, err)
		}
		for key := range c.env {
			if key == "SHOP_CACHE" && !r.order { // which a catalogue can do without
				continue
			}
			_, err := readConfig(r, func(k string) string {
				if k == key {
					return ""
				}
				return c.env[k]
			})
			if err == nil && (key != "SHOP_CACHE_SECRET_ARN" || r.order) {
				t.Errorf("%v without %s: no error", c.args, key)
			}
		}
	}
}
