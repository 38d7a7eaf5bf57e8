"""What the first question costs after idle, after a sleep and on another network, in round trips counted on the link."""
import os
import subprocess

from functional._common import link_state
from harness import client
from harness.case import case, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.jumps import Jumps
from harness.pki import Site
from harness.rounds import Rounds
from harness.upstream import DohServer, DotServer

COLD = 'keep-warm = "0s"\n'


class Idle:
    """Closes a connection that was idle for so long, over DoT."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, connection):
        connection.tls.settimeout(self.seconds)
        connection.server.serve(connection)


def begin(t, kind=DotServer, extra="", handler=None, jumps=None):
    """(daemon, server, link), with one question answered."""
    site = Site(t)
    server = kind(t, site, handler=handler)
    link = Rounds(t, server)
    d = Daemon(t, upstream("one", link), anchors=site.anchors, extra=extra, env=jumps.env if jumps else None)
    link.take()
    d.ask("first.example.com")
    return d, server, link


def state(want):
    """Of a connection on which the next question costs so many round trips."""
    return "ready" if want == 1 else "idle"


def cost(d, link, name):
    link.take()
    d.ask(name)
    return link.take()


@rows([("DoT: a new connection costs three round trips, one that stands costs one", DotServer),
       ("DoH: a new connection costs three round trips, one that stands costs one", DohServer)])
def there(t, kind):
    d, server, link = begin(t, kind)
    equal(link.take(), 3, "round trips of the very first question")
    for i in range(3):
        equal(cost(d, link, f"next{i}.example.com"), 1, "round trips of the next one")
    equal(server.connections, 1, "connections")


@rows([("after the server's idle close the first question costs one round trip", "", 1),
       ("after the server's idle close the first question costs three round trips without keep-warm", COLD, 3)], timeout=120)
def idle(t, extra, want):
    d, server, link = begin(t, extra=extra, handler=Idle(5))
    if want == 1:
        until(lambda: server.handshakes == 2, 60, "the daemon connects again")
    until(lambda: len(server.live) == (1 if want == 1 else 0), 60, "the idle connection is closed")
    until(lambda: link_state(d) == state(want), 30, "the daemon sees that")
    equal(cost(d, link, "after-idle.example.com"), want, "round trips")


@rows([("after a sleep that the kernel reports the first question costs one round trip", "", 1),
       ("after a sleep that the kernel reports the first question costs three round trips without keep-warm", COLD, 3)], timeout=120)
def sleep(t, extra, want):
    jumps = Jumps(t)
    d, server, link = begin(t, extra=extra, jumps=jumps)
    jumps.sleep(3600)
    os.write(jumps.fifo, b"!")
    until(lambda: d.ctl("stats")["counters"]["resumes"] == 1, 30, "the daemon notices the sleep")
    if want == 1:
        until(lambda: server.handshakes == 2 and len(server.live) == 1, 30, "it connects again")
    until(lambda: link_state(d) == state(want), 30, "the daemon sees that")
    equal(cost(d, link, "after-sleep.example.com"), want, "round trips")


@rows([("on another network the first question costs one round trip", "", 1),
       ("on another network the first question costs three round trips without keep-warm", COLD, 3)], timeout=120, netns=True)
def network(t, extra, want):
    d, server, link = begin(t, extra=extra)
    subprocess.run(["ip", "route", "add", "default", "dev", "lo"], check=True)
    until(lambda: d.ctl("stats")["counters"]["network_changes"] == 1, 30, "the daemon notices the network")
    if want == 1:
        until(lambda: server.handshakes == 2 and len(server.live) == 1, 30, "it connects again")
    until(lambda: link_state(d) == state(want), 30, "the daemon sees that")
    equal(cost(d, link, "after-network.example.com"), want, "round trips")


@case("a burst of names, each asked for three types, costs one round trip together")
def burst(t):
    d, server, link = begin(t, extra="hedge = false\n")  # on a busy machine it might be late, and go over a second connection
    link.take()
    with d.udp(8) as c:
        for i in range(60):
            for kind in ("A", "AAAA", "HTTPS"):
                c.send(client.query(f"name{i}.example.com", kind).to_wire())
        for _ in range(180):
            c.receive()
    equal((link.take(), server.connections), (1, 1), "round trips and connections")
