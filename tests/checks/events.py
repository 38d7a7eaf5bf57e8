"""Every event of the log is in the table of events and in its manual page, with the same MESSAGE_ID."""
import os
import re
import uuid

from harness.build import tree_files
from harness.case import case, check, equal

TABLE, PAGE = "base/log_events.def", "base/ctstub-log.5"
# contrib/lab's lines go to a file that its report reads, never to the journal
OTHERS = ("contrib/lab/", "tests/")
# a function that is given the event: its name, and which argument that is
GIVEN = {"log_event": 1, "log_write": 1, "server_log": 2, "main_trouble": 0, "put_line": 2}
# events that a function names
NAMED = {"finding_kind_text": ["expected", "rogue", "unreadable", "log-misbehaved"]}


def read(t, name):
    with open(os.path.join(t.src, name), encoding="utf-8") as f:
        return f.read()


def table(text):
    return re.findall(r'^LOG_EVENT\("([a-z-]+)", "([0-9a-f]{32})", "([^"\n]+)"\)$', text, re.M)


def events_in(text):
    """Strings in the argument that is the event of each call."""
    found = set()
    for name, place in GIVEN.items():
        for call in re.finditer(r"\b" + name + r"\(", text):
            arguments = re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', text[call.end():].split(";", 1)[0])
            if len(arguments) > place:
                found |= set(re.findall(r'"([a-z][a-z-]*)"', arguments[place]))
                for function, events in NAMED.items():
                    found |= set(events) if function in arguments[place] else set()
    return found


@case("every event that a program logs is in base/log_events.def", builds=("gcc",))
def known(t):
    sample = 'log_event(LOG_WARN, x ? "a" : "b", LOG_STR("key", "value")); server_log(s, LOG_INFO, "c", r, NULL);'
    equal(events_in(sample), {"a", "b", "c"}, "events of the sample")
    events = {e for e, _, _ in table(read(t, TABLE))}
    used = set()
    for name in tree_files(t.src):
        if name.endswith(".c") and not name.startswith(OTHERS):
            used |= events_in(read(t, name))
    rows = [(e, uuid.uuid4().hex) for e in sorted(used - events)]
    check(not rows, f"add to {TABLE}: " + " ".join(f'LOG_EVENT("{e}", "{i}", "MEANING")' for e, i in rows) +
          f" and to {PAGE}: " + " ".join(f".It Li {e} Pq Li {i} / MEANING" for e, i in rows))


@case("the table of events is sorted, its identifiers are unique, and ctstub-log(5) has every row", builds=("gcc",))
def listed(t):
    text = read(t, TABLE)
    rows = table(text)
    equal(len(rows), text.count("\nLOG_EVENT("), "rows that can be read")
    equal([e for e, _, _ in rows], sorted({e for e, _, _ in rows}), "the order of events")
    equal(len({i for _, i, _ in rows}), len(rows), "different identifiers")
    said = re.findall(r"^\.It Li ([a-z-]+) Pq Li ([0-9a-f]{32})\n((?:[^.\n].*\n)+)", read(t, PAGE), re.M)
    equal([(e, i, " ".join(s.split())) for e, i, s in said], rows, f"the events in {PAGE}")
