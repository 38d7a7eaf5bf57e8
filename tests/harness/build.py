"""A copy of the sources and the builds made from it.

The copy makes the run independent of the state of the tree: it may be configured in place, be a tarball without .git, or
be edited meanwhile. Files that git ignores stay out.
"""
import filecmp
import os
import shutil
import subprocess

from harness.children import Children

# A build links two hundred programs, and gold takes a third of the time. The plain build is linked as the packages are.
LINKER = "-fuse-ld=gold" if shutil.which("ld.gold") else ""
# -g1: lines and functions, for reports of crashes; variables would take an eighth of a build's time and are not used
BUILDS = {
    "gcc": ["--enable-werror", "CC=gcc", "CFLAGS=-O2 -g1"],
    "san": ["--enable-werror", "--enable-sanitizers", "CC=gcc", "CFLAGS=-g1 -O1", f"LDFLAGS={LINKER}"],
    "tsan": ["--enable-werror", "--enable-thread-sanitizer", "CC=gcc", "CFLAGS=-g1 -O1"],
    # -fcoverage-mapping: clang's own coverage of the source; the counters are in a mapped file, see harness.coverage
    "coverage": ["--enable-werror", "CC=clang", "CFLAGS=-g -O1 -fprofile-instr-generate={profiles}/%c%m.profraw -fcoverage-mapping"
                 " -mllvm -runtime-counter-relocation -Wno-unused-command-line-argument"],
    "fuzz": ["--enable-werror", "--enable-sanitizers", "--enable-fuzzers", "CC=clang", "CFLAGS=-g -O1"],
    "afl": ["--enable-werror", "--enable-sanitizers", "--enable-fuzzers", "CC=afl-clang-fast", "CFLAGS=-g -O1"],
}
SANITIZER_ENV = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1:history_size=4",
}


class BuildError(Exception):
    """A step of a build failed; the text says which, and where its output is."""


def tree_files(top):
    """The files of the tree, relative: what git tracks or would track; without git everything but build folders."""
    if os.path.exists(os.path.join(top, ".git")) and shutil.which("git"):
        command = ["git", "-c", f"safe.directory={top}", "-C", top, "ls-files", "-coz", "--exclude-standard"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if done.returncode == 0:
            names = done.stdout.decode().split("\0")
            return sorted(n for n in names if n and os.path.isfile(os.path.join(top, n)))
    found = []
    for folder, folders, files in os.walk(top):
        inside = os.path.relpath(folder, top)
        if inside == ".":
            folders[:] = [f for f in folders if not f.startswith("build") and f not in (".git", "autom4te.cache")]
        folders[:] = [f for f in folders if f not in ("__pycache__", ".deps")]
        found += [os.path.normpath(os.path.join(inside, f)) for f in files if not f.endswith((".o", ".a"))]
    return sorted(f for f in found if f not in ("Makefile", "config.status", "config.h", "config.log", "stamp-h1"))


class Builds:
    """The folder build-tests/: src (the copy), one folder a build, logs."""

    def __init__(self, top, jobs, children=None):
        self.top = top
        self.jobs = jobs
        self.children = children or Children()
        self.base = os.path.join(top, "build-tests")
        self.src = os.path.join(self.base, "src")
        self.logs = os.path.join(self.base, "logs")
        self.profiles = os.path.join(self.base, "profiles")
        self.seen = os.path.join(self.base, "seen")
        self.promises = os.path.join(self.base, "promises.jsonl")  # kept from run to run: tests/promises reads it
        for folder in (self.logs, self.profiles, self.seen):
            os.makedirs(folder, exist_ok=True)

    @staticmethod
    def empty(folder):
        """Removes what an earlier run left; programs of other users write there, too."""
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        os.chmod(folder, 0o777)

    def dir(self, label):
        return os.path.join(self.base, label)

    def log(self, name):
        return os.path.join(self.logs, name.replace("/", "-") + ".log")

    def copy_sources(self):
        if self.copy_files():  # autoreconf also brings the helpers that a new kind of source needs; make alone would not
            self.step("autoreconf", ["autoreconf", "-fi"], self.src)

    def copy_files(self):
        """True when the build system changed, or is new."""
        names = tree_files(self.top)
        manifest = os.path.join(self.base, "manifest")
        if os.path.exists(manifest):
            with open(manifest, encoding="utf-8") as f:
                for gone in set(f.read().split("\n")) - set(names):
                    if gone and os.path.exists(os.path.join(self.src, gone)):
                        os.unlink(os.path.join(self.src, gone))
        stale = not os.path.exists(os.path.join(self.src, "configure"))
        for name in names:
            source, copy = os.path.join(self.top, name), os.path.join(self.src, name)
            if os.path.exists(copy) and filecmp.cmp(source, copy, shallow=False):
                shutil.copymode(source, copy)
                continue
            stale |= name in ("configure.ac", "Makefile.am") or name.endswith(".mk")
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copyfile(source, copy)
            shutil.copymode(source, copy)
        with open(manifest, "w", encoding="utf-8") as f:
            f.write("\n".join(names))
        return stale

    def step(self, name, command, cwd, env=None, timeout=1200):
        """Runs one command into its log; a BuildError quotes what looks like the cause."""
        log = self.log(name)
        with open(log, "wb") as out:
            try:
                code = self.children.run(command, out, timeout, cwd=cwd, env=env)
            except OSError as error:
                raise BuildError(f"{error}; output: {log}") from error
        if code is None:
            raise BuildError(f"{' '.join(command[:3])} took more than {timeout} s; output: {log}")
        if code != 0:
            raise BuildError(f"{' '.join(command[:3])} ended with {code}: {first_error(log)}; output: {log}")

    def make(self, label, *targets, name=None, env=None, timeout=1200):
        command = ["make", f"-j{self.jobs}", *targets]
        self.step(name or f"{label}-make", command, self.dir(label), env=env, timeout=timeout)

    def build(self, label, reduced=False):
        """Configures when the options changed, and makes everything including the test programs; reduced: daemon and tool."""
        folder, options = self.dir(label), [o.replace("{profiles}", self.profiles) for o in BUILDS[label]]
        if shutil.which("ccache") and label != "afl":  # which has flags of its own that ccache does not see
            options = [o.replace("CC=", "CC=ccache ") if o.startswith("CC=") else o for o in options]
        stamp = os.path.join(folder, "options")
        os.makedirs(folder, exist_ok=True)
        said = open(stamp, encoding="utf-8").read() if os.path.exists(stamp) else None
        if said != repr(options) or not os.path.exists(os.path.join(folder, "Makefile")):
            # by a relative path: configure takes none with a space in it
            configure = os.path.join(os.path.relpath(self.src, folder), "configure")
            self.step(f"{label}-configure", [configure, "-q", *options], folder)
            with open(stamp, "w", encoding="utf-8") as f:
                f.write(repr(options))
        if label in ("fuzz", "afl"):
            self.make(label, "fuzz")
        else:
            # through "all", which makes the generated sources first
            self.make(label, "all", *(["PROGRAMS=ctstubd ctstub", "LIBRARIES="] if reduced else []))
            if label == "tsan":  # functional tests alone
                self.make(label, "check-data", name="tsan-make-check-data")
                return
            self.make(label, "check", "TESTS=", name=f"{label}-make-check-programs")

    def test_programs(self, label):
        out = subprocess.run(["make", "-s", "list-tests"], cwd=self.dir(label), stdout=subprocess.PIPE, check=True)
        return out.stdout.decode().split()


def first_error(log):
    with open(log, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines()
    for line in lines:
        if "error:" in line or "Error:" in line or "undefined reference" in line or "ERROR:" in line:
            return line.strip()
    return lines[-1].strip() if lines else "no output"
