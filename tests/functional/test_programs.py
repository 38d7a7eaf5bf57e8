"""The programs as such: where they lie, what they say of themselves."""
import json
import os
import re
import shlex
import shutil

from harness.case import Skip, case, check, equal, rows
from harness.pki import Site

PROGRAMS = ("ctstubd", "ctstub", "ctstub-lab", "ctstub-watch", "ctstub-portal")


@rows([(f"{p} {words} explains its use, and succeeds", p, words) for p in PROGRAMS for words in ("--help", "-h")] + [
    (f"{words} explains its use, and succeeds", *words.split(" ", 1)) for words in ("ctstub-lab list -h", "ctstub-watch sign -h", "ctstub status -h")])
def says_usage(t, program, words):
    code, out, _ = t.run(program, *words.split())
    equal(code, 0, "exit code")
    check("usage" in out.lower(), f"no usage in: {out[:200]}")


def left_out_of_usage(text):
    """Options that the help of a verb explains, but its usage does not name."""
    usage, _, options = text.partition("\n\n")
    explained = re.findall(r"^ {2}(?:-(\w), |    )--([\w-]+)", options, re.M)
    return [long for short, long in explained if long != "help" and not re.search(rf"[\[ ](--{long}|-{short or '-'})[\] \n]", usage)]


@case("the usage of each verb of ctstub names all of its options")
def usage_is_whole(t):
    verbs = re.findall(r"^  ([a-z][a-z-]*) {2,}", t.run("ctstub", "help")[1], re.M)
    check(len(verbs) > 10, f"the verbs were not found: {verbs}")
    texts = {v: t.run("ctstub", "help", v)[1] for v in verbs if v != "help"}
    check(sum("--json" in text for text in texts.values()) > 10, "the options were not found")
    missing = {v: left_out_of_usage(text) for v, text in texts.items()}
    check(not any(missing.values()), f"not in the usage: { {v: m for v, m in missing.items() if m} }")
    equal(left_out_of_usage("usage: x [-c FILE] [--json-lines]\n\nx.\n\n  -c, --config FILE  a\n      --json  b\n  -h, --help  c\n"), ["json"], "a lack that it sees")


@rows([(f"{p} refuses an unknown option with exit code 2", p) for p in PROGRAMS])
def refuses_option(t, program):
    code, out, err = t.run(program, "--no-such-option")
    equal(code, 2, "exit code")
    check(err and not out, "the complaint belongs on standard error")


OF_SERVERS = (("--bogus", "--bogus: unknown option"), ("-Z", "-Z: unknown option"), ("-vZq", "-Z: unknown option"), ("--help=1", "--help=1: no value was expected"),
              ("-c", "-c: a value was expected"), ("-vc", "-vc: a value was expected"), ("-c ''", "-c: a value was expected"),
              ("-vc ''", "-vc: a value was expected"), ("--\x1b[31m", r"--\x1b[31m: unknown option"))
OF_VERBS = {"ctstub-lab list": (("-Z", "-Z: unknown option"), ("-jZ", "-Z: unknown option"), ("--json=1", "--json=1: no value was expected")),
            "ctstub-lab serve": (("--listen", "--listen: a value was expected"), ("-p", "-p: unknown option"),
                                 ("--fault ''", "--fault: a value was expected"), ("--fault=", "--fault=: a value was expected")),
            "ctstub-watch sign": (("--new-key ''", "--new-key: a value was expected"),),
            "ctstub-watch pull": (("-f", "-f: unknown option"), ("--key", "--key: a value was expected"), ("--key ''", "--key: a value was expected"), ("--force=1", "--force=1: no value was expected"))}


@rows([(f"{name} {option!r}: {says}", name, option, says)
       for name, table in {**{p: OF_SERVERS for p in ("ctstubd", "ctstub-watch", "ctstub-portal")}, **OF_VERBS}.items() for option, says in table], builds=("gcc",))
def names_option(t, name, option, says):
    code, out, err = t.run(*name.split(), *shlex.split(option))
    equal((code, out, err.split("\n")[0]), (2, "", f"{name}: {says}"), "exit code, output and complaint")


PRINTS = [(p, word) for p in PROGRAMS for word in ("--help", "-V")] + [
    ("ctstubd", "-t"), ("ctstubd", "-p"), ("ctstub", "help"), ("ctstub-watch", "-t"), ("ctstub-portal", "-t"), ("ctstub-lab", "list"),
    ("ctstub-lab", "faults"), ("ctstub-watch", "sign --help"), ("ctstub-watch", "sign --new-key key"), ("ctstub-lab", "list --help")]
LOST = {"a full disk": "exec {} >/dev/full", "a closed descriptor": "exec {} >&-"}


@rows([(f"{program} {words} with its output on {where} fails and names it", program, words, script)
       for program, words in PRINTS for where, script in LOST.items()], builds=("gcc",))
def output_lost(t, program, words, script):
    command = f"{t.program(program)} {words}"
    if words in ("-t", "-p"):  # of a configuration that is right, so that only the output is wrong
        command += " -c " + t.write("conf", f'user = ""\ntrust {{ anchors = "{Site(t).anchors}" }}\n')
    code, out, err = t.run("/bin/sh", "-c", script.format(command))
    check(code == 3 and "cannot write to standard output" in err and not out, f"exit code {code}: {err}{out}")
    check("out of memory" not in err, err)


WRITERS = [
    ("ctstub disallow import", "ctstub disallow import --onecrl onecrl.json -o {}", 3),
    ("ctstub-watch sign", "ctstub-watch sign --key org.key --sequence 1 --output {} list.txt", 3),
    ("ctstub-watch known add", "ctstub-watch known add --file {} known.pem", 3),
    ("ctstub-lab report", "ctstub-lab report --html {} results.json", 0),
]


def begin_writers(t):
    t.write("onecrl.json", '{"data": [{"issuerName": "MBQxEjAQBgNVBAMTCVRlc3Qgcm9vdA==", "serialNumber": "AQI="}]}')
    shutil.copy(Site(t).chain, t.path("known.pem"))
    t.write("results.json", '{"client": "x", "results": []}')
    t.write("list.txt", "serial 01 issuer CN=x\n")
    equal(t.run("ctstub-watch", "sign", "--new-key", "org")[0], 0, "a key")


@rows([(f"a device that {what} is to write to stays a device", command, want) for what, command, want in WRITERS], builds=("gcc",))
def device_stays(t, command, want):
    """Through a link, so that a program that fails replaces the link and not a device of this machine."""
    begin_writers(t)
    os.symlink("/dev/null", t.path("null"))
    code, out, err = t.run(*command.format("null").split())
    equal((code, os.path.islink(t.path("null"))), (want, True), f"exit code, and is it still there: {out}{err}")


# command, exit code when {} is "-", and what then begins standard output; {} names an output
OUTPUTS = [("ctstub disallow import", WRITERS[0][1], 0, "serial "), ("ctstub disallow import as JSON", "ctstub disallow import --json --onecrl onecrl.json -o {}", 2, '{"error"'),
           ("ctstub-watch sign", WRITERS[1][1], 2, ""), ("ctstub-watch known add", WRITERS[2][1], 2, ""),
           ("ctstub-lab report as HTML", WRITERS[3][1], 0, "<!doctype"), ("ctstub-lab report as Markdown", "ctstub-lab report --markdown {} results.json", 0, "# "),
           ("ctstub-lab report as JSON", "ctstub-lab report --json {} results.json", 0, "["), ("ctstub-lab report in two forms", "ctstub-lab report --json {} --html {} results.json", 2, ""),
           ("ctstub-lab run", "ctstub-lab run --client ./adapter --out {}", 2, ""), ("ctstub-lab serve", "ctstub-lab serve good-v4 --listen 127.0.0.1:0 --count {}", 2, "")]


@rows([(f"- is no file that {what} makes: {'the output goes to standard output' if want == 0 else 'an error of usage'}", command, want, begins)
       for what, command, want, begins in OUTPUTS], builds=("gcc",))
def to_standard_output(t, command, want, begins):
    begin_writers(t)
    code, out, err = t.run(*command.replace("{}", "-").split())
    equal((code, os.path.exists(t.path("-"))), (want, False), f"exit code, and a file of that name: {out[:200]}{err}")
    check(out.lower().startswith(begins) and (begins or not out) and (want == 0 or err), f"output and complaint: {out[:200]!r} {err}")


@rows([(f"{what} with an output in a folder that does not exist is an error of usage, before any work", command) for what, command, _, _ in OUTPUTS], builds=("gcc",))
def no_folder_for_output(t, command):
    begin_writers(t)
    t.write("adapter", "#!/bin/sh\ntouch worked\n")
    os.chmod(t.path("adapter"), 0o755)
    code, out, err = t.run(*command.replace("{}", "nowhere/x").split())
    equal((code, os.path.exists(t.path("worked"))), (2, False), f"exit code, and did it begin: {out}{err}")
    check("cannot write nowhere/x: No such file or directory" in err and (not out or "--onecrl" in command), f"{out}{err}")


@rows([("ctstub-watch known add --live does not ask the upstream", ["ctstub-watch", "known", "add", "--file", "{closed}/x", "--live", "one", "-c", "{conf}"]),
       ("ctstub-lab run does not begin", ["ctstub-lab", "run", "--client", "{dir}/adapter", "--out", "{closed}/x"])], builds=("gcc",))
def closed_folder(t, words):
    """A folder into which this user may not write is found before any work, too."""
    if os.geteuid() != 0:
        raise Skip("only root can become another user")
    os.chmod(t.dir, 0o755)
    os.makedirs(t.path("closed"), mode=0o755)
    os.chmod(t.write("adapter", f"#!/bin/sh\ntouch {t.path('worked')}\n"), 0o755)
    places = {"closed": t.path("closed"), "dir": t.dir,
              "conf": t.write("c.conf", f'user = ""\nstate-dir = "{t.dir}"\nupstream "one" {{ address = {{"127.0.0.1:1"}} }}\n')}
    program, *arguments = (w.format(**places) for w in words)
    code, out, err = t.run("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", t.program(program), *arguments)
    check(code == 3 and not out and err.endswith(f"cannot write {t.path('closed')}/x: Permission denied\n") and err.count("\n") == 1, f"{code}: {out}{err}")
    check(not os.path.exists(t.path("worked")), "it began")


@case("ctstub-lab run --json says why it did not begin", builds=("gcc",))
def run_json(t):
    for out, why in (("-", "--out -: a file was expected"), ("nowhere/x", "--out: cannot write nowhere/x: No such file or directory")):
        code, said, err = t.run("ctstub-lab", "run", "--json", "--client", "./adapter", "--out", out)
        equal((code, said, err), (2, json.dumps({"error": why, "errors": [why]}, separators=(",", ":")) + "\n", f"ctstub-lab: {why}\n"), out)


@rows([(f"a new key of ctstub-watch does not replace {file}", file) for file in ("org.key", "org.pub")], builds=("gcc",))
def key_stays(t, file):
    t.write(file, "precious\n")
    code, out, err = t.run("ctstub-watch", "sign", "--new-key", "org")
    with open(t.path(file), encoding="ascii") as f:
        equal((code, f.read()), (1, "precious\n"), f"exit code, and what is there now: {out}{err}")
    equal(sorted(name for name in os.listdir(t.dir) if name.startswith("org")), [file], "files")


@rows([(f"a link like /dev/stdout that {what} is to write to stays that link: {target}, with {where}", command, want, target, where)
       for what, command, want in WRITERS
       for target, where in (("/proc/self/fd/1", "its output in a file"), ("/proc/self/fd/1", "no output"), ("/dev/fd/1", "its output in a file"))], builds=("gcc",))
def output_stays(t, command, want, target, where):
    begin_writers(t)
    os.symlink(target, t.path("out"))
    program, *arguments = command.format("out").split()
    code, out, err = t.run("/bin/sh", "-c", f'printf before >file; exec {t.program(program)} {" ".join(arguments)} {">&-" if where == "no output" else ">>file"}')
    equal(os.readlink(t.path("out")), target, f"the link: {out}{err}")
    with open(t.path("file"), encoding="utf-8") as f:
        text = f.read()
    check(text.startswith("before"), f"what the file held before: {text}")
    if where != "no output":
        equal((code, "<html" in text), (want, want == 0), f"exit code, and is the output there: {text}{out}{err}")


@rows([(f"{program} {verb} begins its complaint with its name and the verb", program, verb)
       for program, verbs in (("ctstub-lab", ("list", "pki", "serve", "logs", "up", "switch", "run", "report")), ("ctstub-watch", ("known", "sign", "pull")))
       for verb in verbs], builds=("gcc",))
def complains_by_name(t, program, verb):
    code, out, err = t.run(program, *([verb, "add"] if verb == "known" else [verb]), "--no-such-option")
    check(code == 2 and not out and err.startswith(f"{program} {verb}: "), f"exit code {code}: {err}{out}")


@case("started as root for a user that does not exist, ctstubd reports it and does not start", netns=True)
def no_such_user(t):
    # anchors of our own: in a user namespace the system's belong to nobody
    config = (f'listen = {{"127.0.0.1:53"}}\nuser = "nobody-of-that-name"\ncontrol-socket = "{t.dir}/control"\n'
              f'trust {{ anchors = "{Site(t).anchors}" }}\n')
    code, _, err = t.run("ctstubd", "-c", t.write("c.conf", config))
    equal(code, 3, "exit code")
    check("there is no user nobody-of-that-name" in err, f"what it says: {err}")


@rows([("make dist without xz names the missing program and its package", False), ("make dist with xz gets past that check", True)], builds=("gcc",))
def dist_needs_xz(t, there):
    folder = t.path("bin")
    os.makedirs(folder)
    for program in ("find", "rm"):
        os.symlink(shutil.which(program), os.path.join(folder, program))
    t.write("dist/tests/kept", "")
    t.write("dist/contrib/kept", "")
    code, out, err = t.run(shutil.which("make"), "-s", "dist-hook", f"distdir={t.path('dist')}", cwd=t.build, env=t.env(**({} if there else {"PATH": folder})))
    equal(code == 0, there, f"success: {out}{err}")
    equal("xz is not installed" in err and "xz-utils" in err, not there, f"the message: {err}")
