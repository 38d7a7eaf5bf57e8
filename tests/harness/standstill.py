"""Whether the machine let this program run. Limits of the product that a test meets (a connection in 1.5 s, an answer in 4 s, a second
connection after a quarter of a second) are of a clock that goes on while nobody gets a processor."""
import re
import subprocess
import threading
import time

LOOK_S = 0.02   # a thread sleeps so long
LATE_S = 0.1    # and stood still when it wakes so much later
STILL_S = 0.5   # of a whole test: then it may have missed one of these limits
PLAYS = 3       # at most, of one test

# What a missed limit looks like: the daemon gave up, or asked once more or elsewhere. No crash, no wrong answer, and no question or
# byte where none may come is among it.
GAVE_UP = re.compile(r"(have 'SERVFAIL', want 'NOERROR'|rcode[^:]*: have 2, want 0)$|timeout|timed out"
                     r"|(questions|connections|handshakes|round trips)[^:]*: have \(?[1-9]\d*\b.*, want \(?[1-9]")


class TimeIsUp(AssertionError):
    """A wait for a condition, or a limit in seconds, has ended."""


class Watch:
    """stood: when this program had to wait (from, to), since it was made, until end()."""

    def __init__(self, late=LATE_S):
        self.late, self.stood, self.ended = late, [], threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        while not self.ended.is_set():
            began = time.monotonic()
            self.ended.wait(LOOK_S)
            now = time.monotonic()
            if now - began > LOOK_S + self.late:
                self.stood.append((began, now))

    def end(self):
        self.ended.set()

    def seconds(self):
        return sum(end - began for began, end in self.stood)


def excused(error, stood):
    """A test that failed so, while the machine stood still for so many seconds, proves nothing: play it again."""
    if error is None or stood < STILL_S:
        return False
    if isinstance(error, (TimeIsUp, TimeoutError, subprocess.TimeoutExpired)):
        return True
    return isinstance(error, AssertionError) and bool(GAVE_UP.search(str(error)))
