"""The bench's results are what its tool makes of the raw numbers beside them, and its programs build."""
import copy
import json
import os
import re
import socket
import threading
import xml.dom.minidom

from bench import instructions, report
from harness.case import at_most, case, check, equal, rows

PROMISED = ("to a bare UDP echo", "uncached answer over DoT", "uncached answer over DoH", "p50 over DoT at 1,000", "p99 over DoT at 10,000",
            "p50 over DoH at 10,000", "p99 over DoH at 1,000", "resident memory")


def folder(t):
    return os.path.join(t.src, "tests", "bench")


@case("RESULTS.md and its plots are what the bench makes of the JSON beside them", builds=("gcc",))
def made(t):
    raw, others = report.read(folder(t))
    check(raw, f"{report.OWN} is missing")
    for name, content in report.produce(raw, others).items():
        with open(os.path.join(folder(t), name), encoding="utf-8") as f:
            check(f.read() == content, f"{name} is not what `tests/bench/run --report tests/bench` makes")


@case("a number that was changed by hand is seen", builds=("gcc",))
def control(t):
    raw, others = report.read(folder(t))
    changed = copy.deepcopy(raw)
    for r in changed["side"]["rounds"]:
        r["ctstub-dot"]["uncached"]["cpu_us"] += 1
    before, after = report.produce(raw, others), report.produce(changed, others)
    equal(sorted(n for n in before if before[n] != after[n]), ["RESULTS.md", "cpu.svg"], "what one number is in")


@case("the cached rate is compared with the echo by both loads", builds=("gcc",))
def loads_compared(_t):
    slow = dict(candidate(), dnsperf={"rate": 9}, cached=load(rate=9.6))
    have = report.side_targets(report.Side({"rounds": [{"echo": candidate(), "ctstub-dot": slow}]}))
    equal([met for what, _, met in have if "to a bare UDP echo" in what], [False, True], "dnsperf, load.c")


@case("RESULTS.md says what the TLS relay needs of the best peer's processor time, and ctstub of the relay's", builds=("gcc",))
def relay_compared(_t):
    rounds = [{"relay": {"uncached": load(cpu_us=6)}, "ctstub-dot": candidate(9), "unbound-dot": candidate(24), "dnsdist-dot": candidate(12, failed=5)}]
    text = report.relay_text(report.Side({"rounds": rounds}))
    check("needs 0.25 of" in text and "(unbound)" in text and "needs 1.50 times" in text, text)
    equal(report.relay_text(report.Side({"rounds": [{n: row for n, row in rounds[0].items() if n != "relay"}]})), "", "without a relay")


@case("every target of the comparison has a line in RESULTS.md, measured", builds=("gcc",))
def targets(t):
    raw, others = report.read(folder(t))
    have = report.targets(raw, others)
    for words in PROMISED:
        lines = [(what, measured) for what, measured, _ in have if words in what]
        check(lines and all(measured != "-" for _, measured in lines), f"no line with a number for \"{words}\": {lines}")
    text = report.document(raw, others)
    for what, _, _ in have:
        check(f"| {what} |" in text, f"not in RESULTS.md: {what}")


@case("the plots are well-formed and show every candidate that was measured", builds=("gcc",))
def plots(t):
    raw, _ = report.read(folder(t))
    shown = {name: xml.dom.minidom.parseString(svg).documentElement.toxml() for name, svg in report.plots(raw).items()}
    equal(sorted(shown), ["cpu.svg", "latency.svg", "memory.svg"], "plots")
    for svg in shown.values():
        check("ctstub, DoT" in svg and "NaN" not in svg and "inf" not in svg, "a plot without ctstub, or with what is no number")
        missing = [n for n in report.Side(raw["side"]).peers() if report.CANDIDATES[n].title not in svg]
        check(not missing, f"not shown: {missing}")


def load(answered=100, failed=0, **more):
    return {"sent": answered + failed, "answered": answered, "failed": failed, "lost": 0, "rate": 10, "p50": 5, "p99": 9, "cpu_us": 10} | more


def candidate(cpu=10.0, failed=0, own=1.0, files=1.0, p99=9.0, late=0):
    rates = {"1000": load(p99=p99), "10000": load(p99=p99, failed=late)}
    return {"cached": load(), "dnsperf": {"rate": 10}, "uncached": load(cpu_us=cpu, failed=failed), "cached_rates": rates,
            "uncached_rates": rates, "own_mib": own, "files_mib": files}


def judged(words, **rows_of):
    """The verdict of the first target with those words, from rounds in which each candidate has one row."""
    names = {"ours": "ctstub-dot", "doh": "ctstub-doh"}
    side = report.Side({"rounds": [{names.get(n, n.replace("_", "-")): row for n, row in rows_of.items()}] * 3})
    return next((met for what, _, met in report.side_targets(side) if words in what))


CPU = "processor time of an uncached answer over DoT"


@rows([
    ("a quarter of the best peer's processor time is enough", CPU, dict(ours=candidate(10), unbound_dot=candidate(40)), True),
    ("more than a quarter of the best peer's processor time is too much", CPU, dict(ours=candidate(10.1), unbound_dot=candidate(40)), False),
    ("a cheaper peer that fails some questions does not count", CPU,
     dict(ours=candidate(10), unbound_dot=candidate(40), smartdns_dot=candidate(20, failed=5)), True),
    ("a cheaper peer that fails at a steady rate does not count", CPU,
     dict(ours=candidate(10), unbound_dot=candidate(40), smartdns_dot=candidate(20, late=5)), True),
    ("a cheaper peer that answers everything counts", CPU, dict(ours=candidate(10), unbound_dot=candidate(40), smartdns_dot=candidate(20)), False),
    ("a peer of the other protocol is not compared", CPU, dict(ours=candidate(10), unbound_dot=candidate(40), dnss_doh=candidate(1)), True),
    ("when no peer answers everything nothing is judged", CPU, dict(ours=candidate(10), unbound_dot=candidate(40, failed=5)), None),
    ("without a peer nothing is judged", CPU, dict(ours=candidate(10)), None),
    ("an equal percentile meets the target", "p99 over DoT at 10,000", dict(ours=candidate(p99=9), unbound_dot=candidate(p99=9)), True),
    ("a higher percentile misses the target", "p99 over DoT at 10,000", dict(ours=candidate(p99=9.1), unbound_dot=candidate(p99=9)), False),
    ("memory counts the pages of files", "resident memory", dict(ours=candidate(own=1, files=9), unbound_dot=candidate(own=4, files=5)), False),
    ("equal memory misses the target", "not backed by files", dict(ours=candidate(own=4), unbound_dot=candidate(own=4)), False),
    ("less memory meets the target", "not backed by files", dict(ours=candidate(own=3), unbound_dot=candidate(own=4)), True),
], builds=("gcc",))
def judgement(_t, words, rows_of, met):
    equal(judged(words, **rows_of), met, words)


@case("the programs of the bench build", builds=("gcc",), timeout=600)
def programs(t):
    code, out, err = t.run("make", "-s", "-C", t.build, "bench-programs", timeout=500)
    check(code == 0, (out + err)[-1000:])


@case("the load counts answers, failures and losses, and rejects options that contradict each other", builds=("gcc",))
def loads(t):
    t.run("make", "-s", "-C", t.build, "bench-programs", timeout=500)
    program = os.path.join(t.build, "tests", "bench", "load")
    for options in (["--window", "8"], ["--window", "8", "--rate", "1", "--names", "1"], ["--window", "8", "--names", "1", "--fresh", "1"],
                    ["--window", "1", "--names", "1"]):
        code, _, err = t.run(program, "--port", "9", "--seconds", "1", *options)
        check(code == 2 and err.startswith("load "), f"{options}: {code} {err}")
    server = Server()
    code, out, err = t.run(program, "--port", str(server.port), "--seconds", "20", "--window", "8", "--names", "7", "--count", "30")
    server.close()
    have = {k: int(v) for k, v in re.findall(r'"(sent|answered|failed|lost)": (\d+)', out)}
    at_most(have.get("lost", 0), 10, "questions lost, or answered after two seconds")
    equal(have, {"sent": 30, "answered": 10, "failed": 10, "lost": 10}, f"30 questions: {out}{err}")
    equal(len(server.names), 7, "names that were asked")


class Server:
    """Answers one question of three, fails the next, and leaves out the third."""

    def __init__(self):
        self.names, self.n = set(), 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.socket.settimeout(0.2)
        self.open = True
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while self.open:
            try:
                question, there = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            self.names.add(question[12:-4])
            self.n += 1
            if self.n % 3:
                code, count = (0, 1) if self.n % 3 == 1 else (2, 0)
                self.socket.sendto(question[:2] + bytes([0x81, 0x80 | code]) + question[4:6] + bytes([0, count]) + question[8:], there)

    def close(self):
        self.open = False
        self.thread.join()
        self.socket.close()


@case("PROFILE.md is what the bench makes of its JSON and of the part that people write", builds=("gcc",))
def profile(t):
    with open(os.path.join(folder(t), "profile.json"), encoding="utf-8") as f:
        raw = json.load(f)
    with open(os.path.join(folder(t), instructions.TRIED), encoding="utf-8") as f:
        tried = f.read()
    with open(os.path.join(folder(t), "PROFILE.md"), encoding="utf-8") as f:
        check(f.read() == instructions.document(raw, tried), "PROFILE.md is not what `tests/bench/profile --report` makes")
    equal(sorted(raw["kinds"]), sorted(instructions.KINDS), "kinds of questions")
    for name, kind in raw["kinds"].items():
        own = sum(row[0] for row in kind["functions"].values())
        check(0.5 * kind["instructions"] < own <= kind["instructions"], f"{name}: the functions have {own} of {kind['instructions']} instructions")
        check(abs(sum(kind["places"].values()) - kind["instructions"]) < 10, f"{name}: the places have {kind['places']}")


CALLGRIND = """events: Ir
ob=/usr/bin/daemon
fl=a.c
fn=outer
1 10
cob=/lib/libx.so.3.1
cfi=b.c
cfn=inner
calls=2 5
3 50
4 5
cfn=outer
calls=1 1
9 7
ob=/lib/libx.so.3.1
fn=inner
5 50
"""


@case("callgrind's file is read: self, inclusive and calls, across libraries, without counting recursion twice", builds=("gcc",))
def callgrind(_t):
    have = instructions.costs(CALLGRIND)
    equal(have, {"outer [daemon]": [15, 65, 1], "inner [libx.so.3.1]": [50, 50, 2]}, "costs")
    equal(instructions.difference(have, {"outer [daemon]": [115, 265, 1], "inner [libx.so.3.1]": [50, 50, 102]}, 100),
          {"outer [daemon]": [1.0, 2.0, 0.0], "inner [libx.so.3.1]": [0.0, 0.0, 1.0]}, "a question's part")
