"""Real chains of public resolvers, changed: every certificate of the path counts to its last byte.

  mutations.py --ctstub PROGRAM --chains FOLDER [--count N] [--seed S] [--keep DIR]

The anchor is the last certificate of a chain, and what is presented is all of the path below it, so the model is short:
a chain is accepted when every byte is as it was, or when it was signed anew, whole, below an anchor of ours and nothing
that RFC 5280 asks for was taken away.
"""
import argparse
import collections
import datetime
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

Chain = collections.namedtuple("Chain", "title host at certs")
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
EC_KEY, RSA_KEY = ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)
CLONES = [ec.generate_private_key(ec.SECP256R1()) for _ in range(4)]


def chains_in(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.chain.pem"))):
        with open(path, "rb") as f:
            blocks = re.findall(b"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", f.read(), re.DOTALL)
        certs = [x509.load_pem_x509_certificate(block) for block in blocks]
        if any(e.oid == ExtensionOID.TLS_FEATURE for e in certs[0].extensions):
            continue  # it demands a staple
        names = certs[0].extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value.get_values_for_type(x509.DNSName)
        at = certs[0].not_valid_before + datetime.timedelta(days=7)
        yield Chain(os.path.basename(path), next(n for n in names if "*" not in n), at, certs)


def pem_of(der):
    import base64
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


# ---- changed bytes: never accepted

def length_at(der, at):
    """(bytes of the length, the length) of the element at this place."""
    first = der[at + 1]
    if first < 0x80:
        return 1, first
    size = first & 0x7f
    return 1 + size, int.from_bytes(der[at + 2:at + 2 + size], "big")


def elements(der, at=0, end=None, depth=0):
    """(place, end) of every element that can be entered."""
    end = len(der) if end is None else end
    while at + 2 <= end and depth < 8:
        size, n = length_at(der, at)
        if at + 1 + size + n > end:
            return
        yield at, at + 1 + size + n
        if der[at] & 0x20:
            yield from elements(der, at + 1 + size, at + 1 + size + n, depth + 1)
        at += 1 + size + n


def flip(draw, der):
    at = draw.randrange(len(der))
    return der[:at] + bytes([der[at] ^ 1 << draw.randrange(8)]) + der[at + 1:]


def replace(draw, der):
    at = draw.randrange(len(der))
    return der[:at] + bytes([draw.randrange(256)]) + der[at + 1:]


def insert(draw, der):
    at = draw.randrange(len(der) + 1)
    return der[:at] + bytes([draw.choice((0, 0x30, draw.randrange(256)))]) + der[at:]


def remove(draw, der):
    at = draw.randrange(len(der))
    return der[:at] + der[at + 1:]


def long_length(draw, der):
    """A length in more bytes than it needs (BER)."""
    at, _ = draw.choice(list(elements(der)))
    size, n = length_at(der, at)
    return der[:at + 1] + bytes([0x80 | size]) + n.to_bytes(size, "big") + der[at + 1 + size:]


def swap(draw, der):
    (a, a_end), (b, b_end) = sorted(draw.sample(list(elements(der)), 2))
    if a_end > b:
        return der[:b] + der[b_end:]  # one inside the other: that one goes
    return der[:a] + der[b:b_end] + der[a_end:b] + der[a:a_end] + der[b_end:]


def twice(draw, der):
    at, end = draw.choice(list(elements(der)))
    return der[:end] + der[at:end] + der[end:]


BYTES = (flip, flip, flip, replace, insert, remove, long_length, swap, twice)


def wrap(tag, body):
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
    return bytes([tag]) + size + body


def signed_by_us(certificate, tbs):
    """A TBSCertificate under the algorithm that it names, by a key of ours."""
    key = RSA_KEY if b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b" in tbs[:60] else EC_KEY
    hash_of = certificate.signature_hash_algorithm
    value = key.sign(tbs, padding.PKCS1v15(), hash_of) if key is RSA_KEY else key.sign(tbs, ec.ECDSA(hash_of))
    outer = certificate.public_bytes(DER)
    inner = next(e for e in elements(outer) if e[0] > 0)  # the TBSCertificate
    algorithm = next(e for e in elements(outer) if e[0] == inner[1])
    return wrap(0x30, tbs + outer[algorithm[0]:algorithm[1]] + wrap(3, b"\0" + value))


def bytes_changed(draw, chain):
    """PEM of the path below the anchor, with one certificate changed, in its bytes or by another signer."""
    ders = [c.public_bytes(DER) for c in chain.certs[:-1]]
    at = draw.randrange(len(ders))
    before = ders[at]
    while ders[at] == before:
        if draw.random() < 0.25:
            tbs = chain.certs[at].tbs_certificate_bytes
            ders[at] = signed_by_us(chain.certs[at], draw.choice((tbs, flip(draw, tbs))))
        else:
            ders[at] = draw.choice(BYTES)(draw, before)
    return "".join(map(pem_of, ders))


# ---- signed anew, whole, below an anchor of ours

def without(oid):
    return lambda facts, at: [e for e in facts if e[0] != oid]


def instead(extension, critical):
    return lambda facts, at: [e for e in facts if e[0] != extension.oid] + [(extension.oid, extension, critical)]


UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\0")
CA_USAGE = x509.KeyUsage(False, False, False, False, False, False, True, False, False)
CHANGES = (  # what, of the leaf (0) or the CA above it (1), how, accepted?
    ("nothing", 0, lambda facts, at: facts, True),
    ("a leaf without key identifiers", 0, without(ExtensionOID.AUTHORITY_KEY_IDENTIFIER), True),
    ("a CA without key identifiers", 1, without(ExtensionOID.SUBJECT_KEY_IDENTIFIER), True),
    ("a leaf without policies", 0, without(ExtensionOID.CERTIFICATE_POLICIES), True),
    ("a leaf without purposes", 0, without(ExtensionOID.EXTENDED_KEY_USAGE), False),
    ("a leaf for clients", 0, instead(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), False), False),
    ("a leaf without names", 0, without(ExtensionOID.SUBJECT_ALTERNATIVE_NAME), False),
    ("a leaf that is a CA", 0, instead(x509.BasicConstraints(True, None), True), False),
    ("a leaf that is not known", 0, instead(UNKNOWN, True), False),
    ("a leaf that constrains", 0, instead(x509.NameConstraints([x509.DNSName("")], None), True), False),
    ("an invalid CA", 1, instead(x509.BasicConstraints(False, None), True), False),
    ("a CA without constraints", 1, without(ExtensionOID.BASIC_CONSTRAINTS), False),
    ("a CA for lists only", 1, instead(CA_USAGE, True), False),
    ("a CA for clients", 1, instead(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), False), False),
    ("a CA that is not known", 1, instead(UNKNOWN, True), False),
    ("a CA with another host", 1, instead(x509.NameConstraints([x509.DNSName("elsewhere.test")], None), True), False),
    ("a CA that excludes every host", 1, instead(x509.NameConstraints(None, [x509.DNSName("")]), True), False),
    ("a CA that demands a TLS feature which the leaf does not", 1, instead(x509.TLSFeature([x509.TLSFeatureType.status_request]), False), False),
    ("a CA that demands a policy which the leaf has not", 1, lambda facts, at: instead(x509.PolicyConstraints(0, None), True)(
        instead(x509.CertificatePolicies([x509.PolicyInformation(UNKNOWN.oid, None)]), False)(facts, at), at), False),
)


def clone(certificate, key, issuer, issuer_key, at, change):
    facts = [(e.oid, e.value, e.critical) for e in certificate.extensions
             if e.oid not in (ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.SUBJECT_KEY_IDENTIFIER)]
    builder = (x509.CertificateBuilder().subject_name(certificate.subject).issuer_name(issuer.subject).public_key(key.public_key())
               .serial_number(certificate.serial_number).not_valid_before(certificate.not_valid_before)
               .not_valid_after(certificate.not_valid_after))
    facts.append((ExtensionOID.SUBJECT_KEY_IDENTIFIER, x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
    facts.append((ExtensionOID.AUTHORITY_KEY_IDENTIFIER, x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
    for _, value, critical in change(facts, at):
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def signed_anew(chain, place, change):
    """(presented, anchor): the anchor keeps all but its key and signer."""
    certs = [clone(c, CLONES[i], chain.certs[min(i + 1, len(chain.certs) - 1)], CLONES[min(i + 1, len(chain.certs) - 1)], i,
                   change if i == place else lambda facts, at: facts) for i, c in enumerate(chain.certs)]
    return "".join(c.public_bytes(PEM).decode() for c in certs[:-1]), certs[-1].public_bytes(PEM).decode()


# ---- running

def judged(program, chain, anchor, folder):
    """file -> outcome, of a folder."""
    with open(folder + ".ca", "w") as f:
        f.write(anchor)
    done = subprocess.run([program, "verify", "--ct", "off", "--name", chain.host, "--ca", folder + ".ca", "--at", chain.at.isoformat() + "Z",
                           "--json", "--batch", folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=600, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if not lines:
        raise RuntimeError(f"{program} said nothing: {done.stderr.decode(errors='replace')[-300:]}")
    return {os.path.basename(line["file"]): line.get("outcome", "refused") for line in lines}


def compare(program, chain, anchor, wanted, base, out):
    """wanted: title -> (PEM, accepted?). How many differ."""
    folder, files = tempfile.mkdtemp(dir=base), {}
    for number, (title, (pem, accepted)) in enumerate(wanted.items()):
        with open(os.path.join(folder, f"{number}.pem"), "w") as f:
            f.write(pem)
        files[f"{number}.pem"] = title, accepted
    said = judged(program, chain, anchor, folder)
    wrong = 0
    for file, (title, accepted) in files.items():
        if said.get(file) != ("accepted" if accepted else "refused"):
            wrong += 1
            print(f"{chain.title}, {title}: {said.get(file)} ({os.path.join(folder, file)})", file=out)
    return wrong


def run(program, chains, count, seed=1, keep=None, out=sys.stdout):
    """(chains judged, differences); count changed chains, and those that are signed anew."""
    base, total, wrong = keep or tempfile.mkdtemp(prefix="ctstub-mutations-"), 0, 0
    chains = list(chains_in(chains))
    try:
        for which, chain in enumerate(chains):
            anchor = chain.certs[-1].public_bytes(PEM).decode()
            wanted = {"as it is": ("".join(c.public_bytes(PEM).decode() for c in chain.certs[:-1]), True)}
            for number in range(which, count, len(chains)):
                wanted[f"mutation {number} of seed {seed}"] = bytes_changed(random.Random(f"{seed} {number}"), chain), False
            wrong += compare(program, chain, anchor, wanted, base, out)
            total += len(wanted)
            for title, place, change, accepted in CHANGES:
                if place < len(chain.certs) - 1:
                    pem, anchor = signed_anew(chain, place, change)
                    wrong += compare(program, chain, anchor, {title: (pem, accepted)}, base, out)
                    total += 1
    finally:
        if not keep:
            shutil.rmtree(base, ignore_errors=True)
    return total, wrong


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--ctstub", required=True)
    arguments.add_argument("--chains", required=True)
    arguments.add_argument("--count", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep")
    o = arguments.parse_args()
    all_of_them, different = run(o.ctstub, o.chains, o.count, o.seed, o.keep)
    print(f"{all_of_them} chains, {different} differ")
    sys.exit(1 if different else 0)
