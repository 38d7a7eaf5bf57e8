"""The installed units for a longer time in a booted Debian: quiet while nobody asks (A15), and no failure that a client sees while the
daemon is killed again and again (A13). With --long for as long as the promises say."""
import json
import re
import shutil
import time

from harness import client, wire
from harness.case import case, check, equal, until, within
from harness.container import Container, debian_root
from harness.installed import CONFIG, configure, doors, install
from harness.outside import network_of
from harness.pki import Site
from harness.retries import Retries
from harness.upstream import DotServer

UPSTREAM = 'upstream "lab" {\n  address = {"127.0.0.1"}\n  port = 8853\n  trust-anchors = "/var/lib/lab/own.pem"\n  ct = "off"\n}\n'


def booted(t):
    """(machine, server): the units run, and their only upstream is a server of this test."""
    root = debian_root(t)
    install(t, root)
    site = Site(t)
    shutil.copy(site.anchors, f"{root}/var/lib/lab/own.pem")
    configure(root, UPSTREAM)
    machine = Container(t, root)
    machine.boot()
    with network_of(machine.leader):
        server = DotServer(t, site, port=8853)
    machine.must("systemctl", "enable", "--now", "ctstubd.socket", "ctstubd.service")
    doors(machine)
    return machine, server


def processes(machine, unit):
    """Those of the service, helpers included."""
    group = machine.must("systemctl", "show", "-P", "ControlGroup", unit).strip()
    return machine.must("sh", "-c", f"cat /sys/fs/cgroup/systemd{group}/cgroup.procs /sys/fs/cgroup{group}/cgroup.procs 2>/dev/null || :").split()


def wake_ups(machine, unit):
    """How often all threads of the service were woken so far: each wait that ends is a voluntary switch."""
    text = machine.must("sh", "-c", "cat " + " ".join(f"/proc/{pid}/task/*/status" for pid in processes(machine, unit)))
    return sum(map(int, re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)))


def packets(machine):
    """Sent over loopback, where the upstream is; the container has no other link."""
    text = machine.must("cat", "/proc/net/dev")
    return int(re.search(r"^\s*lo:\s*\d+\s+(\d+)", text, re.M).group(1))


def stays_quiet(t, machine, unit):
    """At most one wake-up in ten seconds, and not one packet; the figures."""
    seconds = 600 if t.long else 30
    woken, sent, begun = wake_ups(machine, unit), packets(machine), time.monotonic()
    machine.must("sleep", str(seconds), seconds=seconds + 60)
    woken, sent, seconds = wake_ups(machine, unit) - woken, packets(machine) - sent, time.monotonic() - begun
    equal(sent, 0, f"packets in {seconds:.0f} s")
    check(woken <= seconds / 10 + 2, f"{woken} wake-ups in {seconds:.0f} s")  # one at each end may just fall into it
    return f"{woken} wake-ups and {sent} packets in {seconds:.0f} s"


@case("A15 while nobody asks the service is woken at most once in ten seconds, and sends no packet", builds=("gcc",), timeout=1200)
def idle(t):
    machine, server = booted(t)
    check(len(processes(machine, "ctstubd")) >= 1, "no process was found")
    server.stop()  # closes what is open: from now on there is nothing to do
    with network_of(machine.leader):
        server.start()
    machine.run("sleep", "3")
    t.promised(stays_quiet(t, machine, "ctstubd"))
    # The negative control: what a few questions cost is counted.
    quiet, begun = wake_ups(machine, "ctstubd"), packets(machine)
    with network_of(machine.leader), client.Udp("127.0.0.1", 53, 10) as c:
        for i in range(30):
            c.ask(wire.question(f"awake{i}.example.com"))
            machine.must("true")  # on a busy machine the next question may otherwise come before the daemon waits again
    woken, sent = wake_ups(machine, "ctstubd") - quiet, packets(machine) - begun
    check(woken > 20 and sent > 20, f"{woken} wake-ups and {sent} packets for 30 questions")
    doors(machine)
    machine.power_off()


LOGS_UNIT = "[Service]\nExecStart=/usr/local/bin/ctstub-lab logs --listen 127.0.0.1:9443 --pki /var/lib/lab\n"
WATCH = 'ct { log-list = "/var/lib/lab/ct-logs-served.json" }\ntrust { anchors = "/var/lib/lab/anchors.pem" }\nwatch { poll = "1h" }\n'


def starts(machine, unit):
    return machine.journal(unit).count("Started ")


def logs_are_read(machine):
    """Every log of the list, to its end."""
    code, text = machine.run("cat", "/var/lib/ctstub/watch/status.json")
    logs = json.loads(text)["logs"] if code == 0 else []
    return logs and all(log["lag_entries"] == 0 and log["trouble"] is None and log["head"] for log in logs)


@case("ctstub-watch with nothing to read is woken at most once in ten seconds and sends no packet; ctstub-portal ends", builds=("gcc",), timeout=1800)
def helpers_idle(t):
    machine, _ = booted(t)
    with open(f"{machine.root}/etc/systemd/system/lab-logs.service", "w", encoding="utf-8") as f:
        f.write(LOGS_UNIT)
    machine.must("systemctl", "daemon-reload")
    machine.must("systemctl", "start", "lab-logs")
    until(lambda: machine.run("chmod", "-R", "a+rX", "/var/lib/lab")[0] == 0 and machine.run("test", "-e", "/var/lib/lab/ct-logs-served.json")[0] == 0, 20, "the toy logs serve")
    configure(machine.root, UPSTREAM + WATCH)
    machine.must("systemctl", "start", "ctstub-watch")
    until(lambda: logs_are_read(machine), 60, f"the logs are read: {machine.journal('ctstub-watch')[-800:]}")
    machine.must("systemctl", "stop", "lab-logs")  # its connections end now, not later
    machine.run("sleep", "8")  # the state is shown once more
    stays_quiet(t, machine, "ctstub-watch")
    begun = time.monotonic()
    machine.must("systemctl", "stop", "ctstub-watch")
    within(10, begun, "a watcher at rest does not end when it is asked to")
    configure(machine.root, UPSTREAM + "portal { enable = true }\n")
    machine.must("systemctl", "restart", "ctstubd")
    machine.must("systemctl", "start", "ctstub-portal.socket")
    started = starts(machine, "ctstub-portal")
    machine.must("ctstub", "captive", "30m", "-c", CONFIG)
    until(lambda: starts(machine, "ctstub-portal") > started, 20, "the window starts the portal helper")
    until(lambda: machine.state("ctstub-portal") == "inactive", 40, "the helper ends by itself while nothing is asked")
    machine.power_off()


@case("A13 kill -9 every five seconds under 500 questions a second: clients that ask twice see no failure", builds=("gcc",), timeout=900)
def killed(t):
    machine, _ = booted(t)
    with network_of(machine.leader):
        load = Retries("127.0.0.1", 53, 500)
    before = None
    for _ in range(12 if t.long else 3):
        time.sleep(5)
        until(lambda last=before: machine.state("ctstubd", "MainPID") not in ("0", last), 20, "there is a new daemon")
        pid = machine.state("ctstubd", "MainPID")
        machine.must("sh", "-c", f"kill -9 {pid}")
        before = pid
    time.sleep(5)
    load.finish()
    equal(load.failed[:5], [], f"failures of {load.asked} questions, {load.repeated} of them asked twice")
    check(load.asked > 100 * (12 if t.long else 3) * 5, f"only {load.asked} questions were asked")
    t.promised(f"0 failures of {load.asked:,} questions, {load.repeated} asked twice, {12 if t.long else 3} kills")
    until(lambda: machine.state("ctstubd") == "active", 10, "the service is active")
    machine.power_off()
