"""Which modules run first, which with what else beside them, and which under ThreadSanitizer."""
import contextlib
import threading

# Modules that take minutes: they begin first, so that nobody waits for one of them alone at the end.
LONGEST = ("endurance", "setup", "portal", "oracle", "lab_run", "failover", "watch_kill", "links", "lab", "surroundings", "systemd")
# Modules that send a load and look at every answer: such a one takes the places of two, so that its servers, which are
# in Python, get their turn.
LOADS = ("answers", "failover", "flood", "limits", "memory")
# Modules that mostly wait: for a limit in seconds that they prove, or for a machine that boots.
BESIDE = ("portal", "soak", "surroundings", "quickstart", "namespaces", "zoo", "keep_warm", "watch_day", "tls")
# A whole run has every case in the build with sanitizers, and in the plain build. Of these modules the plain build has only the
# cases that no other build has: the others assert the same under the sanitizers, which see more and cost most of the run.
# tests/run --quick has every case in the plain build, --long in both. A module whose figures differ between builds (memory,
# processor time, descriptors, latency, the filter of system calls) does not belong here.
ONCE = {
    "audit": "verdicts about proofs of logs, from one process that ends",
    "journal": "records and their order; the sanitizers also watch the reader of 65,536 records",
    "lab": "verdicts and bytes of the lab's certificates",
    "portal": "which packets leave and which answers come, while a window lasts",
    "single_faults": "exit codes and answers when a call fails; only the sanitizers see what leaks then",
    "watch_logs": "alarms about logs; its cases about memory are of the plain build alone",
    "zoo": "refusals by reason, of TLS servers of others",
}
# Under ThreadSanitizer in every run: reloads, control and flaps, all of which cross threads. --tsan runs every module.
THREADS = ("functional.test_soak", "functional.test_control", "functional.test_failover")
# Their library replaces malloc, they measure memory, or they run the installed packages.
NO_THREADS = ("functional.test_faults", "functional.test_clock_steps", "functional.test_memory", "functional.test_endurance",
              "functional.test_setup", "functional.test_systemd", "functional.test_links", "functional.test_fleet")
# Unit tests that valgrind has with --long alone: each takes it half a minute and more. The sanitizers always have them.
LONG_IN_VALGRIND = {
    "tests/unit/resolver/test_admission": "half a minute of a thousand questions a second: counters, no memory of their own",
    "tests/unit/watch/test_findings": "hundreds of certificates; test_findings_act is about the same files",
    "tests/unit/watch/test_gzip": "expands a hundred megabytes, by zlib",
    "tests/unit/watch/test_issued": "ten thousand files of state; test_state is about the same functions",
    "tests/unit/watch/test_watch_list": "a list of a hundred thousand names; fuzz_watch_list reads lists as well",
}


def name_of(module):
    return module.removeprefix("functional.test_")


def places_of(module):
    return 2 if name_of(module) in LOADS else 1


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
