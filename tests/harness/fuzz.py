"""Fuzzing with two engines, the coverage of the inputs, and the table of all runs so far.

  python3 -m harness.fuzz --table                adds nothing, prints the table
  python3 -m harness.fuzz --add FILE             adds the runs of a file (build-tests/fuzz-runs.jsonl) to tests/fuzz/runs.json
"""
import argparse
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from harness import coverage

# Limits of one input. The target itself measures its processor time (tests/fuzz/limits.c); the engine's own limit is in wall
# time and only stops inputs that never end, also on a busy machine.
ENDLESS_S = 120
RSS_MB = 256
INPUT_BYTES = 65535
# ASan's quarantine, in which freed memory waits so that a use after free is detected, counts as memory: with its default of 256 MiB
# no limit could be met.
ASAN = "abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1:allocator_may_return_null=1:quarantine_size_mb=16"
UBSAN = "halt_on_error=1:print_stacktrace=1"
AFL_GRACE_S = 60  # its dry run over the stored inputs is not bounded by -V

# target: a pattern of the files that it tests, for which coverage is reported
MEANT_FOR = {
    "anchor_limits": r"verify/anchor_limits\w*\.c",
    "cert": r"verify/x509/(cert\w*|der|name|nameconstraints|identity)\.c",
    "certmessage": r"transport/tls_peer\.c",
    "config": r"config/\w+\.c|resolver/(plan|routes|filter|hosts|local_data|rebinding)\.c",
    "control": r"resolver/daemon/control_(json|value)\.c",
    "crl": r"verify/revocation/\w+\.c",
    "ctextensions": r"verify/ct/sct\.c",
    "ctlogs_header": r"verify/ct/ctlogs_header\.c",
    "ctlogs_json": r"verify/ct/ctlogs\w*\.c",
    "der": r"verify/x509/der\.c",
    "disallow": r"verify/(disallow|cert_match)\w*\.c",
    "doh": r"transport/doh\w*\.c",
    "dot": r"transport/dot\.c|base/dns/padding\.c",
    "entries": r"contrib/watch/entries\w*\.c",
    "feed": r"contrib/watch/feed\.c|verify/minisign\.c",
    "h2": r"transport/doh\w*\.c",
    "head": r"verify/ct/head\.c",
    "journal": r"base/(journal\w*|jsonl)\.c",
    "lists": r"resolver/(hosts|filter)\.c",
    "name": r"verify/x509/name\w*\.c",
    "onecrl": r"verify/onecrl\.c",
    "policy": r"verify/(judge\w*|path_policy|verdict\w*)\.c|verify/ct/(ctpolicy|sctcheck)\.c|verify/x509/(path\w*|usage)\.c",
    "portal": r"contrib/portal/(question|resolvers)\.c|base/dns/portal_message\.c",
    "proof": r"verify/ct/tree\.c",
    "question": r"base/dns/message\w*\.c",
    "reply": r"base/dns/message\w*\.c|resolver/cache\w*\.c",
    "resolver": r"resolver/\w+\.c",
    "sct": r"verify/ct/sct\.c",
    "settings": r"config/(reader|parse|options|forms|print|settings_read|check)\.c",
    "staple": r"verify/revocation/\w+\.c",
    "text": r"base/text\w*\.c",
    "tile": r"contrib/watch/gzip\.c|verify/ct/entry\.c",
    "tls": r"transport/(tls\w*|ticket)\.c",
    "tool": r"cli/(control|status_print|protection|cmd_(status|upstreams|stats|reload|flush|captive|log_level))\.c",
    "verify": r"verify/\w+\.c|verify/x509/\w+\.c",
    "walker": r"base/dns/message\w*\.c",
    "watch_list": r"contrib/watch/watch_list\.c",
}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def environment(source, afl=False):
    """afl: AFL++ reads reports of crashes itself, and must not stop at the start because of settings of the machine."""
    asan = ASAN + (":symbolize=0:detect_leaks=0" if afl else "")
    env = dict(os.environ, ASAN_OPTIONS=asan, UBSAN_OPTIONS=UBSAN, FUZZ_CORPUS=os.path.join(source, "tests/fuzz/corpus"))
    if afl:
        env.update(AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES="1", AFL_SKIP_CPUFREQ="1", AFL_NO_AFFINITY="1", AFL_NO_UI="1",
                   AFL_IGNORE_PROBLEMS="1", AFL_SKIP_BIN_CHECK="1")
    return env


class Fuzzed:
    """One run of one engine on one target."""

    def __init__(self, target, engine):
        self.record = {"target": target, "engine": engine, "date": now(), "cpu_s": 0, "executions": 0, "edges": 0, "findings": 0}
        self.why = None   # it failed: what was found
        self.skip = None  # it could not run


def spent(command, env, log, seconds):
    """(exit code or None when it had to be ended, processor seconds of it and its children)."""
    with open(log, "wb") as out:
        child = subprocess.Popen(["nice", *command], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 start_new_session=True)
        until, code, used = time.monotonic() + seconds, None, None
        while used is None:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                used, code = usage.ru_utime + usage.ru_stime, os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                os.killpg(child.pid, signal.SIGKILL)
                _, _, usage = os.wait4(child.pid, 0)
                used = usage.ru_utime + usage.ru_stime
            else:
                time.sleep(0.2)
        child.returncode = code if code is not None else -9
    return code, used


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def libfuzzer(program, target, seconds, source, grown, artifacts, log):
    """Runs the stored inputs and those that earlier runs found, then new ones."""
    done = Fuzzed(target, "libFuzzer")
    dictionary = os.path.join(source, "tests/fuzz", f"{target}.dict")
    command = [program, f"-max_total_time={seconds}", f"-timeout={ENDLESS_S}", f"-rss_limit_mb={RSS_MB}", f"-max_len={INPUT_BYTES}",
               "-print_final_stats=1", f"-artifact_prefix={artifacts}/{target}-", grown, os.path.join(source, "tests/fuzz/corpus", target)]
    if os.path.exists(dictionary):
        command.append(f"-dict={dictionary}")
    code, done.record["cpu_s"] = spent(command, environment(source), log, seconds + 300)
    text = read(log)
    executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
    edges = re.findall(r"\bcov: (\d+)", text)
    done.record["executions"] = int(executions.group(1)) if executions else 0
    done.record["edges"] = int(edges[-1]) if edges else 0
    if code != 0:
        done.record["findings"] = 1
        done.why = f"ended with {code}"
    return done


def afl(program, target, seconds, source, folder, log):
    """The same target in AFL++'s persistent mode; the stored inputs are its seeds."""
    done = Fuzzed(target, "AFL++")
    seeds = os.path.join(source, "tests/fuzz/corpus", target)
    shutil.rmtree(folder, ignore_errors=True)
    command = ["afl-fuzz", "-V", str(seconds), "-m", "none", "-t", str(ENDLESS_S * 1000), "-i", seeds, "-o", folder]
    dictionary = os.path.join(source, "tests/fuzz", f"{target}.dict")
    if os.path.exists(dictionary):
        command += ["-x", dictionary]
    code, done.record["cpu_s"] = spent([*command, "--", program], environment(source, afl=True), log, seconds + AFL_GRACE_S)
    facts = dict(re.findall(r"^(\w+)\s*: (.*)$", read(os.path.join(folder, "default/fuzzer_stats")), re.M))
    if not facts and "crashed with one of the test cases" in read(log):
        done.record["findings"] = 1
        done.why = "a stored input crashes it"
        return done
    if not facts:
        why = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", read(log)).splitlines() if "PROGRAM ABORT" in line or "SYSTEM ERROR" in line or "[-]" in line]
        done.skip = why[0].strip() if why else f"afl-fuzz ended with {code}"
        return done
    done.record["executions"] = int(facts.get("execs_done", 0))
    done.record["edges"] = int(facts.get("edges_found", 0))
    done.record["findings"] = int(facts.get("saved_crashes", 0)) + int(facts.get("saved_hangs", 0))
    if done.record["findings"]:
        done.why = f"{facts.get('saved_crashes')} crashes and {facts.get('saved_hangs')} hangs, in {folder}/default"
    return done


def reached(build, source, target, folders, profiles):
    """(lines reached, lines in all) of the files that the target tests, by its inputs replayed in the build with coverage."""
    shutil.rmtree(profiles, ignore_errors=True)
    os.makedirs(profiles)
    program = f"tests/fuzz/fuzz_{target}"
    subprocess.run([os.path.join(build, program), *folders], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=1800,
                   env=dict(environment(source), LLVM_PROFILE_FILE=os.path.join(profiles, "%c%m.profraw")))
    files = coverage.measure(build, source, profiles, [program])
    meant = [f for name, f in files.items() if re.fullmatch(MEANT_FOR[target], name)]
    return coverage.total(meant)[:2]


# ---- the table in the tree

def table_path(top):
    return os.path.join(top, "tests/fuzz/runs.json")


def load(top):
    try:
        with open(table_path(top), encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def add(runs, record):
    """runs: {target: {engine: sums}}."""
    sums = runs.setdefault(record["target"], {}).setdefault(record["engine"], {"cpu_s": 0, "executions": 0, "edges": 0, "findings": 0})
    for key in ("cpu_s", "executions", "findings"):
        sums[key] += record[key]
    sums["cpu_s"] = round(sums["cpu_s"])
    sums["edges"] = max(sums["edges"], record["edges"])
    sums["last"] = max(sums.get("last", ""), record["date"])
    if record.get("lines"):
        runs[record["target"]]["lines"] = record["lines"]


def save(top, runs):
    with open(table_path(top), "w", encoding="utf-8") as f:
        json.dump(runs, f, indent=1, sort_keys=True)
        f.write("\n")


def table(runs):
    yield f"{'target':<16}{'engine':<11}{'CPU hours':>10}{'executions':>14}{'edges':>8}{'findings':>10}{'lines reached':>16}  last"
    for target in sorted(runs):
        lines = runs[target].get("lines")
        said = f"{coverage.share(*lines):.1f} %" if lines else "-"
        for engine, sums in sorted(runs[target].items()):
            if engine != "lines":
                yield (f"{target:<16}{engine:<11}{sums['cpu_s'] / 3600:>10.2f}{sums['executions']:>14}{sums['edges']:>8}"
                       f"{sums['findings']:>10}{said:>16}  {sums['last'][:10]}")


def main(argv):
    arguments = argparse.ArgumentParser(prog="harness.fuzz")
    arguments.add_argument("--table", action="store_true", help="print the table")
    arguments.add_argument("--add", help="a file of runs, one JSON object a line")
    options = arguments.parse_args(argv)
    top = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    runs = load(top)
    if options.add:
        with open(options.add, encoding="utf-8") as f:
            for line in f:
                add(runs, json.loads(line))
        save(top, runs)
    print("\n".join(table(runs)))


if __name__ == "__main__":
    main(sys.argv[1:])
