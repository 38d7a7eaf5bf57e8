"""Keys that are too weak or too costly: they are refused as soon as the certificate is there, before the handshake uses them."""
import hashlib
import json

from cryptography.hazmat.primitives.serialization import Encoding

from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, section
from harness.pki import Site, named
from harness.rawtls import ShownCertificate, certificate_with_key, rsa_spki, spki


def number(bits):
    """An odd number of so many bits."""
    digits = b"".join(hashlib.sha512(b"%d %d" % (bits, i)).digest() for i in range(bits // 512 + 1))
    return int.from_bytes(digits, "big") >> (len(digits) * 8 - bits) | 1 << (bits - 1) | 1


POINT = b"\4" + bytes(range(1, 65))
KEYS = {
    "RSA-16384 with an exponent as long": rsa_spki(number(16384), number(16384)),
    "RSA-16384": rsa_spki(number(16384), 65537),
    "RSA-8200": rsa_spki(number(8200), 65537),
    "RSA-1024": rsa_spki(number(1024), 65537),
    "RSA-4096 with an exponent of 4096 bits": rsa_spki(number(4096), number(4096)),
    "RSA-4096 with an exponent of 33 bits": rsa_spki(number(4096), 2 ** 32 + 1),
    "RSA with an even modulus": rsa_spki(number(2048) - 1, 65537),
    "RSA whose parameters are missing": spki("06092a864886f70d010101", rsa_spki(number(2048), 65537)[24:]),
    "a key on secp256k1": spki("06072a8648ce3d020106052b8104000a", POINT),
    "a key on P-224": spki("06072a8648ce3d020106052b81040021", POINT[:57]),
    "a compressed point": spki("06072a8648ce3d020106082a8648ce3d030107", b"\2" + POINT[1:33]),
    "an X25519 key": spki("06032b656e", POINT[1:33]),
    "a DSA key": spki("06072a8648ce380401", POINT),
}


def shown(t, key, tls13):
    site = Site(t)
    chain = [certificate_with_key(site.intermediate, key, ips=["127.0.0.1"]), site.intermediate.cert.public_bytes(Encoding.DER)]
    return site, ShownCertificate(t, chain, tls13)


@rows([(f"{version}: {what}: weak-key before the server has proven possession of the key", key, version == "TLS 1.3")
       for what, key in KEYS.items() for version in ("TLS 1.2", "TLS 1.3")])
def refused_at_sight(t, key, tls13):
    site, server = shown(t, key, tls13)
    config = t.write("c.conf", f'trust {{ anchors = "{site.anchors}" }} ct {{ mode = "off" }}\n'
                     f'upstream "one" {{ address = {{"127.0.0.1"}} port = {server.port} }}')
    _, out, err = t.run("ctstub", "probe", "--json", "-c", config, "one")
    check(out, f"no output: {err}")
    v = json.loads(out)
    equal((v["outcome"], v["reasons"]), ("refused", ["weak-key"]), "outcome and reasons")
    until(lambda: server.answers, 10, "the server sees what the client says")
    equal(server.answers, [23 if tls13 else 21], "the record that answers the Certificate message: an alert")


@rows([(f"a chain over the limit of a handshake message ends the handshake of TLS {tls}", tls == "1.3") for tls in ("1.2", "1.3")])
def too_large(t, tls13):
    site, server = shown(t, rsa_spki(number(400000), 3), tls13)
    config = t.write("c.conf", f'trust {{ anchors = "{site.anchors}" }} ct {{ mode = "off" }}\n'
                     f'upstream "one" {{ address = {{"127.0.0.1"}} port = {server.port} }}')
    _, out, err = t.run("ctstub", "probe", "--json", "-c", config, "one")
    check(out, f"no output: {err}")
    equal(json.loads(out)["reasons"], ["chain-too-long"], "reasons")


@case("a request for the client's certificate over that limit, with the names of 400 CAs, is not called a chain that is too long")
def request_too_large(t):
    site = Site(t)
    names = [named(f"Authority {i} of an organisation with many of them").public_bytes() for i in range(400)]
    server = ShownCertificate(t, [site.cert.public_bytes(Encoding.DER)], True, wants=names)
    _, out, err = t.run("ctstub", "probe", "--json", "--ca", site.anchors, "--ct", "off", f"dot://127.0.0.1:{server.port}")
    check(out, f"no output: {err}")
    equal(json.loads(out)["reasons"], ["tls-failed"], "reasons")


@rows([(f"the daemon refuses the key before any proof, and reports weak-key for the upstream over TLS {tls}", tls == "1.3") for tls in ("1.2", "1.3")])
def daemon(t, tls13):
    site, server = shown(t, KEYS["RSA-16384 with an exponent as long"], tls13)
    d = Daemon(t, section('upstream "one"', address=["127.0.0.1"], port=server.port), anchors=site.anchors)
    d.ask("www.example.com")
    d.process.wait_log("refused .*reason=weak-key")
