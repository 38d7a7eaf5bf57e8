"""The output of the programs during a run: reasons, SCT statuses, events of the log, metrics that counted.

Tests do nothing for it: what their programs print, log and answer over the control socket is searched with patterns, and each
new name becomes a line "KIND NAME" of a file in the folder that CTSTUB_SEEN names. harness.produced compares them with the
tables in the sources when a whole run has ended.
"""
import os
import re

PATTERNS = (
    ("event", re.compile(r"^(?:.*\]: )?(?:<\d>)?(?:error|warn|notice|info|debug) ([a-z][a-z-]+)(?= |$)", re.M)),
    ("event", re.compile(r'"event":\s*"([a-z][a-z-]+)"')),
    ("reason", re.compile(r'\breason=([a-z][a-z-]+)')),
    ("reason", re.compile(r'"reason":\s*"([a-z][a-z-]+)"')),
    ("reason", re.compile(r'\breason="([a-z][a-z-]+)"[^}]*\} [1-9]')),
    ("status", re.compile(r'"status":\s*"([a-z][a-z-]+)"')),
    ("declared", re.compile(r"^# TYPE (ctstub_\w+) ", re.M)),
    ("metric", re.compile(r"^(ctstub_\w+)(?:\{[^}]*\})? (?!-?0(?:\.0*)?$)\S+$", re.M)),
)
LISTS = (("reason", re.compile(r'"reasons":\s*\[([^\]]*)\]')),)


def names_in(text):
    """All (kind, name) of a text."""
    found = {(kind, m.group(1)) for kind, pattern in PATTERNS for m in pattern.finditer(text)}
    for kind, pattern in LISTS:
        found |= {(kind, name) for m in pattern.finditer(text) for name in re.findall(r'"([a-z][a-z-]+)"', m.group(1))}
    return found


class Seen:
    """The names that one module saw; without a folder nothing is kept."""

    def __init__(self, module, folder=None):
        folder = folder or os.environ.get("CTSTUB_SEEN")
        self.path = os.path.join(folder, module) if folder else None
        self.names = set()

    def read(self, text):
        if self.path is not None:
            self.keep(names_in(text))

    def add(self, kind, names):
        """Names that a test adds which runs programs by itself."""
        if self.path is not None:
            self.keep({(kind, name) for name in names})

    def keep(self, names):
        fresh = names - self.names
        if not fresh:
            return
        self.names |= fresh
        # cases in namespaces are processes of their own: short appended lines do not mix
        with open(self.path, "a", encoding="utf-8") as f:
            f.write("".join(f"{kind} {name}\n" for kind, name in sorted(fresh)))


def gather(folder):
    """{kind: names} of every module's file."""
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            for line in f:
                kind, _, value = line.strip().partition(" ")
                found.setdefault(kind, set()).add(value)
    return found
