"""ctstub-lab logs: the toy logs are what RFC 6962 and static-ct-api say, and every misbehaviour is one."""
import base64
import gzip
import hashlib
import os
import struct
import time
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from harness.case import case, check, equal, rows
from harness.pki import DAY, Authority, named, new_key, spki, utc_now
from harness.toylogs import ToyLogs, leaf_hash, root_from_path, root_of, tile_path


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pair(authority):
    """(precertificate, the TBSCertificate without its poison) of one serial."""
    key, serial, now = new_key(), x509.random_serial_number(), utc_now()

    def builder():
        return (x509.CertificateBuilder().subject_name(named("x")).issuer_name(authority.name).public_key(key.public_key())
                .serial_number(serial).not_valid_before(now - DAY).not_valid_after(now + 60 * DAY)
                .add_extension(x509.SubjectAlternativeName([x509.DNSName("x.test")]), critical=False))
    pre = builder().add_extension(x509.PrecertPoison(), critical=True).sign(authority.key, hashes.SHA256())
    return pre, builder().sign(authority.key, hashes.SHA256())


@rows([
    ("an RFC 6962 log of no entries", "alpha-1", 0),
    ("an RFC 6962 log of one entry", "alpha-1", 1),
    ("an RFC 6962 log of more than a batch", "alpha-1", 700),
    ("an RFC 6962 log with an RSA key", "xi-rsa", 3),
    ("a static-ct log of no entries", "delta-1", 0),
    ("a static-ct log of a partial tile", "delta-1", 255),
    ("a static-ct log of a full tile", "delta-1", 256),
    ("a static-ct log of full tiles and a partial one", "delta-1", 700),
], builds=("gcc",))
def heads(t, log, fill):
    logs = ToyLogs(t, "--fill", str(fill))
    size, _, root, good = logs.head(log)
    equal((size, good), (fill, True), "size and signature")
    equal(root, root_of(logs.leaves(log, size)), "root over the entries")


@case("a log of millions of entries is ready at once, and its proofs verify", builds=("gcc",))
def millions(t):
    logs = ToyLogs(t, "--fill", "10000019")
    size, _, root, good = logs.sth("alpha-1")
    equal((size, good), (10000019, True), "size and signature")
    leaf = base64.b64decode(logs.get_json("/alpha-1/ct/v1/get-entries?start=77&end=77")["entries"][0]["leaf_input"])
    hashed = base64.b64encode(leaf_hash(leaf)).decode().replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    proof = logs.get_json(f"/alpha-1/ct/v1/get-proof-by-hash?hash={hashed}&tree_size={size}")
    equal(proof["leaf_index"], 77, "index")
    equal(root_from_path(leaf_hash(leaf), 77, size, [base64.b64decode(h) for h in proof["audit_path"]]), root, "root")
    equal(logs.checkpoint("delta-1")[0], 10000019, "size of the static-ct log")
    check(len(logs.get(f"/delta-1/tile/data/{tile_path(39061)}")) > 100000, "its last full tile")
    equal(len(logs.get("/delta-1/tile/2/000.p/152")), 152 * 32, "hashes of 65536 leaves each")


@rows([
    ("an RFC 6962 log takes a precertificate", "alpha-1", True),
    ("an RFC 6962 log takes a certificate", "alpha-1", False),
    ("a static-ct log takes a precertificate", "delta-1", True),
    ("a static-ct log takes a certificate", "delta-1", False),
], builds=("gcc", "san"))
def submitted(t, log, pre):
    logs, ca = ToyLogs(t, "--fill", "5"), Authority("Submitter")
    precertificate, certificate = pair(ca)
    sct = logs.submit(log, [der(precertificate if pre else certificate), der(ca.cert)], pre)
    extensions = base64.b64decode(sct["extensions"])
    entry = certificate.tbs_certificate_bytes if pre else der(certificate)
    leaf = (struct.pack(">BBQH", 0, 0, sct["timestamp"], pre) + (hashlib.sha256(spki(ca.key)).digest() if pre else b"") +
            len(entry).to_bytes(3, "big") + entry + struct.pack(">H", len(extensions)) + extensions)
    check(logs.verified(log, base64.b64decode(sct["signature"]), leaf), "the signature of the SCT")
    equal(base64.b64decode(sct["id"]), hashlib.sha256(logs.keys[log]).digest(), "log id")
    equal(extensions, b"\0\0\x05" + (5).to_bytes(5, "big") if log in logs.tiled else b"", "extensions")
    size, _, root, good = logs.head(log)
    leaves = logs.leaves(log, size)
    equal((size, good, leaves[5], root), (6, True, leaf, root_of(leaves)), "the log after it")


@case("a submission is merged after the merge delay, and not while late-merge is on", builds=("gcc",))
def delay(t):
    logs, ca = ToyLogs(t, "--merge-delay", "1h"), Authority("Submitter")
    logs.submit("alpha-1", [der(pair(ca)[0]), der(ca.cert)])
    equal(logs.sth("alpha-1")[0], 0, "size within the delay")
    logs = ToyLogs(t, "--misbehave", "late-merge@alpha-1", folder="other")
    for log in ("alpha-1", "alpha-2"):
        logs.submit(log, [der(pair(ca)[0]), der(ca.cert)])
    equal((logs.sth("alpha-1")[0], logs.sth("alpha-2")[0]), (0, 1), "sizes")
    logs.misbehave("no", "late-merge", "alpha-1")
    equal(logs.sth("alpha-1")[0], 1, "size when it is over")


@case("the lab's log enters the certificate of a chain as its SCTs promise", builds=("gcc",))
def promised(t):
    logs = ToyLogs(t)
    code, out, err = t.run("ctstub-lab", "pki", logs.folder)
    equal(code, 0, f"pki {out} {err}")
    equal(logs.enter(f"{logs.folder}/chains/good-static-ct-only.pem").split(), ["alpha-3", "ok", "delta-1", "ok"], "logs")
    size = logs.checkpoint("delta-1")[0]
    check(size > 1000000, f"the place that the SCT names: {size}")
    equal(logs.enter(f"{logs.folder}/chains/good-v4.pem").split(), ["alpha-1", "ok", "beta-1", "ok"], "logs")


@case("the lab's logs change nothing that pki wrote, and add their list", builds=("gcc",))
def others_stay(t):
    folder = t.path("lab-logs")
    equal(t.run("ctstub-lab", "pki", folder)[0], 0, "pki")

    def content(name):
        with open(name, "rb") as f:
            return f.read()

    def contents():
        return {name: content(name) for where, _, names in os.walk(folder) for name in (os.path.join(where, n) for n in names)}
    before = contents()
    ToyLogs(t)
    after = contents()
    equal([name for name in before if after[name] != before[name]], [], "files that changed")
    equal(sorted(os.path.basename(name) for name in set(after) - set(before)), ["ct-logs-served.json", "filler.pem"], "files that are new")


def head_differs(logs, log):
    return len({logs.head(log)[2] for _ in range(4)}) > 1


def root_differs(logs, log):
    size, _, root, _ = logs.head(log)
    try:
        return root_of(logs.leaves(log, size)) != root
    except AssertionError:
        return True


def status_is(code):
    return lambda logs, log: code in [logs.ask(f"/{log}/ct/v1/get-sth")[0] for _ in range(4)]


def retry_after(logs, log):
    return any(h["Retry-After"] == "1" and s == 429 for s, h, _ in (logs.ask(f"/{log}/checkpoint") for _ in range(4)))


def age_s(logs, log):
    return time.time() - logs.head(log)[1] / 1000


def rolls_back(logs, log):
    return logs.head(log)[0] < 300


def endless(logs, log):
    with urllib.request.urlopen(logs.url + f"/{log}/checkpoint", context=logs.tls, timeout=30) as answer:
        return int(answer.headers["Content-Length"]) > 1 << 32


def bomb(logs, log):
    status, headers, data = logs.ask(f"/{log}/tile/data/000")
    return headers["Content-Encoding"] == "gzip" and len(gzip.decompress(data)) == 1 << 30


def shrinks(logs, log):
    return len(logs.get(f"/{log}/tile/0/001.p/44")) < 44 * 32


@rows([
    ("split-view: heads differ", "split-view", "alpha-1", head_differs),
    ("split-view: checkpoints differ", "split-view", "delta-1", head_differs),
    ("roll-back: the head is smaller", "roll-back", "alpha-1", rolls_back),
    ("roll-back: the checkpoint is smaller", "roll-back", "delta-1", rolls_back),
    ("missing-entry: the root is not that of the entries", "missing-entry", "alpha-1", root_differs),
    ("missing-entry: the root is not that of the tiles", "missing-entry", "delta-1", root_differs),
    ("altered-entry: the root is not that of the entries", "altered-entry", "alpha-1", root_differs),
    ("altered-entry: the root is not that of the tiles", "altered-entry", "delta-1", root_differs),
    ("bad-signature: the head does not verify", "bad-signature", "alpha-1", lambda l, log: not l.head(log)[3]),
    ("bad-signature: the checkpoint does not verify", "bad-signature", "delta-1", lambda l, log: not l.head(log)[3]),
    ("stale-head: the head is old", "stale-head", "alpha-1", lambda l, log: age_s(l, log) > 2 * 86400 - 9),
    ("stale-head: the checkpoint is old", "stale-head", "delta-1", lambda l, log: age_s(l, log) > 86400),
    ("future-head: the head is dated in the future", "future-head", "delta-1", lambda l, log: age_s(l, log) < -80000),
    ("busy: 429 with Retry-After", "busy", "delta-1", retry_after),
    ("broken: 500", "broken", "alpha-1", status_is(500)),
    ("gzip-bomb: a MiB expands to a GiB", "gzip-bomb", "delta-1", bomb),
    ("shrinking-tile: a partial tile is shorter", "shrinking-tile", "delta-1", shrinks),
    ("fewer-entries: three entries instead of a batch", "fewer-entries", "alpha-1",
     lambda l, log: len(l.get_json(f"/{log}/ct/v1/get-entries?start=0&end=99")["entries"]) == 3),
    ("not-json: no JSON", "not-json", "alpha-1", lambda l, log: l.get(f"/{log}/ct/v1/get-sth").startswith(b"<html>")),
    ("oversized: the answer does not end", "oversized", "delta-1",
     endless),
], builds=("gcc",))
def misbehaves(t, name, log, seen):
    """Only while it is on, and of that log only."""
    logs = ToyLogs(t, "--fill", "300")
    check(not seen(logs, log), f"{log} does so without being told")
    logs.misbehave(name, log)
    check(seen(logs, log), f"{log} does not")
    other = "alpha-3" if log in logs.tiled else "alpha-2"
    check(not seen(logs, other), f"{other} does so too")
    logs.misbehave("no", name, log)
    check(not seen(logs, log), f"{log} does not stop")


@rows([
    ("no folder", (), "usage"),
    ("an address that is not loopback", ("--pki", "x", "--listen", "192.0.2.1:1"), "loopback"),
    ("a misbehaviour that does not exist", ("--pki", "x", "--listen", "127.0.0.1:0", "--misbehave", "kindness"), "kindness"),
    ("a log that does not exist", ("--pki", "x", "--listen", "127.0.0.1:0", "--misbehave", "busy@omega"), "omega"),
    ("an invalid size", ("--pki", "x", "--fill", "many"), "--fill many"),
], builds=("gcc",))
def refused(t, options, says):
    code, out, err = t.run("ctstub-lab", "logs", *options)
    check(code in (2, 3) and says in out + err, f"{code} {out} {err}")
