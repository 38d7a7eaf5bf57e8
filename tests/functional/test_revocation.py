"""Revocation in whole verdicts: a CA that renewed its key under its name, and a server's certificate that is an anchor itself."""
import hashlib
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

from harness.case import case, equal, rows
from harness.pki import DAY, Authority, Site, crl, ms, octet_string, pem, sct_list, staple, utc_now
from harness.rawtls import integer, tlv


def judge(t, anchors, chain, crls=(), response=None):
    """(outcome, reasons)"""
    options = ["--ca", t.write("anchors", b"".join(map(pem, anchors)))]
    for i, content in enumerate(crls):
        options += ["--crl", t.write(f"crl{i}", content)]
    if response:
        options += ["--ocsp", t.write("staple", response)]
    code, out, err = t.run("ctstub", "verify", "--json", "--ct", "off", "--ip", "127.0.0.1", *options,
                           t.write("chain", b"".join(map(pem, chain))))
    verdict = json.loads(out or '{"outcome": "none", "reasons": []}')
    equal(code, 0 if verdict["outcome"] == "accepted" else 1, f"exit code; {err}")
    return verdict["reasons"]


class Renewed:
    """Two CAs of one name, and a server under each."""

    def __init__(self):
        self.old, self.new = Authority("Internal CA"), Authority("Internal CA")
        self.of_old, self.of_new = (ca.issue(["127.0.0.1"])[1] for ca in (self.old, self.new))

    def lists(self, words):
        """old, new; -names: names the server of the new key; -ended; -without: no key identifier."""
        for word in words:
            ca = self.old if word.startswith("old") else self.new
            yield crl(ca, [self.of_new.serial_number] if "names" in word else [4711], -DAY / 2 if "ended" in word else 7 * DAY,
                      "without" not in word)


@rows([
    ("the list of the new key", ["new"], []),
    ("both lists, the old key's first", ["old", "new"], []),
    ("both lists, the new key's first", ["new", "old"], []),
    ("both lists without key identifiers", ["old-without", "new-without"], []),
    ("the old key's list alone", ["old"], ["crl-invalid"]),
    ("the old key's list names a number of the new key's", ["old-names", "new"], []),
    ("the new key's list names the certificate", ["old", "new-names"], ["revoked"]),
    ("the new key's list is out of date", ["old", "new-ended"], ["crl-invalid"]),
    ("the new key's list is out of date, another is current", ["new-ended", "old", "new"], []),
    ("a list out of date names the certificate", ["new-names-ended", "new"], ["revoked"]),
])
def renewed(t, lists, reasons):
    """A CA renewed its key under its old name"""
    ca = Renewed()
    equal(judge(t, [ca.old.cert, ca.new.cert], [ca.of_new], ca.lists(lists)), reasons, "reasons")
    equal(judge(t, [ca.old.cert, ca.new.cert], [ca.of_old], [crl(ca.old), crl(ca.new, [ca.of_old.serial_number])]), [], "the old key")


@case("two CRLs in one file have the effect of two files")
def one_file(t):
    ca = Renewed()
    equal(judge(t, [ca.old.cert, ca.new.cert], [ca.of_new], [crl(ca.old) + crl(ca.new)]), [], "reasons")


@rows([
    ("nothing is given", "anchor", [], None, []),
    ("a good list, and the server sends the CA's certificate", "sent", ["new"], None, []),
    ("a list names the certificate, and the server sends the CA's certificate", "sent", ["new-names"], None, ["revoked"]),
    ("a list names the certificate, and the CA is an anchor", "anchor", ["old", "new-names"], None, ["revoked"]),
    ("a list out of date", "anchor", ["new-ended"], None, ["crl-invalid"]),
    ("a list of the CA's old key", "anchor", ["old"], None, ["crl-invalid"]),
    ("a list, and the CA's certificate is missing", "away", ["new"], None, ["crl-invalid"]),
    ("no list of the CA, whose certificate is missing", "away", [], None, []),
    ("a good staple", "sent", [], "good", []),
    ("a staple with the status revoked", "sent", [], "revoked", ["revoked"]),
    ("a staple with the status revoked, and the CA is an anchor", "anchor", [], "revoked", ["revoked"]),
    ("a staple of the CA's old key", "anchor", [], "old", ["staple-invalid"]),
    ("a staple that could not be checked is not required", "away", [], "revoked", []),
])
def anchored(t, where, lists, response, reasons):
    """A certificate that is an anchor itself"""
    ca = Renewed()
    responses = {"good": staple(ca.new, ca.of_new), "revoked": staple(ca.new, ca.of_new, good=False),
                 "old": staple(ca.old, ca.of_new)}
    anchors = [ca.of_new] + ([ca.new.cert, ca.old.cert] if where == "anchor" else [])
    equal(judge(t, anchors, [ca.of_new] + ([ca.new.cert] if where == "sent" else []), ca.lists(lists), responses.get(response)), reasons,
          "reasons")


def staple_with_scts(site, good):
    """A response whose one entry carries SCTs of all logs (RFC 6962, 3.3), which no library writes."""
    ca, now = site.intermediate, utc_now()
    key = ca.key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)

    def time(when):
        return tlv(0x18, when.strftime("%Y%m%d%H%M%SZ").encode())
    scts = [log.sct(site.cert.public_bytes(serialization.Encoding.DER), ca.key, ms(now - DAY)) for log in site.logs]
    extension = tlv(0x30, bytes.fromhex("060a2b06010401d679020405") + tlv(4, octet_string(sct_list(scts))))
    number = tlv(0x30, bytes.fromhex("300906052b0e03021a0500") + tlv(4, hashlib.sha1(ca.name.public_bytes()).digest()) +
                 tlv(4, hashlib.sha1(key).digest()) + integer(site.cert.serial_number))
    entry = tlv(0x30, number + (tlv(0x80, b"") if good else tlv(0xa1, time(now - DAY))) + time(now - DAY) + tlv(0xa0, time(now + DAY)) +
                tlv(0xa1, tlv(0x30, extension)))
    data = tlv(0x30, tlv(0xa2, tlv(4, hashlib.sha1(key).digest())) + time(now - DAY) + tlv(0x30, entry))
    signed = data + bytes.fromhex("300a06082a8648ce3d040302") + tlv(3, b"\0" + ca.key.sign(data, ECDSA(hashes.SHA256())))
    return tlv(0x30, tlv(10, b"\0") + tlv(0xa0, tlv(0x30, bytes.fromhex("06092b0601050507300101") + tlv(4, tlv(0x30, signed)))))


@rows([("T21 SCTs in a staple do not count: only those in the certificate do", False, True, "require", ["ct-no-scts"]),
       ("T21 they do no harm beside those in the certificate", True, True, "require", []),
       ("T21 a staple with them is read like any other: good", False, True, "off", []),
       ("T21 a staple with them is read like any other: revoked", False, False, "off", ["revoked"])])
def scts_in_a_staple(t, embedded, good, ct, reasons):
    site = Site(t, with_ct=embedded)
    staple = t.write("staple.der", staple_with_scts(site, good))
    _, out, err = t.run("ctstub", "verify", "--json", "--ip", "127.0.0.1", "--ca", site.anchors, "--ct", ct, "--ct-logs", site.log_list,
                        "--ocsp", staple, site.chain)
    verdict = json.loads(out or "{}")
    equal((verdict.get("reasons"), len(verdict["scts"])), (reasons, 3 if embedded else 0), f"reasons, and SCTs that are listed; {err}")
