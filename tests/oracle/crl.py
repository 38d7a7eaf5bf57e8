"""CRLs for facts, put together from DER by hand: a builder makes only right ones.

Facts: by (the certificate whose key signs), name (of whose subject it speaks; the same unless given), entries, since, until
(None: absent), key_id ("own", "other", None), scope, delta, broken.
An entry is ("serial", certificate), ("twin", certificate): the negative number of the same octets, or ("padded", certificate).
"""
import datetime
import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

SCOPES = {"servers": b"\x81\x01\xff", "authorities": b"\x82\x01\xff", "some reasons": b"\x83\x02\x04\x40", "indirect": b"\x84\x01\xff",
          "empty": b"", "other reasons": b"\x83\x03\x07\x3f\x80"}


def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body


def time(ms):
    return der(0x17, datetime.datetime.utcfromtimestamp(ms // 1000).strftime("%y%m%d%H%M%SZ").encode())


def extension(number, value, critical=False):
    return der(0x30, b"\x06\x03\x55\x1d" + bytes([number]), der(1, b"\xff") if critical else b"", der(4, value))


def octets(kind, serial):
    positive = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return {"serial": positive, "twin": positive.lstrip(b"\0"), "padded": b"\0\0" + positive}[kind]


def algorithm_of(key):
    if isinstance(key, rsa.RSAPrivateKey):
        return b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00", lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))


def key_identifier(key):
    return hashlib.sha1(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).digest()


def extensions_of(facts, key, other):
    found = b""
    if facts.get("key_id", "own"):
        found += extension(35, der(0x30, der(0x80, key_identifier(key if facts.get("key_id", "own") == "own" else other))))
    if facts.get("scope") is not None:
        found += extension(28, der(0x30, SCOPES[facts["scope"]]), True)
    if facts.get("delta"):
        found += extension(27, der(2, b"\1"), True)
    return der(0xA0, der(0x30, found)) if found else b""


def build(forge, case, made, facts):
    """DER of one list."""
    by = case["certificates"][facts["by"]] if facts["by"] in case["certificates"] else {"key": "p256", "key_label": facts["by"]}
    key, other = forge.key_of(by), forge.keys.get("p256", "another key of that name")
    algorithm, sign = algorithm_of(key)
    entries = b"".join(der(0x30, der(2, octets(kind, made[target].serial_number)), time(case["at"] - 3600_000)) for kind, target in facts["entries"])
    tbs = der(0x30, der(2, b"\1"), algorithm, made[facts.get("name", facts["by"])].subject.public_bytes(), time(facts["since"]),
              time(facts["until"]) if facts["until"] else b"", der(0x30, entries) if entries else b"", extensions_of(facts, key, other))
    signature = sign(tbs)
    if facts.get("broken"):
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return der(0x30, tbs, algorithm, der(3, b"\0" + signature))
