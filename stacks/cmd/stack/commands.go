package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// serveWithin bounds the wait for the first page after a deployment: instances boot, migrate and pass their health checks in it.
const serveWithin = 3 * time.Minute

func up(ctx context.Context, w *workspace) error {
	release, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := w.mend(ctx); err != nil {
		return err
	}
	if err := w.deploy(ctx); err != nil {
		return err
	}
	address, err := w.url(ctx)
	if err != nil {
		return err
	}
	if err := w.awaitPage(ctx, address+"/products"); err != nil {
		return err
	}
	if err := w.followRefreshes(ctx); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "shop: %s\n", address)
	return nil
}

func printURL(ctx context.Context, w *workspace) error {
	w.out = io.Discard
	release, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer release()
	address, err := w.url(ctx)
	if err != nil {
		return err
	}
	fmt.Println(address)
	return nil
}

func down(ctx context.Context, w *workspace) error {
	if _, err := os.Stat(w.stateDir()); errors.Is(err, os.ErrNotExist) && w.isLab() {
		return w.endLab(ctx)
	}
	release, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := w.mayDestroy(ctx); err != nil {
		return err
	}
	if !w.isLab() {
		return w.destroy(ctx)
	}
	unknown, err := w.hasUnknown(ctx)
	if err != nil {
		return err
	}
	if unknown { // a VPC with such a subnet in it cannot be deleted
		fmt.Fprintln(w.out, "stack: a deployment was killed while it made resources, which Pulumi does not know; they go with the lab")
	} else if err := w.destroy(ctx); err != nil {
		return err
	}
	if err := w.dropState(ctx); err != nil {
		return err
	}
	if err := w.endLab(ctx); err != nil {
		return err
	}
	return w.forget()
}

func (w *workspace) endLab(ctx context.Context) error {
	c := exec.CommandContext(ctx, w.bin("lab"), "down", "--forget")
	c.Stdout, c.Stderr = w.out, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("stopping the lab: %w", err)
	}
	return nil
}

// forget removes the clone's state directory, unless it holds other stacks.
func (w *workspace) forget() error {
	if err := os.Remove(w.regionFile()); err != nil {
		return fmt.Errorf("forgetting the region: %w", err)
	}
	others, err := filepath.Glob(filepath.Join(w.stateDir(), ".pulumi", "stacks", "*", "*.json"))
	if err != nil || len(others) > 0 {
		return err
	}
	if err := os.RemoveAll(w.stateDir()); err != nil {
		return fmt.Errorf("removing the state of a stack that is gone: %w", err)
	}
	return nil
}

// url returns the shop's URL as this machine reaches it: the stack's own output, or for the lab the port on 127.0.0.1 that leads to its load balancer.
func (w *workspace) url(ctx context.Context) (string, error) {
	out, err := w.outputJSON(ctx)
	if err != nil {
		return "", err
	}
	var outputs struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(out, &outputs); err != nil || outputs.URL == "" {
		return "", fmt.Errorf("the stack %s has no URL: it is not deployed, `make up` deploys it", w.stack)
	}
	if !w.isLab() {
		return outputs.URL, nil
	}
	address, err := url.Parse(outputs.URL)
	if err != nil {
		return "", fmt.Errorf("the stack's URL: %w", err)
	}
	var stderr bytes.Buffer
	c := exec.CommandContext(ctx, w.bin("lab"), "url", address.Hostname())
	c.Stderr = &stderr
	if out, err = c.Output(); err != nil {
		return "", fmt.Errorf("asking the lab for the shop's port: %s", strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// awaitPage waits until a GET of address answers 200.
func (w *workspace) awaitPage(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, serveWithin)
	defer cancel()
	begin, tick := time.Now(), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	for {
		err := get(ctx, w.browser(), address)
		if err == nil {
			fmt.Fprintf(w.out, "stack: the shop answers (%s after the deployment)\n", time.Since(begin).Round(100*time.Millisecond))
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("deployed, but %s does not answer: %w; `bin/lab status` and `bin/lab logs INSTANCE` tell more", address, err)
		}
	}
}

// browser asks the shop whether it answers. In the lab it does at 127.0.0.1, which no certificate of a shop is for; nothing is told to it that would need one.
func (w *workspace) browser() *http.Client {
	if !w.isLab() {
		return http.DefaultClient
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

func get(ctx context.Context, client *http.Client, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}
