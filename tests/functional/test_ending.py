"""The end of the daemon while the processes that write the journal and the query log are busy: what is late, and what is lost."""
import os
import signal
import threading

from functional._common import stub
from harness import net, wire
from harness.case import case, equal, until
from harness.patience import patient
from harness.stillclock import StillClock

LOCAL = 'local { data = {"box.test. 60 IN A 192.0.2.77"} }\n'
WAIT_S = 0.5  # HELPER_END_MS of resolver/daemon/helper.h, which ctstubd(8) promises


class Busy:
    """A daemon whose clock the test stops, and its helpers, which the test stops too."""

    def __init__(self, t, answer=None, extra="", **daemon):
        self.t = t
        self.clock = StillClock(t, scale=1)
        self.queries = t.path("queries.log")
        extra += LOCAL + f'query-log {{ to = "{self.queries}" }}\n'
        self.daemon, self.server = stub(t, answer, extra=extra, env=self.clock.env(t), **daemon)
        self.helpers = {}
        with open(f"/proc/{self.daemon.process.pid}/task/{self.daemon.process.pid}/children", encoding="ascii") as f:
            for pid in map(int, f.read().split()):
                with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                    self.helpers[comm.read().strip()] = pid
        equal(sorted(self.helpers), ["ctstub-journal", "ctstub-queries"], "helpers")
        t.defer(self.go)

    def halt(self):
        for pid in self.helpers.values():
            os.kill(pid, signal.SIGSTOP)

    def go(self):
        for pid in self.helpers.values():
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def terminate(self):
        """SIGTERM, and time until the daemon has closed its sockets and waits for its helpers; then the clock stands still."""
        self.clock.stop()
        self.daemon.process.signal(signal.SIGTERM)

        def closed():
            if not net.answers_tcp(self.daemon.address, self.daemon.port):
                return True
            self.clock.advance(0.02)
            return False
        until(closed, 20, "the daemon closes its sockets")

    def ends(self):
        equal(self.daemon.process.popen.wait(patient(20)), 0, "exit code")


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
        b.terminate()
    b.clock.advance(WAIT_S)
    b.ends()
