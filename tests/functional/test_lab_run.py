"""ctstub-lab run: our daemon in cells where the resolver really is 1.1.1.1, against every scenario; a client that checks
nothing, which the lab must catch; and what an interrupt leaves behind: nothing."""
import json
import os
import re
import signal
import subprocess
import time

from harness.case import Skip, check, case, equal, rows, until
from harness.patience import patient


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
    ("ctstub passes every scenario over DoT, and sends no byte of a question to an impostor", []),
    ("ctstub passes every scenario over DoH, and sends no byte of a question to an impostor", ["--doh"]),
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


@case("a client that also refuses the good resolver scores void, not ok", timeout=120)
def void(t):
    adapter = os.path.join(t.src, "tests", "functional", "lab_deaf")
    _, text, results = run(t, adapter, "--scenario", "no-sct")
    equal({r["scenario"]: (r["outcome"], r["mark"]) for r in results},
          {"good-v4": ("refused", "fail"), "no-sct": ("refused", "void")}, "outcomes")
    check("it never connected" in {r["scenario"]: r["detail"] for r in results}["good-v4"], "how far it came")
    check("0 of" in text and "refusals prove nothing" in text, text)
    code, _, err = t.run("ctstub-lab", "report", "--markdown", t.path("r.md"), "--html", t.path("r.html"), t.path("results.json"))
    equal(code, 0, f"exit code; {err}")
    for name in ("r.md", "r.html"):
        with open(t.path(name), encoding="utf-8") as f:
            page = f.read()
        check("void" in page and "does not accept a good resolver (good-v4, refused: it never connected)" in page, name)


def marked(mark):
    """The processes of this machine that were told the mark in their environment, wherever they are by now."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if mark.encode() in f.read():
                    found.append(pid)
        except OSError:
            continue
    return found


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


def cells(pids):
    """How many of these processes live in a network of their own."""
    def network(pid):
        try:
            return os.readlink(f"/proc/{pid}/ns/net")
        except OSError:
            return None
    return len({network(pid) for pid in pids} - {network("self"), None})


def own_mounts(t):
    """The mounts of this machine, without those that other tests make in folders of their own."""
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        return [line for line in f if t.dir in line or "/ctstub-test-" not in line]


MOMENTS = (0, 0.02, 0.1, 0.3, 0.8, None)  # seconds after the start; None: when trials are under way


@rows([("an interrupt leaves no process, mount, namespace or folder behind", signal.SIGINT, os.kill),
       ("an interrupt from the keyboard, which reaches all processes, leaves nothing behind", signal.SIGINT, os.killpg),
       ("SIGTERM leaves no process, mount, namespace or folder behind", signal.SIGTERM, os.kill),
       ("SIGKILL leaves no process and no namespace behind", signal.SIGKILL, os.kill)], needs=("kdig",), timeout=240)
def interrupted(t, number, send):
    adapter = os.path.join(t.src, "tests", "functional", "lab_careless")
    mounts = own_mounts(t)
    # who is killed leaves a folder, which can be found by then only
    for i, moment in enumerate(MOMENTS if number != signal.SIGKILL else (None, None, None)):
        mark, folders = f"LAB_TEST_MARK={os.getpid()}-{t.dir}-{i}", set()
        process = t.spawn("lab", [t.program("ctstub-lab"), "run", "--client", adapter, "--scenario", "silent-*", "--jobs", "4"],
                          env=t.env(LAB_TEST_MARK=mark.partition("=")[2]),
                          # who is started in the background ignores it from the start
                          preexec=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        process.expect = None

        def begun():
            pids = marked(mark)
            folders.update(run_folders(pids))
            return cells(pids) >= 2 and folders or not process.alive()
        if moment is None:
            until(begun, 20, "trials have begun")
            if "no namespaces for this user" in process.log():
                raise Skip("no namespaces for this user")
            check(process.alive(), f"no trial has begun: {process.log()[-300:]}")
        else:
            time.sleep(moment)
        begun()
        send(process.pid, number)
        # before it has said what an interrupt shall do there is nothing to be cleaned
        check(process.popen.wait(patient(20)) in (3, -number), f"{moment}: exit code {process.popen.returncode}")
        until(lambda: not marked(mark), 10, "no process is left")
        if number == signal.SIGKILL:
            for name in folders:
                subprocess.run(["rm", "-rf", name], check=True)
        equal([name for name in folders if os.path.exists(name)], [], f"{moment}: folders of runs")
    equal(own_mounts(t), mounts, "mounts")


ADAPTERS = "contrib/lab/adapters"


@rows([
    ("an adapter that does not exist", ("--client", "nobody"), 2, "nobody: no such adapter in "),
    ("an adapter with a path that does not exist", ("--client", "./nobody"), 2, "./nobody: no such program"),
    ("no client", (), 2, "the command line is wrong (ctstub-lab help run)"),
    ("an unknown option", ("--client", "ctstub", "--nonsense"), 2, "--nonsense: unknown option"),
    ("a number out of range", ("--client", "ctstub", "--jobs", "0"), 2, "--jobs 0: a number from 1 to 64 was expected"),
    ("no scenario of that name", ("--client", "ctstub", "--scenario", "nothing-*"), 2, "--scenario nothing-*: no such scenario over this protocol"),
], builds=("gcc",))
def json_of_failure(t, arguments, want, error):
    code, text, err = t.run("ctstub-lab", "run", *arguments, "--json", "--adapters", os.path.join(t.src, ADAPTERS), env=t.env(CTSTUBD=t.program("ctstubd")))
    equal(code, want, err)
    found = json.loads(text)
    check(list(found) == ["error", "errors"] and found["error"].startswith(error), f"printed: {found}")
    equal(found["errors"][0], found["error"], "the first of all errors")
    check(err != "", "standard error is empty")
    code, text, _ = t.run("ctstub-lab", "run", *arguments, "--adapters", os.path.join(t.src, ADAPTERS), env=t.env(CTSTUBD=t.program("ctstubd")))
    equal((code, text), (want, ""), "without --json")


@case("run without namespaces reports it once, writes no results, and exits with code 3", builds=("gcc",))
def no_namespaces(t):
    out = t.path("results.json")
    script = 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" run --client ctstub --adapters "$1" --out "$2" $3'
    code, text, err = t.run("/usr/bin/unshare", "--user", "--map-root-user", "sh", "-c", script, t.program("ctstub-lab"),
                            os.path.join(t.src, "contrib", "lab", "adapters"), out, env=t.env(CTSTUBD=t.program("ctstubd")))
    if "unshare" in err or "max_net_namespaces" in err:
        raise Skip(f"no user namespace to switch network namespaces off in: {err.strip()}")
    equal((code, text), (3, ""), f"exit code and output; {err}")
    equal([line.partition(":")[2][:30] for line in err.splitlines()], [" no namespaces for this user: "], f"standard error: {err}")
    check(not os.path.exists(out), "there are results")
    code, text, err = t.run("/usr/bin/unshare", "--user", "--map-root-user", "sh", "-c", script, t.program("ctstub-lab"),
                            os.path.join(t.src, "contrib", "lab", "adapters"), out, "--json", env=t.env(CTSTUBD=t.program("ctstubd")))
    equal((code, list(json.loads(text))), (3, ["error", "errors"]), f"with --json; {err}")
