package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"order"}, {"product", "extra"}} {
		if err := run(t.Context(), args, func(string) string { return "" }); !errors.Is(err, errUsage) {
			t.Errorf("%v: got %v, want a usage error", args, err)
		}
	}
}

func TestConfigNamesEveryMistake(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bad, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"SHOP_LISTEN": "8080", "SHOP_DB_WRITER": "host", "SHOP_DB_CA": bad, "SHOP_LOG_LEVEL": "loud"}
	_, err := readConfig(func(k string) string { return env[k] })
	for _, key := range []string{"SHOP_LISTEN", "SHOP_DB_WRITER", "SHOP_DB_READER", "SHOP_DB_SECRET_ARN", "SHOP_DB_CA", "SHOP_LOG_LEVEL"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not named in %v", key, err)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	env := map[string]string{"SHOP_DB_WRITER": "w:5432", "SHOP_DB_READER": "r:5432", "SHOP_DB_SECRET_ARN": "arn"}
	c, err := readConfig(func(k string) string { return env[k] })
	if err != nil || c.listen != ":8080" || c.database != "shop" || c.authority != nil {
		t.Errorf("got %+v, %v", c, err)
	}
}
