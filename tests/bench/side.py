"""Side by side: every candidate in turn, started anew, round after round. Only numbers come out; bench/report.py judges them."""
import os
import time

from bench.world import Missing, cpu_seconds, fresh, full, resident, say
from bench.candidates import CANDIDATES

NAMES = 1000           # in the cache when memory is taken and cached questions are asked
RATES = (1000, 3000, 10000, 30000)
CACHED_RATES = (1000, 10000)
JUDGED_RATES = (1000, 10000)  # uncached; of these a target judges p50 and p99
HOPELESS = 0.2         # with a greater part unanswered at one rate, higher rates are not tried
DRAIN = 10             # seconds in which a candidate that was flooded must answer again


def cost(bench, process, *options, seconds=None):
    """A load, and what the candidate spent for each good answer, in microseconds of processor time."""
    before = cpu_seconds(process.pid)
    row = bench.load(*options, seconds=seconds)
    row["cpu_us"] = round((cpu_seconds(process.pid) - before) / max(row["answered"], 1) * 1e6, 3)
    return row


def bad_part(row):
    return (row["failed"] + row["lost"]) / max(row["sent"], 1)


def at_rate(bench, process, rate, *options, longer=1.0):
    """The lowest rate takes longer, so that its percentiles have something to stand on."""
    seconds = bench.options.seconds * longer * (1.5 if rate == RATES[0] else 0.75)
    return cost(bench, process, "--rate", str(rate), *options, seconds=seconds)


def at_rates(bench, process, name, rates, which, judged=()):
    """The percentiles of a rate that a target judges come from four times as many questions."""
    rows = {}
    for rate in rates:
        bench.wait_for(bench.answered, process, name, DRAIN)
        rows[str(rate)] = at_rate(bench, process, rate, *which(), longer=4 if rate in judged else 1)
        if bad_part(rows[str(rate)]) > HOPELESS:
            break
    return rows


def common():
    return "--names", str(NAMES)


def measure_echo(bench, process, row):
    row["cached"] = cost(bench, process, "--echo", *full(), *common())
    row["dnsperf"] = bench.dnsperf(NAMES)
    row["cached_rates"] = {str(r): at_rate(bench, process, r, "--echo", *common()) for r in CACHED_RATES}


def measure_uncached(bench, process, name, row):
    rates = [r for r in RATES if r <= bench.options.rates]
    row["uncached_rates"] = at_rates(bench, process, name, rates, fresh, JUDGED_RATES)
    bench.wait_for(bench.answered, process, name, DRAIN)
    row["uncached"] = cost(bench, process, *full(), *fresh())


def measure(bench, name):
    """One round with one candidate. What it could not do is missing in the row."""
    candidate, row = CANDIDATES[name], {}
    command, began = candidate.command(bench), time.monotonic()
    cores = bench.core if candidate.threads == 1 else bench.core | bench.others
    process = bench.start(command, name, cores, candidate.env(bench))
    try:
        bench.wait_for(bench.answered, process, name)
        if name == "echo":
            measure_echo(bench, process, row)
            return row
        if name == "relay":
            measure_uncached(bench, process, name, row)
            return row
        row["start_ms"] = round((time.monotonic() - began) * 1000, 2)
        bench.load("--window", "48", *common(), "--count", str(NAMES))
        row["own_mib"], row["files_mib"] = (round(part, 3) for part in resident(process.pid))
        row["cached"] = cost(bench, process, *full(), *common())
        row["dnsperf"] = bench.dnsperf(NAMES)
        row["cached_rates"] = at_rates(bench, process, name, CACHED_RATES, common)
        measure_uncached(bench, process, name, row)
    except Missing as error:
        if "cached" not in row:
            raise
        row["gave_up"] = str(error).replace(bench.dir, "")
    finally:
        bench.end(process)
    return row


def run(bench):
    """{"rounds": [{candidate: row}], "load": [load average before each round], "missing": {candidate: why}}"""
    bench.upstream()
    out = {"names": NAMES, "seconds": bench.options.seconds, "rounds": [], "load_average": [], "missing": {}}
    for i in range(bench.options.rounds):
        out["load_average"].append([round(x, 2) for x in os.getloadavg()])
        rows = {}
        for name in bench.options.only or CANDIDATES:
            if name in out["missing"]:
                continue
            try:
                rows[name] = measure(bench, name)
            except (Missing, OSError) as error:
                if not CANDIDATES[name].package:
                    raise
                out["missing"][name] = str(error).replace(bench.dir, "")
                say(f"# {name}: {error}")
        out["rounds"].append(rows)
        say(f"# round {i + 1} of {bench.options.rounds}: {len(rows)} candidates")
    return out
