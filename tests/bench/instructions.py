"""Instructions of the daemon for one question, by function, from callgrind; and the document that shows them."""
import glob
import os
import re

from bench.candidates import ctstub_doh, ctstub_dot
from bench.world import Missing, fresh

TRIED = "tried.md"   # what was tried and did not help: the part of PROFILE.md that people write
KINDS = {            # name: (title, command, options of the load that choose the names, outstanding questions)
    "cached": ("A cached question", ctstub_dot, lambda: ("--names", "100"), 200),
    "dot": ("A question over DoT", ctstub_dot, fresh, 200),
    "doh": ("A question over DoH", ctstub_doh, fresh, 200),
    "cached-alone": ("A cached question, one at a time", ctstub_dot, lambda: ("--names", "100"), 1),
    "dot-alone": ("A question over DoT, one at a time", ctstub_dot, fresh, 1),
    "doh-alone": ("A question over DoH, one at a time", ctstub_doh, fresh, 1),
}
SYSTEM_CALLS = ("recvmmsg", "sendmmsg", "recvmsg", "sendmsg", "recvfrom", "sendto", "recv", "send", "read", "write", "writev", "readv",
                "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "timerfd_settime", "timerfd_settime@@GLIBC_2.8", "getrandom", "poll")
SHOWN = 25           # functions in each table
LEAST = 0.002        # of a question's instructions: functions with less are not kept


def costs(text):
    """Functions of one callgrind file (without compression): {name: [self, inclusive, calls]}."""
    found, current, callee = {}, None, None

    def of(name):
        return found.setdefault(name, [0, 0, 0])
    place = "?"
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "ob":
            place = os.path.basename(value)
        elif key == "fn":
            current = f"{value} [{place}]"
        elif key == "cob":
            other = os.path.basename(value)
        elif key == "cfn":
            callee = value
        elif key == "calls":
            where = other if other else place
            callee = f"{callee} [{where}]"
            of(callee)[2] += int(value.split()[0])
        elif line[:1].isdigit() and current:
            cost = int(line.split()[1])
            if callee:
                if callee != current:
                    of(current)[1] += cost
            else:
                of(current)[0] += cost
                of(current)[1] += cost
            callee, other = (None, None)
        if key in ("fn", "ob"):
            callee, other = None, None
    return found


def run(bench, kind, questions):
    """One life of the daemon under callgrind with so many questions; the functions of its largest process."""
    _, command, names, window = KINDS[kind]
    for old in glob.glob(os.path.join(bench.dir, "callgrind.*")):
        os.unlink(old)
    valgrind = ["valgrind", "--tool=callgrind", "--trace-children=yes", "--compress-strings=no", "--compress-pos=no",
                f"--callgrind-out-file={bench.dir}/callgrind.%p"]
    process = bench.start(valgrind + command(bench), "callgrind", bench.core, {"LD_PRELOAD": bench.ours("tests/bench/unfiltered.so")})
    try:
        bench.wait_for(lambda: bench.answered(2), process, "callgrind", 120)
        done = bench.load("--window", str(window), *names(), "--count", str(questions), sockets=1 if window == 1 else None)
        if done["answered"] < questions:
            raise Missing(f"callgrind: {done['answered']} of {questions} questions were answered")
    finally:
        bench.end(process)
    files = glob.glob(os.path.join(bench.dir, "callgrind.*"))
    if not files:
        raise Missing("callgrind wrote nothing")
    largest = max(files, key=total)
    with open(largest, encoding="utf-8", errors="replace") as f:
        return costs(f.read())


def total(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        found = re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M)
    return int(found.group(1)) if found else 0


def difference(less, more, questions):
    """A question's part, of what grew between the two runs."""
    rows = {}
    for name, (own, inclusive, calls) in more.items():
        before = less.get(name, (0, 0, 0))
        row = [(own - before[0]) / questions, (inclusive - before[1]) / questions, (calls - before[2]) / questions]
        if row[0] > 0.5 or row[1] > 0.5 or row[2] > 0.001:
            rows[name] = [round(v, 3) for v in row]
    return rows


def measure(bench):
    bench.upstream()
    n, kinds = bench.options.questions, {}
    for kind in bench.options.only or KINDS:
        one = max(n // 5, 1) if KINDS[kind][3] == 1 else n
        rows = difference(run(bench, kind, one), run(bench, kind, 2 * one), one)
        calls = {}
        for name, row in rows.items():
            bare = name.split(" [")[0]
            if bare in SYSTEM_CALLS and "libc" in name:
                calls[bare] = round(calls.get(bare, 0) + row[2], 3)
        whole = sum(row[0] for row in rows.values())
        places = {}
        for name, row in rows.items():
            places[split(name)[1]] = round(places.get(split(name)[1], 0) + row[0], 1)
        kinds[kind] = {"instructions": round(whole, 1), "system_calls": calls, "places": places,
                       "functions": {name: row for name, row in sorted(rows.items(), key=lambda r: -r[1][1]) if max(row[0], row[1]) >= LEAST * whole}}
    return {"questions": n, "kinds": kinds}


# ---- the document

HEAD = """# Where the instructions of a question go

`tests/bench/profile` made the tables from `profile.json`. callgrind counted the instructions of a build with -O2, as `configure` makes it.
Each kind of question was measured twice, with {questions:,} questions and with twice as many. The tables show the difference, which excludes
the start and the handshake. Only instructions of the process are counted, not those of the kernel.

At full speed 200 questions are outstanding, so one system call carries several of them; "one at a time" is the load that one person causes.
Self counts the instructions of the function itself, inclusive also those of the functions that it calls. The name in brackets is the library
or program.
"""


def split(name):
    function, _, place = name.rpartition(" [")
    return function, place.rstrip("]").split(".so")[0]


def function_table(kind, column):
    rows = sorted(kind["functions"].items(), key=lambda r: -r[1][column])[:SHOWN]
    lines = ["| function | instructions | share | calls |", "|---|---|---|---|"]
    for name, row in rows:
        function, place = split(name)
        lines.append(f"| `{function}` [{place}] | {row[column]:.0f} | {100 * row[column] / kind['instructions']:.1f} % | {row[2]:.2f} |")
    return "\n".join(lines) + "\n"


def document(raw, tried):
    kinds = raw["kinds"]
    parts = [HEAD.format(questions=raw["questions"])]
    lines = ["| | instructions | where | system calls |", "|---|---|---|---|"]
    for name, kind in kinds.items():
        where = ", ".join(f"{place} {100 * own / kind['instructions']:.0f} %" for place, own in sorted(kind["places"].items(), key=lambda p: -p[1])[:4])
        calls = ", ".join(f"{call} {n:.2f}" for call, n in sorted(kind["system_calls"].items(), key=lambda c: -c[1]) if n >= 0.005)
        lines.append(f"| {KINDS[name][0]} | {kind['instructions']:.0f} | {where} | {calls} |")
    parts += ["\n".join(lines) + "\n", tried]
    for name, kind in kinds.items():
        if not name.endswith("-alone"):
            parts += [f"## {KINDS[name][0]}\n", "By self:\n", function_table(kind, 0), "Inclusive:\n", function_table(kind, 1)]
    return "\n".join(parts)
