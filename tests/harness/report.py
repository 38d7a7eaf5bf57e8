"""Results as they come, one a line, and the count at the end."""
import os
import re
import sys
import threading


class Report:
    """ok NAME / not ok NAME: why / skipped: NAME: why. With CI=true a skip is a failure."""

    def __init__(self, out=sys.stdout):
        self.out = out
        self.lock = threading.Lock()
        self.passed = 0
        self.good = {}  # prefix of the name: how many passed
        self.failures = []
        self.skips = []
        self.strict = os.environ.get("CI") == "true"

    def _line(self, text):
        self.out.write(text.rstrip() + "\n")
        self.out.flush()

    def note(self, text):
        with self.lock:
            self._line(text)

    def ok(self, name):
        with self.lock:
            self.passed += 1
            first = name.partition("/")[0]
            self.good[first] = self.good.get(first, 0) + 1
            self._line(f"ok {name}")

    def passed_in(self, first):
        """How many of the names FIRST/... passed."""
        return self.good.get(first, 0)

    def failed_in(self, first):
        return sum(1 for name, _ in self.failures if name.partition("/")[0] == first)

    def bad(self, name, why):
        with self.lock:
            self.failures.append((name, why))
            self._line(f"not ok {name}: {why}")

    def skip(self, name, why):
        with self.lock:
            self.skips.append((name, why))
            self._line(f"skipped: {name}: {why}")
            if self.strict:
                self.failures.append((name, f"skipped: {why}"))

    def finish(self):
        """Prints what failed once more and the count; the exit code."""
        if self.failures:
            self._line("")
            for name, why in self.failures:
                self._line(f"failed: {name}: {why.splitlines()[0] if why else ''}")
        if self.skips:
            self._line(f"{len(self.skips)} skipped")
        self._line(f"{self.passed} passed, {len(self.failures)} failed")
        return 1 if self.failures or not self.passed else 0


def last_line(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            lines = f.read().strip().splitlines()
        return lines[-1] if lines else "no output"
    except OSError as error:
        return str(error)


def failure_line(path):
    """The most informative line of a log."""
    with open(path, encoding="utf-8", errors="replace") as f:
        lines = f.read().strip().splitlines()
    for pattern in (r"ERROR: (Address|Leak)Sanitizer|runtime error:|SUMMARY", r"^FAIL: ", r"error:|Error:|ERROR: (?!0$)", r"FAILED|FAIL:"):
        for line in lines:
            if re.search(pattern, line):
                return line.strip()
    return lines[-1].strip() if lines else "no output"
