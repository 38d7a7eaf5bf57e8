"""Data that others collect: one item that cannot be used does not make the rest unusable."""
import base64
import json
import os
import re
import subprocess

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.case import Skip, case, check, equal, rows
from harness.daemon import Daemon, upstream
from harness.pki import Log, Site, log_list, pem
from harness.upstream import DotServer


def tlv(tag, *body):
    content = b"".join(body)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


ALGORITHM = tlv(0x30, bytes.fromhex("06082a8648ce3d040302"))
SERVER, EMAIL, ANY = (tlv(6, bytes.fromhex(h)) for h in ("2b06010505070301", "2b06010505070304", "551d2500"))


def old_root(site, serial=b"\x01", before=b"\x17\x0d050101000000Z", after=b"\x17\x0d350101000000Z", critical=b"\xff",
             ca=b"\xff", behind=b"", length=lambda der: der):
    """The site's root, its name and its key, in the odd form that is asked for."""
    name = site.root.name.public_bytes()
    key = site.root.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    constraints = tlv(0x30, bytes.fromhex("0603551d13"), tlv(1, critical), tlv(4, tlv(0x30, tlv(1, ca))))
    tbs = tlv(0x30, tlv(0xa0, tlv(2, b"\x02")), tlv(2, serial), ALGORITHM, name, tlv(0x30, before, after), name, key,
              tlv(0xa3, tlv(0x30, constraints)))
    return length(tlv(0x30, tbs, ALGORITHM, tlv(3, b"\x00", site.root.key.sign(tbs, ec.ECDSA(hashes.SHA256()))))) + behind


def block(der, label="CERTIFICATE"):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n"


def judge(t, site, bundle):
    code, out, err = t.run("ctstub", "verify", "--json", "--ca", t.write("bundle.pem", bundle), "--ct", "off", "--ip",
                           "127.0.0.1", site.chain)
    return code, json.loads(out) if out else None, err


def longer(der):
    """The outer length with a needless zero octet."""
    return der[:1] + bytes([der[1] + 1, 0]) + der[2:]


@rows([
    ("critical FALSE written out", {"critical": b"\x00"}),
    ("a BOOLEAN of 1", {"critical": b"\x01", "ca": b"\x01"}),
    ("a BOOLEAN of 1 inside basicConstraints alone", {"ca": b"\x01"}),
    ("times without seconds", {"before": b"\x17\x0b0501010000Z", "after": b"\x17\x0b3501010000Z"}),
    ("times with an offset of zero", {"before": b"\x17\x11050101000000+0000"}),
    ("a GeneralizedTime before 2050", {"after": b"\x18\x0f20350101000000Z"}),
    ("a GeneralizedTime with a fraction", {"after": b"\x18\x1120350101000000.0Z"}),
    ("a serial number with a redundant zero", {"serial": b"\x00\x01"}),
    ("a serial number of many zeros", {"serial": b"\x00" * 8 + b"\x01"}),
    ("a negative serial number, padded", {"serial": b"\xff\xff\x80"}),
    ("a serial number without octets", {"serial": b""}),
    ("a byte after the certificate", {"behind": b"\x00"}),
    ("a length that is not minimal", {"length": longer}),
])
def sloppy_roots(t, odd):
    site = Site(t)
    code, verdict, err = judge(t, site, block(old_root(site, **odd)))
    equal((code, err), (0, ""), f"as the only anchor: {verdict and verdict['reasons']}")


@rows([
    ("invalid base64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "malformed base64"),
    ("a block without an END line", "-----BEGIN CERTIFICATE-----\nYWJj\n", "malformed base64, or no END line"),
    ("text instead of a certificate", block(b"hello"), "cannot be read"),
    ("an empty block", block(b""), "cannot be read"),
    ("an indefinite length", block(b"\x30\x80\x00\x00"), "cannot be read"),
    ("a deep nest", block(b"\x30\x80" * 40), "cannot be read"),
    ("deeply nested elements", block(b"".join(bytes([0x30, 2 * n]) for n in range(40, -1, -1))), ""),
    ("a CRL under the wrong label", block(tlv(0x30, tlv(0x30), ALGORITHM, tlv(3, b"\x00\x01"))), "cannot be read"),
    ("an invalid time", "time", "cannot be read"),
    ("a certificate of 300 KB", block(tlv(0x30, b"\x05\x00" * 150000)), "too large"),
])
def odd_items(t, item, reason):
    site = Site(t)
    if item == "time":
        item = block(old_root(Site(t, prefix="other"), after=b"\x17\x04soon"))
    code, verdict, err = judge(t, site, "# a bundle\n" + item + pem(site.root.cert).decode())
    equal((code, verdict["outcome"]), (0, "accepted"), "with the good root after it")
    check(re.search(r"bundle\.pem:2: certificate left out: ", err) and reason in err, f"warning: {err}")
    code, _, err = judge(t, site, item)
    equal(code, 2, f"alone it is an error: {err}")


@rows([
    ("no settings", b"", True),
    ("empty settings", tlv(0x30), True),
    ("trusted for servers", tlv(0x30, tlv(0x30, SERVER)), True),
    ("trusted for any use", tlv(0x30, tlv(0x30, ANY)), True),
    ("trusted for servers and mail", tlv(0x30, tlv(0x30, EMAIL, SERVER)), True),
    ("rejected for mail", tlv(0x30, tlv(0xa0, EMAIL)), True),
    ("an alias alone", tlv(0x30, tlv(0x0c, b"Old Root")), True),
    ("trusted for mail", tlv(0x30, tlv(0x30, EMAIL)), False),
    ("trusted for nothing", tlv(0x30, tlv(0x30)), False),
    ("rejected for servers", tlv(0x30, tlv(0xa0, SERVER)), False),
    ("rejected for any use", tlv(0x30, tlv(0xa0, ANY)), False),
    ("trusted and rejected for servers", tlv(0x30, tlv(0x30, SERVER), tlv(0xa0, SERVER)), False),
    ("malformed trust settings", b"\x00", False),
])
def trusted_certificates(t, settings, good):
    site, other = Site(t), Site(t, prefix="other")
    item = block(site.root.cert.public_bytes(serialization.Encoding.DER) + settings, "TRUSTED CERTIFICATE")
    for bundle in (item + pem(other.root.cert).decode(), pem(site.root.cert).decode() + item + pem(other.root.cert).decode()):
        code, verdict, err = judge(t, site, bundle)
        equal((code, verdict["reasons"]), (0, []) if good else (1, ["untrusted"]), f"verdict; {err}")
        equal("certificate left out" in err, not good, f"a warning: {err}")
        if not good and len(settings) == 1:
            break  # settings that cannot be read


@case("unusable logs of a log list are left out, and the others count")
def logs(t):
    good = [Log(f"Log {i}", f"Operator {i}") for i in range(3)]
    document = json.loads(log_list(good))
    first = document["operators"][0]["logs"][0] if document["operators"][0].get("logs") else document["operators"][0]["tiled_logs"][0]
    bad = [dict(first, **change) for change in (
        {"key": "!"}, {"key": "YWJj"}, {"log_id": "YWJj"}, {"state": {"odd": {}}}, {"mmd": -1}, {"description": ""},
        {"temporal_interval": {}}, {"temporal_interval": 7}, {"log_type": 1}, {"previous_operators": {}})]
    document["operators"].append({"name": "Odd", "logs": bad + [7]})
    document["operators"].append({"name": "", "logs": [first]})
    code, out, err = t.run("ctstub", "ct-logs", "check", "--json", t.write("logs.json", json.dumps(document)))
    equal(code, 0, f"exit code: {err}")
    equal(err.count("log left out"), 12, f"warnings: {err}")
    check('operators[3] "Odd", logs[0]' in err and "operators[4]" in err, f"places: {err}")


@case("all errors of a disallow file are shown in one run")
def disallow(t):
    lines = [f"nonsense {i}" if i % 2 else f"cert-sha256 {i:064x}" for i in range(1, 41)] + ["spki-sha256 1"]
    file = t.write("list", "\n".join(lines) + "\n")
    code, _, err = t.run("ctstub", "disallow", "check", file)
    equal(code, 2, "exit code")
    equal(re.findall(r"list:(\d+): ", err), [str(i) for i in range(1, 41, 2)], "lines that are shown")
    check("and 1 more" in err, f"the others are counted: {err}")
    config = t.write("c.conf", f'user = ""\ntrust {{ disallow-file = {{"{file}"}} }}\n')
    code, _, err = t.run("ctstubd", "-t", "-c", config)
    equal((code, len(re.findall(r"list:\d+: ", err))), (2, 20), f"ctstubd -t: {err}")


@rows([
    ("a block list that does not exist", 'filter { list-file = {"DIR/none", "DIR/good"} }', "", "DIR/none", "good"),
    ("a block list that is an HTML page", 'filter { list-file = {"DIR/page", "DIR/good"} }', "", "DIR/page", "good"),
    ("a CRL file that does not exist", "", 'crl-file = {"DIR/none"}', "DIR/none", "crl-invalid"),
    ("a CRL file without a CRL", "", 'crl-file = {"DIR/page"}', "DIR/page", "crl-invalid"),
    ("a log list that does not exist", 'ct { log-list = "DIR/none" mode = "require" }', "", "DIR/none", "ct-list-missing"),
    ("a log list that is not one", 'ct { log-list = "DIR/page" mode = "require" }', "", "DIR/page", "ct-list-missing"),
    ("an upstream's own log list", "", 'ct-logs = "DIR/none" ct = "require"', "DIR/none", "ct-list-missing"),
    ("a block list with a bad line", 'filter { list-file = {"DIR/odd", "DIR/good"} }', "", "DIR/odd:1", "good"),
])
def boot(t, extra, of_upstream, named, effect):
    site = Site(t)
    server = DotServer(t, site)
    for name, text in (("good", "ads.example\n"), ("page", "<html>\nno list\n</html>\n"), ("odd", "a..b\n")):
        t.write(name, text)
    block_text = upstream("one", server, **({"ct": "off"} if "ct-logs" not in of_upstream and "ct {" not in extra else {}))
    block_text = block_text.replace("{\n", "{\n" + of_upstream.replace("DIR", t.dir) + "\n", 1)
    d = Daemon(t, block_text, anchors=site.anchors, ct=None, extra=extra.replace("DIR", t.dir))
    _, out, _ = d.tool("status", "--json")
    warnings = json.loads(out)["warnings"]
    check(any(named.replace("DIR", t.dir) in w for w in warnings), f"warnings of status: {warnings}")
    answer = d.ask("www.example")
    if effect == "good":
        equal(answer.rcode(), 0, "a name is answered")
        check(d.ask("ads.example").rcode() != 0, "the good list refuses its names")
    else:
        equal(answer.rcode(), 2, "nothing softer is used")
        check(effect in str(answer), f"the answer says why: {answer}")
    _, out, _ = d.tool("stats", "--prometheus")
    check(re.search(r"ctstub_list_warnings [1-9]", out), "the metric counts")
    code, out, err = t.run("ctstubd", "-t", "-c", d.config)
    equal(code, 0 if "odd" in named else 2, f"ctstubd -t: {out} {err}")
    if code == 0:  # a reload takes it, and warns as the start did
        told = [line for line in d.log().splitlines() if "warning=" in line and named.replace("DIR", t.dir) in line]
        equal(d.tool("reload")[0], 0, "exit code of reload")
        again = [line for line in d.log().splitlines() if "warning=" in line and named.replace("DIR", t.dir) in line]
        equal((len(told), len(again)), (1, 2), f"lines of the log: {again}")
        check("reload-without-memory" not in d.log(), "memory was enough")


@rows([
    ("a disallow file that does not exist", 'trust { anchors = "ANCHORS" disallow-file = {"DIR/none"} }'),
    ("a disallow file with a bad line", 'trust { anchors = "ANCHORS" disallow-file = {"DIR/bad"} }'),
    ("a constraints file with a bad line", 'trust { anchors = "ANCHORS" constraints-file = {"DIR/bad"} }'),
    ("anchors that do not exist", 'trust { anchors = "DIR/none" }'),
    ("anchors without a usable certificate", 'trust { anchors = "DIR/bad" }'),
])
def boot_strict(t, extra):
    t.write("bad", "nonsense\n")
    site = Site(t)
    config = t.write("c.conf", f'user = ""\nlisten = {{"127.0.0.1:1"}}\nstate-dir = "{t.dir}"\n' +
                     extra.replace("DIR", t.dir).replace("ANCHORS", site.anchors))
    code, _, err = t.run("ctstubd", "-c", config)
    equal(code, 2, f"a check would be weaker, so the daemon does not start: {err}")


@rows([
    ("a file of an owner that the namespace does not map", 0o644, 1000, 0),
    ("a file of an unmapped owner that others can write", 0o666, 1000, 2),
    ("a file of an unmapped owner that its group can write", 0o664, 1000, 2),
    ("a file of an unmapped owner that all can read and nobody can write", 0o444, 1234, 0),
])
def unmapped_owner(t, mode, uid, expected):
    if os.geteuid() != 0:
        raise Skip("files of others need root")
    config = t.write("c.conf", 'user = ""\n')
    os.chmod(config, mode)
    os.chown(config, uid, uid)
    for folder in (t.dir, os.path.dirname(t.dir)):
        os.chmod(folder, os.stat(folder).st_mode | 0o055)
    outside = subprocess.run([t.program("ctstubd"), "-p", "-c", config], capture_output=True, check=False)
    equal(outside.returncode, 2, "outside it belongs to another user")
    inside = subprocess.run(["unshare", "--user", "--map-root-user", t.program("ctstubd"), "-p", "-c", config],
                            capture_output=True, check=False)
    equal(inside.returncode, expected, f"inside: {inside.stderr.decode()}")
