"""ctstub-watch is killed, again and again: no entry is lost, and no finding is reported twice."""
import glob
import json
import os
import subprocess
import time

from harness.case import case, check, equal
from harness.toylogs import ToyLogs

FILL = 300
KILLS = 200
REAL_KILLS = 20


class Watch:
    """ctstub-watch with a state folder that can be made anew."""

    def __init__(self, t, logs):
        self.t, self.logs, self.round = t, logs, 0
        self.anew()

    def anew(self):
        self.round += 1
        self.state = self.t.path(f"state-{self.round}")
        os.makedirs(self.state)
        self.config = self.t.write(f"watch-{self.round}.conf", f'''state-dir = "{self.state}"
user = ""
control-socket = "{self.t.path("control")}"
ct {{ log-list = "{self.logs.list}" }}
trust {{ anchors = "{self.logs.anchors}" }}
upstream "lab" {{ address = {{"1.1.1.1"}} also-address = {{"127.0.0.1"}} }}
''')
        self.command = ["ctstub-watch", "-c", self.config, "--once", "--from", "0"]

    def run(self, env=None):
        command = [self.t.program(self.command[0]), *self.command[1:]]
        return subprocess.run(command, env={**self.t.env(), **(env or {})}, timeout=60, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    def positions(self):
        """log: entries read, and entries whose root is the signed one"""
        found = {}
        for name in glob.glob(f"{self.state}/watch/" + "[0-9a-f]" * 64):
            with open(name, encoding="utf-8") as f:
                words = {line.split()[0]: line.split()[1] for line in f if " " in line}
            found[words["log"]] = (int(words["range"]), int(words["checked"]))
        return found

    def findings(self):
        with open(f"{self.state}/watch/findings.jsonl", encoding="utf-8") as f:
            events = [json.loads(line) for line in f]
        return sorted(e["id"] for e in events if e["event"] == "finding")


def begin(t):
    logs = ToyLogs(t, "--fill", str(FILL))
    equal(t.run("ctstub-lab", "pki", logs.folder)[0], 0, "pki")
    logs.enter(f"{logs.folder}/chains/good-v4.pem")
    logs.enter(f"{logs.folder}/chains/good-static-ct-only.pem")
    watch = Watch(t, logs)
    check(watch.run() in (0, 1), "a run that nobody kills")
    positions, findings = watch.positions(), watch.findings()
    check(len(findings) >= 1 and len(positions) >= 10, f"{findings} {positions}")
    watch.anew()
    return watch, positions, findings


def same_as_before(watch, positions, findings):
    equal(watch.positions(), positions, "positions")
    equal(watch.findings(), findings, "findings")


@case(f"{KILLS} kills between the calls that change files", builds=("gcc",), timeout=600)
def scripted(t):
    watch, positions, findings = begin(t)
    library = os.path.join(t.build, "tests", "fault", "killat.so")
    kills = point = 0
    while kills < KILLS:
        point += 1
        code = watch.run({"LD_PRELOAD": library, "CTSTUB_KILL_AT": str(point % 60 + 1)})
        if code == -9:
            kills += 1
            continue
        same_as_before(watch, positions, findings)
        watch.anew()
    check(watch.run() in (0, 1), "the last run")
    same_as_before(watch, positions, findings)


@case(f"{REAL_KILLS} times kill -9 at any moment")
def real(t):
    watch, positions, findings = begin(t)
    for i in range(REAL_KILLS):
        process = subprocess.Popen([t.program("ctstub-watch"), *watch.command[1:]], env=t.env(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.02 * (i % 10))  # a moment of its own; the result does not depend on which
        process.kill()
        process.wait()
    check(watch.run() in (0, 1), "the last run")
    same_as_before(watch, positions, findings)
