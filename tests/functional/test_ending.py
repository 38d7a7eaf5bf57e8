"""The end of the daemon while the processes that write the journal and the query log are busy: what is late, and what is lost."""
import os
import re
import resource
import signal
import threading

from functional._common import servfail, stat
from harness import client, net, wire
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.patience import patient
from harness.pki import Authority, Site, pem
from harness.stillclock import StillClock
from harness.upstream import DotServer

LOCAL = 'local { data = {"box.test. 60 IN A 192.0.2.77"} }\n'
WAIT_S = 0.5  # HELPER_END_MS of resolver/daemon/helper.h, which ctstubd(8) promises


class Busy:
    """A daemon whose clock the test stops, and its helpers, which the test stops too."""

    def __init__(self, t, answer=None, trusted=True, **daemon):
        self.clock = StillClock(t, scale=1)
        self.queries = t.path("queries.log")
        site = Site(t)
        anchors = site.anchors if trusted else t.write("others.pem", pem(Authority("Other root").cert))
        self.server = DotServer(t, site, **({"answer": answer} if answer else {}))
        self.daemon = Daemon(t, upstream("one", self.server), anchors=anchors, extra=LOCAL + f'query-log {{ to = "{self.queries}" }}\n',
                             env=self.clock.env(t), **daemon)
        self.helpers = {}
        with open(f"/proc/{self.daemon.process.pid}/task/{self.daemon.process.pid}/children", encoding="ascii") as f:
            for pid in map(int, f.read().split()):
                with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                    self.helpers[comm.read().strip()] = pid
        equal(sorted(self.helpers), ["ctstub-journal", "ctstub-queries"], "helpers")
        t.defer(self.go)

    def fill(self, n):
        """Asks so often; the number of events that were dropped because the writer of the query log was behind."""
        question = client.query("box.test").to_wire()
        with self.daemon.udp() as c:
            for _ in range(n):
                c.ask(question)
        until(lambda: stat(self.daemon, "query_logged") + stat(self.daemon, "query_log_dropped") == n, 10, "all are counted")
        return stat(self.daemon, "query_log_dropped")

    def written(self, name):
        """The lines of the query log, when this helper has ended."""
        def ended():
            try:
                with open(f"/proc/{self.helpers[name]}/stat", encoding="ascii") as f:
                    return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
            except OSError:
                return True
        until(ended, 20, f"{name} ends")
        with open(self.queries, encoding="utf-8") as f:
            return len(f.readlines())

    def halt(self):
        for pid in self.helpers.values():
            os.kill(pid, signal.SIGSTOP)

    def go(self):
        for pid in self.helpers.values():
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def terminate(self, step=0.002):
        """SIGTERM, and time until the daemon has closed its sockets and waits for its helpers; then the clock stands still. Small steps
        take hardly any of the time for the helpers."""
        self.clock.stop()
        self.daemon.process.signal(signal.SIGTERM)

        def closed():
            if not net.answers_tcp(self.daemon.address, self.daemon.port):
                return True
            self.clock.advance(step)
            return False
        until(closed, 20, "the daemon closes its sockets")

    def ends(self):
        """The log, when it has ended."""
        equal(self.daemon.process.popen.wait(patient(20)), 0, "exit code")
        log = self.daemon.log()
        check(log.splitlines()[-1].startswith("notice ended "), f"the last line: {log[-300:]}")
        return log


@case("two helpers that stand still delay the end by half a second, not by one for each", builds=("gcc", "san"))
def both(t):
    gate = threading.Event()
    t.defer(gate.set)

    def answer(q):
        gate.wait(patient(60))
        return wire.answer(q)
    b = Busy(t, answer)
    with b.daemon.udp() as c:
        c.send(wire.question("slow.example.com"))
        until(lambda: "slow.example.com" in b.server.names(), 5, "the question upstream")
        b.halt()
        b.terminate(step=0.05)  # the question is waited for
    b.clock.advance(WAIT_S)
    b.ends()


@case("a refusal that the journal's process reports as unwritten after the last answer is in the log", builds=("gcc", "san"))
def reported_late(t):
    b = Busy(t, trusted=False)
    writer = b.helpers["ctstub-journal"]
    resource.prlimit(writer, resource.RLIMIT_FSIZE, (0, 0))  # a disk without room
    b.halt()
    servfail(b.daemon.ask("www.example.com"), "untrusted")
    b.terminate()
    check("journal-" not in b.daemon.log(), "a line about the journal before its process continues")
    b.go()
    log = b.ends()
    for event in ("journal-not-written", "evidence-not-written"):
        check(f'warn {event} error="File too large"' in log, f"no {event}: {log[-600:]}")
    check("warn journal-unfinished lost=2 waiting=0" in log, f"what is lost: {log[-600:]}")


@case("a journal's process that is late does not keep the daemon, which logs what waits for it, and writes it afterwards", builds=("gcc", "san"))
def late(t):
    b = Busy(t, trusted=False)
    b.halt()
    servfail(b.daemon.ask("www.example.com"), "untrusted")
    b.terminate()
    b.clock.advance(WAIT_S)
    check("warn journal-unfinished lost=0 waiting=2" in b.ends(), f"the log: {b.daemon.log()[-600:]}")
    b.go()
    journal = os.path.join(b.daemon.dir, "journal.jsonl")
    until(lambda: os.path.exists(journal) and b'"refused"' in open(journal, "rb").read(), 10, "the record")


ASKED = 3000  # twice as many bytes as the socket to the writer holds


def lost(log):
    """Of the line about the query log at the end: how many events are lost, and its writer; None without a line."""
    found = re.findall(r"^warn query-log-unfinished to=\S+ lost=(\d+) writer=(\w+)$", log, re.M)
    check(len(found) <= 1, f"lines: {found}")
    return (int(found[0][0]), found[0][1]) if found else None


@case("what waits for the writer of the query log at the end is written when the writer continues in time", builds=("gcc", "san"))
def waits(t):
    b = Busy(t)
    b.halt()
    dropped = b.fill(ASKED)
    b.terminate()
    b.go()
    equal(lost(b.ends()), None, "what is lost at the end")
    equal(b.written("ctstub-queries") + dropped, ASKED, "lines, and events that were dropped before the end")


@rows([(f"a writer of the query log that is late: each event is written or counted, with {what}", n) for what, n in (("one worker", 1), ("two workers", 2))],
      builds=("gcc", "san"))
def late_writer(t, workers):
    b = Busy(t, workers=workers)
    b.halt()
    dropped = b.fill(ASKED)
    b.terminate()
    b.clock.advance(WAIT_S)
    n, writer = lost(b.ends())
    equal((writer, n > 0), ("busy", True), "the writer, and something is lost")
    b.go()
    equal(b.written("ctstub-queries") + dropped + n, ASKED, "lines, and events that were dropped or lost")


@case("events that the writer of the query log could not write at the end are in the log", builds=("gcc", "san"))
def writer_fails(t):
    b = Busy(t)
    resource.prlimit(b.helpers["ctstub-queries"], resource.RLIMIT_FSIZE, (0, 0))  # a disk without room
    b.halt()
    dropped = b.fill(ASKED)
    b.terminate()
    b.go()
    log = b.ends()
    check('warn query-log-failed' in log and 'error="File too large"' in log, f"why: {log[-600:]}")
    equal(lost(log), (ASKED - dropped, "ended"), "what is lost")
