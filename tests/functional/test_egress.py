"""ctstub egress: the rules are taken by nft, let only ctstub out, and --check shows who tried."""
import json
import os
import re
import shutil
import socket
import subprocess

from harness.case import Skip, case, check, equal, rows

UPSTREAMS = """user = "nobody"
upstream "one" { address = {"192.0.2.1", "2001:db8::1"} }
upstream "two" { protocol = "doh" address = {"192.0.2.2"} }
upstream "again" { address = {"192.0.2.1"} }
"""
NOBODY = 65534


def need_nft():
    nft = shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin")
    if not nft:
        raise Skip("nftables is not on this machine")
    if os.geteuid() != 0 or subprocess.run([nft, "list", "ruleset"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("nftables cannot be used here")
    with open("/proc/self/uid_map", encoding="ascii") as f:
        if int(f.read().split()[2]) <= NOBODY:
            raise Skip("there is no second user in this namespace")
    return nft


def egress(t, *options, want=0, text=UPSTREAMS):
    code, out, err = t.run("ctstub", "egress", "-c", t.write("ctstub.conf", text), *options)
    equal(code, want, f"egress {options}: {out[-300:]} {err}")
    return out


def load(t, nft, *options, text=UPSTREAMS):
    done = subprocess.run([nft, "-f", t.write("rules.nft", egress(t, *options, text=text))], stderr=subprocess.PIPE, check=False)
    check(done.returncode == 0, done.stderr.decode())


def network():
    """A network in which every address of the tests is this machine's neighbour, and nobody answers."""
    for command in ("ip link add v0 type veth peer name v1", "ip addr add 10.0.0.1/24 dev v0", "ip link set v0 up", "ip link set v1 up",
                    "ip route add default via 10.0.0.2", "ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:01 dev v0"):
        done = subprocess.run(command.split(), stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Skip(f"{command}: {done.stderr.decode().strip()}")


def refused(uid, kind, address, port):
    """Do the rules refuse this user? In a child, which becomes the user; nobody answers what is let out."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setuid(uid)
        with socket.socket(socket.AF_INET, kind) as s:
            s.settimeout(0.3)
            try:
                s.connect((address, port))
                s.send(b"x")
                s.recv(1)
                word = b"?"
            except TimeoutError:
                word = b"n"
            except OSError:
                word = b"y"
        os.write(writer, word)
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as f:
        return f.read() == b"y"


UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM
ATTEMPTS = [
    ("the daemon reaches an upstream over DoT", NOBODY, TCP, "192.0.2.1", 853, False),
    ("the daemon reaches an upstream over DoH", NOBODY, TCP, "192.0.2.2", 443, False),
    ("the daemon reaches no other port of an upstream", NOBODY, TCP, "192.0.2.1", 443, True),
    ("the daemon sends no clear text to an upstream", NOBODY, UDP, "192.0.2.1", 53, True),
    ("the daemon reaches no other server", NOBODY, TCP, "192.0.2.9", 853, True),
    ("another user is refused at an upstream over DoT", 0, TCP, "192.0.2.1", 853, True),
    ("another user is refused at an upstream over DoH", 0, TCP, "192.0.2.2", 443, True),
    ("another user is refused in clear text over UDP", 0, UDP, "192.0.2.9", 53, True),
    ("another user is refused in clear text over TCP", 0, TCP, "192.0.2.9", 53, True),
    ("another user is refused over DoT", 0, TCP, "192.0.2.9", 853, True),
    ("another user is refused over DoQ", 0, UDP, "192.0.2.9", 853, True),
    ("another user is refused at a known DoH address", 0, TCP, "9.9.9.10", 443, True),
    ("another user is refused at a known DoH address over HTTP/3", 0, UDP, "76.76.2.7", 443, True),
    ("another user reaches the web", 0, TCP, "192.0.2.9", 443, False),
    ("another user reaches other ports of a known DoH address", 0, TCP, "9.9.9.10", 80, False),
]


@rows(ATTEMPTS, netns=True, builds=("gcc",))
def attempt(t, uid, kind, address, port, is_refused):
    nft = need_nft()
    network()
    load(t, nft)
    equal(refused(uid, kind, address, port), is_refused, f"uid {uid} to {address} port {port} is refused")
    out = json.loads(egress(t, "--check", "--json", want=1 if is_refused else 0))
    tried = [(a["address"], a["port"]) for a in out["tried"]]
    equal(tried, [(address, port)] if is_refused else [], "what --check shows")


@case("--check says that the rules are not loaded, and that they are out of date", netns=True, builds=("gcc",))
def checks(t):
    nft = need_nft()
    check("not loaded" in egress(t, "--check", want=1), "not loaded")
    load(t, nft)
    check("The rules are loaded." in egress(t, "--check"), "loaded")
    load(t, nft)  # twice: the table is replaced
    other = UPSTREAMS.replace("192.0.2.2", "192.0.2.3")
    check("out of date" in egress(t, "--check", want=1, text=other), "another upstream")
    check("out of date" in egress(t, "--check", want=1, text=UPSTREAMS + 'upstream "more" { address = {"192.0.2.4"} }\n'), "one upstream more")


DAEMON, BIN = 1, 2  # users that Debian always has
PORTAL = UPSTREAMS + 'portal { enable = true user = "bin" }\n'
HELPERS = [
    ("the user of the list reaches an upstream over DoT", ("--lists-user", "daemon"), UPSTREAMS, DAEMON, TCP, "192.0.2.1", 853, False),
    ("the user of the list reaches HTTPS servers", ("--lists-user", "daemon"), UPSTREAMS, DAEMON, TCP, "192.0.2.9", 443, False),
    ("the user of the list reaches no other DoT server", ("--lists-user", "daemon"), UPSTREAMS, DAEMON, TCP, "192.0.2.9", 853, True),
    ("the user of the list asks nothing in clear text", ("--lists-user", "daemon"), UPSTREAMS, DAEMON, UDP, "192.0.2.9", 53, True),
    ("a user of the list that does not exist is left out", ("--lists-user", "no-such-user"), UPSTREAMS, DAEMON, TCP, "192.0.2.1", 853, True),
    ("the portal's user asks in clear text when it is on", (), PORTAL, BIN, UDP, "192.0.2.9", 53, False),
    ("the portal's user reaches no upstream", (), PORTAL, BIN, TCP, "192.0.2.1", 853, True),
    ("the portal's user asks nothing in clear text when it is off", (), PORTAL.replace("true", "false"), BIN, UDP, "192.0.2.9", 53, True),
]


@rows(HELPERS, netns=True, builds=("gcc",))
def helpers(t, options, text, uid, kind, address, port, is_refused):
    nft = need_nft()
    network()
    load(t, nft, *options, text=text)
    equal(refused(uid, kind, address, port), is_refused, f"uid {uid} to {address} port {port} is refused")


@case("a configured user of the list who does not exist is a warning", builds=("gcc",))
def no_lists_user(t):
    conf = t.write("ctstub.conf", UPSTREAMS)
    code, out, err = t.run("ctstub", "egress", "--lists-user", "no-such-user", "-c", conf)
    check(code == 0 and 'warning: there is no user "no-such-user" here' in err and "no-such-user" not in out, f"{code} {err}")
    equal(t.run("ctstub", "egress", "-c", conf)[2], "", "a default user that does not exist")


@case("--updates lets the daemon's user reach HTTPS servers", netns=True, builds=("gcc",))
def updates(t):
    nft = need_nft()
    network()
    load(t, nft, "--updates")
    equal((refused(NOBODY, TCP, "192.0.2.9", 443), refused(NOBODY, TCP, "192.0.2.9", 853)), (False, True), "HTTPS and DoT")


@case("the drop-in of the compiled-in upstreams is contrib/systemd/egress.conf", builds=("gcc",))
def drop_in(t):
    with open(os.path.join(t.src, "contrib", "systemd", "egress.conf"), encoding="utf-8") as f:
        shown = [line for line in f.read().splitlines() if not line.startswith("#")]
    equal(egress(t, "--systemd", text="").splitlines(), shown, "the drop-in")


@case("--json has the endpoints once, and both texts", builds=("gcc",))
def as_json(t):
    out = json.loads(egress(t, "--json"))
    equal([(u["upstream"], u["protocol"], u["address"], u["port"]) for u in out["upstreams"]],
          [("one", "dot", "192.0.2.1", 853), ("one", "dot", "2001:db8::1", 853), ("two", "doh", "192.0.2.2", 443)], "upstreams")
    equal((out["user"], out["nftables"], out["systemd"]), ("nobody", egress(t, "--nftables"), egress(t, "--systemd")), "texts")
    check("9.9.9.9" in out["doh_addresses"], "a known DoH address is missing")
    check(re.fullmatch(r"20\d\d-\d\d-\d\d", out["doh_date"]) and out["doh_date"] in out["nftables"], "the date of the table")


@case("a user's name may end in a dollar sign, as useradd allows", builds=("gcc",))
def dollar(t):
    for where in (("--user", "a$"), ()):
        check('meta skuid "a$" goto daemon' in egress(t, *where, text=UPSTREAMS.replace("nobody", "a$")), f"{where}")


@rows([("an empty user", 'user = ""\n', "set option user"), ("a user name that nft would read as more than a name", 'user = "a\\"b"\n', 'user "a"b": the rules take'),
       ("a broken configuration", "nonsense = 1\n", "nonsense")], builds=("gcc",))
def no_rules(t, text, word):
    code, out, err = t.run("ctstub", "egress", "-c", t.write("bad.conf", text))
    check(code == 2 and out == "" and word in err, f"{code}: {out} {err}")
