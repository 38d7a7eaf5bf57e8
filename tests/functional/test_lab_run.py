"""ctstub-lab run: our daemon in cells where the resolver really is 1.1.1.1, against every scenario; a client that checks
nothing, which the lab must catch; and what an interrupt leaves behind: nothing."""
import json
import os
import re
import signal
import subprocess
import time

from harness.case import Skip, check, case, equal, rows, until


def run(t, adapter, *options, ok=(0, 1), timeout=900):
    """The results of ctstub-lab run."""
    out = t.path("results.json")
    adapters = os.path.join(t.src, "contrib", "lab", "adapters")
    command = ["ctstub-lab", "run", "--client", adapter, "--adapters", adapters, "--out", out, *options]
    code, text, err = t.run(*command, timeout=timeout, env=t.env(CTSTUBD=t.program("ctstubd")))
    if "no namespaces for this user" in err:
        raise Skip("no namespaces for this user")
    check(code in ok, f"exit code {code}: {text[-500:]} {err[-500:]}")
    with open(out, encoding="utf-8") as f:
        return code, text, json.load(f)["results"]


def no_byte_to_impostors(results):
    for r in results:
        if r["strict"] == "refuse" and r["reason"] and r["group"] not in ("protocol", "downgrade"):
            equal(r["server"]["bytes"], 0, f"{r['scenario']}: bytes of application data that the impostor got")


@rows([
    ("ctstub against every scenario over DoT, and not a byte to an impostor", []),
    ("ctstub against every scenario over DoH, and not a byte to an impostor", ["--doh"]),
], timeout=900, builds=("gcc",))
def wire(t, options):
    _, text, results = run(t, "ctstub", *options)
    wrong = [f"{r['scenario']}: {r['outcome']} {r['ede']} {r['detail']}, not {r['strict']} {r['reason']}" for r in results
             if r["mark"] == "fail"]
    check(not wrong, "; ".join(wrong) + text[-200:])
    check(len(results) > 200, f"only {len(results)} scenarios")
    no_byte_to_impostors(results)
    for r in results:
        if r["outcome"] == "refused":
            check(r["ms"] < 5000, f"{r['scenario']}: SERVFAIL after {r['ms']} ms")


@rows([("a sample of the scenarios under the sanitizers", "s*"), ("the downgrade scenarios under the sanitizers", "blocked*")],
      builds=("san",), timeout=400)
def sample(t, glob):
    _, _, results = run(t, "ctstub", "--patience", "30s", "--scenario", glob)
    wrong = [f"{r['scenario']}: {r['outcome']} {r['ede']} {r['detail']}" for r in results if r["mark"] == "fail"]
    check(results and not wrong, "; ".join(wrong) or "no scenario")


@case("an answer over a resumed session, and none from a chain that has expired since", timeout=200)
def sessions(t):
    _, _, results = run(t, "ctstub", "--scenario", "*resum*")
    found = {r["scenario"]: r for r in results}
    check(found["good-resumption"]["resumed"], "the second connection was not resumed")
    equal(found["resumed-expired"]["outcome"], "refused", "resumed-expired")


@rows([
    ("the careless client is caught in every scenario over DoT", []),
    ("the careless client is caught in every scenario over DoH", ["--doh"]),
], timeout=900, needs=("kdig",), builds=("gcc",))
def careless(t, options):
    adapter = os.path.join(t.src, "tests", "functional", "lab_careless")
    _, _, results = run(t, adapter, *options)
    for r in results:
        if r["mark"] == "skip" or r["strict"] != "refuse":
            continue
        if r["group"] == "downgrade" and r["scenario"] not in ("blocked-forged", "blocked-old-tls"):
            equal(r["outcome"], "fallback", r["scenario"])
        elif r["group"] not in ("protocol", "downgrade"):
            # what no client could take part in ends in clear text; everything else is believed
            check(r["outcome"] in ("accepted", "fallback"), f"{r['scenario']}: {r['outcome']}")
        check(r["mark"] == "fail" or r["group"] == "protocol", f"{r['scenario']} was not caught: {r['outcome']}")


@case("who takes no good resolver either gets nothing for refusing an impostor", timeout=120)
def void(t):
    adapter = os.path.join(t.src, "tests", "functional", "lab_deaf")
    _, text, results = run(t, adapter, "--scenario", "no-sct")
    equal({r["scenario"]: (r["outcome"], r["mark"]) for r in results},
          {"good-v4": ("refused", "fail"), "no-sct": ("refused", "void")}, "outcomes")
    check("it never connected" in {r["scenario"]: r["detail"] for r in results}["good-v4"], "how far it came")
    check("0 of" in text and "refusals say nothing" in text, text)
    code, _, err = t.run("ctstub-lab", "report", "--markdown", t.path("r.md"), "--html", t.path("r.html"), t.path("results.json"))
    equal(code, 0, f"exit code; {err}")
    for name in ("r.md", "r.html"):
        with open(t.path(name), encoding="utf-8") as f:
            page = f.read()
        check("void" in page and "does not take a good resolver (good-v4, refused: it never connected)" in page, name)


def offspring(pid):
    """The process and everything below it, as numbers of this machine."""
    below = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as f:
                below.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
        except OSError:
            continue
    found, fresh = [], [pid]
    while fresh:
        found += fresh
        fresh = [child for parent in fresh for child in below.get(parent, [])]
    return found


def namespaces(pids):
    """The network and process namespaces of these processes, as far as we may see."""
    found = set()
    for pid in pids:
        for kind in ("net", "pid"):
            try:
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError:
                continue
    return found


def lives_since(pid):
    """When the process began, in seconds of boot time; never, when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return int(f.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return float("inf")


def namespaces_older_than(seconds):
    """Those in which a process lives that began before. The numbers of namespaces are given again: without the time, a
    stranger's fresh one would be taken for one that was left."""
    return namespaces(pid for pid in filter(str.isdigit, os.listdir("/proc")) if lives_since(pid) < seconds)


def run_folders(pids):
    """The folders of lab runs in which these processes work, or of which they were told."""
    found = set()
    for pid in pids:
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as f:
                    found.update(re.findall(r"/tmp/ctstub-lab-run\.\w+", f.read()))
                found.update(re.findall(r"/tmp/ctstub-lab-run\.\w+", os.readlink(f"/proc/{pid}/cwd")))
            except OSError:
                continue
    return found


@rows([("an interrupt leaves no process, mount, namespace or folder behind", signal.SIGINT),
       ("neither does a termination", signal.SIGTERM),
       ("a kill leaves no process and no namespace behind", signal.SIGKILL)], needs=("kdig",), timeout=120)
def interrupted(t, number):
    adapter = os.path.join(t.src, "tests", "functional", "lab_careless")
    own, folders = namespaces(["self"]), set()
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        mounts = f.read()
    process = t.spawn("lab", [t.program("ctstub-lab"), "run", "--client", adapter, "--scenario", "silent-*", "--jobs", "4"])
    process.expect = None
    theirs = set()

    def begun():
        pids = offspring(process.popen.pid)
        theirs.update(namespaces(pids) - own)
        folders.update(run_folders(pids))
        return len(theirs) >= 2 and folders or not process.alive()
    until(begun, 20, "trials have begun")
    if "no namespaces for this user" in process.log():
        raise Skip("no namespaces for this user")
    check(theirs, "no trial has begun")
    begun()
    process.popen.send_signal(number)
    equal(process.popen.wait(20), -number if number == signal.SIGKILL else 3, "exit code")
    ended = time.clock_gettime(time.CLOCK_BOOTTIME)
    until(lambda: not theirs & namespaces_older_than(ended), 10, "no namespace is left")
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        equal(f.read(), mounts, "mounts")
    if number == signal.SIGKILL:
        for name in folders:
            subprocess.run(["rm", "-rf", name], check=True)
    equal([name for name in folders if os.path.exists(name)], [], "folders of runs")
