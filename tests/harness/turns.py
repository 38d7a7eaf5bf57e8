"""Which modules run first, which with what else beside them, and which under ThreadSanitizer."""
import contextlib
import os
import re
import threading

# Modules that take minutes: they begin first, so that none of them runs alone at the end. Those that mostly wait
# come before those that compute, so that both kinds run at the same time.
LONGEST = ("portal", "soak", "endurance", "watch_logs", "setup", "failover", "limits", "oracle", "single_faults", "lab", "audit", "lab_run",
           "links", "watch_kill", "doh", "units", "journal", "answers", "systemd")
# Modules that send a load and look at every answer: such a one takes the places of two, so that its servers, which are
# in Python, get their turn.
LOADS = ("answers", "failover", "flood", "limits", "memory")
# Modules that mostly wait: for a limit in seconds that they prove, or for a machine that boots.
BESIDE = ("portal", "soak", "surroundings", "quickstart", "namespaces", "zoo", "keep_warm", "watch_day", "tls", "endurance", "watch_logs",
          "upstream")
# A whole run has every case in the build with sanitizers, and in the plain build. Of these modules the plain build has only the
# cases that no other build has: the others assert the same under the sanitizers, which see more and cost most of the run.
# tests/run --quick has every case in the plain build, --long in both. A module whose figures differ between builds (memory,
# processor time, descriptors, latency, the filter of system calls) does not belong here.
ONCE = {
    "allow": "which clients are answered, by address",
    "audit": "verdicts about proofs of logs, from one process that ends",
    "cli": "words, exit codes and JSON of the programs, and the tool without its daemon",
    "collected": "which items of the lists of others are used, and which are reported",
    "doh": "what of HTTP/2 and of its answers is refused, by reason",
    "findings": "what the watcher found, as other programs show it",
    "journal": "records and their order; the sanitizers also watch the reader of 65,536 records",
    "lab": "verdicts and bytes of the lab's certificates",
    "modes": "what report mode lets pass, and where it says so",
    "portal": "which packets leave and which answers come, while a window lasts",
    "single_faults": "exit codes and answers when a call fails; only the sanitizers see what leaks then",
    "verify": "verdicts by reason, from a process that ends",
    "watch_logs": "alarms about logs; its cases about memory are of the plain build alone",
    "zoo": "refusals by reason, of TLS servers of others",
}
# Under ThreadSanitizer in every run: reloads, control and flaps, all of which cross threads. --tsan runs every module.
THREADS = ("functional.test_soak", "functional.test_control", "functional.test_failover")
# Their library replaces malloc, they measure memory, or they run the installed packages.
NO_THREADS = ("functional.test_faults", "functional.test_clock_steps", "functional.test_memory", "functional.test_endurance",
              "functional.test_setup", "functional.test_systemd", "functional.test_links", "functional.test_fleet")
# Valgrind finds reads of uninitialised values, which the sanitizers do not. In every run it has the unit tests whose names begin
# so: readers of hostile data, and objects that are freed half built. --long: every unit test. The sanitizers always have them all.
IN_VALGRIND = {
    "tests/fuzz/": "the readers of everything hostile, with the stored inputs and a sample of their prefixes",
    "tests/unit/base/dns/": "questions of clients and answers of upstreams",
    "tests/unit/config/test_settings_memory": "frees settings that are half built",
    "tests/unit/transport/test_doh": "HTTP/2 of an upstream",
    "tests/unit/transport/test_dot": "frames of an upstream",
    "tests/unit/transport/test_proto_memory": "frees connections that are half built",
    "tests/unit/transport/test_ticket": "tickets of an upstream",
    "tests/unit/transport/test_tls_peer": "certificates as they come in a handshake",
    "tests/unit/verify/ct/test_precert": "rebuilds a certificate from parts of a stranger's",
    "tests/unit/verify/ct/test_sct": "lists of timestamps in a stranger's certificate",
    "tests/unit/verify/ct/test_head": "signed heads of a log",
    "tests/unit/verify/ct/test_entry": "entries of a log",
    "tests/unit/verify/test_verify_memory": "frees verdicts that are half built",
    "tests/unit/verify/x509/test_cert": "certificates of strangers",
    "tests/unit/verify/x509/test_der": "DER of strangers",
    "tests/unit/verify/x509/test_disguise": "certificates that two readers understand differently",
    "tests/unit/verify/x509/test_identity": "names in a stranger's certificate",
    "tests/unit/verify/x509/test_name": "names in a stranger's certificate",
}


def in_valgrind(program):
    return program.startswith(tuple(IN_VALGRIND))


def reads_the_tree(src, programs):
    """Unit tests that read files of the tree, which a tarball has to bring: those with DATA_DIR, and the stored inputs."""
    with open(os.path.join(src, "tests/unit/local.mk"), encoding="utf-8") as f:
        with_data = set(re.findall(r"^(\w+)_CPPFLAGS = \$\(DATA_CPPFLAGS\)", f.read(), re.M))
    return [p for p in programs if p.startswith("tests/fuzz/") or re.sub(r"\W", "_", p) in with_data]


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
