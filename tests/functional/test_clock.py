"""A clock that is not set: what the daemon refuses and reports meanwhile, and how soon it serves once the clock is set (K03)."""
import base64
import hashlib
import json
import re
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from functional._common import code_of, servfail, stat
from harness import client
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.faults import Faults
from harness.pki import DAY, Site, utc_now
from harness.upstream import DotServer

EPOCH = 60  # seconds after the beginning of 1970; tests expect 00:01, which begins with it


class Machine:
    """A daemon under a scripted wall clock, with one upstream of our own."""

    def __init__(self, t, wall=None, extra="", site=None, **more):
        self.t, self.faults, self.site = t, Faults(t), site or Site(t)
        self.server = DotServer(t, self.site)
        self.set(-int(time.time()) + EPOCH if wall is None else wall)
        self.daemon = Daemon(t, upstream("one", self.server), anchors=self.site.anchors, env=self.faults.env, extra=extra, **more)

    def set(self, wall=0, event=False):
        self.faults.clocks(wall=wall, event=event)

    def status(self, *options):
        code, out, err = self.t.run("ctstub", "status", "--socket", self.daemon.control, *options)
        equal(err, "", "standard error")
        return code, out

    def metric(self, line):
        out = self.t.run("ctstub", "stats", "--prometheus", "--socket", self.daemon.control)[1]
        check(line in out.splitlines(), f"no line {line!r} among the metrics")


@case("K03 in 1970 every place names the clock: EDE, log, status with advice, JSON, metric", builds=("gcc",))
def named(t):
    m = Machine(t)
    servfail(m.daemon.ask("www.example.com"), "clock-not-set")
    until(lambda: "reason=clock-not-set" in m.daemon.log(), 10, "the refusal in the log")
    check(" clock-not-set now=1970-01-01T00:0" in m.daemon.log(), m.daemon.log()[-500:])
    code, out = m.status()
    equal(code, 2, "exit code of status")
    check(out.startswith("NOT ANSWERING: the clock is not set (1970-01-01T00:01:"), out)
    check(re.search(r"what to do +set this machine's clock", out), out)
    check("portal?" not in out, out)
    code, out = m.status("--json")
    answer = json.loads(out)
    equal((answer["clock"]["set"], answer["clock"]["now"][:16]), (False, "1970-01-01T00:01"), "clock")
    check(answer["clock"]["floor"] > "2026-", f"floor {answer['clock']}")
    equal(answer["protection"]["state"], "not-answering", "state")
    equal({a["reason"] for a in answer["addresses"]}, {"clock-not-set"}, "reasons")
    m.metric("ctstub_clock_is_set 0")
    m.metric('ctstub_upstream_problems_total{reason="clock-not-set",stage="dates"} 1')
    verdict = m.daemon.ctl("upstreams")["upstreams"][0]["verdict"]
    equal((verdict["reasons"], verdict["findings"][0]["stage"]), (["clock-not-set"], "dates"), "verdict")


@case("K03 the daemon notices without a question that the clock was set: it connects to all upstreams at once, and answers", builds=("gcc",))
def set_later(t):
    m = Machine(t)
    servfail(m.daemon.ask("www.example.com"), "clock-not-set")
    before = m.server.connections
    m.set(event=True)
    until(lambda: m.daemon.ctl("status")["upstreams"]["good"] == 1, 10, "the upstream is good without a question")
    equal(m.server.connections - before, 1, "connections that the step made")
    equal(client.rcode(m.daemon.ask("www.example.com")), "NOERROR", "rcode")
    equal(m.daemon.log().count("clock-set by_s="), 1, "lines of the log")
    equal(m.status()[0], 0, "exit code of status")
    m.metric("ctstub_clock_is_set 1")


@case("a clock that is set to and fro costs one line about the age of the list of logs, not one each time", builds=("gcc",))
def list_age(t):
    m = Machine(t, wall=0)
    equal(client.rcode(m.daemon.ask("www.example.com")), "NOERROR", "rcode")
    for state, years in (("refused", 20), ("good", 0), ("refused", 21), ("refused", 22), ("good", 0)):
        sets = m.daemon.log().count("clock-set by_s=")
        m.set(years * 365 * 86400, event=True)
        until(lambda sets=sets: m.daemon.log().count("clock-set by_s=") > sets, 10, "the step is noticed")
        until(lambda state=state: m.daemon.ctl("status")["upstreams"][state] == 1, 10, f"the upstream is {state}")
    check(m.daemon.log().count("ct-list-ageing step=stale") == 1, m.daemon.log())


@rows([
    ("back before the build: the open connection is judged anew, and closed", -20 * 365 * 86400, "clock-not-set"),
    ("ahead beyond the certificate: the open connection is judged anew, and closed", 20 * 365 * 86400, "expired"),
], builds=("gcc",))
def step(t, wall, reason):
    m = Machine(t, wall=0)
    equal(client.rcode(m.daemon.ask("www.example.com")), "NOERROR", "rcode")
    m.set(wall, event=True)
    until(lambda: m.daemon.ctl("status")["upstreams"]["refused"] == 1, 10, "the step is noticed without a question")
    asked = len(m.server.questions)
    servfail(m.daemon.ask("other.example.com"), reason)
    equal(len(m.server.questions), asked, "questions that went upstream all the same")
    m.set(0, event=True)
    until(lambda: m.daemon.ctl("status")["upstreams"]["good"] == 1, 10, "and so is the step back")


@case("a clock event without a step changes nothing", builds=("gcc",))
def no_step(t):
    m = Machine(t, wall=0)
    equal(client.rcode(m.daemon.ask("www.example.com")), "NOERROR", "rcode")
    before = m.server.connections
    m.set(0, event=True)
    equal(client.rcode(m.daemon.ask("other.example.com")), "NOERROR", "rcode")
    equal((m.server.connections, m.daemon.log().count("clock-set")), (before, 0), "connections and lines of the log")


# ---- time-names

NTP = 'time-names = {"ntp.example.org", "Time.Example.NET"}\n'


def resolves(m, name, qtype="A"):
    return client.rcode(m.daemon.ask(name, qtype)) == "NOERROR"


@case("K03 booted in 1970 the names of time servers resolve and no others do; once the clock is set all do", builds=("gcc",))
def boot(t):
    query_log = t.path("queries.log")
    m = Machine(t, extra=NTP + f'query-log {{ to = "{query_log}" }}\n')
    for name, qtype in (("ntp.example.org", "A"), ("ntp.example.org", "AAAA"), ("time.example.net", "A"), ("NTP.Example.Org", "A")):
        equal(client.rcode(m.daemon.ask(name, qtype)), "NOERROR", f"rcode of {name} {qtype}")

    def logged():
        with open(query_log, encoding="ascii") as f:
            return f.read().count(" rcode=NOERROR ")
    until(lambda: logged() == 4, 10, "the query log has the reply to each")
    for name, qtype in (("www.example.com", "A"), ("0.ntp.example.org", "A"), ("example.org", "A"), ("xntp.example.org", "A"),
                        ("ntp.example.org.evil.test", "A"), ("ntp.example.org", "TXT"), ("ntp.example.org", "ANY"),
                        ("ntp.example.org", "HTTPS")):
        reply = m.daemon.ask(name, qtype)
        if qtype != "ANY":  # is answered here, whatever the name
            servfail(reply, "clock-not-set")
    asked = {(q.name.lower(), q.qtype) for q in m.server.questions}
    equal(asked, {("ntp.example.org", 1), ("ntp.example.org", 28), ("time.example.net", 1)}, "questions upstream")
    log = m.daemon.log()
    equal((log.count(" time-name name="), log.count("accepted-for-time-names")), (3, 1), "lines of the log")
    code, out = m.status()
    check(code == 2 and "\ntime names     ntp.example.org, time.example.net, 3 queries\n" in out, out)
    m.metric("ctstub_time_names_total 3")
    m.set(event=True)
    until(lambda: m.daemon.ctl("status")["upstreams"]["good"] == 1, 10, "the upstream is good")
    check(resolves(m, "www.example.com") and resolves(m, "ntp.example.org"), "every name resolves")
    m.metric("ctstub_time_names_total 3")
    check("time names" not in m.status()[1], "status shows the names no more")


def leaf_ended(t):
    return Site(t, not_before=utc_now() - 400 * DAY, not_after=utc_now() - 390 * DAY)


def ca_unknown(t):
    site = Site(t, prefix="other")
    site.anchors = Site(t).anchors
    return site


def other_address(t):
    return Site(t, ips=["192.0.2.1"])


def not_begun(t):
    return Site(t, not_before=utc_now() + 400 * DAY, not_after=utc_now() + 490 * DAY)


@rows([
    ("time-names do not resolve through an expired certificate", leaf_ended, "", "expired"),
    ("time-names do not resolve through a CA that is no anchor", ca_unknown, "", "untrusted"),
    ("time-names do not resolve through a certificate for another address", other_address, "", "ip-mismatch"),
    ("time-names do not resolve through a certificate that was never logged", Site, 'mode = "require"', "ct-no-scts"),
    ("time-names do not resolve through a disallowed certificate", Site, "disallowed", "disallowed"),
], builds=("gcc",))
def rogue(t, make, rule, reason):
    site = make(t)
    more = {}
    if rule == "disallowed":
        more["extra"] = NTP + 'trust { disallow = {"cert-sha256 %s"} }\n' % site.cert.fingerprint(hashes.SHA256()).hex()
    elif rule:
        more.update(extra=NTP, ct="require")
    m = Machine(t, site=site, **{"extra": NTP, **more})
    servfail(m.daemon.ask("ntp.example.org"), reason)
    servfail(m.daemon.ask("www.example.com"), "")
    equal(m.server.questions, [], "questions upstream")
    check("refused-for-time-names" in m.daemon.log(), m.daemon.log()[-600:])


@case("a certificate that was issued and logged after the build serves for time-names, also where CT is required", builds=("gcc",))
def issued_later(t):
    site = Site(t, with_ct=True, not_before=utc_now() + DAY, not_after=utc_now() + 50 * DAY)
    lists = f'ct {{ mode = "require" log-list = "{site.log_list}" }}\n'
    m = Machine(t, site=site, extra=NTP + lists, ct=None)
    check(resolves(m, "ntp.example.org"), m.daemon.log()[-600:])
    servfail(m.daemon.ask("www.example.com"), "clock-not-set")


@rows([
    ("with the clock set a certificate of the far future is not valid yet, time-names or not", 0, not_begun, "not-yet-valid"),
    ("with the clock set a certificate that has expired is refused", 0, leaf_ended, "expired"),
], builds=("gcc",))
def set_clock(t, wall, make, reason):
    m = Machine(t, wall=wall, site=make(t), extra=NTP)
    servfail(m.daemon.ask("ntp.example.org"), reason)
    equal((m.server.questions, m.daemon.log().count("time-name ")), ([], 0), "questions upstream, and lines of the log")


@case("without time-names no name resolves in 1970", builds=("gcc",))
def opt_in(t):
    m = Machine(t)
    servfail(m.daemon.ask("ntp.example.org"), "clock-not-set")
    equal(m.server.questions, [], "questions upstream")


@case("questions for time-names are few: 20 at once, then the ordinary answer; those in the cache cost nothing", builds=("gcc",))
def few(t):
    names = ", ".join(f'"t{i}.example.org"' for i in range(16))
    m = Machine(t, extra=f"time-names = {{{names}}}\n")
    for i in range(16):
        check(resolves(m, f"t{i}.example.org"), f"name {i}")
    got = [client.rcode(m.daemon.ask(f"t{i}.example.org", "AAAA")) for i in range(16)]
    equal((set(got[:4]), set(got[8:])), ({"NOERROR"}, {"SERVFAIL"}), f"rcodes of 16 more questions: {got}")
    check(all(resolves(m, f"t{i}.example.org") for i in range(16)), "answers from the cache")
    check(20 <= len(m.server.questions) <= 24, f"{len(m.server.questions)} questions upstream")
    check("ctstub_time_names_limited_total 0" not in m.t.run("ctstub", "stats", "--prometheus", "--socket", m.daemon.control)[1], "limited")


@case("after a reload that removes time-names they no longer resolve, after one that adds them they do", builds=("gcc",))
def reloaded(t):
    m = Machine(t, extra=NTP)
    check(resolves(m, "ntp.example.org"), "with the option")
    m.daemon.write(upstream("one", m.server))
    check(m.daemon.ctl("reload")["ok"], "reload")
    servfail(m.daemon.ask("ntp.example.org"), "clock-not-set")
    m.daemon.write(upstream("one", m.server), NTP)
    check(m.daemon.ctl("reload")["ok"], "reload")
    check(resolves(m, "ntp.example.org"), "with the option again")


@case("a reload that removes time-names while one is asked: its client gets an answer at once, and no server is asked again", builds=("gcc",))
def reloaded_meanwhile(t):
    m = Machine(t, extra=NTP)
    check(resolves(m, "time.example.net"), "with the option")
    m.server.answer = lambda q: None
    with m.daemon.udp(20) as c:
        c.send(client.query("ntp.example.org").to_wire())
        until(lambda: any(q.name.lower() == "ntp.example.org" for q in m.server.questions), 10, "the server is asked")
        m.daemon.write(upstream("one", m.server))
        asked = len(m.server.questions)
        check(m.daemon.ctl("reload")["ok"], "reload")
        equal(code_of(c.receive()), 2, "rcode")
    equal((len(m.server.questions), stat(m.daemon, "timeouts")), (asked, 0), "questions to the server, and those that ended by time")


@rows([
    ("the check of time-names refuses a name of one label", 'time-names = {"ntp"}', "two labels"),
    ("the check of time-names refuses the root", 'time-names = {"."}', "two labels"),
    ("the check of time-names refuses no name", 'time-names = {"a..b"}', "domain name"),
    ("the check of time-names refuses too many", "time-names = {%s}" % ", ".join(f'"t{i}.example.org"' for i in range(17)), "16"),
], builds=("gcc",))
def checked(t, option, says):
    code, _, err = t.run("ctstubd", "-t", "-c", t.write("time.conf", option + "\n"))
    check(code == 2 and says in err, f"{code} {err}")


@case("the list of CT logs of an upstream dates the clock, too: before it time-names resolve, and the status names its date", builds=("gcc",))
def upstream_list(t):
    begins, listed = utc_now() + 10 * DAY, utc_now() + 20 * DAY
    key = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    date, log_id = listed.strftime("%Y-%m-%dT%H:%M:%SZ"), hashlib.sha256(key).digest()
    log = {"description": "a log", "log_id": base64.b64encode(log_id).decode(), "key": base64.b64encode(key).decode(),
           "url": "https://log.example/", "mmd": 86400, "state": {"usable": {"timestamp": "2026-01-01T00:00:00Z"}}}
    lists = t.write("logs.json", json.dumps({"version": "1", "log_list_timestamp": date, "operators": [{"name": "one", "logs": [log]}]}))
    site = Site(t, not_before=begins, not_after=begins + 80 * DAY)
    server = DotServer(t, site)
    faults = Faults(t)
    d = Daemon(t, upstream("one", server, ct_logs=lists), anchors=site.anchors, env=faults.env, extra=NTP)
    servfail(d.ask("www.example.com"), "clock-not-set")
    equal(client.rcode(d.ask("ntp.example.org")), "NOERROR", "a time-name")
    status = d.ctl("status")
    equal((status["clock"]["set"], status["clock"]["floor"][:10]), (False, listed.strftime("%Y-%m-%d")), "clock")
    check(" clock-not-set now=" in d.log(), d.log()[-600:])
    faults.clocks(wall=25 * 86400, event=True)
    until(lambda: d.ctl("status")["upstreams"]["good"] == 1, 10, "the upstream is good once the clock is set")
    check(d.ctl("status")["clock"]["set"], "the clock is set")
