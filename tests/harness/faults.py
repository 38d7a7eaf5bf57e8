"""tests/fault/shim.c, preloaded into the daemon, causes the faults in a mapped file: calls fail, are short or interrupted, and
clocks are wrong."""
import mmap
import os
import random
import struct

from harness import wire
from harness.build import SANITIZER_ENV
from harness.case import Skip, check, equal, until
from harness.daemon import Daemon, upstream
from harness.pki import Site
from harness.upstream import DohServer, DotServer

CALLS = ["allocation", "socket", "connect", "accept4", "send", "recv", "recvmmsg", "sendmmsg", "open", "read", "write",
         "epoll_wait", "getrandom", "timerfd_create", "openat", "fopen", "folder", "stat", "pread", "sync", "rename", "unlink", "make",
         "change", "sendto", "sendmsg", "recvmsg", "poll", "fork", "pair", "dup", "fcntl", "epoll_ctl", "epoll_create", "eventfd", "mmap",
         "clock", "thread", "readlink", "setsockopt", "memfd", "fread", "fwrite"]
SHORT, EINTR, FORBIDDEN, DISK_FULL = 1, 2, 3, 4
KINDS = {"DoT": DotServer, "DoH": DohServer}
YEAR = 365 * 86400


def sample(t, total, n):
    """1..total; in the default run only n of them: the first, the last, and others that depend on the number of calls."""
    if t.long or total <= n:
        return list(range(1, total + 1))
    return sorted({1, total, *random.Random(total).sample(range(1, total + 1), n)})[-max(n, 1):]


def may_preload(t):
    """Skips a test that preloads a library of ours where that is not possible."""
    if " " in t.build:
        raise Skip("LD_PRELOAD takes no path with a space")
    if t.label == "tsan":
        raise Skip("ThreadSanitizer takes no library before its own")


class Faults:
    """The file that the shim maps; its layout is struct orders in shim.c."""

    def __init__(self, t):
        self.path = t.write("faults", bytes(4096))
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 4096)
        may_preload(t)
        self.env = {"LD_PRELOAD": t.library("tests/fault/shim.so"), "CTSTUB_FAULT": self.path}
        # a sanitizer must be the first library; the shim passes allocations on to it
        self.env["ASAN_OPTIONS"] = SANITIZER_ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        os.mkfifo(self.path + ".clock")
        self.fifo = os.open(self.path + ".clock", os.O_RDWR | os.O_NONBLOCK)

    def arm(self, call, k, error, times=1):
        """The k-th of these calls from now on fails, and so do the `times - 1` after it."""
        self.put("<q", 8, 0)
        self.put("<ii", 0, CALLS.index(call), error)
        self.put("<qq", 16, times, 0)
        self.put("<q", 8, k)

    def disarm(self):
        self.put("<q", 8, 0)

    @property
    def armed(self):
        return self.get(8) > 0

    def disk(self, error):
        """From now on nothing can be written to files, until mode(0)."""
        self.put("<i", 4, error)
        self.mode(DISK_FULL)

    def put(self, how, at, *values):
        struct.pack_into(how, self.map, at, *values)

    def get(self, at):
        return struct.unpack_from("<q", self.map, at)[0]

    def mode(self, mode):
        self.put("<q", 48, mode)

    def thread(self, thread):
        """Only calls of this thread are counted and fail; with 0, those of every thread again."""
        self.put("<q", 56, thread)

    def clocks(self, wall=0, boot=0, event=False):
        """Sets the clocks wrong by so much; event: the kernel reports it, as it does when the wall clock is set."""
        self.put("<qq", 32, wall, boot)
        if event:
            os.write(self.fifo, b"!")

    @property
    def hits(self):
        return self.get(24)

    def count(self, call):
        return self.get(64 + 8 * CALLS.index(call))


class Stub:
    """A daemon under the shim, with one upstream."""

    def __init__(self, t, protocol, **daemon):
        self.t, self.faults, self.site = t, Faults(t), Site(t)
        self.server = KINDS[protocol](t, self.site)
        self.number = 0
        self.daemon = Daemon(t, upstream("one", self.server), anchors=self.site.anchors, env=self.faults.env, **daemon)

    def name(self):
        self.number += 1
        return f"n{self.number}.example.com"

    def drop(self):
        """The upstream closes what is open: the next question needs a new connection."""
        self.server.drop()

    def ask(self, tcp=False, timeout=6):
        """NOERROR with the right answer, SERVFAIL, or nothing in time; a wrong answer fails the test."""
        name = self.name()
        try:
            with (self.daemon.tcp if tcp else self.daemon.udp)(timeout) as c:
                raw = c.ask(wire.question(name))
        except OSError:
            return False
        if not raw or raw[3] & 15 == 2:
            return False
        equal(raw[3] & 15, 0, f"rcode of {raw!r}")
        check(wire.rdata_for(name.encode().split(b"."), 1) in raw, "another question's answer")
        return True

    def alive(self, what):
        check(self.daemon.process.alive(), f"{what}: it ended with {self.daemon.process.popen.poll()}")

    def works(self, what):
        def answers():
            self.alive(what)
            return self.ask(timeout=3)
        until(answers, 15, f"{what}: a question afterwards is answered")
