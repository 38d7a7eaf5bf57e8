#!/usr/bin/env python3
"""Makes the certificates, OCSP responses and CRLs of this folder anew (the keys are thrown away).

Responses are put together from DER by hand, because a builder makes only right ones with one entry.
"""
import datetime
import hashlib
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent
T0 = datetime.datetime(2026, 11, 20)
DAY = datetime.timedelta(days=1)


def save(name, data):
    (HERE / name).write_bytes(data)


def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body


def integer(v):
    return der(2, v.to_bytes(v.bit_length() // 8 + 1, "big"))


def time(t):
    return der(0x18, t.strftime("%Y%m%d%H%M%SZ").encode())


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def spki_bits(key):
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def certificate(subject, key, issuer, issuer_key, serial, extensions=(), until=T0 + 60 * DAY):
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
               .serial_number(serial).not_valid_before(T0 - 60 * DAY).not_valid_after(until))
    for ext, critical in extensions:
        builder = builder.add_extension(ext, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def to_der(thing):
    return thing.public_bytes(serialization.Encoding.DER)


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


CA = (x509.BasicConstraints(True, None), True)


def usage(sign_crl):
    return (x509.KeyUsage(True, False, False, False, False, True, sign_crl, False, False), True)


issuer_key, other_key, leaf_key, delegate_key = new_key(), new_key(), new_key(), new_key()
SERIAL = 0xA530A29CC1A5DA40000000005671F24C
issuer = certificate("Issuer", issuer_key, "Issuer", issuer_key, 1, [CA, usage(True)])
leaf = certificate("leaf", leaf_key, "Issuer", issuer_key, SERIAL)
save("issuer.der", to_der(issuer))
save("issuer-no-crl-sign.der", to_der(certificate("Issuer", issuer_key, "Issuer", issuer_key, 1, [CA, usage(False)])))
save("impostor.der", to_der(certificate("Issuer", other_key, "Issuer", other_key, 1, [CA, usage(True)])))
save("leaf.der", to_der(leaf))


def uris(*texts):
    return [x509.UniformResourceIdentifier(t) for t in texts]


def distribution(*points):
    """Of (names, reasons, issuer of the list)."""
    return (x509.CRLDistributionPoints([x509.DistributionPoint(names, None, reasons, by) for names, reasons, by in points]), False)


SOME = frozenset([x509.ReasonFlags.key_compromise])
BY = [x509.DirectoryName(name("Other"))]
save("leaf-points.der", to_der(certificate("leaf", leaf_key, "Issuer", issuer_key, SERIAL, [distribution(
    (uris("http://crl.test/some"), SOME, None), (uris("http://crl.test/other"), None, BY),
    (uris("http://crl.test/mixed") + [x509.DNSName("crl.test")], None, None),
    (uris("http://crl.test/1", "http://crl.test/2"), None, None))])))
save("sub-ca.der", to_der(certificate("Sub CA", leaf_key, "Issuer", issuer_key, SERIAL, [CA, usage(True)])))
save("leaf-must-staple.der", to_der(certificate("leaf", leaf_key, "Issuer", issuer_key, 7, [
    (x509.TLSFeature([x509.TLSFeatureType.status_request_v2, x509.TLSFeatureType.status_request]), False)])))
save("leaf-v2-staple.der", to_der(certificate("leaf", leaf_key, "Issuer", issuer_key, 8, [
    (x509.TLSFeature([x509.TLSFeatureType.status_request_v2]), False)])))
save("leaf-bad-feature.der", to_der(certificate("leaf", leaf_key, "Issuer", issuer_key, 9, [
    (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), b"\x30\x03\x02\x01"), False)])))

SHA1 = der(0x30, der(6, bytes.fromhex("2b0e03021a")), der(5))
SHA256 = der(0x30, der(6, bytes.fromhex("608648016503040201")), der(5))
ECDSA256 = der(0x30, der(6, bytes.fromhex("2a8648ce3d040302")))
ECDSA1 = der(0x30, der(6, bytes.fromhex("2a8648ce3d0401")))
GOOD, UNKNOWN = der(0x80), der(0x82)
REVOKED = der(0xA1, time(T0 - DAY), der(0xA0, der(0x0A, b"\x01")))


def cert_id(serial=SERIAL, algorithm=SHA1, key=issuer_key, issuer_name="Issuer"):
    digest = hashlib.sha1 if algorithm is SHA1 else hashlib.sha256
    return der(0x30, algorithm, der(4, digest(name(issuer_name).public_bytes()).digest()),
               der(4, digest(spki_bits(key)).digest()), integer(serial))


def single(status, until=T0 + 7 * DAY, since=T0, extensions=b"", **who):
    return der(0x30, cert_id(**who), status, time(since), der(0xA0, time(until)) if until else b"", extensions)


def response(*singles, key=issuer_key, responder=None, certs=(), algorithm=ECDSA256, extensions=b"", head=b""):
    responder = responder or der(0xA1, name("Issuer").public_bytes())
    data = der(0x30, head, responder, time(T0), der(0x30, *singles), extensions)
    signature = key.sign(data, ec.ECDSA(hashes.SHA1() if algorithm is ECDSA1 else hashes.SHA256()))
    extra = der(0xA0, der(0x30, *[to_der(c) for c in certs])) if certs else b""
    basic = der(0x30, data, algorithm, der(3, b"\0" + signature), extra)
    return der(0x30, der(0x0A, b"\0"), der(0xA0, der(0x30, der(6, bytes.fromhex("2b0601050507300101")), der(4, basic))))


def extension(critical):
    return der(0xA1, der(0x30, der(0x30, der(6, bytes.fromhex("2a0304")), der(1, b"\xff") if critical else b"", der(4, b"x"))))


def delegate(purposes, until=T0 + 60 * DAY, signed_by=issuer_key, key=delegate_key):
    return certificate("Responder", key, "Issuer", signed_by, 5, [(x509.ExtendedKeyUsage(purposes), False)] if purposes else [], until)


BY_DELEGATE = der(0xA1, name("Responder").public_bytes())
BY_KEY = der(0xA2, der(4, hashlib.sha1(spki_bits(issuer_key)).digest()))
BY_DELEGATE_KEY = der(0xA2, der(4, hashlib.sha1(spki_bits(delegate_key)).digest()))
OCSP = [EKU.OCSP_SIGNING]
good = response(single(GOOD))
save("ocsp-good.der", good)
save("ocsp-good-sha256.der", response(single(GOOD, algorithm=SHA256), responder=BY_KEY))
save("ocsp-version.der", response(single(GOOD), head=der(0xA0, integer(0))))
save("ocsp-version-2.der", response(single(GOOD), head=der(0xA0, integer(1))))
save("ocsp-extension.der", response(single(GOOD, extensions=extension(False)), extensions=extension(False)))
save("ocsp-critical.der", response(single(GOOD), extensions=extension(True)))
save("ocsp-critical-single.der", response(single(GOOD, extensions=extension(True))))
save("ocsp-revoked.der", response(single(REVOKED)))
save("ocsp-revoked-second.der", response(single(GOOD), single(REVOKED)))
save("ocsp-revoked-third.der", response(single(GOOD, serial=3), single(UNKNOWN), single(REVOKED)))
save("ocsp-unknown.der", response(single(UNKNOWN)))
save("ocsp-other-serial.der", response(single(GOOD, serial=SERIAL + 1)))
save("ocsp-other-issuer-key.der", response(single(GOOD, key=other_key)))
save("ocsp-other-issuer-name.der", response(single(GOOD, issuer_name="Issuer 2")))
save("ocsp-second.der", response(single(REVOKED, serial=3), single(GOOD)))
save("ocsp-no-next.der", response(single(GOOD, until=None)))
save("ocsp-next-first.der", response(single(GOOD, until=T0 - DAY)))
save("ocsp-delegate.der", response(single(GOOD), key=delegate_key, responder=BY_DELEGATE, certs=[issuer, delegate(OCSP)]))
save("ocsp-delegate-key.der", response(single(GOOD), key=delegate_key, responder=BY_DELEGATE_KEY, certs=[delegate(OCSP)]))
save("ocsp-delegate-no-purpose.der", response(single(GOOD), key=delegate_key, responder=BY_DELEGATE, certs=[delegate(None)]))
save("ocsp-delegate-server.der", response(single(GOOD), key=delegate_key, responder=BY_DELEGATE, certs=[delegate([EKU.SERVER_AUTH])]))
save("ocsp-delegate-expired.der", response(single(GOOD), key=delegate_key, responder=BY_DELEGATE, certs=[delegate(OCSP, T0 + DAY)]))
save("ocsp-delegate-foreign.der", response(single(GOOD), key=delegate_key, responder=BY_DELEGATE, certs=[delegate(OCSP, signed_by=other_key)]))
save("ocsp-delegate-absent.der", response(single(GOOD), key=delegate_key, responder=BY_DELEGATE))
save("ocsp-foreign.der", response(single(GOOD), key=other_key))
save("ocsp-leaf.der", response(single(GOOD), key=leaf_key, certs=[leaf]))
save("ocsp-sha1.der", response(single(GOOD), algorithm=ECDSA1))
save("ocsp-none.der", response())
save("ocsp-error.der", der(0x30, der(0x0A, b"\3")))
save("ocsp-type.der", good.replace(bytes.fromhex("2b0601050507300101"), bytes.fromhex("2b0601050507300102")))
save("ocsp-tail.der", good + b"\0")
save("ocsp-flipped.der", good[:-1] + bytes([good[-1] ^ 1]))


def crl(serials, key=issuer_key, extensions=(), until=T0 + 7 * DAY, entry=(), issuer_name="Issuer"):
    builder = x509.CertificateRevocationListBuilder().issuer_name(name(issuer_name)).last_update(T0).next_update(until)
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(T0 - DAY)
        for ext, critical in entry:
            revoked = revoked.add_extension(ext, critical)
        builder = builder.add_revoked_certificate(revoked.build())
    for ext, critical in extensions:
        builder = builder.add_extension(ext, critical)
    return to_der(builder.sign(key, hashes.SHA256()))


def point(**more):
    flags = dict(full_name=None, relative_name=None, only_contains_user_certs=False, only_contains_ca_certs=False,
                 only_some_reasons=None, indirect_crl=False, only_contains_attribute_certs=False)
    flags.update(more)
    return (x509.IssuingDistributionPoint(**flags), True)


def armour(*lists):
    import base64
    import textwrap
    return "".join("some text\n-----BEGIN X509 CRL-----\n" + "\n".join(textwrap.wrap(base64.b64encode(l).decode(), 64)) +
                   "\n-----END X509 CRL-----\n" for l in lists).encode()


many = [2 * i + 5 for i in range(60)]
clean, revoked = crl(many), crl(many + [SERIAL])
save("crl-clean.der", clean)
save("crl-revoked.der", revoked)
save("crl-empty.der", crl([]))
save("crl-reason.der", crl([SERIAL], entry=[(x509.CRLReason(x509.ReasonFlags.certificate_hold), False)]))
save("crl-old-revoked.der", crl([SERIAL], until=T0 + DAY / 2))
save("crl-old-clean.der", crl([], until=T0 + DAY / 2))
save("crl-user-certs.der", crl([SERIAL], extensions=[point(only_contains_user_certs=True), (x509.CRLNumber(5), False)]))
save("crl-twice.der", crl([7, SERIAL + 1, 7]))
for what, more in (("servers", dict(only_contains_user_certs=True)), ("cas", dict(only_contains_ca_certs=True)),
                   ("point", dict(full_name=uris("http://crl.test/2"))), ("point-3", dict(full_name=uris("http://crl.test/3"))),
                   ("point-escaped", dict(full_name=uris("http://crl.test/%32"))),
                   ("point-some", dict(full_name=uris("http://crl.test/some"))),
                   ("point-other", dict(full_name=uris("http://crl.test/other"))),
                   ("point-mixed", dict(full_name=uris("http://crl.test/mixed"))),
                   ("point-and-name", dict(full_name=uris("http://crl.test/2") + [x509.DNSName("crl.test")])),
                   ("point-relative", dict(relative_name=x509.RelativeDistinguishedName(
                       [x509.NameAttribute(NameOID.COMMON_NAME, "part")]))),
                   ("point-many", dict(full_name=uris(*["http://crl.test/2"] * 17))),
                   ("reasons", dict(only_some_reasons=SOME))):
    save(f"crl-of-{what}.der", crl([], extensions=[point(**more), (x509.CRLNumber(5), False)]))
save("crl-of-point-3-revoked.der", crl([SERIAL], extensions=[point(full_name=uris("http://crl.test/3"))]))
save("crl-indirect.der", crl([], extensions=[point(indirect_crl=True)]))
save("crl-attributes.der", crl([], extensions=[point(only_contains_attribute_certs=True)]))
save("crl-delta.der", crl([], extensions=[(x509.DeltaCRLIndicator(4), True)]))
save("crl-critical.der", crl([], extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"), True)]))
save("crl-entry-issuer.der", crl([SERIAL], entry=[(x509.CertificateIssuer([x509.DirectoryName(name("Other"))]), True)]))
save("crl-foreign.der", crl([SERIAL], key=other_key))
save("crl-other-name.der", crl([SERIAL], issuer_name="Somebody"))
save("crl-flipped.der", clean[:-1] + bytes([clean[-1] ^ 1]))
save("crl-two.pem", armour(clean, revoked))
save("crl-broken.pem", armour(clean)[:-30])
