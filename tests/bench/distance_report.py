"""From the raw JSON of tests/bench/distance to DISTANCE.md. Nothing is measured here, and no number comes from anywhere else."""
import datetime
import json
import os
import platform
import re
import subprocess

from bench.candidates import CANDIDATES, version

RAW = "distance.json"
LOST_MS = 5000     # a question without a good answer counts so: the client's patience
IN_TIME = 1.5      # round trips
COMPLETE = 0.001   # a candidate answers everything when at most this part of its questions got no good answer
WITHOUT = "ctstub-dot-cold"

HEAD = """# Resolvers at a distance

`tests/bench/distance` made this file from `{raw}`; the header of that script describes how. Do not edit it.

Every candidate replays the same trace at the same time over its own link (`tests/bench/link.c` says what it models) to one server, which
closes connections after 10 s without use. A burst is 5 to 40 names, Zipf-distributed over 2,000, each queried for A, AAAA and HTTPS at once;
answers from a candidate's cache count. Pauses are real time. A question without a good answer counts as {lost:.1f} s. Connections, packets and
bytes are those of the link during the trace, scaled to an hour; packets are calculated (`link.c`), not captured.

- burst: milliseconds until the last answer of a burst, which is what a person waits for. The minimum is one round trip.
- one trip: the share of answers that needed no more than one round trip, counted on the link (`tests/bench/rounds.h`): from the cache, or
  over an open connection. Other programs on the machine do not affect it. If one answer of a burst needed more, only the burst's answers from
  the cache count.
- in time: the share of answers within {in_time} round trips by the clock, which is the target.
- unanswered: questions without a good answer.
"""

FIRST = """
## The first question

One question for a name in no cache: round trips, counted on the link, and milliseconds until its answer (part `{name}`; `-`: no answer in
{lost:.0f} s). Over an open connection it takes 1 round trip, over a new one with TLS 1.3 over TCP 3. If the time is much longer, the candidate waited
for something else: a dead connection, or the processor.

- new: the candidate has just been started; the question comes 13 s after its first one. In use: the same after the trace.
- there: half a second later.
- sleep: one second after all connections were lost, as on another network or after a sleep. The kernel reports both to ctstub; here the
  event of the clock is simulated. A dead connection acknowledges and never answers, as behind some middleboxes.

| | new, 13 s idle | there | sleep | in use, 13 s idle | there | sleep |
|---|---|---|---|---|---|---|
"""


def about(top, options):
    def first(pattern, path):
        with open(path, encoding="utf-8") as f:
            found = re.search(pattern, f.read(), re.M)
        return found.group(1) if found else "unknown"
    done = subprocess.run(["git", "-C", top, "describe", "--always", "--dirty", "--abbrev=8"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    versions = {"ctstub": f"{first(r'^AC_INIT.*?, .([0-9.]+)', os.path.join(top, 'configure.ac'))} of {done.stdout.strip()}"}
    versions |= {c.package: version(c) for c in CANDIDATES.values() if c.package}
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "machine": first(r"^model name\s*: (.*)$", "/proc/cpuinfo"),
            "processors": os.cpu_count(), "kernel": platform.release(), "system": first(r'^PRETTY_NAME="(.*)"', "/etc/os-release"),
            "seed": options.seed, "load": [os.getloadavg()[0]], "versions": versions}


def read(path):
    """The raw JSON. Round trips are null where they were not counted."""
    if not os.path.exists(path):
        return {"parts": {}}
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def title(name):
    return "ctstub, DoT, `keep-warm = \"0s\"`" if name == WITHOUT else CANDIDATES[name].title


def quantile(values, part):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def one_trip(part, row):
    """The share of answers from the cache or over a connection that stood; None: it was not counted."""
    if row["rounds"] is None:
        return None
    soon = sum(sum(t is not None and (rounds <= 1 or t < 0.9 * part["rtt"]) for t in burst) for burst, rounds in zip(row["times"], row["rounds"]))
    return soon / sum(len(burst) for burst in row["times"])


def percent(share):
    return "-" if share is None else f"{100 * share:.1f} %"


def figures(part, seconds, row):
    """What one candidate's row of a table says."""
    times = [LOST_MS if t is None else t for burst in row["times"] for t in burst]
    bursts = [max(LOST_MS if t is None else t for t in burst) for burst in row["times"]]
    hour = 3600 / seconds
    link = row["link"]
    return {"p50": quantile(bursts, 0.5), "p90": quantile(bursts, 0.9), "p99": quantile(bursts, 0.99),
            "one_trip": one_trip(part, row), "in_time": sum(t <= IN_TIME * part["rtt"] for t in times) / len(times),
            "unanswered": sum(t is None for burst in row["times"] for t in burst) / len(times), "connections": link["answered"] * hour,
            "packets": (link["packets_up"] + link["packets_down"]) * hour, "kib": (link["bytes_up"] + link["bytes_down"]) * hour / 1024}


def table(measured):
    part, out = measured["part"], []
    rows = {n: figures(part, measured["seconds"], r) for n, r in measured["candidates"].items()}
    out.append("| | burst p50 ms | p90 | p99 | one trip | in time | unanswered | connections/h | packets/h | KiB/h |\n|---|---|---|---|---|---|---|---|---|---|\n")
    for name, r in rows.items():
        out.append(f"| {title(name)} | {r['p50']:.0f} | {r['p90']:.0f} | {r['p99']:.0f} | {percent(r['one_trip'])} | {100 * r['in_time']:.1f} % | {100 * r['unanswered']:.1f} % | "
                   f"{r['connections']:.0f} | {r['packets']:,.0f} | {r['kib']:,.0f} |\n")
    return "".join(out), rows


def verdicts(part, rows):
    """Against the targets; nothing is asserted."""
    peers = [r for n, r in rows.items() if CANDIDATES.get(n) and CANDIDATES[n].package and r["unanswered"] <= COMPLETE]
    best = min((r["p99"] for r in peers), default=None)
    for name in ("ctstub-dot", "ctstub-doh"):
        r = rows.get(name)
        if r is None:
            continue
        checks = [(f"in time {100 * r['in_time']:.1f} % (97 %)", r["in_time"] >= 0.97),
                  (f"p90 {r['p90']:.0f} ms ({IN_TIME * part['rtt']:.0f})", r["p90"] <= IN_TIME * part["rtt"])]
        if best is not None:
            checks.append((f"p99 {r['p99']:.0f} ms ({best:.0f}, the best peer that answers everything)", r["p99"] <= best))
        yield f"- {title(name)}: " + "; ".join(text + ("" if met else ": missed") for text, met in checks) + "\n"


def first(asked):
    ms, rounds = asked
    return "-" if ms is None else f"{'-' if rounds is None else rounds} ({ms:.0f} ms)"


def circumstances(a):
    return (f"{a['date']}, {a['machine']} ({a['processors']} processors), {a['system']}, Linux {a['kernel']}, ctstub {a['versions']['ctstub']}, seed {a['seed']}, "
            f"load {' at the start and '.join(f'{load:.1f}' for load in a['load'])} at the {'end' if len(a['load']) > 1 else 'start'}.")


def heading(name, measured):
    part = measured["part"]
    low, high = part["pauses"]
    line = f"{part['rtt']} ms" + (f", jitter {part['jitter']} ms, {part['loss'] / 10:.1f} % of segments lost" if "loss" in part else "")
    return (f"\n## {line}, pauses of {low:g} to {high:g} s\n\n{len(measured['bursts'])} bursts, {sum(n for _, n in measured['bursts']):,} questions, "
            f"{measured['seconds']:.0f} s (part `{name}`). {circumstances(measured['about'])}\n\n")


def write(path):
    parts = read(path)["parts"]
    out = [HEAD.format(raw=RAW, lost=LOST_MS / 1000, in_time=IN_TIME)]
    versions = {f"{n} {v}" for measured in parts.values() for n, v in measured["about"]["versions"].items() if n != "ctstub"}
    out.append(f"\nPeers: {', '.join(sorted(versions))}.\n")
    for name, measured in parts.items():
        text, rows = table(measured)
        out += [heading(name, measured), text, "\n", *verdicts(measured["part"], rows)]
    for name, measured in list(parts.items())[:1]:
        out.append(FIRST.format(name=name, lost=LOST_MS / 1000))
        for n, row in measured["candidates"].items():
            cells = [first(row[when][key]) for when in ("first_fresh", "first_used") for key in ("idle", "there", "sleep")]
            out.append(f"| {title(n)} | " + " | ".join(cells) + " |\n")
    with open(os.path.join(os.path.dirname(path), "DISTANCE.md"), "w", encoding="utf-8") as f:
        f.write("".join(out))
