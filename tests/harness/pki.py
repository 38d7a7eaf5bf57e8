"""Certificates, SCTs and log lists, made with Python's cryptography and no code of ours."""
import base64
import datetime
import hashlib
import ipaddress
import json
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
DAY = datetime.timedelta(days=1)


def utc_now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)


def ms(when):
    return int(when.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def named(common_name, organisation="Test"):
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"),
                      x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                      x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def octet_string(data):
    n = len(data)
    if n < 128:
        return b"\x04" + bytes([n]) + data
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return b"\x04" + bytes([0x80 | len(size)]) + size + data


class Log:
    """A toy CT log."""

    def __init__(self, name, operator, static=False):
        self.name, self.operator, self.static = name, operator, static
        self.key = new_key()
        self.log_id = hashlib.sha256(spki(self.key)).digest()

    def sct(self, tbs, issuer_key, when_ms, extensions=None):
        """A signed timestamp of a precertificate (RFC 6962, 3.2); static logs put the leaf index in."""
        if extensions is None:
            extensions = b"\0\0\x05" + (1234).to_bytes(5, "big") if self.static else b""
        entry = hashlib.sha256(spki(issuer_key)).digest() + len(tbs).to_bytes(3, "big") + tbs
        signed = struct.pack(">BBQH", 0, 0, when_ms, 1) + entry + struct.pack(">H", len(extensions)) + extensions
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return (b"\0" + self.log_id + struct.pack(">QH", when_ms, len(extensions)) + extensions + b"\x04\x03" +
                struct.pack(">H", len(signature)) + signature)


def sct_list(scts):
    body = b"".join(struct.pack(">H", len(s)) + s for s in scts)
    return struct.pack(">H", len(body)) + body


def log_list(logs, when=None):
    """A list in the public v3 format."""
    operators = {}
    for log in logs:
        operator = operators.setdefault(log.operator, {"name": log.operator, "email": [], "logs": [], "tiled_logs": []})
        operator["tiled_logs" if log.static else "logs"].append({
            "description": log.name, "log_id": base64.b64encode(log.log_id).decode(),
            "key": base64.b64encode(spki(log.key)).decode(), "mmd": 86400,
            "state": {"usable": {"timestamp": "2020-01-01T00:00:00Z"}}})
    return json.dumps({"version": "1.0", "log_list_timestamp": (when or utc_now()).isoformat() + "Z",
                       "operators": list(operators.values())}, indent=1)


KEY_USES = ("signature", "commitment", "encipherment", "data", "agreement", "certificates", "lists", "only encipher", "only decipher")


class Authority:
    """A CA: a root, or with `parent` an intermediate; with `key` another CA's twin. Good for eight years, or until not_after."""

    def __init__(self, name, parent=None, key=None, not_after=None):
        self.name, self.key, self.parent = named(name), key or new_key(), parent
        issuer = parent or self
        builder = (x509.CertificateBuilder().subject_name(self.name).issuer_name(issuer.name)
                   .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(utc_now() - 30 * DAY).not_valid_after(not_after or utc_now() + 3000 * DAY)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                   .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True))
        self.cert = builder.sign(issuer.key, hashes.SHA256())

    def issue(self, ips=(), names=(), logs=(), not_before=None, not_after=None, common_name=None, sct_at=None, usage=None,
              must_staple=False):
        """(key, certificate): a server's, for these addresses and names, with an SCT of each log; `usage`: the one use of its key."""
        key = new_key()
        not_before, not_after = not_before or utc_now() - 2 * DAY, not_after or utc_now() + 60 * DAY
        alternatives = [x509.IPAddress(ipaddress.ip_address(i)) for i in ips] + [x509.DNSName(n) for n in names]
        subject = named(common_name) if common_name else x509.Name([])
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(not_before).not_valid_after(not_after)
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False))
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=not common_name)
        if usage:
            builder = builder.add_extension(x509.KeyUsage(*(use == usage for use in KEY_USES)), critical=True)
        if must_staple:
            builder = builder.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
        if logs:
            # What a log signs is the certificate without its list of SCTs, which goes last here.
            tbs = builder.sign(self.key, hashes.SHA256()).tbs_certificate_bytes
            scts = [log.sct(tbs, self.key, sct_at or ms(not_before) + 1000) for log in logs]
            builder = builder.add_extension(x509.UnrecognizedExtension(SCT_LIST, octet_string(sct_list(scts))), critical=False)
        return key, builder.sign(self.key, hashes.SHA256())


def crl(ca, serials=(), until=7 * DAY, key_id=True):
    """A list of revoked certificates, PEM."""
    now = utc_now()
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.name).last_update(now - DAY).next_update(now + until)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - DAY)
        builder = builder.add_revoked_certificate(entry.build())
    if key_id:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), False)
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def staple(ca, certificate, good=True):
    """An OCSP response of the CA itself, DER."""
    now = utc_now()
    status = ocsp.OCSPCertStatus.GOOD if good else ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        certificate, ca.cert, hashes.SHA1(), status, now - DAY, now + DAY, None if good else now - DAY, None)
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ca.cert)
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Site:
    """The files for a server and its clients: anchors.pem, the server's chain.pem and key.pem, logs.json."""

    def __init__(self, t, ips=("127.0.0.1", "::1"), names=("dns.test",), with_ct=False, prefix="site", common_name="Test Server", **leaf):
        """leaf: dates, as Authority.issue takes them. The subject is not empty, as kdig cannot print an empty one."""
        self.root = Authority(f"Root of {prefix}")
        self.intermediate = Authority(f"Intermediate of {prefix}", self.root)
        self.logs = [Log("Alpha 1", "Alpha"), Log("Beta 1", "Beta"), Log("Gamma tiled", "Gamma", static=True)]
        self.key, self.cert = self.intermediate.issue(
            ips, names, self.logs if with_ct else (), common_name=common_name, **leaf)
        self.anchors = t.write(f"{prefix}/anchors.pem", pem(self.root.cert))
        self.chain = t.write(f"{prefix}/chain.pem", pem(self.cert) + pem(self.intermediate.cert))
        self.key_file = t.write(f"{prefix}/key.pem", key_pem(self.key))
        self.log_list = t.write(f"{prefix}/logs.json", log_list(self.logs))
