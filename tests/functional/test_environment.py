"""T28 and G10: no environment variable of any of our programs reveals keys or weakens TLS. Signals that other daemons take for
requests, and that a service manager sends to all processes of a service."""
import os
import shutil
import signal
import socket
import sys

from functional._common import HAND_OVER, stub
from harness import client, net
from harness.case import Skip, check, equal, rows, until
from harness.pki import Site

# What GnuTLS, nettle, p11-kit, libevent and OpenSSL obey, some of it in a constructor; two that are nobody's must stay.
HOSTILE = {"SSLKEYLOGFILE": "{dir}/keys", "GNUTLS_DEBUG_LEVEL": "9", "GNUTLS_SYSTEM_PRIORITY_FILE": "{dir}/older", "GNUTLS_CPUID_OVERRIDE": "0x1",
           "GNUTLS_NO_IMPLICIT_INIT": "1", "GNUTLS_FORCE_FIPS_MODE": "1", "NETTLE_FAT_OVERRIDE": "vendor:intel", "NETTLE_FAT_VERBOSE": "1",
           "P11_KIT_DEBUG": "all", "P11_KIT_STRICT": "yes", "EVENT_NOEPOLL": "1", "EVENT_SHOW_METHOD": "1", "OPENSSL_CONF": "{dir}/older"}
KEPT = {"HOME": "/", "GNU_TLS": "stays"}


def daemon(t):
    d, _ = stub(t, wait=False)
    d.process.kill()
    return ["ctstubd", "-c", d.config], lambda: client.rcode(d.ask("www.example.com", timeout=1)) == "NOERROR"


def tool(t):
    fifo = t.path("never.pem")
    os.mkfifo(fifo)
    return ["ctstub", "verify", "--ip", "127.0.0.1", fifo], lambda: True


def watcher(t):
    site = Site(t, with_ct=True)
    config = t.write("watch.conf", f'user = ""\nstate-dir = "{t.dir}"\ncontrol-socket = "{t.dir}/control"\nct {{ log-list = "{site.log_list}" }}\n'
                     f'trust {{ anchors = "{site.anchors}" }}\nupstream "one" {{ address = {{"192.0.2.1"}} }}\n')
    return ["ctstub-watch", "-c", config], lambda: True


def lab(t):
    folder = t.path("lab")
    os.makedirs(folder)
    return ["ctstub-lab", "serve", "good-v4", "--listen", "127.0.0.1:0", "--pki", folder], lambda: True


def portal(t):
    """Started as its socket unit does."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(t.path("portal"))
    listener.listen()
    listener.set_inheritable(True)
    t.defer(listener.close)
    config = t.write("portal.conf", 'user = ""\nportal { enable = true user = "" }\n')
    return ["ctstub-portal", "-c", config], lambda: True, listener.fileno()


def entries(pid):
    with open(f"/proc/{pid}/environ", "rb") as f:
        return dict(e.decode().partition("=")[::2] for e in f.read().split(b"\0") if e)


@rows([(f"T28 G10 {name}: hostile variables are removed from the process that works, and harmless ones stay", make)
       for name, make in (("ctstubd", daemon), ("ctstub", tool), ("ctstub-watch", watcher), ("ctstub-lab", lab), ("ctstub-portal", portal))], builds=("gcc",))
def cleaned(t, make):
    t.write("older", "[overrides]\ndisabled-version = tls1.3\n")
    (program, *arguments), works, *fds = make(t)
    command = [t.program(program), *arguments]
    if fds:
        command = [sys.executable, "-c", HAND_OVER, str(fds[0]), *command]
    variables = {name: value.replace("{dir}", t.dir) for name, value in HOSTILE.items()}
    p = t.spawn("it", command, env=t.env(**variables, **KEPT), pass_fds=fds)
    p.expect = None
    want = os.path.realpath(t.program(program))

    def clean():
        try:
            left = entries(p.pid)
        except ProcessLookupError:
            return False  # it is about to end
        return os.readlink(f"/proc/{p.pid}/exe") == want and KEPT.items() <= left.items() and not set(left) & set(HOSTILE)
    until(lambda: not p.alive() or clean(), 20, "the process runs without them, and with those of others")
    check(p.alive(), f"it ended: {p.log()[-500:]}")

    def ready():
        try:
            return works()
        except OSError:
            return False
    until(ready, 20, "it works")
    with open(f"/proc/{p.pid}/comm", encoding="ascii") as f:
        equal(f.read().strip(), program[:15], "the name of the process")
    check(not os.path.exists(t.path("keys")), "keys were written")
    p.kill()


@rows([("T28 ctstub-lab writes no key, whatever its environment asks for, and serves TLS 1.3", "good-v4")], builds=("gcc",))
def lab_serves(t, scenario):
    if not shutil.which("gnutls-cli"):
        raise Skip("gnutls-cli is not on this machine")
    folder = t.path("lab")
    os.makedirs(folder)
    variables = {name: value.replace("{dir}", t.dir) for name, value in HOSTILE.items()}
    t.write("older", "[overrides]\ndisabled-version = tls1.3\n")
    p = t.spawn("lab", [t.program("ctstub-lab"), "serve", scenario, "--listen", "127.0.0.1:0", "--pki", folder], env=t.env(**variables))
    p.wait_log("listening", 20)
    port = p.log().split("address=127.0.0.1:")[1].split()[0]
    _, out, _ = t.run("gnutls-cli", "--insecure", "--alpn=dot", "-p", port, "127.0.0.1", stdin=b"")
    check("TLS1.3" in out, f"not TLS 1.3: {out[-500:]}")
    check(not os.path.exists(t.path("keys")), "keys were written")


# ---- signals

OF_HABIT = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN + 1)


def resolver(t):
    """With both of its helpers."""
    d, _ = stub(t, extra=f'query-log {{ to = "{t.path("queries.jsonl")}" }}\n')
    until(lambda: len(family(d.process.pid)) == 3, 20, "its helpers run")
    return d.process


def exporter(t):
    d, _ = stub(t)
    port = net.free_port()
    p = t.spawn("metrics", [t.program("ctstub"), "metrics", "-c", d.config, "--listen", f"127.0.0.1:{port}"])
    until(lambda: net.answers_tcp("127.0.0.1", port), 20, "the exporter listens")
    return p


def started(make, word, processes):
    def start(t):
        (program, *arguments), _, *fds = make(t)
        command = [t.program(program), *arguments, "-v"]
        p = t.spawn(program, [sys.executable, "-c", HAND_OVER, str(fds[0]), *command] if fds else command, env=t.env(), pass_fds=fds)
        p.wait_log(word, 30)
        equal(len(family(p.pid)), processes, "processes")
        return p
    return start


def family(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [pid, *(one for child in f.read().split() for one in family(int(child)))]


def masks(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return {line.split(":")[0]: int(line.split()[1], 16) for line in f if line.startswith("Sig") and line[:4] != "SigQ"}


@rows([(f"signals that other daemons take for requests end no process of {name}", make)
       for name, make in (("ctstubd", resolver), ("ctstub metrics", exporter), ("ctstub-watch", started(watcher, " watching ", 2)),
                          ("ctstub-portal", started(portal, "portal-started", 1)))], builds=("gcc",))
def of_habit(t, make):
    p = make(t)
    for pid in family(p.pid):
        mask = masks(pid)
        deadly = [number for number in OF_HABIT if not (mask["SigIgn"] | mask["SigCgt"]) >> (number - 1) & 1]
        equal(deadly, [], f"signals that end process {pid}")
        for number in OF_HABIT:
            os.kill(pid, number)
    if make is resolver:
        p.wait_log("signal-ignored signal=SIGUSR1 see=\"ctstub stats\"", 20)
        p.wait_log("signal-ignored signal=SIGUSR2 see=\"ctstub flush\"", 20)
    check(p.alive(), "it ended")
    equal(p.stop(), 0, "exit code after SIGTERM")
