// Command generate writes the server-side Go types of AWS's APIs from AWS's own models.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/aws/aws-sdk-go" // the module that holds the models; only its files are read
)

// service says how a directory of lab/api is found among the models and among credential scopes.
type service struct {
	dir     string // lab/api/<dir>
	model   string // models/apis/<model>
	signing string // service part of the credential scope
}

var services = []service{
	{"acm", "acm", "acm"},
	{"applicationautoscaling", "application-autoscaling", "application-autoscaling"},
	{"autoscaling", "autoscaling", "autoscaling"},
	{"backup", "backup", "backup"},
	{"cloudtrail", "cloudtrail", "cloudtrail"},
	{"cloudwatch", "monitoring", "monitoring"},
	{"ec2", "ec2", "ec2"},
	{"elasticache", "elasticache", "elasticache"},
	{"elasticsearch", "es", "es"},
	{"elbv2", "elasticloadbalancingv2", "elasticloadbalancing"},
	{"fms", "fms", "fms"},
	{"iam", "iam", "iam"},
	{"kms", "kms", "kms"},
	{"logs", "logs", "logs"},
	{"opensearch", "opensearch", "es"},
	{"rds", "rds", "rds"},
	{"s3", "s3", "s3"},
	{"secretsmanager", "secretsmanager", "secretsmanager"},
	{"sns", "sns", "sns"},
	{"sqs", "sqs", "sqs"},
	{"ssm", "ssm", "ssm"},
	{"sts", "sts", "sts"},
	{"wafv2", "wafv2", "wafv2"},
}

func main() {
	lab := flag.String("lab", "../..", "the lab's directory")
	check := flag.Bool("check", false, "write nothing; fail when a generated file is not current")
	flag.Parse()
	if err := run(*lab, *check); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(lab string, check bool) error {
	models, err := modelsDir()
	if err != nil {
		return err
	}
	if err := checkListed(filepath.Join(lab, "api"), services); err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, s := range services {
		dir := filepath.Join(lab, "api", s.dir)
		operations, err := readOperations(filepath.Join(dir, "operations.txt"))
		if err != nil {
			return err
		}
		m, err := loadModel(filepath.Join(models, "apis", s.model))
		if err != nil {
			return err
		}
		if err := m.supplement(filepath.Join(dir, "supplement.json")); err != nil {
			return err
		}
		types, api, err := generateService(s, m, operations)
		if err != nil {
			return fmt.Errorf("%s: %w", s.dir, err)
		}
		files[filepath.Join(dir, "types.gen.go")] = types
		files[filepath.Join(dir, "api.gen.go")] = api
	}
	if files[filepath.Join(lab, "api", "models.gen.go")], err = generateModels(services); err != nil {
		return err
	}
	vectors, err := generateVectors(filepath.Join(models, "protocol_tests"))
	if err != nil {
		return err
	}
	for name, source := range vectors {
		files[filepath.Join(lab, "wire", "internal", "vectors", name)] = source
	}
	return write(files, check)
}

// modelsDir finds the models in the module cache.
func modelsDir() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go").Output()
	if err != nil {
		return "", fmt.Errorf("finding the module of the models (run in lab/internal/generate): %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "models"), nil
}

// readOperations reads a list of operation names, one a line, where # begins a comment. They come back sorted.
func readOperations(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for n, line := range strings.Split(string(data), "\n") {
		name, _, _ := strings.Cut(line, "#")
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if slices.Contains(names, name) {
			return nil, fmt.Errorf("%s:%d: %s is listed twice", path, n+1, name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// write writes the files that differ, or with check names the first one that does.
func write(files map[string][]byte, check bool) error {
	for path, want := range files {
		got, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if bytes.Equal(got, want) {
			continue
		}
		if check {
			return fmt.Errorf("%s is not what the models and operations.txt give; run go generate ./lab/api", path)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			return err
		}
	}
	return nil
}
