"""Rules in report mode: nothing is refused, and every finding is reported (log, counters, status, upstreams, verify, probe)."""
import json
import re

from cryptography.hazmat.primitives import hashes

from functional._common import servfail
from functional.test_revocation import crl
from harness import client
from harness.case import case, check, equal, rows, until
from harness.daemon import Daemon, section, upstream
from harness.pki import DAY, Site
from harness.upstream import DotServer

STRANGER = "spki-sha256 " + "ab" * 32

RULES = {  # reason: (options of the upstream, its mode)
    "pin-mismatch": (lambda t, site: {"pin": [STRANGER, STRANGER.replace("ab", "cd")]}, "pin_mode"),
    "issuer-not-allowed": (lambda t, site: {"allow_issuer": [STRANGER]}, "allow_issuer_mode"),
    "disallowed": (lambda t, site: {"disallow": [f"serial {site.cert.serial_number:x} issuer {site.cert.issuer.rfc4514_string()}"]},
                   "disallow_mode"),
    "revoked": (lambda t, site: {"crl_file": [t.write("crl", crl(site.intermediate, [site.cert.serial_number]))]}, "revocation_mode"),
    "crl-invalid": (lambda t, site: {"crl_file": [t.write("crl", crl(site.intermediate, until=-DAY / 2))]}, "revocation_mode"),
    "anchor-distrusted": (lambda t, site: {}, "limits_mode"),
    "ct-no-scts": (lambda t, site: {}, "ct"),
}


def limits(t, site, reason):
    """A file that limits the anchor, when that is what the test is about."""
    if reason != "anchor-distrusted":
        return ""
    text = f"cert-sha256 {site.root.cert.fingerprint(hashes.SHA256()).hex()} not-before-max 2020-01-01T00:00:00Z\n"
    return section("trust", constraints_file=[t.write("limits", text)])


class Tried:
    """A daemon with one upstream that breaks the rule of this reason."""

    def __init__(self, t, reason, **options):
        self.t, self.reason = t, reason
        self.site = Site(t)
        broken, self.mode = RULES[reason]
        self.options = {**broken(t, self.site), **options}
        self.options.setdefault(self.mode, "report")
        self.server = DotServer(t, self.site)
        self.extra = limits(t, self.site, reason)
        self.daemon = Daemon(t, upstream("one", self.server, **self.options), anchors=self.site.anchors, extra=self.extra)

    def reload(self, **options):
        self.daemon.write(upstream("one", self.server, **{**self.options, **options}), self.extra)
        code, out, err = self.daemon.tool("reload")
        equal(code, 0, f"exit code of reload: {out}{err}")

    def logged(self, event):
        return [line for line in self.daemon.log().splitlines() if event in line]


@rows([(f"{reason} in report mode is reported everywhere and refuses nothing", reason) for reason in RULES])
def told(t, reason):
    tried = Tried(t, reason)
    d = tried.daemon
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    until(lambda: tried.logged("would-refuse"), 10, "it is logged")
    check(f"reason={reason}" in tried.logged("would-refuse")[0] and "upstream=one" in tried.logged("would-refuse")[0], d.log())
    answer = d.ctl("upstreams")["upstreams"][0]
    equal((answer["health"], answer["would_be_refused"]), ("good", [reason]), "health and would_be_refused")
    verdict = answer["verdict"]
    equal((verdict["outcome"], verdict["reasons"]), ("accepted", []), "outcome and reasons")
    equal({(f["reason"], f["enforced"]) for f in verdict["findings"]}, {(reason, False)}, "findings")
    equal(d.ctl("status")["would_be_refused"], [{"upstream": "one", "address": answer["address"], "reasons": [reason]}], "status")
    check(d.ctl("stats")["report_findings"][reason] >= 1, "stats")
    code, out, _ = d.tool("status")
    check(re.search(rf"(?m)^would refuse +one .*: {reason}$", out), f"{code} {out}")
    check(f"would be refused: {reason}" in d.tool("upstreams")[1], "text of upstreams")
    code, out, _ = d.tool("stats", "--prometheus")
    check(re.search(rf'(?m)^ctstub_report_findings_total{{reason="{reason}"}} [1-9]', out), "the counter")
    check(re.search(r"(?m)^ctstub_upstream_would_be_refused{.*} 1$", out), "the gauge")


@rows([(f"verify, probe and the daemon agree on {reason}, and its text says that it would refuse", reason) for reason in RULES])
def tools(t, reason):
    tried = Tried(t, reason)
    code, out, err = t.run("ctstub", "verify", "--json", "-c", tried.daemon.config, tried.site.chain)
    verdict = json.loads(out)
    equal((code, verdict["outcome"], verdict["reasons"]), (0, "accepted", []), f"verify: {err}")
    equal({(f["reason"], f["enforced"]) for f in verdict["findings"]}, {(reason, False)}, "findings")
    out = t.run("ctstub", "verify", "-c", tried.daemon.config, tried.site.chain)[1]
    check(f"would refuse {reason}: " in out, out)
    code, out, err = t.run("ctstub", "probe", "-c", tried.daemon.config, "one")
    check(code == 0 and f"would refuse {reason}: " in out, f"probe: {code} {out}{err}")


@rows([(f"{reason}: after report-until it refuses", reason) for reason in RULES])
def ended(t, reason):
    tried = Tried(t, reason, report_until="2026-01-01")
    servfail(tried.daemon.ask("www.example.com"), reason)
    check(any("2026-01-01" in w for w in tried.daemon.ctl("status")["warnings"]), "status warns of the day that has passed")
    code, out, err = t.run("ctstubd", "-t", "-c", tried.daemon.config)
    check(code == 0 and "report-until, 2026-01-01, has passed: their findings refuse" in out + err, f"-t: {code} {out}{err}")
    code, out, _ = t.run("ctstubd", "-p", "-c", tried.daemon.config)
    check('report-until = "2026-01-01"' in out, "-p prints the day")
    check(f'{tried.mode.replace("_", "-")} = "report"' in out, "-p prints the mode")


@case("a finding is logged once for any number of connections; its end and its refusal are logged too")
def once(t):
    tried = Tried(t, "pin-mismatch", report_until="9998-12-31")
    d = tried.daemon
    for i in range(3):
        equal(client.rcode(d.ask(f"{i}.example.com")), "NOERROR", "rcode")
        tried.server.stop(reset=True)
        tried.server.start()
    until(lambda: d.ctl("stats")["report_findings"]["pin-mismatch"] >= 2, 10, "two verdicts")
    equal(len(tried.logged("would-refuse")), 1, "lines in the log")
    tried.reload(pin_mode="require")
    servfail(d.ask("refused.example.com"), "pin-mismatch")
    until(lambda: tried.logged("refused upstream"), 10, "the refusal is logged")
    tried.reload(pin=[], pin_mode="report")
    until(lambda: client.rcode(d.ask("good.example.com")) == "NOERROR", 10, "without the pin it is good")
    until(lambda: tried.logged("nothing-to-report"), 10, "the end is logged")
    equal(d.ctl("status")["would_be_refused"], [], "status")


@rows([(f"{reason}: a reload that adds the rule in report mode is reported over the open connection, and so is one that removes it", reason)
       for reason in RULES])
def reloaded(t, reason):
    tried = Tried(t, reason)
    d, options, extra = tried.daemon, tried.options, tried.extra

    def take(with_rule):
        tried.options, tried.extra = (options, extra) if with_rule else ({}, "")
        tried.reload()
        wanted = [reason] if with_rule else []
        until(lambda: d.ctl("upstreams")["upstreams"][0]["would_be_refused"] == wanted, 10, f"would_be_refused is {wanted}")
    take(False)
    equal(client.rcode(d.ask("www.example.com")), "NOERROR", "rcode")
    connections = tried.server.connections
    equal(tried.logged("would-refuse"), [], "log without the rule")
    take(True)
    until(lambda: tried.logged("would-refuse"), 10, "it is logged")
    check(d.ctl("stats")["report_findings"][reason] >= 1, "stats")
    take(False)
    until(lambda: tried.logged("nothing-to-report"), 10, "the end is logged")
    equal(client.rcode(d.ask("later.example.com")), "NOERROR", "rcode")
    equal((tried.server.connections, len(tried.logged("would-refuse"))), (connections, 1), "connections, lines in the log")


@case("a good upstream in report mode logs no findings")
def good(t):
    tried = Tried(t, "anchor-distrusted", pin_mode="report", disallow_mode="report", revocation_mode="report", allow_issuer_mode="report")
    tried.extra = ""
    tried.reload()
    equal(client.rcode(tried.daemon.ask("www.example.com")), "NOERROR", "rcode")
    equal(tried.daemon.ctl("status")["would_be_refused"], [], "status")
    equal(tried.logged("would-refuse"), [], "log")


@rows([
    ("ip-mismatch refuses when every mode is report", "ip-mismatch", {"ips": ("192.0.2.1",)}, None),
    ("name-mismatch refuses when every mode is report", "name-mismatch", {"names": ("other.test",)}, "dns.test"),
])
def identity(t, reason, site_options, name):
    site = Site(t, **site_options)
    report = {mode: "report" for _, mode in RULES.values()}
    d = Daemon(t, upstream("one", DotServer(t, site), name=name or "", **report), anchors=site.anchors)
    servfail(d.ask("www.example.com"), reason)


@rows([(f"{name} is not an option", name) for name in ("identity-mode", "chain-mode", "signature-mode", "name-mode", "dates-mode", "mode")])
def no_option(t, name):
    config = t.write("c.conf", f'upstream "one" {{ address = {{"192.0.2.1"}} {name} = "report" }}\n')
    code, out, err = t.run("ctstubd", "-t", "-c", config)
    check(code != 0 and f'"{name}"' in out + err, f"{code} {out}{err}")
