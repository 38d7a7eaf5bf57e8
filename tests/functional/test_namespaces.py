"""The daemon in a network of its own, with the rest of the world behind a wire that is listened to: promise A6, P03 to P05.

Each test runs in namespaces of its own, which are the home: the daemon and its clients. A second network namespace is the
world: upstreams at the addresses that real ones have, and somebody who listens to every frame.
"""
import os
import socket
import struct
import subprocess
import sys

from functional._common import servfail
from harness import client, wire
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, upstream
from harness.faults import may_preload
from harness.pki import Site, key_pem, pem
from harness.upstream import DohServer, DotServer
from harness.world import DOH4, GATE4, HOME4, HOME6, UP4, UP6, Capture, Tokens, World, ip, leaks, mounted, ports, resolver_in_clear, site_of

# ---- A6

def healthy(world, site, t):
    return world.serve(t, site), world.serve(t, site, DohServer, DOH4)


def nobody(world, site, t):
    return ()


def another_certificate(world, site, t):
    other = Site(t, ips=(UP4, DOH4), prefix="other")
    return world.serve(t, other), world.serve(t, other, DohServer, DOH4)


def another_address(world, site, t):
    key, certificate = site.intermediate.issue(["203.0.113.1"], ["one.one.one.one"])
    files = {"chain": t.write("elsewhere/chain.pem", pem(certificate) + pem(site.intermediate.cert)),
             "key": t.write("elsewhere/key.pem", key_pem(key))}
    return world.serve(t, site, **files), world.serve(t, site, DohServer, DOH4, **files)


def black_hole(world, site, t):
    servers = healthy(world, site, t)
    with world:
        ip("route", "add", "blackhole", HOME4 + "/32")
    return servers


def no_neighbour(world, site, t):
    with world:
        ip("addr", "flush", "dev", "wire1")
    return ()


def resets(world, site, t):
    def reset(plain):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    return world.serve(t, site, on_accept=reset), world.serve(t, site, DohServer, DOH4, on_accept=reset)


def portal(world, site, t):
    def page(plain):
        plain.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n")
        return False
    other = Site(t, ips=("192.0.2.1",), names=("portal.example",), prefix="portal")
    return world.serve(t, site, on_accept=page), world.serve(t, other, DohServer, DOH4)


def mute(world, site, t):
    return world.serve(t, site, answer=lambda q: None), world.serve(t, site, DohServer, DOH4, respond=lambda r: None)


def cut_off(world, site, t):
    def handler(connection):
        while True:
            connection.read_question()
            connection.reset()
    return world.serve(t, site, handler=handler), world.serve(t, site, DohServer, DOH4, respond=lambda r: (503, [], b""))


def no_wire(world, site, t):
    ip("link", "set", "wire0", "down")
    return ()


@rows([("A6 never in clear text: a good upstream", healthy, True), ("A6 never in clear text: nobody listens", nobody, False),
       ("A6 never in clear text: refused, the anchor is another", another_certificate, False),
       ("A6 never in clear text: refused, the certificate is for another address", another_address, False),
       ("A6 never in clear text: a black hole", black_hole, False),
       ("A6 never in clear text: unreachable addresses", no_neighbour, False),
       ("A6 never in clear text: connections are reset", resets, False),
       ("A6 never in clear text, P05: a portal with its page and its certificate", portal, False),
       ("A6 never in clear text: connected without ever an answer", mute, False),
       ("A6 never in clear text: every question ends its connection", cut_off, False),
       ("A6 never in clear text: the link is down", no_wire, False)], netns=True, builds=("gcc",))
def never_in_clear(t, state, works):
    world, site, tokens = World(t), site_of(t), Tokens()
    resolver_in_clear(t, world)
    servers = state(world, site, t)
    capture = Capture(world)
    d = Daemon(t, 'upstream "tls" { address = {"%s"} }\nupstream "https" { protocol = "doh" address = {"%s"} }\n' % (UP4, DOH4),
               anchors=site.anchors)
    with d.udp(8) as c:
        for name in [tokens.name() for _ in range(5)]:
            c.send(wire.question(name, ident=1))
        for _ in range(5):
            equal(c.receive()[3] & 15, 0 if works else 2, "rcode")
    for name, qtype in (("PTR", "PTR"), ("A", "A"), ("AAAA", "AAAA"), ("HTTPS", "HTTPS")):
        # names that others ask their neighbours for, and a private address turned round
        reply = d.ask({"PTR": "7.2.0.192.in-addr.arpa", "A": tokens.name()[:32]}.get(name, tokens.name()[:32] + ".local"), qtype)
        check(client.rcode(reply) in ("NXDOMAIN", "SERVFAIL", "NOERROR"), "rcode")
    d.ctl("reload")
    d.ask(tokens.name(), tcp=True)
    d.process.stop()
    frames = capture.end()
    equal(leaks(frames, tokens.all), [], "leaks")
    if state not in (no_wire, no_neighbour):
        check(any(ports(f) and ports(f)[1] in (853, 443) for f in frames), "nothing was captured at all")
    if not works and state not in (mute, cut_off, black_hole):
        equal([s.application_bytes for s in servers if s.application_bytes], [], "bytes of application data")
    equal([name for s in servers for name in s.sni if name], [], "names in the handshake (none is configured)")


@case("A6 the lab detects a client that leaks", netns=True, builds=("gcc",))
def leak_is_caught(t):
    world, tokens = World(t), Tokens()
    resolver_in_clear(t, world)
    capture = Capture(world)
    name = tokens.name()
    with client.Udp(UP4, 53) as c:
        c.ask(wire.question(name))
    found = leaks(capture.end(), tokens.all)
    check(any("ports" in f and "53" in f for f in found) and any(name[:32] in f for f in found), f"it was not noticed: {found}")


# ---- P03: another network

def remove_address(world):
    ip("addr", "add", "192.0.2.3/24", "dev", "wire0")
    ip("addr", "del", HOME4 + "/24", "dev", "wire0")  # takes its secondaries and the default route with it
    subprocess.run(["ip", "addr", "add", "192.0.2.3/24", "dev", "wire0"], stderr=subprocess.DEVNULL, check=False)
    World.routes()


def remove_address6(world):
    ip("-6", "addr", "add", "2001:db8::3/64", "dev", "wire0", "nodad")
    ip("-6", "addr", "del", HOME6 + "/64", "dev", "wire0")


def other_route(world):
    ip("route", "replace", "default", "via", "192.0.2.254")


def covered_route(world):
    for half in ("0.0.0.0/1", "128.0.0.0/1"):  # as OpenVPN's redirect-gateway def1
        ip("route", "add", half, "via", GATE4)


def covered_route6(world):
    ip("-6", "route", "add", "2000::/3", "dev", "wire0")


def link_down(world):
    ip("link", "set", "wire0", "down")
    ip("link", "set", "wire0", "up")
    ip("-6", "addr", "replace", HOME6 + "/64", "dev", "wire0", "nodad")
    World.routes()


def link_down4():
    ip("link", "set", "wire0", "down")
    ip("link", "set", "wire0", "up")
    ip("route", "replace", "default", "via", GATE4)


@rows([("P03 the local address is removed: the connection is renewed at once", UP4, remove_address),
       ("P03 the local IPv6 address is removed: the connection is renewed at once", UP6, remove_address6),
       ("P03 the default route changes: the connection is renewed at once", UP4, other_route),
       ("P03 a VPN's routes cover the default route: the connection is renewed at once", UP4, covered_route),
       ("P03 an IPv6 VPN's route covers the default route: the connection is renewed at once", UP6, covered_route6),
       ("P03 the link goes down and comes up: the connection is renewed at once", UP4, link_down),
       ("P03 the link goes down for good: the daemon notices, although only IPv4 was configured", UP4, None)], netns=True)
def network_changes(t, address, change):
    world, site = World(t), site_of(t)
    if change is None:
        ip("-6", "route", "flush", "default")
        ip("-6", "addr", "flush", "dev", "wire0")
    server = world.serve(t, site, address=address)
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    equal(client.rcode(d.ask("before.example.com")), "NOERROR", "rcode before")
    equal(server.handshakes, 1, "handshakes before")
    if change:
        change(world)
    else:
        ip("link", "set", "wire0", "down")
    until(lambda: "network-changed" in d.log(), 10, "the daemon notices")
    if change is None:
        link_down4()
    d.ctl("stats")  # the workers answer it after they have heard of the change; the log has its line earlier
    number = iter(range(1000))
    until(lambda: client.rcode(d.ask(f"after{next(number)}.example.com")) == "NOERROR", 10, "answers on the new network")
    check(server.handshakes >= 2, "the old connection is still in use")
    equal(server.resumed, 0, "sessions of the old network resumed on the new one")


# ---- P04, P05

@case("P04 when IPv6 is a black hole and IPv4 works, the first answer does not wait for a time-out", netns=True)
def ipv6_black_hole(t):
    world, site = World(t), site_of(t)
    server = world.serve(t, site)
    with world:
        ip("-6", "route", "add", "blackhole", HOME6 + "/128")
    d = Daemon(t, upstream("one", server, address=[UP6, UP4]), anchors=site.anchors)
    equal(client.rcode(d.ask("first.example.com")), "NOERROR", "rcode")
    check("connect-timeout" not in d.log(), "the first answer waited for the connect-timeout of the other family")
    for i in range(20):
        equal(client.rcode(d.ask(f"n{i}.example.com")), "NOERROR", "rcode")
    equal(server.handshakes, 1, "handshakes")


@case("P05 behind a captive portal: SERVFAIL with the reason, and service after the login without a restart", netns=True)
def captive(t):
    world, site = World(t), site_of(t)
    resolver_in_clear(t, world)
    page = portal(world, site, t)
    d = Daemon(t, 'upstream "tls" { address = {"%s"} }\nupstream "https" { protocol = "doh" address = {"%s"} }\n' % (UP4, DOH4),
               anchors=site.anchors)
    for i in range(3):
        servfail(d.ask(f"behind{i}.example.com"))
    reasons = str(d.ctl("upstreams"))
    check("plain-text" in reasons and "untrusted" in reasons, f"the state does not say why: {reasons[:300]}")
    for server in page:
        server.stop()
    world.serve(t, site)
    d.ctl("captive", minutes=1)
    number = iter(range(1000))
    until(lambda: client.rcode(d.ask(f"after{next(number)}.example.com")) == "NOERROR", 15, "answers after the login")
    equal(sum(s.application_bytes for s in page), 0, "bytes that the portal saw")


# ---- clients of the C library, and the defaults

@case("getaddrinfo and nsswitch resolve names through the compiled-in upstreams, at their real addresses", netns=True, builds=("gcc",))
def library_clients(t):
    world, site = World(t), site_of(t, with_ct=True)
    resolver_in_clear(t, world)
    server = world.serve(t, site)
    mounted(t, "/etc/resolv.conf", "nameserver 127.0.0.1\noptions edns0 trust-ad\n")
    mounted(t, "/etc/nsswitch.conf", "hosts: files dns\n")
    capture, tokens = Capture(world), Tokens()
    d = Daemon(t, "", anchors=site.anchors, ct=None, extra=f'ct {{ log-list = "{site.log_list}" }}\n', listen=["127.0.0.1:53", "[::1]:53"])
    name = tokens.name()
    want = {socket.inet_ntop(socket.AF_INET, wire.rdata_for(name.encode().split(b"."), 1)),
            socket.inet_ntop(socket.AF_INET6, wire.rdata_for(name.encode().split(b"."), 28))}
    code = "import socket, sys\nprint(*sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], 443)}))\n"
    _, out, err = t.run(sys.executable, "-c", code, name)
    equal(set(out.split()), want, f"addresses of getaddrinfo ({err[-200:]})")
    _, out, _ = t.run("/usr/bin/getent", "ahosts", tokens.name())
    check(len(out.splitlines()) >= 2, f"getent: {out}")
    code, _, _ = t.run("/usr/bin/getent", "ahosts", tokens.name()[:32] + ".invalid")
    equal(code, 2, "getent's exit code for a name that does not exist")
    check(server.questions, "the upstream was not asked")
    verdict = [u["verdict"] for u in d.ctl("upstreams")["upstreams"] if u["address"].startswith(UP4) and u["verdict"]][0]
    equal((verdict["outcome"], sum(s["counts"] for s in verdict["scts"])), ("accepted", 3), "verdict, and SCTs that count")
    d.process.stop()
    equal(leaks(capture.end(), tokens.all), [], "leaks")


@case("without IPv6 the default listeners answer on 127.0.0.1, and ::1 alone is an error", netns=True)
def no_ipv6(t):
    switch = "/proc/sys/net/ipv6/conf/lo/disable_ipv6"
    if os.path.exists(switch):
        with open(switch, "w", encoding="ascii") as f:
            f.write("1")
    # anchors of our own: in a user namespace the system's belong to nobody
    head = f'user = ""\ncontrol-socket = "{t.dir}/control"\ntrust {{ anchors = "{Site(t).anchors}" }}\n'
    code, _, err = t.run("ctstubd", "-c", t.write("six.conf", head + 'listen = {"[::1]:53"}\n'))
    equal(code, 3, f"exit code: {err}")
    for workers in (1, 2):
        d = t.spawn("ctstubd", [t.program("ctstubd"), "-c", t.write("both.conf", head + f"workers = {workers}\n")])
        until(lambda: "started" in d.log(), 10, "it starts")
        check("listener-left-out" in d.log(), f"it is told: {d.log()}")
        equal(client.rcode(client.exchange("127.0.0.1", 53, client.query("localhost"))), "NOERROR", "rcode")
        d.stop()


# ---- P13: what the filter on system calls changes

def unsealed(t):
    may_preload(t)
    return {"LD_PRELOAD": t.library("tests/fault/shim.so"), "CTSTUB_UNSEALED": "1"}


QUICK_US = 100_000  # four times that is less than the least wait for a dead path


def quick_path(d):
    """Asks until the round trip that the daemon measures is short: on a busy machine the first ones can be long, and its waits too."""
    names = (f"before{i}.example.com" for i in range(10_000))

    def quick():
        equal(client.rcode(d.ask(next(names))), "NOERROR", "rcode before")
        address, = d.ctl("upstreams")["upstreams"]
        return 0 <= address["srtt_us"] < QUICK_US
    until(quick, 20, "a short round trip")


def is_sealed(d):
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        return "Seccomp:\t2" in f.read()


@rows([(f"P13 {kind.__name__}: unacknowledged data reveal a dead path, {how} the filter on system calls",
        kind, address, how == "with") for kind, address in ((DotServer, UP4), (DohServer, DOH4)) for how in ("with", "without")],
      netns=True, builds=("gcc",))
def dead_path(t, kind, address, sealed):
    world, site = World(t), site_of(t)
    served = world.serve(t, site, kind, address)
    d = Daemon(t, upstream("one", served), anchors=site.anchors, env={} if sealed else unsealed(t))
    if sealed:  # the daemon answers on its control socket before it has sealed itself
        until(lambda: is_sealed(d), 10, "the filter is there")
    else:
        equal(is_sealed(d), False, "the filter is there")
    quick_path(d)
    with world:
        ip("route", "add", "blackhole", HOME4 + "/32")
    with d.udp(8) as c:
        c.send(wire.question("after.example.com", ident=1))
        d.process.wait_log("upstream-closed|upstream-failed", 10)
    first = next(line for line in d.log().splitlines() if "upstream-closed" in line or "upstream-failed" in line)
    check("the peer does not acknowledge" in first, f"it was found otherwise: {first}")
