"""The lab's CT logs, started, and read without code of ours: trees, heads and proofs as in RFC 6962 and static-ct-api."""
import base64
import gzip
import hashlib
import json
import os
import re
import ssl
import struct
import urllib.error
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from harness.case import check, equal


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves):
    """RFC 6962, 2.1, to the letter."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root_of(leaves[:k]), root_of(leaves[k:]))


def root_from_path(leaf, index, size, path):
    """RFC 9162, 2.1.3.2."""
    node, last = index, size - 1
    value = leaf
    for sibling in path:
        check(last > 0, "the path is too long")
        if node % 2 or node == last:
            value = node_hash(sibling, value)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        node, last = node >> 1, last >> 1
    equal(last, 0, "what is left of the path")
    return value


class ToyLogs:
    """`ctstub-lab logs` on a port of its own."""

    def __init__(self, t, *options, folder="lab-logs"):
        self.t, self.folder = t, t.path(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.process = t.spawn("logs", [t.program("ctstub-lab"), "logs", "--pki", self.folder,
                                         "--listen", "127.0.0.1:0", *options])
        self.process.wait_log("listening", 30)
        self.url = re.search(r"url=(https://\S+)", self.process.log())[1]
        self.anchors = os.path.join(self.folder, "anchors.pem")
        self.list = os.path.join(self.folder, "ct-logs-served.json")
        self.tls = ssl.create_default_context(cafile=self.anchors)
        with open(self.list, encoding="utf-8") as f:
            found = [(kind, log) for o in json.load(f)["operators"] for kind in ("logs", "tiled_logs") for log in o[kind]]
        self.keys = {log["description"]: base64.b64decode(log["key"]) for _, log in found}
        self.urls = {log["description"]: log.get("url") or log["monitoring_url"] for _, log in found}
        self.tiled = {log["description"] for kind, log in found if kind == "tiled_logs"}

    def ask(self, path, body=None, accept="gzip"):
        """(status, headers, bytes)"""
        request = urllib.request.Request(self.url + path, data=body, headers={"Accept-Encoding": accept})
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def get(self, path):
        status, headers, data = self.ask(path)
        equal(status, 200, f"status of {path}: {data[:80]}")
        return gzip.decompress(data) if headers["Content-Encoding"] == "gzip" else data

    def get_json(self, path):
        return json.loads(self.get(path))

    def post(self, path, text):
        status, _, data = self.ask(path, text if isinstance(text, bytes) else text.encode())
        equal(status, 200, f"status of {path}: {data[:80]}")
        return data.decode()

    def misbehave(self, *words):
        self.post("/lab/misbehave", " ".join(map(str, words)))

    def enter(self, chain_file):
        """Enters the certificate of a chain, as its SCTs promise."""
        with open(chain_file, "rb") as f:
            return self.post("/lab/chain", f.read())

    def submit(self, log, chain, pre=True):
        """The SCT for a chain of DER."""
        body = json.dumps({"chain": [base64.b64encode(c).decode() for c in chain]})
        return json.loads(self.post(f"/{log}/ct/v1/add-{'pre-' if pre else ''}chain", body))

    def verified(self, log, signature, signed):
        key = serialization.load_der_public_key(self.keys[log])
        rsa = not isinstance(key, ec.EllipticCurvePublicKey)
        check(signature[:2] == (b"\x04\x01" if rsa else b"\x04\x03") and
              len(signature) == 4 + struct.unpack(">H", signature[2:4])[0], "DigitallySigned")
        how = (padding.PKCS1v15(), hashes.SHA256()) if rsa else (ec.ECDSA(hashes.SHA256()),)
        try:
            key.verify(signature[4:], signed, *how)
        except InvalidSignature:
            return False
        return True

    def sth(self, log):
        """(size, timestamp, root, is the signature good)"""
        j = self.get_json(f"/{log}/ct/v1/get-sth")
        size, when, root = j["tree_size"], j["timestamp"], base64.b64decode(j["sha256_root_hash"])
        return size, when, root, self.verified(log, base64.b64decode(j["tree_head_signature"]),
                                               struct.pack(">BBQQ", 0, 1, when, size) + root)

    def checkpoint(self, log):
        text = self.get(f"/{log}/checkpoint").decode()
        body, _, signature = text.partition("\n\n")
        origin, size, root = body.split("\n")
        equal(origin, f"{self.url[8:]}/{log}", "origin")
        dash, name, blob = signature.rstrip("\n").split(" ")
        equal((dash, name), ("\u2014", origin), "signature line")
        blob, root = base64.b64decode(blob), base64.b64decode(root)
        log_id = hashlib.sha256(self.keys[log]).digest()
        equal(blob[:4], hashlib.sha256(origin.encode() + b"\n\x05" + log_id).digest()[:4], "key id")
        when, = struct.unpack(">Q", blob[4:12])
        return int(size), when, root, self.verified(log, blob[12:], struct.pack(">BBQQ", 0, 1, when, int(size)) + root)

    def head(self, log):
        return self.checkpoint(log) if log in self.tiled else self.sth(log)

    def leaves(self, log, size):
        return tile_leaves(self, log, size) if log in self.tiled else entries(self, log, size)


def entries(logs, log, size):
    found = []
    while len(found) < size:
        batch = logs.get_json(f"/{log}/ct/v1/get-entries?start={len(found)}&end={size - 1}")["entries"]
        check(batch, "no entries")
        found += [base64.b64decode(e["leaf_input"]) for e in batch]
    return found


def tile_path(number):
    text = f"{number % 1000:03}"
    while number >= 1000:
        number //= 1000
        text = f"x{number % 1000:03}/" + text
    return text


def tile_leaf(data, at):
    """(MerkleTreeLeaf, issuers' fingerprints, where the next begins)"""
    start, kind = at, struct.unpack(">H", data[at + 8:at + 10])[0]
    at += 10 + (32 if kind else 0)
    at += 3 + int.from_bytes(data[at:at + 3], "big")
    at += 2 + int.from_bytes(data[at:at + 2], "big")
    leaf = b"\0\0" + data[start:at]
    if kind:
        at += 3 + int.from_bytes(data[at:at + 3], "big")
    n = int.from_bytes(data[at:at + 2], "big")
    return leaf, [data[at + 2 + i:at + 34 + i] for i in range(0, n, 32)], at + 2 + n


def tile_leaves(logs, log, size):
    found = []
    while len(found) < size:
        width = min(256, size - len(found))
        path = f"/{log}/tile/data/{tile_path(len(found) // 256)}" + (f".p/{width}" if width < 256 else "")
        data, at, before = logs.get(path), 0, len(found)
        while at < len(data):
            leaf, fingerprints, at = tile_leaf(data, at)
            found.append(leaf)
        for fingerprint in fingerprints:
            equal(hashlib.sha256(logs.get(f"/{log}/issuer/{fingerprint.hex()}")).digest(), fingerprint, "issuer")
        equal(len(found) - before, width, "entries of the tile")
    return found
