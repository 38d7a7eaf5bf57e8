"""A3: floods of names that nobody answers, from the address that every program of the machine has, beside a client whose names are
answered. The flood starves only itself. The bounds themselves are tested with scripted time (unit/resolver/test_admission.c)."""
import itertools
import socket
import threading
import time

from functional._common import code_of, stat
from harness import wire
from harness.case import check, rows
from harness.daemon import Daemon, section, upstream
from harness.patience import patient
from harness.pki import Site
from harness.upstream import DotServer

ASKED = 150      # by the client who is to be served
BURST = 40       # questions of the flood at once ...
PAUSE = 0.01     # ... and the pause after them: at most 4,000 a second
FLOOD_MAX = 60_000


def one_domain(i):
    return f"n{i}.dead.example"


def new_domains(i):
    return f"dead{i}.com"


def some_domains(i):
    return f"n{i}.dead{i % 300}.com"


def one_tld(i):
    return f"www.dead{i}.example"


def of_the_good(i):
    return f"dead{i}.good.example"


def one_name(_i):
    return "dead.example"


def routed(i):
    return f"n{i}.corp.example"


class Flood:
    """Sends until it is stopped, and takes what comes back."""

    def __init__(self, t, d, name, ports):
        self.sockets = []
        for _ in range(ports):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.bind(("127.0.0.1", 0))
            s.connect((d.address, d.port))
            s.setblocking(False)
            self.sockets.append(s)
        self.name, self.sent, self.stopped = name, 0, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        t.defer(self.stop)

    def _run(self):
        turn = itertools.cycle(self.sockets)
        while not self.stopped and self.sent < FLOOD_MAX:
            for _ in range(BURST):
                try:
                    next(turn).send(wire.question(self.name(self.sent), ident=self.sent & 0xffff))
                except OSError:
                    pass
                self.sent += 1
            for s in self.sockets:
                try:
                    while True:
                        s.recv(512)
                except OSError:
                    pass
            time.sleep(PAUSE)  # the rate of the flood; nothing is waited for

    def stop(self):
        self.stopped = True
        self.thread.join(patient(10))


@rows([(f"A3 {what}, from {'one port' if ports == 1 else 'many ports'}: others of the same address are answered", name, ports)
       for what, name in (("dead names of one domain", one_domain), ("dead names of ever new domains", new_domains),
                          ("dead names of three hundred domains", some_domains), ("ever new domains of one dead TLD", one_tld),
                          ("dead names of the domain that other clients ask for", of_the_good), ("one dead name again and again", one_name),
                          ("names of a forward whose upstream is silent", routed))
       for ports in (1, 64)], builds=("gcc",), timeout=180)
def starves_itself(t, name, ports):
    site = Site(t)
    served = DotServer(t, site, answer=lambda q: None if "dead" in q.name else wire.answer(q))
    mute = DotServer(t, site, answer=lambda q: None)
    d = Daemon(t, [upstream("one", served), upstream("corp", mute), section('forward "corp.example"', upstream=["corp"])],
               anchors=site.anchors, log_level="warn", extra="hedge = false\n")
    with d.udp(8) as c:
        code_of(c.ask(wire.question("warm.good.example")))
        flood = Flood(t, d, name, ports)
        while flood.sent < 4000:
            code_of(c.ask(wire.question("warm.good.example")))
        codes = [code_of(c.ask(wire.question(f"g{i}.good.example"))) for i in range(ASKED)]
    flood.stop()
    good = codes.count(0)
    check(good * 100 >= ASKED * 99, f"{good} of {ASKED} were answered beside {flood.sent} of the flood")
    check(name is one_name or stat(d, "shed") + stat(d, "timeouts") > 0, "the flood lost nothing: it was none")
