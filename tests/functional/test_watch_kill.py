"""ctstub-watch is killed, again and again: no entry is lost, and no finding is reported twice."""
import collections
import glob
import json
import os
import re
import subprocess
import time

from cryptography.hazmat.primitives.serialization import Encoding

from harness.case import case, check, equal
from harness.pki import Authority
from harness.toylogs import ToyLogs

FILL = 20
KILLS = 200
REAL_KILLS = 20
POINTS_MAX = 200  # a run changes files fewer times

# What a run leaves behind: positions, how often each finding is recorded, what is blocked, and the alerts of each finding.
Result = collections.namedtuple("Result", "positions findings blocked alerts")


class Watch:
    """ctstub-watch --once with one log and one certificate in it, and a state folder that can be made anew."""

    def __init__(self, t, logs, log):
        self.t, self.logs, self.log, self.round, self.kills = t, logs, log, 0, 0
        self.library = t.library("tests/fault/killat.so")
        self.list = t.write(f"list-{log}.json", json.dumps(only(logs.list, log)))
        self.known = t.write("known", "spki-sha256 " + "00" * 32 + "\n")
        self.anew()

    def anew(self):
        self.round += 1
        self.state = self.t.path(f"{self.log}-{self.round}")
        os.makedirs(self.state)
        alert = self.t.write(f"{self.log}-{self.round}/alert", f"#!/bin/sh\ncat >>{self.state}/alerts\n")
        os.chmod(alert, 0o755)
        self.config = self.t.write(f"{self.log}-{self.round}/watch.conf", f'''state-dir = "{self.state}"
user = ""
control-socket = "{self.t.path("control")}"
ct {{ log-list = "{self.list}" }}
trust {{ anchors = "{self.logs.anchors}" }}
upstream "lab" {{ address = {{"1.1.1.1"}} also-address = {{"127.0.0.1"}} }}
watch {{ block = "enforce" known-file = {{"{self.known}"}} exec = "{alert}" }}
''')

    def command(self):
        return [self.t.program("ctstub-watch"), "-c", self.config, "--once", "--from", "0"]

    def run(self, at=0, **env):
        """True: it was killed before the call with that number."""
        if at or env:
            env = {"LD_PRELOAD": self.library, "CTSTUB_KILL_AT": str(at), **env}
        code = subprocess.run(self.command(), env={**self.t.env(), **env}, timeout=60, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        check(code in (0, 1, -9), f"exit code {code}")
        self.kills += code == -9
        return code == -9

    def read(self, name):
        path = f"{self.state}/{name}"
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as f:
            return f.read()

    def result(self):
        positions = {}
        for path in glob.glob(f"{self.state}/watch/" + "[0-9a-f]" * 64):
            words = dict(line.split()[:2] for line in self.read(f"watch/{os.path.basename(path)}").splitlines() if " " in line)
            positions[words["log"]] = (int(words["range"]), int(words["checked"]))
        events = [json.loads(line) for line in self.read("watch/findings.jsonl").splitlines()]
        alerts = [json.loads(line)["id"] for line in self.read("alerts").splitlines()]
        return Result(positions, sorted(e["id"] for e in events if e["event"] == "finding"),
                      re.findall(r"^(?:serial|spki-sha256) .*$", self.read("watch/disallow.txt"), re.M),
                      collections.Counter(alerts))


def only(path, log):
    """The list with this log alone."""
    with open(path, encoding="utf-8") as f:
        whole = json.load(f)
    for operator in whole["operators"]:
        for kind in ("logs", "tiled_logs"):
            operator[kind] = [entry for entry in operator[kind] if entry["description"] == log]
    whole["operators"] = [o for o in whole["operators"] if o["logs"] or o["tiled_logs"]]
    return whole


def begin(t, log):
    """A watcher, and what it leaves behind when nobody kills it. The certificate is in this log only: of an RFC 6962 log a
    proven one, which is blocked, of a static-ct log one of a CA that nobody trusts."""
    logs = ToyLogs(t, "--fill", str(FILL), folder=f"logs-{log}")
    if log in logs.tiled:
        ca = Authority("Nobody's")
        logs.submit(log, [c.public_bytes(Encoding.DER) for c in (ca.issue(ips=["127.0.0.1"])[1], ca.cert)], pre=False)
    else:
        equal(t.run("ctstub-lab", "pki", logs.folder)[0], 0, "pki")
        logs.enter(f"{logs.folder}/chains/fina-full-ct.pem")
    watch = Watch(t, logs, log)
    check(not watch.run(), "a run that nobody kills")
    wanted = watch.result()
    equal((len(wanted.positions), len(wanted.findings), len(wanted.blocked), list(wanted.alerts.values())),
          (1, 1, 0 if log in logs.tiled else 2, [1]), "an undisturbed run")
    equal(list(wanted.positions.values()), [(FILL + 1, FILL + 1)], "entries")
    return watch, wanted


def differs(watch, wanted):
    """What is lost or doubled. An alert is sent at most once: it is recorded before the program runs."""
    found = watch.result()
    lost = [f for f in wanted.findings if f not in found.findings]
    twice = [f for f, n in (collections.Counter(found.findings) + found.alerts).items() if found.findings.count(f) > 1 or found.alerts[f] > 1]
    return ([f"lost: {lost}"] if lost else []) + ([f"twice: {twice}"] if twice else []) + \
        ([f"positions: {found.positions}"] if found.positions != wanted.positions else []) + \
        ([f"blocked: {found.blocked}"] if sorted(found.blocked) != sorted(wanted.blocked) else [])


def round_of(watch, wanted, points, **env):
    """From nothing, killed before each of these calls in turn, then to the end: what differs; None: it was not killed that often."""
    watch.anew()
    for point in points:
        if not watch.run(point, **env):
            return None
    check(not watch.run(**env), "the last run")
    return differs(watch, wanted)


def points_of(watch, wanted, found, *before, **env):
    """Kills a run before each of its calls that change files, after kills before the calls `before`."""
    for point in range(1, POINTS_MAX):
        problems = round_of(watch, wanted, (*before, point), **env)
        if problems is None:
            return point - 1
        found += [f"{(*before, point)}: {p}" for p in problems]
    raise AssertionError("a run that does not end")


@case(f"{KILLS} kills, before each call that changes a file, from nothing and from what a kill left", builds=("gcc",), timeout=600)
def scripted(t):
    found = []
    both = [begin(t, log) for log in ("alpha-1", "delta-1")]
    points = [points_of(watch, wanted, found) for watch, wanted in both]
    check(min(points) >= 10, f"calls that change files: {points}")
    first = 1
    while sum(watch.kills for watch, _ in both) < KILLS:
        for (watch, wanted), last in zip(both, points):
            if first < last:
                points_of(watch, wanted, found, last - first)
        first += 1
        check(first < POINTS_MAX, "kills")
    equal(found, [], f"after {sum(watch.kills for watch, _ in both)} kills at {points} calls")


@case("a watcher that writes its position before the finding is caught", builds=("gcc",), timeout=300)
def control(t):
    """The library keeps what is written to this file in memory until the process ends."""
    watch, wanted = begin(t, "alpha-1")
    found = []
    points_of(watch, wanted, found, CTSTUB_HOLD="findings.jsonl")
    check("lost" in {f.split(": ")[1] for f in found}, f"found: {found}")


@case("a watcher that forgets what it reported is caught", builds=("gcc",))
def forgetful(t):
    watch, wanted = begin(t, "alpha-1")
    watch.anew()
    for _ in range(2):
        check(not watch.run(), "a whole run")
        for path in glob.glob(f"{watch.state}/watch/" + "[0-9a-f]" * 64) + [f"{watch.state}/watch/findings.jsonl"]:
            os.remove(path)
    check(not watch.run(), "the last run")
    check(any(d.startswith("twice") for d in differs(watch, wanted)), f"{differs(watch, wanted)}")


@case(f"{REAL_KILLS} times kill -9 at any moment")
def real(t):
    watch, wanted = begin(t, "alpha-1")
    watch.anew()
    for i in range(REAL_KILLS):
        process = subprocess.Popen(watch.command(), env=t.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.01 * (i % 10))  # a moment of its own; the result does not depend on which
        process.kill()
        process.wait()
    check(not watch.run(), "the last run")
    equal(differs(watch, wanted), [], "differences")
