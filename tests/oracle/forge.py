"""Bytes for facts. Keys are drawn once and used for many certificates."""
import base64
import datetime
import hashlib
import ipaddress
import itertools
import json
import struct
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID, ObjectIdentifier

from oracle import crl
from oracle.sha1 import signed_with_sha1

SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
POISON = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.3")
UNKNOWN = ObjectIdentifier("1.3.6.1.4.1.55555.1")
USAGES = {"server": EKU.SERVER_AUTH, "client": EKU.CLIENT_AUTH, "any": EKU.ANY_EXTENDED_KEY_USAGE, "code": EKU.CODE_SIGNING,
          "mail": EKU.EMAIL_PROTECTION, "time": EKU.TIME_STAMPING, "ocsp": EKU.OCSP_SIGNING}
KEY_USAGES = {  # digitalSignature first, as in RFC 5280, 4.2.1.3
    "signature": [True] + [False] * 8,
    "sign-certificates": [False] * 5 + [True, True, False, False],
    "sign-lists": [False] * 6 + [True, False, False],
    "encipherment": [False] * 2 + [True] + [False] * 6,
    "signature and encipherment": [True, False, True] + [False] * 6,
    "agreement": [False] * 4 + [True] + [False] * 4,
    "commitment": [False, True] + [False] * 7,
    "signature and certificates": [True] + [False] * 4 + [True] + [False] * 3,
}
HASHES = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha1": None}  # SHA-1: signed_with_sha1


def when(ms):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).replace(tzinfo=None)


def rfc3339(ms):
    return when(ms).isoformat() + (f".{ms % 1000:03d}Z" if ms % 1000 else "Z")


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def der_octets(data):
    if len(data) < 128:
        return b"\x04" + bytes([len(data)]) + data
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return b"\x04" + bytes([0x80 | len(size)]) + size + data


class Keys:
    """Keys by kind and purpose; making RSA keys is slow, so each is made once."""

    def __init__(self):
        self.made = {}
        self.lock = threading.Lock()

    def get(self, kind, label):
        with self.lock:
            if (kind, label) not in self.made:
                if kind.startswith("rsa"):
                    key = rsa.generate_private_key(65537, int(kind[3:]))
                else:
                    key = ec.generate_private_key({"p256": ec.SECP256R1, "p384": ec.SECP384R1}[kind]())
                self.made[kind, label] = key
            return self.made[kind, label]


def san_extension(names):
    """A SubjectAltName written by hand, so that it may be odd."""
    body = b""
    for kind, value in names:
        data = {"ip": lambda v: ipaddress.ip_address(v).packed, "raw-ip": bytes.fromhex, "dns": str.encode,
                "uri": str.encode}[kind](value)
        tag = {"ip": 0x87, "raw-ip": 0x87, "dns": 0x82, "uri": 0x86}[kind]
        body += bytes([tag, len(data)]) + data
    return b"\x30" + (bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack(">H", len(body))) + body


class Forge:
    def __init__(self, world):
        self.keys = Keys()
        self.world = world
        self.serials = itertools.count(0x1000)
        self.logs = {name: (facts, ec.generate_private_key(ec.SECP256R1())) for name, facts in world["logs"].items()}

    # ---- logs

    def log_id(self, name):
        facts, key = self.logs[name]
        return base64.b64decode(facts["denied_id"]) if "denied_id" in facts else hashlib.sha256(spki(key)).digest()

    def log_list(self, date_ms):
        operators = {}
        for name, (facts, key) in self.logs.items():
            if facts.get("unlisted"):
                continue
            operator = operators.setdefault(facts["operator"], {"name": facts["operator"], "email": [], "logs": [], "tiled_logs": []})
            log = {"description": name, "log_id": base64.b64encode(hashlib.sha256(spki(key)).digest()).decode(),
                   "key": base64.b64encode(spki(key)).decode(), "mmd": 86400}
            if facts.get("state"):
                log["state"] = {facts["state"]: {"timestamp": rfc3339(facts.get("state_ms", 1577836800000))}}
            if "interval" in facts:
                log["temporal_interval"] = dict(zip(("start_inclusive", "end_exclusive"), map(rfc3339, facts["interval"])))
            if "log_type" in facts:
                log["log_type"] = facts["log_type"]
            if "previous" in facts:
                log["previous_operators"] = [{"name": n, "end_time": rfc3339(ms)} for n, ms in facts["previous"]]
            operator["tiled_logs" if facts.get("static") else "logs"].append(log)
        return json.dumps({"version": "1.0", "log_list_timestamp": rfc3339(date_ms), "operators": list(operators.values())}, indent=1)

    def sct(self, facts, tbs, issuer_key):
        log, key = self.logs[facts["log"]]
        extensions = b""
        if log.get("static") and facts["fault"] not in ("no-leaf-index", "other-extension"):
            extensions = b"\0\0\x05" + bytes([0, 0, 7, 8, 9])
        if facts["fault"] == "other-extension":
            extensions = b"\x07\0\x02ab"
        hashed = hashlib.sha256(spki(self.keys.get("p256", "nobody") if facts["fault"] == "wrong-issuer" else issuer_key)).digest()
        if facts["fault"] == "other-certificate":
            tbs = tbs[:-1] + bytes([tbs[-1] ^ 1])
        version = 1 if facts["fault"] in ("wrong-version", "wrong-version-cut") else 0
        signed = (struct.pack(">BBQH", 0, 0, facts["timestamp"], 1) + hashed + len(tbs).to_bytes(3, "big") + tbs +
                  struct.pack(">H", len(extensions)) + extensions)
        signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        if facts["fault"] == "broken":
            signature = signature[:-1] + bytes([signature[-1] ^ 0x55])
        algorithm = b"\x04\x01" if facts["fault"] == "wrong-algorithm" else b"\x04\x03"
        if facts["fault"] == "altered-extension":
            extensions = extensions[:-1] + bytes([extensions[-1] ^ 1]) if extensions else b"\x07\0\x01a"
        body = (bytes([version]) + self.log_id(facts["log"]) + struct.pack(">Q", facts["timestamp"]) +
                struct.pack(">H", len(extensions)) + extensions + algorithm + struct.pack(">H", len(signature)) + signature)
        return body[:40] if facts["fault"] in ("cut", "wrong-version-cut") else body

    # ---- certificates

    def key_of(self, facts):
        return self.keys.get(facts["key"], facts["key_label"])

    def name_of(self, facts):
        if not facts["subject"]:
            return x509.Name([])
        kind = _ASN1Type[facts.get("string_type", "UTF8String")]
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Oracle", kind),
                          x509.NameAttribute(NameOID.COMMON_NAME, facts["subject"], kind)])

    def extensions(self, facts):
        """All but the list of SCTs, each with its criticality."""
        if facts["ca"] is not None:
            yield x509.BasicConstraints(facts["ca"], facts.get("path_length") if facts["ca"] else None), True
        if facts.get("key_usage"):
            yield x509.KeyUsage(*KEY_USAGES[facts["key_usage"]]), True
        if facts.get("extended"):
            yield x509.ExtendedKeyUsage([USAGES[u] for u in facts["extended"]]), False
        if facts.get("names"):
            yield x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), san_extension(facts["names"])), not facts["subject"]
        if facts.get("permitted") or facts.get("excluded"):
            yield x509.NameConstraints(self.subtrees(facts.get("permitted")), self.subtrees(facts.get("excluded"))), True
        if facts.get("unknown_critical"):
            yield x509.UnrecognizedExtension(UNKNOWN, b"\x05\0"), True
        if facts.get("unknown_uncritical"):
            yield x509.UnrecognizedExtension(UNKNOWN, b"\x05\0"), False
        if facts.get("poison"):
            yield x509.UnrecognizedExtension(POISON, b"\x05\0"), True
        if facts.get("subject_key_id"):
            yield x509.SubjectKeyIdentifier(crl.key_identifier(self.key_of(facts))), False
        if facts.get("must_staple"):
            yield x509.TLSFeature([x509.TLSFeatureType.status_request]), False

    def certificate(self, facts, issuer):
        """facts and issuer are dictionaries; the issuer's key signs, or with `forged` a key that is not the issuer's."""
        key, issuer_key = self.key_of(facts), self.key_of(issuer)
        bare = (x509.CertificateBuilder().subject_name(self.name_of(facts)).issuer_name(self.name_of(issuer))
                .public_key(key.public_key()).serial_number(facts.get("serial") or next(self.serials))
                .not_valid_before(when(facts["not_before"])).not_valid_after(when(facts["not_after"])))
        signer = self.keys.get(issuer["key"], "somebody else") if facts.get("forged") else issuer_key
        algorithm = HASHES[facts.get("hash", "sha256")]

        def with_extensions(extensions):
            builder = bare
            for extension, critical in extensions:
                builder = builder.add_extension(extension, critical)
            if algorithm is None:
                return signed_with_sha1(builder.sign(signer, hashes.SHA256()), signer)
            return builder.sign(signer, algorithm())
        extensions = list(self.extensions(facts))
        if facts.get("scts") is not None:
            tbs = with_extensions(extensions).tbs_certificate_bytes
            place = {"first": 0, "middle": len(extensions) // 2}.get(facts.get("sct_list_place"), len(extensions))
            extensions.insert(place, (x509.UnrecognizedExtension(SCT_LIST, self.sct_extension(facts, tbs, issuer_key)), False))
        return with_extensions(extensions)

    def sct_extension(self, facts, tbs, issuer_key):
        items = [self.sct(s, tbs, issuer_key) for s in facts["scts"]]
        body = b"".join(struct.pack(">H", len(i)) + i for i in items)
        fault = facts.get("sct_list_fault")
        if fault == "length-lies":
            return der_octets(struct.pack(">H", len(body) + 7) + body)
        if fault == "trailing":
            return der_octets(struct.pack(">H", len(body)) + body + b"\0")
        if fault == "empty":
            return der_octets(b"\0\0")
        if fault == "empty-item":
            return der_octets(struct.pack(">H", len(body) + 2) + body + b"\0\0")
        if fault == "not-octets":
            return b"\x02" + der_octets(struct.pack(">H", len(body)) + body)[1:]
        return der_octets(struct.pack(">H", len(body)) + body)

    @staticmethod
    def subtrees(names):
        if not names:
            return None
        return [x509.IPAddress(ipaddress.ip_network(v)) if k == "ip" else x509.DNSName(v) for k, v in names]

    def bytes_of(self, case):
        """(presented chain, anchors) as PEM."""
        made = {}
        for name in case["order"]:
            facts = case["certificates"][name]
            made[name] = self.certificate(facts, case["certificates"][facts["issuer"]])
        pem = {n: c.public_bytes(serialization.Encoding.PEM) for n, c in made.items()}
        return b"".join(pem[n] for n in case["presented"]), b"".join(pem[n] for n in case["anchors"]), made


def fingerprint(certificate):
    return certificate.fingerprint(hashes.SHA256()).hex()


def spki_sha256(certificate):
    der = certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
