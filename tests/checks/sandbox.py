"""Every system call that a sealed process may make has a reason, and somebody who makes it: traces of the functional tests, or
a machine, library or moment that the reason names."""
import re
import shutil
import subprocess

from harness import traces
from harness.case import Skip, case, check, equal, rows

TABLE = "base/sandbox/sandbox_calls.def"
RULES = "base/sandbox/sandbox.c"
ROW = re.compile(r'^(CALL|RARE)\((\w+), ([A-Z| ]+), "([^"]*)"\)$', re.M)
# whose argument the filter looks at (sandbox.c), and how a trace writes it
BOUND = {"DAEMON": ("openat", "socket", "setsockopt", "ioctl", "prlimit64", "unlinkat"), "WRITER": ("openat", "unlinkat", "fchmod"), "CONNECTOR": ("socket",),
         "PORTAL": ("openat", "socket"), "WATCH": ("openat", "socket", "setsockopt", "ioctl", "clone", "clone3", "socketpair", "unlinkat", "fchmod")}
OF_ALL = ("tgkill", "fcntl", "mmap", "mprotect")
# made at once after the filter was loaded, by libseccomp
LOADING = ("seccomp", "prctl")


def table(text):
    """{(process, call): (kind, reason)}"""
    found = {}
    for kind, call, processes, reason in ROW.findall(text):
        for process in processes.split(" | "):
            check((process, call) not in found, f"{process} {call} stands there twice")
            found[process, call] = (kind, reason)
    return found


def made_by(seen):
    """{(process, call)} of the traces."""
    found = set()
    for process, words in seen:
        call = words.split()[0]
        if call not in LOADING:
            found.add((process.upper(), call))
    return found


def wrong(text, seen):
    have, made, found = table(text), made_by(seen), []
    equal(len(re.findall(r"^(?:CALL|RARE)\(", text, re.M)), len(ROW.findall(text)), "rows that can be read")
    for (process, call), (kind, reason) in have.items():
        if len(reason.split()) < 2 and kind == "RARE" or not reason.strip():
            found.append(f"{process} {call}: no reason")
        if kind == "CALL" and (process, call) not in made:
            found.append(f"{process} {call}: in no trace; remove it, or name in RARE who makes it")
        if kind == "RARE" and (process, call) in made:
            found.append(f"{process} {call}: the traces have it, so it is no RARE one")
    for process, call in sorted(made):
        if (process, call) not in have and call not in OF_ALL and call not in BOUND.get(process, ()):
            found.append(f"{process} {call}: traces have it, the table does not")
    return found


def read(t, name):
    with open(f"{t.top}/{name}", encoding="utf-8") as f:
        return f.read()


@case("every system call that the filter allows has a reason, and is seen in traces or rare for a reason")
def calls(t):
    found = wrong(read(t, TABLE), traces.read(f"{t.top}/{traces.LIST}"))
    check(not found, "; ".join(found))


@case("every socket, socket option and command that the filter allows by its arguments is seen in traces, or says why not")
def arguments(t):
    text = read(t, RULES)
    seen = {words for _, words in traces.read(f"{t.top}/{traces.LIST}")}
    found = []
    for rule in ("SOCKET", "SOCKET_OPTION", "FCNTL"):
        check(re.search(rf"^\s+{rule}\(\w+[,)]", text, re.M), f"no {rule}() was found in {RULES}")
    for family, kind, comment in re.findall(r"^\s+SOCKET\((\w+), (\w+), \w+\),(?:[ ]*/\*(.*?)\*/)?", text, re.M):
        if f"socket {family} {kind}" not in seen and not comment:
            found.append(f"socket {family} {kind}")
    for level, name, comment in re.findall(r"^\s+SOCKET_OPTION\((\w+), (\w+)\),(?:[ ]*/\*(.*?)\*/)?", text, re.M):
        if f"setsockopt {level.replace('IPPROTO', 'SOL')} {name}" not in seen and not comment:
            found.append(f"setsockopt {level} {name}")
    for command, comment in re.findall(r"^\s+FCNTL\((\w+)\),(?:[ ]*/\*(.*?)\*/)?", text, re.M):
        if f"fcntl {command}" not in seen and not comment:
            found.append(f"fcntl {command}")
    check(not found, "; ".join(found))


GOOD = 'CALL(read, DAEMON, "files")\nRARE(ppoll, DAEMON, "aarch64: poll")\n'
SEEN = {("daemon", "read"), ("daemon", "mmap"), ("daemon", "socket AF_INET SOCK_STREAM")}


@rows([
    ("a good table", GOOD, SEEN, 0),
    ("a call that is in no trace", GOOD + 'CALL(reboot, DAEMON, "why not")\n', SEEN, 1),
    ("a rare call without a reason", GOOD + 'RARE(reboot, DAEMON, "x")\n', SEEN, 1),
    ("a call without a reason", 'CALL(read, DAEMON, "")\n', SEEN, 1),
    ("a call that is allowed to a process that never makes it", GOOD.replace("DAEMON,", "DAEMON | WRITER,", 1), SEEN, 1),
    ("a rare call that traces have", 'RARE(read, DAEMON, "aarch64: files")\n', SEEN, 1),
    ("a call of the traces that the table does not have", GOOD, SEEN | {("daemon", "sync")}, 1),
])
def check_sees(_t, text, seen, n):
    equal(len(wrong(text, seen)), n, f"faults: {wrong(text, seen)}")


# ---- the units

UNITS = {"ctstubd": ("DAEMON", "WRITER", "CONNECTOR"), "ctstub-portal": ("PORTAL",), "ctstub-watch": ("WATCH",)}
TO_SEAL = {"capset", "seccomp", "prctl"}


def members(name):
    """The calls of a set of systemd, with those of the sets in it."""
    done = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name], stdout=subprocess.PIPE, check=True, text=True)
    found = set()
    for line in done.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            found |= members(word) if word.startswith("@") else {word}
    return found


def allowed(text):
    """What the lines SystemCallFilter= of a unit allow; a later line counts more."""
    calls = set()
    for value in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        named = set().union(*(members(word) if word.startswith("@") else {word} for word in value.lstrip("~").split()))
        calls = calls - named if value.startswith("~") else calls | named
    return calls


def refused(unit, processes, text):
    """Calls that the program needs and its unit refuses."""
    needed = {call for process, call in table(text) if process in processes} | TO_SEAL
    needed |= {call for process in processes for call in BOUND[process] if call != "clone3"}
    return sorted(needed - allowed(unit))


@rows([(f"the unit of {program} allows every call that the program's own filter allows, and those by which it loads that", program, processes)
       for program, processes in UNITS.items()])
def units(t, program, processes):
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not on this machine")
    unit = read(t, f"contrib/systemd/{program}.service.in")
    equal(refused(unit, processes, read(t, TABLE)), [], "calls that the unit refuses")
    lacking = ["capset"] + ["seccomp"] * ("seccomp" not in members("@system-service"))  # newer versions of systemd have it there
    equal(refused(re.sub(r"^SystemCallFilter=capset.*$", "", unit, flags=re.M), processes, ""), lacking,
          "calls that a unit without its exception refuses")
