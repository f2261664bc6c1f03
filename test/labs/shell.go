package labs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// Shell is a bash that keeps its variables and functions from one block of commands to the next, as a student's does.
type Shell struct {
	cmd    *exec.Cmd
	blocks *os.File // to the shell, each ended by a NUL
	out    *os.File
	reader *bufio.Reader
}

// loop runs the blocks that come in as descriptor 3. What they print is followed by a NUL, their status and a line feed. Commands find nothing on their standard input,
// so that none of them swallows what is for another.
const loop = `while IFS= read -r -u 3 -d '' block; do eval "$block" </dev/null 3<&-; printf '\0%d\n' $?; done`

// NewShell starts a shell in a directory and an environment.
func NewShell(dir string, env []string) (*Shell, error) {
	in, blocks, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, blocks.Close())
	}
	defer write.Close()
	s := &Shell{cmd: exec.Command("bash", "--norc", "--noprofile", "-c", loop), blocks: blocks, out: out, reader: bufio.NewReader(out)}
	s.cmd.Dir, s.cmd.Env, s.cmd.ExtraFiles = dir, env, []*os.File{in}
	s.cmd.Stdout, s.cmd.Stderr = write, write
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what runs in it ends with it
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, blocks.Close(), out.Close())
	}
	return s, nil
}

// Run runs a block and returns what it prints on both outputs, and its status: that of its last command, or with strict of the first that fails. When ctx ends, the
// shell and what runs in it end too, and the error is that of ctx. A block that ends the shell is an error.
func (s *Shell) Run(ctx context.Context, block string, strict bool) (printed string, status int, err error) {
	defer context.AfterFunc(ctx, func() { _ = s.kill() })()
	if strict {
		block = "set -e\n" + block + "\nset +e"
	}
	if _, err := io.WriteString(s.blocks, block+"\x00"); err != nil {
		return "", 0, fmt.Errorf("the shell has ended: %w", err)
	}
	printed, err = s.reader.ReadString(0)
	switch {
	case ctx.Err() != nil:
		return printed, 0, ctx.Err()
	case errors.Is(err, io.EOF): // with strict, a command failed
		return printed, 1, fmt.Errorf("a command failed, or the block ended the shell")
	case err != nil:
		return printed, 0, err
	}
	end, err := s.reader.ReadString('\n')
	if err != nil {
		return printed, 0, fmt.Errorf("the shell has ended: %w", err)
	}
	status, err = strconv.Atoi(strings.TrimSpace(end))
	return strings.TrimSuffix(printed, "\x00"), status, err
}

func (s *Shell) kill() error { return syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) }

// Close ends the shell, and what still runs in it.
func (s *Shell) Close() {
	_ = s.kill()
	_ = s.blocks.Close()
	_ = s.cmd.Wait()
	_ = s.out.Close()
}
