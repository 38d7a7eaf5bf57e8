"""A clock of the test's own for programs of ours: it stands still until the test moves it, or runs faster than a real one."""
import struct
import time

FIELDS = ("wall", "boot", "real", "scale", "advance")  # struct clock_orders of fault/stillclock.c


class StillClock:
    def __init__(self, t, scale=0):
        self.path = t.path("clock")
        self.library = t.library("tests/fault/stillclock.so")
        self.seconds = 0
        with open(self.path, "wb") as f:
            f.write(struct.pack(f"<{len(FIELDS)}q", time.time_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME),
                                time.monotonic_ns(), scale, 0))

    def env(self, t, **more):
        """The environment of a program that has this clock."""
        env = t.env(LD_PRELOAD=self.library, CTSTUB_CLOCK=self.path, **more)
        # a sanitizer asks to be the first library, but must only come before those whose memory it checks
        return {**env, "ASAN_OPTIONS": env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def run(self):
        """From now on it runs as a real one: programs that end wait for each other."""
        with open(self.path, "r+b") as f:
            f.seek(8 * FIELDS.index("real"))
            f.write(struct.pack("<2q", time.monotonic_ns(), 1))

    def stop(self):
        """From now on one that ran as a real one stands still."""
        with open(self.path, "r+b") as f:
            f.seek(8 * FIELDS.index("real"))
            real, = struct.unpack("<q", f.read(8))
            self.seconds = (time.monotonic_ns() - real) / 10**9
            f.write(struct.pack("<2q", 0, int(self.seconds * 10**9)))

    def advance(self, seconds):
        self.seconds += seconds
        with open(self.path, "r+b") as f:
            f.seek(8 * FIELDS.index("advance"))
            f.write(struct.pack("<q", int(self.seconds * 10**9)))
