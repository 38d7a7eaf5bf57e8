"""ctstub-watch against the lab's logs: every misbehaviour is an alarm of the right kind, about the right log, and of no other."""
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess

from cryptography.hazmat.primitives.serialization import Encoding

from harness.case import case, check, equal, gone, rows, until
from harness.daemon import Daemon, section
from harness.patience import patient
from harness.pki import Authority
from harness.stillclock import StillClock
from harness.toylogs import ToyLogs
from harness.world import mounted

FILL = 700
DATED = {"head-too-old", "head-in-the-future"}  # such a head counts nevertheless
MEMORY_KIB = 64 * 1024  # what a watcher may take at any log's speed


class Watch:
    """ctstub-watch --once, again and again, with one state folder."""

    def __init__(self, t, logs, more=""):
        self.t = t
        self.config = t.write("watch.conf", f'''state-dir = "{t.path("state")}"
user = ""
control-socket = "{t.path("control")}"
ct {{ log-list = "{logs.list}" }}
trust {{ anchors = "{logs.anchors}" }}
upstream "lab" {{ address = {{"1.1.1.1"}} }}
{more}
''')
        t.write("state/.keep", "")

    def once(self, *options, clock=None):
        """(exit code, {(log, problem)}, the whole of what it wrote)"""
        code, out, err = self.t.run("ctstub-watch", "-c", self.config, "--once", *options, timeout=100,
                                    env=clock and clock.env(self.t))
        found = set()
        for line in err.splitlines():
            if "log-misbehaved" in line:
                found.add((re.search(r" log=(\S+)", line)[1], re.search(r" problem=(\S+)", line)[1]))
        return code, found, out + err


    def state(self, name):
        with open(self.t.path(f"state/watch/{name}"), encoding="utf-8") as f:
            return f.read()

    def unread(self):
        """The logs of which not every entry was read and verified up to the head."""
        logs = json.loads(self.state("status.json"))["logs"]
        check(len(logs) >= 13, f"{len(logs)} logs")
        return {log["log"] for log in logs if not log["verified"] == log["tree_size"] > 0}

    def troubled(self):
        """The logs that are not read, as the status and the metrics show them."""
        logs = json.loads(self.state("status.json"))["logs"]
        down = set(re.findall(r'ctstub_watch_log_up\{[^}]*log="([^"]+)"[^}]*\} 0', self.state("metrics.prom")))
        equal(down, {log["log"] for log in logs if log["trouble"]}, "logs that are down by the metrics, and by the status")
        return down

    def heads_of(self, problem):
        """[(size, root)] of the heads that are kept as evidence of a problem, the earlier one first."""
        found = [json.loads(line) for line in self.state("findings.jsonl").splitlines()]
        ids = [f["id"] for f in found if f.get("problem") == problem and f["event"] == "finding"]
        equal(len(ids), 1, f"findings of {problem}")
        folder = self.t.path(f"state/watch/evidence/{ids[0]}")
        names = [n for n in ("first.json", "second.json") if os.path.exists(os.path.join(folder, n))]
        heads = [json.loads(self.state(f"evidence/{ids[0]}/{n}")) for n in names]
        check(all(h["tree_head_signature"] for h in heads), "signatures are kept")
        return [(h["tree_size"], h["timestamp"], h["sha256_root_hash"]) for h in heads]


@case("logs that behave are read to their tree heads without a warning")
def well_behaved(t):
    logs = ToyLogs(t, "--fill", str(FILL))
    watch = Watch(t, logs)
    for options in (("--from", "0"), (), ()):
        code, found, said = watch.once(*options)
        equal((code, found), (0, set()), said)


@rows([
    ("split-view: alpha-1", "split-view", "alpha-1", {"head-forked"}),
    ("split-view: delta-1", "split-view", "delta-1", {"head-forked"}),
    ("roll-back: alpha-1", "roll-back", "alpha-1", {"head-went-back"}),
    ("roll-back: delta-1", "roll-back", "delta-1", {"head-went-back"}),
    ("bad-signature: alpha-1", "bad-signature", "alpha-1", {"head-bad-signature"}),
    ("bad-signature: delta-1", "bad-signature", "delta-1", {"head-bad-signature"}),
    ("stale-head: alpha-1", "stale-head", "alpha-1", {"head-too-old"}),
    ("stale-head: delta-1", "stale-head", "delta-1", {"head-too-old"}),
    ("future-head: alpha-1", "future-head", "alpha-1", {"head-in-the-future"}),
    ("future-head: delta-1", "future-head", "delta-1", {"head-in-the-future"}),
    ("not-json: alpha-1", "not-json", "alpha-1", {"head-malformed"}),
    ("not-json: delta-1", "not-json", "delta-1", {"head-malformed"}),
    ("wrong-origin: delta-1", "wrong-origin", "delta-1", {"head-malformed"}),
    ("oversized: alpha-1", "oversized", "alpha-1", {"answer-oversized"}),
    ("oversized: delta-1", "oversized", "delta-1", {"answer-oversized"}),
])
def heads(t, name, log, wanted):
    """A log that was read before, and then does so."""
    logs = ToyLogs(t, "--fill", str(FILL))
    watch = Watch(t, logs)
    code, found, said = watch.once("--from", "0")
    equal((code, found), (0, set()), f"before: {said}")
    logs.misbehave(name, log)
    found = set()
    for _ in range(2):  # every other head of a split view is the good one
        found |= watch.once()[1]
    equal(found, {(log, kind) for kind in wanted}, name)
    for kind in wanted:
        kept = watch.heads_of(kind)
        # what cannot be read is no head: the answer itself is kept beside the earlier one
        equal(len(kept), 1 if kind in ("head-malformed", "answer-oversized") else 2, f"heads of {kind}")
        equal(len(set(kept)), len(kept), f"heads of {kind}: {kept}")
    if not wanted & DATED:
        for _ in range(2):  # every other head of a split view
            code, found, said = watch.once()
            equal(found, set(), f"it is reported once: {said}")
            if code == 3:
                break
        equal((code, watch.troubled()), (3, {log}), f"as long as it shows no head that can be read: {said}")
    logs.misbehave("no", name, log)
    _, found, said = watch.once()
    equal(found, set(), f"after: {said}")


@rows([
    ("missing-entry: alpha-1", "missing-entry", "alpha-1", {"entries-altered", "entries-withheld"}),
    ("missing-entry: delta-1", "missing-entry", "delta-1", {"entries-altered", "entries-withheld", "entries-malformed"}),
    ("altered-entry: alpha-1", "altered-entry", "alpha-1", {"entries-altered"}),
    ("altered-entry: delta-1", "altered-entry", "delta-1", {"entries-altered"}),
    ("gzip-bomb: delta-1", "gzip-bomb", "delta-1", {"answer-oversized"}),
    ("shrinking-tile: delta-1", "shrinking-tile", "delta-1", {"entries-withheld", "entries-malformed"}),
])
def entries(t, name, log, wanted):
    """A log that is read for the first time."""
    logs = ToyLogs(t, "--fill", str(FILL), "--misbehave", f"{name}@{log}")
    watch = Watch(t, logs)
    _, found, said = watch.once("--from", "0")
    check(found and {where for where, _ in found} == {log} and {kind for _, kind in found} <= wanted, f"{found} {said}")
    logs.misbehave("no", name, log)
    for _ in range(3):  # what was read before may have to be read again
        code, found, said = watch.once()
    equal((code, found), (0, set()), f"after: {said}")


@rows([
    ("where to begin is not proven: alpha-1", "bad-proof", "alpha-1", "300", "head-unproven", "/ct/v1/get-sth-consistency"),
    ("where to begin is not proven: delta-1", "bad-proof", "delta-1", "300", "head-unproven", "/tile/0/"),
    ("no entry can be read while a time is searched for: delta-1", "gzip-bomb", "delta-1", "2026-11-01", "entries-malformed", "/tile/data/"),
])
def begun(t, name, log, start, problem, path):
    """It is asked a few times, more slowly each time, and then reported; the others are read."""
    logs = ToyLogs(t, "--fill", str(FILL), "--misbehave", f"{name}@{log}")
    watch, clock = Watch(t, logs), StillClock(t, scale=5)
    for code_wanted, found_wanted in ((1, {(log, problem)}), (3, set())):  # a finding is reported once
        before = logs.process.log().count(f"/{log}{path}")
        code, found, said = watch.once("--from", start, clock=clock)
        equal((code, found), (code_wanted, found_wanted), said[-900:])
        asked = logs.process.log().count(f"/{log}{path}") - before
        check(5 <= asked <= 40, f"{asked} requests")
        check(not os.path.exists(t.path(f"state/watch/{hashlib.sha256(logs.keys[log]).hexdigest()}")), "a state that would go on at entry 0")
    equal(watch.unread(), {log}, "logs that were not read whole")
    logs.misbehave("no", name, log)
    code, found, said = watch.once("--from", start)
    equal((code, found, watch.unread()), (0, set(), set()), f"after: {said}")


@rows([
    ("busy: alpha-1", "busy", "alpha-1"),
    ("busy: delta-1", "busy", "delta-1"),
    ("fewer-entries: alpha-1", "fewer-entries", "alpha-1"),
])
def slowed(t, name, log):
    """No alarm, and every entry is read."""
    logs = ToyLogs(t, "--fill", "40", "--misbehave", f"{name}@{log}")
    watch = Watch(t, logs)
    code, found, said = watch.once("--from", "0")
    equal((code, found), (0, set()), said)
    equal(watch.unread(), set(), "logs that were not read whole")


@rows([
    ("slow: alpha-1", "slow", "alpha-1"),
    ("slow: delta-1", "slow", "delta-1"),
    ("broken: alpha-1", "broken", "alpha-1"),
    ("broken: delta-1", "broken", "delta-1"),
])
def away(t, name, log):
    """A log that cannot be read now is trouble, no alarm, and keeps nothing of the others from being read."""
    logs = ToyLogs(t, "--fill", "40", "--misbehave", f"{name}@{log}")
    watch, clock = Watch(t, logs), StillClock(t, scale=40)  # a stall of 30 s takes less than one
    code, found, said = watch.once("--from", "0", clock=clock)
    equal((code, found), (3, set()), said)
    check(re.search(rf"log-not-read log={log} ", said), said[-600:])
    equal(watch.unread(), {log}, "logs that were not read whole")
    logs.misbehave("no", name, log)
    code, found, said = watch.once("--from", "0")
    equal((code, found), (0, set()), f"after: {said}")
    equal(watch.unread(), set(), "logs that were not read whole")


@case("a log that was unreachable, and one that asks to slow down, are read to the end, and both are logged")
def back(t):
    logs = ToyLogs(t, "--fill", "40", "--misbehave", "broken@alpha-1", "--misbehave", "busy@beta-1")
    watch, clock = Watch(t, logs), StillClock(t, scale=40)
    watcher = t.spawn("watcher", [t.program("ctstub-watch"), "-c", watch.config, "-v", "--from", "0"], env=clock.env(t))
    watcher.wait_log("log-trouble .*alpha-1", 60)
    watcher.wait_log("log-slows-us .*beta-1", 60)
    logs.misbehave("no", "broken", "alpha-1")
    watcher.wait_log("log-back log=alpha-1", 60)


@rows([
    ("memory stays below its budget: entries as fast as the logs give them", ()),
    ("memory stays below its budget: entries of 32 KiB", ("--entry-size", "32768")),
    ("memory stays below its budget: answers without end", ("--misbehave", "oversized")),
    ("memory stays below its budget: a GiB of zeros in each tile", ("--misbehave", "gzip-bomb@delta-1")),
], builds=("gcc",), timeout=200)
def memory(t, options):
    logs = ToyLogs(t, "--fill", "600" if options else "4000", *options)
    watch = Watch(t, logs)
    process = subprocess.Popen([t.program("ctstub-watch"), "-c", watch.config, "--once", "--from", "0"],
                               env=StillClock(t, scale=20).env(t), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    check(process.returncode in (0, 1, 3), f"exit code {process.returncode}")
    check(usage.ru_maxrss < MEMORY_KIB, f"{usage.ru_maxrss} KiB")


@case("every misbehaviour of the lab's logs is tried here")
def complete(t):
    with open(os.path.join(t.src, "contrib/lab/logs/lab_misbehaviour.def"), encoding="utf-8") as f:
        names = set(re.findall(r'MISBEHAVIOUR\(\w+, "([\w-]+)"', f.read()))
    with open(__file__, encoding="utf-8") as f:
        tried = set(re.findall(r'"([a-z][\w-]+)"', f.read()))
    check(len(names) >= 18, f"{names}")
    equal(names - tried, set(), "misbehaviours without a test")


@case("an entry that joins the tree after the maximum merge delay is an alarm")
def late(t):
    logs = ToyLogs(t, "--fill", "10")
    equal(t.run("ctstub-lab", "pki", logs.folder)[0], 0, "pki")
    watch = Watch(t, logs)
    equal(watch.once("--from", "0")[1], set(), "before")
    logs.misbehave("late-merge", "alpha-1")
    logs.enter(f"{logs.folder}/chains/good-v4.pem")  # its SCTs are ten days old
    _, found, said = watch.once()
    equal({f for f in found if f[1] == "merged-late"}, {("beta-1", "merged-late")}, said)
    logs.misbehave("no", "late-merge", "alpha-1")
    _, late, said = watch.once()
    found |= late
    equal({f for f in found if f[1] == "merged-late"}, {("alpha-1", "merged-late"), ("beta-1", "merged-late")}, said)


@case("an entry that joins the tree within the maximum merge delay is no alarm")
def in_time(t):
    logs, ca = ToyLogs(t, "--fill", "10"), Authority("Submitter")
    watch = Watch(t, logs)
    equal(watch.once("--from", "0")[1], set(), "before")
    logs.submit("alpha-1", [c.public_bytes(Encoding.DER) for c in (ca.issue(names=["x.test"])[1], ca.cert)], pre=False)
    _, found, said = watch.once()
    equal(found, set(), said)
    equal(watch.unread(), set(), "logs that were not read whole")


@rows([
    ("read on after a head of the future: alpha-1", "alpha-1"),
    ("read on after a head of the future: delta-1", "delta-1"),
])
def after_the_future(t, log):
    """A log that once signed a head of the far future is read on."""
    logs, ca = ToyLogs(t, "--fill", "10"), Authority("Submitter")
    equal(t.run("ctstub-lab", "pki", logs.folder)[0], 0, "pki")
    watch = Watch(t, logs)
    equal(watch.once("--from", "0")[1], set(), "before")
    logs.misbehave("future-head", log)
    equal(watch.once()[1], {(log, "head-in-the-future")}, "in between")
    logs.misbehave("no", "future-head", log)
    # by the date of that head it joins late: this shows that it is read
    if log in logs.tiled:  # which merges within a minute; a chain of the lab would have the log grow to its leaf_index first
        logs.submit(log, [c.public_bytes(Encoding.DER) for c in (ca.issue(names=["x.test"])[1], ca.cert)], pre=False)
    else:
        logs.enter(f"{logs.folder}/chains/good-v4.pem")
    _, found, said = watch.once()
    check((log, "merged-late") in found, f"{found} {said}")


@case("a proof that does not hold is an alarm")
def unproven(t):
    logs = ToyLogs(t, "--fill", "10")
    equal(t.run("ctstub-lab", "pki", logs.folder)[0], 0, "pki")
    watch = Watch(t, logs)
    equal(watch.once("--from", "0")[1], set(), "before")
    logs.enter(f"{logs.folder}/chains/good-v4.pem")
    logs.misbehave("bad-proof", "alpha-1")
    _, found, said = watch.once()
    kinds = {"head-unproven", "head-forked"}  # a proof that does not hold may be that of a fork
    equal([log for log, kind in found if kind in kinds], ["alpha-1"], said)


def without_urls(path, keep):
    """The same list, in which only `keep` logs say where they are."""
    with open(path, encoding="utf-8") as f:
        content = json.load(f)
    logs = [log for o in content["operators"] for kind in ("logs", "tiled_logs") for log in o[kind]]
    for log in logs[keep:]:
        for name in ("url", "monitoring_url", "submission_url"):
            log.pop(name, None)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(content, f)
    return [log["description"] for log in logs[keep:]]


@rows([("one warning gives the number of logs without a URL", [], 0), ("with -vv their names follow", ["-v", "-v"], 1)], builds=("gcc",))
def no_url(t, options, named):
    logs = ToyLogs(t)
    names = without_urls(logs.list, 2)
    code, _, out = Watch(t, logs).once(*options)
    equal(code, 0, f"exit code: {out}")
    warnings = re.findall(r"\blogs-not-watched logs=(\d+)", out)
    equal(len(warnings), 1, f"warnings: {out}")
    check(5 < int(warnings[0]) <= len(names), f"{warnings} of {len(names)} logs")  # those that ended are not followed anyway
    shown = re.findall(r"\blog-not-watched log=(\S+)", out)
    check(len(shown) == named * int(warnings[0]) and set(shown) <= set(names), f"lines with a name: {shown}")


@rows([(f"the name of a log's server: {what}", *more) for what, *more in (("it resolves", "log.example", "the server's certificate is refused"), ("it does not exist", "none.example", "resolve"),
       ("its answer is long", "long.example", "the server's certificate is refused"))], netns=True, builds=("gcc",))
def looked_up(t, name, trouble):
    """The watcher's threads ask the C library for a server's address, behind its filter of system calls."""
    data = ['log.example A 127.0.0.1', 'log.example AAAA ::1', *(f"long.example A 127.0.0.{i}" for i in range(1, 90))]
    Daemon(t, 'forward "." { upstream = {} }\nupstream "none" { address = {"192.0.2.1"} }\n', extra=section("local", hosts_file="", data=data),
           listen=["127.0.0.1:53"])
    mounted(t, os.path.realpath("/etc/resolv.conf"), "nameserver 127.0.0.1\n")
    mounted(t, os.path.realpath("/etc/nsswitch.conf"), "hosts: files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns myhostname\n")
    logs = ToyLogs(t)
    without_urls(logs.list, 1)
    with open(logs.list, encoding="utf-8") as f:
        text = f.read()
    with open(logs.list, "w", encoding="utf-8") as f:
        f.write(text.replace("https://127.0.0.1:", f"https://{name}:"))
    code, _, out = Watch(t, logs).once()
    equal(code, 3, f"exit code: {out}")
    check(trouble in out, f"{trouble!r} is not in {out}")


@rows([(f"--once that {number.name} ends before a log has answered is not done", number) for number in (signal.SIGTERM, signal.SIGINT)], builds=("gcc",))
def interrupted(t, number):
    logs = ToyLogs(t)
    without_urls(logs.list, 1)
    with socket.create_server(("127.0.0.1", 0)) as mute, open(logs.list, "r+", encoding="utf-8") as f:
        text = re.sub(r"https://127\.0\.0\.1:\d+", f"https://127.0.0.1:{mute.getsockname()[1]}", f.read())
        f.seek(0)
        f.write(text)
        f.truncate()
        f.flush()
        p = t.spawn("watcher", [t.program("ctstub-watch"), "-c", Watch(t, logs).config, "--once"], env=t.env())
        p.expect = (3,)
        mute.settimeout(patient(30))
        with mute.accept()[0]:
            os.kill(p.popen.pid, number)
            equal(p.popen.wait(patient(30)), 3, "exit code")
    check(" interrupted " in p.log(), p.log())


def launcher_of(process):
    """The process that starts programs for this watcher."""
    with open(f"/proc/{process.popen.pid}/task/{process.popen.pid}/children", encoding="ascii") as f:
        children = [int(pid) for pid in f.read().split()]
    for pid in children:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            if f.read() == "ctstub-launcher\n":
                return pid
    raise AssertionError(f"children {children}")


@case("without its launcher the watcher ends with an error, for the service manager to start it again", builds=("gcc",))
def launcher_gone(t):
    watch = Watch(t, ToyLogs(t))
    p = t.spawn("watcher", [t.program("ctstub-watch"), "-v", "-c", watch.config], env=t.env())
    p.expect = (3,)
    p.wait_log(" watching ", 30)
    launcher = launcher_of(p)
    os.kill(launcher, signal.SIGTERM)  # as a service manager may send it to all
    os.kill(p.popen.pid, signal.SIGHUP)
    p.wait_log(" watching .*\n(?:.*\n)*.* watching ", 30)
    equal(launcher_of(p), launcher, "the launcher after a signal that is not for it, and a reload")
    os.kill(launcher, signal.SIGKILL)
    os.kill(p.popen.pid, signal.SIGHUP)
    equal(p.popen.wait(patient(30)), 3, "exit code")
    check("helper-not-started helper=ctstub-launcher" in p.log(), p.log())


@case("a reload of a broken configuration leaves the watcher with the one it has", builds=("gcc",))
def reload_refused(t):
    watch = Watch(t, ToyLogs(t))
    p = t.spawn("watcher", [t.program("ctstub-watch"), "-v", "-c", watch.config], env=t.env())
    p.wait_log(" watching ", 30)
    with open(watch.config, encoding="utf-8") as f:
        good = f.read()
    for broken, said in ((good + "colour = 1\n", "unknown option"), (good.replace('log-list = "', 'log-list = "/none'), "No such file"),
                         (good + 'watch { known-file = {"/none"} }\n', "No such file")):
        t.write("watch.conf", broken)
        before = len(p.log())
        os.kill(p.popen.pid, signal.SIGHUP)
        until(lambda since=before: "reload-refused" in p.log()[since:], 30, "it is refused")
        check(said in p.log()[before:], p.log()[before:])
    equal(p.popen.poll(), None, "its exit code")
    t.write("watch.conf", good)
    before = p.log().count(" watching ")
    os.kill(p.popen.pid, signal.SIGHUP)
    until(lambda: p.log().count(" watching ") > before, 30, "it begins anew with a good one")


@case("a reload that only the launcher cannot read is refused, and the watcher goes on", builds=("gcc",))
def reload_half(t):
    watch = Watch(t, ToyLogs(t))
    p = t.spawn("watcher", [t.program("ctstub-watch"), "-v", "-c", watch.config], env=t.env())
    p.wait_log(" watching ", 30)
    launcher = launcher_of(p)
    before = resource.prlimit(launcher, resource.RLIMIT_NOFILE)
    resource.prlimit(launcher, resource.RLIMIT_NOFILE, (0, before[1]))  # it can open no file
    os.kill(p.popen.pid, signal.SIGHUP)
    p.wait_log("reload-refused error=.*ctstub-launcher", 30)
    resource.prlimit(launcher, resource.RLIMIT_NOFILE, before)
    os.kill(p.popen.pid, signal.SIGHUP)
    p.wait_log(" watching .*\n(?:.*\n)*.* watching ", 30)
    equal(launcher_of(p), launcher, "the launcher")


@case("states that cannot be written cost one line for each log, however often the logs answer", builds=("gcc",))
def states_unwritten(t):
    watch = Watch(t, ToyLogs(t), 'watch { poll = "1s" }')
    p = t.spawn("watcher", [t.program("ctstub-watch"), "-v", "-c", watch.config], env=t.env())
    until(lambda: os.path.exists(t.path("state/watch/status.json")), 30, "its state is shown")
    os.rename(t.path("state/watch"), t.path("moved"))

    def removed():
        """The watcher may still create and rename files in it."""
        shutil.rmtree(t.path("moved"), ignore_errors=True)
        return not os.path.exists(t.path("moved"))
    until(removed, 10, "the folder is removed: no file can be created in it")
    until(lambda: p.log().count("status-not-written") >= 3, 60, "the state cannot be shown")
    lines = re.findall(r" state-not-written log=(\S+)", p.log())
    check(lines and len(lines) == len(set(lines)), f"logs with a line: {lines}")


@case("a watcher that is killed leaves no launcher behind")
def launcher_ends(t):
    watch = Watch(t, ToyLogs(t))
    p = t.spawn("watcher", [t.program("ctstub-watch"), "-v", "-c", watch.config], env=t.env())
    p.expect = None
    p.wait_log(" watching ", 30)
    launcher = launcher_of(p)
    p.popen.kill()
    p.popen.wait(patient(30))
    until(lambda: gone(launcher), 30, "it ends")
