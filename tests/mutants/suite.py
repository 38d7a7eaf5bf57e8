"""The suite as a mutant sees it: unit tests and single functional tests, by name, against the build of one tree.

A test's name is what tests/run prints, without the build: unit/base/test_addr, upstream/U02 another name. With san: in
front it runs in a build with the sanitizers: what leaks or reads beyond an end is seen there alone.
"""
import os
import re
import signal
import subprocess
import sys

from harness.build import SANITIZER_ENV

UNIT_SECONDS = 60         # a unit test takes 5 at most
FUNCTIONAL_SECONDS = 400  # a case ends itself after 120, with the sanitizers after 360
PROGRAMS = ("ctstub", "ctstubd", "ctstub-lab", "ctstub-portal", "ctstub-watch")
SANITIZERS = ("--enable-sanitizers", "CFLAGS=-g -O1")


def split(test):
    """(label, kind, name): kind is 'unit' or a module."""
    label = "san" if test.startswith("san:") else "build"
    kind, _, name = test.removeprefix("san:").partition("/")
    return label, kind, name


class Suite:
    def __init__(self, scratch):
        self.scratch = scratch
        self.ready = set()

    def prepare(self, label):
        """Configures the build at its first use, and makes what every functional test needs."""
        if label not in self.ready:
            self.scratch.configure(label, *(SANITIZERS if label == "san" else ()))
            servers = os.path.join(self.scratch.base, "servers")
            if not os.path.lexists(servers):
                os.symlink(os.path.join(os.path.dirname(self.scratch.base), "servers"), servers)
            self.ready.add(label)

    def make(self, label, *targets):
        self.prepare(label)
        self.scratch.make(label, *targets, name=f"{label}-make")

    def build(self, test):
        label, kind, name = split(test)
        if kind == "unit":
            self.make(label, f"tests/unit/{name}")
        else:
            self.make(label, *PROGRAMS, *(f"tests/fault/{name}.so" for name in ("shim", "killat", "stillclock", "jumps")))

    def run(self, test):
        """Builds what the test needs and runs it; None when it passes, otherwise what it says. Raises BuildError."""
        self.build(test)
        label, kind, name = split(test)
        return self.unit(label, name) if kind == "unit" else self.functional(label, kind, name)

    def unit(self, label, name):
        env = dict(os.environ, **SANITIZER_ENV, srcdir=self.scratch.src,
                   FUZZ_CORPUS=os.path.join(self.scratch.src, "tests", "fuzz", "corpus"))  # as make check sets them
        program = os.path.join(self.scratch.dir(label), "tests", "unit", name)
        code, out = ended(subprocess.Popen([program], cwd=self.scratch.dir(label), env=env, **PIPES), UNIT_SECONDS)
        if code in (0, 77):
            return None
        return "did not end" if code is None else failure(out) or f"ended with {code}"

    def functional(self, label, module, name):
        command = [sys.executable, "-B", "-m", "harness.case", f"functional.test_{module}", "--top", self.scratch.src,
                   "--build", self.scratch.dir(label), "--label", "san" if label == "san" else "gcc",
                   "--logs", self.scratch.logs, "--exactly", name]
        env = dict(os.environ, PYTHONPATH=os.path.join(self.scratch.src, "tests"))
        _, out = ended(subprocess.Popen(command, env=env, **PIPES), FUNCTIONAL_SECONDS)
        if re.search(r"(?m)^ok ", out):
            return None
        bad = re.search(r"(?m)^not ok (.*)$", out)
        return bad.group(1).partition(name + ": ")[2] if bad else "no such test, or skipped here, or it did not end"


PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True,
         "text": True, "errors": "replace"}


def children(pid):
    """All processes below one, whatever their session: a module that is ended leaves none of its servers."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            below = [int(p) for p in f.read().split()]
    except OSError:
        return []
    return below + [p for child in below for p in children(child)]


def end(process):
    for pid in [process.pid, *children(process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def ended(process, seconds):
    """Its exit code, None when its time was up, and its output."""
    try:
        out, _ = process.communicate(timeout=seconds)
        return process.returncode, out
    except subprocess.TimeoutExpired:
        return None, ""
    finally:
        end(process)


def failure(out):
    """The line that says what failed."""
    lines = [line for line in out.splitlines() if "FAILED" in line or "ERROR" in line or "error" in line]
    return lines[0].strip()[:160] if lines else ""
