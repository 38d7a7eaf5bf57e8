"""TLS and certificates over the wire: reliability cases T01 to T17, T23 to T30. The lab's scenarios are in test_lab."""
import os
import socket
import ssl
import threading
import time

from cryptography.hazmat.primitives.serialization import Encoding

from functional._common import servfail, stub
from harness import client
from harness.case import at_most, case, check, equal, rows, until, within
from harness.daemon import Daemon, section, upstream
from harness.load import Load
from harness.net import need_ipv6
from harness.patience import patient
from harness.pki import DAY, Authority, Site, key_pem, pem, staple, utc_now
from harness.rawtls import ShownCertificate
from harness.upstream import DohServer, DotServer


def issued(t, site, name="other", **options):
    """The chain and key files of another certificate of the site's intermediate."""
    key, cert = site.intermediate.issue(**options)
    return t.write(f"{name}/chain.pem", pem(cert) + pem(site.intermediate.cert)), t.write(f"{name}/key.pem", key_pem(key))


BAD = {
    "T04 a certificate for the neighbour's address": ({"ips": ["127.0.0.2"]}, "ip-mismatch"),
    "T04 the address as text in a dNSName": ({"names": ["127.0.0.1"]}, "ip-mismatch"),
    "T04 an IPv4-mapped iPAddress": ({"ips": ["::ffff:127.0.0.1"]}, "ip-mismatch"),
    "T03 the address only as common name": ({"common_name": "127.0.0.1"}, "ip-mismatch"),
    "T01 an expired certificate": ({"ips": ["127.0.0.1"], "not_before": utc_now() - 50 * DAY, "not_after": utc_now() - DAY}, "expired"),
    "T01 a certificate of tomorrow": ({"ips": ["127.0.0.1"], "not_before": utc_now() + DAY}, "not-yet-valid"),
    "T09 a key that may not sign the handshake": ({"ips": ["127.0.0.1"], "usage": "encipherment"}, "wrong-usage"),
}


BAD_V6 = {
    "T04 an IPv4 address for ::1": ({"ips": ["127.0.0.1"]}, "ip-mismatch"),
    "T04 four bytes that end like ::1": ({"ips": ["0.0.0.1"]}, "ip-mismatch"),
    "T04 the IPv4-mapped form of those": ({"ips": ["::ffff:0.0.0.1"]}, "ip-mismatch"),
    "T04 the neighbour of ::1": ({"ips": ["::2"]}, "ip-mismatch"),
    "T03 ::1 only as common name": ({"common_name": "::1"}, "ip-mismatch"),
}
REFUSED = [(what, "127.0.0.1", row) for what, row in BAD.items()] + [(what, "::1", row) for what, row in BAD_V6.items()]


@rows([(f"{what}, over {kind.alpn[0]}: refused as {row[1]} before any question is sent", kind, address, *row)
       for what, address, row in REFUSED for kind in (DotServer, DohServer)])
def refused(t, kind, address, options, reason):
    if ":" in address:
        need_ipv6()
    site = Site(t)
    chain, key = issued(t, site, **options)
    server = kind(t, site, chain=chain, key=key, address=address)
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    reply = d.ask("www.example.com")
    servfail(reply, f"one {address}", reason)
    equal([code for code, _ in client.ede(reply)], [0], "INFO-CODE")
    equal(server.application_bytes, 0, "bytes of application data")
    d.process.wait_log(f"refused .*reason={reason}")


@case("T01 an unknown CA is refused as untrusted before any question is sent")
def unknown_ca(t):
    site, other = Site(t), Site(t, prefix="other")
    server = DotServer(t, other)
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    servfail(d.ask("www.example.com"), "untrusted")
    equal(server.application_bytes, 0, "bytes of application data")


@case("T24 CT required: three good SCTs are accepted; no SCTs, and SCTs from unlisted logs, are refused")
def transparency(t):
    logged, unlogged = Site(t, with_ct=True), Site(t, prefix="unlogged")
    for site, lists, want in ((logged, logged, None), (unlogged, unlogged, "ct-no-scts"), (logged, unlogged, "ct-too-few-scts")):
        server = DotServer(t, site)
        d = Daemon(t, upstream("one", server), anchors=site.anchors, ct=None, extra=section("ct", log_list=lists.log_list), name=f"d{want}")
        reply = d.ask("www.example.com")
        if want:
            servfail(reply, want)
            equal(server.application_bytes, 0, "bytes of application data")
        else:
            equal(client.rcode(reply), "NOERROR", "rcode")


@case("T23 a private CA without CT is accepted for the upstream that names it, and for no other")
def private_ca(t):
    private, public = Site(t, prefix="private"), Site(t, prefix="public")
    mine, impostor = DotServer(t, private), DotServer(t, private)
    d = Daemon(t, [upstream("corp", mine, trust_anchors=private.anchors, ct="off"), upstream("public", impostor, ct="off"),
                   section('forward "corp.example"', upstream=["corp"])], anchors=public.anchors, ct="require")
    equal(client.rcode(d.ask("www.corp.example")), "NOERROR", "the organisation's name")
    servfail(d.ask("www.example.com"), "public", "untrusted")
    equal(impostor.application_bytes, 0, "bytes to the impostor")
    equal(set(mine.names()), {"www.corp.example"}, "names that went to the organisation's resolver")
    at_most(len(mine.questions), 1, "questions to the organisation's resolver")


@rows([("T12 TLS 1.1 at most", ssl.TLSVersion.TLSv1_1), ("T12 TLS 1.0 at most", ssl.TLSVersion.TLSv1)])
def old_tls(t, version):
    def tune(context):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
    d, server = stub(t, options={"tune": tune})
    reply = d.ask("www.example.com")
    equal(client.rcode(reply), "SERVFAIL", "rcode")
    check(any("tls-" in text for _, text in client.ede(reply)), f"{client.ede(reply)}")
    equal(server.application_bytes, 0, "bytes of application data")


@rows([("TLS 1.2 is accepted", ssl.TLSVersion.TLSv1_2), ("TLS 1.3 is spoken", ssl.TLSVersion.TLSv1_3)])
def new_tls(t, version):
    def tune(context):
        context.minimum_version = context.maximum_version = version
    d, _ = stub(t, options={"tune": tune})
    for i in range(3):
        equal(client.rcode(d.ask(f"v{i}.example.com")), "NOERROR", "rcode")


@case("T12 a server that demands a client certificate is refused when none is configured")
def demands_certificate(t):
    def tune(context):
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    d, server = stub(t, options={"tune": tune})
    equal(client.rcode(d.ask("www.example.com")), "SERVFAIL", "rcode")
    equal(server.application_bytes, 0, "bytes of application data")


@case("mutual TLS: the upstream gets the configured client certificate")
def client_certificate(t):
    site = Site(t)
    ca = Authority("Clients")
    key, cert = ca.issue(names=["laptop"], common_name="laptop")
    chain, key_file = t.write("client/chain.pem", pem(cert)), t.write("client/key.pem", key_pem(key))

    def tune(context):
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=pem(ca.cert).decode())
        context.verify_flags &= ~0x80000
    # The forger's leaves are for servers; a client check of OpenSSL minds, so purpose is left to its default of the context.
    server = DotServer(t, site, tune=tune)
    d = Daemon(t, upstream("one", server, client_cert=chain, client_key=key_file), anchors=site.anchors)
    d.ask("www.example.com")
    check(not any("did not return a certificate" in f for f in server.failures), f"the client certificate was not sent: {server.failures}")


@rows([("T13 DoT without ALPN is accepted", []), ("T13 ALPN dot is fine", ["dot"]),
       ("T13 DoT with another ALPN only: no protocol is negotiated, which is accepted", ["http/1.1"])])
def alpn(t, protocols):
    d, _ = stub(t, options={"alpn": protocols})
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")


def silence(t):
    """No byte comes for as long as the test lasts."""
    over = threading.Event()
    t.defer(over.set)
    return lambda _plain: over.wait() and False


@case("T14 when a server is silent after the accept, the other upstream answers in time")
def silent(t):
    site = Site(t)
    mute, good = DotServer(t, site, on_accept=silence(t)), DotServer(t, site)
    d = Daemon(t, [upstream("mute", mute), upstream("good", good)], anchors=site.anchors, extra='strategy = "ordered"')
    started = time.monotonic()
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    within(4, started, "longer than a client waits")


@case("T14 when the only server is silent after the accept, SERVFAIL within 4.5 s names the upstream")
def silent_alone(t):
    d, _ = stub(t, options={"on_accept": silence(t)})
    started = time.monotonic()
    reply = d.ask("www.example.com")
    within(4.5, started, "longer than a client waits")
    servfail(reply, "one 127.0.0.1")


class Halting(ShownCertificate):
    """Stops after so many records of its flight of TLS 1.3: the first is the ServerHello, the second goes up to the Certificate."""

    def __init__(self, t, site, number, closes=False, **shown):
        self.number, self.closes = number, closes
        super().__init__(t, [c.public_bytes(Encoding.DER) for c in (site.cert, site.intermediate.cert)], True, **shown)

    def handshake(self, plain):
        flight, end = self.flight13(self.record(plain)[1]), 0
        for _ in range(self.number):
            end += 5 + int.from_bytes(flight[end + 3:end + 5], "big")
        plain.sendall(flight[:end])
        if self.closes:
            plain.shutdown(socket.SHUT_WR)  # close() would reset the connection if the client had sent something since
        while plain.recv(4096):
            pass


@rows([(f"T14 over {protocol}, a server is silent after its {what}: another upstream answers in time, and alone it is named in time",
        protocol, number) for protocol in ("dot", "doh") for what, number in (("ServerHello", 1), ("Certificate", 2))])
def silent_later(t, protocol, number):
    site = Site(t)
    mute = section('upstream "mute"', protocol=protocol, address=["127.0.0.1"], port=Halting(t, site, number).port)
    d = Daemon(t, [mute, upstream("good", DotServer(t, site))], anchors=site.anchors, extra='strategy = "ordered"')
    alone = Daemon(t, mute, anchors=site.anchors, name="alone")
    started = time.monotonic()
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    within(4, started, "longer than a client waits")
    started = time.monotonic()
    servfail(alone.ask("www.example.com"), "mute 127.0.0.1", "connect-timeout")
    within(4.5, started, "longer than a client waits")


@rows([("T14 a server with a staple closes after its Certificate: it is not refused for want of a staple", True, "closed"),
       ("T14 a server without the staple that its certificate demands closes after it: it is refused", False, "staple-missing")])
def closed_after_certificate(t, stapled, reason):
    site = Site(t, must_staple=True)
    server = Halting(t, site, 2, closes=True, staple=staple(site.intermediate, site.cert) if stapled else b"")
    d = Daemon(t, section('upstream "cut"', protocol="dot", address=["127.0.0.1"], port=server.port), anchors=site.anchors)
    servfail(d.ask("www.example.com"), "cut 127.0.0.1", reason)


@case("T15 after a connection ends in mid frame, the fragment is dropped and the question is asked again")
def mid_frame(t):
    from harness import wire
    first = []

    def handler(connection):
        q = connection.read_question()
        if not first:
            first.append(1)
            connection.send_raw(wire.frame(wire.answer(q))[:30])
            connection.close()
            return
        while True:
            connection.send(wire.answer(q))
            q = connection.read_question()
    d, _ = stub(t, handler=handler)
    raw = d.udp().ask(wire.question("www.example.com"))
    client.has_data(raw, [b"www", b"example", b"com"])


@case("T17 SNI is absent for an address, and is the configured name otherwise")
def sni(t):
    site = Site(t)
    bare, named = DotServer(t, site), DotServer(t, site)
    for i, (server, options) in enumerate(((bare, {}), (named, {"name": "dns.test"}))):
        d = Daemon(t, upstream("one", server, **options), anchors=site.anchors, name=f"d{i}")
        equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    equal(set(bare.sni) - {None}, set(), "SNI for an address")
    equal(set(named.sni), {"dns.test"}, "SNI with a name")


@case("T06 a certificate without the configured name is refused as name-mismatch")
def wants_name(t):
    site = Site(t)
    server = DotServer(t, site)
    d = Daemon(t, upstream("one", server, name="other.test"), anchors=site.anchors)
    servfail(d.ask("www.example.com"), "name-mismatch")
    equal(server.application_bytes, 0, "bytes of application data")


def client_hello(record):
    """(cipher suites, compression methods, extensions) of the first record of a client (RFC 8446, 4.1.2)."""
    def vec(size, at):
        start = at + size
        end = start + int.from_bytes(record[at:start], "big")
        return record[start:end], end
    _, at = vec(1, 5 + 4 + 2 + 32)  # the session id
    suites, at = vec(2, at)
    compression, at = vec(1, at)
    last, extensions = at + 2 + int.from_bytes(record[at:at + 2], "big"), {}
    at += 2
    while at < last:
        number = int.from_bytes(record[at:at + 2], "big")
        extensions[number], at = vec(2, at + 2)
    return suites, compression, extensions


SERVER_NAME, GROUPS, SIGNATURES, ALPN, SCTS, TICKET, PSK, EARLY_DATA, VERSIONS, PSK_MODES, LATER_AUTH = 0, 10, 13, 16, 18, 35, 41, 42, 43, 45, 49
SUITES = bytes.fromhex("130113031302c02bcca9c02cc02fcca8c030")  # of TLS 1.3, then ECDHE with ECDSA and RSA, all of them AEAD


def pairs(data):
    return {data[i:i + 2] for i in range(2, len(data), 2)}


@rows([(f"T12 T17 T21 T30 what is offered over {kind.alpn[0]}, for TLS {tls}, to {name or 'an address'}", kind, name, version)
       for kind in (DotServer, DohServer) for name in ("", "dns.test")
       for tls, version in (("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3))])
def offered(t, kind, name, version):
    def tune(context):
        context.maximum_version = version
    site, hellos = Site(t), []
    server = kind(t, site, tune=tune, on_accept=lambda plain: hellos.append(client_hello(plain.recv(4096, socket.MSG_PEEK))))
    d = Daemon(t, upstream("one", server, name=name), anchors=site.anchors)
    for i in range(2):
        equal(client.rcode(d.ask(f"o{i}.example.com")), "NOERROR", "rcode")
        reconnect(server)
    equal(server.resumed, 1, "resumed sessions")
    alpn, sni = kind.alpn[0].encode(), name.encode()
    for number, (suites, compression, extensions) in enumerate(hellos[:2]):
        equal((suites, compression), (SUITES, b"\0"), "cipher suites and compression methods")
        equal(extensions[VERSIONS], b"\4\3\4\3\3", "versions")
        equal(extensions[PSK_MODES], b"\1\1", "ways to resume: with fresh keys (psk_dhe_ke) alone")
        equal(extensions[ALPN], bytes([0, len(alpn) + 1, len(alpn)]) + alpn, "ALPN")
        equal(extensions.get(SERVER_NAME, b"")[5:], sni, "SNI")
        equal(pairs(extensions[GROUPS]), {b"\0\x1d", b"\0\x17", b"\0\x18", b"\0\x19"}, "groups: X25519 and the curves of NIST")
        check(not any(pair[0] in (1, 2, 3) for pair in pairs(extensions[SIGNATURES])), "MD5, SHA-1 or SHA-224 in signatures")
        equal({EARLY_DATA, SCTS, LATER_AUTH} & set(extensions), set(), "early data, SCTs in TLS, or authentication after the handshake")
        resumes = PSK in extensions or extensions[TICKET] != b""
        equal(resumes, number == 1, "a saved session is offered")


def reconnect(server):
    """Ends the live connections, as an idle close does."""
    server.drop()
    until(lambda: not server.live, 5, "the connections are gone")


@case("T11 a resumed session is judged again: a disallow entry added by reload refuses it")
def resumption(t):
    import hashlib
    d, server = stub(t)
    for i in range(3):
        equal(client.rcode(d.ask(f"r{i}.example.com")), "NOERROR", "rcode")
        reconnect(server)
    check(server.resumed >= 1, f"{server.resumed} of {server.handshakes} handshakes resumed")
    fingerprint = hashlib.sha256(d.site.cert.public_bytes(Encoding.DER)).hexdigest()
    sent = server.application_bytes
    d.write(upstream("one", server, disallow=[f"cert-sha256 {fingerprint}"]))
    check(d.ctl("reload")["ok"], "reload")
    servfail(d.ask("after.example.com"), "disallowed")
    equal(server.application_bytes, sent, "bytes of application data after the reload")


@case("T11 after a reload an open connection is judged again before its next use")
def open_connection(t):
    import hashlib
    d, server = stub(t)
    equal(client.rcode(d.ask("before.example.com")), "NOERROR", "rcode")
    fingerprint = hashlib.sha256(d.site.cert.public_bytes(Encoding.DER)).hexdigest()
    d.write(upstream("one", server, disallow=[f"cert-sha256 {fingerprint}"]))
    check(d.ctl("reload")["ok"], "reload")
    servfail(d.ask("after.example.com"), "disallowed")
    equal(set(server.names()), {"before.example.com"}, "names asked")
    at_most(len(server.questions), 1, "questions")


@rows([(f"T11 a server that has another certificate by the time of a reload is not refused for the one of an open connection: {kind.alpn[0]}",
        kind) for kind in (DotServer, DohServer)])
def renewed(t, kind):
    import hashlib
    site, loads = Site(t), []

    def on_accept(plain):  # questions come while the second handshake is under way
        until(lambda: not loads or len(loads[0].pending) > 3, 10, "questions that wait for the handshake")
    server = kind(t, site, on_accept=on_accept)
    d = Daemon(t, upstream("one", server), anchors=site.anchors)
    equal(client.rcode(d.ask("before.example.com")), "NOERROR", "rcode")
    old = hashlib.sha256(site.cert.public_bytes(Encoding.DER)).hexdigest()
    key, new = site.intermediate.issue(("127.0.0.1",), common_name="Renewed")
    server.context.load_cert_chain(t.write("new.pem", pem(new) + pem(site.intermediate.cert)), t.write("new.key", key_pem(key)))
    d.write(upstream("one", server, disallow=[f"cert-sha256 {old}"]))
    load = Load(d, 600, rate=300)
    load.start()
    until(lambda: len(server.questions) > 100, 10, "questions before the reload")
    loads.append(load)
    check(d.ctl("reload")["ok"], "reload")
    load.wait(20)
    load.finish()
    load.flawless()
    equal(server.handshakes, 2, "handshakes")
    check("disallowed" in d.log(), "the log does not say why the open connection ended")


@case("T11 after a reload with other anchors the saved session is not resumed")
def other_anchors(t):
    d, server = stub(t)
    equal(client.rcode(d.ask("before.example.com")), "NOERROR", "rcode")
    other = Site(t, prefix="other")
    d.head = d.head.replace(d.site.anchors, other.anchors)
    d.write(upstream("one", server))
    check(d.ctl("reload")["ok"], "reload")
    reconnect(server)
    servfail(d.ask("after.example.com"), "untrusted")
    equal(set(server.names()), {"before.example.com"}, "names asked")
    at_most(len(server.questions), 1, "questions")


@case("T27 while every upstream is refused, each question is answered at once with SERVFAIL and its reason")
def refused_fast(t):
    site, other = Site(t), Site(t, prefix="other")
    d = Daemon(t, upstream("one", DotServer(t, other)), anchors=site.anchors)
    servfail(d.ask("first.example.com"), "untrusted")
    started = time.monotonic()
    for i in range(100):
        servfail(d.ask(f"q{i}.example.com"), "untrusted")
    within(20, started, "slow refusals")


@case("T28 G10 with SSLKEYLOGFILE and GNUTLS_* set, GnuTLS writes no keys and accepts no older TLS")
def environment(t):
    keys = t.path("keys.log")
    older = t.write("older.conf", "[overrides]\ndisabled-version = tls1.3\n")
    d, _ = stub(t, env={"SSLKEYLOGFILE": keys, "GNUTLS_SYSTEM_PRIORITY_FILE": older, "GNUTLS_DEBUG_LEVEL": "9", "EVENT_NOEPOLL": "1"})
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    check(not os.path.exists(keys), "session keys were written")
    # what GnuTLS writes while it is loaded comes before; that run has no secret
    check("gnutls[" not in d.log().partition("environment-scrubbed")[2], f"GnuTLS wrote its debugging into the log: {d.log()[:2000]}")
    for name in ("SSLKEYLOGFILE", "GNUTLS_SYSTEM_PRIORITY_FILE", "GNUTLS_DEBUG_LEVEL", "EVENT_NOEPOLL"):
        check(f"environment-scrubbed variable={name}" in d.log(), f"the log does not name {name}")
    with open(f"/proc/{d.process.pid}/comm", encoding="ascii") as f:
        equal(f.read().strip(), "ctstubd", "the name of the process")


@case("T28 G10 probe shows TLS 1.3 and writes no key, whatever the environment asks for")
def environment_of_the_tool(t):
    site = Site(t)
    server = DotServer(t, site)
    keys = t.path("keys.log")
    older = t.write("older.conf", "[overrides]\ndisabled-version = tls1.3\n")
    config = t.write("probe.conf", section("ct", mode="off") + section("trust", anchors=site.anchors) + upstream("one", server))
    code, out, err = t.run("ctstub", "probe", "-c", config, "one",
                           env=t.env(SSLKEYLOGFILE=keys, GNUTLS_SYSTEM_PRIORITY_FILE=older, GNUTLS_DEBUG_LEVEL="9"))
    equal(code, 0, f"probe: {out}{err}")
    check("TLS1.3" in out or "TLS 1.3" in out, f"not over TLS 1.3: {out[:300]}")
    check(not os.path.exists(keys) and "HSK[" not in err, "GnuTLS obeyed its environment")


@case("T29 anchors: a missing or empty file prevents the start; a new file takes effect after a reload")
def anchor_files(t):
    site = Site(t)
    server = DotServer(t, site)
    for path in (t.path("missing.pem"), t.write("empty.pem", "")):
        d = Daemon(t, upstream("one", server), anchors=path, wait=False, name=f"d{path[-6]}")
        d.process.expect = (1, 2, 3)
        equal(d.process.popen.wait(patient(20)), 2, f"exit code with {path}")
    anchors = t.write("anchors.pem", pem(Authority("Another").cert))
    d = Daemon(t, upstream("one", server), anchors=anchors)
    servfail(d.ask("before.example.com"), "untrusted")
    with open(anchors, "wb") as f:
        f.write(pem(site.root.cert))
    check(d.ctl("reload")["ok"], "reload")
    equal(client.rcode(d.ask("after.example.com")), "NOERROR", "rcode after the reload")
