package dataplane_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	ec2api "storefront/lab/api/ec2"
	"storefront/lab/dataplane"
	"storefront/lab/ec2"
	"storefront/lab/instance"
	"storefront/lab/state"
)

// machines runs the instances of a region.
func (r *testRegion) machines() (instances *dataplane.Instances, stop func()) {
	r.Helper()
	instances = &dataplane.Instances{Store: r.store, EC2: r.ec2, Net: r.net, Runtime: instance.Runtime{Executable: must(os.Executable())(r.T)}, Metadata: r.metadata,
		Dir: filepath.Join(r.dir, "instances"), CA: r.authority.CertificatePEM(), Domain: domain, Now: r.now, Log: r.log}
	end := r.background(instances)
	stop = func() {
		end()
		if err := instances.Close(); err != nil {
			r.Error(err)
		}
	}
	r.Cleanup(stop)
	return instances, stop
}

// booted waits until an instance runs and has finished its user-data.
func (r *testRegion) booted(instances *dataplane.Instances, id string) {
	r.Helper()
	eventually(r.T, id+" has booted", func() bool {
		_, err := instances.Machine(id)
		return err == nil && run(r.T, instances, id, "test -e /var/lib/cloud/instance/boot-finished && echo yes") == "yes"
	})
}

// rebooted waits until an instance runs on another machine than before.
func (r *testRegion) rebooted(instances *dataplane.Instances, id string, before *instance.Machine) {
	r.Helper()
	eventually(r.T, id+" has rebooted", func() bool {
		m, err := instances.Machine(id)
		return err == nil && m != before && r.instance(id).State == ec2.Running
	})
}

const countBoots = "#!/bin/sh\necho ran >> /root/user-data\n"

// token asks for an IMDSv2 session token, which the commands after it use.
const token = `T=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token); `

func TestInstanceFromLaunchToTermination(t *testing.T) {
	r := newTestRegion(t, time.Now)
	r.connect()
	instances, _ := r.machines()
	id := r.launch(ec2api.RunInstancesInput{UserData: encoded(countBoots), MetadataOptions: &ec2api.InstanceMetadataOptionsRequest{HttpTokens: new("required")}})
	eni := r.instance(id).Interfaces[0]
	r.become(id, ec2.Running)
	r.booted(instances, id)
	const ask = token + `curl -sf -H "X-aws-ec2-metadata-token: $T" http://169.254.169.254/latest/meta-data/`
	for command, want := range map[string]string{
		ask + "instance-id": id,
		ask + "local-ipv4":  "10.0.0.4",
		"hostname":          "ip-10-0-0-4." + domain,
		"curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id": "401",
		"cat /root/user-data": "ran",
		"getent ahostsv4 ip-10-0-0-4 | awk '{print $1}' | sort -u": "10.0.0.4", // the VPC's resolver and its search domain
	} {
		if got := run(t, instances, id, command); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
	if used, ok := instances.CPUTime(id); !ok || used <= 0 {
		t.Errorf("processor time %v, %t", used, ok)
	}

	must(r.ec2.StopInstances(t.Context(), &ec2api.StopInstancesInput{InstanceIds: []string{id}}))(t)
	r.become(id, ec2.Stopped)
	if _, err := instances.Machine(id); !errors.Is(err, dataplane.ErrNotRunning) {
		t.Errorf("the machine of a stopped instance: %v", err)
	}
	must(r.ec2.StartInstances(t.Context(), &ec2api.StartInstancesInput{InstanceIds: []string{id}}))(t)
	r.become(id, ec2.Running)
	before := must(instances.Machine(id))(t)
	must(r.ec2.RebootInstances(t.Context(), &ec2api.RebootInstancesInput{InstanceIds: []string{id}}))(t)
	r.rebooted(instances, id, before)
	if e := before.Ending(); e != instance.PoweredOff {
		t.Errorf("the machine before the reboot %s", e)
	}
	r.booted(instances, id)
	if got := run(t, instances, id, ask+"local-ipv4; echo; cat /root/user-data"); got != "10.0.0.4\nran" {
		t.Errorf("after stop, start and reboot: %q", got)
	}

	must(r.ec2.TerminateInstances(t.Context(), &ec2api.TerminateInstancesInput{InstanceIds: []string{id}}))(t)
	r.become(id, ec2.Terminated)
	if _, err := os.Stat(filepath.Join(r.dir, "instances", id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory of a terminated instance: %v", err)
	}
	if err := r.store.View(func(tx *state.Tx) error { _, err := r.ec2.Interface(tx, eni); return err }); err == nil {
		t.Error("the interface of a terminated instance is left")
	}
}

func TestInstanceEndsByItself(t *testing.T) {
	r := newTestRegion(t, time.Now)
	r.connect()
	instances, _ := r.machines()
	for name, c := range map[string]struct {
		launch ec2api.RunInstancesInput
		end    string // a command; "" is the loss of the host
		want   ec2.InstanceState
		reason string
	}{
		"stops":      {ec2api.RunInstancesInput{}, "poweroff", ec2.Stopped, "Client.InstanceInitiatedShutdown"},
		"terminates": {ec2api.RunInstancesInput{InstanceInitiatedShutdownBehavior: new("terminate")}, "poweroff", ec2.Terminated, "Client.InstanceInitiatedShutdown"},
		"is lost":    {ec2api.RunInstancesInput{}, "", ec2.Terminated, "Server.InternalError"},
	} {
		t.Run(name, func(t *testing.T) {
			id := r.launch(c.launch)
			r.become(id, ec2.Running)
			r.booted(instances, id)
			m := must(instances.Machine(id))(t)
			if c.end == "" {
				if err := m.Kill(); err != nil {
					t.Fatal(err)
				}
			} else {
				go func() { _, _ = m.Exec(t.Context(), []string{c.end}, nil, nil, nil) }() // fails when the machine ends first
			}
			r.become(id, c.want)
			if got := r.instance(id).Reason.Code; got != c.reason {
				t.Errorf("the reason is %q, want %q", got, c.reason)
			}
		})
	}
	id := r.launch(ec2api.RunInstancesInput{UserData: encoded(countBoots)})
	r.become(id, ec2.Running)
	r.booted(instances, id)
	before := must(instances.Machine(id))(t)
	go func() { _, _ = before.Exec(t.Context(), []string{"reboot"}, nil, nil, nil) }()
	r.rebooted(instances, id, before)
	r.booted(instances, id)
	if got := run(t, instances, id, "cat /root/user-data"); got != "ran" {
		t.Errorf("user-data after a reboot from inside: %q", got)
	}
}

// A newer wish overtakes one that is being fulfilled: what is terminated while it stops is terminated, also when its services hold the stop up.
func TestInstanceIsTerminatedWhileItStops(t *testing.T) {
	r := newTestRegion(t, time.Now)
	r.connect()
	instances, _ := r.machines()
	id := r.launch(ec2api.RunInstancesInput{UserData: encoded("#!/bin/sh\ncat > /etc/systemd/system/slow.service <<'UNIT'\n[Service]\nExecStart=/bin/sleep 1000\n" +
		"ExecStop=/bin/sh -c 'until test -e /root/go; do sleep 0.02; done'\n[Install]\nWantedBy=multi-user.target\nUNIT\nsystemctl enable --now slow\n")})
	r.become(id, ec2.Running)
	r.booted(instances, id)
	m := must(instances.Machine(id))(t)
	must(r.ec2.StopInstances(t.Context(), &ec2api.StopInstancesInput{InstanceIds: []string{id}}))(t)
	eventually(t, "the stop has begun", func() bool { _, err := instances.Machine(id); return err != nil })
	must(r.ec2.TerminateInstances(t.Context(), &ec2api.TerminateInstancesInput{InstanceIds: []string{id}}))(t)
	if _, err := m.Exec(t.Context(), []string{"touch", "/root/go"}, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	r.become(id, ec2.Terminated)
	if got := r.instance(id).Reason.Code; got != "Client.UserInitiatedShutdown" {
		t.Errorf("the reason is %q", got)
	}
}

// A daemon that starts again boots what is declared to run from its disk, and finishes what the former one had begun.
func TestInstancesAfterARestart(t *testing.T) {
	r := newTestRegion(t, time.Now)
	r.connect()
	instances, stop := r.machines()
	running, stopped, stopping := r.launch(ec2api.RunInstancesInput{UserData: encoded(countBoots)}), r.launch(ec2api.RunInstancesInput{}), r.launch(ec2api.RunInstancesInput{})
	for _, id := range []string{running, stopped, stopping} {
		r.become(id, ec2.Running)
	}
	r.booted(instances, running)
	must(r.ec2.StopInstances(t.Context(), &ec2api.StopInstancesInput{InstanceIds: []string{stopped}}))(t)
	r.become(stopped, ec2.Stopped)
	m := must(instances.Machine(running))(t)
	stop()
	if e := m.Ending(); e != instance.Lost {
		t.Errorf("at the daemon's end the machine %s", e)
	}
	if got := r.instance(running).State; got != ec2.Running {
		t.Errorf("declared %s after the daemon's end, want running", got)
	}
	must(r.ec2.StopInstances(t.Context(), &ec2api.StopInstancesInput{InstanceIds: []string{stopping}}))(t)

	instances, _ = r.machines()
	r.become(stopping, ec2.Stopped)
	r.booted(instances, running)
	if got := run(t, instances, running, "cat /root/user-data"); got != "ran" {
		t.Errorf("user-data ran %q", got)
	}
	if _, err := instances.Machine(stopped); !errors.Is(err, dataplane.ErrNotRunning) {
		t.Errorf("the stopped instance: %v", err)
	}
	if err := (&dataplane.Instances{}).Close(); err != nil {
		t.Errorf("closing what never ran: %v", err)
	}
}
