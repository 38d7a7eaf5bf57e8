"""What ctstubd -t says of files, folders and sockets that options name and that are needed later (path_check.h)."""
import os
import pwd
import re
import socket

from functional._common import stub
from harness.case import Skip, case, check, equal, rows, until

UP = 'upstream "u" { address = {"192.0.2.1"} }\n'
GONE, FOLDER, FILE = "No such file or directory", "not a regular file", "not a folder"

LOG = {"no folder": GONE, "folder": "it is a folder", "link": "it is a symbolic link", "socket": "it is not a regular file", "two names": "it has another hard link"}

# option: (what it is called, the line, what it names, {what is there: the reason}, what follows)
OPTIONS = [
    ("hosts-file", 'local {{ hosts-file = "{path}" }}', {"nothing": GONE, "folder": FOLDER}, "its names are not answered here until it can be read"),
    ("control-socket", 'control-socket = "{path}"', {"no folder for its folder": GONE, "file": "it is not a socket", "link": "it is not a socket", "folder": "it is a folder"},
     "the tool cannot talk to the daemon"),
    ("state-dir", 'state-dir = "{path}"', {"nothing": GONE}, "nothing is remembered"),
    ("to", 'query-log {{ to = "{path}" }}', LOG, "queries are not logged"),
    ("to", 'query-log {{ to = "dnstap-file:{path}" }}', LOG, "queries are not logged"),
    ("to", 'query-log {{ to = "dnstap:{path}" }}', {"nothing": GONE, "file": "it is not a socket", "folder": "it is a folder"},
     "queries are not logged"),
    ("list-url", 'ct {{ list-url = "{path}" list-key = "" }}', {"nothing": GONE, "folder": FOLDER}, "`ctstub ct-logs update` cannot take the list from it"),
    ("list-key", 'ct {{ list-url = "https://192.0.2.1/l" list-key = "{path}" }}', {"nothing": GONE, "folder": FOLDER},
     "`ctstub ct-logs update` refuses the mirror's list"),
    ("watch-file", 'watch {{ watch-file = {{"{path}"}} }}', {"nothing": GONE, "folder": FOLDER}, "ctstub-watch does not start"),
    ("known-file", 'watch {{ known-file = {{"{path}"}} }}', {"nothing": GONE, "folder": FOLDER}, "ctstub-watch does not start"),
    ("exec", 'watch {{ exec = "{path}" }}', {"nothing": GONE, "file": "nobody may execute it", "folder": "it is a folder"}, "ctstub-watch cannot run it"),
]


def place(t, there):
    path = t.path("named")
    if there == "no folder":
        return t.path("missing/named")
    if there == "no folder for its folder":
        return t.path("missing/also/named")
    if there == "folder":
        os.mkdir(path)
    if there in ("file", "two names"):
        t.write("named", "x\n")
        os.chmod(path, 0o644)
    if there == "two names":
        os.link(path, t.path("second"))
    if there == "link":
        os.symlink(t.write("target", ""), path)
    if there == "socket":
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
    return path


def config_test(t, text, program="ctstubd"):
    config = t.write("c.conf", f'user = ""\n{text}\n{UP}')
    code, out, err = t.run(program, "-t", "-c", config)
    equal((code, err), (0, ""), f"exit code and standard error; {out}")
    lines = out.splitlines()
    equal(lines[-1], f"{config}: OK", "the last line")
    return [line.replace(f"warning: {config}:", "") for line in lines[:-1]]


@rows([(f"ctstub-watch -t says why the program of exec cannot run, where there is {there}", there, why) for there, why in OPTIONS[-1][2].items()], builds=("gcc",))
def watcher(t, there, why):
    path = place(t, there)
    found = [line for line in config_test(t, OPTIONS[-1][1].format(path=path), "ctstub-watch") if "exec" in line]
    equal(found, [f'2: option "exec": cannot use {path}: {why}, so ctstub-watch cannot run it'], "warnings")


def called(option, line):
    """The option with its section, and with what stands before the path in its value: query-log to dnstap:"""
    section = line.partition("{{")[0].strip() if "{{" in line else ""
    return " ".join(filter(None, (section, option, line.partition('"')[2].partition("{path}")[0])))


@rows([(f"{called(option, line)}, where there is {there}: -t says why it cannot be used, and what follows", option, line, there, why, then)
       for option, line, found, then in OPTIONS for there, why in found.items()])
def unusable(t, option, line, there, why, then):
    path = place(t, there)
    if "dnstap" in line and "without dnstap" in t.run("ctstubd", "-t", "-c", t.write("d.conf", 'query-log { to = "dnstap:/x" }'))[2]:
        raise Skip("built without dnstap")
    equal(config_test(t, line.format(path=path)), [f'2: option "{option}": cannot use {path}: {why}, so {then}'], "the warnings")


@rows([("a hosts file", 'local {{ hosts-file = "{path}" }}', "file"), ("a socket in a folder that is there", 'control-socket = "{path}"', "nothing"),
       ("a socket in a folder that the daemon makes", 'control-socket = "{path}"', "no folder"), ("a query log that is there", 'query-log {{ to = "{path}" }}', "file"),
       ("the socket of an earlier start", 'control-socket = "{path}"', "socket"),
       ("a query log in a folder that is there", 'query-log {{ to = "{path}" }}', "nothing"), ("a state-dir", 'state-dir = "{path}"', "folder"),
       ("the socket of a portal helper", 'portal {{ enable = true user = "" socket = "{path}" }}', "socket"),
       ("a portal that is off", 'portal {{ user = "" socket = "{path}" }}', "nothing")])
def usable(t, line, there):
    equal(config_test(t, line.format(path=place(t, there))), [], "the warnings")


@rows([(f"a portal helper whose socket is {there}", there, why) for there, why in
       (("nothing", GONE), ("no folder", GONE), ("file", "Socket operation on non-socket"), ("folder", "Socket operation on non-socket"))])
def portal(t, there, why):
    path = place(t, there)
    equal(config_test(t, f'portal {{ enable = true user = "" socket = "{path}" }}'),
          [f'2: option "socket" of section "portal": cannot use {path}: {why}, so no portal window can open (is ctstub-portal.socket enabled?)'], "the warnings")


@case("path with DoT is a warning, and -p leaves it out with what has no effect")
def path_with_dot(t):
    config = t.write("c.conf", 'user = ""\nupstream "u" { address = {"192.0.2.1"} path = "/dns-query" }\nupstream "d" { protocol = "doh" address = {"192.0.2.2"} path = "/q" }\n')
    code, out, err = t.run("ctstubd", "-t", "-c", config)
    equal((code, err, out.splitlines()), (0, "", ['warning: upstream "u": path has no effect with protocol "dot": DNS over HTTPS needs protocol = "doh"',
                                                 f"{config}: OK"]), "-t")
    printed = t.run("ctstubd", "-p", "-c", config)[1]
    equal(re.findall(r"^\tpath = (.*)$", printed, re.M), ['"/q"'], "the paths of -p")
    again = t.write("again.conf", printed)
    equal(t.run("ctstubd", "-p", "-c", again)[1], printed, "-p of what -p printed")
    check("path has no effect" not in t.run("ctstubd", "-t", "-c", again)[1], "-t of what -p printed")


COMPILED = [("disallow-file", 'trust {{ disallow-file = {{"{path}"}} }}\n', "# none\n"), ("list-file", 'filter {{ list-file = {{"{path}"}} }}\n', "a.test\n")]


@rows([(f"as root, -t warns of a {option} that the daemon's user may not read", option, line, content) for option, line, content in COMPILED])
def unreadable(t, option, line, content):
    if os.geteuid() != 0:
        raise Skip("needs root")
    user = pwd.getpwuid(65534).pw_name
    path = t.write("secret", content)
    os.chmod(path, 0o600)
    os.chmod(t.dir, 0o755)
    config = t.write("c.conf", f'user = "{user}"\n' + line.format(path=path) + UP)
    os.chmod(config, 0o644)
    code, out, err = t.run("ctstubd", "-t", "-c", config)
    want = f"user {user} cannot use {path}: Permission denied, so a reload will fail"
    equal((code, err, want in out), (0, "", True), out)
    os.chmod(path, 0o644)
    equal(t.run("ctstubd", "-t", "-c", config)[1], f"{config}: OK\n", "readable by everybody")


@rows([("as root, -t warns of a state-dir that the daemon's user cannot write to", 'state-dir = "{path}"', "folder", "Permission denied", "nothing is remembered"),
       ("as root, -t warns of a query log in a folder that the daemon's user cannot write to", 'query-log {{ to = "{path}/log" }}', "folder", "Permission denied", "queries are not logged"),
       ("as root, -t warns of a file of dnstap frames in a folder that the daemon's user cannot write to", 'query-log {{ to = "dnstap-file:{path}/log" }}', "folder", "Permission denied", "queries are not logged"),
       ("as root, -t warns of a query log that belongs to another user", 'query-log {{ to = "{path}" }}', "file", "it belongs to another user", "queries are not logged")])
def unwritable(t, line, there, why, then):
    if os.geteuid() != 0:
        raise Skip("needs root")
    if "dnstap" in line and "without dnstap" in t.run("ctstubd", "-t", "-c", t.write("d.conf", 'query-log { to = "dnstap:/x" }'))[2]:
        raise Skip("built without dnstap")
    user = pwd.getpwuid(65534)
    os.chmod(t.dir, 0o755)
    path = place(t, there)
    config = t.write("c.conf", f'user = "{user.pw_name}"\n{line.format(path=path)}\n{UP}')
    named = line.format(path=path).split('"')[1].removeprefix("dnstap-file:")
    option = "state-dir" if "state-dir" in line else "to"
    says = f'warning: {config}:2: option "{option}": user {user.pw_name} cannot use {named}: {why}, so {then}\n{config}: OK\n'
    equal(t.run("ctstubd", "-t", "-c", config), (0, says, ""), "-t")
    os.chown(path, user.pw_uid, -1)
    equal(t.run("ctstubd", "-t", "-c", config), (0, f"{config}: OK\n", ""), "-t, when it is the user's")


@case("the daemon logs the same warnings at its start and after a reload")
def logged(t):
    d, server = stub(t, extra=f'local {{ hosts-file = "{t.path("nope")}" }}\n')
    d.process.wait_log(f"cannot use {t.path('nope')}: {GONE}")
    before = d.log().count("cannot use")
    check(d.ctl("reload")["ok"], "reload")
    equal(d.log().count("cannot use"), before + 1, "warnings after a reload")


@case("a large hosts file that changed is read while each worker goes on answering")
def large_hosts(t):
    path = t.path("hosts")

    def put(address):
        filler = "".join(f"10.9.0.1 filler{i}.example\n" for i in range(20000))
        os.replace(t.write("hosts.new", f"{address} large.example\n{filler}"), path)
    put("10.0.0.1")
    d, _ = stub(t, extra=f'local {{ hosts-file = "{path}" }}\nworkers = 2\n')

    def answers():
        """From 20 ports, so from both workers."""
        return {d.ask("large.example").answer[0][0].address for _ in range(20)}
    equal(answers(), {"10.0.0.1"}, "the first file is read before the first answer")
    for address in ("10.0.0.2", "10.0.0.3"):
        put(address)
        until(lambda address=address: answers() == {address}, 30, f"both workers answer with {address}")
    check(d.ctl("reload")["ok"], "reload")
    equal(answers(), {"10.0.0.3"}, "after a reload")
