package upstream

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Services are the packages under internal/service of the provider that the plugin keeps. What their code imports
// from other services comes along by itself.
func Services() []string {
	return strings.Fields(`acm apigateway apigatewayv2 appautoscaling autoscaling backup cloudfront
		cloudtrail cloudwatch cognitoidp docdb dynamodb ec2 elasticache elasticsearch elb elbv2 events
		fms iam kinesis kms lambda logs meta opensearch organizations rds route53 s3 secretsmanager
		ses sesv2 sns sqs ssm sts wafv2 xray`)
}

// Where the provider lists its services and the API clients that they share.
const (
	serviceDir  = "internal/service"
	serviceList = "internal/provider/service_packages_gen.go"
	clientList  = "internal/conns/awsclient_gen.go"
)

var (
	serviceImport = regexp.MustCompile(`internal/service/(\w+)"`)
	serviceEntry  = regexp.MustCompile(`^\t\t(\w+)\.ServicePackage\(ctx\)`)
	clientCall    = regexp.MustCompile(`\.(\w+(?:Client|Conn))\(`)
	clientMethod  = regexp.MustCompile(`(?s)func \(c \*AWSClient\) (\w+)\(.*?\n}\n`)
	importLine    = regexp.MustCompile(`^\t(?:(\w+) )?"([^"]+)"$`)
)

// trim copies the provider from the module cache without the services that nobody needs.
func trim(from, to string) error {
	kept := map[string]bool{}
	for _, name := range Services() {
		if err := follow(from, name, kept); err != nil {
			return err
		}
	}
	if err := keptByOthers(from, kept); err != nil {
		return err
	}
	top := []string{"internal", "names", "version", "xpprovider"}
	err := copyTree(from, to, func(name string, d fs.DirEntry) bool {
		first, _, _ := strings.Cut(name, "/")
		if d.IsDir() && !slices.Contains(top, first) || path.Dir(name) == serviceDir && !kept[d.Name()] {
			return false
		}
		return isSource(name, d)
	})
	if err != nil {
		return err
	}
	if err := trimServiceList(filepath.Join(to, serviceList)); err != nil {
		return err
	}
	return trimClients(to)
}

// follow adds a service and all services that its code imports to kept.
func follow(root, service string, kept map[string]bool) error {
	if kept[service] {
		return nil
	}
	kept[service] = true
	dir := filepath.Join(root, serviceDir, service)
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("service %s: %w", service, err)
	}
	imported, err := matches(dir, serviceImport)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(imported)) {
		if err := follow(root, name, kept); err != nil {
			return err
		}
	}
	return nil
}

// keptByOthers follows the services that code outside of services imports, the service list excepted.
func keptByOthers(root string, kept map[string]bool) error {
	internal := filepath.Join(root, "internal")
	return filepath.WalkDir(internal, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		switch relative = filepath.ToSlash(relative); {
		case relative == serviceDir, relative == "internal/acctest", relative == "internal/generate",
			relative == "internal/sweep":
			return fs.SkipDir
		case d.IsDir() || !isSource(relative, d) || !strings.HasSuffix(name, ".go") || relative == serviceList:
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range serviceImport.FindAllSubmatch(text, -1) {
			if err := follow(root, string(m[1]), kept); err != nil {
				return err
			}
		}
		return nil
	})
}

// matches collects the first group of every match in the Go sources below dir, tests left out.
func matches(dir string, re *regexp.Regexp) (map[string]bool, error) {
	found := map[string]bool{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || !isSource(name, d) {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range re.FindAllSubmatch(text, -1) {
			found[string(m[1])] = true
		}
		return err
	})
	return found, err
}

// trimServiceList keeps the wanted entries of the generated list of services, and their imports.
func trimServiceList(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	wanted := Services()
	var lines []string
	entries := 0
	for line := range strings.Lines(string(text)) {
		drop := false
		for _, re := range []*regexp.Regexp{serviceImport, serviceEntry} {
			if m := re.FindStringSubmatch(line); m != nil && !slices.Contains(wanted, m[1]) {
				drop = true
			}
		}
		if drop {
			continue
		}
		if serviceEntry.MatchString(line) {
			entries++
		}
		lines = append(lines, line)
	}
	if entries != len(wanted) {
		return fmt.Errorf("%s: %d of %d wanted services are listed: upstream has changed", file, entries, len(wanted))
	}
	return os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644)
}

// trimClients keeps the API client accessors that the copied code calls: each one dropped is an AWS SDK package that
// need not be compiled.
func trimClients(root string) error {
	called, err := matches(root, clientCall)
	if err != nil {
		return err
	}
	file := filepath.Join(root, clientList)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, body, found := strings.Cut(string(text), "\n)\n")
	methods := clientMethod.FindAllStringSubmatch(body, -1)
	if !found || len(methods) == 0 {
		return fmt.Errorf("%s: no client accessors: upstream has changed", file)
	}
	var keep []string
	for _, m := range methods {
		if called[m[1]] {
			keep = append(keep, m[0])
		}
	}
	body = strings.Join(keep, "\n")
	return os.WriteFile(file, []byte(dropImports(head, body)+"\n)\n"+body), 0o644)
}

// dropImports removes the import lines of head whose packages body does not use.
func dropImports(head, body string) string {
	var lines []string
	for line := range strings.SplitSeq(head, "\n") {
		if m := importLine.FindStringSubmatch(line); m != nil {
			name := m[1]
			if name == "" {
				name = path.Base(m[2])
			}
			if !regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\.`).MatchString(body) {
				continue
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
