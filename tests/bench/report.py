"""From the raw JSON of a run to RESULTS.md and its plots. Nothing is measured here, and no number comes from anywhere else."""
import glob
import json
import os
import statistics

from bench import distance_report, plot
from bench.candidates import CANDIDATES

COMPLETE = 0.001  # a candidate answers everything when at most this part of its questions got no good answer: at full speed and at
STEADY = ("1000", "10000")  # these rates, which the targets name
WORST_US = 2e6    # load.c counts a question without a good answer so
OWN = "results.json"


def reach(row, path):
    for step in path:
        row = row.get(step) if isinstance(row, dict) else None
    return row


class Side:
    """The rounds of bench/side.py."""

    def __init__(self, raw):
        self.raw, self.rounds = raw, raw["rounds"]
        self.names = [n for n in CANDIDATES if any(n in r for r in self.rounds)]

    def values(self, name, *path):
        found = (reach(r.get(name, {}), path) for r in self.rounds)
        return [v for v in found if v is not None]

    def median(self, name, *path):
        values = self.values(name, *path)
        return statistics.median(values) if values else None

    def ratio(self, name, other, *path):
        """The median over rounds of the ratio within one round."""
        pairs = ((reach(r.get(name, {}), path), reach(r.get(other, {}), path)) for r in self.rounds)
        ratios = [a / b for a, b in pairs if a is not None and b]
        return statistics.median(ratios) if ratios else None

    def bad(self, name, *path):
        """The part of the questions of all rounds that got no good answer."""
        rows = self.values(name, *path)
        sent = sum(r["sent"] for r in rows)
        return sum(r["failed"] + r["lost"] for r in rows) / sent if sent else None

    def complete(self, name):
        return all((self.bad(name, *path) or 0) <= COMPLETE for path in (("cached",), ("uncached",), *(("uncached_rates", r) for r in STEADY)))

    def peers(self, protocol=None):
        return [n for n in self.names if CANDIDATES[n].package and protocol in (None, CANDIDATES[n].protocol)]


def number(value, digits=2):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 or digits == 0 else f"{value:.{digits}f}"


def spread(values, digits=2):
    """The median, and the least and the most."""
    if not values:
        return "-"
    return f"{number(statistics.median(values), digits)} ({number(min(values), digits)}-{number(max(values), digits)})"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


# ---- targets: (what, measured, met); met is None where it was not measured

def at_least(what, value, least):
    return f"{what}: at least {least:g}", number(value), None if value is None else value >= least


def at_most(what, value, most, unit=""):
    return f"{what}: at most {most:g}{unit}", number(value) + (unit if value is not None else ""), None if value is None else value <= most


CPU = ("uncached", "cpu_us")


def program(name):
    """A candidate's title without the protocol."""
    return CANDIDATES[name].title.split(",")[0]


def cheapest(side, protocol):
    """(peers by their processor time, of them the first that answers everything or None)"""
    peers = sorted((side.median(p, *CPU), p) for p in side.peers(protocol) if side.median(p, *CPU))
    return peers, next((p for _, p in peers if side.complete(p)), None)


def cpu_target(side, protocol):
    """The processor time of ours, relative to the cheapest peer that answers everything."""
    title = {"dot": "DoT", "doh": "DoH"}[protocol]
    peers, best = cheapest(side, protocol)
    cheaper = [program(p) for us, p in peers if best is None or us < side.median(best, *CPU)]
    name = f" ({program(best)})" if best else ""
    name += f" (cheaper, but incomplete: {', '.join(cheaper)})" if cheaper else ""
    what = f"processor time of an uncached answer over {title}, relative to the best peer that answers everything{name}"
    if peers and best is None:
        return f"{what}: at most 0.25", "no peer answers everything", None
    return at_most(what, side.ratio(f"ctstub-{protocol}", best, *CPU) if best else None, 0.25)


def latency_target(side, protocol, rate, which):
    path = ("uncached_rates", str(rate), which)
    ours, peers = side.median(f"ctstub-{protocol}", *path), [(side.median(p, *path), p) for p in side.peers(protocol)]
    peers = sorted((us, p) for us, p in peers if us is not None)
    title = {"dot": "DoT", "doh": "DoH"}[protocol]
    what = f"{which} over {title} at {rate:,} questions per second: at most that of every peer"
    if ours is None or not peers:
        return what, "-", None
    return what, f"{number(ours, 0)} us; {program(peers[0][1])} {number(peers[0][0], 0)} us", ours <= peers[0][0]


def memory_target(side, parts, what):
    def mib(name):
        values = [side.median(name, part) for part in parts]
        return None if None in values else sum(values)
    peers = sorted((mib(p), p) for p in side.peers() if mib(p) is not None)
    ours, what = mib("ctstub-dot"), f"{what} with 1,000 names cached: less than every peer"
    if ours is None or not peers:
        return what, "-", None
    return what, f"{number(ours)} MiB; {program(peers[0][1])} {number(peers[0][0])} MiB", ours < peers[0][0]


def side_targets(side):
    loads = [("`load.c`, which is faster than any server", ("cached", "rate"))]
    if side.values("echo", "dnsperf", "rate"):
        loads.insert(0, ("dnsperf", ("dnsperf", "rate")))
    rows = [at_least(f"cached answers per second, relative to a bare UDP echo, with {load}", side.ratio("ctstub-dot", "echo", *path), 0.95)
            for load, path in loads]
    rows.append(at_most("processor time of a cached answer, relative to the echo", side.ratio("ctstub-dot", "echo", "cached", "cpu_us"), 1.5))
    rows += [cpu_target(side, protocol) for protocol in ("dot", "doh")]
    rows += [latency_target(side, protocol, rate, which) for protocol in ("dot", "doh") for rate in (1000, 10000) for which in ("p50", "p99")]
    rows += [memory_target(side, ("own_mib", "files_mib"), "resident memory"), memory_target(side, ("own_mib",), "memory not backed by files")]
    return rows


def relay_text(side):
    """The processor time of the TLS relay beside that of the best peer, and of ours beside the relay."""
    best = cheapest(side, "dot")[1]
    share = side.ratio("relay", best, *CPU)  # None without such a peer
    if share is None:
        return ""
    return (f"The TLS relay (`tlsrelay.c`) only passes messages on, without verification, cache and timers. It needs {number(share)} of the processor\n"
            f"time of the best peer over DoT ({program(best)}); ctstub needs {number(side.ratio('ctstub-dot', 'relay', *CPU))} times "
            "as much as the relay.\n")


def part_targets(raw):
    rows = []
    if "verdict" in raw:
        v = raw["verdict"]
        rows += [at_most("time of a verdict with 1,000 disallow entries, relative to GnuTLS's part of it", v["verdict-1000"] / v["gnutls"], 1.3),
                 at_most("time of a verdict with 100,000 disallow entries, relative to 1,000", v["verdict-100000"] / v["verdict-1000"], 1.05),
                 at_most("highest cost of the signatures of a verdict, relative to 64 checks with RSA-4096", v["cost-worst"] / v["cost-measure"], 1.0)]
    if "latency" in raw:
        ratios = [r["doh"]["p50"] / r["dot"]["p50"] for r in raw["latency"]["rounds"]]
        rows.append(at_most("median latency of DoH, relative to DoT, from a server that has one thread for both", statistics.median(ratios), 1.2))
    if "million" in raw:
        rows.append(at_most(f"memory added by {raw['million']['names']:,} names in a cache of 64 MiB", raw["million"]["added_mib"], 72, " MiB"))
    for what, most in (("reset", 300), ("black hole", 1500)) if "failover" in raw else ():
        f = raw["failover"][what]
        rows.append(at_most(f"p99 after a {what}, 500 questions per second ({f['lost']} of {f['questions']:,} lost)",
                            statistics.median(f["p99_ms"]), most, " ms"))
    return rows


def other_targets(others):
    """Of the other benches: each JSON beside ours may have "targets": rows of target, measured, at_most or at_least, and unit."""
    rows = []
    for name, raw in sorted(others.items()):
        for t in raw.get("targets", ()):
            judge, limit = (at_most, t["at_most"]) if "at_most" in t else (lambda what, v, least, _: at_least(what, v, least), t["at_least"])
            what, have, met = judge(f"{t['target']} (`{name}`)", t["measured"], limit, t.get("unit", ""))
            rows.append((what, have, met))
    return rows


def distance_targets(raw):
    """Of tests/bench/distance, at 30 ms. Only peers that answer everything are compared."""
    if "30ms" not in raw["parts"]:
        return []
    measured = raw["parts"]["30ms"]
    rtt, rows, out = measured["part"]["rtt"], distance_report.table(measured)[1], []
    peers = [r["p99"] for n, r in rows.items() if n in CANDIDATES and CANDIDATES[n].package and r["unanswered"] <= COMPLETE]
    for name in ("ctstub-dot", "ctstub-doh"):
        r, where = rows[name], f", {CANDIDATES[name].title}, 30 ms away (`DISTANCE.md`)"
        out += [at_least("percentage of answers within 1.5 round trips" + where, 100 * r["in_time"], 97),
                at_most("p90 of a burst, in round trips" + where, r["p90"] / rtt, 1.5)]
        if peers:
            out.append(at_most("p99 of a burst, relative to the best peer" + where, r["p99"] / min(peers), 1))
    return out


def targets(raw, others):
    rows = (side_targets(Side(raw["side"])) if "side" in raw else []) + part_targets(raw)
    rows += distance_targets(others[distance_report.RAW]) if distance_report.RAW in others else []
    return rows + other_targets(others)


# ---- tables

def title(side, name):
    mark = "" if not CANDIDATES[name].protocol or side.complete(name) else " (1)"
    return CANDIDATES[name].title + mark


def percent(part):
    return "-" if part is None else f"{100 * part:.2f} %"


def speed_table(side):
    heads = ["", "cached/s", "relative to the echo", "the same with dnsperf", "cached: CPU us", "uncached/s", "uncached: CPU us", "cached: failed",
             "uncached: failed"]
    rows = [[title(side, n), spread(side.values(n, "cached", "rate"), 0), number(side.ratio(n, "echo", "cached", "rate")),
             number(side.ratio(n, "echo", "dnsperf", "rate")), spread(side.values(n, "cached", "cpu_us")),
             spread(side.values(n, "uncached", "rate"), 0), spread(side.values(n, "uncached", "cpu_us"), 1),
             percent(side.bad(n, "cached")), percent(side.bad(n, "uncached"))] for n in side.names]
    return table(heads, rows)


def memory_table(side):
    rows = [[title(side, n), spread(side.values(n, "own_mib")), spread(side.values(n, "files_mib")), spread(side.values(n, "start_ms"), 0)]
            for n in side.names if side.values(n, "own_mib")]
    return table(["", "own MiB", "of files MiB", "start ms"], rows)


def rates_of(side, which):
    return sorted({int(rate) for n in side.names for row in side.values(n, which) for rate in row})


def microseconds(value):
    return "-" if value is None else ">= 2 s" if value >= WORST_US else number(value, 0)


def latency_table(side, which):
    rates = rates_of(side, which)
    rows = []
    for n in side.names:
        cells = []
        for rate in rates:
            path = (which, str(rate))
            bad = side.bad(n, *path)
            failed = f", {percent(bad)} failed" if bad is not None and bad > COMPLETE else ""
            cells.append(f"{microseconds(side.median(n, *path, 'p50'))} / {microseconds(side.median(n, *path, 'p99'))}{failed}")
        if any(side.values(n, which)):
            rows.append([CANDIDATES[n].title, *cells])
    return table(["p50 / p99 us", *(f"{rate:,}/s" for rate in rates)], rows)


# ---- plots

def curve(side, name, which):
    points = ((rate, side.median(name, "uncached_rates", str(rate), which)) for rate in rates_of(side, "uncached_rates"))
    return [(rate, us) for rate, us in points if us]


def plots(raw):
    """File name to SVG."""
    if "side" not in raw:
        return {}
    side, panels = Side(raw["side"]), []
    real = [n for n in side.names if CANDIDATES[n].protocol]
    for which in ("p50", "p99"):
        panels.append((f"{which} of uncached answers", [(CANDIDATES[n].title, CANDIDATES[n].ours, curve(side, n, which)) for n in real]))

    def bars(*path):
        return [(CANDIDATES[n].title, CANDIDATES[n].ours, [(path[-1], side.median(n, *path))] if side.median(n, *path) else []) for n in side.names]
    both = [(CANDIDATES[n].title, CANDIDATES[n].ours, [(p, side.median(n, p)) for p in ("own_mib", "files_mib")]) for n in real if side.values(n, "own_mib")]
    return {"latency.svg": plot.latencies("Time to an answer at a steady rate", panels),
            "cpu.svg": plot.bars("Processor time of an answer at full speed", "us",
                                 [(part, bars(part, "cpu_us")) for part in ("cached", "uncached")]),
            "memory.svg": plot.bars("Resident memory with 1,000 names cached (dark: own, light: of files)", "MiB", [("", both)])}


# ---- the document

HEAD = """# Results of the bench

`tests/bench/run` made this file and the plots from `{own}`{beside}. Do not edit them: `tests/checks/bench.py` compares them with these
data. README.md describes what is measured and how.
"""

NOTES = """(1) More than 0.1 % of the questions got no good answer, at full speed or at 1,000 or 10,000 uncached questions per second. The best peer of
a target is chosen among the others.
CPU is the candidate's processor time per good answer. Numbers are medians of the rounds, with the minimum and the maximum in brackets.
Ratios are medians of the ratios within a round.
"""


def machine_text(about):
    rounds = about.get("load_average", [])
    loads = ", ".join(number(r[0]) for r in rounds)
    lines = [f"{about['date']}, {about['machine']}, {about['processors']} processors, Linux {about['kernel']}, {about['system']}.",
             f"Rounds: {about['rounds']}, {about['seconds']:g} s per measurement."]
    if loads:
        lines.append(f"Load average before each round: {loads} (the bench itself is a load of about 2).")
    if about.get("note"):
        lines.append(about["note"].rstrip(".") + ".")
    return "\n".join(lines) + "\n\n" + table(["program", "version"], [[k, v] for k, v in about["versions"].items()])


def document(raw, others):
    about = dict(raw["about"], load_average=raw.get("side", {}).get("load_average", []))
    beside = "".join(f", `{name}`" for name, other in sorted(others.items()) if other.get("targets") or name == distance_report.RAW)
    parts = [HEAD.format(own=OWN, beside=beside), machine_text(about), "## Targets\n",
             table(["target", "measured", "met"], [[what, have, {True: "met", False: "**not met**", None: "not judged"}[met]]
                                                   for what, have, met in targets(raw, others)])]
    if "side" in raw:
        side = Side(raw["side"])
        parts += ["## Side by side\n", speed_table(side), NOTES + relay_text(side), "![processor time of an answer](cpu.svg)\n",
                  "### Uncached answers at a steady rate\n", latency_table(side, "uncached_rates"), "![latency against rate](latency.svg)\n",
                  "### Cached answers at a steady rate\n", latency_table(side, "cached_rates"), "### Memory and start\n", memory_table(side),
                  "![memory](memory.svg)\n"]
        parts += [f"Not measured: {CANDIDATES[n].title}: {why}\n" for n, why in side.raw["missing"].items()]
    if "verdict" in raw:
        v = raw["verdict"]
        parts += ["## Verdict\n", table(["microseconds", ""], [[name, number(value, 1)] for name, value in v.items()])]
    return "\n".join(parts)


def produce(raw, others):
    """File name to content: everything that is made from a run."""
    return {"RESULTS.md": document(raw, others)} | plots(raw)


def read(folder):
    """(raw, others): our raw JSON, and that of other benches beside it."""
    found = {}
    for path in glob.glob(os.path.join(folder, "*.json")):
        with open(path, encoding="utf-8") as f:
            found[os.path.basename(path)] = json.load(f)
    return found.pop(OWN, None), {name: raw for name, raw in found.items() if isinstance(raw, dict)}


def write(folder):
    raw, others = read(folder)
    for name, content in produce(raw, others).items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(content)
    return targets(raw, others)
