"""A server of one TLS handshake, written by hand: it shows a certificate, whether it has the key or not, and then waits.

What comes back after the Certificate message, before the server has proven possession of its key, is the client's reaction to
the certificate alone.
"""
import hashlib
import hmac
import socket
import struct
import threading

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness import net


def tlv(tag, content):
    """DER: one element."""
    n = len(content)
    size = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + content


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def spki(algorithm, key):
    return tlv(0x30, tlv(0x30, bytes.fromhex(algorithm)) + tlv(3, b"\0" + key))


def rsa_spki(modulus, exponent):
    return spki("06092a864886f70d0101010500", tlv(0x30, integer(modulus) + integer(exponent)))


def content(element):
    """Of one DER element."""
    return element[2 + (element[1] & 0x7f if element[1] & 0x80 else 0):]


def certificate_with_key(issuer, key_info, **options):
    """DER of a certificate that the issuer really signed, with this SubjectPublicKeyInfo in it."""
    key, cert = issuer.issue(**options)
    old = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    tbs = tlv(0x30, content(cert.tbs_certificate_bytes).replace(old, key_info))
    return tlv(0x30, tbs + bytes.fromhex("300a06082a8648ce3d040302") + tlv(3, b"\0" + issuer.key.sign(tbs, ECDSA(SHA256()))))


def vec(size, data):
    return len(data).to_bytes(size, "big") + data


def message(kind, body):
    return bytes([kind]) + vec(3, body)


def records(kind, data):
    return b"".join(struct.pack("!BHH", kind, 0x0303, len(part)) + part
                    for part in (data[i:i + 16384] for i in range(0, len(data), 16384)))


def expand(secret, label, context, n):
    info = struct.pack("!H", n) + vec(1, b"tls13 " + label) + vec(1, context)
    return hmac.new(secret, info + b"\1", hashlib.sha256).digest()[:n]


class ShownCertificate:
    """Listens on loopback; self.answers gets the content type of the first record of each client after the Certificate
    message (21: an alert; 23 with TLS 1.3, where it is encrypted), or None when the client sends nothing."""

    def __init__(self, t, chain, tls13, staple=b"", wants=()):
        """wants: names of CAs, in DER, one of which must have issued the client's certificate; TLS 1.3."""
        self.chain, self.tls13, self.staple, self.wants, self.answers = chain, tls13, staple, wants, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        t.defer(lambda: net.end(self.listener))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(20)
                try:
                    self.answers.append(self.handshake(plain))
                except (OSError, EOFError):
                    self.answers.append(None)

    @staticmethod
    def read(plain, n):
        data = b""
        while len(data) < n:
            more = plain.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def record(self, plain):
        kind, _, n = struct.unpack("!BHH", self.read(plain, 5))
        return kind, self.read(plain, n)

    def handshake(self, plain):
        _, hello = self.record(plain)
        plain.sendall(self.flight13(hello) if self.tls13 else self.flight12(hello))
        while True:
            kind, _ = self.record(plain)
            if kind != 20:  # change_cipher_spec of TLS 1.3's compatibility mode
                return kind

    def flight12(self, _hello):
        session = vec(1, b"")
        server = b"\3\3" + bytes(range(32)) + session + b"\xc0\x2f\0" + vec(2, bytes.fromhex("ff01000100"))
        return records(22, message(2, server) + message(11, vec(3, b"".join(vec(3, c) for c in self.chain))))

    def flight13(self, hello):
        at = 4 + 2 + 32
        session = hello[at + 1:at + 1 + hello[at]]
        place = hello.index(b"\0\x1d\0\x20", at) + 4  # the share of X25519
        mine = X25519PrivateKey.generate()
        share = mine.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        extensions = bytes.fromhex("002b00020304") + b"\0\x33" + vec(2, b"\0\x1d" + vec(2, share))
        server = message(2, b"\3\3" + bytes(range(32)) + vec(1, session) + b"\x13\x01\0" + vec(2, extensions))
        secret = self.secret(mine.exchange(X25519PublicKey.from_public_bytes(hello[place:place + 32])), hello + server)
        key, iv = AESGCM(expand(secret, b"key", b"", 16)), expand(secret, b"iv", b"", 12)
        shown = message(8, vec(2, b"")) + self.request() + message(11, b"\0" + vec(3, b"".join(map(self.entry, range(len(self.chain))))))
        out = records(22, server)
        for number, i in enumerate(range(0, len(shown), 16000)):
            part = shown[i:i + 16000] + b"\x16"
            head = struct.pack("!BHH", 23, 0x0303, len(part) + 16)
            nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
            out += head + key.encrypt(nonce, part, head)
        return out

    def request(self):
        """A CertificateRequest (RFC 8446, 4.3.2)."""
        if not self.wants:
            return b""
        names = vec(2, b"".join(vec(2, name) for name in self.wants))
        return message(13, b"\0" + vec(2, b"\0\x0d" + vec(2, vec(2, b"\4\3")) + b"\0\x2f" + vec(2, names)))

    def entry(self, i):
        """One certificate of TLS 1.3; with the first one goes the staple."""
        status = b"\0\5" + vec(2, b"\1" + vec(3, self.staple)) if self.staple and i == 0 else b""
        return vec(3, self.chain[i]) + vec(2, status)

    @staticmethod
    def secret(shared, transcript):
        """server_handshake_traffic_secret (RFC 8446, 7.1)."""
        early = hmac.new(bytes(32), bytes(32), hashlib.sha256).digest()
        derived = expand(early, b"derived", hashlib.sha256().digest(), 32)
        handshake = hmac.new(derived, shared, hashlib.sha256).digest()
        return expand(handshake, b"s hs traffic", hashlib.sha256(transcript).digest(), 32)
