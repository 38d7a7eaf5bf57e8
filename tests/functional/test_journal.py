"""The journal: what upstreams showed is recorded once, survives restarts, crashes, full disks and damage."""
import json
import os
import re
import signal
import ssl
import subprocess
import time

from functional._common import again, small_disk, stat
from harness import client
from harness.case import Skip, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.pki import Authority, Site, key_pem, pem
from harness.standstill import TimeIsUp
from harness.upstream import DotServer

DEFAULT = "info"  # the level at which people run it


class World:
    """A daemon in front of one server whose certificate changes."""

    def __init__(self, t, with_ct=True, level=DEFAULT, extra="", daemon=True, **options):
        self.t = t
        self.site = Site(t, with_ct=with_ct)
        self.other = Authority("Other root")
        with open(self.site.anchors, "ab") as f:
            f.write(pem(self.other.cert))
        self.server = DotServer(t, self.site, tune=lambda context: setattr(context, "num_tickets", 0))
        self.n = 0
        ct = f'ct {{ log-list = "{self.site.log_list}" }}\n' if with_ct else 'ct { mode = "off" }\n'
        self.extra = ct + 'cache { serve-stale = "0s" }\n' + extra
        if daemon:
            self.daemon = Daemon(t, upstream("one", self.server), anchors=self.site.anchors, ct=None, extra=self.extra,
                                 log_level=level, **options)
            self.dir = options.get("state_dir", self.daemon.dir)

    def show(self, key, certificate, *chain):
        """From now on the server presents this."""
        self.n += 1
        chain_file = self.t.write(f"shown-{self.n}.pem", b"".join(pem(c) for c in (certificate, *chain)))
        self.server.context.load_cert_chain(chain_file, self.t.write(f"shown-{self.n}.key", key_pem(key)))
        self.server.stop()
        self.server.start()

    def renew(self, logs=None, issuer=None):
        issuer = issuer or self.site.intermediate
        key, certificate = issuer.issue(["127.0.0.1"], ["dns.test"], self.site.logs if logs is None else logs)
        self.last = certificate.serial_number
        self.show(key, certificate, *([self.site.intermediate.cert] if issuer is self.site.intermediate else []))
        return certificate

    def ask(self, want="NOERROR"):
        self.asked = getattr(self, "asked", 0) + 1
        reply = self.daemon.ask(f"n{self.asked}.example", timeout=60)
        equal(client.rcode(reply), want, "rcode")

    def settle(self, n):
        """The records, when there are n of them."""
        until(lambda: len(self.records()) >= n, 10, f"{n} records; there are {self.records()}; log {self.daemon.log()[-600:]}")
        records = self.records()
        equal(len(records), n, f"records {[(r['event'], r.get('new')) for r in records]}")
        return records

    def records(self, name="journal.jsonl"):
        try:
            with open(os.path.join(self.dir, name), encoding="utf-8") as f:
                whole = f.read().rpartition("\n")[0]  # in one piece: the rest of a line that comes meanwhile is not one
            return [json.loads(line) for line in whole.split("\n") if whole]
        except FileNotFoundError:
            return []

    def events(self, name):
        return [line for line in self.daemon.log().splitlines() if f" {name} " in line]


@case("the first acceptance is recorded and logged at the default level, once, also over restarts", builds=("gcc", "san"))
def first(t):
    w = World(t)
    w.ask()
    record = w.settle(1)[0]
    equal((record["event"], record["upstream"], record["new"]), ("first-acceptance", "one", ["leaf", "key", "issuer", "ca", "scts"]), "record")
    equal((record["address"], record["serial"]), (f"127.0.0.1:{w.server.port}", f"{w.site.cert.serial_number:x}".zfill(len(record["serial"]))), "whose")
    equal((sorted(record["logs"]), len(record["log_ids"]), len(record["chain"])), (["Alpha 1", "Beta 1", "Gamma tiled"], 3, 2), "logs and chain")
    equal(len(w.events("first-acceptance")), 1, f"events {w.daemon.log()}")
    for _ in range(3):
        w.server.stop()
        w.server.start()
        w.ask()
    again(w.daemon)
    w.ask()
    w.settle(1)
    equal(len(w.events("first-acceptance")), 0, "events after a restart")


@case("a renewed certificate is a change, and logged at the default level")
def renewal(t):
    w = World(t)
    w.ask()
    w.renew()
    w.ask()
    record = w.settle(2)[1]
    equal((record["event"], record["new"]), ("change", ["leaf", "key"]), "record")
    equal([("new=leaf,key" in line) for line in w.events("certificate-changed")], [True], "events")
    equal((len(w.events("issuer-changed")), stat(w.daemon, "upstream_issuer_changes")), (0, 0), "the issuer is the same")


@case("another issuer is a warning and a metric, and the one before it is known already", builds=("gcc", "san"))
def issuer(t):
    w = World(t, with_ct=False)
    w.ask()
    w.renew(logs=(), issuer=w.other)
    w.ask()
    record = w.settle(2)[1]
    equal((record["event"], record["new"]), ("change", ["leaf", "key", "issuer", "ca"]), "record")
    check("Other root" in record["issuer"] and "Other root" in record["anchor"], f"whose {record}")
    line = w.events("issuer-changed")
    check(len(line) == 1 and line[0].startswith("warn ") and "Other root" in line[0], f"event {line}")
    equal(stat(w.daemon, "upstream_issuer_changes"), 1, "metric")
    w.show(w.site.key, w.site.cert, w.site.intermediate.cert)
    w.ask()
    w.renew(logs=(), issuer=w.other)
    w.ask()
    records = w.settle(3)
    equal(records[2]["new"], ["leaf", "key"], "both issuers are known by now")
    equal(stat(w.daemon, "upstream_issuer_changes"), 1, "metric")


@case("the same issuer below another root is another CA")
def other_ca(t):
    w = World(t, with_ct=False)
    w.ask()
    twin = Authority("Intermediate of site", w.other, w.site.intermediate.key)
    key, certificate = w.site.intermediate.issue(["127.0.0.1"], ["dns.test"])
    w.show(key, certificate, twin.cert)
    w.ask()
    record = w.settle(2)[1]
    check("Other root" in record["anchor"], record["anchor"])
    equal(record["new"], ["leaf", "key", "ca"], "what is new")
    line = w.events("issuer-changed")
    check(len(line) == 1 and "new=leaf,key,ca" in line[0], f"event {line}")


@case("other logs are a new set of SCTs")
def other_logs(t):
    w = World(t, extra='ct { policy = "chrome" }\n')
    w.ask()
    w.renew(logs=w.site.logs[:2])
    w.ask()
    record = w.settle(2)[1]
    equal((record["new"], sorted(record["logs"])), (["leaf", "key", "scts"], ["Alpha 1", "Beta 1"]), "record")


def evidence(w):
    folder = os.path.join(w.dir, "evidence")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


@case("a refusal is recorded once an hour, with its evidence, and the acceptance after it", builds=("gcc", "san"))
def refusal(t):
    w = World(t)
    w.ask()
    w.renew(logs=w.site.logs[:1])
    w.ask("SERVFAIL")
    until(lambda: len(evidence(w)) == 2, 10, f"evidence {evidence(w)}")
    again(w.daemon)
    w.ask("SERVFAIL")
    record = w.settle(2)[1]
    equal((record["event"], record["reason"], record["count"]), ("refused", "ct-too-few-scts", 1), "record")
    w.daemon.process.stop()
    again(w.daemon)
    last = w.daemon.ctl("status")["last_refusal"]
    equal((last["upstream"], last["reason"], last["at"][:19]), ("one", "ct-too-few-scts", record["time"][:19]), "the last refusal, after a restart")
    equal(evidence(w), [record["evidence"] + ".json", record["evidence"] + ".pem"], "files")
    w.renew()
    again(w.daemon)
    w.ask()
    equal([r["event"] for r in w.settle(3)], ["first-acceptance", "refused", "change"], "records")
    w.renew(logs=w.site.logs[:1])
    w.ask("SERVFAIL")
    w.settle(4)
    w.show(w.site.key, w.site.cert, w.site.intermediate.cert)
    again(w.daemon)
    w.ask()
    equal(w.settle(5)[4]["event"], "accepted", "back to one that is known")


@case("ctstub verify takes the evidence, and reaches the verdict beside it")
def evidence_verifies(t):
    w = World(t)
    w.renew(logs=())
    w.ask("SERVFAIL")
    name = w.settle(1)[0]["evidence"]
    folder = os.path.join(w.dir, "evidence")
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as f:
        kept = json.load(f)
    equal(kept["reasons"], ["ct-no-scts"], "verdict")
    code, out, err = t.run("ctstub", "verify", "-c", w.daemon.config, "--upstream", "one", "--at", kept["at"], "--json",
                           os.path.join(folder, name + ".pem"))
    equal((code, json.loads(out)), (1, kept), f"verify {err}")


# ---- crashes, disks and damage

def children_of(d):
    with open(f"/proc/{d.process.pid}/task/{d.process.pid}/children", encoding="ascii") as f:
        return [int(pid) for pid in f.read().split()]


def helper(d):
    """The process that writes."""
    d.process.wait_log(" started ")
    children = children_of(d)
    equal(len(children), 1, f"children {children}")
    with open(f"/proc/{children[0]}/comm", encoding="ascii") as f:
        equal(f.read().strip(), "ctstub-journal", "its name")
    return children[0]


def state(d):
    return d.ctl("status")["journal"]["state"]


@case("killed at any moment, the daemon leaves whole records, and none twice")
def killed(t):
    w = World(t)
    w.ask()
    for _ in range(12):
        w.renew()
        w.ask()
        w.daemon.process.kill()
        again(w.daemon)
    w.renew()
    w.ask()
    until(lambda: w.records() and w.records()[-1]["serial"].lstrip("0") == f"{w.last:x}", 10, "the last one is recorded")
    with open(os.path.join(w.dir, "journal.jsonl"), encoding="utf-8") as f:
        text = f.read()
    records = [json.loads(line) for line in text.splitlines()]
    check(text.endswith("\n"), "the last line is whole")
    leaves = [r["sha256"] for r in records]
    equal(len(set(leaves)), len(leaves), "each certificate once")
    equal([r["event"] for r in records], ["first-acceptance"] + ["change"] * (len(records) - 1), "events")


@case("a line that was cut short is counted, skipped and removed", builds=("gcc", "san"))
def torn(t):
    w = World(t)
    w.ask()
    w.settle(1)
    w.daemon.process.kill()
    with open(os.path.join(w.dir, "journal.jsonl"), "ab") as f:
        f.write(b'{"time":"2026-11-28T10:00:00Z","event":"change","upstr')
    again(w.daemon)
    check("journal-damaged lines=1 records=1" in w.daemon.log(), "the log says so")
    code, out, err = w.daemon.tool("history", "--json")
    equal((code, json.loads(out)["damaged_lines"]), (0, 1), f"history {err}")
    w.renew()
    w.ask()
    w.settle(2)
    equal(json.loads(w.daemon.tool("history", "--json")[1])["damaged_lines"], 0, "damaged lines after the next record")


@case("without the writer process the daemon answers, and reports that there is no journal", builds=("gcc", "san"))
def helper_killed(t):
    w = World(t)
    w.ask()
    w.settle(1)
    equal(state(w.daemon), "written", "state")
    os.kill(helper(w.daemon), signal.SIGKILL)
    until(lambda: state(w.daemon) == "ended", 10, "the daemon notices")
    w.renew()
    w.ask()
    until(lambda: len(w.events("certificate-changed")) == 1, 10, "the log still has changes")
    out = w.daemon.tool("status")[1]
    check("the journal is not written: its process has ended, restart ctstubd" in out, out)
    check("ctstub_journal_written 0" in w.daemon.tool("stats", "--prometheus")[1], "metric")
    check(re.search(r'journal-not-written error="its process has ended, restart ctstubd" path=/\S+/journal\.jsonl$', w.daemon.log(), re.M), w.daemon.log())
    again(w.daemon)
    w.ask()
    w.settle(2)


@case("on a full disk records are lost, which is reported, and recording resumes when there is room again", netns=True)
def full_disk(t):
    folder = small_disk(t, "size=64k")
    w = World(t, state_dir=folder)
    w.ask()
    w.settle(1)
    with open(os.path.join(folder, "filler"), "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
    for lost in (1, 2):
        w.renew()
        w.ask()
        until(lambda n=lost: stat(w.daemon, "journal_lost") >= n and state(w.daemon) == "failing", 10, "the journal fails")
    equal(len(w.records()), 1, "whole records")
    check("No space left on device" in w.daemon.tool("status")[1], "status")
    os.unlink(os.path.join(folder, "filler"))
    w.renew()
    w.ask()
    w.settle(2)
    until(lambda: state(w.daemon) == "written", 10, "the journal is written again")
    check("journal-written-again" in w.daemon.log() and stat(w.daemon, "journal_lost") >= 2, "log and count")


@case("a folder that cannot be written is reported, and has no other effect", netns=True)
def read_only(t):
    folder = small_disk(t, "size=64k,ro")
    w = World(t, state_dir=folder)
    w.ask()
    until(lambda: state(w.daemon) == "failing", 10, "the journal fails")
    check("Read-only file system" in w.daemon.tool("status")[1], "status")
    w.ask()


@rows([
    ("without a state-dir there is no journal and no process for it", "", "off"),
    ("a state-dir that does not exist is reported when there is something to write", "/nonexistent/ctstub", "failing"),
], builds=("gcc",))
def no_folder(t, folder, want):
    w = World(t, state_dir=folder)
    w.ask()
    until(lambda: state(w.daemon) == want, 10, f"state is {want}")
    equal(len(children_of(w.daemon)), 1 if folder else 0, "children")
    equal(w.daemon.tool("history")[0], 0 if folder else 2, "history")


@case("after a reload that moves the journal to another folder, known certificates stay known")
def moved(t):
    w = World(t)
    w.ask()
    w.settle(1)
    w.dir = t.path("elsewhere")
    os.makedirs(w.dir)
    w.daemon.head = w.daemon.head.replace(f'state-dir = "{w.daemon.dir}"', f'state-dir = "{w.dir}"')
    w.daemon.write(upstream("one", w.server), w.extra)
    equal(w.daemon.tool("reload")[0], 0, "reload")
    w.ask()
    w.renew()
    w.ask()
    equal(w.settle(1)[0]["event"], "change", "the only record there")


@case("a reload switches the journal off; switching it on needs the writer process")
def switched(t):
    w = World(t)
    w.ask()
    w.settle(1)

    def reload_with(folder):
        w.daemon.head = re.sub(r'state-dir = ".*"', f'state-dir = "{folder}"', w.daemon.head)
        w.daemon.write(upstream("one", w.server), w.extra)
        equal(w.daemon.tool("reload")[0], 0, "reload")
    reload_with("")
    equal(state(w.daemon), "off", "state without a folder")
    w.renew()
    w.ask()
    until(lambda: len(w.events("certificate-changed")) == 1, 10, "the log has changes")
    reload_with(w.dir)
    equal(state(w.daemon), "written", "state with it again")
    w.renew()
    w.ask()
    w.settle(2)
    reload_with("")
    again(w.daemon)
    reload_with(w.dir)
    equal(state(w.daemon), "off", "without the process")
    check("restart-needed option=state-dir" in w.daemon.log(), "the log asks for a restart")
    check("the journal is not written: its process is not running, restart ctstubd" in w.daemon.ctl("status")["warnings"], "and so does the status")


def descriptors(pid):
    """What they lead to; None while one of them is being closed."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as fds:
            return sorted(os.readlink(fd.path).split(":")[0] for fd in fds)
    except OSError:
        return None


@case("the writer process runs as the daemon's user, and can neither make sockets nor execute", builds=("gcc",))
def user(t):
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    folder = t.path("state")
    os.makedirs(folder)
    os.chown(folder, 65534, 65534)
    w = World(t, state_dir=folder, user="nobody")
    lock = os.path.join(folder, "journal.lock")
    until(lambda: os.path.exists(lock), 10, "it has taken the lock")
    until(lambda: descriptors(helper(w.daemon)) == ["/dev/null"] * 3 + [lock, "socket"], 10,
          lambda: f"descriptors {descriptors(helper(w.daemon))}")
    with open(f"/proc/{helper(w.daemon)}/status", encoding="ascii") as f:
        lines = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    equal((lines["Uid"].split(), lines["Seccomp"], lines["NoNewPrivs"], int(lines["CapEff"], 16)), (["65534"] * 4, "2", "1", 0), "process")
    w.ask()
    w.settle(1)
    equal(os.stat(os.path.join(folder, "journal.jsonl")).st_uid, 65534, "owner")


@case("a journal in a folder where the daemon may make no file is written, without a lock", builds=("gcc",))
def no_lock(t):
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    folder = t.path("state")
    os.makedirs(folder)
    journal = os.path.join(folder, "journal.jsonl")
    open(journal, "w", encoding="ascii").close()
    os.chown(journal, 65534, 65534)
    w = World(t, state_dir=folder, user="nobody")
    w.ask()
    w.settle(1)
    check(not os.path.exists(os.path.join(folder, "journal.lock")), "there is no lock")
    equal((state(w.daemon), stat(w.daemon, "journal_lost")), ("written", 0), "state and losses")


def beside(w):
    """A second daemon with the state-dir of the first, which it holds."""
    until(lambda: os.path.exists(os.path.join(w.dir, "journal.lock")), 10, "the first daemon has the folder")
    second = World(w.t, state_dir=w.dir)
    check(second.daemon.process.pid != w.daemon.process.pid, "two daemons")
    return second


@case("a second daemon with the same state-dir writes nothing there, names the folder and the first, and takes over after it",
      builds=("gcc", "san"))
def two_daemons(t):
    w = World(t)
    w.ask()
    w.settle(1)
    second = beside(w)
    second.ask()
    until(lambda: state(second.daemon) == "failing", 20, "the second one reports it")
    why = f"another ctstubd, process {w.daemon.process.pid}, writes to {w.dir}"
    check(why in second.daemon.log(), f"the log names both: {second.daemon.log()[-600:]}")
    check(f"the journal is not written: {why}" in second.daemon.ctl("status")["warnings"], "and so does the status")
    check(f"the evidence of refusals is not written: {why}" in second.daemon.ctl("status")["warnings"], "of the evidence too")
    second.renew()
    lost = stat(second.daemon, "journal_lost")
    second.ask()
    until(lambda: stat(second.daemon, "journal_lost") > lost, 10, "what it could not write is counted")
    w.renew()
    w.ask()
    equal(w.settle(2)[1]["event"], "change", "the first one goes on")
    equal((state(w.daemon), stat(w.daemon, "journal_lost")), ("written", 0), "undisturbed")
    code, out, _ = second.daemon.tool("history")
    equal((code, len(out.splitlines()) > 1), (0, True), "and others read it")
    w.daemon.process.stop()
    until(lambda: state(second.daemon) == "written", 30, "the second one takes over")
    second.renew()
    second.ask()
    second.settle(3)


@case("a daemon that starts while the one before it ends loses no record")
def overlapping(t):
    w = World(t)
    w.ask()
    w.settle(1)
    started = time.monotonic()
    second = beside(w)
    second.ask()
    w.daemon.process.stop()
    if time.monotonic() - started > 2.5:  # the second one waits 3 s
        raise TimeIsUp("the first daemon ended too late")
    equal(len(second.settle(2)), 2, "records")
    check("journal-not-written" not in second.daemon.log(), "nothing was reported")
    equal((state(second.daemon), stat(second.daemon, "journal_lost")), ("written", 0), "nothing was lost")


@case("two workers record a certificate once")
def two_workers(t):
    w = World(t, workers=2)
    for _ in range(20):
        w.ask()
    w.renew()
    for _ in range(20):
        w.ask()
    equal([r["event"] for r in w.settle(2)], ["first-acceptance", "change"], "events")


@case("a journal of its size is rotated, and a restart after it reports nothing again", builds=("gcc", "san"))
def rotated(t):
    w = World(t, extra='journal { size = "64KiB" }\n')
    w.ask()
    w.settle(1)
    rounds = 0
    while not w.records("journal.jsonl.1") and rounds < 60:
        rounds += 1
        w.renew()
        w.ask()
        until(lambda: any(r["serial"].lstrip("0") == f"{w.last:x}" for r in w.records()), 10, "recorded")
    now = w.records()
    check(now[0]["event"] == "known" and now[-1]["event"] == "change", f"events {[r['event'] for r in now]}")
    check(all(os.stat(os.path.join(w.dir, name)).st_size <= 65536 for name in ("journal.jsonl", "journal.jsonl.1")), "sizes")
    os.unlink(os.path.join(w.dir, "journal.jsonl.1"))
    again(w.daemon)
    w.ask()
    equal(len(w.settle(len(now))), len(now), "records after a restart")


FILLED = b'{"time":"2026-11-28T10:00:00Z","event":"refused","upstream":"u%d","address":"%d","reason":"untrusted"}\n'


@case("history keeps the newest 65536 records of a journal that somebody filled, and says so")
def filled(t):
    w = World(t)
    with open(os.path.join(w.dir, "journal.jsonl"), "wb") as f:
        f.writelines(FILLED % (n % 3, n) for n in range(150000))
    shown = json.loads(w.daemon.tool("history", "--json")[1])
    check(32768 <= len(shown["records"]) <= 65536 and shown["incomplete"], f"{len(shown['records'])} records, incomplete {shown['incomplete']}")
    equal([r["address"] for r in shown["records"]], [str(n) for n in range(150000 - len(shown["records"]), 150000)], "the newest, in their order")
    code, out, _ = w.daemon.tool("history", "--last", "2", "u1")
    equal((code, re.findall(r"Z  (\d+)  REFUSED", out)), (0, ["149995", "149998"]), "the last two of one upstream")
    check("older records that are not shown" not in out, "nothing of u1 alone was left out")
    out = w.daemon.tool("history")[1]
    check("older records that are not shown" in out, "it is said")
    equal(sorted(line for line in out.splitlines() if re.fullmatch(r"u\d", line)), ["u0", "u1", "u2"], "each upstream has its records together")


@rows([
    ("a journal of garbage", lambda: os.urandom(300000)),
    ("a journal of one endless line", lambda: b'{"time":"' + b"x" * 3000000),
    ("a journal of deep nesting", lambda: b"[" * 500000 + b"\n"),
    ("a journal of records that lack everything", lambda: b"{}\n" * 50000),
    ("a journal of names with control characters",
     lambda: json.dumps({"time": "2026-11-28T10:00:00Z", "event": "refused", "upstream": "one\x1b[31m\r\n", "reason": "\x1b]0;x\x07"}).encode() + b"\n"),
    ("a journal of as many upstreams as records", lambda: b"".join(FILLED % (n, 9) for n in range(400000))),
], builds=("gcc", "san"))
def hostile(t, make):
    w = World(t, daemon=False)
    folder = t.path("hostile")
    os.makedirs(folder)
    with open(os.path.join(folder, "journal.jsonl"), "wb") as f:
        f.write(make())
    w.dir = folder
    w.daemon = Daemon(t, upstream("one", w.server), anchors=w.site.anchors, ct=None, extra=w.extra, state_dir=folder)
    w.ask()
    code, out, err = w.daemon.tool("history")
    check(code == 0 and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out), f"history {code} {out!r} {err}")
    until(lambda: "first accepted" in w.daemon.tool("history", "one")[1], 10, "the new record is there")


@case("a flood of different rogue chains leaves bounded evidence, the newest", builds=("gcc", "san"))
def flood(t):
    w = World(t, with_ct=False, daemon=False)
    n = 14
    contexts = []
    rogue = Authority("Rogue")
    for i in range(n):
        key, certificate = rogue.issue([f"127.0.0.{i + 1}"], ["dns.test"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(t.write(f"rogue-{i}.pem", pem(certificate)), t.write(f"rogue-{i}.key", key_pem(key)))
        context.set_alpn_protocols(["dot"])
        contexts.append(context)
    taken = []

    def other(connection, _name, _context):
        taken.append(1)
        connection.context = contexts[len(taken) % n]
    server = DotServer(t, w.site, address="0.0.0.0", tune=lambda context: None)
    server.context.sni_callback = other
    addresses = [f"127.0.0.{i + 1}" for i in range(n)]
    w.daemon = Daemon(t, upstream("one", server, address=addresses), anchors=w.site.anchors, ct=None, log_level=DEFAULT,
                      extra=w.extra + 'evidence { count = 3 }\n')
    w.dir = w.daemon.dir
    for _ in range(4):
        w.ask("SERVFAIL")
    until(lambda: len(w.records()) >= n, 20, f"{n} refusals; {len(w.records())}")
    equal({(r["event"], r["reason"]) for r in w.records()}, {("refused", "untrusted")}, "records")
    check(len({r["evidence"] for r in w.records()}) > 3, "different chains")

    def newest_is_kept():
        newest, files = w.records()[-1]["evidence"], evidence(w)
        return len(files) == 6 and f"{newest}.pem" in files
    # an address that is tried again may leave another record meanwhile
    until(newest_is_kept, 10, lambda: f"six files, with {w.records()[-1]['evidence']}: {evidence(w)}")


# ---- ctstub history, and others who read the journal

@rows([("a title in another language is readable", "Büro", "Büro"),
       ("what would change the direction of text is escaped", "a\u202eb", r"a\xe2\x80\xaeb"),
       ("a long title is cut between two characters", "ü" * 60, "ü" * 50 + "..."),
       ("a long title is not cut within a character", "x" + "ü" * 60, "x" + "ü" * 49 + "...")], builds=("gcc",))
def history_title(t, title, shown):
    t.write("journal.jsonl", json.dumps({"time": "2026-11-28T10:22:05.123Z", "event": "accepted", "upstream": title, "address": "192.0.2.1:853"}) + "\n")
    code, out, err = t.run("ctstub", "history", "-c", t.write("conf", ""), "--state-dir", t.dir)
    equal((code, out.split("\n")[0]), (0, shown), err)


@case("history prints what happened for people, in colour only on a terminal")
def history(t):
    w = World(t, with_ct=False)
    w.ask()
    w.renew(logs=(), issuer=w.other)
    w.ask()
    w.renew(logs=(), issuer=Authority("Rogue"))
    w.ask("SERVFAIL")
    records = w.settle(3)
    w.daemon.process.stop()
    code, out, err = w.daemon.tool("history")
    equal(code, 0, f"exit code {err}")
    lines = out.splitlines()
    equal(lines[0], "one", "the upstream")
    for word in ("first accepted", "changed: leaf,key,issuer,ca", "REFUSED: untrusted", "Intermediate of site", "Other root",
                 f"{w.dir}/evidence/{records[2]['evidence']}.pem", records[0]["sha256"]):
        check(word in out, f"{word} is not in {out}")
    check("\x1b" not in out, "no colour")
    check(len(lines) <= 24 and max(map(len, lines)) <= 160, f"it fits a screen: {len(lines)} lines")
    out = subprocess.run(["script", "-qec", f"{t.program('ctstub')} history -c {w.daemon.config}", "/dev/null"], env=t.env(TERM="xterm"),
                         stdout=subprocess.PIPE, check=True).stdout.decode()
    check("\x1b[31m" in out and "\x1b[33m" in out, f"in colour: {out!r}")
    code, out, _ = w.daemon.tool("history", "--last", "1", "one")
    check("REFUSED" in out and "first accepted" not in out and "2 earlier records" in out, f"--last 1: {out}")
    code, out, _ = w.daemon.tool("history", "--json", "--last", "2")
    equal([r["event"] for r in json.loads(out)["records"]], ["change", "refused"], "--json --last 2")
    code, out, _ = w.daemon.tool("history", "--json", "one")
    equal(json.loads(out), {"records": records, "damaged_lines": 0, "incomplete": False}, "--json")


@rows([
    ("an upstream that is configured and has no records", ("one",), 0, "no records of one"),
    ("a misspelt upstream", ("onne",), 2, 'there is no upstream "onne", did you mean "one"?'),
    ("a number that is not a number", ("--last", "many"), 2, "many"),
    ("a number out of range", ("--last", "1000001"), 2, '"1000001": a number of records from 0 to 1000000 was expected'),
    ("two upstreams", ("one", "two"), 2, "usage"),
    ("a state-dir that does not exist", ("--state-dir", "/nonexistent/x"), 0, "no records in /nonexistent/x yet"),
    ("a state-dir that is not a folder", ("--state-dir", "/dev/null"), 3, "/dev/null"),
], builds=("gcc",))
def history_complains(t, arguments, code, says):
    config = t.write("c.conf", f'state-dir = "{t.dir}"\nupstream "one" {{ address = {{"127.0.0.1"}} }}\n')
    have, out, err = t.run("ctstub", "history", "-c", config, *arguments)
    check(have == code and says in out + err, f"{have} {out} {err}")
    have, out, err = t.run("ctstub", "history", "-c", config, "--json", *arguments)
    equal(have, code, f"exit code with --json {err}")
    json.loads(out)


@case("a user who may not read the journal is told to use sudo", builds=("gcc",))
def history_denied(t):
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    w = World(t)
    w.ask()
    w.settle(1)
    os.chmod(os.path.join(w.dir, "journal.jsonl"), 0o600)
    for path in (t.dir, w.dir, w.daemon.config):
        os.chmod(path, 0o755)
    done = subprocess.run([t.program("ctstub"), "history", "-c", w.daemon.config], user=65534, group=65534, extra_groups=[], env=t.env(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    check(done.returncode == 3 and b"run with sudo" in done.stderr, f"{done.returncode} {done.stderr}")


@case("ctstub-watch known add --live takes the certificates in the journal, except expired and refused ones")
def known(t):
    w = World(t, with_ct=False)
    w.ask()
    second = w.renew(logs=())
    w.ask()
    w.renew(logs=(), issuer=Authority("Rogue"))
    w.ask("SERVFAIL")
    records = w.settle(3)
    expired = dict(records[1], time="2020-01-01T00:00:00Z", not_after="2020-02-01T00:00:00Z", sha256="ab" * 32, spki_sha256="cd" * 32)
    with open(os.path.join(w.dir, "journal.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(expired) + "\n")
    w.server.stop()
    code, out, err = t.run("ctstub-watch", "known", "add", "-c", w.daemon.config, "--print", "--issuer", "--live", "one")
    equal(code, 0, f"known add {err}")
    entries = [line for line in out.splitlines() if not line.startswith("#")]
    want = [e for r in records[:2] for e in (f"cert-sha256 {r['sha256']}", f"spki-sha256 {r['spki_sha256']}", f"spki-sha256 {r['issuer_spki_sha256']}")]
    equal(entries, want, "entries")
    check(second is not None and f"one 127.0.0.1:{w.server.port}" in out, f"comments {out}")
