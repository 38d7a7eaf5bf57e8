"""ctstub-watch against the lab's logs: every misbehaviour is an alarm of the right kind, about the right log, and of no other."""
import re

from harness.case import case, check, equal, rows
from harness.toylogs import ToyLogs

FILL = 700


class Watch:
    """ctstub-watch --once, again and again, with one state folder."""

    def __init__(self, t, logs, more=""):
        self.t = t
        self.config = t.write("watch.conf", f'''state-dir = "{t.path("state")}"
user = ""
control-socket = "{t.path("control")}"
ct {{ log-list = "{logs.list}" }}
trust {{ anchors = "{logs.anchors}" }}
upstream "lab" {{ address = {{"1.1.1.1"}} }}
{more}
''')
        t.write("state/.keep", "")

    def once(self, *options):
        """(exit code, {(log, problem)}, the whole of what it wrote)"""
        code, out, err = self.t.run("ctstub-watch", "-c", self.config, "--once", *options, timeout=100)
        found = set()
        for line in err.splitlines():
            if "log-misbehaved" in line:
                found.add((re.search(r" log=(\S+)", line)[1], re.search(r" problem=(\S+)", line)[1]))
        return code, found, out + err


@case("logs that behave are read to their heads without a word")
def well_behaved(t):
    logs = ToyLogs(t, "--fill", str(FILL))
    watch = Watch(t, logs)
    for options in (("--from", "0"), (), ()):
        code, found, said = watch.once(*options)
        equal((code, found), (0, set()), said)


GROWN = "good-static-ct"  # SCTs of alpha-1 and delta-1


@rows([
    ("split-view: alpha-1", "split-view", "alpha-1", {"head-forked"}),
    ("split-view: delta-1", "split-view", "delta-1", {"head-forked"}),
    ("roll-back: alpha-1", "roll-back", "alpha-1", {"head-went-back"}),
    ("roll-back: delta-1", "roll-back", "delta-1", {"head-went-back"}),
    ("bad-signature: alpha-1", "bad-signature", "alpha-1", {"head-bad-signature"}),
    ("bad-signature: delta-1", "bad-signature", "delta-1", {"head-bad-signature"}),
    ("stale-head: alpha-1", "stale-head", "alpha-1", {"head-too-old"}),
    ("stale-head: delta-1", "stale-head", "delta-1", {"head-too-old"}),
    ("future-head: alpha-1", "future-head", "alpha-1", {"head-in-the-future"}),
    ("future-head: delta-1", "future-head", "delta-1", {"head-in-the-future"}),
    ("not-json: alpha-1", "not-json", "alpha-1", {"head-malformed"}),
    ("not-json: delta-1", "not-json", "delta-1", {"head-malformed"}),
    ("wrong-origin: delta-1", "wrong-origin", "delta-1", {"head-malformed"}),
    ("oversized: alpha-1", "oversized", "alpha-1", {"answer-oversized"}),
    ("oversized: delta-1", "oversized", "delta-1", {"answer-oversized"}),
])
def heads(t, name, log, wanted):
    """A log that was read before, and then does so."""
    logs = ToyLogs(t, "--fill", str(FILL))
    watch = Watch(t, logs)
    code, found, said = watch.once("--from", "0")
    equal((code, found), (0, set()), f"before: {said}")
    logs.misbehave(name, log)
    found = set()
    for _ in range(2):  # every other head of a split view is the good one
        found |= watch.once()[1]
    equal(found, {(log, kind) for kind in wanted}, name)
    logs.misbehave("no", name, log)
    _, found, said = watch.once()
    equal(found, set(), f"after: {said}")


@rows([
    ("missing-entry: alpha-1", "missing-entry", "alpha-1", {"entries-altered", "entries-withheld"}),
    ("missing-entry: delta-1", "missing-entry", "delta-1", {"entries-altered", "entries-withheld", "entries-malformed"}),
    ("altered-entry: alpha-1", "altered-entry", "alpha-1", {"entries-altered"}),
    ("altered-entry: delta-1", "altered-entry", "delta-1", {"entries-altered"}),
    ("gzip-bomb: delta-1", "gzip-bomb", "delta-1", {"answer-oversized"}),
    ("shrinking-tile: delta-1", "shrinking-tile", "delta-1", {"entries-withheld", "entries-malformed"}),
])
def entries(t, name, log, wanted):
    """A log that is read for the first time."""
    logs = ToyLogs(t, "--fill", str(FILL), "--misbehave", f"{name}@{log}")
    watch = Watch(t, logs)
    _, found, said = watch.once("--from", "0")
    check(found and {where for where, _ in found} == {log} and {kind for _, kind in found} <= wanted, f"{found} {said}")
    logs.misbehave("no", name, log)
    for _ in range(3):  # what was read before may have to be read again
        code, found, said = watch.once()
    equal((code, found), (0, set()), f"after: {said}")


@rows([
    ("busy: alpha-1", "busy", "alpha-1"),
    ("busy: delta-1", "busy", "delta-1"),
    ("fewer-entries: alpha-1", "fewer-entries", "alpha-1"),
])
def slowed(t, name, log):
    """No alarm, and every entry is read."""
    logs = ToyLogs(t, "--fill", "40", "--misbehave", f"{name}@{log}")
    watch = Watch(t, logs)
    code, found, said = watch.once("--from", "0")
    equal((code, found), (0, set()), said)


@case("an entry that joins the tree after the maximum merge delay is an alarm")
def late(t):
    logs = ToyLogs(t, "--fill", "10")
    equal(t.run("ctstub-lab", "pki", logs.folder)[0], 0, "pki")
    watch = Watch(t, logs)
    equal(watch.once("--from", "0")[1], set(), "before")
    logs.enter(f"{logs.folder}/chains/good-v4.pem")  # its SCTs are ten days old
    _, found, said = watch.once()
    equal({f for f in found if f[1] == "merged-late"}, {("alpha-1", "merged-late"), ("beta-1", "merged-late")}, said)


@rows([
    ("read on after a head of the future: alpha-1", "alpha-1"),
    ("read on after a head of the future: delta-1", "delta-1"),
])
def after_the_future(t, log):
    """A log that once signed a head of the far future is read on."""
    logs = ToyLogs(t, "--fill", "10")
    equal(t.run("ctstub-lab", "pki", logs.folder)[0], 0, "pki")
    watch = Watch(t, logs)
    equal(watch.once("--from", "0")[1], set(), "before")
    logs.misbehave("future-head", log)
    equal(watch.once()[1], {(log, "head-in-the-future")}, "in between")
    logs.misbehave("no", "future-head", log)
    logs.enter(f"{logs.folder}/chains/{GROWN}.pem")  # by the date of that head it joins late: this shows that it is read
    _, found, said = watch.once()
    check((log, "merged-late") in found, f"{found} {said}")


@case("a proof that does not hold is an alarm")
def unproven(t):
    logs = ToyLogs(t, "--fill", "10")
    equal(t.run("ctstub-lab", "pki", logs.folder)[0], 0, "pki")
    watch = Watch(t, logs)
    equal(watch.once("--from", "0")[1], set(), "before")
    logs.enter(f"{logs.folder}/chains/good-v4.pem")
    logs.misbehave("bad-proof", "alpha-1")
    _, found, said = watch.once()
    kinds = {"head-unproven", "head-forked"}  # a proof that does not hold may be that of a fork
    equal([log for log, kind in found if kind in kinds], ["alpha-1"], said)
