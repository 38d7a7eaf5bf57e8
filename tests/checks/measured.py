"""What measures a run can fail: coverage below its threshold, lines without a reason, and names that no test produced."""
from harness import coverage, produced, seen
from harness.case import case, check, equal, rows

LCOV = """SF:../base/dns/a.c
FN:1,reached
FN:5,a.c:missed
DA:1,4
DA:2,4
DA:5,0
DA:6,0
BRDA:2,0,0,3
BRDA:2,0,1,-
end_of_record
SF:made/table.c
DA:1,0
end_of_record
SF:../tests/unit/test_a.c
DA:1,0
end_of_record
"""


@case("coverage counts lines and branches of the sources, and not of what is generated or a test", builds=("gcc",))
def counts(t):
    files = coverage.read_lcov(LCOV, "/top/build", "/top")
    equal(sorted(files), ["base/dns/a.c"], "files")
    equal(files["base/dns/a.c"].counts(), (2, 4, 1, 2), "lines and branches")
    equal(files["base/dns/a.c"].unreached(), [(5, 6, "missed")], "lines that nothing reached")


@case("the missing case of a switch is no branch", builds=("gcc",))
def switches(t):
    one = coverage.read_lcov(LCOV, "/top/build", "/top")["base/dns/a.c"]
    one.leave_out_switches(["", "\tswitch (kind) {"])
    equal(one.counts(), (2, 4, 0, 0), "lines and branches")
    one = coverage.read_lcov(LCOV, "/top/build", "/top")["base/dns/a.c"]
    one.leave_out_switches(["\tswitch (kind) {", "\tif (switched)"])
    equal(one.counts(), (2, 4, 1, 2), "of another line")


@case("coverage below a threshold is a failure, and so is a room without a file", builds=("gcc",))
def thresholds(t):
    files = coverage.read_lcov(LCOV, "/top/build", "/top")
    equal([name for name, _, why in coverage.verdicts(files) if why], ["verify", "dns bytes", "frames", "all"], "groups that fail")
    whole = coverage.read_lcov(LCOV.replace(",0\n", ",1\n").replace(",-", ",1"), "/top/build", "/top")
    equal([name for name, _, why in coverage.verdicts(whole) if why], ["verify", "frames"], "groups that fail")


@rows([
    ("a line that nothing reached needs a reason", "", 1, 0),
    ("a reason for its function is enough", "base/dns/*.c missed no memory\n", 0, 0),
    ("a reason for another function is not", "base/dns/a.c reached no memory\n", 1, 1),
    ("a reason for what is reached is stale", "base/dns/a.c * no memory\nbase/b.c * no memory\n", 0, 1),
    ("an expression that the line meets is enough", "when /^5$/m no memory\n".replace("/m", "/"), 1, 1),
    ("an expression may meet the condition before the line", "when /4\\n5/ no memory\n", 0, 0),
], builds=("gcc",))
def excused(t, listing, bare, stale):
    t.write("base/dns/a.c", "1\n2\n3\n4\n5\n6\n")
    have = coverage.unreached(coverage.read_lcov(LCOV, t.path("build"), t.dir), t.write("list", listing), t.dir)
    equal((len(have[1]), len(have[2])), (bare, stale), "lines without a reason, stale rows")
    check("\t5\n\t6\n" in have[0], have[0])


@rows([
    ("an event of a line of text", "warn would-refuse upstream=a reason=expired\n", {("event", "would-refuse"), ("reason", "expired")}),
    ("an event in JSON", '{"time":"x","level":"info","event":"started"}', {("event", "started")}),
    ("an event in the journal of a container", "Nov 28 10:00:00 h ctstubd[12]: <6>info started v=1\n", {("event", "started")}),
    ("a verdict", '{"reasons": ["expired", "revoked"], "scts": [{"status": "future"}]}',
     {("reason", "expired"), ("reason", "revoked"), ("status", "future")}),
    ("a metric that counted", "# TYPE ctstub_replies_total counter\nctstub_replies_total 2\n",
     {("declared", "ctstub_replies_total"), ("metric", "ctstub_replies_total")}),
    ("a metric that is zero", "# TYPE ctstub_a gauge\nctstub_a{x=\"y\"} 0.000000\nctstub_b_total 0\n", {("declared", "ctstub_a")}),
    ("a counter of a reason", 'ctstub_upstream_problems_total{reason="closed",stage="wire"} 12\n',
     {("metric", "ctstub_upstream_problems_total"), ("reason", "closed")}),
    ("a counter of a reason that is zero", 'ctstub_upstream_problems_total{reason="closed",stage="wire"} 0\n', set()),
    ("prose is no event", "the info desk\nerrors are rare\n", set()),
], builds=("gcc",))
def recognised(t, text, names):
    equal(seen.names_in(text), names, "names")


@case("a reason, status, event or metric that no test produced is a failure, and so is an excuse for what is not there", builds=("gcc",))
def compared(t):
    tables = produced.tables(t.src)
    everything = {kind: set(names) for kind, names in tables.items()}
    equal([why for _, why in produced.compare(tables, everything, {})], [None] * 4, "with everything")
    for kind, names in tables.items():
        check(len(names) > 10, f"the table of {kind}: {names}")
        one = sorted(names)[0]
        less = dict(everything, **{kind: names - {one}})
        equal([why for _, why in produced.compare(tables, less, {}) if why], [f"no test produces: {one}"], "without one")
        equal([why for _, why in produced.compare(tables, less, {f"{kind} {one}": "a unit test"}) if why], [], "excused")
        stale = [why for _, why in produced.compare(tables, everything, {f"{kind} no-such-name": "a unit test"}) if why]
        check(len(stale) == 1 and "strike out" in stale[0], f"an excuse for what is not there: {stale}")
    declared = dict(everything, declared={"ctstub_new"})
    equal([why for _, why in produced.compare(tables, declared, {}) if why], ["no test produces: ctstub_new"], "a declared metric")
