"""Every scenario of the lab: the outcome and the reason that its table names, offline and over the wire; in each refusal by
verdict the server got no byte of application data (A7)."""
import concurrent.futures
import json
import os
import re

from harness import client, net
from harness.case import case, check, equal, rows, until

GROUPS = ("identity", "chain", "transparency", "misissuance", "revocation", "sessions", "protocol", "downgrade")
# What needs more than one server or one question is the business of `ctstub-lab run` (test_lab_run).
SCRIPTED = ("sessions", "downgrade")
# Wire failures for which there is no single right word: whoever notices first.
WIRE_STAGES = ("connect-timeout", "closed", "tls-failed", "tls-alert", "tls-version")


def scenarios(t, group, reach):
    _, out, _ = t.run("ctstub-lab", "list", "--json")
    return [s for s in json.loads(out) if s["group"] == group and reach in s["reach"]]


@rows([(f"A8 offline: the scenarios of {g} are judged as the table says", g) for g in GROUPS if g not in ("sessions", "protocol", "downgrade")],
      timeout=180)
def offline(t, group):
    folder = t.path("pki")
    code, _, err = t.run("ctstub-lab", "pki", folder)
    equal(code, 0, f"ctstub-lab pki: {err}")
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as f:
        whole = json.load(f)
    index, index_at = {s["name"]: s for s in whole["scenarios"]}, whole["at"]
    wanted = [index[s["name"]] for s in scenarios(t, group, "offline")]
    check(wanted, "no scenario")
    wrong = []
    for s in wanted:
        how = s["verify"]
        if s["needs_config"]:  # pins, allowed issuers, an old list: what only a configuration can say
            how = ["-c", s["config"], "--upstream", "lab", "--at", index_at]
        code, out, err = t.run("ctstub", "verify", "--json", *how, s["chain"], cwd=folder)
        try:
            verdict = json.loads(out)
        except ValueError:
            wrong.append(f"{s['name']}: exit {code}: {err or out}")
            continue
        said = (verdict["outcome"], verdict["reasons"][0] if verdict["reasons"] else None, code)
        want = ("accepted", None, 0) if s["strict"] == "accept" else ("refused", s["reason"], 1)
        if s["outcome"] == "accepted" and s["strict"] != "accept":
            continue  # judged by what happens later
        if said != want:
            wrong.append(f"{s['name']}: {said}, want {want}")
    check(not wrong, f"{len(wrong)} of {len(wanted)}: " + "; ".join(wrong))


class Served:
    """One scenario's server, and a daemon that has it as its only upstream."""

    def __init__(self, t, folder, scenario, doh):
        name = scenario["name"]
        listen = "[::1]:0" if name.endswith("-v6") else "127.0.0.1:0"
        self.count = os.path.join(folder, f"{name}.count")
        self.server = t.spawn(f"lab-{name}", [t.program("ctstub-lab"), "serve", name, "--listen", listen, "--pki", folder,
                                              "--count", self.count, *(["--doh"] if doh else [])])
        self.server.wait_log("listening", 20)
        with open(os.path.join(folder, "conf", f"{name}{'-doh' if doh else ''}.conf"), encoding="utf-8") as f:
            text = f.read()
        self.port = net.free_port()
        state = os.path.join(folder, f"state-{name}")
        os.makedirs(state)
        head = (f'listen = {{"127.0.0.1:{self.port}"}}\nuser = ""\nlog-level = "debug"\ncontrol-socket = "{state}/control"\n'
                f'state-dir = "{state}"\n')
        config = os.path.join(state, "ctstub.conf")
        with open(config, "w", encoding="utf-8") as f:
            f.write(head + text)
        self.daemon = t.spawn(f"ctstubd-{name}", [t.program("ctstubd"), "-c", config])
        until(lambda: net.answers_tcp("127.0.0.1", self.port), 20, f"ctstubd for {name} listens: {self.daemon.log()[-300:]}")

    def ask(self, name="www.example.com"):
        return client.exchange("127.0.0.1", self.port, client.query(name), timeout=8)

    def bytes(self):
        with open(self.count, encoding="utf-8") as f:
            return json.load(f)["bytes"]

    def stop(self):
        self.daemon.stop()
        self.server.stop()


def one(t, folder, scenario, doh):
    """None, or what is wrong."""
    name, want = scenario["name"], scenario["wire_reason"] or scenario["reason"]
    wanted = {scenario["reason"], scenario["wire_reason"]}
    try:
        served = Served(t, folder, scenario, doh)
        reply = served.ask()
        texts = " ".join(text for _, text in client.ede(reply))
        served.stop()
        if scenario["strict"] == "accept":
            return None if client.rcode(reply) == "NOERROR" else f"{name}: {client.rcode(reply)} {texts}"
        if client.rcode(reply) != "SERVFAIL":
            return f"{name}: {client.rcode(reply)}, want SERVFAIL with {want}"
        said = re.search(r": ([a-z-]+)", texts)
        if not said or (said.group(1) not in wanted and not (want in WIRE_STAGES and said.group(1) in WIRE_STAGES)):
            return f"{name}: {texts!r}, want {want}"
        if scenario["group"] != "protocol" and served.bytes() != 0:
            return f"{name}: {served.bytes()} bytes of application data reached the impostor"
    except Exception as error:
        return f"{name}: {error}"
    return None


@rows([(f"A7 over {p}: the scenarios of {g} get their answer or their reason, and refused servers no byte", g, p)
       for g in GROUPS if g not in SCRIPTED for p in ("dot", "doh")], timeout=400)
def over_the_wire(t, group, protocol):
    wanted = scenarios(t, group, protocol)
    check(wanted, "no scenario")
    if t.sanitized and not t.long:
        wanted = wanted[::4]
    folders = []
    for s in wanted:  # each has a world of its own: what one writes is not another's
        folders.append(t.path(f"world-{s['name']}"))
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        wrong = [w for w in pool.map(lambda pair: one(t, pair[0], pair[1], protocol == "doh"), zip(folders, wanted)) if w]
    check(not wrong, f"{len(wrong)} of {len(wanted)}: " + "; ".join(wrong))


@case("the toy SCTs and certificates of the lab are what OpenSSL and Python read", builds=("gcc",))
def read_by_others(t):
    from cryptography import x509
    folder = t.path("pki")
    t.run("ctstub-lab", "pki", folder)
    with open(os.path.join(folder, "chains", "good-v4.pem"), "rb") as f:
        leaf = x509.load_pem_x509_certificate(f.read())
    scts = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    check(len(scts) >= 2, "SCTs")
    with open(os.path.join(folder, "ct-logs.json"), encoding="utf-8") as f:
        listed = {log["log_id"] for o in json.load(f)["operators"] for log in o.get("logs", []) + o.get("tiled_logs", [])}
    import base64
    check(all(base64.b64encode(s.log_id).decode() in listed for s in scts), "log ids of the list")
