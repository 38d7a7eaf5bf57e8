"""Several workers, one cache: an answer that one of them received is found by all, and one that is removed is gone for all. The kernel
chooses the worker by the client's port, so each question below comes from a port of its own: 30 of them reach every worker."""
import errno
import subprocess
import threading
import time

import dns.message

from functional._common import stub
from harness import client, wire
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.faults import Faults
from harness.patience import patient
from harness.upstream import DotServer

PORTS = 30
WORKERS = 2


def from_all_ports(d, name, rcode="NOERROR", **options):
    """Asks once from each port; the replies."""
    replies = [d.ask(name, **options) for _ in range(PORTS)]
    equal({client.rcode(r) for r in replies}, {rcode}, f"rcodes for {name}")
    return replies


def asked(server, name):
    return server.names().count(name)


def handshakes(d):
    """Of each worker."""
    return [u["handshakes"] for u in d.ctl("upstreams")["upstreams"]]


def busy(d):
    """Every worker has an upstream connection of its own, so each of them answers some port."""
    for i in range(40 * WORKERS):
        if all(handshakes(d)):
            return
        d.ask(f"warm{i}.example.com")
    check(False, f"not every worker was asked: {handshakes(d)}")


def denial(q):
    soa = b"\x01a\x00\x01b\x00" + b"\0\0\0\1" * 4 + b"\0\0\1\x2c"
    if not q.name.lower().startswith("no-such"):
        return wire.answer(q)
    return wire.header(q.ident, 0x8183, 1, 0, 1, 0) + q.section + wire.record(b"\xc0\x0c", 6, 300, soa)


@case("a name that is cached as denied exists as soon as the hosts file has a name below it")
def denied_above_hosts(t):
    hosts = t.write("hosts", "127.0.0.1 other.example.net\n")
    d, server = stub(t, answer=denial, extra=f'local {{ hosts-file = "{hosts}" }}\n')
    equal(client.rcode(d.ask("no-such.example.com")), "NXDOMAIN", "before")
    t.write("hosts", "127.0.0.1 other.example.net\n192.0.2.7 host.no-such.example.com\n")
    until(lambda: "192.0.2.7" in str(d.ask("host.no-such.example.com").answer), 10, "the file is read again")
    reply = d.ask("no-such.example.com")
    equal((client.rcode(reply), len(reply.answer)), ("NOERROR", 0), "after")
    equal(client.rcode(d.ask("no-such.example.com", qtype="AAAA")), "NOERROR", "another type")
    equal(client.rcode(d.ask("no-such-either.example.com")), "NXDOMAIN", "its neighbour")
    equal(asked(server, "no-such.example.com"), 2, "questions: one of each type")


def port_of_each(d):
    """A port for each worker: the first question that reaches a worker makes its connection."""
    ports = []
    for i in range(40 * WORKERS):
        before, port = sum(map(bool, handshakes(d))), d.udp()
        port.ask(client.query(f"first{i}.example.com").to_wire())
        if sum(map(bool, handshakes(d))) > before:
            ports.append(port)
        else:
            port.close()
        if len(ports) == WORKERS:
            return ports
    check(False, f"not every worker was asked: {handshakes(d)}")


@case("a denial is mended also if the worker that stored it knew the old hosts file")
def denied_above_hosts_elsewhere(t):
    hosts = t.write("hosts", "127.0.0.1 other.example.net\n")
    known = threading.Event()

    def late(q):
        if q.name.lower().startswith("no-such"):
            known.wait(patient(3.5))
        return denial(q)

    d, server = stub(t, answer=late, workers=WORKERS, extra=f'local {{ hosts-file = "{hosts}" }}\n')
    behind, ahead = port_of_each(d)
    ask = lambda port, name: dns.message.from_wire(port.ask(client.query(name).to_wire()))
    behind.send(client.query("no-such.example.com").to_wire())
    until(lambda: asked(server, "no-such.example.com") == 1, 3, "the question is at the upstream")
    t.write("hosts", "127.0.0.1 other.example.net\n192.0.2.7 host.no-such.example.com\n")
    until(lambda: "192.0.2.7" in str(ask(ahead, "host.no-such.example.com").answer), 3, "one worker reads the file")
    time.sleep(0.05)  # the denial is stored later than the file was read
    known.set()
    equal(client.rcode(dns.message.from_wire(behind.receive())), "NXDOMAIN", "by the old file")
    equal(client.rcode(ask(ahead, "no-such.example.com")), "NOERROR", "the other worker's answer")
    equal(client.rcode(ask(behind, "no-such.example.com")), "NOERROR", "its own")
    equal(asked(server, "no-such.example.com"), 1, "questions")
    for port in behind, ahead:
        port.close()


ROWS = (("an answer over UDP", "www.example.com", "NOERROR", {}),
        ("an answer over TCP", "tcp.example.com", "NOERROR", {"tcp": True}),
        ("an answer of another type", "www.example.net", "NOERROR", {"qtype": "AAAA"}),
        ("a denial", "no-such.example.com", "NXDOMAIN", {}))


@case("what one worker received is found by the others")
def shared(t):
    d, server = stub(t, answer=denial, workers=WORKERS)
    busy(d)
    for what, name, rcode, options in ROWS:
        from_all_ports(d, name, rcode, **options)
        equal(asked(server, name), 1, f"{what}: questions at the upstream")
    names = len(set(server.names()))
    cache = d.ctl("stats")["cache"]
    equal(cache["entries"], names, "entries: each name once")
    check(cache["hits"] >= len(ROWS) * (PORTS - 1), f"hits: {cache}")


@case("a flush reaches the cache of all workers, by name and whole")
def flushed(t):
    d, server = stub(t, workers=WORKERS)
    busy(d)
    for name in ("a.example.com", "b.example.org"):
        from_all_ports(d, name)
    equal(d.ctl("flush", name="example.com")["flushed"], asked_below(server, "example.com"), "entries that a flush of a name removes")
    for name, times in (("a.example.com", 2), ("b.example.org", 1)):
        from_all_ports(d, name)
        equal(asked(server, name), times, f"{name}: questions at the upstream")
    check(d.ctl("flush")["flushed"] >= 2, "a flush of everything")
    equal(d.ctl("stats")["cache"]["entries"], 0, "entries afterwards")
    from_all_ports(d, "b.example.org")
    equal(asked(server, "b.example.org"), 2, "b.example.org: questions at the upstream")


@case("when the upstream dies under the same question of two workers, the clients of both get the stale answer")
def stale_for_all(t):
    held = threading.Event()

    def answer(q):
        if q.name.lower() == "old.example.com":
            return None if held.is_set() else wire.answer(q, ttl=1)
        return wire.answer(q)

    d, server = stub(t, answer=answer, workers=WORKERS)
    busy(d)
    equal(client.rcode(d.ask("old.example.com")), "NOERROR", "rcode")
    held.set()
    clients = []

    def both_ask():
        for _ in range(PORTS):
            clients.append(d.udp(timeout=8))
            clients[-1].send(client.query("old.example.com").to_wire())
        return asked(server, "old.example.com") > WORKERS
    until(both_ask, 20, "the answer's time is over, and every worker asks anew")
    server.stop(reset=True)
    replies = [dns.message.from_wire(c.receive()) for c in clients]
    for c in clients:
        c.close()
    equal({client.rcode(r) for r in replies}, {"NOERROR"}, "rcodes")
    check(any(code == 3 for r in replies for code, _ in client.ede(r)), "no answer was stale")


def asked_below(server, zone):
    return len({n for n in server.names() if n.endswith(zone)})


@case("after a reload no worker gives an answer of the old configuration")
def reloaded(t):
    d, _ = stub(t, workers=WORKERS)
    second = DotServer(t, d.site, answer=lambda q: wire.answer(q, records=[wire.record(b"\xc0\x0c", q.qtype, 300, bytes([203, 0, 113, 9]))]))
    busy(d)
    old = {r.answer[0][0].to_text() for r in from_all_ports(d, "www.example.com")}
    d.write(upstream("two", second))
    check(d.ctl("reload")["ok"], "reload")
    until(lambda: d.ask("www.example.com").answer[0][0].to_text() == "203.0.113.9", 10, "the new upstream answers")
    # The second worker may take the configuration a moment later; it must not put what it knew back.
    until(lambda: {r.answer[0][0].to_text() for r in from_all_ports(d, "www.example.com")} == {"203.0.113.9"}, 10,
          f"the new upstream answers for all workers, instead of {old}")
    equal(asked(second, "www.example.com"), 1, "questions at the new upstream")
    for _ in range(3):
        check(d.ctl("reload")["ok"], "another reload")
    from_all_ports(d, "www.example.com")


@rows([(f"without the thread of worker {k} of {n} the start ends, also of workers that wait already, and the message names it", k, n)
       for k, n in ((1, 1), (1, 4), (3, 4), (4, 4))], builds=("gcc", "san"))
def no_thread(t, k, n):
    faults = Faults(t)
    faults.arm("thread", k, errno.EAGAIN)
    d = Daemon(t, 'upstream "none" { address = {"192.0.2.1"} }\n', workers=n, env=faults.env, wait=False)
    d.process.expect = None
    equal((d.process.popen.wait(patient(20)), faults.hits), (3, 1), "exit code, and threads that were not made")
    check(f"cannot start the thread of worker {k} of {n}: Resource temporarily unavailable" in d.log(), d.log())


@rows([("a wall clock that was set counts once, however many workers notice it", "clock_sets", "clock-set", {"wall": 3600}),
       ("a sleep counts once, however many workers notice it", "resumes", "resumed", {"boot": 3600})], builds=("gcc",))
def clock(t, counter, line, jump):
    faults = Faults(t)
    d, _ = stub(t, workers=WORKERS, env=faults.env)
    busy(d)
    for times in (1, 2):
        faults.clocks(**{k: times * v for k, v in jump.items()}, event=True)
        for i in range(PORTS):
            d.ask(f"{line}{times}x{i}.example.com")
        seen = d.ctl("stats")["counters"][counter], d.log().count(f" {line} ")
        equal(seen, (times, times), "counted, logged")


@case("a change of network counts once, however many workers hear of it", netns=True)
def network(t):
    d, _ = stub(t, workers=WORKERS)
    busy(d)
    subprocess.run(["ip", "route", "add", "default", "dev", "lo"], check=True)
    until(lambda: min(handshakes(d)) >= 2, 30, "every worker has connected anew")
    equal(d.ctl("stats")["counters"]["network_changes"], d.log().count("network-changed"), "changes")
