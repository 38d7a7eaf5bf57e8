"""The verbs of ctstub alike: every option explained, every failure as JSON when that was asked for."""
import json
import os
import re
import shutil
import socket

from harness.case import Skip, case, check, equal, rows
from harness.pki import Log, Site, log_list

VERBS = ("setup", "verify", "probe", "ct-logs", "disallow", "status", "upstreams", "stats", "flush", "reload", "log-level", "captive", "metrics", "egress", "audit", "history")


@rows([(f"the help of {verb} explains every option of its usage, and no other", verb) for verb in VERBS])
def help_explains(t, verb):
    code, out, err = t.run("ctstub", verb, "--help")
    equal((code, err), (0, ""), "exit code and standard error")
    equal(t.run("ctstub", "help", verb)[1], out, "ctstub help")
    equal(t.run("ctstub", verb, "-h")[1], out, "-h")
    used, _, explained = out.partition("\n\n")
    rows_ = re.findall(r"^ +(?:-(\w), )?--([a-z-]+)(?: [A-Z:]+)?(?: +|\n {25})\S", explained, re.M)
    known = {"-" + short for short, _ in rows_ if short} | {"--" + name for _, name in rows_}
    wanted = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", used))
    check(wanted and wanted <= known, f"not explained: {sorted(wanted - known)} in {out}")
    unused = {"--" + name for short, name in rows_ if not {"-" + short, "--" + name} & wanted} - {"--help"}
    check(not unused, f"explained, but not in the usage: {sorted(unused)} in {out}")
    check({"--help", "-h"} <= known, out)


@case("`ctstub help` lists every verb")
def list_of_verbs(t):
    _, out, _ = t.run("ctstub", "help")
    equal(set(re.findall(r"^ {2}([a-z-]+) ", out, re.M)) - {"help"}, set(VERBS) | others(t), "verbs")


def others(t):
    """Verbs that have tests of their own."""
    with open(os.path.join(t.src, "cli", "verbs.c"), encoding="utf-8") as f:
        return set(re.findall(r'^ {4}\{"([a-z-]+)"', f.read(), re.M)) - set(VERBS) - {"help"}


@rows([(f"{verb} says what is wrong with an option, in JSON when asked", verb) for verb in VERBS])
def bad_option(t, verb):
    words = {"ct-logs": ["ct-logs", "show"], "disallow": ["disallow", "check"]}.get(verb, [verb])
    for option, says in (("--bogus", "--bogus: unknown option"), ("-x", "-x: unknown option"), ("--json=1", "--json=1: no value was expected"),
                         ("--help=1", "--help=1: no value was expected"), ("-xy", "-x: unknown option"), ("-\x1b", r"-\x1b: unknown option")):
        code, out, err = t.run("ctstub", *words, option)
        equal((code, err.split("\n")[0], "usage: ctstub" in err), (2, f"ctstub {verb}: {says}", True), option)
        check(not out or option == "--json=1", f"standard output: {out}")
        code, out, _ = t.run("ctstub", *words, "--json", option)
        equal((code, json.loads(out)), (2, {"error": says, "errors": [says]}), f"{option} with --json")


@rows([(f"{verb} takes no option with an empty value", verb) for verb in VERBS])
def empty_value(t, verb):
    """As from a script whose variable is not set. Nothing else may stand in for the value then, such as the list compiled in."""
    _, usage, _ = t.run("ctstub", verb, "--help")
    options = re.findall(r"^ +(?:(-\w), )?(--[a-z-]+) [A-Z]", usage, re.M)
    check(options, f"no option with a value in: {usage}")
    words = {"ct-logs": ["ct-logs", "show"], "disallow": ["disallow", "check"]}.get(verb, [verb])
    for option in [o for pair in options for o in pair if o]:
        says = f"{option}: a value was expected"
        code, out, err = t.run("ctstub", *words, "--json", option, "")
        equal((code, json.loads(out), err.split("\n")[0]), (2, {"error": says, "errors": [says]}, f"ctstub {verb}: {says}"), option)


FILES = [  # whatever takes a file, or the name of something, as an argument
    ("ctstub", "verify", "--name", "a.test"), ("ctstub", "ct-logs", "check"), ("ctstub", "ct-logs", "import"), ("ctstub", "disallow", "check"),
    ("ctstub", "probe"), ("ctstub", "flush"), ("ctstub", "log-level"), ("ctstub", "captive"), ("ctstub", "audit"), ("ctstub", "history"),
    ("ctstub-watch", "known", "add"), ("ctstub-watch", "sign", "--key", "/nowhere/key", "--output", "/nowhere/feed"),
    ("ctstub-lab", "report", "--json", "/nowhere/report"), ("ctstub-lab", "report", "--html", "/nowhere/report", "a.json"),
]


@rows([(f"{' '.join(command)} takes no empty argument", command) for command in FILES])
def empty_argument(t, command):
    code, out, err = t.run(*command, "")
    check(code == 2 and not out and (" is empty" in err or err.startswith("usage: ctstub-lab report")), f"{code} {out}{err}")
    check("cannot read" not in err and "No such file" not in err, err)


@rows([
    ("an unknown verb", ["frobnicate"], 2, "unknown verb"),
    ("status without a daemon", ["status", "--socket", "/nowhere"], 3,
     "the daemon does not answer on /nowhere: it does not run, or its configuration is broken: see `ctstubd -t`"),
    ("upstreams without a daemon", ["upstreams", "--socket", "/nowhere"], 3, "the daemon does not answer"),
    ("stats without a daemon", ["stats", "--socket", "/nowhere"], 3, "the daemon does not answer"),
    ("flush without a daemon", ["flush", "--socket", "/nowhere"], 3, "the daemon does not answer"),
    ("flush of a name that is an address, which a client may have asked for", ["flush", "--socket", "/nowhere", "192.0.2.1"], 3, "the daemon does not answer"),
    ("flush of an invalid name", ["flush", "--socket", "/nowhere", "a..b"], 2, "a domain name was expected"),
    ("reload without a daemon", ["reload", "--socket", "/nowhere"], 3, "the daemon does not answer"),
    ("log-level without a daemon", ["log-level", "--socket", "/nowhere", "info"], 3, "the daemon does not answer"),
    ("log-level without a level", ["log-level", "--socket", "/nowhere"], 2, "an argument is missing"),
    ("an unknown level", ["log-level", "--socket", "/nowhere", "loud"], 2, "debug was expected"),
    ("captive without a daemon", ["captive", "--socket", "/nowhere"], 3, "the daemon does not answer"),
    ("captive for too long", ["captive", "--socket", "/nowhere", "61"], 2, "minutes from 1 to 60"),
    ("metrics without an address", ["metrics", "--socket", "/nowhere"], 2, "--listen ADDR:PORT was expected"),
    ("a configuration that does not exist", ["status", "-c", "/nowhere"], 2, "/nowhere"),
    ("disallow check without a file", ["disallow", "check"], 2, "an argument is missing"),
    ("disallow check of a file that does not exist", ["disallow", "check", "/nowhere"], 3, "cannot read /nowhere"),
    ("disallow check with an option of import", ["disallow", "check", "-o", "x", "/dev/null"], 2, "check was expected without --onecrl and --output"),
    ("disallow import of a file that does not exist", ["disallow", "import", "--onecrl", "/nowhere", "-o", "x"], 3, "cannot read /nowhere"),
    ("disallow import into a folder that does not exist", ["disallow", "import", "--onecrl", "/dev/null", "-o", "/nowhere/x"], 2,
     "--output: cannot write /nowhere/x: No such file or directory"),
    ("audit with a folder for evidence that does not exist", ["audit", "--evidence", "/nowhere", "--chain", "/dev/null"], 2,
     "--evidence: cannot write /nowhere: No such file or directory"),
    ("audit with a file as the folder for evidence", ["audit", "--evidence", "/dev/null", "--chain", "/dev/null"], 2, "--evidence: cannot write /dev/null: not a folder"),
    ("ct-logs import into a folder that does not exist", ["ct-logs", "import", "--state-dir", "/nowhere", "/dev/null"], 2, "--state-dir: cannot write /nowhere: No such"),
    ("ct-logs update into a folder that does not exist", ["ct-logs", "update", "--state-dir", "/nowhere", "--url", "https://127.0.0.1:1/"], 2,
     "--state-dir: cannot write /nowhere: No such"),
    ("disallow without an action", ["disallow"], 2, "check or import was expected first"),
    ("ct-logs without an action", ["ct-logs"], 2, "show, check, update or import was expected first"),
    ("ct-logs check of a file that does not exist", ["ct-logs", "check", "/nowhere"], 3, "/nowhere"),
    ("ct-logs check of a file that is not a list", ["ct-logs", "check", "/dev/null"], 2, ""),
    ("ct-logs show with an option of update", ["ct-logs", "show", "--url", "https://127.0.0.1/"], 2, "one of the options does not belong to ct-logs show"),
    ("ct-logs show with an option of import", ["ct-logs", "show", "--force"], 2, "one of the options does not belong to ct-logs show"),
    ("ct-logs check with an option of show", ["ct-logs", "check", "--state-dir", "/tmp", "/dev/null"], 2, "one of the options does not belong to ct-logs check"),
    ("ct-logs check with an option of update", ["ct-logs", "check", "--older-than", "7d", "/dev/null"], 2, "one of the options does not belong to ct-logs check"),
    ("ct-logs import with an option of update", ["ct-logs", "import", "--ca", "x", "/dev/null"], 2, "one of the options does not belong to ct-logs import"),
    ("egress to check and to print", ["egress", "--check", "--nftables"], 2, "--check was expected without --nftables and --systemd"),
    ("egress to print and to check", ["egress", "--systemd", "--check"], 2, "--check was expected without --nftables and --systemd"),
    ("ct-logs update from a URL without https", ["ct-logs", "update", "--url", "http://127.0.0.1/"], 2, "an https URL was expected"),
    ("verify without an expectation", ["verify", "/dev/null"], 2, "--ip, --name or --upstream was expected"),
    ("verify of a file that does not exist", ["verify", "--name", "a.test", "/nowhere"], 3, "/nowhere"),
    ("verify with two files from standard input", ["verify", "--ip", "192.0.2.1", "--disallow", "-", "-"], 2, 'standard input is one file, "-" was expected once'),
    ("verify with two lists from standard input", ["verify", "--ip", "192.0.2.1", "--disallow", "-", "--crl=-", "/dev/null"], 2, '"-" was expected once'),
    ("audit of a chain with a list, both from standard input", ["audit", "--chain", "-", "--ct-logs", "-"], 2, '"-" was expected once'),
    ("probe of - with a file from standard input", ["probe", "--ca", "-", "-"], 2, '"-" was expected once'),
    ("audit of an unknown upstream", ["audit", "no-such"], 2, 'no upstream "no-such"'),
    ("audit of a chain that does not exist", ["audit", "--chain", "/nowhere"], 3, "cannot read /nowhere"),
    ("audit with a list of logs that does not exist", ["audit", "--ct-logs", "/nowhere", "--chain", "/dev/null"], 2, "--ct-logs: cannot read /nowhere: No such file"),
    ("audit with a list of logs that is a folder", ["audit", "--ct-logs", "/", "--chain", "/dev/null"], 2, "--ct-logs: cannot read /: Is a directory"),
    ("audit with a file that is not a list of logs", ["audit", "--ct-logs", "/dev/null", "--chain", "/dev/null"], 2, "--ct-logs: /dev/null: "),
    ("audit of an upstream and a chain", ["audit", "--chain", "/dev/null", "cloudflare"], 2, "--chain was expected without an upstream and without --live"),
    ("history of an unknown upstream", ["history", "no-such"], 2, 'no upstream "no-such"'),
    ("history with a configuration that does not exist", ["history", "-c", "/nowhere"], 2, "/nowhere"),
    ("egress with a configuration that does not exist", ["egress", "-c", "/nowhere"], 2, "/nowhere"),
    ("stats in two forms", ["stats", "--prometheus", "--socket", "/nowhere", "extra"], 2, '"extra": no further argument was expected'),
    ("status with an argument", ["status", "--socket", "/nowhere", "extra"], 2, '"extra": no further argument was expected'),
    ("flush of two names", ["flush", "--socket", "/nowhere", "a.test", "b.test"], 2, '"b.test": no further argument was expected'),
    ("ct-logs with another action", ["ct-logs", "renew"], 2, "show, check, update or import was expected first"),
    ("disallow with another action", ["disallow", "add"], 2, "check or import was expected first"),
    ("disallow import without its file", ["disallow", "import", "-o", "x"], 2, "import was expected with --onecrl FILE"),
    ("audit of a chain, live", ["audit", "--chain", "/dev/null", "--live"], 2, "--chain was expected without an upstream and without --live"),
    ("verify by an upstream that only a configuration can have", ["verify", "--upstream", "corp", "/dev/null"], 2, '--upstream "corp": -c FILE was expected'),
    ("verify without a chain", ["verify", "--ip", "192.0.2.1"], 2, "a chain or --batch was expected"),
    ("verify of a chain and a folder", ["verify", "--ip", "192.0.2.1", "--batch", "/", "/dev/null"], 2, "--batch was expected without a chain"),
    ("verify of two chains", ["verify", "--ip", "192.0.2.1", "/dev/null", "/dev/zero"], 2, '"/dev/zero": no further argument was expected'),
    ("setup in two directions", ["setup", "--undo", "--yes"], 2, "only one of --yes, --undo and --check was expected"),
    ("setup --undo of links", ["setup", "--undo", "--with-links"], 2, "--with-links was expected without --undo and --check"),
    ("help of two verbs", ["help", "status", "stats"], 2, '"stats": no further argument was expected'),
    ("probe of an argument that is not an upstream", ["probe", "no upstream"], 2, ""),
])
def failure(t, words, want, says):
    code, out, err = t.run("ctstub", *words)
    equal((code, out), (want, ""), "exit code and standard output")
    for option in ("--json", "--js"):
        code, out, _ = t.run("ctstub", *words, option)
        answer = json.loads(out)
        equal((code, answer["error"]), (want, answer["errors"][0]), f"exit code and first error with {option}")
        check(says in answer["error"] and len(answer) == 2, f"{answer}")
    check(says in err, err)


@rows([
    ("a file of the command line", ["verify", "--ip", "192.0.2.1", "--ca", "/nowhere", "/dev/null"], 'ctstub verify: option "anchors": cannot read /nowhere: No such file or directory'),
    ("no upstream", ["probe", "no upstream"], 'ctstub probe: "no upstream" is neither an upstream nor an address'),
    ("the configuration as a whole", ["egress", "-c", "/nowhere"], "ctstub egress: cannot read /nowhere: No such file or directory"),
    ("a line of it", ["egress", "-c", "{conf}"], '{conf}:2: unknown option "no-such"'),
], builds=("gcc",))
def begins_with_its_name(t, words, begins):
    """A complaint begins with the program and the verb, or with the place in a file."""
    conf = t.write("c.conf", "\nno-such = 1\n")
    code, _, err = t.run("ctstub", *[w.format(conf=conf) for w in words])
    check(code == 2 and err.startswith(begins.format(conf=conf)), f"{code}: {err}")


@rows([(f"{words[0]} {words[1]} reads - from standard input", words, which) for words, which in [
    (["verify", "-", "--ip", "127.0.0.1", "--ca", "{anchors}", "--ct-logs", "{list}"], "chain"),
    (["audit", "--chain", "-", "-c", "{conf}"], "chain"),
    (["ct-logs", "check", "-"], "list"),
    (["ct-logs", "import", "-", "--force", "--state-dir", "{dir}", "-c", "{conf}"], "list"),
    (["disallow", "check", "-"], "entries"),
    (["disallow", "import", "--onecrl", "-"], "onecrl"),
]], builds=("gcc",))
def from_pipe(t, words, which):
    site = Site(t, with_ct=True)
    files = {"chain": site.chain, "list": site.log_list, "entries": t.write("entries", "issuer CN=x\n"), "onecrl": t.write("onecrl", '{"data": []}')}
    have = {"anchors": site.anchors, "list": site.log_list, "dir": t.dir, "conf": t.write("conf", f'trust {{ anchors = "{site.anchors}" }}\n')}
    with open(files[which], "rb") as f:
        code, out, err = t.run("ctstub", *[w.format(**have) for w in words], stdin=f.read())
    equal(code, 0, f"exit code: {out}{err}")


# what the manual says of a verb, the command, and the keys that this call of it does not have
REPORTS = [
    ("ct-logs show , ct-logs check", ["ct-logs", "check", "{list}"], set()),
    ("ct-logs update , ct-logs import", ["ct-logs", "import", "--force", "--state-dir", "{dir}", "-c", "{conf}", "{list}"], {"age_days"}),
    ("audit", ["audit", "-c", "{conf}", "--chain", "{chain}"],
     {"head", "size", "root", "index", "evidence", "sct_signature", "leaf_hash", "answer"}),
    ("disallow check", ["disallow", "check", "/dev/null"], set()),
    ("disallow import", ["disallow", "import", "--onecrl", "{onecrl}", "-o", "{dir}/out"], set()),
    ("egress", ["egress", "-c", "{conf}"], set()),
]


def keys_of(value):
    """The keys of an object and of all that it holds."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    return set(value) | set().union(*map(keys_of, value.values())) if isinstance(value, dict) else set()


@rows([(f"the manual has the keys of the report of {what.replace(' , ', ' and ')}, and no other", what, words, others_)
       for what, words, others_ in REPORTS], builds=("gcc",))
def report_keys(t, what, words, others_):
    with open(os.path.join(t.src, "cli", "ctstub.1"), encoding="utf-8") as f:
        section = f.read().partition(".Sh REPORTS OF OTHER VERBS\n")[2].partition("\n.Sh ")[0]
    item = re.search(rf"^\.It Cm {re.escape(what)}\n(.*?)^\.(?:It|El)", section, re.M | re.S)
    check(item, f"no item {what} in the section")
    named = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"^\.Li (.*)", item[1], re.M))))
    site = Site(t, with_ct=True)
    have = {"list": site.log_list, "dir": t.dir, "chain": site.chain, "onecrl": t.write("onecrl.json", '{"data": []}'),
            "conf": t.write("conf", f'trust {{ anchors = "{site.anchors}" }}\n')}
    code, out, err = t.run("ctstub", *[w.format(**have) for w in words], "--json")
    equal((code, keys_of(json.loads(out)) | others_), (0, named), f"exit code and keys: {err}")


BROKEN = 'control-socket = "{socket}"\nstate-dir = "{state}"\nno-such = 1\n'


@rows([("status", ["status"]), ("upstreams", ["upstreams"]), ("stats", ["stats"]), ("flush", ["flush"]), ("log-level", ["log-level", "info"]),
       ("captive", ["captive", "off"])])
def broken_file(t, words):
    """A daemon that runs is asked over the socket that the broken file names."""
    from functional._common import stub
    d, _ = stub(t)
    config = t.write("broken.conf", BROKEN.format(socket=d.control, state=d.dir))
    verb, *rest = words
    code, out, err = t.run("ctstub", verb, "-c", config, *rest)
    equal((code, bool(out)), (0, True), f"exit code and standard output; {err}")
    check(f'ctstub {verb}: warning: {config}:3: unknown option "no-such"' in err and "options with errors have their defaults" in err, err)
    code, out, _ = t.run("ctstub", verb, "-c", config, "--json", *rest)
    equal((code, json.loads(out)["ok"]), (0, True), "with --json")


WITH_A_FILE = [("verify", ["--ip", "192.0.2.1", "/dev/null"], 2), ("probe", ["cloudflare"], 2), ("ct-logs show", [], 2), ("ct-logs update", [], 2),
               ("ct-logs import", ["/dev/null"], 2), ("audit", [], 2), ("egress", [], 2), ("setup", ["--check"], 2), ("status", [], 3),
               ("upstreams", [], 3), ("stats", [], 3), ("flush", [], 3), ("reload", [], 3), ("log-level", ["info"], 3), ("captive", [], 3)]


@rows([(f"{verb} with a broken configuration, and no daemon: the first error in JSON is what went wrong", verb, more, want) for verb, more, want in WITH_A_FILE])
def broken_alone(t, verb, more, want):
    config = t.write("broken.conf", BROKEN.format(socket="/nowhere", state=t.dir))
    code, out, err = t.run("ctstub", *verb.split(), "-c", config, "--json", *more)
    answer = json.loads(out)
    equal((code, sorted(answer), answer["error"]), (want, ["error", "errors"], answer["errors"][0]), err)
    check(("the daemon does not answer on /nowhere" if want == 3 else f'{config}:3: unknown option "no-such"') in answer["error"], answer)
    check("no-such" in err and not any("warning" in e for e in answer["errors"]), f"{answer} {err}")
    code, out, err = t.run("ctstub", *verb.split(), "-c", "/nowhere", "--json", *more)
    equal((code, sorted(json.loads(out))), (2, ["error", "errors"]), f"a file that does not exist: {err}")


WITHOUT_PERMISSION = [
    *[(f"{verb} may not use the control socket", [verb, *more, "--socket", "{socket}"], "permission denied: run with sudo")
      for verb, more in (("status", []), ("upstreams", []), ("stats", []), ("flush", []), ("reload", []),
                         ("log-level", ["info"]), ("captive", ["5m"]))],
    ("history may not read the state folder", ["history", "-c", "{config}"], "Permission denied: run with sudo"),
    ("setup --undo may not change the machine", ["setup", "--undo", "-c", "{config}"], "needs root: run with sudo"),
    ("setup --yes may not change the machine", ["setup", "--yes", "-c", "{config}"], "needs root: run with sudo"),
    ("disallow import may not write into the folder", ["disallow", "import", "--onecrl", "/dev/null", "-o", "{private}/x"], "Permission denied: run with sudo"),
    ("audit may not write into the folder for evidence", ["audit", "--evidence", "{private}", "--chain", "/dev/null"], "Permission denied: run with sudo"),
    ("egress --check may not read the rules", ["egress", "--check", "-c", "{config}"], "run it with sudo"),
    ("ct-logs import may not write the state folder", ["ct-logs", "import", "-c", "{config}", "--force", "{list}"], "Permission denied: run with sudo"),
]


@rows([(name + ": exit code 3, a hint, and JSON when asked", words, says) for name, words, says in WITHOUT_PERMISSION])
def without_permission(t, words, says):
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    os.chmod(t.dir, 0o755)
    private = t.path("private")
    os.makedirs(private, mode=0o700)
    with socket.socket(socket.AF_UNIX) as control:
        control.bind(t.path("control"))
        os.chmod(t.path("control"), 0o600)
        config = t.write("c.conf", f'listen = {{"127.0.0.1:53"}}\nstate-dir = "{private}"\ncontrol-socket = "{t.path("control")}"\nuser = "nobody"\n')
        places = {"socket": t.path("control"), "config": config, "private": private, "list": t.write("logs.json", log_list([Log("Log 1", "Operator 1")]))}
        command = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", t.program("ctstub"), *[w.format(**places) for w in words]]
        code, _, err = t.run(*command)
        equal((code, says in err), (3, True), err)
        if words[0] == "setup":  # --json is for --check
            return
        code, out, err = t.run(*command, "--json")
        answer = json.loads(out)
        equal((code, sorted(answer), answer["error"]), (3, ["error", "errors"], answer["errors"][0]), err)
        check(says in answer["error"], f"{answer}")


@case("a reload of a broken file says so through the daemon, with exit code 2")
def broken_reload(t):
    from functional._common import stub
    d, _ = stub(t)
    with open(d.config, "a", encoding="utf-8") as f:
        f.write("\nno-such = 1\n")
    code, out, err = t.run("ctstub", "reload", "-c", d.config, "--json")
    equal((code, json.loads(out)["ok"]), (2, False), err)
    check(any("no-such" in line for line in json.loads(out)["errors"]), out)


@case("history reads the journal of a state-dir that a broken file names")
def broken_history(t):
    config = t.write("broken.conf", BROKEN.format(socket="/nowhere", state=t.dir))
    code, out, err = t.run("ctstub", "history", "-c", config, "--json")
    equal((code, json.loads(out)["records"]), (0, []), err)
    check("warning: " in err and "no-such" in err, err)


@case("setup --undo needs no more of a broken file than its state-dir")
def broken_undo(t):
    if os.geteuid() != 0:
        raise Skip("only root may undo")
    config = t.write("broken.conf", f'listen = {{"127.0.0.1:5300"}}\nstate-dir = "{t.dir}"\nno-such = 1\n')
    code, out, err = t.run("ctstub", "setup", "--undo", "-c", config)
    equal((code, out), (0, "Nothing was set up.\n"), err)
    check("warning: " in err and "no-such" in err, err)


@case("setup --check --json prints what is not done yet, and --json alone is a usage error in JSON")
def setup_json(t):
    code, out, err = t.run("ctstub", "setup", "--check", "--json", "-c", t.write("c.conf", f'state-dir = "{t.dir}"\n'))
    answer = json.loads(out)
    equal((code, sorted(answer), answer["ok"], answer["servers"]), (1, ["machine", "ok", "problems", "servers"], False, ["127.0.0.1", "::1"]), err)
    check(answer["problems"] and all(p in err for p in answer["problems"]), f"{answer} {err}")
    for words, says in ((["--json"], "--json was expected only with --check"), (["--check", "--json", "--bogus"], "--bogus: unknown option"),
                        (["--check", "--json", "-c", "/nowhere"], "/nowhere"), (["--yes", "--undo", "--json"], "only one of --yes, --undo and --check was expected")):
        code, out, err = t.run("ctstub", "setup", *words)
        equal((code, sorted(json.loads(out))), (2, ["error", "errors"]), f"{words}: {err}")
        check(says in json.loads(out)["error"], out)


@case("standard error has every error that the JSON has, and both say that there are more")
def too_many_errors(t):
    conf = t.write("c.conf", "".join(f"no-such-{i} = 1\n" for i in range(150)))
    code, out, err = t.run("ctstub", "egress", "-c", conf, "--json")
    errors = json.loads(out)["errors"]
    equal((code, len(errors), errors[-1]), (2, 101, "and more"), "the errors")
    equal([line.removeprefix("ctstub egress: ") for line in err.splitlines()], errors, "standard error")
    bad = t.write("bad.txt", "".join(f"no-such-{i}\n" for i in range(30)))
    code, out, _ = t.run("ctstub", "disallow", "check", "--json", bad)
    errors = json.loads(out)["errors"]
    equal((code, len(errors), errors[-1]), (2, 21, f"{bad}: and 10 more"), "the errors of a disallow file")
    equal([line.removeprefix("ctstub disallow: ") for line in t.run("ctstub", "disallow", "check", bad)[2].splitlines()], errors, "standard error")


@case("disallow check reports every bad line, as text and as JSON")
def every_bad_line(t):
    lines = ["spki-sha256 " + "00" * 32, "nonsense", "serial xyz issuer CN=a", "# fine", "cert-sha256 00", "issuer CN=", "issuer CN=good"]
    file = t.write("list", "\n".join(lines) + "\n")
    code, _, err = t.run("ctstub", "disallow", "check", file)
    equal(code, 2, "exit code")
    code, out, _ = t.run("ctstub", "disallow", "check", "--json", file)
    answer = json.loads(out)
    bad = [2, 3, 5]
    for n in bad:
        check(f"{file}:{n}:" in err and any(e.startswith(f"{file}:{n}:") for e in answer["errors"]), f"line {n}: {err} {answer}")
    equal((code, answer["ok"], answer["line"], answer["error"] in answer["errors"][0]), (2, False, 2, True), "the JSON")


# What an argument or a file can hold, and how a complaint shows it.
HIDDEN = (("a control", b"a\x1b[31m", r"a\x1b[31m"), ("a mark that turns the direction", "a\u202eb".encode(), r"a\xe2\x80\xaeb"),
          ("invalid UTF-8", b"a\xff", r"a\xff"), ("letters", "caf\u00e9".encode(), "caf\u00e9"))


@rows([(f"{what} in an argument is shown in the complaint, in its JSON too", name, shown) for what, name, shown in HIDDEN])
def argument_is_shown(t, name, shown):
    for words in (("verify", "--ip", "192.0.2.1"), ("status", "-c")):
        code, out, err = t.run("ctstub", *words, "/nowhere/" + os.fsdecode(name), "--json")
        check(code != 0 and f"/nowhere/{shown}" in err, f"{words}: {code} {err!r}")
        check(any(f"/nowhere/{shown}" in line for line in json.loads(out)["errors"]), f"{words}: {out}")
    code, _, err = t.run("ctstub-watch", "known", "add", "/nowhere/" + os.fsdecode(name))
    check(code != 0 and f"/nowhere/{shown}" in err, f"ctstub-watch: {code} {err!r}")


@rows([(f"{key} of the report of {' '.join(words[:2])} shows a file's name that is not UTF-8", words, key) for words, key in [
    (["ct-logs", "check", "{name}"], "from"),
    (["ct-logs", "import", "--force", "--state-dir", "{folder}", "{name}"], "file"),
    (["disallow", "check", "{name}"], "file"),
    (["disallow", "import", "--onecrl", "onecrl", "-o", "{name}"], "file"),
    (["audit", "--chain", "{name}"], "what"),
    (["verify", "--ip", "192.0.2.1", "--batch", "{folder}"], "file"),
    (["verify", "--ip", "192.0.2.1", "--batch", "{broken}"], "error"),
]], builds=("gcc",))
def file_is_shown(t, words, key):
    site = Site(t, with_ct=True)
    content = {"ct-logs": site.log_list, "disallow": t.write("entries", "issuer CN=x\n")}.get(words[0], site.chain)
    t.write("onecrl", '{"data": []}')
    name, folder, broken = (t.path(os.fsdecode(b"%s\xff" % kind)) for kind in (b"file", b"folder", b"broken"))
    for path in (folder, broken):
        os.makedirs(path)
    shutil.copy(content, name)
    shutil.copy(site.chain, os.path.join(folder, os.fsdecode(b"leaf\xff")))
    os.symlink("nowhere", os.path.join(broken, os.fsdecode(b"link\xff")))
    given = [w.format(name=name, folder=folder, broken=broken) for w in words]
    code, out, err = t.run("ctstub", *given, "--json", "-c", t.write("conf", f'trust {{ anchors = "{site.anchors}" }}\n')
                           ) if words[0] == "audit" else t.run("ctstub", *given, "--json")
    report = json.loads(out)
    report = report["audited"][0] if words[0] == "audit" else report
    check(r"\xff" in report[key] and "memory" not in err, f"exit code {code}: {out}{err}")
