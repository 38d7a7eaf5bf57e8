"""The units beside the daemon's under the real systemd: what runs by a timer, fails and comes again; the exporter."""
import os
import re
import shutil

from harness.case import case, check, equal, until
from harness.installed import CONFIG, GOOD, STATUS, booted, configure, doors
from harness.pki import DAY, Log, Site, log_list, utc_now
from harness.web import Web

LISTS = "/var/lib/ctstub/ct-logs"
# Slower than the start limit: five starts in ten seconds.
SOON = "[Timer]\nOnActiveSec=\nOnActiveSec=3s\nRandomizedDelaySec=0\nAccuracySec=10ms\n"
SETTINGS = os.path.dirname(CONFIG)
ANCHORS = "/etc/ssl/certs/ca-certificates.crt"
HOUR_US, MINUTE_US = 3600 * 1000000, 60 * 1000000


def put(machine, path, content):
    os.makedirs(os.path.dirname(machine.root + path), exist_ok=True)
    with open(machine.root + path, "w", encoding="utf-8") as f:
        f.write(content)


def drop_in(machine, unit, content):
    put(machine, f"/etc/systemd/system/{unit}.d/test.conf", content)
    machine.must("systemctl", "daemon-reload")


def remaining(machine, timer):
    """Microseconds until it elapses, by the clock that does not stop."""
    spans = {"us": 1, "ms": 1000, "s": 1000000, "min": MINUTE_US, "h": HOUR_US, "d": 24 * HOUR_US}
    shown = machine.must("systemctl", "show", "-P", "NextElapseUSecMonotonic", timer)
    due = sum(float(number) * spans[unit] for number, unit in re.findall(r"([0-9.]+)(us|ms|s|min|h|d)\b", shown))
    with open("/proc/uptime", encoding="ascii") as f:
        return due - float(f.read().split()[0]) * 1000000


def attempts(machine, unit):
    return machine.journal(unit).count("Failed to start")


def fails_and_comes_again(machine, service, within_us):
    """A start by hand ends with an error at once; a timer repeats the attempt, as often as it takes, and not for ever."""
    retry = service + "-retry.timer"
    code, said = machine.run("systemctl", "start", service, seconds=60)
    check(code != 0 and machine.state(service) == "failed", f"{service} by hand: {code} {machine.state(service)} {said}")
    until(lambda: machine.state(retry) == "active", 10, f"{retry} waits")
    check(0 < remaining(machine, retry) <= within_us, f"{retry} elapses in {remaining(machine, retry) / MINUTE_US:.1f} min")
    drop_in(machine, retry, SOON)
    machine.must("systemctl", "restart", retry)
    until(lambda: attempts(machine, service) >= 4, 60, f"four attempts: {attempts(machine, service)}; {machine.journal(service)[-800:]}")


def list_of_logs(machine):
    """The list of CT logs under its own user: without a source it fails and comes again; with one the daemon uses it."""
    logs = [Log(f"Toy {i}", "Operator") for i in range(3)]
    put(machine, "/srv/first.json", log_list(logs, utc_now() + DAY))
    configure(machine.root, GOOD + 'ct { list-url = "/srv/mirror.json" }\n')
    machine.must("systemctl", "restart", "ctstubd")
    fails_and_comes_again(machine, "ctstub-ct-logs", HOUR_US)
    machine.must("setpriv", "--reuid=ctstub-ct-logs", "--regid=ctstub", "--init-groups", "ctstub", "ct-logs", "import", "--force", "--state-dir", LISTS, "/srv/first.json")
    put(machine, "/srv/mirror.json", log_list(logs, utc_now() + 2 * DAY))
    until(lambda: "Finished" in machine.journal("ctstub-ct-logs"), 30, f"the next attempt succeeds: {machine.journal('ctstub-ct-logs')[-800:]}")
    equal(machine.must("stat", "-c", "%U:%G", LISTS, f"{LISTS}/ct-logs.json").split(), ["ctstub-ct-logs:ctstub"] * 2, "owner")
    until(lambda: f"{LISTS}/ct-logs.json" in machine.run(*STATUS, "--json")[1], 20, "the daemon uses the new list")
    until(lambda: machine.state("ctstub-ct-logs-retry.timer") == "inactive", 20, "no further attempt is due")
    equal(machine.state("ctstub-ct-logs"), "inactive", "the unit after its success")
    code, _ = machine.run("setpriv", "--reuid=ctstub-ct-logs", "--regid=ctstub", "--init-groups", "touch", "/var/lib/ctstub/other")
    check(code != 0, "the user of the list can write elsewhere in state-dir")
    os.unlink(f"{machine.root}{LISTS}/ct-logs.json")  # a list of the future: the clock would not be set
    configure(machine.root, GOOD)
    machine.must("systemctl", "restart", "ctstubd")


def exporter(machine):
    machine.must("systemctl", "start", "ctstub-metrics")
    request = r'exec 3<>/dev/tcp/127.0.0.1/9153; printf "GET /metrics HTTP/1.1\r\n\r\n" >&3; cat <&3'
    until(lambda: "ctstub_questions_udp_total" in machine.run("bash", "-c", request)[1], 20, "the exporter serves")
    status = machine.must("cat", f"/proc/{machine.state('ctstub-metrics', 'MainPID')}/status")
    check("CapEff:\t0000000000000000" in status and "Uid:\t0\t" not in status, "the exporter has rights")
    machine.must("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "ctstub-metrics")
    until(lambda: "ctstub_questions_udp_total" in machine.run("bash", "-c", request)[1], 30, "the exporter comes back after kill -9")
    machine.must("systemctl", "stop", "ctstub-metrics")


@case("the units of the list of CT logs, the audit and the exporter: each fails with an error, comes again, and serves", builds=("gcc",), timeout=600)
def helpers(t):
    machine = booted(t)
    list_of_logs(machine)
    exporter(machine)
    configure(machine.root, GOOD + 'nonsense = 1\n')
    fails_and_comes_again(machine, "ctstub-audit", 7 * HOUR_US)
    alert(machine)
    machine.power_off()


# (what the manual page says of a program of exec, whether it can, a command of the shell)
ALERT = (
    ("a server", True, "bash -c 'exec 3<>/dev/tcp/127.0.0.1/53'"),
    ("a server over IPv6", True, "bash -c 'exec 3<>/dev/tcp/::1/53'"),
    ("a socket of this machine", True, "test -S /run/systemd/journal/socket && logger --socket-errors=on alert-was-here"),
    ("its folder", True, "echo x >/var/lib/ctstub/watch/alerted"),
    ("a /tmp of its own", True, "echo x >/tmp/alerted"),
    ("other programs", True, "sh -c 'date | sort' >/dev/null"),
    ("another folder", False, "echo x >/var/tmp/../log/alerted"),
    ("the folder of the daemon", False, "echo x >/var/lib/ctstub/alerted"),
    ("/root", False, "ls /root/seen"),
    ("/home", False, "ls /home/seen"),
    ("a setuid program", False, "test $(/usr/local/bin/id-of-root -u) = 0"),
)


def alert(machine):
    """A program in the sandbox of ctstub-watch.service can do what ctstub-watch(8) says, and no more."""
    steps = "".join(f"if {command} 2>/dev/null; then echo 'can {what};'; else echo 'cannot {what};'; fi\n" for what, _, command in ALERT)
    put(machine, "/usr/local/bin/alert", "#!/bin/sh\n" + steps)
    put(machine, "/root/seen", "")
    put(machine, "/home/seen", "")
    shutil.copy(machine.root + "/usr/bin/id", machine.root + "/usr/local/bin/id-of-root")
    for program, mode in (("alert", 0o755), ("id-of-root", 0o4755)):
        os.chmod(f"{machine.root}/usr/local/bin/{program}", mode)
    equal(machine.must("setpriv", "--reuid=1", "--clear-groups", "/usr/local/bin/id-of-root", "-u").strip(), "0", "a setuid program elsewhere (negative control)")
    drop_in(machine, "ctstub-watch.service", "[Service]\nType=oneshot\nRestart=no\nExecStart=\nExecStart=/usr/local/bin/alert\n")
    machine.must("systemctl", "start", "ctstub-watch", seconds=60)
    said = machine.journal("ctstub-watch")
    for what, can, _ in ALERT:
        check(f"{'can' if can else 'cannot'} {what};" in said, f"{what}: {'can' if can else 'cannot'} was expected: {said[-900:]}")
    check("alert-was-here" in machine.must("journalctl", "--no-pager", "-o", "cat", "-t", "ctstub-watch", "-t", "root"), "the line of logger")


class Organisation:
    """A signed feed on a web server in the machine's network, whose CA the machine trusts."""

    def __init__(self, t, machine):
        self.t, self.machine = t, machine
        site = Site(t, prefix="office")
        with open(site.anchors, encoding="utf-8") as f, open(machine.root + ANCHORS, "a", encoding="utf-8") as anchors:
            anchors.write(f.read())
        self.web, self.key = Web(t, site, machine.leader), t.path("org")
        equal(t.run("ctstub-watch", "sign", "--new-key", self.key)[0], 0, "a new key")
        with open(self.key + ".pub", encoding="utf-8") as f:
            put(machine, SETTINGS + "/feed.pub", f.read())
        put(machine, SETTINGS + "/feed.env", f"CTSTUB_FEED_URL={self.web.url}\n")

    def sign(self, entry):
        code, out, err = self.t.run("ctstub-watch", "sign", "--key", self.key + ".key", "--output", self.web.path("feed.txt"), self.t.write("entries.txt", entry + "\n"))
        equal(code, 0, f"sign: {out}{err}")


def toy_entry(machine):
    """An entry for the key that the lab's good resolver has."""
    with open(machine.root + "/var/lib/lab/chains/good-v4.pem", encoding="utf-8") as f:
        return f.read()


def changes(machine):
    """A list that changes again and again, each time as soon as the daemon has the one before."""
    def reloads():
        return machine.journal("ctstub-reload").count("Finished")
    begun = reloads()
    for change in range(12):
        machine.must("touch", "/var/lib/ctstub/watch/reload-wanted")
        until(lambda change=change: reloads() > begun + change, 10, f"change {change} is read; path unit: {machine.journal('ctstub-watch-reload.path')[-400:]}")


@case("the unit of the disallow feed: the timer pulls every five minutes, the daemon reloads, and a bad feed fails", builds=("gcc",), timeout=600)
def feed(t):
    machine = booted(t)
    machine.must("systemctl", "start", "ctstub-watch-pull")
    equal(machine.state("ctstub-watch-pull", "ConditionResult"), "no", "without feed.env")
    office = Organisation(t, machine)
    chain = t.write("good.pem", toy_entry(machine))
    code, shown, _ = t.run("ctstub", "verify", "--json", "--ip", "127.0.0.1", "--ca", machine.root + "/var/lib/lab/anchors.pem", "--ct", "off", chain)
    entry = "spki-sha256 " + re.search(r'"spki_sha256": ?"([0-9a-f]{64})"', shown).group(1)
    office.sign("spki-sha256 " + "00" * 32)
    machine.must("systemctl", "enable", "ctstub-watch-pull.timer")
    # as SOON: faster, the start limit ends the pulls
    drop_in(machine, "ctstub-watch-pull.timer", "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/3\nRandomizedDelaySec=0\nAccuracySec=10ms\n")
    machine.must("systemctl", "start", "ctstub-watch-pull.timer")
    until(lambda: "edition 1 taken" in machine.journal("ctstub-watch-pull"), 30, f"the timer pulls: {machine.journal('ctstub-watch-pull')[-800:]}")
    doors(machine)
    office.sign(entry)
    until(lambda: "reason=disallowed" in machine.journal("ctstubd"), 30, f"the daemon refuses its upstream: {machine.journal('ctstub-watch-pull')[-800:]}")
    until(lambda: machine.run("test", "-e", "/var/lib/ctstub/watch/reload-wanted")[0] != 0, 10, "no reload is wanted any more")
    machine.must("systemctl", "stop", "ctstub-watch-pull.timer")
    changes(machine)
    with open(office.web.path("feed.txt"), "a", encoding="utf-8") as f:
        f.write("cert-sha256 " + "00" * 32 + "\n")
    code, _ = machine.run("systemctl", "start", "ctstub-watch-pull", seconds=60)
    check(code != 0, "a feed that was changed is taken")
    until(lambda: "not of this file" in machine.journal("ctstub-watch-pull"), 10, f"the journal says why: {machine.journal('ctstub-watch-pull')[-400:]}")
    equal(machine.state("ctstub-watch-pull"), "failed", "the unit after a bad feed")
    machine.power_off()


@case("with the shipped timer two looks at the feed are five minutes apart, and no more", builds=("gcc",))
def pull_interval(t):
    with open(os.path.join(t.src, "contrib/systemd/ctstub-watch-pull.timer"), encoding="utf-8") as f:
        timer = dict(line.strip().split("=", 1) for line in f if "=" in line and not line.startswith("#"))
    equal((timer["OnCalendar"], timer["RandomizedDelaySec"], timer["FixedRandomDelay"]), ("*:0/5", "5min", "yes"), "every five minutes, at a moment that each machine keeps")
    for name in ("contrib/fleet/rogue-day.md", "contrib/fleet/README.md", "contrib/watch/ctstub-watch.8"):
        with open(os.path.join(t.src, name), encoding="utf-8") as f:
            check(re.search(r"ctstub-watch-pull\.timer`?\s+starts\s+it\s+every\s+five\s+minutes", f.read()), f"{name} does not give the timer's five minutes")
