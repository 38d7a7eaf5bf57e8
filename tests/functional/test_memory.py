"""What clients can make the daemon hold, all of them together: it is bounded, those who hold much give way, others are served, and
the memory goes back to the system."""
import contextlib
import os
import signal
import socket
import struct

from functional._common import Handed, again, code_of, descriptors, stat, stub, udp_from
from harness import wire
from harness.case import Skip, case, check, equal, rows, until
from harness.load import Load, played
from harness.patience import patient

MIB = 1024  # in KiB
TXT = 16
CLIENTS = 1200


def connect(d, i, receive=None):
    """A connection that neither waits nor reads; None when it was not taken."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if receive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.settimeout(patient(5))
    s.bind((f"127.0.0.{3 + i % 20}", 0))
    s.connect((d.address, d.port))
    s.setblocking(False)
    return s


def push(s, data):
    """Sends what can be sent now."""
    try:
        return s.send(data)
    except (BlockingIOError, ConnectionError):
        return 0


def partial(size, announced=65535):
    head = struct.pack(">H", announced) + wire.question("partial.example.com")[:12]
    return lambda i: head + bytes(size - len(head))


def questions(n, name="big{}.example.com"):
    return lambda i: b"".join(wire.frame(wire.question(name.format(k % 50), TXT, ident=k)) for k in range(n))


def mixed(i):
    return (partial(65500), partial(9000), questions(40), partial(40, 900))[i % 4](i)


def big(q):
    """An answer of some thousand bytes."""
    if not q.name.startswith("big"):
        return wire.answer(q)
    text = b"".join(wire.record(b"\xc0\x0c", TXT, 300, bytes([250]) + bytes([65 + i]) * 250) for i in range(12))
    return wire.header(q.ident, 0x8180, 1, 12, 0, 1) + q.section + text + wire.opt()


ROWS = [("questions of 65,535 bytes that lack the last 35", partial(65500), None),
        ("questions of 65,535 bytes of which half arrived", partial(32000), None),
        ("questions of 65,535 bytes of which little arrived", partial(9000), None),
        ("questions of 65,535 bytes of which a thousand bytes arrived", partial(1000), None),
        ("questions of 900 bytes of which little arrived", partial(40, 900), None),
        ("a length without a question", lambda i: b"\xff\xff", None),
        ("nothing at all", lambda i: b"", None),
        ("questions whose large answers nobody reads", questions(40), None),
        ("questions whose large answers nobody reads into small buffers", questions(40), 4096),
        ("very many questions whose small answers nobody reads", questions(400, "small{}.example.com"), 4096),
        ("all of that", mixed, 4096)]


def fill(d, data, receive, n=CLIENTS):
    """n clients that send this as far as it goes; the largest RSS on the way, and the connections."""
    clients, peak = [], 0
    for i in range(n):
        try:
            clients.append([connect(d, i, receive), data(i)])
        except OSError:
            continue
    for _ in range(12):
        for c in clients:
            if c[1]:
                c[1] = c[1][push(c[0], c[1]):]
        peak = max(peak, d.process.rss_kib())
    return peak, [s for s, _ in clients]


def others_are_served(d, n=60):
    with udp_from(d, "127.0.0.2") as c:
        for i in range(n):
            equal(code_of(c.ask(wire.question(f"other{i}.example.com"))), 0, "rcode of another client")


@rows([(f"A5 clients that send {what} together take little memory, for a short time", data, receive)
       for what, data, receive in ROWS], builds=("gcc",), timeout=180)
def bounded(t, data, receive):
    descriptors(2 * CLIENTS + 200)
    d, _ = stub(t, big, log_level="warn")
    with udp_from(d, "127.0.0.2") as c:
        for i in range(50):  # in the cache: the answers are all at once
            c.ask(wire.question(f"big{i}.example.com", TXT))
            c.ask(wire.question(f"small{i}.example.com", TXT))
    before = d.process.rss_kib()
    peak, clients = fill(d, data, receive)
    t.defer(lambda: [s.close() for s in clients])
    others_are_served(d)
    peak = max(peak, d.process.rss_kib()) - before
    check(peak < 40 * MIB, f"{peak} KiB more at the peak")
    for s in clients:
        s.close()
    until(lambda: d.process.rss_kib() < before + 8 * MIB, 30, "the memory is given back")
    others_are_served(d, 5)


@case("A5 no client can exhaust an address space of 150 MB", builds=("gcc",), timeout=180)
def address_space(t):
    descriptors(2 * CLIENTS + 200)
    d, _ = stub(t, big, log_level="notice")
    again(d, "prlimit", "--as=157286400")
    _, clients = fill(d, mixed, 4096)
    t.defer(lambda: [s.close() for s in clients])
    others_are_served(d)
    check(stat(d, "tcp_closed_memory") > 0, "no client was disconnected")


class Cgroup:
    """A memory cgroup of our own, of either version, gone at the end; a Skip where there are none."""

    def __init__(self, t, limit):
        v1 = "/sys/fs/cgroup/memory"
        top = v1 if os.path.isdir(v1) else "/sys/fs/cgroup"
        self.path = os.path.join(top, f"{os.path.basename(t.dir)}")
        try:
            os.mkdir(self.path)
            t.defer(self.remove)
            self.put("memory.limit_in_bytes" if top == v1 else "memory.max", limit)
        except OSError as error:
            raise Skip(f"no memory cgroup here: {error}") from error
        self.events = "memory.oom_control" if top == v1 else "memory.events"

    def remove(self):
        """When its processes have ended."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):  # it was ending already
                os.kill(int(pid), signal.SIGKILL)
        until(lambda: os.rmdir(self.path) is None if not self.members() else False, 10, "the cgroup is empty")

    def members(self):
        with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as f:
            return f.read().split()

    def put(self, name, value):
        path = os.path.join(self.path, name)
        if not os.path.exists(path):
            raise OSError(f"no {name}")
        with open(path, "w", encoding="ascii") as f:
            f.write(str(value))

    def limit(self, size):
        """A limit below what is in use is taken as soon as the kernel can; swap is none of it."""
        for name in ("memory.limit_in_bytes", "memory.max"):
            if os.path.exists(os.path.join(self.path, name)):
                self.put(name, size)

    def kills(self):
        with open(os.path.join(self.path, self.events), encoding="ascii") as f:
            return int(next(line.split()[1] for line in f if line.startswith("oom_kill ")))


@rows([(f"A5 within half of the unit's MemoryMax, the kernel's buffers included: {what}", data, receive)
       for what, data, receive in ROWS if data in (mixed, ROWS[0][1], ROWS[8][1])], builds=("gcc",), timeout=180)
def in_cgroup(t, data, receive):
    descriptors(2 * CLIENTS + 200)
    group = Cgroup(t, 128 << 20)
    d, _ = stub(t, big, log_level="notice")
    again(d, preexec=lambda: group.put("cgroup.procs", os.getpid()))
    _, clients = fill(d, data, receive)
    t.defer(lambda: [s.close() for s in clients])
    others_are_served(d)
    check(d.process.alive(), "it was killed")
    equal(group.kills(), 0, "processes that the kernel killed")
    d.process.stop()


def storm(d, n):
    """n names that nobody asked before, as fast as they are answered."""
    def play(slower):
        load = Load(d, n, rate=20_000 // slower, prefix=f"storm{n}x{slower}x")
        load.start()
        load.finish()
        return load
    played(play, "one")


def flood(d, names):
    """New names, and clients that hold what they can until it shows; the memory then."""
    before = d.process.rss_kib()
    storm(d, names)
    _, clients = fill(d, mixed, 4096)
    others_are_served(d)
    peak = until(lambda: d.process.rss_kib() > before + 3 * MIB and d.process.rss_kib(), 30, f"a flood takes memory; {before} KiB before")
    for s in clients:
        s.close()
    return peak


@case("R16 after a flood of names and of clients, memory goes back to a fifth above what it was before", builds=("gcc",), timeout=300)
def back_to_base(t):
    descriptors(2 * CLIENTS + 200)
    d, _ = stub(t, big, log_level="warn", extra='cache { size = "8MiB" }\n')
    storm(d, 9_000)  # tables and cache are as full as they get, of many small entries and of large ones
    with d.udp() as c:
        for i in range(3000):
            c.ask(wire.question(f"big{i}.example.com", TXT))
    new = d.process.rss_kib()
    flood(d, 10_000)
    until(lambda: d.process.rss_kib() <= 1.5 * new, 60, f"back to {new} KiB and a half, the first time: the heap has holes now")
    base = d.process.rss_kib()
    peak = flood(d, 11_000)
    until(lambda: d.process.rss_kib() <= 1.2 * base, 60, f"back from {peak} KiB to {base} KiB and a fifth")


@case("P15 the kernel kills the daemon at its memory limit: it is started again on the same sockets, and no question is lost", builds=("gcc",))
def out_of_memory(t):
    group = Cgroup(t, 256 << 20)
    d, _ = stub(t, big, log_level="warn", wait=False)
    d.process.kill()
    handed = Handed(t, d.address, d.port)

    def start():
        d.process = handed.spawn("ctstubd", "-c", d.config)
        d.process.expect = None
        group.put("cgroup.procs", d.process.pid)
    start()
    until(d.control_accepts, 20, "it runs")
    equal(code_of(d.udp().ask(wire.question("before.example.com"))), 0, "rcode")
    with d.udp(10) as c:
        group.limit(d.process.rss_kib() * 1024 // 2)
        for i in range(2000):  # each is kept: memory is touched until the kernel has none left to give
            c.send(wire.question(f"big{i}.example.com", TXT, ident=i))
            if d.process.popen.poll() is not None:
                break
        until(lambda: d.process.popen.poll() is not None, 20, "the kernel kills it")
    equal((d.process.popen.returncode, group.kills() > 0), (-signal.SIGKILL, True), "how it ended")
    with d.udp(10) as c:
        c.send(wire.question("meanwhile.example.com", ident=7))
        group.limit(256 << 20)
        start()
        equal(code_of(c.receive()), 0, "rcode of a question that was asked while nobody ran")
