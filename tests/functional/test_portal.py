"""Captive portals: names of portal probes, and no others, leave in clear text, from ctstub-portal alone, while a window is open.

The world behind the wire is P05's: TCP 853 is reset, 443 has another certificate, UDP 53 is answered for every name with the
portal's address, and HTTP there is a login page.
"""
import errno
import http.server
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
import urllib.request

from harness import client, wire
from harness.case import Skip, case, check, equal, rows, until
from harness.container import Container, debian_root
from harness.daemon import Daemon, section, upstream
from harness.faults import EINTR, Faults, sample
from harness.installed import CONFIG, configure, install
from harness.patience import patient
from harness.pki import Site
from harness.standstill import TimeIsUp
from harness.upstream import DohServer
from harness.world import DOH4, GATE4, HOME4, UP4, Capture, Tokens, World, ip, ports, site_of

PROBE = "nmcheck.gnome.org"
LOGIN = "login.hotel.example.com"
LAB = "nobody"  # whom the helper becomes
AGAIN_S = 1     # after this long without an answer the helper asks again (ASKING_WAIT_MS)


class Resolver:
    """The network's own resolver: every name is the portal's address, or what `respond` makes of a question."""

    def __init__(self, t, world, address=GATE4, respond=None):
        with world:
            place = socket.getaddrinfo(address, 53, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
            self.socket = socket.socket(place[0], socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND
        self.socket.bind(place[4])
        self.socket.settimeout(0.2)
        self.respond = respond
        self.asked = []
        self.ended = False
        threading.Thread(target=self.serve, daemon=True).start()
        t.defer(self.close)

    def close(self):
        self.ended = True
        self.socket.close()

    def serve(self):
        while not self.ended:
            try:
                data, peer = self.socket.recvfrom(4096)
                q = wire.Question(data)
                self.asked.append((q.name, q.qtype, data, peer))
                for message in self.respond(q) if self.respond else [here(q)]:
                    self.socket.sendto(message, peer)
            except (OSError, IndexError, struct.error):
                continue


def here(q, address=GATE4):
    records = [wire.record(b"\xc0\x0c", wire.A, 300, socket.inet_aton(address))] if q.qtype == wire.A else []
    return wire.answer(q, records=records)


class LoginPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        self.send_response(302)
        self.send_header("Location", f"http://{LOGIN}/login")
        self.end_headers()

    def log_message(self, *_):
        pass


def login_page(t, world):
    with world:
        server = http.server.ThreadingHTTPServer((GATE4, 80), LoginPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    t.defer(lambda: (server.shutdown(), server.server_close()))


def interceptor(t, world, site):
    """TCP 853 is reset, 443 shows another certificate."""
    def reset(plain):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    other = Site(t, ips=("192.0.2.1",), names=("portal.example",), prefix="portal")
    return world.serve(t, site, on_accept=reset), world.serve(t, other, DohServer, DOH4)


class Helper:
    """ctstub-portal, with the socket that systemd would hand in."""

    def __init__(self, t, path, config, env=None):
        self.t, self.path, self.config, self.env = t, path, config, env
        self.process = None
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.bind(self.path)
            s.listen(64)
            fd = s.fileno()
            self.process = self.t.spawn("ctstub-portal", ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"',
                                                          self.t.program("ctstub-portal"), "-v", "-c", self.config],
                                        preexec=lambda: os.dup2(fd, 3), pass_fds=(3,), env=self.env)
        self.process.wait_log("portal-started")

    def log(self):
        return self.process.log()


class Hotel:
    """The world, the daemon in it and the helper beside it."""

    def __init__(self, t, enable=True, respond=None, resolver=(GATE4,), names=(LOGIN,), workers=1, env=None):
        self.world, self.site = World(t), site_of(t)
        self.resolver = Resolver(t, self.world, respond=respond)
        Resolver(t, self.world, address=UP4)  # UDP 53 is redirected, wherever it goes
        self.pages = interceptor(t, self.world, self.site)
        login_page(t, self.world)
        self.capture, self.tokens = Capture(self.world), Tokens()
        socket_path = t.path("portal.sock")
        self.portal = {"socket": socket_path, "user": LAB if os.geteuid() == 0 else "", "names": list(names)}
        if resolver:
            self.portal["resolver"] = list(resolver)
        self.upstreams = [section('upstream "tls"', address=[UP4]), section('upstream "https"', protocol="doh", address=[DOH4])]
        self.daemon = Daemon(t, self.upstreams, anchors=self.site.anchors, extra=section("portal", enable=enable, **self.portal), workers=workers)
        os.chmod(t.dir, 0o755)
        self.helper = Helper(t, socket_path, self.daemon.config, env) if enable else None
        self.t = t

    def open(self, minutes=5):
        answer = self.daemon.ctl("captive", minutes=minutes)
        check(answer["ok"], answer)
        return answer

    def ask(self, name=PROBE, qtype="A", **options):
        return self.daemon.ask(name, qtype, **options)

    def addresses(self, name=PROBE, once=False):
        """Those of an answer in a window. once: the test counts packets, so the helper must not have had to ask again."""
        began, before = time.monotonic(), len(self.resolver.asked)
        reply = self.ask(name)
        if once and len(self.resolver.asked) > before + 1 and time.monotonic() - began >= AGAIN_S:
            raise TimeIsUp(f"no answer to {name} within {AGAIN_S} s")
        equal(client.rcode(reply), "NOERROR", "rcode")
        return client.values(reply)

    def login(self):
        for server in self.pages:
            server.stop()
        self.world.serve(self.t, self.site)

    def clear_text(self):
        """(name, type) of each packet to a port of clear DNS that left the home, until now or the end of the capture."""
        found = []
        for frame in list(self.capture.frames):
            p = ports(frame)
            if p and p[1] in (53, 5353, 5355):
                at = 14 + 4 * (frame[14] & 15) + 8 if frame[12:14] == b"\x08\x00" else 14 + 40 + 8
                q = wire.Question(frame[at:])
                found.append((q.name, q.qtype))
        return found

    def window_is_closed(self):
        return self.daemon.ctl("status")["portal"]["open"] is False


def servfail(reply):
    equal(client.rcode(reply), "SERVFAIL", "rcode")


@case("P05 a window shows the login page, nothing else leaves in clear text, and service comes back after the login without a restart",
      netns=True)
def whole_stay(t):
    hotel = Hotel(t)
    d, tokens = hotel.daemon, hotel.tokens
    servfail(hotel.ask())
    servfail(d.ask(tokens.name()))
    equal(hotel.clear_text(), [], "packets in clear text before the window")
    code, out, err = d.tool("captive", "5m")
    equal((code, out), (0, "portal window for 5 minutes: names of portal probes, and no others, leave in clear text\n"), f"captive: {err}")
    addresses = hotel.addresses(once=True)
    equal(addresses, [GATE4], "the portal's address")
    page = urllib.request.build_opener(NoRedirect).open(urllib.request.Request(f"http://{addresses[0]}/", headers={"Host": PROBE}), timeout=10)
    equal(page.headers["Location"], f"http://{LOGIN}/login", "where the login page is")
    equal(hotel.addresses(LOGIN.upper(), once=True), [GATE4], "the login page's address, a name of the configuration")
    for _ in range(3):
        servfail(d.ask(tokens.name()))
        servfail(d.ask(tokens.name(), tcp=True))
    _, out, _ = d.tool("status")
    check(re.search(r"^portal window, [45] min left: 2 queries for names of portal probes left in clear text$", out, re.M), out)
    state = d.ctl("status")["portal"]
    equal({k: state[k] for k in ("enabled", "open", "questions", "answered", "failed")},
          {"enabled": True, "open": True, "questions": 2, "answered": 2, "failed": 0}, "status --json")
    check(0 < state["left_s"] <= 300, state)
    hotel.login()
    number = iter(range(1000))
    until(lambda: client.rcode(d.ask(f"after{next(number)}.example.com")) == "NOERROR", 15, "answers after the login")
    until(hotel.window_is_closed, 5, "the window ends once an upstream is accepted")
    hotel.helper.process.wait_log("portal-window-closed")
    before = len(hotel.clear_text())
    equal(client.rcode(hotel.ask()), "NOERROR", "the probe's name after the login")
    check(client.values(hotel.ask()) != [GATE4], "the portal's answer was kept beyond the window")
    frames = hotel.capture.end()
    equal(hotel.clear_text(), [(PROBE, wire.A), (LOGIN, wire.A)], "packets in clear text")
    equal(before, 2, "packets in clear text before the login")
    low = b"".join(frames).lower()
    check(not any(token.encode() in low for token in tokens.all), "a name that is not on the list left")
    for log in (d.log(), hotel.helper.log()):
        equal(log.count(f"portal-question name={PROBE} type=A"), 1, "the question in the logs of both programs")
    _, out, _ = d.tool("stats", "--prometheus")
    for line in ("ctstub_portal_questions_total 2", "ctstub_portal_answered_total 2", "ctstub_portal_windows_total 1", "ctstub_portal_window 0"):
        check(line in out.splitlines(), f"no {line}")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, req, fp, code, msg, headers):
        return fp


@case("without portal.enable captive mode sends nothing in clear text, and says so", netns=True)
def switched_off(t):
    hotel = Hotel(t, enable=False)
    code, out, err = hotel.daemon.tool("captive", "5")
    equal((code, out), (0, "captive mode for 5 minutes: nothing leaves in clear text (portal.enable is false)\n"), f"captive: {err}")
    for name in (PROBE, LOGIN, "detectportal.firefox.com"):
        servfail(hotel.ask(name))
    _, out, _ = hotel.daemon.tool("status")
    check(re.search(r"^captive mode +5 min left: nothing leaves in clear text$", out, re.M) and "portal window" not in out, out)
    hotel.capture.end()
    equal(hotel.clear_text(), [], "packets in clear text")
    equal(hotel.resolver.asked, [], "questions at the network's resolver")


STAYS = [(name, "A") for name in (
    "gnome.org", "org", "a.nmcheck.gnome.org", "secret.detectportal.firefox.com", "nmcheck.gnome.org.evil.example.com", "nmcheck.gnome.orgx.example.com",
    "xnmcheck.gnome.org", "xn--nmcheck-9ya.gnome.org", "xn--gnme-noa.org", "www.google.com", "www.apple.com", "fedoraproject.org",
    "hotel.example.com", "www." + LOGIN, "example.com", "1.2.0.192.in-addr.arpa", "wpad.lan")]
STAYS += [(PROBE, qtype) for qtype in ("TXT", "MX", "NS", "SOA", "HTTPS", "ANY", "CNAME", "PTR", "SRV")]


@case("names that are not on the list, and other types, stay in a window", netns=True)
def other_names(t):
    hotel = Hotel(t)
    hotel.open()
    for name, qtype in STAYS:
        hotel.ask(name, qtype)
    equal(hotel.addresses(once=True), [GATE4], "the window is open")
    hotel.capture.end()
    equal(hotel.clear_text(), [(PROBE, wire.A)], "packets in clear text")


@case("captive off ends the window at once, also one that a reload switches off", netns=True)
def ends(t):
    hotel = Hotel(t)
    d = hotel.daemon
    hotel.open()
    equal(hotel.addresses(), [GATE4], "in the window")
    equal(d.tool("captive", "off")[:2], (0, "captive mode off\n"), "captive off")
    until(lambda: client.rcode(hotel.ask()) == "SERVFAIL", 5, "no answer after it")
    hotel.open()
    until(lambda: client.values(hotel.ask()) == [GATE4], 5, "in the second window")
    d.write(hotel.upstreams, extra=section("portal", enable=False, **hotel.portal))
    check(d.ctl("reload")["ok"], "the reload failed")
    until(lambda: client.rcode(hotel.ask()) == "SERVFAIL", 5, "no answer once it is switched off")
    equal(d.ctl("status")["portal"]["open"], False, "the window in the status")
    n = len(hotel.resolver.asked)
    servfail(hotel.ask("networkcheck.kde.org"))
    equal(len(hotel.resolver.asked), n, "questions at the network's resolver")


@case("every worker has a window of its own", netns=True)
def workers(t):
    hotel = Hotel(t, workers=4)
    hotel.open()
    until(lambda: hotel.helper.log().count("portal-window-open") == 4, 5, "four windows")
    for _ in range(40):  # the kernel spreads them over the workers by their ports
        equal(hotel.addresses(), [GATE4], "the portal's address")
    hotel.daemon.ctl("captive", minutes=0)
    until(lambda: hotel.helper.log().count("portal-window-closed") == 4, 5, "four ends")


@case("a helper that is killed in a window: questions fail, nothing else does, and the next helper is found", netns=True)
def killed(t):
    hotel = Hotel(t, respond=lambda q: [])
    hotel.open()
    replies = []
    asking = threading.Thread(target=lambda: replies.append(hotel.ask()))
    asking.start()
    until(lambda: hotel.resolver.asked, 5, "the question is out")
    hotel.helper.process.kill()
    asking.join(patient(10))
    servfail(replies[0])
    check("no answer of the network" in str(client.ede(replies[0])), f"the reply does not say why: {client.ede(replies[0])}")
    servfail(hotel.ask())
    hotel.resolver.respond = None
    hotel.helper.start()
    until(lambda: client.values(hotel.ask()) == [GATE4], 10, "the new helper is found")
    check(hotel.daemon.process.alive(), "the daemon has ended")


@case("without a helper a window changes nothing, and the log says so once", netns=True)
def missing(t):
    hotel = Hotel(t)
    hotel.helper.process.kill()
    os.unlink(hotel.portal["socket"])
    hotel.open()
    for _ in range(5):
        servfail(hotel.ask())
    equal(hotel.daemon.log().count("portal-helper-unreachable"), 1, "lines of the log")


@case("a flood of probes is bounded, and each question has a port and an id of its own", netns=True)
def flood(t):
    hotel = Hotel(t)
    hotel.open()
    began = time.monotonic()
    for i in range(300):
        hotel.ask(("nmcheck.gnome.org", "networkcheck.kde.org", "captive.apple.com")[i % 3])
    asked = hotel.resolver.asked
    took = time.monotonic() - began
    most = 60 * (1 + int(took / 10)) + int(took / AGAIN_S)  # 60 in 10 s, and those that the helper had to ask again
    check(3 <= len(asked) <= most, f"{len(asked)} questions left, want {most} or fewer")
    check(len({peer[1] for *_, peer in asked}) > len(asked) // 2, "ports repeat")
    check(len({data[:2] for _, _, data, _ in asked}) > len(asked) // 2, "ids repeat")
    equal({len(data) for name, _, data, _ in asked if name == PROBE}, {12 + len(PROBE) + 2 + 4}, "bytes of a question: nothing is added to it")


def alias(target, more=b""):
    return wire.record(b"\xc0\x0c", 5, 300, wire.name_bytes(target)) + more


A_HERE = socket.inet_aton(GATE4)
HOSTILE = [
    ("another id, and then the answer", lambda q: [b"\0\0" + here(q)[2:], here(q)], [GATE4]),
    ("another question, and then the answer", lambda q: [wire.header(q.ident, 0x8180, 1, 0, 0, 0) + wire.name_bytes("evil.example.com") + b"\0\1\0\1", here(q)], [GATE4]),
    ("nonsense, and then the answer", lambda q: [b"x", b"\xff" * 100, here(q)], [GATE4]),
    ("an address of another name", lambda q: [wire.answer(q, records=[wire.record(wire.name_bytes("evil.example.com"), 1, 300, A_HERE)])], []),
    ("an alias and its address", lambda q: [wire.answer(q, records=[alias("edge.example.com"), wire.record(wire.name_bytes("edge.example.com"), 1, 300, A_HERE)])], [GATE4]),
    ("an alias without an address", lambda q: [wire.answer(q, records=[alias("edge.example.com")])], []),
    ("an alias of itself", lambda q: [wire.answer(q, records=[alias(PROBE)])], []),
    ("a chain of 40 aliases", lambda q: [wire.answer(q, records=[alias("n0.example.com"), *(wire.record(wire.name_bytes(f"n{i}.example.com"), 5, 300, wire.name_bytes(
        f"n{i + 1}.example.com")) for i in range(20)), wire.record(wire.name_bytes("n20.example.com"), 1, 300, A_HERE)])], []),
    ("loopback", lambda q: [here(q, "127.0.0.1")], []),
    ("the metadata service of a cloud", lambda q: [here(q, "169.254.169.254")], []),
    ("0.0.0.0", lambda q: [here(q, "0.0.0.0")], []),
    ("sixty addresses", lambda q: [wire.answer(q, records=[wire.record(b"\xc0\x0c", 1, 300, bytes([192, 0, 2, i])) for i in range(1, 61)])], [f"192.0.2.{i}" for i in range(1, 9)]),
    ("NXDOMAIN", lambda q: [wire.answer(q, rcode=3)], []),
    ("SERVFAIL", lambda q: [wire.answer(q, rcode=2)], None),
    ("more than 1232 bytes", lambda q: [wire.answer(q, records=[wire.record(b"\xc0\x0c", 1, 300, A_HERE)] * 100)], None),
    ("a pointer to itself", lambda q: [wire.header(q.ident, 0x8180, 1, 1, 0, 0) + q.section + struct.pack(">H", 0xC000 | (12 + len(q.section))) + b"\0\1\0\1\0\0\0\1\0\4" + A_HERE], None),
    ("truncated, to have it asked over TCP", lambda q: [wire.answer(q, records=[], flags=0x8380)], []),
    ("silence", lambda q: [], None),
]


@rows([(f"a hostile resolver of the network: {what}", respond, want) for what, respond, want in HOSTILE], netns=True)
def hostile(t, respond, want):
    hotel = Hotel(t, respond=respond)
    hotel.open()
    reply = hotel.ask(timeout=8)
    if want is None:
        servfail(reply)
    else:
        equal(client.rcode(reply), "NOERROR", "rcode")
        equal(client.values(reply), want, "the answer")
        check(all(rrset.ttl <= 5 for rrset in reply.answer), f"TTLs of {reply.answer}")
    equal([(r.name.to_text().lower(), r.rdtype) for r in reply.answer], [(PROBE + ".", wire.A)] if want else [], "records: the name's addresses alone")
    equal((list(reply.authority), list(reply.additional)), ([], []), "other records")
    check(hotel.daemon.process.alive() and hotel.helper.process.alive(), "a program has ended")
    check(not any(frame for frame in hotel.capture.frames if (ports(frame) or (0, 0))[1] == 53 and frame[23] == 6), "TCP to port 53")


@case("the network's resolver is learned from NetworkManager, follows a change of network, and is never this machine", netns=True)
def learned(t):
    if os.geteuid() != 0:
        raise Skip("only root may cover /run")
    done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Skip(f"/run cannot be covered: {done.stderr.decode().strip()}")
    os.mkdir("/run/NetworkManager")

    def lease(*addresses):
        with open("/run/NetworkManager/resolv.conf", "w", encoding="ascii") as f:
            f.write("".join(f"nameserver {a}\n" for a in addresses))
    hotel = Hotel(t, resolver=())
    other = Resolver(t, hotel.world, address="192.0.2.254", respond=lambda q: [here(q, "192.0.2.77")])
    hotel.open()
    servfail(hotel.ask())
    lease("127.0.0.1", HOME4)
    servfail(hotel.ask())
    equal(hotel.clear_text(), [], "packets in clear text without a resolver of the network")
    lease("127.0.0.53", GATE4)
    equal(hotel.addresses(), [GATE4], "the address by the first network")
    lease("192.0.2.254")
    subprocess.run(["ip", "route", "replace", "default", "via", "192.0.2.254"], check=True)
    until(lambda: "network-changed" in hotel.daemon.log(), 10, "the daemon notices the new network")
    until(lambda: client.values(hotel.ask()) == ["192.0.2.77"], 5, "the address by the second network")
    equal(len(other.asked), sum(q[0] == PROBE for q in other.asked), "names at the second")
    ip("-6", "addr", "add", "fe80::2/64", "dev", "wire0", "nodad")
    with hotel.world:
        ip("-6", "addr", "add", "fe80::53/64", "dev", "wire1", "nodad")
    Resolver(t, hotel.world, address="fe80::53%wire1", respond=lambda q: [here(q, "192.0.2.78")])
    lease("fe80::53%wire0")
    equal(hotel.addresses(), ["192.0.2.78"], "the address by a resolver whose address is of the link")
    index = socket.if_nametoindex("wire0")
    check(re.search(f"portal-question .*resolver=\"?fe80::53%{index}\\b", hotel.helper.log()), "the log names another resolver")


@case("only the user of the helper sends to port 53: the kernel counts whose packets they are", netns=True)
def whose_packets(t):
    nft = shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin")
    if os.geteuid() != 0 or not nft:
        raise Skip("nftables cannot be used here")
    rules = f"""table inet whose {{ chain out {{ type filter hook output priority 0;
        oifname != "lo" meta skuid "{LAB}" udp dport 53 counter accept comment "helper"
        oifname != "lo" udp dport 53 counter drop comment "others"
        oifname != "lo" tcp dport 53 counter drop comment "others"
        }}
    }}
"""
    done = subprocess.run([nft, rules], stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Skip(f"nft: {done.stderr.decode().strip()}")
    hotel = Hotel(t)
    hotel.open()
    for name in (PROBE, LOGIN):
        equal(hotel.addresses(name, once=True), [GATE4], f"the address of {name}")
    for name in (hotel.tokens.name(), "gnome.org"):
        hotel.ask(name)
    shown = json.loads(subprocess.run([nft, "-j", "list", "table", "inet", "whose"], stdout=subprocess.PIPE, check=True).stdout)
    counts = {}
    for item in shown["nftables"]:
        rule = item.get("rule")
        if rule:
            packets = sum(e["counter"]["packets"] for e in rule["expr"] if "counter" in e)
            counts[rule["comment"]] = counts.get(rule["comment"], 0) + packets
    equal(counts, {"helper": 2, "others": 0}, "packets to port 53")
    equal(os.stat(f"/proc/{hotel.helper.process.pid}").st_uid, 65534, "the helper's user")


@rows([("no option", [], 2, "no listening socket was handed in"),
       ("an unknown option", ["--nonsense"], 2, "usage: ctstub-portal"),
       ("an argument", ["more"], 2, "was not expected"),
       ("--help", ["--help"], 0, "usage: ctstub-portal"),
       ("-V", ["-V"], 0, "ctstub-portal 0"),
       ("a file that is not there", ["-c", "/nowhere"], 2, "/nowhere")])
def command_line(t, words, code, text):
    have, out, err = t.run("ctstub-portal", *words)
    equal(have, code, f"exit code: {out} {err}")
    check(text in out + err, f"{out} {err}")


@rows([(f"captive {word!r}", word, code) for word, code in (("5", 0), ("5m", 0), ("1h", 0), ("60", 0), ("off", 0), ("0", 2), ("61", 2), ("2h", 2), ("90s", 2), ("5 m", 2), ("", 2), ("forever", 2))])
def windows_have_bounds(t, word, code):
    site = site_of(t)
    server = DohServer(t, site)
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    have, out, err = d.tool("captive", word)
    equal(have, code, f"exit code: {out} {err}")
    if code:
        check(("minutes from 1 to 60" if word else "an argument is empty") in err, err)


@rows([(f"NetworkManager reports {state or 'nothing'}", state, want) for state, want in (
    ("PORTAL", "captive 5\n"), ("LIMITED", "captive 5\n"), ("FULL", "captive off\n"), ("NONE", ""), ("UNKNOWN", ""), ("", ""))])
def hook_of_network_manager(t, state, want):
    fake = t.write("fake", '#!/bin/sh\necho "$@" >>calls\n')
    os.chmod(fake, 0o755)
    hook = os.path.join(t.src, "contrib/laptop/networkmanager-captive.sh")
    for event in ("connectivity-change", "up", "dhcp4-change"):
        code, out, err = t.run("/bin/sh", hook, "", event, env=t.env(CTSTUB=fake, CONNECTIVITY_STATE=state))
        equal((code, out, err), (0, "", ""), f"the hook at {event}")
    calls = open(t.path("calls"), encoding="ascii").read() if os.path.exists(t.path("calls")) else ""
    equal(calls, want, f"what it runs at {state or 'an empty state'}")


OUTSIDE = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.1", 53))
while True:
    data, peer = s.recvfrom(512)
    end = data.index(b"\\0", 12) + 5
    s.sendto(data[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + data[12:end] + b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\1\\0\\0\\4\\xc0\\0\\2\\x50", peer)
"""
UNIT = """upstream "away" { address = {"192.0.2.9"} }
portal { enable = true }
"""


@case("the units under systemd: the daemon's connection starts the helper under its own user and filter, and it ends by itself", builds=("gcc",), timeout=600)
def units(t):
    root = debian_root(t)
    install(t, root)
    configure(root, UNIT)
    with open(f"{root}/root/outside.py", "w", encoding="utf-8") as f:
        f.write(OUTSIDE)
    machine = Container(t, root)
    machine.boot()
    for line in ("ip netns add world", "ip link add wire0 type veth peer name wire1 netns world", "ip addr add 192.0.2.2/24 dev wire0", "ip link set wire0 up",
                 "ip netns exec world ip addr add 192.0.2.1/24 dev wire1", "ip netns exec world ip link set wire1 up",
                 "systemd-run --unit=outside ip netns exec world python3 /root/outside.py"):
        machine.must(*line.split())
    machine.must("mkdir", "-p", "/run/NetworkManager")
    machine.must("sh", "-c", "echo nameserver 192.0.2.1 >/run/NetworkManager/resolv.conf")
    machine.must("systemctl", "enable", "--now", "ctstub-portal.socket", "ctstubd.socket", "ctstubd.service")
    equal(machine.state("ctstub-portal"), "inactive", "the helper before a window")
    machine.must("ctstub", "captive", "5m", "-c", CONFIG)

    def ask():
        return machine.run("dig", "+short", "+tries=1", "+time=5", "@127.0.0.1", PROBE)[1].strip()
    until(lambda: ask() == "192.0.2.80", 20, f"the portal's address; {ask()}\n{machine.journal('ctstub-portal')[-800:]}{machine.journal('ctstubd')[-800:]}")
    pid = machine.state("ctstub-portal", "MainPID")
    equal(machine.must("stat", "-c", "%U", f"/proc/{pid}").strip(), "ctstub-portal", "the helper's user")
    status = machine.must("cat", f"/proc/{pid}/status")
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        check(line in status, f"the helper's status lacks {line!r}: {status}")
    equal(machine.must("stat", "-c", "%U:%G %a", "/run/ctstub-portal/socket").strip(), "root:ctstub 660", "the socket")
    check(f"name={PROBE}" in machine.journal("ctstub-portal"), "the journal of the helper lacks the question")
    machine.must("ctstub", "captive", "off", "-c", CONFIG)
    until(lambda: machine.state("ctstub-portal") == "inactive", 40, "the helper ends by itself")
    check(machine.state("ctstub-portal", "Result") == "success", "the helper's end is a failure")
    machine.must("ctstub", "captive", "5m", "-c", CONFIG)
    until(lambda: ask() == "192.0.2.80", 20, "the portal's address in the second window")
    machine.power_off()


# ---- single failures of the helper (A11)

# call, error, calls in the default run
FAULTS = [("allocation", errno.ENOMEM, 4), ("accept4", errno.EMFILE, 1), ("socket", errno.EMFILE, 1), ("connect", errno.ENETUNREACH, 1),
          ("send", errno.EPERM, 1), ("sendto", errno.ENOBUFS, 1), ("recv", errno.ENOMEM, 2), ("write", errno.ENOSPC, 1),
          ("epoll_wait", errno.EINTR, 2), ("epoll_ctl", errno.ENOMEM, 1), ("openat", errno.EMFILE, 1), ("getrandom", errno.ENOSYS, 1)]


def portal_answer(hotel):
    """The address of a probe's name, None for SERVFAIL or no reply; another answer fails the test."""
    try:
        reply = hotel.daemon.ask(PROBE, timeout=3)
    except OSError:
        return None
    if client.rcode(reply) == "SERVFAIL":
        return None
    equal([r[0].to_text() for r in reply.answer], [GATE4], "the answer of a probe")
    return GATE4


@case("A11 any call of ctstub-portal fails during a probe: no wrong answer, and a later probe is answered", netns=True, timeout=3600)
def helper_faults(t):
    faults = Faults(t)
    os.chmod(faults.path, 0o666)  # the helper has a user of its own
    hotel = Hotel(t, env=t.env(**faults.env))
    hotel.open()
    equal(hotel.addresses(), [GATE4], "a probe before")
    before = {call: faults.count(call) for call, _, _ in FAULTS}
    equal(hotel.addresses(once=True), [GATE4], "a probe while calls are counted")
    total = {call: faults.count(call) - before[call] for call, _, _ in FAULTS}
    check(total["recv"] > 0 and total["send"] + total["sendto"] > 0, f"calls of a probe: {total}")
    for call, error, n in FAULTS:
        for k in sample(t, total[call], n) if total[call] else ():
            what = f"{call} {k} of {total[call]} {errno.errorcode[error]}"
            faults.arm(call, k, error)
            portal_answer(hotel)
            faults.disarm()
            check(hotel.helper.process.alive(), f"{what}: it ended with {hotel.helper.process.popen.poll()}; {hotel.helper.log()[-300:]}")
            until(lambda: portal_answer(hotel) == GATE4, 15, f"{what}: a probe afterwards is answered; {hotel.helper.log()[-300:]}")


@case("A11 ctstub-portal: every second call is interrupted, and probes are answered", netns=True)
def helper_interrupted(t):
    faults = Faults(t)
    os.chmod(faults.path, 0o666)
    hotel = Hotel(t, env=t.env(**faults.env))
    hotel.open()
    faults.mode(EINTR)
    for _ in range(3):
        equal(hotel.addresses(), [GATE4], "a probe")
    check(faults.hits > 0, "nothing was interrupted")
