"""What a tool writes is whole or is not written: input that is too large, and any allocation that fails."""
import base64
import errno
import hashlib
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from harness.case import case, check, equal, rows
from harness.faults import Faults
from harness.pki import Site, spki

FEED_FILE_MAX = 8 * 1024 * 1024


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def read(path):
    if not os.path.exists(path):
        return None
    with open(path, "rb") as f:
        return f.read()


def each_allocation(t, words, prepare=lambda: None):
    """Runs it once without a fault, then with each allocation failing: (which one, exit code, output). prepare: before each run."""
    faults = Faults(t)
    prepare()
    before = faults.count("allocation")
    code, out, err = t.run(*words, env=t.env(**faults.env))
    total = faults.count("allocation") - before
    equal((code, total > 0), (0, True), f"without a fault: {out}{err}")
    for k in range(1, total + 1):
        prepare()
        faults.arm("allocation", k, errno.ENOMEM)
        code, out, err = t.run(*words, env=t.env(**faults.env))
        faults.disarm()
        what = f"allocation {k} of {total}: exit code {code}, {out}{err}"
        check(code in (0, 1, 2, 3) and (out + err).strip(), what)
        yield what, code, out


# ---- a feed

class Signer:
    def __init__(self, t, *entries):
        self.t, self.feed = t, t.path("feed.txt")
        equal(t.run("ctstub-watch", "sign", "--new-key", "org")[0], 0, "a new key")
        self.words = ["ctstub-watch", "sign", "--key", t.path("org.key"), "--output", self.feed, *entries]

    def files(self):
        return read(self.feed), read(self.feed + ".minisig")

    def is_signed(self):
        """By both signatures of the format."""
        key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(read(self.t.path("org.pub")).split(b"\n")[1])[10:])
        _, first, comment, second = read(self.feed + ".minisig").split(b"\n")[:4]
        raw = base64.b64decode(first)[10:]
        try:
            key.verify(raw, read(self.feed))
            key.verify(base64.b64decode(second), raw + comment.removeprefix(b"trusted comment: "))
        except InvalidSignature:
            return False
        return True


@case("no edition is signed of files that are too large together, and the last one stays", builds=("gcc",))
def too_large(t):
    small = t.write("small.txt", "serial 01 issuer CN=x\n")
    large = [t.write(f"{name}.txt", ("# " + 997 * "-" + "\n") * (FEED_FILE_MAX // 1000 * 2 // 3) + f"serial {name} issuer CN=x\n") for name in ("0a", "0b")]
    s = Signer(t)
    for file in (small, *large):
        code, out, err = t.run(*s.words, file)
        equal(code, 0, f"{file} alone: {out}{err}")
    before = s.files()
    code, out, err = t.run(*s.words, *large, small)
    equal((code, out, err), (2, "", f"ctstub-watch sign: the entries are larger than {FEED_FILE_MAX} bytes together\n"), "what it says")
    equal(s.files() == before, True, "the last edition is there")


@case("any allocation of ctstub-watch sign fails: an edition has all entries and is signed, or there is none", builds=("gcc",))
def sign_allocations(t):
    wanted = [f"serial 0{i} issuer CN=x\n" for i in range(1, 4)]
    s = Signer(t, *(t.write(f"{i}.txt", text) for i, text in enumerate(wanted)))
    for what, code, _ in each_allocation(t, s.words):
        feed, _ = s.files()
        check(all(text.encode() in feed for text in wanted), f"{what}: {feed}")
        check(code != 0 or s.is_signed(), f"{what}: {s.files()[1]}")


@case("any allocation of a new key's making fails: both of its files are whole, or the tool fails", builds=("gcc",))
def key_allocations(t):
    def prepare():
        for name in os.listdir(t.dir):
            if name.startswith("new."):
                os.unlink(t.path(name))
    for what, code, _ in each_allocation(t, ["ctstub-watch", "sign", "--new-key", t.path("new")], prepare):
        public = read(t.path("new.pub"))
        check(public is not None or code != 0, what)
        check(public is None or (public.count(b"\n"), len(base64.b64decode(public.split(b"\n")[1]))) == (2, 42), f"{what}: {public}")


# ---- known certificates

@rows([(f"any allocation of ctstub-watch known add {' '.join(words)} fails: it gives the whole entry, or an error", words) for words in (["--file", "known.txt"], ["--print"])],
      builds=("gcc",))
def known_allocations(t, words):
    site = Site(t)
    config = t.write("c.conf", f'state-dir = ""\ntrust {{ anchors = "{site.anchors}" }}\nupstream "one" {{ address = {{"192.0.2.1"}} }}\n')
    wanted = "".join(f"{kind} {hashlib.sha256(what).hexdigest()}\n" for kind, what in (("cert-sha256", der(site.cert)), ("spki-sha256", spki(site.key))))
    for what, code, out in each_allocation(t, ["ctstub-watch", "known", "add", "-c", config, *words, site.chain], lambda: t.write("known.txt", "# mine\n")):
        text = read(t.path("known.txt")).decode()
        check(text.startswith("# mine\n") and (text == "# mine\n" or wanted in text), f"{what}: {text}")
        check(code != 0 or wanted in text + out, f"{what}: {text}")
