package compute

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

//go:embed userdata.sh.tmpl
var userDataTemplate string

// maxUserData is EC2's limit in bytes, before base64.
const maxUserData = 16 << 10

// ErrUserData says that a boot script cannot be made; the text tells which value and why.
var ErrUserData = errors.New("user data")

// Service is a program that instances run as a systemd unit, under a user of its own name.
type Service struct {
	Name      string   // unit, user and directory: lower case letters, digits and hyphens
	Binary    string   // the File to run, by its name
	Arguments []string // of the program; no spaces or shell characters
	// StopSeconds is how long the program may take to stop after SIGTERM; 0 means 30.
	StopSeconds int
}

// File is a file that is fetched from S3 at boot and refused when its SHA-256 is another.
type File struct {
	Name   string // in /opt/<service>/
	URL    string // s3://bucket/key
	SHA256 string // hexadecimal
}

type boot struct {
	Region, Group string
	Hook          string
	Service       Service
	Files         []File
	Environment   map[string]string
	TargetGroups  []string // ARNs, to leave on a spot notice
}

var (
	nameForm     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	fileForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	variableForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	sumForm      = regexp.MustCompile(`^[0-9a-f]{64}$`)
	// What means the same to the shell, to systemd and to us, without quotes.
	valueForm = regexp.MustCompile(`^[A-Za-z0-9_.,:/@%+=!~-]*$`)
)

// render returns the boot script. Values that would need quotes are refused, so that no value can end up as a command.
func (b *boot) render() (string, error) {
	if err := b.check(); err != nil {
		return "", err
	}
	t, err := template.New("user-data").Option("missingkey=error").Parse(userDataTemplate)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, b); err != nil {
		return "", err
	}
	if out.Len() > maxUserData {
		return "", fmt.Errorf("%w: %d bytes: at most %d are allowed", ErrUserData, out.Len(), maxUserData)
	}
	return out.String(), nil
}

func (b *boot) check() error {
	if !nameForm.MatchString(b.Service.Name) {
		return fmt.Errorf("%w: service name %q: want lower case letters, digits and hyphens", ErrUserData, b.Service.Name)
	}
	found := false
	for _, f := range b.Files {
		if !fileForm.MatchString(f.Name) || !sumForm.MatchString(f.SHA256) || !valueForm.MatchString(f.URL) {
			return fmt.Errorf("%w: file %q: want a plain name, an S3 URL and a SHA-256", ErrUserData, f.Name)
		}
		found = found || f.Name == b.Service.Binary
	}
	if !found {
		return fmt.Errorf("%w: the program %q is not among the files", ErrUserData, b.Service.Binary)
	}
	for _, a := range append(slices.Concat(b.Service.Arguments, b.TargetGroups), b.Region, b.Group, b.Hook) {
		if !valueForm.MatchString(a) {
			return fmt.Errorf("%w: %q: letters, digits and _.,:/@%%+=!~- are allowed", ErrUserData, a)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Environment)) {
		if !variableForm.MatchString(name) {
			return fmt.Errorf("%w: variable %q: capital letters, digits and _ are allowed", ErrUserData, name)
		}
		if !valueForm.MatchString(b.Environment[name]) {
			return fmt.Errorf("%w: the value of %s has characters other than letters, digits and _.,:/@%%+=!~-", ErrUserData, name)
		}
	}
	return nil
}
