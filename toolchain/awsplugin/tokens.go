package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

//go:embed tokens.txt
var tokenText string

// tokenTable reads tokens.txt.
func tokenTable() (map[string]*tfbridge.ResourceInfo, map[string]*tfbridge.DataSourceInfo, error) {
	resources, functions := map[string]*tfbridge.ResourceInfo{}, map[string]*tfbridge.DataSourceInfo{}
	number := 0
	for line := range strings.Lines(tokenText) {
		number++
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		token, ok := tokenOf(fields)
		if !ok {
			return nil, nil, fmt.Errorf("tokens.txt:%d: %q is not NAME MODULE/TYPE", number, line)
		}
		name := fields[0]
		if isFunction(fields[1]) {
			if functions[name] != nil {
				return nil, nil, fmt.Errorf("tokens.txt:%d: function %s is there twice", number, name)
			}
			functions[name] = &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(token)}
			continue
		}
		if resources[name] != nil {
			return nil, nil, fmt.Errorf("tokens.txt:%d: resource %s is there twice", number, name)
		}
		resources[name] = &tfbridge.ResourceInfo{Tok: tokens.Type(token)}
	}
	return resources, functions, nil
}

// tokenOf writes a line's MODULE/TYPE out in full.
func tokenOf(fields []string) (token string, ok bool) {
	if len(fields) != 2 {
		return "", false
	}
	module, name, found := strings.Cut(fields[1], "/")
	if !found || module == "" || name == "" {
		return "", false
	}
	return fmt.Sprintf("aws:%s/%s:%s", module, strings.ToLower(name[:1])+name[1:], name), true
}

func isFunction(moduleType string) bool {
	_, name, _ := strings.Cut(moduleType, "/")
	return strings.HasPrefix(name, "get")
}
