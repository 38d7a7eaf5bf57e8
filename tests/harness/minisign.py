"""Keys and signatures as minisign writes them."""
import base64
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519


class Minisign:
    """An organisation's key, in minisign's form."""

    def __init__(self):
        self.key, self.id = ed25519.Ed25519PrivateKey.generate(), os.urandom(8)

    def public(self):
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return b"untrusted comment: test\n" + base64.b64encode(b"Ed" + self.id + raw) + b"\n"

    def sign(self, data):
        signature, comment = self.key.sign(data), b"of a test"
        whole = self.key.sign(signature + comment)
        return (b"untrusted comment: test\n" + base64.b64encode(b"Ed" + self.id + signature) + b"\ntrusted comment: " + comment +
                b"\n" + base64.b64encode(whole) + b"\n")
