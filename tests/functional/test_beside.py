"""No question waits behind a slow one: a second connection to the same server while answers on the first are late."""
import signal
import threading
import time

from functional._common import stub
from harness import client, wire
from harness.case import at_most, case, check, equal, rows, until
from harness.patience import patient
from harness.pki import Site
from harness.upstream import DohServer, Gone

SLOW = "slow.example.net"
LATE_S = 0.1  # LATE_MIN_MS of transport/late.h
EACH = 5      # QUERY_BEHIND_MAX of resolver/query_send.h, and the question itself


class Gate:
    """A server's handler that holds the answer for one name until the test lets it go."""

    def __init__(self, t, in_order):
        self.open, self.in_order = threading.Event(), in_order
        t.defer(self.open.set)

    def __call__(self, connection):
        while True:
            q = connection.read_question()
            if q.name != SLOW:
                connection.send(wire.answer(q))
            elif self.in_order:
                self.open.wait(patient(20))
                connection.send(wire.answer(q))
            else:
                threading.Thread(target=self._later, args=(connection, q), daemon=True).start()

    def _later(self, connection, q):
        self.open.wait(patient(20))
        try:
            connection.send(wire.answer(q))
        except Gone:
            pass  # the test is over


def counted(d, name):
    return d.ctl("stats")["counters"][name]


def ask_slow(t, d, server):
    """A client that waits for the slow name, which has reached the server."""
    c = d.udp(timeout=8)
    t.defer(c.close)
    c.send(client.query(SLOW).to_wire())
    until(lambda: SLOW in server.names(), 10, "the slow question is at the server")
    return c


@case("a server that answers in order: questions behind a slow one go over a second connection, which is closed afterwards")
def in_order(t):
    gate = Gate(t, True)
    d, server = stub(t, handler=gate)
    d.ask("warm.example.com")
    waiting = ask_slow(t, d, server)
    for name in ("behind.example.com", "later.example.com"):
        equal(client.rcode(d.ask(name)), "NOERROR", name)
    check(counted(d, "beside") >= 2, "nothing went over a second connection")
    check(not gate.open.is_set() and server.connections >= 2, "connections")
    gate.open.set()
    check(waiting.receive(), "the slow answer does not come")
    until(lambda: d.ask("after.example.com") and len(server.live) == 1, 20, "one connection is left")
    status, = d.ctl("upstreams")["upstreams"]
    equal(status["health"], "good", "health")
    until(lambda: d.ctl("upstreams")["upstreams"][0]["in_flight"] == 0, 10, "nothing is in flight")
    status, = d.ctl("upstreams")["upstreams"]
    equal((status["connects"], status["handshakes"]), (server.connections, server.handshakes), "connections that are counted")
    check(status["questions"] >= len(set(server.names())), f"{status['questions']} questions are counted: {server.names()}")


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0]


@case("questions that come together cost one of the second connections that may be made, not one each")
def together(t):
    gate = Gate(t, True)
    d, server = stub(t, handler=gate)
    d.ask("warm.example.com")
    for turn, number in enumerate((6, 1)):
        gate.open.clear()
        d.ctl("flush")
        with d.udp(timeout=8) as first, d.udp(timeout=8) as behind:
            first.send(client.query(SLOW).to_wire())
            until(lambda: server.names().count(SLOW) > turn, 10, "the slow question is at the server")
            since = time.monotonic()
            until(lambda: time.monotonic() > since + 2 * LATE_S, 10, "its answer is late")
            d.process.signal(signal.SIGSTOP)  # so that all are read in one turn
            until(lambda: state_of(d.process.popen.pid) == "T", 10, "the daemon stands still")
            for i in range(number):
                behind.send(client.query(f"t{turn}-{i}.example.com").to_wire())
            d.process.signal(signal.SIGCONT)
            for _ in range(number):
                equal(behind.receive()[3] & 15, 0, "rcode")
            check(not gate.open.is_set(), "they waited for the slow answer")
            gate.open.set()
            check(first.receive(), "the slow answer does not come")
        until(lambda: d.ask("after.example.com") and len(server.live) == 1, 20, "one connection is left")


@rows([("a server that answers in any order: a slow answer is no reason for a second connection", False),
       ("over HTTP/2, where answers come in any order, a slow answer is no reason for a second connection", True)])
def any_order(t, doh):
    if doh:
        def respond(r):
            return None if r.question.name == SLOW else DohServer.default_response(server, r)
        d, server = stub(t, kind=DohServer, options={"respond": respond})
    else:
        d, server = stub(t, handler=Gate(t, False))
    d.ask("warm.example.com")
    times = [time.monotonic()]
    ask_slow(t, d, server)
    for i in range(20):
        equal(client.rcode(d.ask(f"other{i}.example.com")), "NOERROR", "rcode")
        times.append(time.monotonic())
    # On a busy machine one or the other is late itself: the first counts from the slow question, before the order is known.
    late = sum(b - a >= LATE_S for a, b in zip(times, times[1:]))
    at_most(counted(d, "beside"), EACH * late, f"questions over a second connection, {late} answers being late")


STREAMS = 100  # at the same time, as the h2 package allows
PING = b"\0\0\x08\x06\0\0\0\0\0" + bytes(8)


@case("slow questions that take all streams a DoH server allows keep no other domain waiting, and do not fill the second connection")
def streams(t):
    def respond(r):
        return None if r.question.name.startswith("slow") else DohServer.default_response(server, r)

    d, server = stub(t, kind=DohServer, options={"respond": respond})
    done = threading.Event()
    t.defer(done.set)

    def ping():
        """The server is not silent: it is only slow with these answers."""
        while not done.wait(LATE_S / 4):
            for connection in server.connected():
                try:
                    connection.send_raw(PING)
                except Gone:
                    pass
    threading.Thread(target=ping, daemon=True).start()
    d.ask("warm.example.com")

    def answered_before(turn):
        """A question that came after the slow ones was answered before the first of them was given up."""
        before = counted(d, "timeouts")
        with d.udp(timeout=8) as c:
            for i in range(2 * STREAMS):
                c.send(client.query(f"slow{turn}-{i}.example.net").to_wire())
            until(lambda: sum(n.startswith(f"slow{turn}-") for n in server.names()) >= STREAMS, 10, "the slow questions are at the server")
            for i in range(3):
                equal(client.rcode(d.ask(f"www{turn}-{i}.example.org")), "NOERROR", "rcode")
            return counted(d, "timeouts") == before
    # On a machine that stands still for seconds the slow ones are over in the meantime; three times it will not.
    turns = 0
    while turns < 3 and not answered_before(turns):
        turns += 1
    check(turns < 3, "the others waited for the slow ones")
    at_most(counted(d, "beside"), 3 * EACH * (turns + 1), "questions over a second connection")


@case("with hedge = false no second connection is made")
def off(t):
    gate = Gate(t, True)
    d, server = stub(t, handler=gate, extra="hedge = false\n")
    d.ask("warm.example.com")
    ask_slow(t, d, server)
    with d.udp(timeout=8) as behind:
        behind.send(client.query("behind.example.com").to_wire())
        until(lambda: counted(d, "forwarded") >= 3, 10, "it was sent")
        gate.open.set()
        check(behind.receive(), "no answer")
    equal(counted(d, "beside"), 0, "questions over a second connection")


@case("a server whose second connection was refused is connected to anew, although the first is open and idle")
def refused_apart(t):
    d, server = stub(t)
    other = Site(t, prefix="other")

    def answer(q):
        if not q.name.startswith("bad"):
            return wire.answer(q)
        server.context.load_cert_chain(other.chain, other.key_file)  # who connects from now on meets somebody else
        return wire.answer(q, rcode=2)

    d.ask("warm.example.com")
    server.answer = answer
    until(lambda: d.ask("bad.example.org") and d.ctl("upstreams")["upstreams"][0]["health"] == "refused", 10, "the server is refused")
    server.context.load_cert_chain(d.site.chain, d.site.key_file)
    until(lambda: client.rcode(d.ask("good.example.com")) == "NOERROR", 20, "the server serves again")
    check("detail=idle" not in d.log(), "only when the first connection had been idle for too long")
