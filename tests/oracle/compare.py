"""Runs `ctstub verify` over cases and compares with the model.

  compare.py --ctstub PROGRAM [--count N] [--seed S] [--first-only] [--jobs N] [--keep DIR]

Prints what differs; exit code 0 when nothing does.
"""
import argparse
import base64
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from oracle import crl, model, plan
from oracle.forge import Forge, fingerprint, rfc3339, spki_sha256


def issuer_text(case, target):
    subject = case["certificates"][target]["subject"] if target != "nobody" else "Nobody"
    return f"CN={subject},O=Oracle"


def entry(forge, case, made, kind, target, spelling=None):
    """A disallow entry that names a certificate of the case. spelling: how else it is written, or what is wrong in it."""
    if target == "nobody":
        return {"serial": "serial 0abcdef issuer CN=Nobody,O=Oracle", "issuer": "issuer CN=Nobody,O=Oracle"}.get(kind, f"{kind} {'ab' * 32}")
    certificate = made[target]
    if kind == "serial":
        issuer, serial = case["certificates"][target]["issuer"], f"{certificate.serial_number:x}"
        if spelling == "another serial":
            serial = f"{certificate.serial_number + 1:x}"
        if spelling == "another issuer":
            return f"serial {serial} issuer CN=Nobody,O=Oracle"
        if spelling == "colons":
            serial = ":".join(re.findall("..", "0000" + serial.upper().zfill(len(serial) + len(serial) % 2)))
        return f"serial {serial} issuer {name_text(certificate.issuer, issuer_text(case, issuer), spelling)}"
    if kind == "issuer":
        return f"issuer {name_text(certificate.subject, issuer_text(case, target), spelling)}"
    return f"{kind} {fingerprint(certificate) if kind == 'cert-sha256' else spki_sha256(certificate)}"


def name_text(name, text, spelling):
    if spelling == "der":
        return "der:" + base64.b64encode(name.public_bytes()).decode()
    return text.upper() if spelling == "capitals" else text


def quoted(texts):
    return "{" + ", ".join('"' + t.replace("\\", "\\\\").replace('"', '\\"') + '"' for t in texts) + "}"


def command_of(forge, case, folder):
    """The files of one case and the command line that judges it; by options where there is one, else by a configuration."""
    def write(name, content):
        path = os.path.join(folder, name)
        with open(path, "wb" if isinstance(content, bytes) else "w") as f:
            f.write(content)
        return path
    chain, anchors, made = forge.bytes_of(case)
    chain, anchors = write("chain.pem", chain), write("anchors.pem", anchors)
    logs = write("logs.json", forge.log_list(case["at"] - case["list_age"]))
    disallow = [entry(forge, case, made, *e) for e in case["disallow"]]
    limits = ""
    for key, value in case["constraints"]:
        said = value if key == "permit" else f"{key} {rfc3339(value)}"
        limits += f"cert-sha256 {fingerprint(made[case['anchors'][0]])} {said}\n"
    limits = write("constraints", limits) if limits else ""
    command = ["verify", "--json", "--at", rfc3339(case["at"])]
    crls = [write(f"crl{i}", crl.build(forge, case, made, facts)) for i, facts in enumerate(case["crls"])]
    if case["allow_issuer"] or case["pin"] or case["when_stale"] != "enforce" or case["modes"] or case["report_until"]:
        text = f"ct {{ mode = \"{case['mode']}\" policy = \"{case['policy']}\" log-list = \"{logs}\" when-stale = \"{case['when_stale']}\" }}\n"
        text += f"trust {{ anchors = \"{anchors}\" builtin-disallow = false }}\n"
        if limits:
            text += f"trust {{ constraints-file = {quoted([limits])} }}\n"
        text += f"upstream \"case\" {{ address = {quoted([case['ip']])}\n  name = \"{case['name'] or ''}\"\n  disallow = {quoted(disallow)}\n"
        text += f"  allow-issuer = {quoted([entry(forge, case, made, *e) for e in case['allow_issuer']])}\n"
        text += f"  pin = {quoted([entry(forge, case, made, 'spki-sha256', e) for e in case['pin']])}\n  crl-file = {quoted(crls)}\n"
        text += "".join(f'  {option} = "{mode}"\n' for option, mode in case["modes"].items())
        if case["report_until"]:
            text += f'  report-until = "{rfc3339(case["report_until"])[:10]}"\n'
        text += "}\n"
        command += ["-c", write("case.conf", text), "--upstream", "case"]
    else:
        command += ["--ip", case["ip"], "--ca", anchors, "--ct", case["mode"], "--ct-policy", case["policy"], "--ct-logs", logs]
        if case["name"]:
            command += ["--name", case["name"]]
        if disallow:
            command += ["--disallow", write("disallow", "\n".join(disallow) + "\n")]
        if limits:
            command += ["--constraints", limits]
        for file in crls:
            command += ["--crl", file]
    return command + [chain]


def judge(program, command):
    """What the program says: outcome, reasons, SCT statuses; or what went wrong."""
    try:
        done = subprocess.run([program, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False)
    except subprocess.TimeoutExpired:
        return {"error": "no verdict within a minute"}
    try:
        verdict = json.loads(done.stdout)
        said = {"outcome": verdict["outcome"], "reasons": verdict["reasons"], "scts": [s["status"] for s in verdict["scts"]]}
    except (ValueError, KeyError) as error:
        return {"error": f"exit {done.returncode}: {error!r}: {(done.stderr or done.stdout).decode(errors='replace')[-300:]}"}
    want_code = 0 if said["outcome"] == "accepted" else 1
    if done.returncode != want_code:
        return {"error": f"exit {done.returncode} with outcome {said['outcome']}"}
    return said


def differs(said, want):
    if "error" in said:
        return True
    if said["outcome"] != want["outcome"] or said["reasons"] != want["reasons"]:
        return True
    return want["scts"] is not None and said["scts"] != want["scts"]


class Laid:
    """Cases whose files lie in a folder, to be judged as often as one likes."""

    def __init__(self, cases, folder):
        self.forge, self.cases, self.folder = Forge(plan.WORLD), cases, folder

    def lay(self, number):
        """The command line that judges a case, and the prediction."""
        case = self.cases[number]
        os.makedirs(os.path.join(self.folder, str(number)), exist_ok=True)
        return command_of(self.forge, case, os.path.join(self.folder, str(number))), model.predict(plan.WORLD, case)

    def drop(self, number):
        shutil.rmtree(os.path.join(self.folder, str(number)), ignore_errors=True)

    def title(self, number):
        return f"case {number} ({', '.join(self.cases[number]['changes'])})"


def first_difference(program, laid, rows, jobs=2):
    """The first of the rows (number, (command, prediction)) where the program says something else: a text; else None."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        for start in range(0, len(rows), 32):
            part = rows[start:start + 32]
            for (number, (_, want)), said in zip(part, pool.map(lambda row: judge(program, row[1][0]), part)):
                if differs(said, want):
                    return f"{laid.title(number)}: model {want}, ctstub {said}"
    return None


def run(program, count, seed=1, jobs=2, first_only=False, keep=None, out=sys.stdout):
    """(cases, differences, codes seen)."""
    base = keep or tempfile.mkdtemp(prefix="ctstub-oracle-")
    laid = Laid(plan.draw(count, seed), base)
    wrong, seen = 0, set()

    def one(number):
        command, want = laid.lay(number)
        said = judge(program, command)
        bad = differs(said, want)
        if not (bad and keep):
            laid.drop(number)
        return number, said, want, bad, command
    try:
        with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
            for start in range(0, len(laid.cases), 64):
                for number, said, want, bad, command in pool.map(one, range(start, min(start + 64, len(laid.cases)))):
                    seen |= set(want["reasons"]) | set(want["scts"] or ())
                    if bad:
                        wrong += 1
                        print(f"{laid.title(number)}:\n  model:  {want}\n  ctstub: {said}", file=out)
                        if keep:
                            print(f"  {program} {' '.join(command)}", file=out)
                if wrong and first_only:
                    break
    finally:
        if not keep:
            shutil.rmtree(base, ignore_errors=True)
    return len(laid.cases), wrong, seen


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--ctstub", required=True)
    arguments.add_argument("--count", type=int, default=2200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    arguments.add_argument("--first-only", action="store_true")
    arguments.add_argument("--keep")
    o = arguments.parse_args()
    total, different, _ = run(o.ctstub, o.count, o.seed, o.jobs, o.first_only, o.keep)
    print(f"{total} cases, {different} differ")
    sys.exit(1 if different else 0)
