package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/constant"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Run compiles and runs a program to its end. What it prints goes to the engine through this host's own output.
func (h *host) Run(call context.Context, r *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	ctx, done := h.during(call)
	defer done()
	if r.GetAttachDebugger() {
		return nil, errors.New("this Go language host does not start debuggers: install Pulumi's own for --attach-debugger")
	}
	program, err := prepare(ctx, r.GetInfo())
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	env, err := h.environment(r)
	if err != nil {
		program.release()
		return nil, err
	}
	err = start(ctx, program, r.GetPwd(), r.GetArgs(), append(os.Environ(), env...), h.stdout, h.stderr)
	return outcome(ctx, err), nil
}

// outcome tells a program that failed by itself from one that has already told the engine what is wrong.
func outcome(ctx context.Context, err error) *pulumirpc.RunResponse {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}
	case ctx.Err() != nil:
		return &pulumirpc.RunResponse{Error: "the program was cancelled"}
	case errors.As(err, &exit) && exit.ExitCode() == constant.ExitStatusLoggedError:
		return &pulumirpc.RunResponse{Bail: true}
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with %s", exit.ProcessState)}
	default:
		return &pulumirpc.RunResponse{Error: err.Error()}
	}
}

// start runs a prepared program to its end and returns how it ended.
func start(
	ctx context.Context, program executable, dir string, args, env []string, stdout, stderr io.Writer,
) error {
	c := command(ctx, dir, program.path, args...)
	c.Env, c.Stdout, c.Stderr = env, stdout, stderr
	err := c.Start()
	program.release()
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	return c.Wait()
}

// environment is how the Pulumi Go SDK learns about its stack; see EnvProject and its neighbours there.
func (h *host) environment(r *pulumirpc.RunRequest) ([]string, error) {
	config, err := jsonOf(r.GetConfig(), "{}")
	if err != nil {
		return nil, err
	}
	secretKeys, err := jsonOf(r.GetConfigSecretKeys(), "[]")
	if err != nil {
		return nil, err
	}
	return []string{
		pulumi.EnvOrganization + "=" + r.GetOrganization(),
		pulumi.EnvProject + "=" + r.GetProject(),
		pulumi.EnvStack + "=" + r.GetStack(),
		pulumi.EnvPulumiRootDirectory + "=" + r.GetInfo().GetRootDirectory(),
		pulumi.EnvConfig + "=" + config,
		pulumi.EnvConfigSecretKeys + "=" + secretKeys,
		pulumi.EnvDryRun + "=" + strconv.FormatBool(r.GetDryRun()),
		pulumi.EnvParallel + "=" + strconv.Itoa(int(r.GetParallel())),
		pulumi.EnvMonitor + "=" + r.GetMonitorAddress(),
		pulumi.EnvEngine + "=" + h.engine,
	}, nil
}

// jsonOf encodes value; a nil map or slice becomes empty, which the SDK reads, and not null.
func jsonOf(value any, empty string) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode the stack's configuration: %w", err)
	}
	if string(text) == "null" {
		return empty, nil
	}
	return string(text), nil
}

// RunPlugin compiles and runs a plugin written in Go and streams what it prints and its exit status to the engine.
func (h *host) RunPlugin(r *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer) error {
	ctx, done := h.during(server.Context())
	defer done()
	program, err := prepare(ctx, r.GetInfo())
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		program.release()
		return fmt.Errorf("stream the plugin's output: %w", err)
	}
	err = start(ctx, program, r.GetPwd(), r.GetArgs(), r.GetEnv(), stdout, stderr)
	if closeErr := closer.Close(); closeErr != nil {
		return fmt.Errorf("stream the plugin's output: %w", closeErr)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	code := int32(0)
	if exit != nil {
		code = int32(exit.ExitCode())
	}
	return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: code}})
}
