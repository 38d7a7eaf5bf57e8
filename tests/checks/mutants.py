"""tests/mutants is long, so it is not run each time: here its faults are only looked for in the sources."""
import os
import sys

from harness.case import case, check


@case("each fault of tests/mutants has its line in verify/, exactly once")
def lines(t):
    sys.path[:0] = [os.path.join(t.top, "tests", "mutants")]
    from table import MUTANTS, places
    gone = []
    for name, file, line, instead, _ in MUTANTS:
        with open(os.path.join(t.top, "verify", file), encoding="utf-8") as f:
            n = len(places(line, f.read()))
        if n != 1 or line == instead:
            gone.append(f"{name}: {n} times in {file}")
    check(len(MUTANTS) >= 30, f"{len(MUTANTS)} faults")
    check(not gone, "; ".join(gone))
