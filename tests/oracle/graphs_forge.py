"""Bytes for graphs.py: certificates, a configuration, and the command that judges them."""
import hashlib
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.oid import NameOID, ObjectIdentifier

from oracle.forge import KEY_USAGES, UNKNOWN, Keys, fingerprint, rfc3339, spki, when
from oracle.plan import DAY, NOW

ADDRESS = "192.0.2.1"
LIMITS = {"old only": "not-before-max 2020-01-01T00:00:00Z", "this address": f"permit-ip {ADDRESS}/32 permit-name lab.test",
          "another address": "permit-ip 198.51.100.0/24 permit-name lab.test"}


def name(letter):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Graph"), x509.NameAttribute(NameOID.COMMON_NAME, letter)])


def policy(letter):
    return ObjectIdentifier("2.5.29.32.0" if letter == "*" else f"1.3.6.1.4.1.55555.2.{letter}")


def small(tag, number):
    return bytes([tag, 1, number])


class GraphForge:
    def __init__(self):
        self.keys = Keys()

    def key(self, letter):
        return self.keys.get("p256", letter)

    def key_id(self, letter):
        return hashlib.sha1(spki(self.key(letter))).digest()  # as identifiers are made (RFC 5280, 4.2.1.2)

    def identifiers(self, facts):
        if facts["ids"] not in ("none", "no subject"):
            yield x509.SubjectKeyIdentifier(self.key_id(facts["key"])), False
        if facts["ids"] not in ("none", "no authority"):
            named = "nobody" if facts["ids"] == "wrong authority" else facts["issuer_key"]
            yield x509.AuthorityKeyIdentifier(self.key_id(named), None, None), False

    @staticmethod
    def constraints(facts):
        permitted, excluded = [], []
        for target, kind in ((permitted, "permitted"), (excluded, "excluded")):
            if f"{kind}_host" in facts:
                target.append(x509.DNSName(facts[f"{kind}_host"]))
            if f"{kind}_name" in facts:
                target.append(x509.DirectoryName(name(facts[f"{kind}_name"])))
        if permitted or excluded:
            yield x509.NameConstraints(permitted or None, excluded or None), True

    @staticmethod
    def policies(facts):
        if "policies" in facts:
            yield x509.CertificatePolicies([x509.PolicyInformation(policy(p), None) for p in facts["policies"]]), False
        if "mappings" in facts:
            body = b"".join(pair(a, b) for a, b in facts["mappings"])
            yield x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.33"), b"\x30" + bytes([len(body)]) + body), True
        if "explicit" in facts or "inhibit_mapping" in facts:
            yield x509.PolicyConstraints(facts.get("explicit"), facts.get("inhibit_mapping")), True
        if "inhibit_any" in facts:
            yield x509.InhibitAnyPolicy(facts["inhibit_any"]), True

    def extensions(self, facts):
        yield from self.identifiers(facts)
        yield from self.policies(facts)
        if facts.get("leaf"):
            yield x509.ExtendedKeyUsage([EKU.SERVER_AUTH]), False
            yield x509.SubjectAlternativeName([x509.DNSName("lab.test"), x509.IPAddress(address())]), False
            return
        yield x509.BasicConstraints(not facts.get("no_ca"), None if facts.get("no_ca") else facts.get("path_length")), True
        usage = "sign-lists" if facts.get("no_key_cert_sign") else "sign-certificates"
        yield x509.KeyUsage(*KEY_USAGES[usage]), True
        yield from self.constraints(facts)
        if facts.get("clients_only"):
            yield x509.ExtendedKeyUsage([EKU.CLIENT_AUTH]), False
        if facts.get("unknown_critical"):
            yield x509.UnrecognizedExtension(UNKNOWN, b"\x05\0"), True

    def certificate(self, facts, number):
        begin, end = NOW - 400 * DAY, NOW + 400 * DAY
        if facts.get("expired"):
            end = NOW - DAY
        elif facts.get("early"):
            begin = NOW + DAY
        builder = (x509.CertificateBuilder().subject_name(name(facts["subject"])).issuer_name(name(facts["issuer"]))
                   .public_key(self.key(facts["key"]).public_key()).serial_number(0x1000 + number)
                   .not_valid_before(when(begin)).not_valid_after(when(end)))
        for extension, critical in self.extensions(facts):
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key("nobody" if facts["forged"] else facts["issuer_key"]), hashes.SHA256())

    # ---- files

    def entry(self, made, kind, value):
        if kind == "spki":
            return f"spki-sha256 {hashlib.sha256(spki(self.key(value))).hexdigest()}"
        if kind == "cert":
            return f"cert-sha256 {fingerprint(made[value])}"
        if kind == "serial":
            return f"serial {made[value].serial_number:x} issuer {self.text(made[value].issuer)}"
        return f"issuer {self.text(name(value))}"

    @staticmethod
    def text(subject):
        return f"CN={subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value},O=Graph"

    def lay(self, graph, folder):
        """Writes the files of a graph; the arguments of ctstub."""
        os.makedirs(folder, exist_ok=True)
        made = [self.certificate(facts, number) for number, facts in enumerate(graph["certificates"])]
        pem = [c.public_bytes(serialization.Encoding.PEM).decode() for c in made]

        def write(file, text):
            path = os.path.join(folder, file)
            with open(path, "w") as out:
                out.write(text)
            return path
        chain = write("chain.pem", pem[graph["leaf"]] + "".join(pem[n] for n in graph["presented"]))
        anchors = write("anchors.pem", "".join(pem[n] for n in graph["anchors"]))
        limits = write("limits", "".join(f"cert-sha256 {fingerprint(made[n])} {LIMITS[limit]}\n" for n, limit in graph["limits"]))

        def option(key, entries):
            return f"  {key} = {{" + ", ".join(f'"{e}"' for e in entries) + "}\n"
        text = f'ct {{ mode = "off" }}\ntrust {{ anchors = "{anchors}" builtin-disallow = false constraints-file = {{"{limits}"}} }}\n'
        text += f'upstream "graph" {{ address = {{"{ADDRESS}"}}\n'
        text += option("pin", [self.entry(made, "spki", k) for k in graph["pin"]])
        text += option("allow-issuer", [self.entry(made, *e) for e in graph["allow"]])
        text += option("disallow", [self.entry(made, *e) for e in graph["disallow"]]) + "}\n"
        return ["verify", "--json", "--at", rfc3339(NOW), "-c", write("graph.conf", text), "--upstream", "graph", chain]


def address():
    import ipaddress
    return ipaddress.ip_address(ADDRESS)


def pair(a, b):
    """A PolicyMapping of two policies."""
    oids = b"".join(b"\x06\x0a" + bytes.fromhex("2b0601040183b20302") + bytes([int(p)]) for p in (a, b))
    return b"\x30" + bytes([len(oids)]) + oids
