package boot

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Where cloud-init keeps its things.
const (
	cloudDirectory = "/var/lib/cloud/instance"
	outputLog      = "/var/log/cloud-init-output.log"
)

// maxUserData bounds decompressed user-data, in bytes, so that a small archive cannot fill the memory.
const maxUserData = 4 << 20

// result is /var/lib/cloud/data/result.json.
type result struct {
	V1 struct {
		Datasource string   `json:"datasource"`
		Errors     []string `json:"errors"`
	} `json:"v1"`
}

// cloudInit runs user-data on the first boot, as cloud-init's scripts-user module does: once, even if the machine is lost in the middle.
func (m *machine) cloudInit() error {
	started := filepath.Join(cloudDirectory, "sem/config_scripts_user")
	if _, err := os.Stat(started); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, dir := range []string{filepath.Dir(started), filepath.Join(cloudDirectory, "scripts"), "/var/lib/cloud/data", "/run/cloud-init"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(started, nil, 0o644); err != nil {
		return err
	}
	var r result
	r.V1.Datasource, r.V1.Errors = "DataSourceEc2", []string{}
	if err := m.userData(); err != nil {
		fmt.Fprintln(os.Stderr, "cloud-init:", err)
		r.V1.Errors = append(r.V1.Errors, err.Error())
	}
	return finishCloudInit(r)
}

// finishCloudInit leaves the marks by which others see that cloud-init has finished, and how.
func finishCloudInit(r result) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	finished := fmt.Sprintf("%s - cloud-init finished\n", time.Now().UTC().Format(time.RFC1123Z))
	return errors.Join(os.WriteFile("/var/lib/cloud/data/result.json", text, 0o644), os.WriteFile("/run/cloud-init/result.json", text, 0o644),
		os.WriteFile(filepath.Join(cloudDirectory, "boot-finished"), []byte(finished), 0o644))
}

// userData runs the instance's user-data, which may be absent.
func (m *machine) userData() error {
	data, err := decompress(m.config.UserData)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(cloudDirectory, "user-data.txt"), data, 0o600); err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if err := script(data); err != nil {
		return err
	}
	path := filepath.Join(cloudDirectory, "scripts/part-001")
	if err := os.WriteFile(path, data, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(outputLog, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}

	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	// As cloud-init's own service, without HOME; a process that the script leaves behind keeps the pipe, so nobody waits for the pipe's end.
	cmd := &exec.Cmd{Path: path, Args: []string{path}, Dir: "/", Env: append(environment(), "INSTANCE_ID="+m.config.ID), Stdout: writer, Stderr: writer,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	err = m.processes.Start(cmd)
	writer.Close()
	if err != nil {
		reader.Close()
		return fmt.Errorf("running user-data: %w", err)
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		defer reader.Close()
		defer log.Close()
		io.Copy(io.MultiWriter(log, os.Stdout), reader)
	}()
	if err := m.processes.Wait(cmd); err != nil {
		settle(copied)
		return fmt.Errorf("failed to run %s: %w", path, err)
	}
	settle(copied)
	return nil
}

// settle waits a moment for the rest of the output, which never ends where a background process holds it open.
func settle(copied <-chan struct{}) {
	select {
	case <-copied:
	case <-time.After(100 * time.Millisecond):
	}
}

// decompress undoes gzip where user-data is compressed.
func decompress(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("decompressing user-data: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(reader, maxUserData+1))
	if err != nil {
		return nil, fmt.Errorf("decompressing user-data: %w", err)
	}
	if len(text) > maxUserData {
		return nil, fmt.Errorf("decompressing user-data: it is longer than %d bytes", maxUserData)
	}
	return text, nil
}

// script refuses the forms of user-data that the lab does not run. Amazon Linux would ignore a form that it does not know, with a warning.
func script(data []byte) error {
	first, _, _ := strings.Cut(string(data), "\n")
	switch {
	case strings.HasPrefix(first, "#!"):
		return nil
	case strings.HasPrefix(first, "#cloud-config"), strings.HasPrefix(first, "#include"), strings.HasPrefix(first, "#cloud-boothook"),
		strings.HasPrefix(first, "## template: jinja"), strings.HasPrefix(strings.ToLower(first), "content-type:"), strings.HasPrefix(strings.ToLower(first), "mime-version:"):
		return fmt.Errorf("user-data of the form %q is not supported by the lab: it runs shell scripts, which begin with #!", first)
	}
	return fmt.Errorf("unhandled non-multipart (text/x-not-multipart) userdata: it must begin with #!, not with %.40q", first)
}
