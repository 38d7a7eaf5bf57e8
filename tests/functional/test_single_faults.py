"""A11: any single call of any program of ours fails: it says so or copes, gives no wrong answer, and loses nothing that was there.

The programs that run once are played whole with each fault; the daemon and its helpers get the fault during one verb or one
record. tests/fault/shim.c does it. The default run takes a sample of the calls of each kind, --long takes all of them.
"""
import errno
import json
import os
import shutil
import subprocess

from functional._common import stat
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, section, upstream
from harness.faults import EINTR, SHORT, Faults, Stub, sample
from harness.pki import Site
from harness.toylogs import ToyLogs
from harness.upstream import DotServer

# call, error, calls in the default run
FAULTS = [("allocation", errno.ENOMEM, 6), ("open", errno.EMFILE, 1), ("openat", errno.EACCES, 2), ("openat", errno.EMFILE, 2), ("fopen", errno.EMFILE, 1),
          ("folder", errno.EMFILE, 1), ("stat", errno.EIO, 2), ("read", errno.EIO, 2), ("pread", errno.EIO, 1), ("fread", errno.EIO, 1),
          ("readlink", errno.EACCES, 1), ("write", errno.ENOSPC, 2), ("fwrite", errno.ENOSPC, 2), ("sync", errno.EIO, 1), ("rename", errno.EIO, 1),
          ("unlink", errno.EACCES, 1), ("make", errno.ENOSPC, 1), ("change", errno.EPERM, 1), ("socket", errno.EMFILE, 1),
          ("connect", errno.ENETUNREACH, 1), ("accept4", errno.EMFILE, 1), ("send", errno.EPIPE, 2), ("sendto", errno.ENOBUFS, 1),
          ("sendmsg", errno.ENOBUFS, 1), ("recv", errno.ECONNRESET, 2), ("recvmsg", errno.EIO, 1), ("poll", errno.ENOMEM, 1), ("fork", errno.EAGAIN, 1),
          ("pair", errno.EMFILE, 1), ("dup", errno.EMFILE, 1), ("fcntl", errno.EIO, 1), ("epoll_ctl", errno.ENOMEM, 1), ("epoll_create", errno.EMFILE, 1),
          ("eventfd", errno.EMFILE, 1), ("timerfd_create", errno.EMFILE, 1), ("mmap", errno.ENOMEM, 1), ("getrandom", errno.ENOSYS, 1),
          ("clock", errno.EINVAL, 1), ("thread", errno.EAGAIN, 1), ("setsockopt", errno.ENOPROTOOPT, 1), ("memfd", errno.ENFILE, 1)]
FULL = [errno.ENOSPC, errno.EDQUOT, errno.EROFS]


def sweep(t, faults, play, judge, instead=None):
    """Plays the sequence once for each fault; judge(what, result of play). instead: other errors for some calls."""
    before = {call: faults.count(call) for call, _, _ in FAULTS}
    play()
    total = {call: faults.count(call) - before[call] for call, _, _ in FAULTS}
    check(total["allocation"] > 0, "nothing is counted")
    for call, error, n in FAULTS:
        error = (instead or {}).get(call, error)
        for k in sample(t, total[call], n) if total[call] else ():
            what = f"{call} {k} of {total[call]} {errno.errorcode[error]}"
            faults.arm(call, k, error)
            try:
                result = play()
            except subprocess.TimeoutExpired as late:
                raise AssertionError(f"{what}: it does not end") from late
            faults.disarm()
            judge(what, result)


# ---- programs that run once

class Scene:
    """A folder with what the programs read and write."""

    def __init__(self, t):
        self.t, self.faults, self.site = t, Faults(t), Site(t, with_ct=True)
        self.state = t.path("state")
        os.makedirs(self.state)
        self.config = t.write("c.conf", f'state-dir = "{self.state}"\nuser = ""\ncontrol-socket = "{t.path("control")}"\nct {{ log-list = "{self.site.log_list}" }}\n'
                              f'trust {{ anchors = "{self.site.anchors}" disallow-file = {{"{self.entries()}"}} }}\n'
                              'upstream "one" { address = {"127.0.0.1"} }\n')

    def entries(self):
        return self.t.write("entries", "".join(f"cert-sha256 {i:064x}\n" for i in range(40)))

    def run(self, words):
        env = self.t.env(**self.faults.env)
        if "egress" in words:  # glibc keeps what it loads to look a user up; behind the shim it is taken for a leak of ours
            env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        return self.t.run(*words, env=env, timeout=60)


def verify(s, *more):
    return ["ctstub", "verify", "--json", "-c", s.config, *more, s.site.chain]


def journal(s):
    line = {"time": "2026-11-20T10:00:00.000Z", "event": "refused", "upstream": "one", "address": "127.0.0.1:853", "reason": "expired", "count": 1}
    s.t.write("state/journal.jsonl", json.dumps(line) + "\n")
    return ["ctstub", "history", "--json", "-c", s.config]


def imported(s):
    shutil.copy(s.site.log_list, s.t.path("next.json"))
    shutil.rmtree(s.state)
    os.makedirs(s.state)
    s.t.run("ctstub", "ct-logs", "import", "--force", "-c", s.config, s.site.log_list)
    return ["ctstub", "ct-logs", "import", "--force", "--json", "-c", s.config, s.t.path("next.json")]


def one_crl(s):
    source = s.t.write("onecrl.json", json.dumps({"data": [
        {"issuerName": "MBQxEjAQBgNVBAMTCVRlc3Qgcm9vdA==", "serialNumber": "AQI="}]}))
    s.t.write("list", "cert-sha256 " + 64 * "7" + "\n")
    return ["ctstub", "disallow", "import", "--onecrl", source, "-o", s.t.path("list")]


def probe(s):
    s.server = DotServer(s.t, s.site)
    config = s.t.write("p.conf", 'ct { mode = "off" }\n' + f'trust {{ anchors = "{s.site.anchors}" }}\n' + upstream("one", s.server))
    return ["ctstub", "probe", "--json", "-c", config, "one"]


def audit(s):
    logs = ToyLogs(s.t, "--fill", "20")
    s.t.run("ctstub-lab", "pki", logs.folder)
    chain = f"{logs.folder}/chains/good-static-ct.pem"
    logs.enter(chain)
    config = s.t.write("a.conf", f'state-dir = ""\nct {{ log-list = "{logs.list}" }}\ntrust {{ anchors = "{logs.anchors}" }}\n')
    return ["ctstub", "audit", "--json", "-c", config, "--chain", chain]


def watch(s):
    logs = ToyLogs(s.t, "--fill", "20")
    config = s.t.write("w.conf", f'state-dir = "{s.state}"\nuser = ""\ncontrol-socket = "{s.t.path("control")}"\nct {{ log-list = "{logs.list}" }}\n'
                       f'trust {{ anchors = "{logs.anchors}" }}\nupstream "lab" {{ address = {{"1.1.1.1"}} }}\n')
    return ["ctstub-watch", "-c", config, "--once"]


def outcome_of(out):
    """The verdict in what a program wrote, or None."""
    try:
        whole = json.loads(out)
    except ValueError:
        return None
    return whole.get("outcome") if isinstance(whole, dict) else None


TOOLS = [
    ("ctstub verify of a good chain", verify, 0),
    ("ctstub verify of a chain that is refused", lambda s: verify(s, "--ip", "127.0.0.9"), 1),
    ("ctstub ct-logs show", lambda s: ["ctstub", "ct-logs", "show", "--json", "-c", s.config], 0),
    ("ctstub ct-logs check", lambda s: ["ctstub", "ct-logs", "check", s.site.log_list], 0),
    ("ctstub ct-logs import", imported, 0),
    ("ctstub disallow check", lambda s: ["ctstub", "disallow", "check", s.entries()], 0),
    ("ctstub disallow import", one_crl, 0),
    ("ctstub history", journal, 0),
    ("ctstub egress", lambda s: ["ctstub", "egress", "--user", "nobody", "-c", s.config], 0),
    ("ctstub setup --check", lambda s: ["ctstub", "setup", "--check", "--json", "-c", s.config], None),
    ("ctstub probe", probe, 0),
    ("ctstub audit", audit, 0),
    ("ctstub status without a daemon", lambda s: ["ctstub", "status", "-c", s.config], 3),
    ("ctstubd -p", lambda s: ["ctstubd", "-p", "-c", s.config], 0),
    ("ctstub-portal -t", lambda s: ["ctstub-portal", "-t", "-c", s.config], 0),
    ("ctstub-watch -t", lambda s: ["ctstub-watch", "-t", "-c", s.config], 0),
    ("ctstub-watch --once", watch, 0),
    ("ctstub-lab pki", lambda s: ["ctstub-lab", "pki", s.t.path("pki")], 0),
]
KEPT = ("list", "state/journal.jsonl", "entries")  # what programs may replace whole, or leave


def contents(t):
    found = {}
    for name in KEPT:
        if os.path.exists(t.path(name)):
            with open(t.path(name), encoding="utf-8") as f:
                found[name] = f.read()
    return found


@rows([(f"A11 {what}: any call fails, the exit code is a documented one, and no answer is wrong", words, want) for what, words, want in TOOLS],
      timeout=3600)
def programs(t, words, want):
    s = Scene(t)
    words = words(s)
    before = contents(t)
    code, out, err = s.run(words)
    check(want in (None, code), f"exit code {code} without a fault: {out[-300:]} {err[-300:]}")
    after, verdict = contents(t), outcome_of(out)

    def judge(what, result):
        have, text, said = result
        check(have in (0, 1, 2, 3), f"{what}: exit code {have}")
        check(have == code or text.strip() or said.strip(), f"{what}: exit code {have} without a word")
        check(not (code == 1 and have == 0), f"{what}: what is refused was accepted")
        check(have != 0 or outcome_of(text) == verdict, f"{what}: exit code 0 with {outcome_of(text)}, without a fault {verdict}")
        for name, content in contents(t).items():
            check(content in (before.get(name), after.get(name)), f"{what}: {name} holds {content[:200]!r}")
        check(set(before) <= set(contents(t)), f"{what}: a file is gone")
    sweep(t, s.faults, lambda: s.run(words), judge)
    equal(s.run(words)[0], code, "exit code afterwards")


@rows([(f"A11 {what}: {how}, and the result is the same", words, mode) for what, words, _ in TOOLS
       for how, mode in (("every read and write is short", SHORT), ("every second call is interrupted", EINTR))], timeout=300)
def spoiled(t, words, mode):
    s = Scene(t)
    words = words(s)
    code, out, _ = s.run(words)
    s.faults.mode(mode)
    have, text, said = s.run(words)
    s.faults.mode(0)
    equal((have, outcome_of(text)), (code, outcome_of(out)), f"exit code and verdict; {said[-300:]}")
    if not words[1] in ("probe", "audit", "setup", "import", "ct-logs"):  # they tell times and numbers of the moment
        check(len(text) == len(out), f"another output: {text[-300:]!r}, {out[-300:]!r}")


WRITERS = [row for row in TOOLS if row[0] in ("ctstub ct-logs import", "ctstub disallow import", "ctstub-watch --once", "ctstub-lab pki")]


@rows([(f"A11 {what}: {errno.errorcode[error]} is reported, what is there stays, and room again is enough", words, error) for what, words, _ in WRITERS
       for error in FULL], timeout=300)
def disk(t, words, error):
    s = Scene(t)
    words = words(s)
    before = contents(t)
    s.faults.disk(error)
    code, out, err = s.run(words)
    check(s.faults.hits > 0, "nothing was written")
    check(code == 3, f"exit code {code}: {out[-300:]} {err[-300:]}")
    check(os.strerror(error) in err, f"the reason is not in {err[-300:]!r}")
    equal(contents(t), before, "files")
    s.faults.mode(0)
    equal(s.run(words)[0], 0, "exit code with room again")


# ---- the daemon's verbs

VERBS = [("status",), ("upstreams",), ("stats",), ("flush",), ("flush", "n1.example.com"), ("reload",), ("log-level", "info"), ("captive", 1), ("captive", 0)]


def verb_of(d, verb, *argument):
    more = {"flush": "name", "log-level": "level", "captive": "minutes"}.get(verb)
    return d.ctl(verb, **({more: argument[0]} if argument else {}))


@rows([(f"A11 {' '.join(map(str, verb))}: any call of the daemon fails, and the verb and the next question work again", verb) for verb in VERBS],
      netns=True, timeout=3600)
def verbs(t, verb):
    s = Stub(t, "DoT", log_level="info")
    s.works("before")

    def play():
        try:
            return verb_of(s.daemon, *verb)
        except (OSError, ValueError):
            return None  # the control connection had the fault

    def judge(what, _):
        s.works(what)
        until(lambda: (play() or {}).get("ok"), 10, f"{what}: the verb works again")
    check(play()["ok"], "the verb before")
    sweep(t, s.faults, play, judge)
    equal(s.daemon.process.stop(), 0, "exit code")


@rows([(f"A11 the control socket: {how}, and every verb works", mode) for how, mode in (("every read and write is short", SHORT),
                                                                                   ("every second call is interrupted", EINTR))], timeout=300)
def verbs_spoiled(t, mode):
    s = Stub(t, "DoT", log_level="info")
    s.faults.mode(mode)
    for verb in VERBS:
        check(verb_of(s.daemon, *verb)["ok"], f"{verb}")
    check(s.faults.hits > 20, "nothing was spoiled")
    s.works("afterwards")


# ---- what the helpers write

class Records:
    """A daemon under the shim, whose journal gets a record for each reload that shows another refusal."""

    def __init__(self, t, **more):
        self.t = t
        self.faults, self.site = Faults(t), Site(t)
        self.server = DotServer(t, self.site)
        self.n = 0
        self.log = t.path("queries")
        self.extra = section("query-log", to=self.log) + 'local { data = {"box.test. 60 IN A 192.0.2.77"} }\ncache { serve-stale = "0s" }\n'
        self.daemon = Daemon(t, upstream("one", self.server), anchors=self.site.anchors, extra=self.extra, env=self.faults.env, log_level="info", **more)
        self.daemon.process.wait_log(" started ")

    def another(self):
        """An upstream of a new name is accepted: a record of the journal, and a line of the query log."""
        self.n += 1
        self.daemon.write(upstream(f"u{self.n}", self.server), self.extra)
        try:
            self.daemon.ctl("reload")
            self.daemon.ask(f"n{self.n}.example.com", timeout=3)
            self.daemon.ask("box.test", timeout=3)
        except (OSError, ValueError):
            pass  # the fault met the question itself
        return self.n

    def names(self):
        """Upstreams of the journal's records; every line is whole."""
        found = []
        for name in ("journal.jsonl.1", "journal.jsonl"):
            path = os.path.join(self.daemon.dir, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    found += [json.loads(line)["upstream"] for line in f]
        return found

    def lines(self):
        with open(self.log, encoding="utf-8") as f:
            lines = f.read().splitlines()
        check(all("name=" in line and "rcode=" in line for line in lines), f"a broken line among {lines[-4:]}")
        return lines

    def settled(self, what, names, lines):
        """Nothing of before is lost, and another record and line come to their files."""
        def written():
            n = self.another()
            try:
                until(lambda: f"u{n}" in self.names(), 2, "the record")
                return True
            except AssertionError:
                return False
        until(written, 30, f"{what}: a record afterwards; {self.daemon.log()[-400:]}")
        equal(self.names()[:len(names)], names, f"{what}: records of before")
        until(lambda: len(self.lines()) > len(lines), 10, f"{what}: a line afterwards")
        equal(self.lines()[:len(lines)], lines, f"{what}: lines of before")


@case("A11 any call fails while the journal and the query log are written: no line of before is lost, and later ones are written", timeout=3600)
def helpers(t):
    r = Records(t)
    before = ([], [])

    def play():
        nonlocal before
        before, hits = (r.names(), r.lines()), r.faults.hits
        n = r.another()
        if not r.faults.armed and r.faults.hits == hits:
            until(lambda: f"u{n}" in r.names(), 10, "the record")

    def judge(what, _):
        r.settled(what, *before)
    r.another()
    until(lambda: r.names() and os.path.exists(r.log), 10, "the first record")
    sweep(t, r.faults, play, judge, {"recv": errno.ENOMEM})  # after ECONNRESET the other side is gone


@rows([(f"A11 {errno.errorcode[error]} on state-dir: questions are answered, status reports it, no line is lost, and room again is enough", error)
       for error in FULL], timeout=300)
def state_dir(t, error):
    r = Records(t)
    r.another()
    until(lambda: len(r.names()) >= 1 and os.path.exists(r.log) and len(r.lines()) >= 1, 10, "the first record")
    names, lines = r.names(), r.lines()
    r.faults.disk(error)
    for _ in range(3):
        r.another()
    until(lambda: os.strerror(error) in json.dumps(r.daemon.ctl("status")), 10, f"status names the reason; {r.daemon.ctl('status').get('journal')}")
    equal(len(r.daemon.ask("box.test").answer), 1, "answers meanwhile")
    # the reason in the status may be that of the query log, whose writer is another process
    until(lambda: stat(r.daemon, "journal_lost") > 0, 10, "a record is counted as lost")
    equal(r.names(), names, "records of before")
    r.faults.mode(0)
    r.settled("room again", names, lines)
