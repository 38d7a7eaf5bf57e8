"""Which system calls the sealed processes of the functional tests make: writes tests/sandbox/system-calls.txt.

    PYTHONPATH=tests /usr/bin/python3 -B -m harness.traces --build BUILD [--keep] [--filter TEXT] [MODULE...]

BUILD is a build without sanitizers. Every ctstubd, ctstub-portal and ctstub-watch of the tests runs under strace; what counts
is what a process does after it loaded its filter (sandbox.h). The filter refuses here and does not kill, so that one trace
shows every call that is missing. Without modules all functional ones run, of which --filter takes the tests whose names
contain the text. With --keep the calls of the present list stay: for a second machine, with another C library or
architecture. checks/sandbox.py compares the list with base/sandbox/sandbox_calls.def.
"""
import argparse
import glob
import os
import platform
import re
import subprocess
import sys
import tempfile

PROGRAMS = {"ctstubd": "daemon", "ctstub-portal": "portal", "ctstub-watch": "watch"}
# -D: the traced program keeps the number that the test knows. The tests preload libraries, which are not for strace.
WRAPPER = """#!/bin/sh
preload=${{LD_PRELOAD:-}}
unset LD_PRELOAD
exec strace -D -f -qq -a0 -s32 -e signal=none -E CTSTUB_SECCOMP= -o {traces}/trace.$$ ${{preload:+-E LD_PRELOAD="$preload"}} {program} "$@"
"""
LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)")
# Calls whose argument the filter looks at: the argument's place in the text that strace writes
ARGUMENT = {"socket": r"(AF_\w+), (SOCK_\w+)", "setsockopt": r"\d+, (\w+), (\w+)", "prlimit64": r"\d+, (\w+), (NULL|\{)",
            "fcntl": r"\d+, (F_\w+)", "ioctl": r"\d+, (\w+)"}
HEAD = """# System calls that the sealed processes make, written by tests/harness/traces.py from traces of the functional tests.
# PROCESS CALL [ARGUMENTS]; the processes are those of base/sandbox/sandbox_calls.def.
"""
LIST = "tests/sandbox/system-calls.txt"


class Trace:
    """One daemon and its helpers."""

    def __init__(self):
        self.group, self.name, self.sealing, self.sealed, self.calls = {}, {}, set(), set(), {}

    def line(self, text):
        match = LINE.match(text)
        if not match:
            return
        pid, call, rest = match.groups()
        group = self.group.setdefault(pid, pid)
        if group in self.sealed and not text.split(None, 1)[1].startswith("<... "):
            self.calls.setdefault(group, set()).add(words(call, rest))
        new = re.search(r"= (\d+)$", rest)
        if call in ("clone", "clone3", "fork", "vfork") and new:
            self.group[new.group(1)] = group if "CLONE_THREAD" in rest else new.group(1)
        if call == "prctl" and "PR_SET_NAME" in rest and pid == group:
            self.name[group] = re.search(r'"([^"]*)"', rest).group(1)
        if call == "seccomp":
            self.seccomp(pid, group, rest)

    def seccomp(self, pid, group, rest):
        """libseccomp also queries the kernel's features with the same call."""
        loads = "SECCOMP_SET_MODE_FILTER" in rest or pid in self.sealing
        self.sealing.discard(pid)
        if loads and rest.endswith("<unfinished ...>"):
            self.sealing.add(pid)
        elif loads and rest.endswith("= 0"):
            self.sealed.add(group)

    def found(self, program):
        for group, calls in self.calls.items():
            yield from ((self.process(group, program, calls), call) for call in calls)

    def process(self, group, program, calls):
        name = self.name.get(group)
        if name == "ctstub-queries" and "connect" in calls:
            return "connector"
        return "writer" if name else PROGRAMS[program]


def words(call, rest):
    argument = re.match(ARGUMENT.get(call, "(?!)"), rest)
    return " ".join((call, *argument.groups())) if argument else call


def shadow(build, folder, traces):
    """A build folder whose programs are wrappers around strace."""
    for name in os.listdir(build):
        if name not in PROGRAMS:
            os.symlink(os.path.join(build, name), os.path.join(folder, name))
    for name in PROGRAMS:
        os.makedirs(os.path.join(traces, name))
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(WRAPPER.format(traces=os.path.join(traces, name), program=os.path.join(build, name)))
        os.chmod(path, 0o755)


def collect(traces):
    """Reads the present traces, and removes them."""
    found = set()
    for path in glob.glob(os.path.join(traces, "*", "trace.*")):
        trace = Trace()
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                trace.line(line)
        found.update(trace.found(os.path.basename(os.path.dirname(path))))
        os.unlink(path)
    return found


def read(path):
    """The pairs (process, call with its arguments) of a list."""
    with open(path, encoding="utf-8") as f:
        return {tuple(line.strip().split(" ", 1)) for line in f if line.strip() and not line.startswith("#")}


def heads(path):
    """The machines of a list."""
    with open(path, encoding="utf-8") as f:
        return [line for line in f if line.startswith("# made on ")]


def main(argv):
    arguments = argparse.ArgumentParser(prog="harness.traces")
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--keep", action="store_true")
    arguments.add_argument("--filter", default="")
    arguments.add_argument("modules", nargs="*")
    options = arguments.parse_args(argv)
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.path.join(top, LIST)
    modules = options.modules or sorted(os.path.basename(p)[:-3] for p in glob.glob(os.path.join(top, "tests/functional/test_*.py")))
    found = read(path) if options.keep else set()
    machines = set(heads(path)) if options.keep else set()
    machines.add(f"# made on {platform.machine()} with {' '.join(platform.libc_ver())}\n")
    with tempfile.TemporaryDirectory(prefix="ctstub-traces-") as folder:
        build, traces = os.path.join(folder, "build"), os.path.join(folder, "traces")
        os.mkdir(build)
        os.chmod(folder, 0o755)
        shadow(os.path.abspath(options.build), build, traces)
        for module in modules:
            subprocess.run([sys.executable, "-B", "-m", "harness.case", f"functional.{module}", "--top", top, "--build", build,
                            "--logs", os.path.join(folder, "logs"), "--filter", options.filter], check=False,
                           env={**os.environ, "PYTHONPATH": os.path.join(top, "tests")})
            new = collect(traces) - found
            found |= new
            print(f"{module}: {len(new)} new", flush=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(HEAD + "".join(sorted(machines)) + "".join(f"{' '.join(pair)}\n" for pair in sorted(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
