"""A tree of its own for the faults, so that none reaches another build, and the faults themselves."""
import filecmp
import os
import shutil

from harness.build import Builds
from harness.children import Children
from table import places


class Scratch(Builds):
    def __init__(self, top, builds):
        self.origin = os.path.join(builds, "src")
        self.top, self.jobs, self.children = top, max(2, os.cpu_count() or 2), Children()
        self.base = os.path.join(builds, "mutants")
        self.src, self.logs = os.path.join(self.base, "src"), os.path.join(self.base, "logs")
        os.makedirs(self.logs, exist_ok=True)

    def copy(self):
        """Also undoes what a run left that was killed."""
        for folder, folders, files in os.walk(self.origin):
            folders[:] = [f for f in folders if f not in (".git", "autom4te.cache", "__pycache__")]
            inside = os.path.join(self.src, os.path.relpath(folder, self.origin))
            os.makedirs(inside, exist_ok=True)
            for name in files:
                source, copy = os.path.join(folder, name), os.path.join(inside, name)
                there = os.path.exists(copy)
                if not there or not filecmp.cmp(source, copy, shallow=False):
                    shutil.copy2(source, copy)
                    if there:
                        os.utime(copy)  # newer than what was built of a fault

    def configure(self, label="build", *options):
        compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
        os.makedirs(self.dir(label), exist_ok=True)
        if not os.path.exists(os.path.join(self.dir(label), "Makefile")):
            command = [os.path.join(self.src, "configure"), "-q", f"CC={compiler}", "CFLAGS=-O1", *options]
            self.step(f"{label}-configure", command, self.dir(label))

    def program(self):
        self.make("build", "ctstub", name="make")
        return os.path.join(self.dir("build"), "ctstub")


class Fault:
    """One line of a file, changed for a while."""

    def __init__(self, scratch, name, file, line, instead):
        self.name, self.file, self.line, self.instead = name, file, line, instead
        self.path = os.path.join(scratch.src, file)

    def text(self):
        """The file with the fault in it. Raises LookupError when the line is not there exactly once."""
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        found = places(self.line, text)
        if len(found) != 1:
            raise LookupError(f"the line stands {len(found)} times in {self.file}, not once: {self.line}")
        return text[:found[0].start(1)] + self.instead + text[found[0].end(1):]

    def __enter__(self):
        faulty = self.text()
        with open(self.path, encoding="utf-8") as f:
            self.good = f.read()
        self.write(faulty)
        return self

    def __exit__(self, *_):
        self.write(self.good)

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(text)
