package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// host answers the engine. Methods that this project has no use for (code generation, packing, linking) stay
// unimplemented and say so.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	stdout, stderr io.Writer // where programs print; the engine shows it
	engine         string    // address that programs report to

	ctx    context.Context    // ends every running program when the engine cancels or the host is told to stop
	cancel context.CancelFunc // ends ctx
}

func newHost(ctx context.Context, engine string) *host {
	ctx, cancel := context.WithCancel(ctx)
	return &host{stdout: os.Stdout, stderr: os.Stderr, engine: engine, ctx: ctx, cancel: cancel}
}

// Handshake tells an engine that attaches to a running host that the protocol is understood.
func (h *host) Handshake(
	_ context.Context, r *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	if address := r.GetEngineAddress(); address != "" {
		h.engine = address
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo reports the version of the SDK that this host is built from.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: sdk.Version.String()}, nil
}

// About reports the Go tool that compiles programs.
func (h *host) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("find the Go tool: %w", err)
	}
	version, err := goOutput(ctx, "", "env", "GOVERSION")
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{Executable: path, Version: strings.TrimSpace(string(version))}, nil
}

// Cancel ends all running builds and programs; the engine calls it when the user interrupts.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}

// during returns a context that ends with the call or with the host, whichever is first.
func (h *host) during(call context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(call)
	stop := context.AfterFunc(h.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}
