"""Faults of one line beyond verify/ (rooms_table.py), one after the other: the test that a row names must fail.

Without a fault every one of these tests must pass. So many of all faults, with those that no test notices, must be caught.
"""
import json
import os
import time

from harness.build import BuildError

import results
from rooms_table import CAUGHT, SURVIVORS
from scratch import Fault
from suite import Suite

LEAST = 100          # faults
LEAST_PERCENT = 95   # of all faults, caught


def say(text):
    print(text, flush=True)


def named(rows):
    """Each row with a name: the file, and a number within it."""
    numbers = {}
    for row in rows:
        numbers[row[0]] = numbers.get(row[0], 0) + 1
        yield f"{row[0]}-{numbers[row[0]]}", row


def sound(suite, tests):
    """Whether all tests pass without a fault."""
    good = True
    for test in tests:
        said = suite.run(test)
        if said:
            say(f"not ok mutants/none: without a fault {test} says: {said}")
            good = False
    if good:
        say(f"ok mutants/none ({len(tests)} tests without a fault)")
    return good


def one(suite, name, row):
    """(what the test says, seconds); None for a fault that it does not notice."""
    file, line, instead, what, test = row
    started = time.monotonic()
    try:
        with Fault(suite.scratch, name, file, line, instead):
            said = suite.run(test)
    except (BuildError, LookupError) as error:
        say(f"not ok mutants/{name}: {error}")
        return None
    if said is None:
        say(f"not ok mutants/{name}: {test} did not notice that {what}: {instead}")
        return None
    say(f"ok mutants/{name}")
    say(f"# {time.monotonic() - started:.0f} s, by {test}: {said[:160]}")
    return said


class Record:
    """What each fault's test said, kept while a run lasts: one that was interrupted goes on from there (--go-on)."""

    def __init__(self, path, go_on):
        self.path, self.said = path, {}
        if go_on and os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                self.said = json.load(f)

    @staticmethod
    def key(row):
        return " | ".join((row[0], row[1], row[2], row[4]))

    def of(self, row):
        return self.said.get(self.key(row))

    def put(self, row, words):
        self.said[self.key(row)] = words
        with open(self.path, "w", encoding="utf-8") as f:
            json.dump(self.said, f, indent=0)


def all_of(suite, rows, record):
    """What the tests say, by name of the fault."""
    said = {}
    for name, row in rows:
        said[name] = record.of(row) or one(suite, name, row)
        if said[name]:
            record.put(row, said[name])
    return said


ONCE = "(each was tried once, when its row was written; the next whole run replaces this text)"


def run(scratch, names, folder, go_on, publish=False):
    """Whether enough is caught. The results of a whole run go to the folder; of some faults only to be published."""
    rows = [(name, row) for name, row in named(CAUGHT) if not names or any(n in name for n in names)]
    if not rows:
        return True
    suite = Suite(scratch)
    if not sound(suite, sorted({row[4] for _, row in rows})):
        return False
    said = all_of(suite, rows, Record(os.path.join(scratch.base, "rooms.json"), go_on))
    caught = [name for name, words in said.items() if words]
    if names and (not publish or len(caught) < len(rows)):
        return len(caught) == len(rows)
    if names:  # the others were tried when their rows were written
        said = {name: said.get(name, "caught then") for name, _ in named(CAUGHT)}
        caught = rows = list(said)
    percent = 100 * len(caught) / (len(rows) + len(SURVIVORS))
    text = f"{len(caught)} of {len(rows) + len(SURVIVORS)} faults beyond verify/ are caught, {percent:.1f} %{' ' + ONCE if names else ''}"
    results.write(os.path.join(folder, "RESULTS.md"), text, said)
    enough = percent >= LEAST_PERCENT and len(rows) >= LEAST
    say(f"ok mutants/rooms ({text})" if enough else f"not ok mutants/rooms: {text}, at least {LEAST_PERCENT} % are wanted")
    return len(caught) == len(rows) and enough
