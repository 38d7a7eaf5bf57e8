"""`listen` and the sockets that a service manager hands over: differences and broken configurations are reported."""
import os
import re
import signal
import socket
import struct
import time

import dns.message

from functional._common import Handed, servfail, stub
from harness import client, net, wire
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.patience import patient
from harness.pki import Site
from harness.upstream import DotServer


def handed(t):
    """(daemon that was stopped, its sockets in our hands, another free port)."""
    d, _ = stub(t)
    d.process.stop()
    return d, Handed(t, d.address, d.port), net.free_port()


def listens(d, *ports):
    """Rewrites `listen` of the daemon's configuration."""
    with open(d.config, encoding="utf-8") as f:
        lines = f.read().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("listen = "))
    lines[first] = "listen = {" + ", ".join(f'"127.0.0.1:{p}"' for p in ports) + "}"
    with open(d.config, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def ends(process):
    """(exit code, output)."""
    process.expect = None
    return process.popen.wait(patient(20)), process.log()


def built_for_it(d, process):
    until(lambda: " started " in process.log(), 20, "ctstubd starts")
    check("bound-by=service-manager" in process.log(), process.log())


@rows([("the same address", lambda ours, other: (ours,), 0, ()),
       ("another address", lambda ours, other: (other,), 2, ("listen has 127.0.0.1:{other}", "listens on 127.0.0.1:{ours}")),
       ("an address more", lambda ours, other: (ours, other), 2, ("listen has 127.0.0.1:{other}",))], builds=("gcc",))
def checked(t, ports, code, words):
    d, sockets, other = handed(t)
    good = sockets.spawn("ctstubd", "-c", d.config)
    built_for_it(d, good)
    good.stop()
    listens(d, *ports(d.port, other))
    got, out = ends(sockets.spawn("ctstubd", "-t", "-c", d.config))
    equal(got, code, f"exit code of ctstubd -t: {out}")
    words = [word.format(ours=d.port, other=other) for word in words]
    check(all(word in out for word in words), f"{words} in {out}")
    if code != 0:
        got, out = ends(sockets.spawn("ctstubd", "-c", d.config))
        equal(got, code, f"exit code of ctstubd: {out}")
        check(all(word in out for word in words), f"{words} in {out}")


@case("without sockets that were handed over ctstubd -t takes any address", builds=("gcc",))
def unchecked(t):
    d, _, other = handed(t)
    listens(d, other)
    equal(t.run("ctstubd", "-t", "-c", d.config)[0], 0, "exit code")


@rows([("127.0.0.1 and 0.0.0.0", "127.0.0.1", ("127.0.0.1", "0.0.0.0")), ("0.0.0.0 and 127.0.0.1", "127.0.0.1", ("0.0.0.0", "127.0.0.1")),
       ("[::1] and [::]", "::1", ("[::1]", "[::]"))], builds=("gcc",))
def covered(t, address, hosts):
    """An address and the one that stands for all: one worker can listen on both, as several can, and no second daemon beside it."""
    d, _ = stub(t, address=address, allow=["192.0.2.0/24"], workers=1)
    d.process.stop()
    with open(d.config, encoding="utf-8") as f:
        text = f.read()
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(re.sub(r"^listen = .*$", "listen = {" + ", ".join(f'"{host}:{d.port}"' for host in hosts) + "}", text, flags=re.M))
    d.process = t.spawn("ctstubd", [t.program("ctstubd"), "-c", d.config])
    d.wait()
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode over UDP")
    equal(client.rcode(d.ask("www.example.net", tcp=True)), "NOERROR", "rcode over TCP")
    code, out = ends(t.spawn("ctstubd", [t.program("ctstubd"), "-c", d.config]))
    check(code == 3 and "Address already in use" in out, f"exit code {code}: {out}")


@case("a reload with another listen is refused, names the address, and changes nothing", builds=("gcc",))
def reloaded(t):
    d, sockets, other = handed(t)
    d.process = sockets.spawn("ctstubd", "-c", d.config)
    built_for_it(d, d.process)
    listens(d, other)
    code, _, err = d.tool("reload", "--socket", d.control)
    check(code == 2 and f"listen has 127.0.0.1:{other}" in err and f"listens on 127.0.0.1:{d.port}" in err, f"{code}: {err}")
    equal(d.ctl("status")["generation"], 1, "generation")
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode afterwards")
    listens(d, d.port)
    equal(d.tool("reload", "--socket", d.control)[0], 0, "exit code of a reload with the old address")


BROKEN = [("a broken configuration", lambda d, other: open(d.config, "a", encoding="utf-8").write("nonsense = 1\n"), "nonsense"),
          ("another listen", lambda d, other: listens(d, other), "listens on"),
          ("a configuration that is not there", lambda d, other: open(d.config, "w", encoding="utf-8").write("{"), "unexpected")]


@rows([(f"clients that wait on {what} get SERVFAIL with an extended error, over UDP and TCP", spoil, word) for what, spoil, word in BROKEN], builds=("gcc",))
def turned_away(t, spoil, word):
    d, sockets, other = handed(t)
    good = sockets.spawn("ctstubd", "-c", d.config)
    built_for_it(d, good)
    good.stop()
    spoil(d, other)
    clients = []
    for i in range(20):
        c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        c.settimeout(patient(10))
        c.connect((d.address, d.port))
        c.send(client.query(f"w{i}.example.com", "A").to_wire() if i % 5 else b"rubbish")
        clients.append(c)
    stream = socket.create_connection((d.address, d.port), 10)
    stream.sendall(wire.frame(wire.question("tcp.example.com")))
    silent = socket.create_connection((d.address, d.port), 10)
    code, out = ends(sockets.spawn("ctstubd", "-c", d.config))
    check(code == 2 and word in out, f"{code}: {out}")
    for i, c in enumerate(clients):
        if i % 5:
            reply = c.recv(4096)
            servfail(dns.message.from_wire(reply), "the configuration of this resolver is broken")
        c.close()
    raw = stream.recv(4096)
    equal((struct.unpack(">H", raw[:2])[0], raw[5] & 15), (len(raw) - 2, 2), "length and rcode over TCP")
    equal((stream.recv(1), silent.recv(1)), (b"", b""), "the connections end")


@rows([("the service manager hears of the start, each reload and the end, on a path", "path"),
       ("the service manager hears of the start, each reload and the end, on an abstract name", "abstract")], builds=("gcc",))
def notified(t, kind):
    """sd_notify(3), with the filter on."""
    site = Site(t)
    server = DotServer(t, site)
    name = t.path("notify") if kind == "path" else f"@ctstub-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0"))
        if kind == "path":
            os.chmod(name, 0o666)
        manager.settimeout(patient(20))
        d = Daemon(t, upstream("one", server), anchors=site.anchors, env=t.env(NOTIFY_SOCKET=name, CTSTUB_SECCOMP="kill"))
        ready = b"READY=1\nSTATUS=answering"
        equal(manager.recv(4096), ready, "the start")
        for _ in range(2):
            d.process.popen.send_signal(signal.SIGHUP)
            reloading = manager.recv(4096).decode()
            found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", reloading)
            check(found and 0 < int(found.group(1)) <= time.monotonic_ns() // 1000, reloading)
            equal(manager.recv(4096), ready, "the end of a reload")
        d.process.stop()
        equal(manager.recv(4096), b"STOPPING=1", "the end")


@rows([("an invalid number of sockets ends the start", "two"), ("more sockets than possible end the start", "1000000")], builds=("gcc",))
def broken_number(t, number):
    d, _, _ = handed(t)
    process = t.spawn("ctstubd", ["sh", "-c", f'LISTEN_PID=$$ LISTEN_FDS={number} exec "$0" "$@"', t.program("ctstubd"), "-c", d.config])
    code, out = ends(process)
    check(code == 3 and "LISTEN_FDS of the service manager" in out, f"{code}: {out}")


@rows([("one worker feeds the watchdog of the service manager", 1), ("two workers feed it together", 2)])
def watchdog(t, workers):
    """Each sign of life needs an answered question of every worker."""
    site = Site(t)
    server = DotServer(t, site)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(t.path("notify"))
        os.chmod(t.path("notify"), 0o666)
        notified.settimeout(patient(20))
        d = Daemon(t, upstream("one", server), anchors=site.anchors, workers=workers,
                   env=t.env(NOTIFY_SOCKET=t.path("notify"), WATCHDOG_USEC="1000000"))
        said = []
        while said.count("WATCHDOG=1") < 3:
            said += notified.recv(4096).decode().splitlines()
        check("READY=1" in said, f"{said}")
        asked = [d.ctl("stats")["counters"][k] for k in ("questions_udp", "replies", "local")]
        equal(asked, [0, 0, 0], "the daemon's own questions among those of clients")
        equal(d.ask("a.example.com").rcode(), 0, "rcode")
