"""Which modules run first, which with what else beside them, and which under ThreadSanitizer."""
import contextlib
import threading

# Modules that take minutes: they begin first, so that nobody waits for one of them alone at the end.
LONGEST = ("endurance", "setup", "portal", "oracle", "lab_run", "failover", "watch_kill", "links", "lab", "surroundings", "systemd")
# Modules that send a load and look at every answer: such a one takes the places of two, so that its servers, which are
# in Python, get their turn.
LOADS = ("answers", "failover", "flood", "limits", "memory")
# Modules that mostly wait.
BESIDE = ("functional.test_soak",)
# Under ThreadSanitizer in every run: reloads, control and flaps, all of which cross threads. --tsan runs every module.
THREADS = ("functional.test_soak", "functional.test_control", "functional.test_failover")
# Their library replaces malloc, they measure memory, or they run the installed packages.
NO_THREADS = ("functional.test_faults", "functional.test_clock_steps", "functional.test_memory", "functional.test_endurance",
              "functional.test_setup", "functional.test_systemd", "functional.test_links", "functional.test_fleet")


def places_of(module):
    return 2 if module.removeprefix("functional.test_") in LOADS else 1


class Places:
    """So many tasks side by side, in the order in which they come; one may take several places."""

    def __init__(self, total):
        self.total = self.free = total
        self.next = self.turn = 0
        self.changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, n):
        n = min(n, self.total)
        with self.changed:
            ticket, self.next = self.next, self.next + 1
            self.changed.wait_for(lambda: ticket == self.turn and self.free >= n)
            self.turn += 1
            self.free -= n
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.free += n
                self.changed.notify_all()
