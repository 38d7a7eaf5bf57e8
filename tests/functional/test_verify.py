"""ctstub verify: its options, what it expects of a certificate, exit codes, JSON, folders."""
import base64
import datetime
import hashlib
import json
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from harness.case import case, check, equal, rows
from harness.patience import patient
from harness.pki import DAY, Authority, Site, log_list, pem, spki, utc_now
from harness.rawtls import content, tlv

KEYS = ["outcome", "reasons", "findings", "expected", "chain", "scts", "log_list", "at", "valid_until"]
CERT_KEYS = {"subject", "issuer", "serial", "not_before", "not_after", "sha256", "spki_sha256"}
SCT_KEYS = {"log", "operator", "log_id", "timestamp", "status", "counts"}


def judge(t, site, *options, chain=None):
    """(exit code, verdict)"""
    code, out, err = t.run("ctstub", "verify", "--json", "--ca", site.anchors, "--ct-logs", site.log_list, *options,
                           chain or site.chain)
    check(out, f"no verdict, {code}: {err}")
    return code, json.loads(out)


@case("a good chain is accepted, and its verdict has every key")
def good(t):
    site = Site(t, with_ct=True)
    code, v = judge(t, site, "--ip", "127.0.0.1", "--name", "dns.test")
    equal(code, 0, "exit code")
    check(set(KEYS) <= set(v), f"keys: {sorted(v)}")
    equal((v["outcome"], v["reasons"], v["findings"]), ("accepted", [], []), "outcome")
    equal(v["expected"], {"ip": "127.0.0.1", "name": "dns.test"}, "expected")
    equal(len(v["chain"]), 3, "certificates of the path")
    check(all(CERT_KEYS <= set(c) for c in v["chain"]), f"keys of a certificate: {v['chain'][0]}")
    equal([s["status"] for s in v["scts"]], ["valid"] * 3, "SCTs")
    check(all(SCT_KEYS <= set(s) for s in v["scts"]), f"keys of an SCT: {v['scts'][0]}")
    equal(v["log_list"]["age_days"], 0, "age of the list")


@rows([
    ("another address is refused", ["--ip", "127.0.0.2"], ["ip-mismatch"]),
    ("the IPv6 address of the same certificate is accepted", ["--ip", "::1"], []),
    ("a name alone is accepted", ["--name", "dns.test"], []),
    ("a name in capitals with its dot is the same name", ["--name", "DNS.Test."], []),
    ("another name is refused, although the address matches", ["--ip", "127.0.0.1", "--name", "other.test"], ["name-mismatch"]),
    ("a clock before notBefore", ["--ip", "127.0.0.1", "--at", "2020-01-01T00:00:00Z"], ["not-yet-valid"]),
    ("a clock of before 1970", ["--ip", "127.0.0.1", "--at", "1960-01-01T00:00:00Z"], ["not-yet-valid"]),
    ("a clock of the year 1", ["--ip", "127.0.0.1", "--at", "0001-01-01T00:00:00Z"], ["not-yet-valid"]),
    ("a clock long after notAfter", ["--ip", "127.0.0.1", "--at", "2093-01-01T00:00:00+02:00"], ["expired"]),
])
def expectations(t, options, reasons):
    site = Site(t, with_ct=True)
    code, v = judge(t, site, *options)
    if reasons:
        check(v["reasons"][0] in reasons and "clock-not-set" not in v["reasons"], f"reasons: {v['reasons']}")
    else:
        equal(v["reasons"], [], "reasons")
    equal(code, 1 if reasons else 0, "exit code")


@rows([
    ("a certificate without SCTs is refused", [], 1, ["ct-no-scts"], None),
    ("--ct off does not check SCTs", ["--ct", "off"], 0, [], None),
    ("--ct report reports and does not refuse", ["--ct", "report"], 0, [], "ct-no-scts"),
])
def modes(t, options, code, reasons, finding):
    have, v = judge(t, Site(t), "--ip", "127.0.0.1", *options)
    equal((have, v["reasons"]), (code, reasons), "exit code and reasons")
    if finding:
        equal([(f["reason"], f["enforced"]) for f in v["findings"]], [(finding, False)], "findings")


@case("a disallow file refuses a certificate by serial and issuer, and may be given twice")
def disallow(t):
    site = Site(t, with_ct=True)
    entry = t.write("list", f"# ours\nserial {site.cert.serial_number:x} issuer {site.cert.issuer.rfc4514_string()}\n")
    empty = t.write("empty", "")
    code, v = judge(t, site, "--ip", "127.0.0.1", "--disallow", empty, "--disallow", entry)
    equal((code, v["reasons"]), (1, ["disallowed"]), "exit code and reasons")


@case("an old list is a warning with when-stale enforce, and refuses with refuse")
def stale(t):
    site = Site(t, with_ct=True)
    old = t.write("old.json", log_list(site.logs, utc_now() - 71 * DAY))
    body = f'trust {{ anchors = "{site.anchors}" }} ct {{ log-list = "{old}" when-stale = "%s" }}\n' \
           'upstream "u" { address = {"127.0.0.1"} }'
    for word, code, reasons in (("enforce", 0, []), ("refuse", 1, ["ct-list-stale"])):
        config = t.write(f"{word}.conf", body % word)
        have, out, _ = t.run("ctstub", "verify", "--json", "-c", config, site.chain)
        v = json.loads(out)
        equal((have, v["reasons"]), (code, reasons), word)
        equal([f["reason"] for f in v["findings"]], ["ct-list-stale"], word)


def two_upstreams(t, site):
    return t.write("two.conf", f'trust {{ anchors = "{site.anchors}" }} ct {{ log-list = "{site.log_list}" }}\n'
                   'upstream "a" { address = {"127.0.0.1"} ct = "off" }\n'
                   'upstream "b" { address = {"192.0.2.1", "192.0.2.2"} name = "dns.test" client-cert = "/none" client-key = "/none" }\n')


@rows([
    ("several upstreams and neither --upstream nor --ip are a usage error", [], 2, None),
    ("--upstream expects the upstream's first address", ["--upstream", "b"], 1, {"ip": "192.0.2.1", "name": "dns.test"}),
    ("an unknown upstream is a usage error", ["--upstream", "c"], 2, None),
    ("--ip finds the upstream that has the address", ["--ip", "192.0.2.2"], 1, {"ip": "192.0.2.2", "name": "dns.test"}),
    ("--ip finds the rules of its upstream", ["--ip", "127.0.0.1"], 0, {"ip": "127.0.0.1", "name": None}),
    ("an --ip of no upstream is judged by the global rules", ["--ip", "::1"], 1, {"ip": "::1", "name": None}),
])
def whose(t, options, code, expected):
    site = Site(t)
    have, out, _ = t.run("ctstub", "verify", "--json", "-c", two_upstreams(t, site), *options, site.chain)
    equal(have, code, "exit code")
    if expected:
        equal(json.loads(out)["expected"], expected, "expected")
    else:
        check(json.loads(out)["error"], "the failure as JSON")


PIN = f'pin = {{"spki-sha256 {"00" * 32}"}}'
TWO = 'upstream "a" {{ address = {{"127.0.0.1"}} ct = "off" {} }}\nupstream "b" {{ address = {{"127.0.0.1", "192.0.2.1"}} ct = "off" {} }}\n'


@rows([
    ("a pin of one", "", PIN, (2, 0, 1)),
    ("a name of one", 'name = "other.test"', "", (2, 1, 0)),
    ("another mode of CT", "", 'ct-policy = "mozilla"', (2, 0, 0)),
    ("another connection", 'port = 8853 trust-ad = false', 'protocol = "doh" path = "/q" method = "get"', (0, 0, 0)),
    ("a pin of both", PIN, PIN, (1, 1, 1)),
], builds=("gcc",))
def same_address(t, first, second, want):
    """Two upstreams of one address, judged by --ip, --upstream a and --upstream b."""
    site = Site(t)
    config = t.write("c.conf", f'trust {{ anchors = "{site.anchors}" }}\n' + TWO.format(first, second))
    options = (["--ip", "127.0.0.1"], ["--upstream", "a"], ["--upstream", "b", "--ip", "127.0.0.1"])
    results = [t.run("ctstub", "verify", "-c", config, *words, site.chain) for words in options]
    equal(tuple(code for code, _, _ in results), want, f"exit codes: {results}")
    complaint = 'ctstub verify: upstreams "a" and "b" both have the address 127.0.0.1, with different rules: --upstream was expected'
    equal(complaint in results[0][2], want[0] == 2, results[0][2])


@case("a wrong value of an option of the command line is not reported at a line of the configuration")
def whose_mistake(t):
    site = Site(t)
    config = t.write("conf", f'\ntrust {{ anchors = "{site.anchors}" }} ct {{ log-list = "{site.log_list}" }}\n'
                     'upstream "one" { address = {"127.0.0.1"} }\n')
    for option, word in (("--ca", "anchors"), ("--ct-logs", "log-list")):
        code, _, err = t.run("ctstub", "verify", "-c", config, option, "/nonexistent/file", site.chain)
        check(code == 2 and "/nonexistent/file" in err and word in err and f"{config}:" not in err, f"{option}: {code}, {err}")


@case("verify judges for the only upstream of a configuration")
def only_one(t):
    site = Site(t)
    config = t.write("c.conf", f'trust {{ anchors = "{site.anchors}" }} upstream "a" {{ address = {{"127.0.0.1"}} ct = "off" }}')
    equal(t.run("ctstub", "verify", "-c", config, site.chain)[0], 0, "exit code")


@rows([
    ("neither address nor name nor upstream", ["CHAIN"], 2),
    ("no chain", ["--ip", "127.0.0.1"], 2),
    ("two chains", ["--ip", "127.0.0.1", "CHAIN", "CHAIN"], 2),
    ("an invalid address", ["--ip", "localhost", "CHAIN"], 2),
    ("an invalid time", ["--ip", "127.0.0.1", "--at", "yesterday", "CHAIN"], 2),
    ("an unknown mode", ["--ip", "127.0.0.1", "--ct", "maybe", "CHAIN"], 2),
    ("an unknown policy", ["--ip", "127.0.0.1", "--ct-policy", "safari", "CHAIN"], 2),
    ("no mode", ["--ip", "127.0.0.1", "--ct", "", "CHAIN"], 2, "--ct: a value was expected\n"),
    ("no policy", ["--ip", "127.0.0.1", "--ct-policy", "", "CHAIN"], 2, "--ct-policy: a value was expected\n"),
    ("no list of CT logs", ["--ip", "127.0.0.1", "--ct-logs", "", "CHAIN"], 2, "--ct-logs: a value was expected\n"),
    ("an unknown option", ["--nope", "CHAIN"], 2),
    ("anchors that do not exist", ["--ip", "127.0.0.1", "--ca", "/nowhere", "CHAIN"], 2),
    ("a configuration that does not exist", ["-c", "/nowhere", "--ip", "127.0.0.1", "CHAIN"], 2),
    ("a disallow file with an error", ["--ip", "127.0.0.1", "--disallow", "CHAIN", "CHAIN"], 2),
    ("a log list with an error", ["--ip", "127.0.0.1", "--ct-logs", "CHAIN", "CHAIN"], 2),
    ("a chain that does not exist gives exit code 3", ["--ip", "127.0.0.1", "/nowhere"], 3),
    ("an OCSP response that does not exist gives exit code 3", ["--ip", "127.0.0.1", "--ca", "ANCHORS", "--ocsp", "/nowhere", "CHAIN"], 3),
])
def wrong_use(t, options, code, says=""):
    site = Site(t)
    words = {"CHAIN": site.chain, "ANCHORS": site.anchors}
    have, out, err = t.run("ctstub", "verify", *[words.get(o, o) for o in options])
    equal(have, code, f"exit code ({err})")
    check(err and says in err and not out, f"the complaint belongs on standard error: {err}")


@rows([
    ("an empty file with --ocsp is a usage error", b""),
    ("an empty PEM block with --ocsp is a usage error", b"-----BEGIN OCSP RESPONSE-----\n-----END OCSP RESPONSE-----\n"),
])
def ocsp_file_that_holds_no_response_is_an_error(t, content):
    site = Site(t)
    have, out, err = t.run("ctstub", "verify", "--ip", "127.0.0.1", "--ca", site.anchors, "--ct", "off", site.chain)
    equal(have, 0, f"exit code without the option ({err})")
    have, out, err = t.run("ctstub", "verify", "--ip", "127.0.0.1", "--ca", site.anchors, "--ct", "off", "--ocsp",
                           t.write("staple", content), site.chain)
    equal(have, 2, f"exit code ({err})")
    check("empty, an OCSP response was expected" in err and not out, err)


@rows([
    ("a file without certificates is refused", b"nothing here\n", "chain-empty"),
    ("a truncated certificate is refused", b"-----BEGIN CERTIFICATE-----\nMIIB\n", "cert-malformed"),
    ("a certificate that is not base64 is refused", b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "cert-malformed"),
    ("a certificate that is not DER is refused", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cert-malformed"),
])
def not_a_chain(t, content, reason):
    code, v = judge(t, Site(t), "--ip", "127.0.0.1", chain=t.write("bad.pem", content))
    equal((code, v["outcome"], v["reasons"][0]), (1, "refused", reason), "exit code, outcome and reason")


@case("a chain of a hundred certificates is refused for its length")
def too_long(t):
    site = Site(t)
    with open(site.chain, "rb") as f:
        many = t.write("many.pem", f.read() * 50)
    code, v = judge(t, site, "--ip", "127.0.0.1", chain=many)
    equal((code, v["reasons"][0]), (1, "chain-too-long"), "exit code and reason")


@case("verify reads standard input for -, and prints text by default")
def standard_input(t):
    site = Site(t, with_ct=True)
    with open(site.chain, "rb") as f:
        code, out, _ = t.run("ctstub", "verify", "--ca", site.anchors, "--ct-logs", site.log_list, "--ip", "127.0.0.1", "-",
                             stdin=f.read())
    equal(code, 0, "exit code")
    check("accepted" in out and "3 of 3" in out, f"output: {out}")
    check("\033" not in out, "colours without a terminal")


@rows([
    ("the finding names a missing issuer by the certificate that it issued", 1, "site", ["--ip", "127.0.0.1"],
     "no path to a trust anchor: the issuer of CN=Test Server,O=Test,C=XX was not sent"),
    ("the finding names a missing root by the CA below it", 2, "other", ["--ip", "127.0.0.1"],
     "no path to a trust anchor: the issuer of CN=Intermediate of site,O=Test,C=XX was not sent"),
    ("the root is sent, and is not an anchor", 3, "other", ["--ip", "127.0.0.1"],
     "no path to a trust anchor: CN=Root of site,O=Test,C=XX is not one of them"),
    ("the finding shows the names and addresses of the certificate", 2, "site", ["--ip", "127.0.0.2"],
     "does not bear the address 127.0.0.2; it bears 127.0.0.1, ::1, dns.test"),
    ("the finding for a name mismatch shows them too", 2, "site", ["--name", "other.test"],
     "does not bear the name other.test; it bears 127.0.0.1, ::1, dns.test"),
])
def told(t, n, anchors, options, text):
    site, other = Site(t), Site(t, prefix="other")
    sent = t.write("sent.pem", b"".join(pem(c) for c in [site.cert, site.intermediate.cert, site.root.cert][:n]))
    code, out, _ = t.run("ctstub", "verify", "--ca", site.anchors if anchors == "site" else other.anchors, "--ct", "off",
                         *options, sent)
    equal(code, 1, "exit code")
    check(text in out, f"output: {out}")


@rows([(f"without a path: {what}", *more) for what, *more in [
    ("nothing else is wrong", lambda s: [], ["untrusted"]),
    ("a pin of another key is not judged", lambda s: ["--pin", "spki-sha256 " + 64 * "7"], ["untrusted"]),
    ("another allowed issuer is not judged", lambda s: ["--allow-issuer", "spki-sha256 " + 64 * "7"], ["untrusted"]),
    ("a serial that an entry names is refused", lambda s: [f"serial {s.cert.serial_number:x} issuer CN=Intermediate of site,O=Test,C=XX"], ["untrusted", "disallowed"]),
    ("a CA that an entry names is refused", lambda s: [f"cert-sha256 {s.intermediate.cert.fingerprint(hashes.SHA256()).hex()}"], ["untrusted", "disallowed"]),
    ("a key that an entry names is refused, as nothing shows that it is in no path", lambda s: [f"spki-sha256 {hashlib.sha256(spki(s.intermediate.cert)).hexdigest()}"],
     ["untrusted", "disallowed"]),
    ("an issuer that an entry names is refused, as nothing shows that it is in no path", lambda s: ["issuer CN=Root of site,O=Test,C=XX"], ["untrusted", "disallowed"]),
    ("an entry for a key that was not presented", lambda s: [f"spki-sha256 {hashlib.sha256(spki(s.root.cert)).hexdigest()}"], ["untrusted"]),
    ("another address is refused", lambda s: ["--ip", "127.0.0.9"], ["untrusted", "ip-mismatch"]),
]])
def without_path(t, options, reasons):
    """A chain to a root that is no anchor."""
    site, other = Site(t), Site(t, prefix="other")
    options = options(site)
    if options and not options[0].startswith("--"):
        options = ["--disallow", t.write("entries", options[0] + "\n")]
    code, out, err = t.run("ctstub", "verify", "--json", "--ca", other.anchors, "--ct", "off", *([] if "--ip" in options else ["--ip", "127.0.0.1"]),
                           *options, site.chain)
    equal((code, out and json.loads(out)["reasons"]), (1, reasons), f"exit code and reasons; {err}")


@case("verify --batch prints a line of JSON per file, sorted, and exits with the worst code")
def batch(t):
    site = Site(t, with_ct=True)
    with open(site.chain, "rb") as f:
        chain = f.read()
    t.write("chains/20.pem", chain)
    t.write("chains/10.pem", b"")
    t.write("chains/.hidden", b"")
    os.mkdir(t.path("chains/folder"))
    options = ["verify", "--ca", site.anchors, "--ct-logs", site.log_list, "--ip", "127.0.0.1", "--batch", t.path("chains")]
    code, out, _ = t.run("ctstub", *options)
    lines = [json.loads(line) for line in out.splitlines()]
    equal([(v["file"], v["outcome"]) for v in lines], [("10.pem", "refused"), ("20.pem", "accepted")], "files")
    check(set(KEYS) <= set(lines[1]), f"keys: {sorted(lines[1])}")
    equal(code, 1, "exit code")
    os.symlink("/nowhere", t.path("chains/30.pem"))
    code, out, err = t.run("ctstub", *options)
    says = f"cannot read {t.path('chains/30.pem')}: No such file or directory"
    equal((code, json.loads(out.splitlines()[2]), f"ctstub verify: {says}" in err.splitlines()), (3, {"file": "30.pem", "error": says}, True),
          "exit code, line and complaint of a file that cannot be read")


@case("a chain is refused when the constraints file distrusts its anchor")
def constraints(t):
    site = Site(t, with_ct=True)
    fingerprint = site.root.cert.fingerprint(hashes.SHA256()).hex()
    for limit, text in (
            ("not-before-max 2020-01-01T00:00:00Z", "valid from no later than 2020-01-01T00:00:00Z (not-before-max, our team, 2026-11-01)"),
            ("sct-not-after 2020-01-01T00:00:00Z", "logged until 2020-01-01T00:00:00Z (sct-not-after, our team, 2026-11-01)"),
            ("distrusted-since 2020-01-01T00:00:00Z", "since 2020-01-01T00:00:00Z (distrusted-since, our team, 2026-11-01)"),
            ("permit-name other.test permit-ip 0.0.0.0/0 permit-ip ::/0", "a name of the certificate (permit-name, our team, 2026-11-01)"),
            ("permit-name dns.test", "an address of the certificate (permit-ip, our team, 2026-11-01)")):
        file = t.write("constraints", f'cert-sha256 {fingerprint} source "our team, 2026-11-01" {limit}\n')
        code, v = judge(t, site, "--ip", "127.0.0.1", "--constraints", file)
        equal((code, v["reasons"][0]), (1, "anchor-distrusted"), "exit code and reasons")
        check(text in v["findings"][0]["text"] and "CN=" in v["findings"][0]["text"], f"{limit}: {v['findings']}")
    file = t.write("constraints", f"# by hand\ncert-sha256 {fingerprint} distrusted-since 2020-01-01T00:00:00Z\n")
    _, v = judge(t, site, "--ip", "127.0.0.1", "--constraints", file)
    check(f"(distrusted-since, {file}:2)" in v["findings"][0]["text"], f"a limit without a source: {v['findings']}")
    file = t.write("constraints", f"cert-sha256 {fingerprint} distrusted-since 2093-01-01T00:00:00Z\n")
    equal(judge(t, site, "--ip", "127.0.0.1", "--constraints", file)[0], 0, "a limit to come")


def key_hash(certificate):
    return hashlib.sha256(spki(certificate)).hexdigest()


PASTED = [
    ("lower case", lambda h: h),
    ("upper case with colons", lambda h: ":".join(h[i:i + 2] for i in range(0, 64, 2)).upper()),
    ("lower case with spaces", lambda h: " ".join(h[i:i + 2] for i in range(0, 64, 2))),
    ("hyphens", lambda h: "-".join(h[i:i + 2] for i in range(0, 64, 2))),
    ("0x in front", lambda h: "0x" + h),
]


@rows([(f"every option accepts hashes in this form: {what}", form) for what, form in PASTED])
def pasted(t, form):
    site = Site(t, with_ct=True)
    key, cert = form(key_hash(site.root.cert)), form(site.root.cert.fingerprint(hashes.SHA256()).hex())
    for what, options, reason in (
            ("--pin", ["--pin", key], None),
            ("--pin with its kind", ["--pin", f"spki-sha256 {key}"], None),
            ("--allow-issuer, a key", ["--allow-issuer", key], None),
            ("--allow-issuer, a certificate", ["--allow-issuer", cert], None),
            ("--disallow, a certificate", ["--disallow", t.write("d", f"cert-sha256 {cert}  # ours\n")], "disallowed"),
            ("--disallow, a key", ["--disallow", t.write("d", f"spki-sha256 {key}\n")], "disallowed"),
            ("--constraints", ["--constraints", t.write("c", f"spki-sha256 {key} distrusted-since 2020-01-01T00:00:00Z\n")],
             "anchor-distrusted")):
        code, v = judge(t, site, "--ip", "127.0.0.1", *options)
        equal((code, v["reasons"]), (1, [reason]) if reason else (0, []), what)
    config = t.write("pin.conf", f'trust {{ anchors = "{site.anchors}" }} ct {{ log-list = "{site.log_list}" }}\n'
                     f'upstream "u" {{ address = {{"127.0.0.1"}} pin = {{"spki-sha256 {key}"}} allow-issuer = {{"cert-sha256 {cert}"}} }}')
    equal(t.run("ctstub", "verify", "-c", config, site.chain)[0], 0, "pin and allow-issuer of a configuration")


@rows([
    ("a pin that no key of the path meets", ["--pin", "00" * 32], 1, ["pin-mismatch"]),
    ("one matching pin of two is enough", ["--pin", "00" * 32, "--pin", "KEY"], 0, []),
    ("an issuer that no CA of the path meets", ["--allow-issuer", "00" * 32], 1, ["issuer-not-allowed"]),
    ("the anchor's name is allowed", ["--allow-issuer", "issuer NAME"], 0, []),
    ("another name is not allowed", ["--allow-issuer", "issuer CN=Nobody"], 1, ["issuer-not-allowed"]),
    ("the leaf's certificate does not count as an issuer", ["--allow-issuer", "LEAF"], 1, ["issuer-not-allowed"]),
    ("a pin that is too short", ["--pin", "00" * 31], 2, None),
    ("a pin that is not hex", ["--pin", "spki-sha256 nothing"], 2, None),
    ("a certificate's hash is not a pin", ["--pin", "cert-sha256 " + "00" * 32], 2, None),
    ("an issuer that is not an entry", ["--allow-issuer", "Fina"], 2, None),
    ("an issuer with an unreadable name", ["--allow-issuer", "issuer Fina"], 2, None),
    ("an invalid mode", ["--ct", "maybe"], 2, None),
])
def rules(t, options, code, reasons):
    site = Site(t, with_ct=True)
    words = {"KEY": key_hash(site.root.cert), "LEAF": site.cert.fingerprint(hashes.SHA256()).hex(),
             "issuer NAME": "issuer " + site.root.cert.subject.rfc4514_string()}
    have, v = judge(t, site, "--ip", "127.0.0.1", *[words.get(o, o) for o in options])
    equal((have, v.get("reasons")), (code, reasons), "exit code and reasons")
    check(code != 2 or (v["error"] and v["errors"][0] == v["error"]), f"the failure as JSON: {v}")


@case("pins and issuers on the command line replace those of the configuration")
def rules_replace(t):
    site = Site(t, with_ct=True)
    config = t.write("c.conf", f'trust {{ anchors = "{site.anchors}" }} ct {{ log-list = "{site.log_list}" }}\n'
                     f'upstream "u" {{ address = {{"127.0.0.1"}} pin = {{"spki-sha256 {"00" * 32}"}} allow-issuer = {{"issuer CN=Nobody"}} }}')
    equal(t.run("ctstub", "verify", "-c", config, site.chain)[0], 1, "as configured")
    key = key_hash(site.root.cert)
    equal(t.run("ctstub", "verify", "-c", config, "--pin", key, site.chain)[0], 1, "the issuer stays")
    equal(t.run("ctstub", "verify", "-c", config, "--pin", key, "--allow-issuer", key, site.chain)[0], 0, "both replaced")


@rows([
    ("an expired path shows until when it was valid", "2093-01-01T00:00:00Z", "expired", "valid until", True),
    ("a path that is not valid yet shows from when it will be", "2001-01-01T00:00:00Z", "not-yet-valid", "valid from", True),
    ("an expired certificate without a path shows its dates", "2093-01-01T00:00:00Z", "expired", "valid until", False),
    ("a certificate not yet valid without a path shows its dates", "2001-01-01T00:00:00Z", "not-yet-valid", "valid from", False),
])
def dates_told(t, at, reason, words, anchored):
    site, other = Site(t, with_ct=True), Site(t, prefix="other")
    trusted = (site if anchored else other).anchors
    code, out, _ = t.run("ctstub", "verify", "--json", "--ca", trusted, "--ct-logs", site.log_list, "--ip", "127.0.0.1", "--at", at, site.chain)
    texts = [f["text"] for f in json.loads(out)["findings"] if f["reason"] == reason]
    date = site.cert.not_valid_after if reason == "expired" else site.cert.not_valid_before
    then = datetime.datetime.fromisoformat(at.replace("Z", ""))
    days = abs(then - date.replace(tzinfo=None)).days
    told = f"{words} {date:%Y-%m-%dT%H:%M:%SZ}, " + (f"{days} days ago" if reason == "expired" else f"in {days} days")
    check(code == 1 and any(told in text for text in texts), f"{code} {told}: {texts}")


@rows([("a day after its end", datetime.timedelta(days=1, seconds=5), ", 1 day ago"), ("an hour after its end", datetime.timedelta(hours=1), None),
       ("two days after its end", datetime.timedelta(days=2, seconds=5), ", 2 days ago")])
def days_since(t, after, want):
    site = Site(t, with_ct=True)
    at = site.cert.not_valid_after + after
    code, out, _ = t.run("ctstub", "verify", "--json", "--ca", site.anchors, "--ct-logs", site.log_list, "--ip", "127.0.0.1", "--at", f"{at:%Y-%m-%dT%H:%M:%SZ}", site.chain)
    texts = [f["text"] for f in json.loads(out)["findings"] if f["reason"] == "expired"]
    check(texts and (texts[0].endswith(want) if want else texts[0].endswith("Z")), texts)


@case("text output has the hashes and notAfter of each certificate of the path, in the form of entries")
def hashes_shown(t):
    site = Site(t, with_ct=True)
    code, out, _ = t.run("ctstub", "verify", "--ca", site.anchors, "--ct-logs", site.log_list, "--ip", "127.0.0.1", site.chain)
    lines = [line.strip() for line in out.splitlines()]
    for certificate in (site.cert, site.root.cert):
        check("cert-sha256 " + certificate.fingerprint(hashes.SHA256()).hex() in lines, f"no fingerprint: {out}")
        check("spki-sha256 " + key_hash(certificate) in lines, f"no key hash: {out}")
        check(certificate.not_valid_after.strftime("expires %Y-%m-%dT%H:%M:%SZ") in out, f"no end: {out}")
    for line in lines:  # each line is an entry that refuses the chain
        if line.startswith(("cert-sha256 ", "spki-sha256 ")):
            equal(judge(t, site, "--ip", "127.0.0.1", "--disallow", t.write("d", line))[1]["reasons"], ["disallowed"], line)


@case("concatenated DER certificates are read as a chain")
def der(t):
    site = Site(t, with_ct=True)
    with open(site.chain, "rb") as f:
        blocks = f.read().split(b"-----END CERTIFICATE-----")[:-1]
    ders = [base64.b64decode(b"".join(block.split(b"-----BEGIN CERTIFICATE-----")[1].split())) for block in blocks]
    equal(judge(t, site, "--ip", "127.0.0.1", chain=t.write("chain.der", b"".join(ders)))[0], 0, "exit code")
    code, v = judge(t, site, "--ip", "127.0.0.1", chain=t.write("cut.der", b"".join(ders)[:-1]))
    equal((code, v["reasons"]), (1, ["chain-empty"]), "cut")


SEQUENCE, KEY_INFO = b"\x30", b"\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00"


def der_of(*parts):
    body = b"".join(parts)
    return SEQUENCE + bytes([len(body)]) + body


def pem_of(label):
    return f"-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n".encode()


@rows([
    ("a file of text", b"hello\n", "it is text without PEM"),
    ("nothing", b"", "it is empty"),
    ("white space", b"\n", "it is text without PEM"),
    ("zeros", bytes(100), "it is neither text nor DER, or it was cut"),
    ("text in UTF-16", "-----BEGIN CERTIFICATE-----\n".encode("utf-16"), "it is text in UTF-16; convert it to UTF-8 first"),
    ("a ZIP archive", b"PK\x03\x04\x14", "it is a ZIP archive; unpack it first"),
    ("a file of gzip", b"\x1f\x8b\x08", "it is compressed with gzip; decompress it first"),
    ("a private key", pem_of("PRIVATE KEY"), "it holds a private key"),
    ("an RSA key", pem_of("RSA PRIVATE KEY"), "it holds a private key"),
    ("a key of a curve", pem_of("EC PRIVATE KEY"), "it holds a private key"),
    ("a public key", pem_of("PUBLIC KEY"), "it holds a public key"),
    ("a certificate request", pem_of("CERTIFICATE REQUEST"), "it holds a certificate request"),
    ("a revocation list", pem_of("X509 CRL"), "it holds a certificate revocation list"),
    ("a bundle", pem_of("PKCS7"), "it holds a PKCS #7 bundle (`openssl pkcs7 -print_certs` unpacks it)"),
    ("PEM of another kind", pem_of("DH PARAMETERS"), 'it holds PEM of another kind, "DH PARAMETERS"'),
    ("a cut certificate in DER", b"\x30\x82\x01\x00\x30", "it is neither text nor DER, or it was cut"),
])
def no_certificate(t, content, kind):
    file = t.write("file", content)
    says = f"ctstub verify: {file} holds no certificate: PEM (-----BEGIN CERTIFICATE-----) or DER was expected, and {kind}\n"
    code, out, err = t.run("ctstub", "verify", "--name", "a.test", "--json", file)
    equal((code, json.loads(out)["reasons"], err), (1, ["chain-empty"], says), "with --json")
    code, out, err = t.run("ctstub", "verify", "--name", "a.test", file)
    check((code, err) == (1, says) and "chain-empty" in out, f"{code} {out} {err}")


INTEGER_0, INTEGER_3, OID, NAME = b"\x02\x01\x00", b"\x02\x01\x03", b"\x06\x01\x2a", b"\x31\x00"


@rows([
    ("a private key in DER (PKCS #8)", der_of(INTEGER_0, KEY_INFO, b"\x04\x00"), "it holds a private key"),
    ("a private key in DER (PKCS #1)", der_of(INTEGER_0, INTEGER_3), "it holds a private key"),
    ("a bundle in DER (PKCS #12)", der_of(INTEGER_3, der_of(OID)), "it holds a PKCS #12 bundle (`openssl pkcs12` unpacks it)"),
    ("a bundle in DER (PKCS #7)", der_of(OID), "it holds a PKCS #7 bundle (`openssl pkcs7 -print_certs` unpacks it)"),
    ("a public key in DER", der_of(KEY_INFO, b"\x03\x01\x00"), "it holds a public key"),
    ("a certificate request in DER", der_of(der_of(INTEGER_0, der_of(NAME))), "it holds a certificate request"),
    ("an OCSP response in DER", der_of(b"\x0a\x01\x00"), "it is DER of something else"),
    ("a certificate in PEM without its end", b"x\n-----BEGIN CERTIFICATE-----\nMAA=\n", "the certificate that begins in line 2 has no end, or is not base64"),
    ("a certificate in PEM that is not base64", b"-----BEGIN CERTIFICATE-----\n@@\n-----END CERTIFICATE-----\n",
     "the certificate that begins in line 1 has no end, or is not base64"),
])
def wrong_file(t, content, kind):
    file = t.write("file", content)
    code, out, err = t.run("ctstub", "verify", "--name", "a.test", "--json", file)
    equal((code, json.loads(out)["reasons"], err), (1, ["cert-malformed"], f"ctstub verify: {file}: {kind}\n"), "the reasons, and what the file is")


@case("a damaged certificate in DER is not called another kind of file")
def damaged(t):
    file = t.write("file", der_of(der_of(INTEGER_0, der_of(OID))))
    code, out, err = t.run("ctstub", "verify", "--name", "a.test", "--json", file)
    equal((code, json.loads(out)["reasons"], err), (1, ["cert-malformed"], ""), "the reasons, and no guess")


@case("a folder in place of a chain is reported as a folder, with the option that takes folders")
def folder(t):
    code, out, err = t.run("ctstub", "verify", "--name", "a.test", t.dir)
    equal((code, out, err), (3, "", f"ctstub verify: cannot read {t.dir}: Is a directory (--batch verifies the files in a folder)\n"), "the message")


@rows([
    ("a file that does not exist", ["--name", "a.test", "/nowhere"], 3), ("no expectation", ["/dev/null"], 2),
    ("with --json as well: an unknown option", ["--bogus", "/dev/null"], 2), ("with --json as well: no file", ["--name", "a.test"], 2),
    ("a list that does not exist", ["--name", "a.test", "--ct-logs", "/nowhere", "/dev/null"], 2),
    ("with --json as well: an invalid address", ["--ip", "1.1.1", "/dev/null"], 2), ("with --json as well: an invalid time", ["--at", "today", "/dev/null"], 2),
    ("with --json as well: a configuration that does not exist", ["-c", "/nowhere", "/dev/null"], 2),
])
def failures(t, words, want):
    code, out, err = t.run("ctstub", "verify", "--json", *words)
    equal(code, want, "exit code")
    check(json.loads(out)["errors"] and err, f"{out} {err}")
    code, out, _ = t.run("ctstub", "verify", *words)
    equal((code, out), (want, ""), "without --json")


def real_chains(t):
    """(file, a name in it, a time in the first days of it) of the resolvers' real chains."""
    folder = os.path.join(t.src, "tests", "data", "vectors", "resolvers")
    for file in sorted(os.listdir(folder)):
        if file.endswith(".chain.pem"):
            with open(os.path.join(folder, file), "rb") as f:
                leaf = x509.load_pem_x509_certificate(f.read().split(b"-----END")[0] + b"-----END CERTIFICATE-----\n")
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
            yield os.path.join(folder, file), names[0].replace("*", "any"), leaf.not_valid_before + 3 * DAY


@case("real chains of the default upstreams, of 2021 to 2025, are accepted at their time")
def real(t):
    seen = 0
    for file, name, at in real_chains(t):
        code, out, err = t.run("ctstub", "verify", "--json", "--name", name, "--at", at.strftime("%Y-%m-%dT%H:%M:%SZ"), file)
        v = json.loads(out)
        want = ["staple-missing"] if "nextdns" in file else []  # it demands one, and none was stored
        equal((v["reasons"], code), (want, 1 if want else 0), file)
        check(sum(s["counts"] for s in v["scts"]) >= 2, f"{file}: {v['scts']}")
        seen += 1
    check(seen >= 9, f"{seen} chains")


@case("the same chains a year after they expired: expired, and ct-no-current-log")
def real_later(t):
    for file, name, at in real_chains(t):
        code, out, err = t.run("ctstub", "verify", "--json", "--name", name, "--at", f"{at.year + 2}-06-01T00:00:00Z", file)
        v = json.loads(out)
        check("expired" in v["reasons"] and code == 1, f"{file}: {v['reasons']}")
        check("unknown-log" not in [s["status"] for s in v["scts"]], f"{file}: {v['scts']}")


@rows([("an RSA signature whose algorithm has no parameters is one like any other (RFC 4055, 5)", b"", []),
       ("an RSA signature with other parameters than NULL is refused", b"\x30\x00", ["bad-signature", "weak-signature"])])
def rsa_parameters(t, parameters, reasons):
    ca = Authority("RSA CA", key=rsa.generate_private_key(65537, 2048))
    usual, other = (tlv(0x30, bytes.fromhex("06092a864886f70d01010b") + p) for p in (b"\5\0", parameters))
    tbs = tlv(0x30, content(ca.issue(["127.0.0.1"])[1].tbs_certificate_bytes).replace(usual, other))
    leaf = tlv(0x30, tbs + other + tlv(3, b"\0" + ca.key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())))
    _, out, err = t.run("ctstub", "verify", "--json", "--ca", t.write("ca.pem", pem(ca.cert)), "--ct", "off", "--ip", "127.0.0.1",
                        t.write("leaf.der", leaf))
    equal(json.loads(out or "{}").get("reasons"), reasons, f"reasons; {err}")


@case("output that cannot be written gives exit code 3")
def full(t):
    site = Site(t, with_ct=True)
    process = t.spawn("ctstub", [t.program("ctstub"), "verify", "--ca", site.anchors, "--ct-logs", site.log_list, "--ip",
                                 "127.0.0.1", site.chain], stdout=open("/dev/full", "wb"))
    process.expect = (3,)
    equal(process.popen.wait(patient(20)), 3, "exit code")
