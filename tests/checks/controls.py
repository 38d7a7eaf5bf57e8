"""Negative controls that need no daemon, and the list of promises itself."""
import fnmatch
import os
import shutil
import subprocess

from harness import promises
from harness.case import Skip, case, check, equal

PLANTED = """
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	volatile uint8_t *copy = malloc(4);

	if (n > 2 && data[0] == 'c' && data[1] == 't' && data[2] == 's')
		copy[n + 2] = data[0];
	free((void *)copy);
	return 0;
}
"""


@case("A9 libFuzzer finds a planted overflow behind three bytes within its runs", builds=("gcc",))
def planted(t):
    if not shutil.which("clang"):
        raise Skip("clang is not on this machine")
    program = t.path("planted")
    subprocess.run(["clang", "-g", "-O1", "-fsanitize=fuzzer,address", "-o", program, t.write("planted.c", PLANTED)], check=True)
    done = subprocess.run([program, "-seed=1", "-runs=2000000", f"-artifact_prefix={t.dir}/"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=t.dir, check=False)
    check(b"heap-buffer-overflow" in done.stdout, done.stdout.decode(errors="replace")[-500:])
    t.promised("heap-buffer-overflow reported")


def published(t):
    with open(os.path.join(t.src, "tests", "PROMISES.md"), encoding="utf-8") as f:
        return f.read()


@case("every promise has tests and a control, and each of them exists", builds=("gcc",))
def complete(t):
    equal([one.name.split()[0] for one in promises.TABLE], [f"A{i}" for i in range(1, 18)], "promises")
    names = promises.cases(t.src)
    with open(os.path.join(t.src, "tests", "run"), encoding="utf-8") as f:
        options = f.read()
    missing = []
    soaks = os.path.exists(os.path.join(t.src, "tests", "soak"))
    for one in promises.TABLE:
        check(one.tests and one.controls and one.broken, f"{one.name} has no test or no control")
        for pattern in one.tests + one.controls:
            if not soaks and "soak" in pattern:
                continue
            program, _, option = pattern.partition(":")[0].replace("soak --hours", "tests/soak").partition(" ")
            if promises.is_command(pattern):
                if not os.access(os.path.join(t.src, program), os.X_OK) or option and option not in options:
                    missing.append(pattern)
            elif not any(fnmatch.fnmatchcase(n, pattern) for n in names):
                missing.append(pattern)
    check(not missing, f"there is no such test: {missing}")


@case("tests/PROMISES.md is what tests/promises makes, but for figures and dates", builds=("gcc",))
def made(t):
    want, have = promises.blank(promises.render(promises.cases(t.src), {})), promises.blank(published(t))
    for line, (a, b) in enumerate(zip(want.splitlines() + [None], have.splitlines() + [None]), 1):
        check(a == b, f"tests/PROMISES.md:{line}: {b!r}, and tests/promises makes {a!r}: run it")
    equal(len(have), len(want), "length")


@case("a row that was edited by hand, and a figure, are told apart", builds=("gcc",))
def told_apart(t):
    row = "| `failover/A2 *` | all 5 passed | 2026-11-28 |"
    equal(promises.blank(row), "| `failover/A2 *` |", "a row")
    check(promises.blank(row.replace("A2", "A3")) != promises.blank(row), "another test is not noticed")
    equal(promises.blank("No client sees a failure."), "No client sees a failure.", "a sentence")


@case("the newest record of a test is published, and a test without one is not measured", builds=("gcc",))
def newest(t):
    path = t.write("records", "")
    equal(promises.row("a/b *", ["a/b one", "a/b two"], promises.read_records([path])), ("`a/b *`", promises.UNMEASURED, "-"), "without")
    promises.record("a/b one", "gcc", "7 of 7", path)
    promises.record("a/b one", "san", None, path)
    promises.record("other", "gcc", "9 of 9", path)
    what, figure, date = promises.row("a/b *", ["a/b one", "a/b two"], promises.read_records([path]))
    equal((what, figure), ("`a/b *`", "1 passed, 1 not run; 7 of 7"), "with one")
    check(len(date) == 10, date)


@case("a promise that nobody measured again keeps its figure and its date", builds=("gcc",))
def kept(t):
    before = promises.figures("## A9\n\n| `a/b *` | 7 of 7; 2 | 2026-11-28 |\n| `c *` | not measured | - |\n| test | figure | date |\n")
    equal(before, {"`a/b *`": ("7 of 7; 2", "2026-11-28"), "`c *`": (promises.UNMEASURED, "-")}, "rows")
    equal(promises.row("a/b *", ["a/b one"], {}, before), ("`a/b *`", "7 of 7; 2", "2026-11-28"), "kept")
    equal(promises.row("d *", ["d one"], {}, before), ("`d *`", promises.UNMEASURED, "-"), "new")
    path = t.write("records", "")
    promises.record("a/b one", "gcc", "8 of 8", path)
    equal(promises.row("a/b *", ["a/b one"], promises.read_records([path]), before)[1], "8 of 8", "measured again")


@case("the sums of all runs of the fuzz targets are published", builds=("gcc",))
def fuzz_sums(t):
    runs = {"one": {"lines": [1, 2], "libFuzzer": {"cpu_s": 7200, "executions": 5000, "findings": 1, "last": "2026-11-28T10:00:00Z"},
                    "AFL++": {"cpu_s": 1800, "executions": 10, "findings": 0, "last": "2026-11-29T10:00:00Z"}},
            "two": {"libFuzzer": {"cpu_s": 5400, "executions": 1, "findings": 0, "last": "2026-11-27T10:00:00Z"}}, "none": {"lines": [0, 9]}}
    record, = promises.fuzz_records(runs)
    equal((record["figure"], record["date"]), ("2 targets for at least 1.50 hours of a processor each, 4.0 in all: 5,011 inputs, findings: 1", "2026-11-29"), "sums")
    check(any(promises.wanted(record["test"]) for record in promises.fuzz_records(runs)), "no promise has it")
    equal(list(promises.fuzz_records({})), [], "without a run")
