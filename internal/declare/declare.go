// Package declare runs a Pulumi program without Pulumi and without AWS, to see what it declares. It is the engine's two services
// (resource monitor and engine) as far as a program that only declares needs them: each resource is made up at once, with its own
// inputs as outputs and an ID and an ARN that no other has. Nothing is planned, compared, kept or sent anywhere.
package declare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"storefront/internal/inventory"
)

// ErrProgram says that the program failed; the text is what it said.
var ErrProgram = errors.New("the program declares no stack")

// Program is a Pulumi program with its circumstances.
type Program struct {
	Path           string // the executable
	Root           string // directory that it takes relative paths from
	Project, Stack string
	Config         map[string]string // with namespaces: "storefront:profile"
	Answers        map[string]any    // of functions, by output: "accountId"
}

// Run runs the program and returns what it declared. The error is ErrProgram when the program fails.
func (p *Program) Run(ctx context.Context) (*inventory.Stack, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the program: %w", err)
	}
	m := &monitor{program: p}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	pulumirpc.RegisterResourceMonitorServer(server, m)
	pulumirpc.RegisterEngineServer(server, &engine{monitor: m})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = p.execute(ctx, listener.Addr().String())
	server.Stop()
	if serving := <-served; serving != nil && !errors.Is(serving, grpc.ErrServerStopped) {
		return nil, fmt.Errorf("answering the program: %w", serving)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrProgram, strings.TrimSpace(strings.Join(append(m.errors, err.Error()), "\n")))
	}
	return inventory.NewStack(m.resources), nil
}

func (p *Program) execute(ctx context.Context, address string) error {
	config, err := json.Marshal(p.Config)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, p.Path)
	c.Dir = p.Root
	c.Env = append(os.Environ(),
		"PULUMI_PROJECT="+p.Project, "PULUMI_STACK="+p.Stack, "PULUMI_ORGANIZATION=organization", "PULUMI_ROOT_DIRECTORY="+p.Root,
		"PULUMI_CONFIG="+string(config), "PULUMI_CONFIG_SECRET_KEYS=[]", "PULUMI_DRY_RUN=false", "PULUMI_PARALLEL=1",
		"PULUMI_MONITOR="+address, "PULUMI_ENGINE="+address)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, said.Bytes())
	}
	return nil
}
