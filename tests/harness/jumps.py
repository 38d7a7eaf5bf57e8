"""tests/fault/jumps.c, preloaded into the daemon of any build: clocks jump, and on request it leaks."""
import mmap
import os
import struct

FIELDS = ("slept_s", "set_s", "leak", "leak_fds")  # struct jumps of fault/jumps.c


class Jumps:
    def __init__(self, t):
        path = t.write("jumps", bytes(4096))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 4096)
        os.mkfifo(path + ".clock")
        self.fifo = os.open(path + ".clock", os.O_RDWR | os.O_NONBLOCK)
        asan = t.env().get("ASAN_OPTIONS", "")  # a sanitizer must be the first library; this one replaces nothing of it
        self.env = {"LD_PRELOAD": t.library("tests/fault/jumps.so"), "CTSTUB_JUMPS": path,
                    "ASAN_OPTIONS": asan + ":verify_asan_link_order=0"}

    def get(self, field):
        return struct.unpack_from("<q", self.map, 8 * FIELDS.index(field))[0]

    def put(self, field, value):
        struct.pack_into("<q", self.map, 8 * FIELDS.index(field), value)

    def sleep(self, seconds):
        """The machine slept for so long."""
        self.put("slept_s", self.get("slept_s") + seconds)

    def set_wall(self, seconds):
        """Sets the wall clock, and the kernel reports it."""
        self.put("set_s", self.get("set_s") + seconds)
        os.write(self.fifo, b"!")
