"""Whether the machine let this program run. The product's limits in a test (a connection in 1.5 s, an answer in 4 s, a second
connection after a quarter of a second) go by a clock that runs on while a program waits for a processor."""
import collections
import os
import re
import subprocess
import threading
import time

LOOK_S = 0.02   # a thread sleeps for this long
LATE_S = 0.1    # and stood still when it wakes up this much too late
STILL_S = 0.5   # of a whole test: then it may have missed one of these limits
PLAYS = 3       # at most, of one test

# Failures that a missed limit causes: the daemon gave up, or asked once more or elsewhere. Not among them: a crash, a wrong answer, and
# a question or byte where none may come.
GAVE_UP = re.compile(r"(have 'SERVFAIL', want 'NOERROR'|rcode[^:]*: have 2, want 0)$|timeout|timed out"
                     r"|(questions|connections|handshakes|round trips)[^:]*: have \(?[1-9]\d*\b.*, want \(?[1-9]")


SAMPLE_S = 0.1    # how often Withheld looks
KEPT_S = 30       # and how long it remembers


class TimeIsUp(AssertionError):
    """A wait for a condition, or a limit in seconds, has ended."""


class Watch:
    """stood: the times (from, to) in which this program stood still, from its creation to end()."""

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


def waited_s(pid):
    """{thread: seconds that it waited for a processor}, of a process."""
    out = {}
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
                out[thread] = int(f.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        pass  # it ends at this moment
    return out


class Withheld:
    """For how many seconds of a time one of these processes waited for a processor that others had.

    pids(): those that matter now. Of each interval the longest wait of a thread counts, and the interval at most. A process
    that is stopped, or waits for a peer or a timer, does not wait for a processor.
    """

    def __init__(self, pids):
        self.pids, self.before, self.waits = pids, {}, collections.deque()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def start(self):
        self.thread.start()

    def _look(self):
        began = time.monotonic()
        while not self.ended.wait(SAMPLE_S):
            now = time.monotonic()
            self.add(began, now, {pid: waited_s(pid) for pid in self.pids()})
            began = now

    def add(self, began, now, waited):
        """An interval, and the waits so far at its end: {pid: {thread: seconds}}."""
        new = {(pid, thread): s for pid, threads in waited.items() for thread, s in threads.items()}
        most = max((s - self.before[key] for key, s in new.items() if key in self.before), default=0.0)
        most = max(most, now - began - SAMPLE_S - LOOK_S)  # this program waited itself
        self.waits.append((began, now, min(most, now - began)))
        while self.waits[0][1] < now - KEPT_S:
            self.waits.popleft()
        self.before = new

    def end(self):
        self.ended.set()

    def seconds(self, begin, end):
        """Between two times of time.monotonic(); an interval across one of them counts in part."""
        return sum(s * max(0.0, min(end, to) - max(begin, since)) / (to - since) for since, to, s in tuple(self.waits) if to > since)


def excused(error, stood):
    """True when a test that failed with this error, while the machine stood still for so many seconds, proves nothing and is run again."""
    if error is None or stood < STILL_S:
        return False
    if isinstance(error, (TimeIsUp, TimeoutError, subprocess.TimeoutExpired)):
        return True
    return isinstance(error, AssertionError) and bool(GAVE_UP.search(str(error)))
