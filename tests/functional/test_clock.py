"""A clock that is not set: what the daemon refuses, says and shows meanwhile, and how soon it serves once the clock is set (K03)."""
import json
import re
import time

from functional._common import servfail
from harness import client
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.faults import Faults
from harness.pki import Site
from harness.upstream import DotServer

EPOCH = 100  # seconds after the beginning of 1970


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
    check("reason=clock-not-set" in m.daemon.log(), m.daemon.log()[-500:])
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


@case("K03 a clock that is set is noticed without a question: all is connected to at once, and questions are answered", builds=("gcc",))
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


@rows([
    ("back before the build: the open connection is judged anew, and closed", -20 * 365 * 86400, "clock-not-set"),
    ("ahead beyond the certificate: the same", 20 * 365 * 86400, "expired"),
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
