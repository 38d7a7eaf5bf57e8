"""Nothing that the programs can say goes untested: every reason, SCT status, event of the log and metric was seen in a run.

  python3 -m harness.produced --top DIR --seen DIR     (what harness.seen kept of a whole run)
"""
import argparse
import os
import re
import sys

from harness import events, seen
from harness.build import tree_files

# "KIND NAME": why no functional test produces it, and which test does instead. A row that a run produces after all fails.
ELSEWHERE = {}


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
        missing, stale = sorted(names - have - excused), sorted(excused & have | excused - names)
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
