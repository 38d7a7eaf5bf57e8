"""ctstub status: one screen that begins with the verdict, the exit code that follows it, and what warns early (K09, R16)."""
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess

from functional._common import servfail, stub
from harness import client, net
from harness.case import Skip, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.faults import Faults
from harness.patience import patient
from harness.pki import DAY, Log, Site, key_pem, log_list, pem, utc_now
from harness.stillclock import StillClock
from harness.upstream import DotServer


def status(d, *options, **more):
    """(exit code, text) of the tool."""
    code, out, err = d.t.run("ctstub", "status", "--socket", d.control, *options, **more)
    equal(err, "", "standard error")
    return code, out


def good(t, **more):
    d, _ = stub(t, **more)
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    return d


def unused(t):
    return stub(t)[0]


def refused(t):
    d = Daemon(t, upstream("one", DotServer(t, Site(t, prefix="other"))), anchors=Site(t).anchors)
    servfail(d.ask("www.example.com"), "untrusted")
    return d


def half_refused(t):
    site = Site(t)
    d = Daemon(t, [upstream("bad", DotServer(t, Site(t, prefix="other"))), upstream("good", DotServer(t, site))], anchors=site.anchors,
               extra='strategy = "ordered"')
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    until(lambda: d.ctl("status")["upstreams"]["refused"] == 1, 10, "the refusal is known")
    return d


def closed_port(t):
    d = Daemon(t, f'upstream "one" {{ address = {{"127.0.0.1"}} port = {net.free_port()} }}\n', anchors=Site(t).anchors)
    servfail(d.ask("www.example.com"), "connect-refused")
    return d


def dead_and_good(t):
    site = Site(t)
    dead = f'upstream "dead" {{ address = {{"127.0.0.1"}} port = {net.free_port()} }}\n'
    d = Daemon(t, [dead, upstream("good", DotServer(t, site))], anchors=site.anchors, extra='strategy = "ordered"')
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    return d


def only_forwarded(t):
    """What a route serves is good; what serves all names is refused."""
    site = Site(t)
    d = Daemon(t, [upstream("all", DotServer(t, Site(t, prefix="other"))), upstream("corp", DotServer(t, site))], anchors=site.anchors,
               extra='forward "corp.example" { upstream = {"corp"} }')
    equal(client.rcode(d.ask("www.corp.example")), "NOERROR", "rcode")
    servfail(d.ask("www.example.com"), "untrusted")
    return d


def bad_reload(t):
    d = good(t)
    d.write("nope = 1\n")
    check(not d.ctl("reload")["ok"], "the reload is refused")
    return d


@rows([("an ASCII text", "x"), ("two bytes a character", "\u00e9"), ("three bytes a character", "\u20ac"), ("four bytes a character", "\U0001f512")])
def long_reload_error(t, character):
    """Wherever its text is cut, status --json has it."""
    d = good(t)
    for pad in range(4):
        d.write(f'strategy = "{"x" * pad}{character * 300}"\n')
        check(not d.ctl("reload")["ok"], "the reload is refused")
        code, out = status(d, "--json")
        protection = json.loads(out)["protection"]
        equal((code, protection["state"]), (1, "degraded"), "what it says")
        check(re.match(f"DEGRADED: the last reload failed: .*{character * 20}$", protection["text"]), f"its text: {protection['text']}")


def leaf(days_left, life=None):
    def make(t):
        end = utc_now() + days_left * DAY
        site = Site(t)
        key, cert = site.intermediate.issue(ips=["127.0.0.1"], not_before=end - (life or 90) * DAY, not_after=end)
        chain, key_file = t.write("leaf/chain.pem", pem(cert) + pem(site.intermediate.cert)), t.write("leaf/key.pem", key_pem(key))
        d = Daemon(t, upstream("one", DotServer(t, site, chain=chain, key=key_file)), anchors=site.anchors)
        equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
        return d
    return make


def list_of(days):
    def make(t):
        site = Site(t)
        path = t.write("logs.json", log_list([Log("Alpha 1", "Alpha"), Log("Beta 1", "Beta")], utc_now() - days * DAY))
        d = Daemon(t, upstream("one", DotServer(t, site), ct="off"), anchors=site.anchors, ct=None, extra=f'ct {{ log-list = "{path}" }}')
        equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
        return d
    return make


@rows([
    ("an upstream that works protects", good, 0, "protected", r"PROTECTED since 20\d\d-\d\d-\d\dT"),
    ("a daemon without questions so far is ready", unused, 0, "ready", r"READY: no upstream has been used yet"),
    ("a refused upstream beside one that works degrades", half_refused, 1, "degraded", r"DEGRADED: bad 127\.\S+ is refused: untrusted$"),
    ("a dead upstream beside one that works degrades", dead_and_good, 1, "degraded", r"DEGRADED: dead 127\.\S+ does not answer: connect-refused$"),
    ("a reload that failed degrades", bad_reload, 1, "degraded", r"DEGRADED: the last reload failed: .*nope"),
    ("a list of 31 days degrades", list_of(31), 1, "degraded", r"DEGRADED: the CT log list is 31 days old$"),
    ("a list of 29 days does not degrade", list_of(29), 0, "protected", r"PROTECTED since "),
    ("a certificate with 15 days left does not degrade", leaf(15), 0, "protected", r"PROTECTED since "),
    ("a certificate with 13 days left degrades", leaf(13), 1, "degraded", r"DEGRADED: the certificate of one 127\.\S+ expires 20\S+$"),
    ("a certificate for six days does not degrade in its first half", leaf(4, 6), 0, "protected", r"PROTECTED since "),
    ("a certificate for six days degrades in its second half", leaf(2, 6), 1, "degraded", r"DEGRADED: the certificate of one "),
    ("all refused: nothing answers", refused, 2, "not-answering", r"NOT ANSWERING: no path to a trust anchor \(untrusted\)$"),
    ("all closed: nothing answers", closed_port, 2, "not-answering", r"NOT ANSWERING: the connection was refused \(connect-refused\)$"),
    ("a good upstream that serves one route only does not protect", only_forwarded, 2, "not-answering", r"NOT ANSWERING: .*\(untrusted\)$"),
])
def verdicts(t, make, want, state, first):
    d = make(t)
    code, out = status(d)
    line = out.split("\n")[0]
    check(re.match(first, line), f"the first line: {out}")
    equal(code, want, f"exit code: {out}")
    equal("portal?" in out, want == 2, f"the hint at a portal: {out}")
    code, out = status(d, "--json")
    answer = json.loads(out)
    equal((code, answer["protection"]["state"], answer["protection"]["text"]), (want, state, line), "as JSON")
    check(len(out.splitlines()) == 1 and len(status(d)[1].splitlines()) <= 24, "one screen")


@case("a network without a way out is named, and no portal suspected", netns=True)
def unreachable(t):
    d = Daemon(t, 'upstream "one" { address = {"192.0.2.1"} }\n', anchors=Site(t).anchors)
    servfail(d.ask("www.example.com"), "unreachable")
    code, out = status(d)
    equal((code, out.split("\n")[0], "portal?" in out), (2, "NOT ANSWERING: network unreachable", False), out)
    check("connect this machine to a network" in out, out)


@case("it shows the upstream, address, protocol, TLS, issuer, logs and expiry, and the listeners, list and cache")
def by_whom(t):
    site = Site(t, with_ct=True)
    d = Daemon(t, upstream("one", DotServer(t, site)), anchors=site.anchors, ct=None, extra=f'ct {{ log-list = "{site.log_list}" policy = "chrome" }}')
    d.ask("www.example.com")
    answer = d.ctl("status")
    address = answer["addresses"][0]
    verdict = d.ctl("upstreams")["upstreams"][0]["verdict"]
    equal((address["upstream"], address["protocol"], address["health"], address["general"]), ("one", "dot", "good", True), "who")
    equal((address["tls"]["version"], bool(address["tls"]["group"]), bool(address["tls"]["cipher"])), ("TLS1.3", True, True), f"{address['tls']}")
    equal(address["certificate"], {"issuer": verdict["chain"][0]["issuer"], "not_after": verdict["chain"][0]["not_after"], "expiry": "far",
                                   "logs": [s["log"] for s in verdict["scts"] if s["counts"]]}, "certificate")
    check(address["certificate"]["logs"], "no log counts")
    equal(answer["listen"], [f"127.0.0.1:{d.port}"], "listen")
    equal((answer["cache"]["entries"], answer["last_refusal"]), (1, None), "cache, and no refusal")
    _, out = status(d)
    for want in (rf"^by +one {re.escape(address['address'])} \(dot, TLS1\.3, {address['tls']['group']}\) since {address['since']}$",
                 rf"^  certificate +until {address['certificate']['not_after']}, issued by {re.escape(address['certificate']['issuer'])}$",
                 rf"^  logs +{re.escape(', '.join(address['certificate']['logs']))}$", rf"^listens on +127\.0\.0\.1:{d.port}$", r"^log list +\S",
                 r"^cache +1 answer, "):
        check(re.search(want, out, re.M), f"{want}: {out}")


@case("the last refusal stays, with its reason and what to do, after the upstream is good again")
def last_refusal(t):
    site, other = Site(t), Site(t, prefix="other")
    server = DotServer(t, other)
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    servfail(d.ask("www.example.com"), "untrusted")
    until(lambda: d.ctl("status")["last_refusal"], 10, "the refusal is kept")
    d.write(upstream("one", server, trust_anchors=other.anchors))
    equal(d.tool("reload")[0], 0, "exit code of reload")
    until(lambda: client.rcode(d.ask("again.example.com")) == "NOERROR", 10, "the new anchors are in force")
    refusal = d.ctl("status")["last_refusal"]
    equal((refusal["upstream"], refusal["reason"]), ("one", "untrusted"), "the refusal")
    code, out = status(d)
    equal(code, 0, out)
    check(re.search(rf"^last refused +one {re.escape(refusal['address'])} at {refusal['at']}: untrusted$\n^  why +no path to a trust anchor$\n"
                    r"^  what to do +\S", out, re.M), out)


@rows([("13 days before the end", 13, 1, "near"), ("2 days before", 2, 2, "urgent")])
def expiry(t, days, step, word):
    d = leaf(days)(t)
    check(re.search(r"^  certificate +until \S+ \(expires soon\), issued by ", status(d)[1], re.M), "the screen")
    until(lambda: "certificate-expires" in d.log(), 10, "the log warns")
    for i in range(3):
        d.ctl("reload")
        d.ask(f"www{i}.example.com")
    lines = [line for line in d.log().splitlines() if "certificate-expires" in line]
    equal([f"step={word}" in line for line in lines], [True], "lines of the log")
    _, out, _ = d.tool("stats", "--prometheus")
    check(re.search(rf"^ctstub_upstream_certificate_expiry_step{{.*}} {step}$", out, re.M), out)
    left = int(re.search(r"^ctstub_upstream_certificate_expires_seconds{.*} (\d+)$", out, re.M).group(1)) - utc_now().timestamp()
    check((days - 1) * 86400 < left <= days * 86400, f"{left} s left")


@case("a portal window and a report window are shown with their ends")
def windows(t):
    site = Site(t)
    d = Daemon(t, upstream("one", DotServer(t, site), report_until="2999-12-31"), anchors=site.anchors)
    d.ask("www.example.com")
    equal(d.ctl("captive", minutes=5)["minutes"], 5, "captive mode")
    _, out = status(d)
    check(re.search(r"^captive mode +5 min left: nothing leaves in clear text$", out, re.M) and re.search(r"^report mode +one, until 2999-12-31$", out, re.M), out)


def on_terminal(t, d, *options, env=None, enough=None):
    """What the tool writes to a terminal; ended by SIGINT when `enough` is in it. (exit code, text)"""
    master, slave = pty.openpty()
    process = subprocess.Popen([t.program("ctstub"), "status", "-c", d.config, *options], stdout=slave, stderr=slave, env=t.env(**(env or {})))
    os.close(slave)
    out = b""
    for _ in range(300):
        if select.select([master], [], [], 0.1)[0]:
            try:
                more = os.read(master, 65536)
            except OSError:
                break
            out += more
        if enough and enough(out):
            process.send_signal(signal.SIGINT)
            enough = None
    os.close(master)
    return process.wait(patient(10)), out.decode()


@rows([("in colour on a terminal", {}, True), ("without colour on a terminal with NO_COLOR", {"NO_COLOR": "1"}, False),
       ("in colour on a terminal with an empty NO_COLOR", {"NO_COLOR": ""}, True)])
def colour(t, env, coloured):
    d = good(t)
    code, out = on_terminal(t, d, env=env)
    equal((code, "\033[1;32mPROTECTED" in out, "\033" in out), (0, coloured, coloured), out)
    check("\033" not in status(d)[1], "no colour in a pipe")


@case("--watch draws again until a signal, and ends with the exit code of what it showed last")
def watch(t):
    code, out = on_terminal(t, good(t), "--watch", enough=lambda out: out.count(b"PROTECTED") >= 2)
    equal((code, out.count("\033[H\033[2J") >= 2), (0, True), out)
    code, out = on_terminal(t, refused(t), "--watch", "--json", enough=lambda out: out.count(b"\n") >= 2)
    lines = [json.loads(line) for line in out.splitlines()]
    equal((code, {line["protection"]["state"] for line in lines}), (2, {"not-answering"}), "as JSON, a line each time")


@case("--watch --json without a daemon prints the failure each time, and ends when nobody reads it")
def watch_nobody(t):
    read, write = os.pipe()
    p = t.spawn("watch", [t.program("ctstub"), "status", "--watch", "--json", "--socket", "/nowhere"], stdout=write)
    p.expect = None
    os.close(write)
    with os.fdopen(read, "rb") as out:
        answers = [json.loads(out.readline()) for _ in range(2)]
    for answer in answers:
        check("does not answer on /nowhere" in answer["error"] and answer["errors"] == [answer["error"]], answer)
    equal(p.popen.wait(patient(20)), 3, "exit code")


@case("--watch ends when its output can be written no longer")
def watch_full(t):
    d = good(t)
    with open("/dev/full", "wb") as full:
        process = t.spawn("watch", [t.program("ctstub"), "status", "--watch", "--socket", d.control], stdout=full)
        process.expect = None
        until(lambda: not process.alive(), 20, "ctstub status --watch ends")


@case("on a terminal --watch clears the screen before a failure, not after it")
def watch_failure(t):
    d = good(t)
    d.process.stop()
    _, out = on_terminal(t, d, "--watch", enough=lambda out: out.count(b"does not answer") >= 2)
    before, *rounds = out.split("\033[H\033[2J")
    equal((before, len(rounds) >= 2, [r for r in rounds if "does not answer" not in r]), ("", True, []), out)


class Hung:
    """The socket of a daemon that hangs, and tools whose clock stands still: their time is over when a test says so."""

    def __init__(self, t):
        self.t, self.path = t, t.path("hung")
        self.clock = StillClock(t)
        self.faults = Faults(t)  # of which there are none: they count
        self.env = self.clock.env(t, CTSTUB_FAULT=self.faults.path)
        self.env["LD_PRELOAD"] = f"{self.faults.env['LD_PRELOAD']} {self.clock.library}"
        self.socket = socket.socket(socket.AF_UNIX)
        t.defer(self.socket.close)
        self.socket.bind(self.path)
        self.socket.listen(1)
        self.socket.settimeout(patient(20))

    def start(self, *command, **more):
        p = self.t.spawn(command[0], [self.t.program("ctstub"), *command, "--socket", self.path], env=self.env, **more)
        p.expect = None
        return p

    def asked(self, verb):
        """The connection of a tool that asks for this, and waits."""
        connection, _ = self.socket.accept()
        self.t.defer(connection.close)
        connection.settimeout(patient(20))
        with connection.makefile("rb") as lines:
            equal(json.loads(lines.readline())["verb"], verb, "what it asks")
        return connection

    def fill(self):
        """Connections that nobody accepts, as many as the backlog takes."""
        full = []
        while True:
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            self.t.defer(s.close)
            try:
                s.connect(self.path)
            except BlockingIOError:
                return full
            full.append(s)

    def wait_attempts(self):
        """A tool is waiting for a place in the backlog."""
        before = self.faults.count("connect")
        until(lambda: self.faults.count("connect") > before + 2, 20, "it tries again to connect")


@case("a daemon that hangs and whose backlog is full: a call ends in time, and a place that gets free is taken", builds=("gcc",))
def full_backlog(t):
    h = Hung(t)
    full = h.fill()
    p = h.start("flush")
    h.wait_attempts()
    h.clock.advance(10)
    equal(p.popen.wait(patient(20)), 3, "exit code")
    equal(p.log(), f"ctstub flush: the daemon does not answer on {h.path}: Connection timed out\n", "what it says")
    p = h.start("flush", "--json")
    h.wait_attempts()
    for _ in full:
        h.socket.accept()[0].close()
    h.asked("flush").sendall(b'{"ok":true}\n')
    equal(p.popen.wait(patient(20)), 0, "exit code of the call that got a place")


@rows([("--watch ends at once with SIGINT while the daemon does not answer", signal.SIGINT, False, False),
       ("--watch ends at once with SIGTERM while the daemon does not answer", signal.SIGTERM, False, False),
       ("--watch ends at once with SIGINT while the backlog is full", signal.SIGINT, False, True),
       ("--watch ends at once with SIGHUP while the daemon answers no more, as it last was", signal.SIGHUP, True, False)], builds=("gcc",))
def watch_hung(t, number, shown, backlog):
    h = Hung(t)
    read, write = os.pipe()
    full = h.fill() if backlog else []
    p = h.start("status", "--watch", "--json", stdout=write)
    os.close(write)
    with os.fdopen(read, "rb") as out:
        if shown:
            h.asked("status").sendall(b'{"ok":true}\n')
            equal(json.loads(out.readline())["protection"]["state"], "not-answering", "what it has shown")
        if full:
            h.wait_attempts()
        else:
            h.asked("status")
        p.popen.send_signal(number)
        equal(p.popen.wait(patient(20)), 2 if shown else 3, "exit code")
        last = [json.loads(line)["error"] for line in out]
    equal(last, [] if shown else [f"the daemon did not answer on {h.path} before the signal"], "what it says at its end")


@case("ctstub metrics ends at once while the daemon does not answer", builds=("gcc",))
def metrics_hung(t):
    h = Hung(t)
    port = net.free_port()
    p = h.start("metrics", "--listen", f"127.0.0.1:{port}")
    until(lambda: net.answers_tcp("127.0.0.1", port), 10, "it listens")
    with socket.create_connection(("127.0.0.1", port), patient(20)) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        h.asked("stats")
        p.popen.send_signal(signal.SIGTERM)
        equal(p.popen.wait(patient(20)), 0, "exit code")
        check(s.recv(65536).startswith(b"HTTP/1.1 503 "), "its client gets an answer")


@case("without permission on the socket it says: run with sudo")
def permission(t):
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    d = good(t)
    os.chmod(t.dir, 0o755)
    os.chmod(d.dir, 0o755)
    os.chmod(d.control, 0o600)
    for verb in ("status", "upstreams"):
        code, _, err = t.run("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", t.program("ctstub"), verb, "--socket", d.control)
        equal((code, "run with sudo" in err), (3, True), err)


@case("upstreams has a header line")
def header(t):
    out = good(t).tool("upstreams")[1].splitlines()
    check(out[0].startswith("UPSTREAM ") and out[1].startswith("one ") and out[0].index("ADDRESS") == out[1].index("127."), f"{out}")


def portal_state(d):
    answer = d.ctl("status")
    return answer["portal"]["helper"], answer["portal"]["error"], [w for w in answer["warnings"] if w.startswith("the portal helper")]


@case("status says that the portal helper cannot be reached, without a socket and with a dead one, and when it can")
def portal_helper(t):
    path = t.path("portal.sock")
    site = Site(t)
    server = DotServer(t, site)
    server.stop()  # reached, it would end the window before the next attempt at the helper
    d = Daemon(t, upstream("one", server), anchors=site.anchors, extra=f'portal {{ enable = true user = "" socket = "{path}" }}\n')
    helper, error, warnings = portal_state(d)
    equal((helper, error, len(warnings)), ("unreachable", "No such file or directory", 1), "without a socket")
    check(f"warning        {warnings[0]}" in status(d)[1], status(d)[1])
    d.process.wait_log(f"cannot use {path}: No such file or directory")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(path)
        s.listen(4)
        equal(portal_state(d), ("ready", None, []), "with a helper")
    equal(portal_state(d), ("ready", None, []), "nobody behind the socket, and no window yet")
    check(d.ctl("captive", minutes=1)["ok"], "captive")
    until(lambda: portal_state(d)[:2] == ("unreachable", "Connection refused"), 10, "the attempt of the window")
    check("portal-helper-unreachable" in d.log(), "the log")
    os.unlink(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.bind(path)
        s.listen(4)
        check(d.ctl("captive", minutes=2)["ok"], "captive")
        until(lambda: portal_state(d) == ("ready", None, []), 10, "a helper that is back")


@case("status does not mention a portal helper that is not configured")
def portal_unwanted(t):
    equal(portal_state(unused(t)), ("off", None, []), "the helper")


@case("status says why the query log cannot be written")
def query_log_unwritable(t):
    d, _ = stub(t, extra=f'query-log {{ to = "{t.path("missing/log")}" }}\n')
    want = "the query log is not written: No such file or directory"
    until(lambda: any(w.startswith(want) for w in d.ctl("status")["warnings"]), 10, "the warning")
    check(want in status(d)[1], status(d)[1])


@case("status says why the evidence of refusals cannot be written, while the journal is, and that it can again")
def evidence_unwritable(t):
    site = Site(t)
    server = DotServer(t, Site(t, prefix="other"))
    state = t.path("state")
    os.mkdir(state)
    open(os.path.join(state, "evidence"), "w", encoding="utf-8").close()
    d = Daemon(t, upstream("one", server), anchors=site.anchors, state_dir=state)
    servfail(d.ask("www.example.com"), "untrusted")
    until(lambda: d.ctl("status")["evidence"]["state"] == "failing", 10, "the evidence fails")
    answer = d.ctl("status")
    equal((answer["evidence"]["error"], answer["journal"]["state"]), ("Not a directory", "written"), "evidence and journal")
    check("the evidence of refusals is not written: Not a directory" in status(d)[1], status(d)[1])
    check(f'evidence-not-written error="Not a directory" path={state}/evidence\n' in d.log(), d.log())


@case("evidence that is switched off is shown as off, not as an error")
def evidence_off(t):
    answer = stub(t, extra="evidence { count = 0 }\n")[0].ctl("status")
    equal((answer["evidence"]["state"], [w for w in answer["warnings"] if "evidence" in w]), ("off", []), "the evidence")


@case("status says why an address is refused, with the date and the days since then")
def dated_refusal(t):
    now = utc_now()
    old = Site(t, prefix="old", not_before=now - 40 * DAY, not_after=now - 12 * DAY - DAY / 2)
    d = Daemon(t, upstream("one", DotServer(t, old)), anchors=old.anchors)
    servfail(d.ask("www.example.com"), "expired")
    out = status(d)[1]
    check(re.search(r"^refused +one 127\.0\.0\.1:\d+: expired \(.*it has expired, valid until \d{4}-[^,]*Z, 12 days ago\)$", out, re.M), out)
