"""Checks that every reason, SCT status, event of the log and metric was seen in a run.

  python3 -m harness.produced --top DIR --seen DIR     (what harness.seen kept of a whole run)
"""
import argparse
import os
import re
import sys

from harness import events, seen
from harness.build import tree_files

# "KIND NAME": which unit test produces it, or why no test does. A row for a name that the sources do not have fails.
ELSEWHERE = {
    "event unreadable": "tests/unit/watch/test_findings.c: an entry that cannot be read is a finding",
    "event withdrawn": "tests/unit/watch/test_findings.c: what becomes known is withdrawn",
    "event unblocked": "tests/unit/watch/test_findings_act.c: what becomes known is unblocked",
    "event not-blocked": "tests/unit/watch/test_findings_act.c and test_issued.c: what is not proven is not blocked",
    "event too-many-findings": "tests/unit/watch/test_findings.c: more findings than there are places",
    "event record-full": "tests/unit/watch/test_findings.c: a log that floods the record",
    "event no-evidence": "tests/unit/watch/test_findings.c: evidence that a log does not give",
    "event evidence-written-again": "no test: the refusals of an upstream are recorded an hour apart",
    "event not-unblocked": "no test: the block list would have to become unwritable between two findings",
    "event finding-not-recorded": "no test: the disk would have to become full between an entry and its finding",
    "event state-not-written": "no test: the disk would have to become full between two writes",
    "event no-memory": "no test: the event loop of the watcher without memory",
    "event portal-answer-lost": "no test: the daemon would have to close the portal's connection while an answer is on its way",
}


def read(top, name):
    with open(os.path.join(top, name), encoding="utf-8") as f:
        return f.read()


def tables(top):
    """{kind: names} of the tables in the sources."""
    logged = set()
    for name in tree_files(top):
        if name.endswith(".c") and not name.startswith(events.OTHERS):
            logged |= events.events_in(read(top, name))
    return {
        "reason": set(re.findall(r'^REASON\(\w+, "([a-z-]+)"', read(top, "verify/reasons.def"), re.M)),
        "status": set(re.findall(r'^SCT_STATUS\(\w+, "([a-z-]+)"', read(top, "verify/ct/sct_status.def"), re.M)),
        "event": logged & {e for e, _, _ in events.table(read(top, events.TABLE))},  # a row outlives its event
        "metric": {f"ctstub_{n}_total" for n in re.findall(r'^COUNTER\(\w+, "(\w+)"', read(top, "resolver/counters.def"), re.M)},
    }


def compare(wanted, found, elsewhere=None):
    """(name of the test, None or what is missing) for each kind."""
    elsewhere = ELSEWHERE if elsewhere is None else elsewhere
    wanted = dict(wanted, metric=wanted["metric"] | found.get("declared", set()))
    for kind, names in wanted.items():
        have = found.get(kind, set())
        excused = {n.partition(" ")[2] for n in elsewhere if n.startswith(kind + " ")}
        missing, stale = sorted(names - have - excused), sorted(excused - names)
        why = [f"no test produces: {' '.join(missing)}"] if missing else []
        why += [f"strike out of harness.produced.ELSEWHERE: {' '.join(stale)}"] if stale else []
        if not names:
            why = ["the table in the sources could not be read"]
        yield f"produced/every {kind}", "; ".join(why) or None


def main(argv):
    arguments = argparse.ArgumentParser(prog="harness.produced")
    arguments.add_argument("--top", required=True)
    arguments.add_argument("--seen", required=True)
    options = arguments.parse_args(argv)
    bad = 0
    for name, why in compare(tables(options.top), seen.gather(options.seen)):
        print(f"not ok {name}: {why}" if why else f"ok {name}")
        bad |= why is not None
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
