"""Floods, empty tables and full ones: reliability cases R01 to R17, P06, P09 and G08."""
import itertools
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import dns.message

from functional._common import Handed, again, code_of, descriptors, servfail, stat, stub as common_stub, udp_from
from harness import client, net, wire
from harness.case import Skip, at_most, case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.patience import patient
from harness.pki import Authority, Site, key_pem, pem
from harness.upstream import DotServer

NOBODY = 65534


def limited(t, nofile, **more):
    """A stub whose daemon may hold `nofile` descriptors from its start."""
    d, server = stub(t, **more)
    again(d, "prlimit", f"--nofile={nofile}:{nofile}")
    return d, server


@case("with too few descriptors the daemon does not start and says so, however few there are", builds=("gcc",))
def too_few_descriptors(t):
    d, _ = stub(t, workers=2)
    for n in itertools.count(5):
        d.process.stop()
        d.process = t.spawn("ctstubd", ["prlimit", f"--nofile={n}:{n}", t.program("ctstubd"), "-c", d.config])
        until(lambda: not d.process.alive() or " started " in d.process.log(), 30, f"{n} descriptors: it starts, or ends")
        if d.process.alive():
            break
        last = d.process.log().strip().split("\n")[-1]
        equal((d.process.popen.returncode, "Too many open files" in last), (3, True), f"{n} descriptors: {last!r}")
        d.process.expect = (3,)
    check(20 < n < 60, f"it starts with {n} descriptors")


def tcp_from(d, source, timeout=10):
    """A client at another address of loopback."""
    c = client.Tcp.__new__(client.Tcp)
    c.socket = socket.create_connection((d.address, d.port), timeout, (source, 0))
    c._held = b""
    return c


def still_open(clients):
    """Those whose peer has not closed, without waiting."""
    n = 0
    for c in clients:
        c.socket.setblocking(False)
        try:
            n += c.socket.recv(1) != b""
        except BlockingIOError:
            n += 1
        except OSError:
            pass
    return n


def stub(t, *arguments, **options):
    """The common one, when its control socket is there too."""
    d, server = common_stub(t, *arguments, **options)
    until(lambda: os.path.exists(d.control), 20, "the control socket is there")
    return d, server


# ---- clients that hold and do not ask

IDLE_S = 30  # TCP_IDLE_MS of resolver/daemon/tcp_conn.h: a busy machine may take longer to open them all


@case("R01 thousands of idle TCP clients stay connected in little memory, and UDP is answered as before", timeout=300)
def idle_clients(t):
    total = 10_000 if t.long else 2_000
    descriptors(total + 200)
    d, _ = stub(t)
    d.ask("warm.example.com")
    before, began = d.process.rss_kib(), time.monotonic()
    clients = [tcp_from(d, f"127.0.0.{1 + i % 8}") for i in range(total)]
    t.defer(lambda: [c.close() for c in clients])
    until(lambda: stat(d, "tcp_accepted") >= total, 30, "all are accepted")
    for i in range(200):
        equal(client.rcode(d.ask(f"i{i % 20}.example.com")), "NOERROR", "rcode over UDP")
    held = still_open(clients)
    closed = stat(d, "tcp_closed_idle")
    check(held + closed >= total, f"{held} are open, {closed} were closed for being idle, of {total}")
    check(held == total or time.monotonic() - began >= IDLE_S, f"only {held} are open, {closed} were closed before they had been idle for long")
    if not t.sanitized:
        grown = (d.process.rss_kib() - before) / total
        check(grown <= 8, f"{grown:.1f} KiB for each")
        t.promised(f"{held:,} of {total:,} connected, {grown:.1f} KiB for each")
    with d.tcp() as c:
        equal(code_of(c.ask(wire.question("warm.example.com"))), 0, "rcode of one more client")


@case("R01 when descriptors run short the client idle for longest is disconnected")
def idle_makes_room(t):
    d, _ = limited(t, 600)
    clients = []
    for i in range(400):
        clients.append(tcp_from(d, f"127.0.0.{1 + i % 4}"))
    t.defer(lambda: [c.close() for c in clients])
    until(lambda: stat(d, "tcp_closed_idle") > 0, 20, "somebody was closed")
    last = clients[-1]
    last.socket.setblocking(True)
    last.socket.settimeout(patient(10))
    equal(code_of(last.ask(wire.question("last.example.com"))), 0, "rcode of the newest")
    equal(still_open(clients[:1]), 0, "the oldest is open")
    equal(client.rcode(d.ask("udp.example.com")), "NOERROR", "rcode over UDP")
    check("accept-paused" not in d.log(), "descriptors ran out")


@case("R02 slow clients of one address leave room for those of another")
def slow_clients(t):
    d, _ = limited(t, 560)
    slow = []
    question = wire.frame(wire.question("slow.example.com"))
    for i in range(400):
        c = tcp_from(d, "127.0.0.1")
        try:
            c.send_raw(question[:1 + i % (len(question) - 1)])
        except OSError:
            pass  # closed already, to make room
        slow.append(c)
    t.defer(lambda: [c.close() for c in slow])
    for i in range(20):
        with tcp_from(d, "127.0.0.2") as c:
            equal(code_of(c.ask(wire.question(f"other{i}.example.com"))), 0, "rcode of another client")
    check(still_open(slow) <= 560 * 2 // 3, "one address holds nearly all there is")


@case("R02 endless connections from one address close its own, never those of another")
def flood_of_connections(t):
    d, _ = limited(t, 560)
    others = [tcp_from(d, "127.0.0.2") for _ in range(20)]
    t.defer(lambda: [c.close() for c in others])
    for c in others:
        equal(code_of(c.ask(wire.question("other.example.com"))), 0, "rcode of the other client")
    flood = [tcp_from(d, "127.0.0.1") for _ in range(400)]
    t.defer(lambda: [c.close() for c in flood])
    until(lambda: stat(d, "tcp_closed_idle") > 100, 20, "many were closed to make room")
    equal(still_open(others), len(others), "connections of the other client that are open")


@case("R02 an occasional byte does not extend a connection's idle limit", long=True, timeout=180)
def dribble(t):
    d, _ = stub(t)
    c = d.tcp(1)
    framed = wire.frame(wire.question("a" * 60 + "." + "b" * 60 + ".example.com"))
    sent = iter(framed[:-1])

    def ended():
        """Reads for a second (a closed connection tells at once), then sends one byte."""
        try:
            return c.socket.recv(1) == b""
        except TimeoutError:
            try:
                c.send_raw(bytes([next(sent)]))
            except OSError:
                return True
            return False
        except ConnectionResetError:
            return True
    until(ended, 60, "the connection is closed")
    check(stat(d, "tcp_closed_idle") > 0, "it was closed for another reason")


# ---- more questions than can be answered

def silent_after(names):
    """Answers these names, and nothing else."""
    def answer(q):
        return wire.answer(q) if q.name.lower() in names else None
    return answer


def flood(d, total, prefix, source="127.0.0.1", each=2000):
    """Connections over which `total` different questions were sent."""
    connections = []
    for first in range(0, total, each):
        c = tcp_from(d, source, 20)
        connections.append(c)
        c.send_raw(b"".join(wire.frame(wire.question([f"{prefix}{i}".encode(), b"example", b"com"], ident=i & 0xffff, ar=1, extra=wire.opt()))
                            for i in range(first, min(first + each, total))))
    return connections


class Reader:
    """Reads so many replies while others ask: the daemon closes the connection of a client that does not read."""

    def __init__(self, connection, total):
        self.connection, self.total, self.got = connection, total, []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            while len(self.got) < self.total and (raw := self.connection.receive()):
                self.got.append(raw)
        except OSError:
            pass  # what is missing is seen by its number

    def replies(self):
        self.thread.join()
        return self.got


@case("R03 questions over the in-flight limit of a silent upstream fail at once with a reason; others are served")
def silent_upstream(t):
    d, server = stub(t, silent_after({"cached.example.com"}), extra="hedge = false\n")
    equal(client.rcode(d.ask("cached.example.com")), "NOERROR", "rcode of the first")
    total = 8000
    connections = flood(d, total, "unique")
    t.defer(lambda: [c.close() for c in connections])
    readers = [Reader(c, min(2000, total - 2000 * i)) for i, c in enumerate(connections)]
    until(lambda: stat(d, "shed") > 0, 20, "something is refused")
    with udp_from(d, "127.0.0.2") as c:
        for _ in range(50):
            equal(code_of(c.ask(wire.question("cached.example.com"))), 0, "another client's answer from the cache")
            equal(code_of(c.ask(wire.question("localhost"))), 0, "another client's local answer")
    asked = max(u["in_flight"] for u in d.ctl("upstreams")["upstreams"])
    check(asked <= 4096, f"{asked} questions are in flight")
    replies = [raw for reader in readers for raw in reader.replies()]
    equal(len(replies), total, "replies")
    for raw in replies:
        equal(code_of(raw), 2, "rcode")
        check(b"\0\x0f" in raw[12:], "no extended error")
    check(d.ctl("stats")["ok"], "the daemon still talks")


@case("R17 one client's flood of unanswered questions does not affect another client's new questions")
def fair(t):
    site = Site(t)
    served = DotServer(t, site, answer=lambda q: None if q.name.startswith("flood") else wire.answer(q))
    d = Daemon(t, upstream("one", served), anchors=site.anchors, extra="hedge = false\n", log_level="info")
    equal(client.rcode(d.ask("warm.example.com")), "NOERROR", "rcode of the first")
    connections = flood(d, 8000, "flood")
    t.defer(lambda: [c.close() for c in connections])
    until(lambda: stat(d, "shed") > 0, 20, "something is refused")
    # it reads in turn: before that the other client would wait for the server of the test, and not for the daemon
    until(lambda: len(served.questions) >= stat(d, "forwarded"), 20, "the upstream has read the flood")
    with tcp_from(d, "127.0.0.2") as c:
        for i in range(20):
            raw = c.ask(wire.question(f"fair{i}.example.com", ar=1, extra=wire.opt()))
            equal((code_of(raw), client.ede(dns.message.from_wire(raw))), (0, []), "rcode of the other client, and why")


def denied(q):
    soa = wire.record(wire.name_bytes("example.com"), wire.SOA, 300, b"\0\0" + struct.pack(">IIIII", 1, 2, 3, 4, 300))
    return wire.header(q.ident, 0x8183, 1, 0, 1, 1) + q.section + soa + wire.opt()


@rows([("R04 a flood of random names that exist leaves the cache at its size", wire.answer),
       ("R04 a flood of random names that do not exist leaves the cache at its size", denied)], timeout=600,
      builds=("gcc",))  # the sanitizers keep what was freed
def random_names(t, answer):
    size = 256 * 1024
    d, _ = stub(t, answer, extra='cache { size = "256KiB" }\n', log_level="warn")
    total, at_once = (1_000_000 if t.long else 3_000), 250  # few enough for a busy machine to answer in time
    with d.tcp(20) as c:
        for first in range(0, total, at_once):
            c.send_raw(b"".join(wire.frame(wire.question([f"r{i}".encode(), b"example", b"com"], ident=i & 0xffff))
                                for i in range(first, first + at_once)))
            for _ in range(at_once):
                check(code_of(c.receive()) in (0, 3), "rcode")
            if first == total // 3 // at_once * at_once:
                before = d.process.rss_kib()
        cache = d.ctl("stats")["cache"]
        check(cache["bytes"] <= size, f"{cache['bytes']} bytes")
        check(cache["entries"] > 0, "nothing is kept")
        grown = d.process.rss_kib() - before
        check(grown < (20_000 if t.sanitized else 4_096), f"{grown} KiB more after the cache was full")
        equal(code_of(c.ask(wire.question("after.example.com"))) in (0, 3), True, "a later question")


# ---- no descriptors

def fd_limit(d, n):
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (n, 65536))


def fd_next(d):
    """The number that the next descriptor would get."""
    used = {int(n) for n in os.listdir(f"/proc/{d.process.pid}/fd")}
    return next(i for i in range(len(used) + 1) if i not in used)


@case("R05 without free descriptors the daemon pauses accepting, does not spin, and recovers")
def no_accept(t):
    d, _ = stub(t)
    early = d.tcp()
    early.ask(wire.question("early.example.com"))
    before = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (fd_next(d), before[1]))
    waiting = [d.tcp(20) for _ in range(20)]
    t.defer(lambda: [c.close() for c in waiting])
    until(lambda: "accept-paused" in d.log(), 10, "accepting pauses")
    spent = d.process.cpu_seconds()
    begun = d.log().count("accept-paused")

    def three_more():
        equal(client.rcode(d.ask("meanwhile.example.com")), "NOERROR", "rcode over UDP")
        equal(code_of(early.ask(wire.question("early.example.com"))), 0, "rcode over the open connection")
        return d.log().count("accept-paused") >= begun + 3
    until(three_more, 30, "three more pauses")
    spent = d.process.cpu_seconds() - spent
    check(spent < (5 if t.sanitized else 1.5), f"{spent} s of processor time in three pauses")
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, before)
    for c in waiting:
        equal(code_of(c.ask(wire.question("late.example.com"))), 0, "rcode of one that waited")
    check(d.ctl("stats")["counters"]["accept_paused"] >= 3, "the pauses are not counted")


def connected(d):
    """Clients whose TCP connection the daemon still holds: the one that asked whether it is up may be among them."""
    with open(f"/proc/{d.process.pid}/net/tcp", encoding="ascii") as f:
        rows_ = [line.split() for line in f.readlines()[1:]]
    return [r for r in rows_ if r[1].endswith(f":{d.port:04X}") and r[3] not in ("0A", "06")]  # listening, gone


@case("R06 without a descriptor for the upstream SERVFAIL says so, and the next question works once one is free")
def no_connect(t):
    d, server = stub(t)
    until(lambda: not connected(d), 10, "no connection is open")
    before = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (fd_next(d), before[1]))
    for i in range(5):
        servfail(d.ask(f"none{i}.example.com"))
    equal(server.connections, 0, "connections upstream")
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, before)
    number = iter(range(10_000))
    until(lambda: client.rcode(d.ask(f"back{next(number)}.example.com")) == "NOERROR", 10, "answers again")


# ---- what fails, fails without leaving anything behind

@case("R09 thousands of failed connections and handshakes leave descriptors and memory flat", timeout=900,
      builds=("gcc",))  # the sanitizers keep what was freed
def failures_are_free(t):
    site, other = Site(t), Authority("Somebody else")
    key, certificate = other.issue(["127.0.0.1"])
    forged = {"chain": t.write("other/chain.pem", pem(certificate)), "key": t.write("other/key.pem", key_pem(key))}

    def talk_plain(plain):
        plain.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return False
    servers = [DotServer(t, site, on_accept=lambda plain: False), DotServer(t, site, on_accept=talk_plain),
               DotServer(t, site, **forged)]
    blocks = [upstream(f"u{i}", s) for i, s in enumerate(servers)]
    blocks.append('upstream "closed" { address = {"127.0.0.1"} port = %d }\n' % net.free_port())
    d = Daemon(t, blocks, anchors=site.anchors, log_level="warn")
    rounds = 3_000 if t.long else (40 if t.sanitized else 250)

    asker = d.udp()

    def tried():
        return sum(s.connections for s in servers)

    def round_of_failures(i):
        before = tried()
        d.ctl("reload")  # what is known of the upstreams is forgotten: all are tried again
        asker.send(client.query(f"f{i}.example.com").to_wire())  # its answer comes when its time is over
        until(lambda: tried() >= before + len(servers), 10, "all are tried")
    for i in range(rounds // 2):
        round_of_failures(i)
    fds, rss = d.process.fds(), d.process.rss_kib()
    for i in range(rounds // 2, rounds):
        round_of_failures(i)
    check(tried() >= rounds, "the servers were hardly tried")
    equal(client.rcode(d.ask("last.example.com")), "SERVFAIL", "rcode")
    until(lambda: d.process.fds() <= fds + 5, 10, f"descriptors come back to {fds}; {d.process.fds()}")
    grown = d.process.rss_kib() - rss
    check(grown < (30_000 if t.sanitized else 1_536), f"{grown} KiB more")


@case("R10 a storm of malformed questions and answers gives a bounded log without control bytes")
def log_storm(t):
    def garbage(q):
        return wire.header(q.ident, 0x8180, 1, 200, 0, 0) + q.section + b"\xc0\xff" * 20
    d, _ = stub(t, garbage, log_level="info")
    with d.tcp(20) as c:
        for first in range(0, 3000, 500):
            c.send_raw(b"".join(wire.frame(wire.question([f"s{i}".encode(), b"\x1b[31m\r\n", b"com"], ident=i)) for i in range(first, first + 500)))
            for _ in range(500):
                equal(code_of(c.receive()), 2, "rcode")
    with d.udp() as c:
        for i in range(5000):
            c.send(wire.header(i, 0x0100, 5) + b"\xff" * 20)
    equal(client.rcode(d.ask("localhost", tcp=True)), "NOERROR", "rcode afterwards")  # the UDP socket's queue may still be full
    log = d.log()
    check(log.count("\n") < 400, f"{log.count(chr(10))} lines in the log")
    check(not re.search(r"[\x00-\x09\x0b-\x1f]", log), "control bytes in the log")


@case("R12 an upstream that comes back under many waiting questions gets one handshake")
def herd(t):
    gate = threading.Event()

    def hold(_plain):
        gate.wait(patient(40))
        return True
    d, server = stub(t, options={"on_accept": hold})
    with d.udp(8) as c:
        for i in range(150):
            c.send(wire.question(f"w{i}.example.com", ident=i))
        until(lambda: stat(d, "questions_udp") >= 150, 5, "all questions are there")
        gate.set()
        good = sum(1 for _ in range(150) if code_of(c.receive()) == 0)
    at_most(server.handshakes, 3, "handshakes")
    t.promised(f"150 waiting questions, handshakes: {server.handshakes}")
    check(good >= 1, "no client was answered")
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "rcode afterwards")


# ---- small rooms

@rows([("R15 a stack of 256 KiB", ["--stack=262144:262144"]), ("R15 an address space of 64 MiB", ["--as=67108864:67108864"])],
      builds=("gcc",))
def small(t, limits):
    if t.label == "tsan" and "--as" in limits[0]:
        raise Skip("ThreadSanitizer reserves more addresses than that")
    d, _ = stub(t, log_level="info")
    again(d, "prlimit", *limits)
    for i in range(100):
        equal(client.rcode(d.ask(f"s{i}.example.com", tcp=i % 2 == 0)), "NOERROR", "rcode")
    check(d.ctl("reload")["ok"], "reload")
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "rcode after a reload")
    with d.tcp(20) as c:
        c.send_raw(b"".join(wire.frame(wire.question(f"many{i}.example.com", ident=i)) for i in range(1000)))
        for _ in range(1000):
            check(code_of(c.receive()) in (0, 2), "rcode under load")


@case("C27 thousands of pipelined questions whose replies are known at once are all answered")
def known_at_once(t):
    d, _ = stub(t)
    d.process.stop()
    d.write(f'upstream "gone" {{ address = {{"127.0.0.1"}} port = {net.free_port()} ct = "off" }}\n', 'filter { list-file = {"%s"} }\n' % t.write("list", "ads.example\n"))
    again(d)
    for name in ("localhost", "x.ads.example", "x.onion"):
        with d.tcp(20) as c:
            for many in (600, 3000):  # in one read, and in several
                c.send_raw(wire.frame(wire.question(name)) * many)
                for _ in range(many):
                    check(c.receive(), "the connection was closed")


@case("P06 when its log pipe is full the daemon goes on, and later reports how many lines it dropped")
def full_log(t):
    d, _ = stub(t)
    d.process.stop()
    reader, writer = os.pipe()
    process = subprocess.Popen([t.program("ctstubd"), "-vv", "-c", d.config], stderr=writer, stdout=writer, stdin=subprocess.DEVNULL,
                               env=t.env(), start_new_session=True)
    os.close(writer)

    def end():
        process.terminate()
        equal(process.wait(patient(10)), 0, "exit code")
    t.defer(end)
    until(lambda: os.path.exists(d.control), 20, "ctstubd listens")
    equal(client.rcode(d.ask("first.example.com")), "NOERROR", "rcode")
    capacity = 65536
    for _ in range(capacity // 25):  # each leaves a line
        d.ctl("log-level", level="debug")
    equal(client.rcode(d.ask("full.example.com")), "NOERROR", "rcode with a full log")
    os.set_blocking(reader, False)
    try:
        while os.read(reader, 65536):
            pass
    except BlockingIOError:
        pass
    d.ctl("log-level", level="debug")
    until(lambda: b"log-lines-lost" in read_some(reader), 10, "it says what was left out")
    os.close(reader)


def read_some(fd):
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return b""


# ---- sockets that were handed over

@case("P09 A13 crashes and restarts with sockets handed over lose no client's question", timeout=180,
      builds=("gcc",))  # the sanitizers call the crash an error
def handed_over(t):
    site = Site(t)
    server = DotServer(t, site)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, log_level="info")
    d.process.stop()
    handed = Handed(t, d.address, d.port)

    def start():
        d.process = handed.spawn("ctstubd", "-c", d.config)
    start()
    d.process.wait_log("bound-by=service-manager")
    failed, ended = [], threading.Event()

    def ask_on():
        i = 0
        while not ended.is_set():
            i += 1
            message = wire.question(f"a{i}.example.com", ident=i & 0xffff)
            try:
                with d.udp(5) as c:
                    try:
                        raw = c.ask(message)
                    except (TimeoutError, ConnectionError):
                        raw = c.ask(message)  # as the C library does
                    if wire.rdata_for([f"a{i}".encode(), b"example", b"com"], wire.A) not in raw:
                        failed.append(f"{i}: {raw!r}")
            except OSError as error:
                failed.append(f"{i}: {error!r}")
            done[0] = i
    done = [0]
    asker = threading.Thread(target=ask_on, daemon=True)
    asker.start()
    for number in [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM] * (10 if t.long else 2):
        before = done[0]
        until(lambda: done[0] >= before + 20, 30, "questions are answered")
        d.process.expect = None
        d.process.signal(number)
        d.process.popen.wait(patient(10))
        start()
    before = done[0]
    until(lambda: done[0] >= before + 20, 30, "questions are answered at the end")
    ended.set()
    asker.join(patient(15))
    equal(failed, [], "questions that failed")
    with d.tcp() as c:
        equal(code_of(c.ask(wire.question("tcp.example.com"))), 0, "rcode over TCP")


# ---- the control socket

def control(d, timeout=20):
    s = socket.socket(socket.AF_UNIX)
    s.connect(d.control)
    s.settimeout(patient(timeout))
    return s


def all_of(s):
    data = b""
    while True:
        try:
            more = s.recv(65536)
        except ConnectionError:
            return data
        if not more:
            return data
        data += more


@case("G08 another user cannot connect; where folder permissions allow it, he can read and change nothing")
def other_user(t):
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    d, _ = stub(t)
    code = ("import json, socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
            "s.sendall(json.dumps({'verb': sys.argv[2], **{'log-level': {'level': 'error'}, 'captive': {'minutes': 1}}.get(sys.argv[2], {})}).encode() + b'\\n')\nprint(s.makefile().read())\n")

    def as_nobody(verb):
        return subprocess.run([sys.executable, "-c", code, d.control, verb], user=NOBODY, group=NOBODY, extra_groups=[], timeout=patient(20),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    os.chmod(d.dir, 0o755)
    done = as_nobody("status")
    check(b"PermissionError" in done.stderr, f"he could connect: {done}")
    os.chmod(d.control, 0o666)
    check(json.loads(as_nobody("status").stdout)["ok"], "reading is allowed by the socket's mode")
    for verb in ("flush", "reload", "log-level", "captive"):
        response = json.loads(as_nobody(verb).stdout)
        check(not response["ok"] and "root" in response["error"], f"{verb}: {response}")
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "rcode afterwards")


@rows([("G08 half a request, then the end of the connection", b'{"verb": "sta', True), ("G08 a connection that ends without a request", b"", True),
       ("G08 half a request, then silence", b'{"verb": "sta', False), ("G08 zero bytes", b"\0" * 100 + b"\n", False),
       ("G08 a line that is not JSON", b"status\n", False), ("G08 brackets in brackets", b"[" * 4000 + b"\n", False),
       ("G08 a length prefix of a gigabyte", b"\x40\0\0\0" + b"x" * 60_000, False)])
def bad_requests(t, data, end):
    d, _ = stub(t)
    with control(d) as s:
        try:
            s.sendall(data)
        except ConnectionError:
            pass  # refused before it was all there
        if end:
            s.shutdown(socket.SHUT_WR)
        reply = all_of(s)  # until the daemon closes
    check(reply == b"" or not json.loads(reply)["ok"], f"it was taken: {reply}")
    check(d.ctl("status")["ok"], "the next one is served")


@case("G08 an endless request takes no memory")
def endless_request(t):
    d, _ = stub(t)
    d.ctl("status")
    before = d.process.rss_kib()
    with control(d) as s:
        try:
            for _ in range(1024):
                s.sendall(b"x" * 65536)
        except OSError:
            pass
    check(d.ctl("status")["ok"], "the next one is served")
    check(d.process.rss_kib() - before < (20_000 if t.sanitized else 1024), "memory grew")


@case("G08 clients that never read are disconnected, and many connections do not affect others")
def many_connections(t):
    descriptors(600)
    d, _ = stub(t)
    held = []
    for i in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        try:
            s.connect(d.control)
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                s.send(b'{"verb": "stats"}\n')
        except OSError:
            pass
        held.append(s)
    t.defer(lambda: [s.close() for s in held])
    equal(client.rcode(d.ask("meanwhile.example.com")), "NOERROR", "rcode meanwhile")
    check(d.process.fds() < 100, f"{d.process.fds()} descriptors")

    def talks():
        try:
            return d.ctl("status")["ok"]
        except (OSError, ValueError):
            return False
    until(talks, 30, "the silent ones are closed, and others served")
