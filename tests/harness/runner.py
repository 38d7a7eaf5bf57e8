"""Everything, in an order that keeps the processors busy; tests/run calls it."""
import argparse
import concurrent.futures
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from harness import case, coverage, fuzz, produced, promises, roots, seen, turns
from harness.build import BuildError, Builds, LINKER, SANITIZER_ENV
from harness.children import Children
from harness.packages import Unpacked, wanted
from harness.report import Report, failure_line, last_line

VALGRIND = "--quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect --show-leak-kinds=definite,indirect"

# Unit tests that a kind of run cannot have (kind, program).
NOT_IN = {("coverage", "tests/unit/base/test_environment"),  # LLVM's runtime adds a variable to the environment, which the test needs empty
          ("valgrind", "tests/unit/resolver/daemon/test_helper"),  # they load a filter on system calls: valgrind has no seccomp(2)
          ("valgrind", "tests/unit/base/sandbox/test_sandbox")}


class Run:
    def __init__(self, options):
        self.options = options
        self.top = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
        self.processors = max(2, os.cpu_count() or 2)
        self.children = Children()
        self.times = self.children.times
        self.builds = Builds(self.top, self.processors, self.children)
        self.report = Report()
        self.servers = Unpacked(os.path.join(self.builds.base, "servers"))
        self.places = turns.Places(options.jobs)
        self.half = max(1, options.jobs // 2)  # places of a task that keeps every processor busy
        self.pool = concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs)
        self.waiting = concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs)
        self.done = {}      # task: an event
        self.failed = set()  # tasks that have failed, so that others do not wait for them
        self.futures = []
        self.fuzz_lock = threading.Lock()

    # ---- tasks: submitted in an order in which each comes after those that it waits for

    def task(self, name, function, after=(), beside=False, places=1):
        """beside: it mostly waits, and takes no place of the others. places: the number of places that it takes."""
        event = self.done[name] = threading.Event()

        def work():
            try:
                for before in after:
                    self.done[before].wait()
                    if before in self.failed:
                        self.failed.add(name)
                        return
                with contextlib.nullcontext() if beside else self.places.taken(places), self.times.of(name):
                    function()
            except BuildError as error:
                self.failed.add(name)
                self.report.bad(name, str(error))
            except Exception as error:  # a bug of ours must be reported, not lost in a thread
                self.failed.add(name)
                self.report.bad(name, f"{type(error).__name__}: {error}")
            finally:
                event.set()
        self.futures.append((self.waiting if beside else self.pool).submit(work))

    def wants(self, name):
        return case.matches(name, self.options.name)

    def wants_any(self, prefix):
        """A filter may name something below the prefix."""
        return not self.options.name or any(prefix in f or f in prefix or "/" not in f for f in self.options.name)

    # ---- builds and unit tests

    def build(self, label):
        def work():
            started = time.monotonic()
            self.builds.build(label, reduced=label == "tsan" and not self.options.tsan)
            if self.wants(f"build/{label}"):
                self.report.ok(f"build/{label}")
            self.report.note(f"# {label} was built in {time.monotonic() - started:.0f} s")
        self.task(f"build/{label}", work, places=self.half)

    def unit(self, label, kind=None, make=(), env=None):
        """make check in one build; every program is a test. kind: the label in the names (valgrind runs in gcc's build)."""
        kind = kind or label
        folder = self.builds.dir(label)
        reduced = kind == "valgrind" and not self.options.long
        programs = [p for p in self.builds.test_programs(label) if self.wants(f"{kind}/{short(p)}") and (kind, p) not in NOT_IN
                    and not (reduced and not turns.in_valgrind(p))]
        if not programs:
            return
        log = self.builds.log(f"{kind}-check")
        for program in programs:
            for leftover in (program + ".log", program + ".trs"):
                if os.path.exists(os.path.join(folder, leftover)):
                    os.unlink(os.path.join(folder, leftover))
        with open(log, "wb") as out:
            command = ["make", "-k", f"-j{self.processors}", "check", "TESTS=" + " ".join(programs), *make]
            self.children.run(command, out, 1200, cwd=folder, env=dict(os.environ, **(env or {})))
        for program in programs:
            name = f"{kind}/{short(program)}"
            try:
                with open(os.path.join(folder, program + ".trs"), encoding="utf-8") as f:
                    result = re.search(r":test-result: (\w+)", f.read()).group(1)
            except (OSError, AttributeError):
                result = "no result"
            if result == "PASS":
                self.report.ok(name)
                if promises.wanted(short(program)):
                    promises.record(short(program), label, path=self.builds.promises)
            elif result == "SKIP":
                self.report.skip(name, last_line(os.path.join(folder, program + ".log")))
            else:
                kept = self.builds.log(name)
                if os.path.exists(os.path.join(folder, program + ".log")):
                    shutil.copyfile(os.path.join(folder, program + ".log"), kept)
                    self.report.bad(name, f"{result}: {failure_line(kept)} [{kept}]")
                else:
                    self.report.bad(name, f"{result} [{log}]")

    def valgrind(self):
        if not shutil.which("valgrind"):
            self.report.skip("valgrind", "valgrind is not on this machine")
            return
        flags = VALGRIND
        suppressions = os.path.join(self.top, "tests", "valgrind.supp")
        if os.path.exists(suppressions):
            flags += f" --suppressions={suppressions}"
        self.unit("gcc", "valgrind", ["LOG_COMPILER=valgrind", f"LOG_FLAGS={flags}"],
                  {"UNDER_VALGRIND": "whole" if self.options.long else "sample"})

    # ---- modules of cases

    def case_command(self, module, label):
        command = [sys.executable, "-B", "-m", "harness.case", module, "--top", self.top, "--src", self.builds.src,
                   "--build", self.builds.dir(label), "--label", label, "--logs", self.builds.logs]
        command += [a for f in self.options.name for a in ("--filter", f)]
        o = self.options
        once = turns.name_of(module) in turns.ONCE and not (o.quick or o.long or o.coverage or o.list)
        return command + (["--long"] if o.long else []) + (["--once"] if once else [])

    def module(self, module, label, timeout=1500):
        log = self.builds.log(f"{label}-{module}")
        process = self.children.start(self.case_command(module, label), env=self.module_env(), stdout=subprocess.PIPE,
                                      stderr=open(log, "wb"), text=True, errors="replace")
        timer = threading.Timer(timeout * (10 if self.options.long else 1), self.children.end, [process])
        timer.start()
        for line in process.stdout:
            if line.startswith("ok "):
                self.report.ok(line[3:].strip())
            elif line.startswith("not ok "):
                name, _, why = line[7:].strip().partition(": ")
                self.report.bad(name, why)
            elif line.startswith("skipped: "):
                name, _, why = line[9:].strip().partition(": ")
                self.report.skip(name, why)
            else:
                self.report.note(f"# {line.rstrip()}")
        timer.cancel()
        code = self.children.wait(process)
        if code not in (0, 1) or (code == 1 and os.path.getsize(log)):
            self.report.bad(f"{label}/{case.prefix(module)}", f"the module ended with {code}: {last_line(log)} [{log}]")

    def module_env(self):
        """Modules come from the copy of the sources, as the tree may be edited meanwhile."""
        return dict(os.environ, PYTHONPATH=os.path.join(self.builds.src, "tests"), CTSTUB_SEEN=self.builds.seen,
                    CTSTUB_PROMISES=self.builds.promises)

    def modules(self, folder):
        files = sorted(glob.glob(os.path.join(self.builds.src, "tests", folder, "*.py")))
        names = [f"{folder}.{os.path.basename(f)[:-3]}" for f in files if not os.path.basename(f).startswith("_")]
        rank = {name: i for i, name in enumerate(turns.LONGEST)}
        return sorted(names, key=lambda name: rank.get(turns.name_of(name), len(rank)))

    def fetch_servers(self, group):
        try:
            self.servers.fetch(wanted(self.top, group))
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", b"") or b"").decode(errors="replace").strip() or str(error)
            self.report.note(f"# servers ({group}) could not be unpacked: {said.splitlines()[0]}")

    # ---- what is not part of every run

    def measured(self):
        """Coverage: a report, and the lines that no test reached."""
        source, base = self.builds.src, self.builds.base
        programs = coverage.PROGRAMS + self.builds.test_programs("coverage")
        files = coverage.measure(self.builds.dir("coverage"), source, self.builds.profiles, programs)
        for line in coverage.results(files, source, base):
            if line.startswith("#") or not self.options.name:  # the figures of only some tests prove nothing
                self.line(line)
        for name, said, why in coverage.verdicts(files):
            if not why and not self.options.name:
                self.promised(f"tests/run --coverage: {name}", said)

    def produced(self):
        """Every reason, status, event and metric was seen; when tests were skipped, one that is missing proves nothing."""
        for name, why in produced.compare(produced.tables(self.builds.src), seen.gather(self.builds.seen)):
            if why and self.report.skips:
                self.report.skip(name, f"{len(self.report.skips)} tests were skipped; {why}")
            elif why:
                self.report.bad(name, why)
            else:
                self.report.ok(name)
                self.promised(f"tests/run: {name.partition('/')[2]}", "each was seen")

    def promised(self, name, figure=None):
        promises.record(name, "gcc", figure, self.builds.promises)

    def distcheck(self):
        """A tarball builds, tests, installs and uninstalls: without optimisation and with little compression, as it is not kept.

        Clang builds it, so that its warnings (build/clang) cost no build of their own: no optimisation finds more of them. Of
        the unit tests, which ran in gcc's build, those that read files of the tree run; with --long all of them.
        """
        log, compiler = self.builds.log("distcheck"), "clang" if shutil.which("clang") else "gcc"
        options = f"--enable-werror CC='{'ccache ' if shutil.which('ccache') else ''}{compiler}' CFLAGS=-O0 LDFLAGS='{LINKER}'"
        command = ["make", f"-j{self.processors}", "distcheck", f"DISTCHECK_CONFIGURE_FLAGS={options}"]
        if not self.options.long:
            command.append("TESTS=" + " ".join(turns.reads_the_tree(self.builds.src, self.builds.test_programs("gcc"))))
        with open(log, "wb") as out:
            code = self.children.run(command, out, 1200, cwd=self.builds.dir("gcc"), env=dict(os.environ, XZ_OPT="-1"))
        with open(log, encoding="utf-8", errors="replace") as f:
            compiled = re.search(r"^# TOTAL:", f.read(), re.M)  # the tests ran, so every program was built
        for name, good in (("build/clang", compiled), ("distcheck", code == 0)):
            if name == "build/clang" and compiler != "clang":
                self.report.skip(name, "clang is not on this machine")
            elif good:
                self.report.ok(name)
            else:
                self.report.bad(name, f"ended with {code}: {failure_line(log)} [{log}]")

    def fuzzed(self, done):
        """Reports one run of one engine, and records it."""
        target, engine = done.record["target"], done.record["engine"]
        name = f"fuzz/{target}" if engine == "libFuzzer" else f"fuzz/{target} with {engine}"
        log = self.builds.log(name)
        if done.skip:
            self.report.skip(name, done.skip)
            return
        with self.fuzz_lock, open(os.path.join(self.builds.base, "fuzz-runs.jsonl"), "a", encoding="utf-8") as f:
            f.write(json.dumps(done.record) + "\n")
        if done.why:
            self.report.bad(name, f"{done.why}: {failure_line(log)} [{log}]")
        else:
            self.report.ok(name)

    def fuzz(self, target, seconds):
        b, program = self.builds, f"tests/fuzz/fuzz_{target}"
        grown = os.path.join(b.base, "fuzz-corpus", target)
        os.makedirs(grown, exist_ok=True)
        self.fuzzed(fuzz.libfuzzer(os.path.join(b.dir("fuzz"), program), target, seconds, b.src, grown, b.logs, b.log(f"fuzz/{target}")))
        if "build/afl" in self.done and "build/afl" not in self.failed:
            folder = os.path.join(b.base, "fuzz-afl", target)
            self.fuzzed(fuzz.afl(os.path.join(b.dir("afl"), program), target, seconds, b.src, folder, b.log(f"fuzz/{target} with AFL++")))

    def fuzz_targets(self):
        out = subprocess.run(["make", "-s", "list-fuzz"], cwd=self.builds.dir("fuzz"), stdout=subprocess.PIPE, check=True)
        targets = [os.path.basename(t)[5:] for t in out.stdout.decode().split()]
        return [t for t in targets if self.wants(f"fuzz/{t}")]

    def fuzz_all(self):
        targets = self.fuzz_targets()
        with concurrent.futures.ThreadPoolExecutor(max_workers=self.processors) as pool:
            list(pool.map(lambda t: self.fuzz(t, self.options.fuzz), targets))

    def fuzz_reached(self):
        """How much of the files that each target tests is reached by its inputs, the stored ones and those of earlier runs."""
        b = self.builds
        for target in self.fuzz_targets():
            folders = [d for d in (os.path.join(b.src, "tests/fuzz/corpus", target), os.path.join(b.base, "fuzz-corpus", target))
                       if os.path.isdir(d) and os.listdir(d)]
            reached, lines = fuzz.reached(b.dir("coverage"), b.src, target, folders, os.path.join(b.base, "fuzz-profiles", target))
            name = f"fuzz/{target} reaches the files that it is for"
            if reached == 0:
                self.report.bad(name, f"none of {lines} lines")
            else:
                self.report.ok(name)
                self.report.note(f"# fuzz/{target}: {coverage.share(reached, lines):.1f} % of {lines} lines are reached")

    def plan_fuzz(self):
        self.build("fuzz")
        if shutil.which("afl-clang-fast"):
            self.build("afl")
        else:
            self.report.skip("build/afl", "afl-clang-fast is not on this machine (package afl++)")
            self.done.setdefault("build/afl", threading.Event()).set()
            self.failed.add("build/afl")
        self.task("fuzz", self.fuzz_all, ["build/fuzz"] + (["build/afl"] if "build/afl" not in self.failed else []))
        if not self.options.coverage:
            self.build("coverage")
        self.task("fuzz/reached", self.fuzz_reached, ["fuzz", "build/coverage"])

    def line(self, line):
        """One of our lines."""
        if line.startswith("ok "):
            self.report.ok(line[3:].strip())
        elif line.startswith("not ok "):
            self.report.bad(*line[7:].strip().partition(": ")[::2])
        elif line.startswith("skipped: "):
            self.report.skip(*line[9:].strip().partition(": ")[::2])
        else:
            self.report.note(line.rstrip())

    def static(self):
        """The analysers. With nothing else to do they may use every processor; results of unchanged files are kept."""
        program = os.path.join(self.top, "tests", "static", "run")
        names = [f.partition("static/")[2] or f for f in self.options.name]
        self.script("static", program, "--jobs", str(self.processors), *(["--long"] if self.options.long else []), *names, whole=not names)

    def script(self, name, *command, whole=True):
        """A separate program that prints lines like ours (mutants, peers, browser, bench). whole: it runs all of its tests."""
        process = self.children.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                      env=dict(os.environ, CTSTUB_BUILDS=self.builds.base, CTSTUB_TOP=self.top))
        for line in process.stdout:
            self.line(line)
        if self.children.wait(process) not in (0, 1):
            self.report.bad(name, f"ended with {process.returncode}")
        elif whole:
            self.promised(f"tests/run --{name}", f"{self.report.passed_in(name)} passed, {self.report.failed_in(name)} failed")

    # ---- the whole

    def plan(self):
        o = self.options
        try:
            with self.times.of("sources"):
                self.builds.copy_sources()
        except BuildError as error:
            self.report.bad("sources", str(error))
            return
        self.task("servers", lambda: self.fetch_servers("default"))
        if o.coverage:
            self.plan_coverage()
            return
        full = not o.quick
        labels = ["gcc"] + (["san"] if full else [])
        for label in labels:
            self.build(label)
        for label in labels:
            self.busy(f"{label}/unit", lambda label=label: self.unit(label, env=SANITIZER_ENV), f"build/{label}")
        if full or o.tsan:
            self.plan_threads()
        if full:
            self.plan_busy()
        if (full and self.wants_any("static/")) or any("static" in f for f in o.name):
            self.busy("static", self.static, "build/gcc")
        for module in self.modules("functional"):
            for label in labels:
                self.functional(module, label)
        for module in self.modules("checks"):
            self.task(f"check {module}", lambda module=module: self.module(module, "gcc"), ["build/gcc"])
        if o.fuzz:
            self.plan_fuzz()
        for option, group in (("mutants", None), ("peers", "peers"), ("browser", "browser"), ("package", None), ("bench", "peers")):
            if getattr(o, option):
                if group:
                    self.task(f"servers {group}", lambda group=group: self.fetch_servers(group))
                program = os.path.join(self.top, "tests", option, "run")
                self.task(option, lambda option=option, program=program: self.script(option, program),
                          ["build/gcc", "servers"] + ([f"servers {group}"] if group else []))

    def busy(self, name, function, *after):
        """A task that keeps every processor busy."""
        self.task(name, function, after, places=self.half)

    def functional(self, module, label, timeout=1500):
        self.task(f"{label} {module}", lambda: self.module(module, label, timeout), [f"build/{label}", "servers"],
                  beside=turns.name_of(module) in turns.BESIDE, places=turns.places_of(module))

    def plan_busy(self):
        """Tasks before the modules; modules that mostly wait run at the same time, so that at the end none of these tasks runs alone."""
        self.busy("valgrind", self.valgrind, "build/gcc", "gcc/unit")  # whose results are in the same files
        if self.wants("distcheck") or self.wants("build/clang"):
            self.busy("distcheck", self.distcheck, "build/gcc")

    def plan_coverage(self):
        """Unit tests, stored inputs and functional tests in the build with coverage, then the report."""
        if not shutil.which("clang") or " " in self.builds.base:
            self.report.skip("coverage", "clang is not on this machine, or the folder's name has a space in it")
            return
        self.builds.empty(self.builds.profiles)
        self.build("coverage")
        self.task("coverage/unit", lambda: self.unit("coverage"), ["build/coverage"])
        names = []
        for module in self.modules("functional"):
            names.append(f"coverage {module}")
            self.task(names[-1], lambda module=module: self.module(module, "coverage"), ["build/coverage", "servers"])
        self.task("coverage/report", self.measured, ["coverage/unit", *names])

    def plan_threads(self):
        """With two workers under ThreadSanitizer: in every run the modules with most traffic between threads, or all of them."""
        self.build("tsan")
        for module in self.modules("functional") if self.options.tsan else turns.THREADS:
            if module not in turns.NO_THREADS:
                self.functional(module, "tsan", timeout=3000)

    def list(self):
        self.builds.copy_files()
        for folder in ("checks", "functional"):
            for module in self.modules(folder):
                subprocess.run([*self.case_command(module, "gcc"), "--list"], env=self.module_env(), check=False)

    def run(self):
        if self.options.list:
            self.list()
            return 0
        started = time.monotonic()

        def give_up(_number, _frame):
            self.children.end_all()
            os._exit(130)
        signal.signal(signal.SIGINT, give_up)
        signal.signal(signal.SIGTERM, give_up)
        self.builds.empty(self.builds.seen)
        self.plan()
        for future in self.futures:
            future.result()
        if not self.options.name:
            self.produced()
        if not self.options.name and not self.options.coverage and not self.report.failures:
            self.promised("tests/run: whole", f"{self.report.passed} passed, {len(self.report.skips)} skipped")
        self.report.note(f"# {time.monotonic() - started:.0f} s; {self.times.summary(self.processors)}")
        self.account()
        return self.report.finish()

    def account(self):
        """Writes the time of each task to build-tests/times.txt; with --times it is printed, too."""
        lines = ["processor  seconds   begins  task", *self.times.table()]
        with open(os.path.join(self.builds.base, "times.txt"), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        for line in lines if self.options.times else ():
            self.report.note(f"# {line}")


def short(program):
    """tests/unit/test_x -> unit/test_x"""
    return program.partition("/")[2]


def parse(argv):
    arguments = argparse.ArgumentParser(prog="tests/run", add_help=False)
    for name in ("quick", "long", "mutants", "peers", "browser", "package", "bench", "coverage", "tsan", "list", "times", "no-install"):
        arguments.add_argument(f"--{name}", action="store_true")
    arguments.add_argument("--fuzz", nargs="?", const="60")
    arguments.add_argument("--jobs", type=int, default=3 * max(2, os.cpu_count() or 2))
    arguments.add_argument("name", nargs="*")
    options = arguments.parse_args(argv)
    if options.fuzz is not None:
        if not options.fuzz.isdigit():  # tests/run --fuzz NAME
            options.name.append(options.fuzz)
            options.fuzz = "60"
        options.fuzz = int(options.fuzz)
    return options


def main(argv):
    options = parse(argv)
    if options.list:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # tests/run --list | head
    if os.geteuid() == 0 and not roots.root_is_mounted():
        try:
            roots.own_mounts()
        except OSError as error:
            print(f"# namespaces will be refused: the root folder is no mount point, and cannot become one: {error}")
    try:
        run = Run(options)
    except OSError as error:
        print(f"not ok build-tests: cannot be written, copy the tree: {error}\n0 passed, 1 failed")
        return 1
    return run.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
