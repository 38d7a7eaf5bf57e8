"""A test: a function with a name, a context with everything it may use, and the program that runs a module of them.

    @case("C01 an empty datagram is dropped")
    def empty_datagram(t): ...

    @rows([("C04 NOTIFY is not implemented", 4), ("C04 UPDATE is not implemented", 5)])
    def opcodes(t, opcode): ...

A test fails by raising: `check` and `equal` say what was expected. Whatever it started ends with it, and a sanitizer's
report, a crash or a seccomp violation of anything it started fails it. Nothing here sleeps to let time pass: `until` waits
for a condition, at most so long.
"""
import argparse
import collections
import fnmatch
import gc
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from harness.build import SANITIZER_ENV
from harness import promises
from harness.patience import patient
from harness.packages import Unpacked
from harness.seen import Seen
from harness.standstill import PLAYS, TimeIsUp, Watch, excused

CASES = []
BAD_OUTPUT = re.compile(r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:|Assertion .* failed|stack smashing"
                        r"|double free|munmap_chunk|corrupted|AddressSanitizer:DEADLYSIGNAL|WARNING: ThreadSanitizer")


class Skip(Exception):
    """This machine cannot do it; the text says why."""


class Case:
    def __init__(self, function, name, args, options):
        self.function = function
        self.name = name
        self.args = args
        self.needs = options.pop("needs", ())
        self.netns = options.pop("netns", False)       # wants network and mount namespaces of its own
        self.builds = options.pop("builds", ("gcc", "san"))
        self.threads = options.pop("threads", True)    # ThreadSanitizer may find something in it
        self.long = options.pop("long", False)         # only with --long
        self.timeout = options.pop("timeout", 120)
        assert not options, options


def case(name, *args, **options):
    """One test."""
    def register(function):
        CASES.append(Case(function, name, args, dict(options)))
        return function
    return register


def rows(table, **options):
    """One test for each row: its name, then the function's arguments."""
    def register(function):
        for name, *args in table:
            CASES.append(Case(function, name, args, dict(options)))
        return function
    return register


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def equal(have, want, what):
    if have != want:
        raise AssertionError(f"{what}: have {have!r}, want {want!r}")


def at_most(have, most, what):
    """For counts that a limit in seconds may increase (a late answer, a slow handshake): a test that sees more is run again when the
    machine stood still meanwhile (standstill.GAVE_UP)."""
    if have > most:
        raise AssertionError(f"{what}: have {have}, want {most} or fewer")


LOOKS = 10              # at least at a condition, however long each takes
LOOKS_S = (0.01, 0.25)  # between two looks at a condition
LOOK_SHARE = 3          # and that many times as long as a look took: one that starts programs leaves the processor to others


def until(condition, seconds, what):
    """Waits until the condition gives something true, and returns that. While the machine stands still no time passes.
    what: a text, or what gives it when the time is up."""
    start, looks = time.monotonic(), 0
    while True:
        began = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        looks += 1
        if now > start + patient(seconds) and looks >= LOOKS:
            raise TimeIsUp(f"not within {seconds} s: {what() if callable(what) else what}")
        pause = min(max(LOOKS_S[0], LOOK_SHARE * (now - began)), LOOKS_S[1])
        time.sleep(pause)
        start += max(0.0, time.monotonic() - now - pause)


def within(seconds, began, what):
    """No more time than that has passed since `began`."""
    took = time.monotonic() - began
    if took >= patient(seconds):
        raise TimeIsUp(f"{what}: {took:.1f} s")


def running(group):
    """Some process of the group still runs, and has its sockets open. A zombie has none."""
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{int(entry)}/stat", encoding="ascii", errors="replace") as f:
                state, _, its = f.read().rsplit(")", 1)[1].split()[:3]
        except (OSError, ValueError):
            continue
        if int(its) == group and state not in "ZX":
            return True
    return False


class Process:
    """A program that a test started: its output goes to a file."""

    def __init__(self, t, name, command, env=None, cwd=None, stdin=None, preexec=None, **options):
        self.t = t
        self.name = name
        self.expect = (0, -signal.SIGTERM)
        self.log_path = os.path.join(t.dir, f"{name}-{len(t.processes)}.log")
        self._log = open(self.log_path, "wb")
        self.popen = subprocess.Popen(command, env=env or t.env(), cwd=cwd or t.dir, stdin=stdin or subprocess.DEVNULL,
                                      stdout=options.pop("stdout", self._log), stderr=self._log, start_new_session=True,
                                      preexec_fn=preexec, **options)
        self.pid = self.popen.pid
        t.processes.append(self)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def alive(self):
        return self.popen.poll() is None

    def wait_log(self, text, seconds=10):
        def seen():
            alive = self.alive()  # before the log is read: this may be its last word
            if re.search(text, self.log()):
                return True
            check(alive, f"{self.name} ended with {self.popen.returncode}: {tail(self.log())}")
            return False
        until(seen, seconds, f"{self.name} writes {text!r}; it wrote: {tail(self.log())}")

    def signal(self, number):
        if self.alive():
            self.popen.send_signal(number)

    def kill(self):
        """Ends at once, and its exit code does not matter."""
        self.expect = None
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait(patient(10))
        until(lambda: not running(self.pid), 10, f"{self.name} and what it started have ended")

    def stop(self, seconds=10):
        """SIGTERM, and the exit code. What it started has ended, too: a writer may have had more to write."""
        self.signal(signal.SIGTERM)
        try:
            code = self.popen.wait(patient(seconds))
            until(lambda: not running(self.pid), 10, f"what {self.name} started has ended")
            return code
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.popen.wait(10)
            raise AssertionError(f"{self.name} did not end within {seconds} s of SIGTERM") from None

    def rss_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def tail(text, lines=3):
    return " | ".join(text.strip().splitlines()[-lines:])


def gone(pid):
    """The process has ended, whether somebody waits for it or not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


class Context:
    """What a test gets."""

    def __init__(self, options, folder):
        self.top = options.top
        self.src = options.src
        self.build = options.build
        self.label = options.label
        self.long = options.long
        self.servers = Unpacked(os.path.join(os.path.dirname(options.build), "servers"))
        self.dir = folder
        self.processes = []
        self.figure = None
        self.seen = Seen(f"{options.label}-{options.module}")
        self._deferred = []

    @property
    def sanitized(self):
        return self.label in ("san", "tsan")

    def env(self, **more):
        # a system call that the daemon's filter does not allow kills it, whatever the test is about
        env = {**os.environ, **SANITIZER_ENV, "CTSTUB_SECCOMP": "kill", **more}
        env.pop("LD_LIBRARY_PATH", None)
        return env

    def library(self, name):
        """One of ours that is preloaded (tests/fault/shim.so). The dynamic linker only warns of one that is not there."""
        path = os.path.join(self.build, name)
        if not os.path.exists(path):
            raise AssertionError(f"{name} was not built (make check TESTS=)")
        return path

    def program(self, name):
        """One of ours from the build tree, or a program of this machine; a Skip when it does not exist."""
        path = os.path.join(self.build, name)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
        if name.startswith("ctstub"):
            raise AssertionError(f"{name} was not built")
        path = self.servers.find(name)
        if not path:
            raise Skip(f"{name} is not on this machine")
        return path

    def promised(self, figure):
        """A figure that this test measured, for tests/PROMISES.md."""
        self.figure = figure

    def defer(self, function):
        self._deferred.append(function)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, content):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(content, bytes) else "w") as f:
            f.write(content)
        return path

    def spawn(self, name, command, **options):
        return Process(self, name, command, **options)

    def run(self, *command, timeout=60, stdin=None, env=None, cwd=None):
        """Runs a program to its end; (code, stdout, stderr). A crash or a sanitizer's report of one of ours fails the test
        (not of others: kdig 3.2.6 frees twice when a TLS server is silent)."""
        command = [self.program(command[0]) if "/" not in command[0] else command[0], *map(str, command[1:])]
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=patient(timeout),
                              env=env or self.env(), cwd=cwd or self.dir, check=False)
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        self.seen.read(out + "\n" + err)
        if command[0].startswith(self.build):
            bad = BAD_OUTPUT.search(err)
            check(not bad, f"{os.path.basename(command[0])}: {bad and err[bad.start():][:2000]}")
            check(done.returncode >= 0, f"{os.path.basename(command[0])} died of signal {-done.returncode}: {err[-500:]}")
        return done.returncode, out, err

    def finish(self):
        """Ends everything. Returns what went wrong meanwhile, or None."""
        trouble = []
        for function in reversed(self._deferred):
            try:
                function()
            except Exception as error:  # all of them are to run
                trouble.append(f"cleaning up: {error!r}")
        for process in reversed(self.processes):
            try:
                code = process.stop()
                self.seen.read(process.log())
                if process.expect is not None and code not in process.expect:
                    trouble.append(f"{process.name} ended with {code}: {tail(process.log())}")
            except AssertionError as error:
                trouble.append(str(error))
            if process.expect is not None or self.sanitized:
                bad = BAD_OUTPUT.search(process.log())
                if bad:
                    trouble.append(f"{process.name}: {process.log()[bad.start():][:1500]}")
        return "\n".join(trouble) or None

    def logs(self):
        return "".join(f"--- {p.name} ({p.pid})\n{p.log()}\n" for p in self.processes)


class TooLong(Exception):
    pass


class Ending:
    """SIGTERM ends the test that runs, with all that it started; no other test begins."""
    CODE = 128 + signal.SIGTERM  # the module's, when tests were left: all of those that ran may be well

    def __init__(self):
        self.wanted = self.performing = False

    def begin(self):
        self.performing = True
        if self.wanted:
            self.end()

    def end(self):
        self.performing = False
        raise KeyboardInterrupt("ended by SIGTERM")

    def on_signal(self, _number, _frame):
        self.wanted = True
        if self.performing:
            self.end()


ENDING = Ending()


def run_case(one, options):
    """'ok', 'skip' or 'bad', and why. A test that had to wait for the machine, and failed as tests do then, is run again."""
    if one.netns and not options.in_netns:
        return run_in_namespaces(one, options)
    for left in reversed(range(PLAYS)):
        watch = Watch()
        outcome, why, error = play(one, options)
        watch.end()
        if outcome != "bad" or not left or ENDING.wanted or not excused(error, watch.seconds()):
            return outcome, why
        print(f"# {one.name} is played again, as the machine stood still for {watch.seconds():.1f} s: {why}", flush=True)
    return outcome, why


def play(one, options):
    """'ok', 'skip' or 'bad', why, and the exception when it is the only failure."""
    folder = tempfile.mkdtemp(prefix="ctstub-test-")
    os.chmod(folder, 0o755)
    t = Context(options, folder)
    outcome, why, text, failure = performed(one, t)
    trouble = t.finish()
    if trouble:
        outcome, why, failure = "bad", f"{why}; {trouble}" if why else trouble, None
    if options.label == "tsan" and outcome == "bad" and "ThreadSanitizer" not in f"{why}{t.logs()}":
        outcome, why = "ok", None  # what a test expects of one worker's counters, memory and speed, other builds prove
    if outcome == "bad":
        log = os.path.join(options.logs, re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{options.label}-{options.module}-{one.name}")[:150])
        with open(log + ".log", "w", encoding="utf-8") as f:
            f.write(f"{why}\n\n{text}\n{t.logs()}")
        why = f"{' / '.join(why.splitlines()[:2])[:600]} [{log}.log]"
    name = f"{prefix(options.module)}/{one.name}"
    if outcome == "ok" and promises.wanted(name):
        promises.record(name, options.label, t.figure)
    if options.keep and outcome == "bad":
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome, why, failure


def performed(one, t):
    """'ok', 'skip' or 'bad', why, the trace, and the exception; the test's processes still run."""
    started, most = time.monotonic(), one.timeout * (3 if t.sanitized else 1)

    def too_long(_number, _frame):
        left = started + patient(most) - time.monotonic()
        if left <= 0:
            raise TooLong(f"longer than {one.timeout} s")
        signal.alarm(int(left) + 1)  # the machine is busy
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(most)
    outcome, why, text, failure = "ok", None, "", None
    try:
        ENDING.begin()
        for need in one.needs:
            t.program(need)
        one.function(t, *one.args)
        ENDING.performing = False
    except Skip as error:
        outcome, why = "skip", str(error)
    except (Exception, KeyboardInterrupt) as error:
        outcome, why, failure = "bad", str(error) or repr(error), error
        if not isinstance(error, AssertionError):
            why = f"{type(error).__name__}: {why}"
        text = traceback.format_exc()
    ENDING.performing = False
    signal.alarm(0)
    return outcome, why, text, failure


def namespaces():
    """The command that runs another one in network, mount and process namespaces of its own."""
    return ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
            *(() if os.geteuid() == 0 else ("--user", "--map-root-user"))]


def run_in_namespaces(one, options):
    """The same test in a child with network, mount and process namespaces of its own; loopback is up there."""
    unshare = namespaces()
    probe = subprocess.run([*unshare, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if probe.returncode != 0:
        return "skip", f"no namespaces here: {probe.stderr.decode().strip()}"
    command = [*unshare, sys.executable, "-B", "-m", "harness.case", *options.argv, "--in-netns", "--exactly", one.name]
    try:
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=patient(4 * one.timeout),
                             check=False).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return "bad", "longer than its time"
    for line in out.splitlines():
        if line.startswith("# "):
            print(line, flush=True)
        for word, outcome in (("not ok ", "bad"), ("skipped: ", "skip"), ("ok ", "ok")):
            if line.startswith(word):
                return outcome, line.partition(one.name + ": ")[2] or None
    return "bad", f"no result from the namespace: {tail(out)}"


def parse(argv):
    arguments = argparse.ArgumentParser(prog="harness.case")
    arguments.add_argument("module", help="functional.test_x or checks.x")
    arguments.add_argument("--top", required=True)
    arguments.add_argument("--src")
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--label", default="gcc")
    arguments.add_argument("--logs", default="/tmp")
    arguments.add_argument("--long", action="store_true")
    arguments.add_argument("--once", action="store_true", help="skip tests that the build with sanitizers runs as well")
    arguments.add_argument("--keep", action="store_true", help="keep the folder of a failed test")
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--filter", action="append", default=[])
    arguments.add_argument("--in-netns", action="store_true")
    arguments.add_argument("--exactly")
    options = arguments.parse_args(argv)
    options.src = options.src or options.top
    options.argv = [a for a in argv if a not in ("--in-netns",)]
    return options


def prefix(module):
    """functional.test_dot -> dot, checks.arrows -> check"""
    return "check/" + module.split(".")[1] if module.startswith("checks.") else module.split(".")[-1].replace("test_", "")


def twice():
    """Names of more than one case: one of them alone could not be asked for."""
    count = collections.Counter(one.name for one in CASES)
    return sorted(name for name, n in count.items() if n > 1)


def matches(name, filters):
    return not filters or any(f in name or fnmatch.fnmatch(name, f) for f in filters)


def used():
    """Seconds of the clock, and of processors by this process and its ended children."""
    times = os.times()
    return times.elapsed, times.user + times.system + times.children_user + times.children_system


def note_times(options, name, before):
    """Writes a line for each test next to the logs: its seconds, its seconds of a processor, its name. tests/run adds them up."""
    after = used()
    with open(os.path.join(options.logs, "times"), "a", encoding="utf-8") as f:
        f.write(f"{after[0] - before[0]:.2f}\t{after[1] - before[1]:.2f}\t{name}\n")


def in_build(one, label, once=False):
    """The build that measures coverage is gcc's with counters; ThreadSanitizer's runs whatever another build runs.

    once: skips what the build with sanitizers runs as well.
    """
    if label == "tsan":
        return one.threads
    if once and label == "gcc" and "san" in one.builds:
        return False
    return {"coverage": "gcc"}.get(label, label) in one.builds


def main(argv):
    options = parse(argv)
    os.makedirs(options.logs, exist_ok=True)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    gc.disable()  # with a million questions kept, a collection stops the test's own servers for seconds
    importlib.import_module(options.module)
    if twice():
        print(f"not ok {options.label}/{prefix(options.module)}: two cases have one name: {'; '.join(twice())}")
        return 1
    if options.list:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    bad = 0
    if options.in_netns:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    signal.signal(signal.SIGTERM, ENDING.on_signal)
    for one in CASES:
        if ENDING.wanted:
            return ENDING.CODE
        name = f"{options.label}/{prefix(options.module)}/{one.name}"
        if options.exactly and options.exactly != one.name:
            continue
        if not matches(name, options.filter):
            continue
        if not in_build(one, options.label, options.once) or (one.long and not options.long):
            continue
        if options.list:
            print(name)
            continue
        before = used()
        outcome, why = run_case(one, options)
        if not options.in_netns:
            note_times(options, name, before)
        if outcome == "ok":
            print(f"ok {name}", flush=True)
        elif outcome == "skip":
            print(f"skipped: {name}: {why}", flush=True)
        else:
            bad = 1
            print(f"not ok {name}: {why}", flush=True)
    return bad


if __name__ == "__main__":
    # The module imports this one by name: run that copy, whose list the decorators fill.
    from harness import case as this
    sys.exit(this.main(sys.argv[1:]))
