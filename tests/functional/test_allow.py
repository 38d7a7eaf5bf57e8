"""Listeners that other machines reach: only with `allow`, and only for the clients that it names."""
import os
import signal
import socket
import subprocess

import dns.message

from functional._common import stub
from harness import client, net, wire
from harness.case import case, check, equal, rows, until
from harness.daemon import upstream
from harness.patience import patient
from harness.pki import Site
from harness.upstream import DotServer

NET = ("192.0.2.1/32", "192.0.2.2/32", "198.51.100.1/32")
NET6 = ("2001:db8::1/128", "2001:db8:1::1/128", "fe80::1/128", "fe80::2/128")


def addresses():
    for address in NET + NET6:
        subprocess.run(["ip", "address", "add", address, "dev", "lo"] + (["nodad"] if ":" in address else []), check=True)


def at(address, port):
    """The tuple of an address, whose zone (%lo) it keeps."""
    return socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0][4]


def ask_udp(d, to, source):
    with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(at(source, 0))
        s.settimeout(patient(6))
        s.sendto(wire.question("www.example.com"), at(to, d.port))
        reply, answerer = s.recvfrom(4096)
    equal(answerer[0].partition("%")[0], to.partition("%")[0], "source of the reply")
    return ("NOERROR", "", "", "", "", "REFUSED")[reply[3] & 15]


def why(d, to, source):
    """The Extended DNS Errors of a reply over UDP."""
    with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(at(source, 0))
        s.settimeout(patient(6))
        s.sendto(wire.question("www.example.com", ar=1, extra=wire.opt()), at(to, d.port))
        return client.ede(dns.message.from_wire(s.recv(4096)))


def ask_tcp(d, to, source):
    """The answer, and whether the daemon closed the connection after it."""
    question = wire.question("www.example.com")
    with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET) as s:
        s.bind(at(source, 0))
        s.settimeout(patient(6))
        s.connect(at(to, d.port))
        s.sendall(len(question).to_bytes(2, "big") + question)
        s.settimeout(patient(6))
        data = b""
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            more = s.recv(4096)
            check(more, "closed before the answer")
            data += more
        s.settimeout(patient(6) if data[5] & 15 == 5 else 1)  # a refused client's connection will be closed
        try:
            closed = s.recv(1) == b""
        except TimeoutError:
            closed = False
    return ("NOERROR", "", "", "", "", "REFUSED")[data[5] & 15], closed


CLIENTS = (
    ("a client inside a prefix is answered", "0.0.0.0", "192.0.2.1", "192.0.2.2", "NOERROR"),
    ("a client outside is refused", "0.0.0.0", "192.0.2.1", "198.51.100.1", "REFUSED"),
    ("a client outside is refused by a listener on one address", "192.0.2.1", "192.0.2.1", "198.51.100.1", "REFUSED"),
    ("a client on loopback is always answered", "0.0.0.0", "127.0.0.1", "127.0.0.1", "NOERROR"),
    ("an IPv6 client inside a prefix is answered", "::", "2001:db8::1", "2001:db8::1", "NOERROR"),
    ("an IPv6 client outside is refused", "::", "2001:db8::1", "2001:db8:1::1", "REFUSED"),
    ("an IPv6 client on loopback is always answered", "::", "::1", "::1", "NOERROR"),
    ("a link-local client inside a prefix is answered", "::", "fe80::1%lo", "fe80::1%lo", "NOERROR"),
    ("a link-local client outside is refused", "::", "fe80::1%lo", "fe80::2%lo", "REFUSED"),
)


@rows(CLIENTS, netns=True)
def clients(t, listen, to, source, want):
    addresses()
    d, server = stub(t, allow=["192.0.2.0/24", "2001:db8::/48", "fe80::1"], address=listen)
    equal(ask_udp(d, to, source), want, "over UDP")
    equal(ask_tcp(d, to, source), (want, want == "REFUSED"), "over TCP, and whether the connection was closed")
    equal(why(d, to, source), [(18, "this client may not ask")] if want == "REFUSED" else [], "why")
    refused = 3 if want == "REFUSED" else 0
    equal(d.ctl("stats")["counters"]["clients_refused"], refused, "the counter")
    equal(len(server.questions) > 0, want == "NOERROR", "whether the upstream was asked")
    equal(d.log().count("client-refused"), min(refused, 1), "lines of the log")


@case("a reload withdraws and grants a client's permission", netns=True)
def reload(t):
    addresses()
    d, _ = stub(t, allow=["192.0.2.0/24"], address="0.0.0.0")
    equal(ask_udp(d, "192.0.2.1", "198.51.100.1"), "REFUSED", "before")
    text = open(d.config, encoding="utf-8").read()
    with open(d.config, "w", encoding="utf-8") as f:
        f.write(text.replace("192.0.2.0/24", "198.51.100.1"))
    d.process.signal(signal.SIGHUP)
    until(lambda: ask_udp(d, "192.0.2.1", "198.51.100.1") == "NOERROR", 10, "the new permission")
    equal(ask_udp(d, "192.0.2.1", "192.0.2.2"), "REFUSED", "the old one")


def handed_in(t, listen, allow):
    """A daemon with sockets of a service manager on [::] that also take IPv4, as systemd makes them by default."""
    port, sockets = net.free_port("::"), []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        s = socket.socket(socket.AF_INET6, kind)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", port))
        s.listen() if kind == socket.SOCK_STREAM else None
        sockets.append(s)
    site = Site(t)
    server = DotServer(t, site)
    prefixes = ", ".join(f'"{a}"' for a in allow)
    config = t.write("given.conf", f'listen = {{"{listen.format(port)}"}}\nallow = {{{prefixes}}}\nuser = ""\ncontrol-socket = "{t.path("control")}"\n'
                     f'state-dir = "{t.dir}"\ntrust {{ anchors = "{site.anchors}" }}\nct {{ mode = "off" }}\n' + upstream("one", server))

    def place():
        high = [os.dup2(s.fileno(), 60 + i) for i, s in enumerate(sockets)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
    process = t.spawn("ctstubd", ["/bin/sh", "-c", 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"', "sh", t.program("ctstubd"), "-c", config],
                      env=t.env(LISTEN_FDS="2"), preexec=place, pass_fds=(3, 4))
    process.port = port
    return process


@rows([("an IPv4 client inside a prefix is answered by a dual-stack socket", "192.0.2.1", "192.0.2.2", "NOERROR"),
       ("an IPv4 client outside is refused by a dual-stack socket", "192.0.2.1", "198.51.100.1", "REFUSED"),
       ("an IPv6 client inside is answered by a dual-stack socket", "2001:db8::1", "2001:db8::1", "NOERROR"),
       ("an IPv6 client outside is refused by a dual-stack socket", "2001:db8::1", "2001:db8:1::1", "REFUSED"),
       ("127.0.0.1 is answered by a dual-stack socket", "127.0.0.1", "127.0.0.1", "NOERROR")], netns=True)
def both_families(t, to, source, want):
    addresses()
    process = handed_in(t, "[::]:{}", ["192.0.2.0/24", "2001:db8::/48"])
    process.wait_log("started")
    equal(ask_udp(process, to, source), want, "over UDP")
    equal(ask_tcp(process, to, source), (want, want == "REFUSED"), "over TCP, and whether the connection was closed")


@rows([("a public socket is handed in and listen names loopback alone: no start", "127.0.0.1:{}", []), ("a public socket is handed in and there is no allow: no start", "[::]:{}", [])], netns=True)
def not_handed_in(t, listen, allow):
    """A public socket of the service manager opens nothing that the configuration does not: the daemon does not start."""
    process = handed_in(t, listen, allow)
    process.expect = None
    until(lambda: not process.alive(), 10, "the end")
    equal(process.popen.returncode, 2, f"exit code: {process.log()}")
    check("listen" in process.log(), process.log())


OPEN = ("0.0.0.0:53", "[::]:53", "192.0.2.1:53", "[2001:db8::1]:53", "10.0.0.1:53")


@rows([(f"ctstubd -t refuses listen = {address} without allow, and says how to allow it", address) for address in OPEN])
def needs_allow(t, address):
    path = t.write("c.conf", f'\nlisten = {{"127.0.0.1:53", "{address}"}}\n')
    code, _, err = t.run("ctstubd", "-t", "-c", path)
    equal(code, 2, "exit code")
    check(f"{path}:2: listen has {address}, " in err and 'allow = {"192.0.2.0/24"}' in err, err)
    code, out, err = t.run("ctstubd", "-t", "-c", t.write("c.conf", open(path).read() + 'allow = {"192.0.2.0/24"}\n'))
    equal(code, 0, f"with allow: {out}{err}")
