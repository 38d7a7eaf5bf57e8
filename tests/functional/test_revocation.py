"""Revocation in whole verdicts: a CA that renewed its key under its name, and a server's certificate that is an anchor itself."""
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from harness.case import case, equal, rows
from harness.pki import DAY, Authority, crl, pem, utc_now


def staple(ca, certificate, good=True):
    now = utc_now()
    status = ocsp.OCSPCertStatus.GOOD if good else ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        certificate, ca.cert, hashes.SHA1(), status, now - DAY, now + DAY, None if good else now - DAY, None)
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ca.cert)
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


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
