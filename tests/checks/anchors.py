"""The limits of anchors that are compiled in, their facts, and the script that makes the one of the other."""
import os
import re

from cryptography.hazmat.primitives import hashes, serialization

from harness.case import case, check, equal, rows
from harness.pki import Authority, pem

SOURCE = "source old 2024-01-01 an older table\n"


def script(t, *options):
    return t.run(os.path.join(t.src, "contrib", "update-anchor-limits"), *options)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


@case("the limits compiled in are made of the facts in the tree", builds=("gcc",))
def same(t):
    code, said, err = script(t, "--out", t.path("anchors.txt"))
    equal(code, 0, said + err)
    equal(read(t.path("anchors.txt")), read(t.src, "verify", "data", "anchors.txt"), "verify/data/anchors.txt")


@case("every limit has a source, and every source a date", builds=("gcc",))
def sources(t):
    lines = [line for line in read(t.src, "verify", "data", "anchors.txt").splitlines() if not line.startswith("#")]
    check(len(lines) > 100, "the table was not read")
    for line in lines:
        check(re.match(r'(cert|spki)-sha256 [0-9a-f]{64} source "[^"]+, 20\d\d-\d\d-\d\d" ', line), line)


@case("the facts have every limit of the table that they were taken from", builds=("gcc",))
def facts(t):
    have = read(t.src, "verify", "data", "anchors.txt")
    rows_ = [line.split()[:2] for line in read(t.src, "tests", "data", "anchor_limits.txt").splitlines() if not line.startswith("#")]
    check(len(rows_) >= 21, "the table was not read")
    for cert, when in rows_:
        check(re.search(rf"^cert-sha256 {cert} .*sct-not-after {when}", have, re.M), f"{cert} {when}")


def octal(data):
    return "MULTILINE_OCTAL\n" + "".join(f"\\{b:03o}" for b in data) + "\nEND\n"


def entry(ca, trust, after=None, serial=b"\x02\x01\x01"):
    der = ca.cert.public_bytes(serialization.Encoding.DER)
    who = f"CKA_ISSUER {octal(ca.cert.subject.public_bytes())}CKA_SERIAL_NUMBER {octal(serial)}"
    return ("CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nCKA_LABEL UTF8 \"a root\"\n" + who + f"CKA_VALUE {octal(der)}"
            "CKA_NSS_SERVER_DISTRUST_AFTER " + (octal(after) if after else "CK_BBOOL CK_FALSE\n") +
            "\n# a comment\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST\n" + who + f"CKA_TRUST_SERVER_AUTH CK_TRUST {trust}\n"
            "CKA_TRUST_EMAIL_PROTECTION CK_TRUST CKT_NSS_TRUSTED_DELEGATOR\n\n")


def sha(ca):
    return ca.cert.fingerprint(hashes.SHA256()).hex()


def spki(ca):
    digest = hashes.Hash(hashes.SHA256())
    digest.update(ca.cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


TRUST, NOT = "CKT_NSS_TRUSTED_DELEGATOR", "CKT_NSS_MUST_VERIFY_TRUST"
SINCE = "distrusted-since 2026-01-02T00:00:00Z"


@rows([
    ("a root that is trusted without a date has no limit", lambda a, b: entry(a, TRUST), "", None, None),
    ("a root with a date is limited by certificate and key", lambda a, b: entry(a, TRUST, b"241130235959Z"), "",
     "not-before-max 2024-11-30T23:59:59Z", "not-before-max 2024-11-30T23:59:59Z"),
    ("a root that is for mail only is distrusted", lambda a, b: entry(a, NOT), "", SINCE, SINCE),
    ("a root that is gone is distrusted", lambda a, b: "", "", SINCE, SINCE),
    ("a twin of its key that is trusted keeps the key free",
     lambda a, b: entry(a, NOT) + entry(b, TRUST, serial=b"\x02\x01\x02"), "", SINCE, None),
    ("an earlier date stays", lambda a, b: entry(a, NOT), "  distrusted-since 2024-05-05T00:00:00Z old\n",
     "distrusted-since 2024-05-05T00:00:00Z", "distrusted-since 2024-05-05T00:00:00Z"),
    ("a root that is trusted again is free again", lambda a, b: entry(a, TRUST), "  distrusted-since 2024-05-05T00:00:00Z old\n",
     None, None),
    ("what was written by hand stays", lambda a, b: entry(a, TRUST), "  sct-not-after 2025-05-05T00:00:00Z old\n",
     "sct-not-after 2025-05-05T00:00:00Z", "sct-not-after 2025-05-05T00:00:00Z"),
], builds=("gcc",))
def nss(t, make, limits, by_cert, by_key):
    a = Authority("A")
    b = Authority("B", key=a.key)
    other = Authority("Other")
    certdata = t.write("certdata.txt", "BEGINDATA\n" + make(a, b) + entry(other, TRUST, serial=b"\x02\x01\x03"))
    bundle = t.write("bundle.pem", pem(a.cert) + pem(other.cert))
    file = t.write("facts", "# ours\n" + SOURCE + (f"root {sha(a)} {spki(a)} A\n{limits}" if limits else ""))
    code, said, err = script(t, "--nss", certdata, "--id", "new", "--date", "2026-01-02", "--title", "a newer table", "--bundle", bundle,
                             "--facts", file, "--out", t.path("anchors.txt"))
    equal(code, 0, said + err)
    lines = dict((line.split(" source ")[0], line) for line in read(t.path("anchors.txt")).splitlines() if line[0] != "#")
    for name, want in ((f"cert-sha256 {sha(a)}", by_cert), (f"spki-sha256 {spki(a)}", by_key)):
        equal(name in lines, want is not None, f"a line for {name}")
        check(want is None or lines[name].endswith(want), lines.get(name))
    equal(len(lines), (by_cert is not None) + (by_key is not None), "lines")
    code, said, err = script(t, "--facts", file, "--out", t.path("again.txt"))
    equal((code, read(t.path("again.txt"))), (0, read(t.path("anchors.txt"))), "made again of the facts")


@rows([
    ("a limit without source", f"root {'0' * 64} {'1' * 64} A\n  distrusted-since 2024-05-05T00:00:00Z\n"),
    ("a limit of a source that is not there", f"root {'0' * 64} {'1' * 64} A\n  distrusted-since 2024-05-05T00:00:00Z new\n"),
    ("a source without a date", "source x sometime a table\n"),
    ("a hash that is short", f"root {'0' * 63} {'1' * 64} A\n"),
    ("a root twice", f"root {'0' * 64} {'1' * 64} A\n" * 2),
    ("two roots of one key", "".join(f"root {c * 64} {'1' * 64} A\n  distrusted-since 2024-05-05T00:00:00Z old\n" for c in "02")),
    ("a limit in front of every root", "  distrusted-since 2024-05-05T00:00:00Z old\n"),
], builds=("gcc",))
def faults(t, text):
    file = t.write("facts", SOURCE + text)
    code, said, err = script(t, "--facts", file, "--out", t.path("anchors.txt"))
    check(code == 1 and "update-anchor-limits: " in err and not os.path.exists(t.path("anchors.txt")), said + err)


@case("a table in which nothing is trusted is refused, not taken for the end of all roots", builds=("gcc",))
def empty(t):
    file = t.write("facts", SOURCE)
    for text in ("", "BEGINDATA\n", entry(Authority("A"), NOT)):
        code, said, err = script(t, "--nss", t.write("certdata.txt", text), "--id", "new", "--date", "2026-01-02", "--title", "x",
                                 "--facts", file, "--out", t.path("anchors.txt"))
        check(code == 1 and "no root in it is trusted" in err, said + err)
