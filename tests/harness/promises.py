"""The promises A1 to A17, the tests that verify them, and for each the control that shows that its test can fail.

A test records a figure with `t.promised("0 failures of 10,000")`; harness.case writes it, and that a test passed, to the file
that CTSTUB_PROMISES names, a JSON line each. `tests/promises` makes tests/PROMISES.md from the newest lines and TABLE.
"""
import fnmatch
import functools
import json
import os
import re
import subprocess
import sys
import time

UNMEASURED = "not measured"


class Promise:
    """tests and controls: patterns of names as tests/run shows them without the build ("failover/A2 *"), or commands whose
    results tests/run or tests/promises records under that name ("tests/run --coverage: verify")."""

    def __init__(self, name, says, how, tests, broken, controls):
        self.name, self.says, self.how, self.tests, self.broken, self.controls = name, says, how, tests, broken, controls


TABLE = [
    Promise("A1 Hours of upstreams that come and go, and no wrong answer",
            "With three upstreams that die, stop, lie and come back at random and one of them healthy, no answer is wrong, no question "
            "fails, and memory and descriptors stay flat.",
            "Each answer is a hash of its question, so an answer for another question, name or time is detected. The long form runs "
            "for hours.",
            ["soak/A1 * of soak with *", "soak --hours: gcc", "soak --hours: san", "soak --hours: tsan", "surroundings/P17 *"],
            "an upstream that sends another name's data, silence, a leak, lost descriptors", ["soak/A1 the soak finds *", "controls/A1 *"]),
    Promise("A2 A dying upstream is invisible",
            "No client sees a failure when an upstream is killed, goes silent or closes in the middle of a frame while another is alive.",
            "A load of questions over UDP while the first of two upstreams dies.", ["failover/A2 P01 P02 *"],
            "both upstreams die", ["controls/A2 *"]),
    Promise("A3 Back after sleep and roaming",
            "After a sleep, a new address, another route or a new link, the next question uses a fresh connection.",
            "A clock that jumps as after a sleep; addresses, routes and links that change in a network namespace.",
            ["faults/K02 *", "namespaces/P03 *"], "nothing changes: the connection must not be renewed",
            ["controls/A3 *", "clock/a clock event without a step changes nothing"]),
    Promise("A4 Thousands of clients at once",
            "Thousands of TCP clients stay connected and take little memory, while UDP is answered as before.",
            "2,000 connections from eight addresses, 10,000 with --long; memory of the process for each.", ["limits/R01 thousands *"],
            "fewer descriptors than clients: some must be disconnected", ["limits/R01 when descriptors run short *"]),
    Promise("A5 Bounded memory under attack",
            "No flood of clients, names or answers takes more memory than the limit of the unit allows, and other clients are served.",
            "Each kind of flood against the daemon in a control group with half of the unit's MemoryMax; the kernel's buffers count.",
            ["memory/A5 *", "memory/R16 *", "control/A5 *"], "a limit that is too small: the kernel ends the daemon", ["memory/P15 *"]),
    Promise("A6 Never a packet in clear text",
            "Whatever the upstreams and the network do, no name leaves in clear text, and no packet goes to the ports of clear DNS.",
            "The daemon alone in a network namespace; every frame that leaves it is searched for random tokens in the names asked.",
            ["namespaces/A6 never in clear text*", "leak/A6 *"], "a client that asks in clear text", ["namespaces/A6 the lab detects *", "leak/A6 *"]),
    Promise("A7 No byte of DNS before the verdict",
            "A server whose certificate is refused receives no byte of application data.",
            "Servers with each kind of bad certificate count what they receive after the handshake.",
            ["tls/T*", "namespaces/A6 never in clear text: refused*"], "a good server: it does receive application data", ["controls/A7 *"]),
    Promise("A8 No silent acceptance",
            "For combinations of chains, names, SCTs, log lists and times, each verdict and each reason is that of an independent model.",
            "2,200 forged certificates judged by the tool and by a model in Python; 20,000 with --long.", ["oracle/A8 *"],
            "one-line faults in verify/, each of which the oracle must catch", ["tests/run --mutants"]),
    Promise("A9 Fuzzed",
            "No input makes a reader crash, hang or break an invariant.",
            "Stored inputs run as ordinary tests, with prefixes and damaged elements; libFuzzer and AFL++ under the sanitizers.",
            ["tests/run --fuzz: all runs in tests/fuzz/runs.json"], "a target with a planted overflow", ["check/controls/A9 *"]),
    Promise("A10 Covered",
            "Tests reach 95 % of the lines and 90 % of the branches of the judge, of the code for DNS messages and of the framing, and 88 % "
            "of all lines of the product; a test produces every reason, SCT status, event and metric.",
            "Clang's counters over unit tests, stored inputs and functional tests.",
            ["tests/run --coverage: verify", "tests/run --coverage: dns bytes", "tests/run --coverage: frames", "tests/run --coverage: all",
             "tests/run: every reason", "tests/run: every status", "tests/run: every event", "tests/run: every metric"],
            "counts below the threshold, a line without a reason, a name that no test produced", ["check/measured/*"]),
    Promise("A11 Any single failure",
            "When any one allocation or system call fails, nothing crashes, no answer is wrong, and the next question is answered.",
            "A preloaded library lets each call in turn fail, return short or be interrupted.", ["faults/A11 *"],
            "a program that ignores what malloc returns", ["controls/A11 *"]),
    Promise("A12 Any clock",
            "Whether the clock starts in 1970, is set ten years ahead or back, passes 2038 or is set during a handshake, there is one clear "
            "verdict, and service once the clock is right.",
            "A preloaded library plays the wall clock and the boot clock.", ["faults/K0*", "clock_steps/K0*", "clock/K03 *"],
            "a clock event without a step: nothing may be judged anew", ["clock/a clock event without a step changes nothing"]),
    Promise("A13 Restart without loss",
            "Clients that ask twice see no failure when the daemon is killed every five seconds under 500 questions a second.",
            "The unit in a booted Debian, socket-activated; kill -9 of the main process.", ["endurance/A13 *", "limits/P09 A13 *"],
            "nobody listens: the same load reports failures", ["controls/A13 *"]),
    Promise("A14 The same answers as everybody",
            "A question through ctstubd gets the same answer as from the server itself, and as through unbound and dnsdist.",
            "Mixed names and types, compared without TTL, id and EDNS: 20,000, and 50,000 with --long.", ["interop/A14 *"],
            "one record that differs", ["controls/A14 *"]),
    Promise("A15 Quiet when idle",
            "While there are no questions, the service wakes up at most once in ten seconds and sends no packet.",
            "Wake-ups of all its threads and packets of the booted unit, for 30 seconds, 10 minutes with --long.", ["endurance/A15 *"],
            "a question each second: wake-ups and packets are counted", ["endurance/A15 *"]),
    Promise("A16 The sandbox holds",
            "The filter on system calls allows what the daemon needs and nothing else, and the other parts of the sandbox hold.",
            "All functional tests run with a filter that kills.", ["faults/P13 installed*", "check/packaging/systemd-analyze rates *", "tests/run: whole"],
            "a call that no code of ours makes: it ends the daemon", ["faults/P13 every test*"]),
    Promise("A17 No herd",
            "An upstream that comes back while many questions wait gets one handshake, and half of each back-off is random.",
            "Waiting questions at a server that starts to accept; the back-offs of a thousand daemons.",
            ["limits/R12 *", "failover/R12 *", "unit/resolver/test_health"], "two daemons make two handshakes, which the server counts",
            ["controls/A17 *"]),
]


def is_command(pattern):
    return pattern.startswith(("tests/", "soak --"))


def wanted(name):
    """True when a promise depends on the test of this name (without its build)."""
    return any(fnmatch.fnmatchcase(name, p) for one in TABLE for p in one.tests + one.controls)


def record(name, label, figure=None, path=None):
    """One more line. A figure of None: it passed."""
    path = path or os.environ.get("CTSTUB_PROMISES")
    if not path:
        return
    line = json.dumps({"test": name, "build": label, "date": time.strftime("%Y-%m-%d", time.gmtime()), "figure": figure})
    with open(path, "a", encoding="utf-8") as f:
        f.write(line + "\n")


def read_records(paths):
    """{name: newest line}; a line with a figure is newer than one without."""
    newest = {}
    for path in paths:
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as f:
            for line in f:
                one = json.loads(line)
                old = newest.get(one["test"])
                if old is None or (one["date"], one["figure"] is not None) >= (old["date"], old["figure"] is not None):
                    newest[one["test"]] = one
    return newest


@functools.lru_cache
def cases(top):
    """Names of all tests: functional, checks, and the programs of unit tests."""
    env = dict(os.environ, PYTHONPATH=os.path.join(top, "tests"))
    done = subprocess.run([sys.executable, "-B", "-m", "harness.promises_make", "--top", top, "--names"], env=env,
                          stdout=subprocess.PIPE, check=True, text=True)
    names = done.stdout.splitlines()
    with open(os.path.join(top, "tests", "unit", "local.mk"), encoding="utf-8") as f:
        names += re.findall(r"^\ttests/(unit/\S+?)(?: \\)?$", f.read(), re.M)
    return names


def row(pattern, names, records, before=None):
    """(what, figure, date) of one pattern. What nobody measured again keeps its figure and date of before: {what: (figure, date)}."""
    mine = [pattern] if is_command(pattern) else [n for n in names if fnmatch.fnmatchcase(n, pattern)]
    have = [records[n] for n in mine if n in records]
    what = f"`{pattern}`"  # without their number, so that a new test does not change the file
    if not have:
        return what, *(before or {}).get(what, (UNMEASURED, "-"))
    figures = list(dict.fromkeys(r["figure"] for r in have if r["figure"]))
    left = len(mine) - len(have)
    passed = "passed" if len(mine) == 1 else f"{len(have)} passed, {left} not run" if left else f"all {len(mine)} passed"
    return what, "; ".join(figures[:3] if len(mine) == 1 else [passed, *figures[:3]]) or passed, max(r["date"] for r in have)


def render(names, records, before=None):
    """The text of tests/PROMISES.md."""
    text = ["# What ctstub promises, and the tests that verify it", "",
            "`tests/promises` makes this file from the figures that tests record; do not edit it. Tests are named as for `tests/run NAME`. "
            "A negative control is the same measurement with the promise broken on purpose, which it must detect.", ""]
    for one in TABLE:
        text += [f"## {one.name}", "", one.says, "", f"How: {one.how}", "", "| test | figure | date |", "|---|---|---|"]
        text += ["| " + " | ".join(row(p, names, records, before)) + " |" for p in one.tests]
        text += ["", f"Negative control: {one.broken}.", "", "| control | caught | date |", "|---|---|---|"]
        text += ["| " + " | ".join(row(p, names, records, before)) + " |" for p in one.controls]
        text += [""]
    return "\n".join(text).rstrip() + "\n"


def figures(text):
    """The rows of tests/PROMISES.md: {what: (figure, date)}."""
    return {what: (figure, date) for what, figure, date in re.findall(r"^\| (`.*?`) \| (.*) \| (\S+) \|$", text, re.M)}


def blank(text):
    """The text without figures and dates, which must not change when the file is made again."""
    return re.sub(r"^(\| `.*?` \|).*$", r"\1", text, flags=re.M)


def fuzz_records(runs):
    """The sums of all runs (harness.fuzz) as a line; targets that have not run are none of it."""
    engines = [[e for name, e in target.items() if name != "lines"] for target in runs.values()]
    engines = [e for e in engines if e]
    if engines:
        hours = [sum(e["cpu_s"] for e in target) / 3600 for target in engines]
        flat = [e for target in engines for e in target]
        yield {"test": "tests/run --fuzz: all runs in tests/fuzz/runs.json", "build": "fuzz", "date": max(e["last"] for e in flat)[:10], "figure":
               f"{len(engines)} targets for at least {min(hours):.2f} hours of a processor each, {sum(hours):.1f} in all: "
               f"{sum(e['executions'] for e in flat):,} inputs, findings: {sum(e['findings'] for e in flat)}"}


def soak_records(path):
    """A report of tests/soak as lines: one a build."""
    with open(path, encoding="utf-8") as f:
        report = json.load(f)
    if report.get("control") or not report.get("complete"):
        return
    def total(key):
        return sum(phase[key] for phase in report["phases"])
    worst = max(phase["faults"]["p99_ms"] for phase in report["phases"])
    yield {"test": f"soak --hours: {report['build']}", "build": report["build"], "date": report["date"][:10], "figure":
           f"{report['minutes']:.0f} minutes: {total('wrong')} wrong and {total('failed')} failed of {total('asked'):,} questions, "
           f"p99 {worst:.0f} ms under faults, workers {', '.join(str(p['workers']) for p in report['phases'])}"}
