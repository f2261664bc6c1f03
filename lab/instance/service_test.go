package instance_test

import "testing"

// unit returns user-data that installs and starts a service.
func unit(name, service string) string {
	return "#!/bin/bash\nset -e\ncat > /etc/systemd/system/" + name + ".service <<'UNIT'\n[Unit]\nDescription=A test\nAfter=network-online.target\n[Service]\n" +
		service + "\n[Install]\nWantedBy=multi-user.target\nUNIT\nsystemctl daemon-reload\nsystemctl enable --now " + name + "\n"
}

func TestServiceRestartsAndComesBack(t *testing.T) {
	s := spec(t, unit("shop", "ExecStart=/bin/sh -c 'echo started $NAME; exec sleep 1000'\nEnvironment=\"NAME=the shop\"\nRestart=on-failure\nRestartSec=20ms\nProtectSystem=strict\nFrobnicate=1")+
		"echo once >> /root/runs\n")
	m := start(t, s)
	m.booted(t)
	if got, _ := m.run(t, "systemctl is-active shop; systemctl is-enabled shop.service"); got != "active\nenabled" {
		t.Fatalf("the service is %q", got)
	}
	// A simple service is active before it says anything.
	m.eventually(t, "journalctl -u shop -o cat | grep -c -e 'started the shop' -e ProtectSystem -e 'Unknown keys: Frobnicate'", "3")
	before, _ := m.run(t, "systemctl show -p MainPID --value shop")
	m.run(t, "kill -9 "+before)
	m.eventually(t, "systemctl show -p NRestarts --value shop; systemctl is-active shop", "1\nactive")
	if after, _ := m.run(t, "systemctl show -p MainPID --value shop"); after == before || after == "0" {
		t.Errorf("main process %s after %s", after, before)
	}

	stop(t, m)
	if e := m.Ending(); e != "powered off" {
		t.Errorf("the machine %s", e)
	}
	m = start(t, s)
	m.eventually(t, "systemctl is-active shop", "active")
	if got, _ := m.run(t, "cat /root/runs"); got != "once" {
		t.Errorf("user-data ran %q", got)
	}
	if got, status := m.run(t, "systemctl stop shop; systemctl is-active shop"); got != "inactive" || status != 3 {
		t.Errorf("after stop: %q, status %d", got, status)
	}
	if got, _ := m.run(t, "pgrep -c sleep"); got != "0" {
		t.Errorf("%s processes of the service are left", got)
	}
}

func TestServiceTypes(t *testing.T) {
	m := start(t, spec(t, ""))
	m.booted(t)
	for name, c := range map[string]struct{ service, command, want string }{
		"notify": {"Type=notify\nExecStart=/usr/bin/python3 -c \"import os,socket,time; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET']); open('/tmp/ready','w').write('1'); s.send(b'READY=1'); time.sleep(100)\"",
			"systemctl start notify && cat /tmp/ready && systemctl is-active notify", "1active"},
		"notready": {"Type=notify\nExecStart=/bin/true", "systemctl start notready 2>/dev/null; echo $?; systemctl is-active notready", "1\nfailed"},
		"absent":   {"Type=exec\nExecStart=/nonsense", "systemctl start absent 2>/dev/null; echo $?; systemctl show -p ExecMainStatus --value absent", "1\n203"},
		"oneshot": {"Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo a >> /tmp/one'\nExecStart=/bin/sh -c 'echo b >> /tmp/one'\nExecStop=/bin/sh -c 'echo c >> /tmp/one'",
			"systemctl start oneshot; systemctl is-active oneshot; systemctl stop oneshot; cat /tmp/one", "active\na\nb\nc"},
		"user": {"User=nobody\nStateDirectory=mine\nLimitNOFILE=4321\nNoNewPrivileges=yes\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'id -un; ulimit -n; stat -c %%U /var/lib/mine; grep -E \"CapEff|NoNewPrivs\" /proc/self/status'",
			"systemctl start user; journalctl -u user -o cat | head -5", "nobody\n4321\nnobody\nCapEff:\t0000000000000400\nNoNewPrivs:\t1"},
		"dynamic":  {"DynamicUser=yes\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c '[ $(id -u) -ge 61184 ] && echo dynamic'", "systemctl start dynamic; journalctl -u dynamic -o cat | head -1", "dynamic"},
		"envfile":  {"Type=oneshot\nRemainAfterExit=yes\nEnvironment=A=1\nEnvironmentFile=-/nonexistent\nEnvironmentFile=/etc/envfile\nExecStart=/bin/echo ${A}-${B} $C", "printf 'A=2\\nB=\"x y\"\\nC=p q\\n' > /etc/envfile; systemctl start envfile; journalctl -u envfile -o cat | head -1", "2-x y p q"},
		"limited":  {"ExecStart=/bin/false\nRestart=always\nRestartSec=1ms\nStartLimitBurst=3", "systemctl start limited; for i in $(seq 500); do [ $(systemctl show -p Result --value limited) = start-limit-hit ] && break; done; systemctl show -p Result,NRestarts --value limited", "start-limit-hit\n2"},
		"stubborn": {"ExecStart=/bin/bash -c 'trap \"\" TERM; sleep 1000 & while :; do wait; done'\nTimeoutStopSec=100ms", "systemctl start stubborn; systemctl stop stubborn; pgrep -c -f 'sleep 1000'", "0"},
		"forking":  {"Type=forking\nExecStart=/bin/true", "systemctl start forking 2>&1 | grep -o 'Type=forking is not supported'", "Type=forking is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			m.run(t, "cat > /etc/systemd/system/"+name+".service <<'UNIT'\n[Service]\n"+c.service+"\nUNIT\n")
			if got, _ := m.run(t, c.command); got != c.want {
				log, _ := m.run(t, "systemctl status "+name)
				t.Errorf("got %q, want %q\n%s", got, c.want, log)
			}
		})
	}
	if _, status := m.run(t, "systemctl start missing"); status != 5 {
		t.Errorf("starting a missing unit: status %d, want 5", status)
	}
}
