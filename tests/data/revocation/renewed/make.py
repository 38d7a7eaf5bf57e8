#!/usr/bin/env python3
"""Makes the certificates, CRLs and OCSP responses of this folder anew (the keys are thrown away): a CA with several keys under
one name, each of another algorithm, and what it signs with each. Everything is put together from DER by hand, because a
builder makes only right ones.
"""
import datetime
import hashlib
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

HERE = pathlib.Path(__file__).parent
T0 = datetime.datetime(2026, 11, 20)
DAY = datetime.timedelta(days=1)
SERIAL = 0xA530A29CC1A5DA40000000005671F24C


def save(name, data):
    (HERE / f"{name}.der").write_bytes(data)


def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body


def integer(v):
    return der(2, v if isinstance(v, bytes) else v.to_bytes(v.bit_length() // 8 + 1, "big"))


def time(t):
    return der(0x18, t.strftime("%Y%m%d%H%M%SZ").encode()) if t.year >= 2050 else der(0x17, t.strftime("%y%m%d%H%M%SZ").encode())


def octets(data):
    return der(4, data)


def bits(data):
    return der(3, b"\0" + data)


def oid(text):
    first, second, *rest = map(int, text.split("."))
    body = bytes([40 * first + second])
    for arc in rest:
        part = [arc & 127]
        while arc > 127:
            arc >>= 7
            part.insert(0, 128 | arc & 127)
        body += bytes(part)
    return der(6, body)


def rdn(text, kind=0x0C):
    return der(0x31, der(0x30, oid("2.5.4.3"), der(kind, text.encode())))


def name(*texts, kind=0x0C):
    return der(0x30, *[rdn(t, kind) for t in texts])


def extension(number, value, critical=False):
    return der(0x30, oid(number), der(1, b"\xff") if critical else b"", octets(value))


# ---- keys: (AlgorithmIdentifier of a signature, how it is made)

NULL = der(5)


def hash_id(kind):
    return der(0x30, oid({"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2"}[kind]), NULL)


def pss(salt, kind="sha256", mask=None, salt_said=None):
    mask, digest = mask or kind, {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384}
    said = salt if salt_said is None else salt_said
    params = der(0x30, der(0xA0, hash_id(kind)), der(0xA1, der(0x30, oid("1.2.840.113549.1.1.8"), hash_id(mask))),
                 b"" if said == 20 else der(0xA2, integer(said)))
    return (der(0x30, oid("1.2.840.113549.1.1.10"), params),
            lambda key, data: key.sign(data, padding.PSS(padding.MGF1(digest[mask]()), salt), digest[kind]()))


ECDSA = (der(0x30, oid("1.2.840.10045.4.3.2")), lambda key, data: key.sign(data, ec.ECDSA(hashes.SHA256())))
ED25519 = (der(0x30, oid("1.3.101.112")), lambda key, data: key.sign(data))
ED448 = (der(0x30, oid("1.3.101.113")), lambda key, data: key.sign(data))
RSA = (der(0x30, oid("1.2.840.113549.1.1.11"), NULL), lambda key, data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()))

rsa_key = rsa.generate_private_key(65537, 2048)
KEYS = {
    "old": (ec.generate_private_key(ec.SECP256R1()), ECDSA),
    "new": (ec.generate_private_key(ec.SECP256R1()), ECDSA),
    "ed25519": (ed25519.Ed25519PrivateKey.generate(), ED25519),
    "ed448": (ed448.Ed448PrivateKey.generate(), ED448),
    "rsa": (rsa_key, RSA),
}


def spki(which):
    public = KEYS[which][0].public_key()
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_hash(which):
    """Of the BIT STRING's content, which ends every SubjectPublicKeyInfo."""
    data, which = spki(which), KEYS[which][0]
    if isinstance(which, rsa.RSAPrivateKey):
        return hashlib.sha1(data[24:]).digest()
    return hashlib.sha1(data[-65:] if isinstance(which, ec.EllipticCurvePrivateKey) else
                        data[-57:] if isinstance(which, ed448.Ed448PrivateKey) else data[-32:]).digest()


def signed(which, body, algorithm=None):
    """body(AlgorithmIdentifier) gives what is signed."""
    key, usual = KEYS[which]
    identifier, sign = algorithm or usual
    data = body(identifier)
    return data, identifier, bits(sign(key, data))


CA = (extension("2.5.29.19", der(0x30, der(1, b"\xff")), True) + extension("2.5.29.15", bytes.fromhex("03020106"), True))


def certificate(subject, key, serial=SERIAL, by="new", extensions=b""):
    def tbs(identifier):
        return der(0x30, der(0xA0, integer(2)), integer(serial), identifier, name("Issuer"), der(0x30, time(T0 - 60 * DAY), time(T0 + 60 * DAY)),
                   name(subject), spki(key), der(0xA3, der(0x30, extensions)) if extensions else b"")
    return der(0x30, *signed(by, tbs))


for label in KEYS:
    save(f"ca-{label}", certificate("Issuer", label, 1, label, CA + extension("2.5.29.14", octets(key_hash(label)))))
save("ca-new-without-id", certificate("Issuer", "new", 1, "new", CA))


# ---- leaves

def point(*names, reasons=None, relative=None, by=None):
    inside = der(0xA1, relative) if relative else der(0xA0, *names)
    return der(0x30, der(0xA0, inside), der(0x81, reasons) if reasons else b"", der(0xA2, by) if by else b"")


def points(*all_points):
    return extension("2.5.29.31", der(0x30, *all_points))


def uri(text):
    return der(0x86, text.encode())


def dns(text):
    return der(0x82, text.encode())


def directory(*texts, kind=0x0C):
    return der(0xA4, name(*texts, kind=kind))


def part(text, kind=0x0C):
    return der(0x30, oid("2.5.4.3"), der(kind, text.encode()))


for title, serial in (("", SERIAL), ("-255", 255), ("-1", 1), ("-minus-1", b"\xff"), ("-minus-129", b"\xff\x7f"), ("-0", 0)):
    save("leaf" + title, certificate("leaf", "rsa", serial))
save("leaf-relative", certificate("leaf", "rsa", extensions=points(point(relative=part("part 1")))))
save("leaf-directory", certificate("leaf", "rsa", extensions=points(point(directory("Issuer", "part 1")))))
save("leaf-several", certificate("leaf", "rsa", extensions=points(
    point(uri("http://crl.test/1"), dns("crl.test"), directory("Somebody", "part 2")), point(uri("ldap://crl.test/x")))))
save("leaf-indirect", certificate("leaf", "rsa", extensions=points(point(uri("http://crl.test/1"), by=directory("Issuer")))))
save("leaf-in-halves", certificate("leaf", "rsa", extensions=points(
    point(uri("http://crl.test/1"), reasons=bytes.fromhex("0440")), point(uri("http://crl.test/2"), reasons=bytes.fromhex("073f80")))))

# ---- lists


def entry(serial, extensions=b""):
    return der(0x30, integer(serial), time(T0 - DAY), der(0x30, extensions) if extensions else b"")


def crl(file, by, *serials, since=T0, until=T0 + 7 * DAY, key_id="", extensions=b"", entries=b"", algorithm=None, issuer=None, wrong=False):
    """key_id: of which key the AKI speaks; the signer's when it is "", none when it is None."""
    if key_id is not None:
        extensions += extension("2.5.29.35", der(0x30, der(0x80, key_hash(key_id or by))))

    def tbs(identifier):
        revoked = entries + b"".join(map(entry, serials))
        return der(0x30, integer(1), identifier, issuer or name("Issuer"), time(since), time(until) if until else b"",
                   der(0x30, revoked) if revoked else b"", der(0xA0, der(0x30, extensions)) if extensions else b"")
    data, identifier, signature = signed(by, tbs, algorithm)
    save(file, der(0x30, data, identifier, signature[:-1] + bytes([signature[-1] ^ 1]) if wrong else signature))


crl("new", "new", 5)
crl("new-names", "new", SERIAL)
crl("new-ends", "new", until=T0 + DAY)
crl("new-names-ended", "new", SERIAL, until=T0 + DAY)
crl("new-broken", "new", wrong=True)
crl("new-without-id", "new", key_id=None)
crl("new-without-id-names", "new", SERIAL, key_id=None)
crl("new-with-id-of-old", "new", key_id="old")
crl("new-with-id-of-old-names", "new", SERIAL, key_id="old")
crl("new-printable", "new", issuer=name("ISSUER", kind=0x13))
crl("old", "old", 6)
crl("old-names", "old", SERIAL)
crl("old-without-id", "old", key_id=None)
crl("old-with-id-of-new", "old", key_id="new")
crl("old-without-id-names", "old", SERIAL, key_id=None)
crl("future", "new", since=T0 + 5 * DAY)
crl("future-names", "new", SERIAL, since=T0 + 5 * DAY)
crl("no-next", "new", until=None)
crl("no-next-names", "new", SERIAL, until=None)

# numbers
crl("minus-1", "new", b"\xff")
crl("255", "new", 255)
crl("255-padded", "new", b"\0\0\0\xff")
crl("1-padded", "new", b"\0\0\1")
crl("minus-1-padded", "new", b"\xff\xff\xff")
crl("minus-129", "new", b"\xff\x7f")
crl("both-signs", "new", b"\xff", 255, 1)
crl("0", "new", 0)
crl("65535-and-minus-1", "new", 65535, b"\xff", 7)
crl("empty-number", "new", b"")

# entries
def reason(code, critical=False):
    return extension("2.5.29.21", der(0x0A, bytes([code])), critical)


crl("remove", "new", entries=entry(SERIAL, reason(8)))
crl("reason-critical", "new", entries=entry(SERIAL, reason(1, True)))
crl("reason-critical-other", "new", entries=entry(9, reason(1, True)))
crl("entry-date-and-hold", "new", entries=entry(SERIAL, extension("2.5.29.24", der(0x18, b"20261101000000Z")) +
                                             extension("2.5.29.23", oid("1.2.840.10040.2.1"))))
crl("entry-unknown", "new", entries=entry(9, extension("1.2.3.4", NULL)))
crl("entry-critical", "new", entries=entry(9, extension("1.2.3.4", NULL, True)))
crl("list-critical", "new", extensions=extension("1.2.3.4", NULL, True))
crl("delta", "new", extensions=extension("2.5.29.27", integer(3), True))
crl("delta-names", "new", SERIAL, extensions=extension("2.5.29.27", integer(3), True))
crl("freshest", "new", extensions=extension("2.5.29.46", der(0x30, point(uri("http://crl.test/delta")))))

# what a list is for
def scope(*parts):
    return extension("2.5.29.28", der(0x30, *parts), True)


def of(*names, relative=None):
    return der(0xA0, der(0xA1, relative) if relative else der(0xA0, *names))


USERS, CAS, INDIRECT, ATTRIBUTES = (der(0x80 | n, b"\xff") for n in (1, 2, 4, 5))
for file, parts in (
        ("scope-empty", ()), ("scope-two-kinds", (USERS, CAS)), ("scope-no-names", (of(),)), ("scope-odd-name", (of(der(0x8F, b"x")),)),
        ("scope-two-points", (of(uri("http://crl.test/1")), of(uri("http://crl.test/1")))), ("scope-flag-2", (der(0x81, b"\x01"),)),
        ("scope-indirect", (INDIRECT,)), ("scope-attributes", (ATTRIBUTES,)), ("scope-no-users", (der(0x81, b"\0"),)),
        ("scope-relative", (of(relative=part("part 1")),)), ("scope-relative-capitals", (of(relative=part("PART 1", 0x13)),)),
        ("scope-relative-other", (of(relative=part("part 2")),)), ("scope-directory", (of(directory("Issuer", "part 1")),)),
        ("scope-several", (of(dns("elsewhere.test"), uri("http://elsewhere.test/"), directory("SOMEBODY", "part 2", kind=0x13)),)),
        ("scope-dns", (of(dns("crl.test")),)), ("scope-uri-of-dns", (of(uri("crl.test")),)), ("scope-issuer", (of(directory("ISSUER", kind=0x13)),)),
        ("scope-1", (of(uri("http://crl.test/1")),)), ("scope-2", (of(uri("http://crl.test/2")),)),
        ("scope-few", (der(0x83, bytes.fromhex("0440")),)), ("scope-rest", (der(0x83, bytes.fromhex("073f80")),)),
        ("scope-rest-but-one", (der(0x83, bytes.fromhex("073f00")),)), ("scope-bad-reasons", (der(0x83, bytes.fromhex("09")),))):
    crl(file, "new", extensions=scope(*parts))
crl("scope-twice", "new", extensions=scope(USERS) + scope(CAS))

# algorithms
crl("by-ed25519", "ed25519")
crl("by-ed448", "ed448")
crl("by-ed448-names", "ed448", SERIAL)
crl("by-ed448-broken", "ed448", wrong=True)
crl("by-rsa", "rsa")
for file, algorithm in (("", pss(32)), ("-names", pss(32)), ("-salt-20", pss(20)), ("-salt-0", pss(0)), ("-sha384", pss(48, "sha384")),
                        ("-salt-lies", pss(32, salt_said=20)), ("-other-mask", pss(32, mask="sha384")), ("-sha1", pss(20, "sha1"))):
    crl("by-pss" + file, "rsa", *([SERIAL] if file == "-names" else []), algorithm=algorithm)

# ---- responses

SHA1 = hash_id("sha1")
GOOD, REVOKED = der(0x80), der(0xA1, der(0x18, (T0 - DAY).strftime("%Y%m%d%H%M%SZ").encode()))


def stamp(t):
    return der(0x18, t.strftime("%Y%m%d%H%M%SZ").encode())


def single(of_key, status=GOOD, serial=SERIAL):
    who = der(0x30, SHA1, octets(hashlib.sha1(name("Issuer")).digest()), octets(key_hash(of_key)), integer(serial))
    return der(0x30, who, status, stamp(T0), der(0xA0, stamp(T0 + 7 * DAY)))


def response(file, by, *singles, by_name=None, by_key=None, certs=(), algorithm=None, wrong=False):
    responder = der(0xA1, by_name) if by_name else der(0xA2, octets(key_hash(by_key or by)))
    data, identifier, signature = signed(by, lambda _: der(0x30, responder, stamp(T0), der(0x30, *singles)), algorithm)
    if wrong:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    basic = der(0x30, data, identifier, signature, der(0xA0, der(0x30, *certs)) if certs else b"")
    save(file, der(0x30, der(0x0A, b"\0"), der(0xA0, der(0x30, oid("1.3.6.1.5.5.7.48.1.1"), octets(basic)))))


PURPOSE = extension("2.5.29.37", der(0x30, oid("1.3.6.1.5.5.7.3.9")))
ISSUER, RESPONDER = name("Issuer"), name("Responder")


def delegate(key, by):
    return certificate("Responder", key, 5, by, PURPOSE)


response("staple-new", "new", single("new"), by_name=ISSUER)
response("staple-new-by-key", "new", single("new"))
response("staple-old", "old", single("old"), by_name=ISSUER)
response("staple-old-by-key", "old", single("old"))
response("staple-old-for-new", "old", single("new"), by_name=ISSUER)
response("staple-new-for-old", "new", single("old"), by_name=ISSUER)
response("staple-new-after-old", "new", single("old", REVOKED), single("new"), by_name=ISSUER)
response("staple-padded", "new", single("new", REVOKED, b"\0" + SERIAL.to_bytes(17, "big")), by_name=ISSUER)
response("staple-delegate-new", "rsa", single("new"), by_name=RESPONDER, certs=[delegate("rsa", "new")])
response("staple-delegate-old", "rsa", single("new"), by_name=RESPONDER, certs=[delegate("rsa", "old")])
response("staple-delegate-by-key", "rsa", single("new"), certs=[delegate("rsa", "new")])
response("staple-delegate-renewed", "rsa", single("new"), by_name=RESPONDER, certs=[delegate("ed25519", "new"), delegate("rsa", "new")])
response("staple-delegate-both-old", "rsa", single("new"), by_name=RESPONDER, certs=[delegate("rsa", "old"), delegate("rsa", "old")])
response("staple-delegate-after-old", "rsa", single("new"), by_name=RESPONDER, certs=[delegate("rsa", "old"), delegate("rsa", "new")])
for file, by, algorithm in (("ed25519", "ed25519", None), ("ed448", "ed448", None), ("pss", "rsa", pss(32)), ("pss-salt-20", "rsa", pss(20))):
    response(f"staple-{file}", by, single(by), algorithm=algorithm)
    response(f"staple-{file}-broken", by, single(by), algorithm=algorithm, wrong=True)
response("staple-pss-other-mask", "rsa", single("rsa"), algorithm=pss(32, mask="sha384"))
