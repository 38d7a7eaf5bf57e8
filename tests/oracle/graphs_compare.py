"""Runs `ctstub verify` over random graphs of CAs and compares with the model.

  graphs_compare.py --ctstub PROGRAM [--count N] [--first SEED] [--jobs N] [--keep DIR]

Prints the seed of each graph that is judged otherwise; exit code 0 when none is. A graph that takes more signature checks
or has more paths than ctstub tries may be refused where the model accepts, never accepted where it refuses.
"""
import argparse
import concurrent.futures
import os
import shutil
import sys
import tempfile

from oracle.compare import judge
from oracle.graphs import graph_of
from oracle.graphs_forge import GraphForge
from oracle.graphs_model import Model

WISHES = {"pin-mismatch", "issuer-not-allowed", "anchor-distrusted"}


def difference(said, want):
    """What is wrong with the answer; None when nothing is."""
    if "error" in said:
        return said["error"]
    accepted = said["outcome"] == "accepted"
    if accepted and not want["accepted"]:
        return "accepted falsely"
    if want["beyond"]:
        return None
    if want["accepted"] and not accepted:
        return "refused falsely"
    if want["good"] and not accepted and said["reasons"] != ["disallowed"]:
        return "refused for another reason than the entry"
    if want["unwanted"] and sorted(WISHES & set(said["reasons"])) not in want["unwanted"]:
        return "the reasons are those of no path"
    return None


class Tally:
    def __init__(self):
        self.total = self.wrong = self.accepted = self.disallowed = self.unwanted = self.beyond = self.many = 0

    def add(self, want, wrong):
        self.total += 1
        self.wrong += wrong is not None
        self.accepted += want["accepted"]
        self.disallowed += bool(want["good"]) and want["disallowed"]
        self.unwanted += bool(want["unwanted"])
        self.beyond += want["beyond"]
        self.many += want["good"] > 1

    def text(self):
        return (f"{self.total} graphs, {self.wrong} differ ({self.accepted} accepted, {self.disallowed} disallowed, {self.unwanted} unwanted, "
                f"{self.many} with several good paths, {self.beyond} beyond the limits)")


def one(program, forge, seed, base):
    folder = os.path.join(base, str(seed))
    graph = graph_of(seed)
    want = Model(graph).verdict()
    said = judge(program, forge.lay(graph, folder))
    return seed, said, want, difference(said, want), folder


class Laid:
    """Graphs whose files lie in a folder, to be judged as often as one likes."""

    def __init__(self, seeds, folder):
        forge = GraphForge()
        self.rows = [(seed, forge.lay(graph_of(seed), os.path.join(folder, f"graph {seed}")), Model(graph_of(seed)).verdict())
                     for seed in seeds]

    def first_difference(self, program, jobs=2):
        """A text; None when the program says what the model says."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
            for start in range(0, len(self.rows), 32):
                part = self.rows[start:start + 32]
                for (seed, _, want), said in zip(part, pool.map(lambda row: judge(program, row[1]), part)):
                    wrong = difference(said, want)
                    if wrong:
                        return f"graph {seed}: {wrong}, model {want}, ctstub {said}"
        return None


def run(program, count, first=1, jobs=2, keep=None, out=sys.stdout):
    base, forge, tally = keep or tempfile.mkdtemp(prefix="ctstub-graphs-"), GraphForge(), Tally()
    try:
        with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
            for start in range(first, first + count, 64):
                seeds = range(start, min(start + 64, first + count))
                for seed, said, want, wrong, folder in pool.map(lambda s: one(program, forge, s, base), seeds):
                    tally.add(want, wrong)
                    if wrong:
                        print(f"graph {seed}: {wrong}\n  model:  {want}\n  ctstub: {said}", file=out)
                    if not keep or not wrong:
                        shutil.rmtree(folder, ignore_errors=True)
    finally:
        if not keep:
            shutil.rmtree(base, ignore_errors=True)
    return tally


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--ctstub", required=True)
    arguments.add_argument("--count", type=int, default=500)
    arguments.add_argument("--first", type=int, default=1)
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    arguments.add_argument("--keep")
    o = arguments.parse_args()
    told = run(o.ctstub, o.count, o.first, o.jobs, o.keep)
    print(told.text())
    sys.exit(1 if told.wrong else 0)
