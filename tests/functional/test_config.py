"""The configuration as people meet it: ctstubd -t and -p."""
import os

from harness.case import case, check, equal, rows
from harness.pki import Site

INTERFACE = "tests/fuzz/corpus/settings/interface.conf"


def prints(t, path):
    code, out, err = t.run("ctstubd", "-p", "-c", path)
    equal(code, 0, f"exit code of -p ({err})")
    return out


@case("the documented file is read, and what -p prints prints the same again")
def print_back(t):
    first = prints(t, os.path.join(t.src, INTERFACE))
    again = prints(t, t.write("again.conf", first))
    equal(again, first, "the second -p")
    check('upstream "cloudflare"' in first and 'forward "corp.example"' in first, f"printed: {first}")


@case("nothing is expanded from the environment")
def environment(t):
    check('state-dir = "${HOME}/state"' in prints(t, t.write("c.conf", 'state-dir = "${HOME}/state"\n')), "expanded")


@case("every error of all files is told in one run, with file and line, and exit code 2")
def errors(t):
    main = t.write("ctstub.conf", "#\n" * 10 + 'worker = 1\nct {\n  # a comment\n  mode = "maybe"\n  list-max-age = 70\n}\n')
    drop_in = t.write("conf.d/10.conf", 'upstream "u" { address = {"127.0.0.1", # comment\n "nonsense"} }\n')
    code, out, err = t.run("ctstubd", "-t", "-c", main)
    equal(code, 2, "exit code")
    text = out + err
    for where in (f"{main}:11: unknown option", f"{main}:14: ", f"{main}:15: ", f"{drop_in}:2: "):
        check(where in text, f"{where} is missing in: {text}")


@case("-t reads every file that the configuration names")
def names(t):
    site = Site(t)
    good = f'trust {{ anchors = "{site.anchors}" }} ct {{ log-list = "{site.log_list}" }} '
    equal(t.run("ctstubd", "-t", "-c", t.write("a.conf", good))[0], 0, "exit code")
    for option in ('trust { disallow-file = {"/nowhere"} }', 'ct { log-list = "/nowhere" }', 'trust { constraints-file = {"/nowhere"} }',
                   'upstream "u" { address = {"192.0.2.1"} trust-anchors = "/nowhere" }', 'filter { list-file = {"/nowhere"} }',
                   'upstream "u" { address = {"192.0.2.1"} client-cert = "/nowhere" client-key = "/nowhere" }',
                   'upstream "u" { address = {"192.0.2.1"} crl-file = {"/nowhere"} }'):
        path = t.write("b.conf", f'trust {{ anchors = "{site.anchors}" }}\n{option}')
        code, out, err = t.run("ctstubd", "-t", "-c", path)
        check(code == 2 and f"{path}:2: " in out + err and "/nowhere" in out + err, f"{option}: {code} {out}{err}")


@rows([
    ("G05 a configuration that everybody can write", lambda p: os.chmod(p, 0o666), "can be written by others"),
    ("G05 a configuration of another user", lambda p: os.chown(p, 4711, 4711), "belongs to another user"),
    ("G03 a configuration that vanished", os.unlink, "No such file"),
])
def not_believed(t, spoil, words):
    if os.geteuid() != 0 and "belongs" in words:
        return
    path = t.write("c.conf", "workers = 1\n")
    spoil(path)
    code, out, err = t.run("ctstubd", "-t", "-c", path)
    check(code == 2 and words in out + err, f"{code}: {out}{err}")


@rows([
    ("a pin set of one", 'upstream "u" { address = {"192.0.2.1"} pin = {"spki-sha256 ' + "00" * 32 + '"} }', "pin set of one"),
    ("CT switched off", 'ct { mode = "off" }', "ct.mode"),
    ("another address's certificate", 'upstream "u" { address = {"192.0.2.1"} also-address = {"192.0.2.2"} }', "also-address"),
])
def warnings(t, text, words):
    site = Site(t)
    code, out, err = t.run("ctstubd", "-t", "-c", t.write("c.conf", f'trust {{ anchors = "{site.anchors}" }}\n{text}'))
    check(code == 0 and words in out + err, f"{code}: {out}{err}")
