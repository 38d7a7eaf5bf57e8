"""Certificates signed with SHA-1, which Python's cryptography no longer makes where OpenSSL's policy forbids it.

The certificate is made with SHA-256 first. Then the algorithm is replaced in both places, and the signature is computed over
the SHA-1 digest: for RSA by arithmetic (RFC 8017, 8.2.1), for ECDSA by presenting the digest as a longer one with zeros in
front, which is the same number (FIPS 186-5, 6.4.1).
"""
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
RSA_SHA1 = bytes.fromhex("300d06092a864886f70d0101050500")
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
ECDSA_SHA1 = bytes.fromhex("300906072a8648ce3d0401")
DIGEST_INFO = bytes.fromhex("3021300906052b0e03021a05000414")


def tlv(tag, body):
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def content(der):
    """What is inside the outermost tag and length."""
    return der[2 + (der[1] & 0x7f if der[1] & 0x80 else 0):]


def rsa_signature(key, digest):
    private, size = key.private_numbers(), (key.key_size + 7) // 8
    padded = b"\0\1" + b"\xff" * (size - 3 - len(DIGEST_INFO) - len(digest)) + b"\0" + DIGEST_INFO + digest
    return pow(int.from_bytes(padded, "big"), private.d, private.public_numbers.n).to_bytes(size, "big")


def signed_with_sha1(certificate, key):
    """The certificate, made with SHA-256 by the same key, under SHA-1."""
    old, new = (RSA_SHA256, RSA_SHA1) if isinstance(key, rsa.RSAPrivateKey) else (ECDSA_SHA256, ECDSA_SHA1)
    inside = content(certificate.tbs_certificate_bytes)
    assert old in inside
    tbs = tlv(0x30, inside.replace(old, new, 1))
    digest = hashlib.sha1(tbs).digest()
    if isinstance(key, rsa.RSAPrivateKey):
        signature = rsa_signature(key, digest)
    else:
        signature = key.sign(digest.rjust(hashes.SHA256.digest_size, b"\0"), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    return x509.load_der_x509_certificate(tlv(0x30, tbs + new + tlv(3, b"\0" + signature)))
