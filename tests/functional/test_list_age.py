"""A list of CT logs that gets old: warned of in the log, in the status, in the metrics and by the exit code."""
import json

from harness.case import case, check, equal, rows
from harness.daemon import Daemon
from harness.pki import DAY, Log, log_list, utc_now

UPSTREAM = 'upstream "nobody" { address = {"127.0.0.1"} port = 1 }'


def listed(t, days):
    return t.write(f"logs-{days}.json", log_list([Log("Alpha 1", "Alpha"), Log("Beta 1", "Beta")], utc_now() - days * DAY))


def daemon(t, days):
    return Daemon(t, UPSTREAM, ct=None, extra=f'ct {{ log-list = "{listed(t, days)}" }}')


def status(t, d, *options):
    code, out, err = t.run("ctstub", "status", "--socket", d.control, *options)
    check(out, err)
    return code, out


@rows([
    ("a list of 29 days is fresh", 29, "fresh", 0),
    ("a list of 31 days gets a warning", 31, "ageing", 1),
    ("a list of 46 days gets a warning", 46, "old", 2),
    ("a list of 61 days gets a warning", 61, "urgent", 3),
    ("a list of 71 days is stale", 71, "stale", 4),
    ("a list of three years is stale", 1095, "stale", 4),
])
def ages(t, days, step, number):
    d = daemon(t, days)
    code, out = status(t, d, "--json")
    equal((code, json.loads(out)["log_list"]["step"]), (1 if number else 0, step), "status")
    code, out = status(t, d)
    equal((code, "renew the file that ct.log-list names" in out, "ct-logs update" in out), (1 if number else 0, number > 0, False), f"status for people {out}")
    code, out, _ = t.run("ctstub", "stats", "--prometheus", "--socket", d.control)
    check(f"ctstub_ct_list_step {number}" in out, out)
    lines = [line for line in d.log().splitlines() if "ct-list-ageing" in line]
    equal([f"step={step}" in line and f"renew={t.path(f'logs-{days}.json')}" in line and f"age_days={days}" in line.split() for line in lines], [True] if number else [], f"log {lines}")


@case("without log-list the remedy for an old list is ct-logs update", builds=("gcc",))
def own_list(t):
    d = Daemon(t, UPSTREAM, ct=None, extra='ct { list-max-age = "1d" }')
    code, out = status(t, d)
    check(code == 1 and "older than ct.list-max-age: run `ctstub ct-logs update`\n" in out, f"{code} {out}")
    check('run="ctstub ct-logs update"' in d.log(), d.log())


@rows([("a reload with a newer list ends the warning, one with an old list repeats it", 46)], builds=("gcc",))
def renewed(t, days):
    d = daemon(t, days)
    d.write(UPSTREAM, f'ct {{ log-list = "{listed(t, 1)}" }}')
    equal(t.run("ctstub", "reload", "--socket", d.control)[0], 0, "reload")
    equal(status(t, d)[0], 0, "exit code with the newer list")
    d.write(UPSTREAM, f'ct {{ log-list = "{listed(t, 61)}" }}')
    equal(t.run("ctstub", "reload", "--socket", d.control)[0], 0, "reload")
    equal(status(t, d)[0], 1, "exit code with the older list")
    equal(d.log().count("ct-list-ageing"), 2, "lines of the log")
