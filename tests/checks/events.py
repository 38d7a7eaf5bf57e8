"""Every event of the log is in the table of events and in its manual page, with the same MESSAGE_ID."""
import os
import re
import uuid

from harness.build import tree_files
from harness.case import case, check, equal
from harness.events import OTHERS, TABLE, events_in, table

PAGE = "base/ctstub-log.5"


def read(t, name):
    with open(os.path.join(t.src, name), encoding="utf-8") as f:
        return f.read()


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
