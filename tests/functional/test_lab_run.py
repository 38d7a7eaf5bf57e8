"""The whole lab against our daemon, in cells where the resolver really is 1.1.1.1: what ctstub-lab run says of it, and that it
leaves nothing behind."""
import glob
import json
import os
import signal
import subprocess

from harness.case import Skip, case, check, equal, rows, until


def run_lab(t, client, *options, results=None):
    results = results or t.path("results.json")
    command = [t.program("ctstub-lab"), "run", "--client", client, "--adapters", os.path.join(t.src, "contrib", "lab", "adapters"),
               "--out", results, *options]
    done = subprocess.run(command, env=t.env(CTSTUBD=t.program("ctstubd")), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=900, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode not in (0, 1):
        if "namespace" in said or "unshare" in said or "not permitted" in said:
            raise Skip(said.strip()[-200:])
        raise AssertionError(f"exit code {done.returncode}: {said[-600:]}")
    with open(results, encoding="utf-8") as f:
        return done.returncode, json.load(f)["results"]


@rows([("every scenario over DoT: as a strict client must, no byte reaches a refused impostor, no clear text", ()),
       ("every scenario over DoH: as a strict client must, no byte reaches a refused impostor, no clear text", ("--doh",))],
      builds=("gcc",), timeout=600)
def ours(t, options):
    code, results = run_lab(t, "ctstub", *options)
    check(len(results) > 150, f"{len(results)} scenarios")
    wrong = [f"{r['scenario']}: {r['mark']} {r['outcome']} {r['ede']} {r['detail']}" for r in results if r["mark"] not in ("pass", "note")]
    check(not wrong, f"{len(wrong)} of {len(results)}: " + "; ".join(wrong))
    equal(code, 0, "exit code")
    for r in results:
        if r["outcome"] == "refused" and r["group"] in ("identity", "chain", "transparency", "misissuance", "revocation"):
            equal(r["server"]["bytes"], 0, f"{r['scenario']}: bytes of application data")


@rows([("a sample of the scenarios under the sanitizers", ("--scenario", "s*")), ("the downgrade scenarios under the sanitizers", ("--scenario", "blocked*"))],
      builds=("san",), timeout=400)
def sample(t, options):
    _, results = run_lab(t, "ctstub", "--patience", "30s", *options)
    wrong = [f"{r['scenario']}: {r['mark']} {r['outcome']} {r['ede']} {r['detail']}" for r in results if r["mark"] not in ("pass", "note")]
    check(results and not wrong, "; ".join(wrong) or "no scenario")


@case("the careless client (a kdig that checks nothing) is caught where it should be: the lab's negative control", builds=("gcc",), timeout=400)
def careless(t):
    adapter = t.write("careless", """#!/bin/sh
case ${1:-} in
describe)
	echo "name: careless"
	echo "version: 1"
	echo "kind: command"
	echo "protocols: dot"
	echo "identity: none"
	echo "reasons: no"
	;;
config) echo "kdig +tls" ;;
ask) exec kdig "@$LAB_IP" -p "$LAB_PORT_TLS" +tls +short +retry=0 +timeout=4 "$2" A ;;
*) exit 64 ;;
esac
""")
    os.chmod(adapter, 0o755)
    code, results = run_lab(t, adapter, "--scenario", "*-address*")
    caught = [r["scenario"] for r in results if r["strict"] == "refuse" and r["mark"] not in ("pass", "skip", "note")]
    asked = [r for r in results if r["strict"] == "refuse" and r["mark"] != "skip"]
    check(asked, "nothing was asked")
    equal(len(caught), len(asked), f"scenarios in which it is caught ({[(r['scenario'], r['outcome']) for r in asked]})")
    equal(code, 1, "exit code")


@case("SIGINT in the middle leaves no process, mount or folder behind", builds=("gcc",), timeout=120)
def interrupted(t):
    def leftovers():
        out = subprocess.run(["ps", "-eo", "pid,args"], stdout=subprocess.PIPE, check=True).stdout.decode()
        mine = [line for line in out.splitlines() if t.dir in line and "harness" not in line]
        return mine
    before = set(glob.glob("/tmp/ctstub-lab-run.*"))
    p = t.spawn("run", [t.program("ctstub-lab"), "run", "--client", "ctstub", "--adapters", os.path.join(t.src, "contrib", "lab", "adapters"),
                        "--out", t.path("results.json")], env=t.env(CTSTUBD=t.program("ctstubd")))
    p.expect = None
    until(lambda: set(glob.glob("/tmp/ctstub-lab-run.*")) - before or not p.alive(), 20, "it has begun")
    mine = set(glob.glob("/tmp/ctstub-lab-run.*")) - before
    p.signal(signal.SIGINT)
    p.popen.wait(20)
    until(lambda: not any(os.path.exists(m) for m in mine), 10, f"its folders are gone: {mine}")
    until(lambda: not leftovers(), 10, "its processes are gone")
    with open("/proc/self/mounts", encoding="ascii") as f:
        check("ctstub-lab" not in f.read(), "a mount is left")
