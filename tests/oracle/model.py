"""What must be said of a case, from its facts alone.

Written from RFC 5280, 6125/9525, 6962, the browsers' published CT policies and interface.md. It never sees a certificate.
"""
import ipaddress

DAY = 86400 * 1000
CHECKS_MAX = 64  # signatures of one verdict (VFY_SIG_CHECKS_MAX)
ORDER = ("chain-empty chain-too-long cert-malformed untrusted expired not-yet-valid bad-signature not-a-ca path-too-long "
         "name-constraints unknown-critical wrong-usage weak-key weak-signature ip-mismatch name-mismatch anchor-distrusted "
         "issuer-not-allowed pin-mismatch disallowed ct-list-missing ct-list-stale ct-malformed ct-no-scts ct-too-few-scts "
         "ct-too-few-operators ct-no-current-log revoked staple-missing staple-invalid crl-invalid").split()
CERTIFICATES_MAX = 16
CURRENT = ("qualified", "usable", "readonly")


class Model:
    def __init__(self, world, case):
        self.logs, self.case, self.certs = world["logs"], case, case["certificates"]
        self.leaf = self.certs["leaf"]
        self.reasons = set()
        self.path = None
        self.good = []  # paths to which nothing can be objected, but for disallow entries

    # ---- paths

    def names(self, issuer, child):
        """The issuer's subject is the child's issuer."""
        return self.certs[issuer]["subject"] == self.certs[self.certs[child]["issuer"]]["subject"]

    def is_unused(self, name):
        """Nothing is computed with such a key, so nothing is proven by it."""
        return self.certs[name]["key"] == "rsa1024"

    def signed(self, issuer, child):
        """The issuer's key verifies the child."""
        if self.is_unused(issuer):
            return False
        true = self.certs[self.certs[child]["issuer"]]
        key = (self.certs[issuer]["key"], self.certs[issuer]["key_label"])
        return not self.certs[child].get("forged") and key == (true["key"], true["key_label"])

    def paths(self, path):
        """Every path by names from a presented leaf to an anchor."""
        last = path[-1]
        if last in self.case["anchors"]:
            yield path
            return
        for issuer in self.case["anchors"] + self.case["presented"]:
            if issuer not in path and self.names(issuer, last) and not any(
                    self.certs[issuer]["subject"] == self.certs[n]["subject"] and self.key_of(issuer) == self.key_of(n) for n in path):
                yield from self.paths(path + [issuer])

    def faults(self, path):
        """What is wrong with one path."""
        found, now = set(), self.case["at"]
        for child, issuer in zip(path, path[1:]):
            if not self.signed(issuer, child):
                found.add("weak-key" if self.is_unused(issuer) else "bad-signature")
            if self.certs[issuer].get("must_staple") and not self.certs[child].get("must_staple"):
                found.add("wrong-usage")  # RFC 7633, 4.2.2
        below = 0  # CAs that count against a path length: a self-issued one does not (RFC 5280, 6.1.4 (l))
        for name in path[1:]:
            facts = self.certs[name]
            if name not in self.case["anchors"]:
                if facts["ca"] is not True:
                    found.add("not-a-ca")
                if facts.get("key_usage") and "certificates" not in facts["key_usage"]:
                    found.add("not-a-ca")
                if facts.get("path_length") is not None and below > facts["path_length"]:
                    found.add("path-too-long")
            below += facts["subject"] != self.certs[facts["issuer"]]["subject"]
            if facts.get("extended") and not {"server", "any"} & set(facts["extended"]):
                found.add("wrong-usage")
            if not self.constraints_hold(facts):
                found.add("name-constraints")
        for name in path:
            facts = self.certs[name]
            if now > facts["not_after"] + 999:
                found.add("expired")
            if now < facts["not_before"]:
                found.add("not-yet-valid")
            if facts.get("unknown_critical") or facts.get("poison"):
                found.add("unknown-critical")
        return found

    def constraints_hold(self, facts):
        """RFC 5280, 4.2.1.10."""
        for kind, value in self.leaf.get("names", ()):
            if kind not in ("ip", "dns"):
                continue
            permitted = [v for k, v in facts.get("permitted", ()) if k == kind and self.same_family(kind, v, value)]
            kinds = [v for k, v in facts.get("permitted", ()) if k == kind]
            if kinds and not any(self.within(kind, value, v) for v in permitted):
                return False
            if any(k == kind and self.same_family(kind, v, value) and self.within(kind, value, v) for k, v in facts.get("excluded", ())):
                return False
        return True

    @staticmethod
    def same_family(kind, limit, value):
        return kind != "ip" or ipaddress.ip_network(limit).version == ipaddress.ip_address(value).version

    @staticmethod
    def within(kind, value, limit):
        if kind == "ip":
            return ipaddress.ip_address(value) in ipaddress.ip_network(limit)
        value, limit = value.lower(), limit.lower()
        return value == limit or value.endswith("." + limit)

    def judge_path(self):
        """The path that counts (None: there is none), after adding the reasons of a chain that fails."""
        if len(self.case["presented"]) > CERTIFICATES_MAX:
            self.reasons.add("chain-too-long")
            return None
        candidates = [(p, self.faults(p)) for p in self.paths(["leaf"])]
        sound = sorted((p for p, faults in candidates if not faults), key=self.is_weak)
        # An attacker chooses the path, so what is disallowed by one is disallowed; what is not wanted of one may be had of another.
        self.good = [p for p in sound if not self.required(self.unwanted(p)) and not self.is_weak(p)]
        if sound:
            return min(self.good or sound, key=lambda p: len(self.unwanted(p)) if self.good else 0)
        if not candidates:
            self.reasons.add("untrusted")
            return None
        # What all candidates have in common cannot be cured by choosing another.
        path, faults = min(candidates, key=lambda c: (bool({"bad-signature", "weak-key"} & c[1]), len(c[1])))
        self.reasons |= faults
        return path if faults <= {"expired", "not-yet-valid", "wrong-usage"} else None

    def is_weak(self, path):
        return any(self.certs[n]["key"] == "rsa1024" or (self.certs[n].get("hash") == "sha1" and n not in self.case["anchors"])
                   for n in path)

    # ---- the leaf

    def judge_leaf(self, path):
        now, leaf = self.case["at"], self.leaf
        if now > leaf["not_after"] + 999:
            self.reasons.add("expired")
        if now < leaf["not_before"]:
            self.reasons.add("not-yet-valid")
        if leaf.get("unknown_critical") or leaf.get("poison"):
            self.reasons.add("unknown-critical")
        if self.not_a_server(leaf):
            self.reasons.add("wrong-usage")
        if leaf.get("must_staple"):
            self.reasons.add("staple-missing")
        judged = path if path else self.case["presented"][:CERTIFICATES_MAX]
        for name in judged:
            facts = self.certs[name]
            if now > facts["not_after"] + 999 and not path:
                self.reasons.add("expired")
            if now < facts["not_before"] and not path:
                self.reasons.add("not-yet-valid")
            if facts["key"] == "rsa1024":
                self.reasons.add("weak-key")
            if facts.get("hash") == "sha1" and name not in self.case["anchors"]:
                self.reasons.add("weak-signature")

    @staticmethod
    def not_a_server(leaf):
        """The CA/Browser Forum's requirements, 7.1.2.7: serverAuth, and clientAuth at most; and a key that may sign in TLS."""
        purposes, usage = leaf.get("extended") or (), leaf.get("key_usage")
        signs = not usage or "signature" in usage.split(" and ")
        return ("server" not in purposes or not set(purposes) <= {"server", "client"} or leaf["ca"] is True or
                not signs or "certificates" in (usage or ""))

    def judge_identity(self):
        want = ipaddress.ip_address(self.case["ip"]).packed
        sans = self.leaf.get("names", ())
        octets = [ipaddress.ip_address(v).packed if k == "ip" else bytes.fromhex(v) for k, v in sans if k in ("ip", "raw-ip")]
        if want not in octets:
            self.reasons.add("ip-mismatch")
        if self.case["name"] and not any(k == "dns" and dns_matches(v, self.case["name"]) for k, v in sans):
            self.reasons.add("name-mismatch")

    # ---- lists

    def judge_lists(self, path):
        for kind, target, *spelling in self.case["disallow"]:
            if spelling in (["another serial"], ["another issuer"]):
                continue  # half of a name is no name
            shown = set(self.case["presented"]) | set(path or ())
            if kind in ("serial", "cert-sha256") and target in shown:
                self.reasons.add("disallowed")
            # Without a path nobody knows who signed what: all that was sent counts.
            for way in [path] + self.good if path else [self.case["presented"]]:
                if kind in ("serial", "cert-sha256") and target in way:
                    self.reasons.add("disallowed")
                if kind == "spki-sha256" and self.key_of(target) in map(self.key_of, way):
                    self.reasons.add("disallowed")
                # An issuer entry names what stands under that name.
                if kind == "issuer" and self.certs.get(target, {}).get("subject") in [self.subject_above(n) for n in way]:
                    self.reasons.add("disallowed")
        if path:
            self.reasons |= self.unwanted(path)

    def key_of(self, name):
        facts = self.certs.get(name)
        return (facts["key"], facts["key_label"]) if facts else None

    def subject_above(self, name):
        return self.certs[self.certs[name]["issuer"]]["subject"]

    def unwanted(self, path):
        """What this upstream's settings and the anchor's limits have against a path that holds."""
        found, authorities, anchor = set(), path[1:] or path, path[-1]
        if self.case["allow_issuer"]:
            if not any(target in authorities if kind != "issuer" else target == anchor for kind, target in self.case["allow_issuer"]):
                found.add("issuer-not-allowed")
        if self.case["pin"] and not any(target in path for target in self.case["pin"]):
            found.add("pin-mismatch")
        for key, value in self.case["constraints"] if anchor == self.case["anchors"][0] else ():
            if key == "not-before-max" and self.leaf["not_before"] > value:
                found.add("anchor-distrusted")
            if key == "distrusted-since" and self.case["at"] >= value:
                found.add("anchor-distrusted")
            if key == "permit" and not self.permitted(value.split()):
                found.add("anchor-distrusted")
            if key == "sct-not-after" and not self.logged_in_time(value):
                found.add("anchor-distrusted")
        return found

    # ---- report modes

    RULES = {"pin-mode": {"pin-mismatch"}, "allow-issuer-mode": {"issuer-not-allowed"}, "disallow-mode": {"disallowed"},
             "limits-mode": {"anchor-distrusted"}, "revocation-mode": {"revoked", "staple-missing", "staple-invalid", "crl-invalid"}}

    def reporting(self):
        """The last day in report mode is the one that is named, whole (UTC)."""
        until = self.case["report_until"]
        return until is None or self.case["at"] < until + DAY

    def required(self, reasons):
        """Without those whose rule only reports."""
        for option, of_rule in self.RULES.items():
            if self.case["modes"].get(option) == "report" and self.reporting():
                reasons = reasons - of_rule
        return reasons

    def ct_mode(self):
        return "require" if self.case["mode"] == "report" and not self.reporting() else self.case["mode"]

    # ---- lists of revoked certificates

    def judge_crls(self, path):
        for child, issuer in zip(path, path[1:]):
            lists = [c for c in self.case["crls"] if self.certs[c.get("name", c["by"])]["subject"] == self.certs[issuer]["subject"]]
            # Cases have few lists, or one that names the certificate first, or behind more than there are checks for.
            checked, starved = lists[:CHECKS_MAX], len(lists) > CHECKS_MAX
            own = [c for c in checked if c["by"] in self.certs and self.key_of(c["by"]) == self.key_of(issuer) and not c.get("broken")]
            # What a list of the right key names is revoked, old or not, and whatever the list is for.
            if any(kind != "twin" and target == child for c in own for kind, target in c["entries"]):
                self.reasons.add("revoked")
                continue
            good = [c for c in own if c["since"] <= self.case["at"] and c["until"] and self.case["at"] <= c["until"]]
            wrong = "servers" if self.certs[child]["ca"] else "authorities"
            scopes = {c.get("scope") for c in good} - {wrong}
            whole = scopes & {None, "servers", "authorities"} or scopes >= {"some reasons", "other reasons"}
            if lists and (starved or not whole):
                self.reasons.add("crl-invalid")

    # ---- what an anchor may still vouch for

    def logged_in_time(self, limit):
        """Where CT refuses by itself what no SCT shows, nothing is added; where it does not, a limit still wants to see one in time."""
        if self.issued() is None:
            return self.ct_mode() == "require" and not (self.case["when_stale"] == "report" and self.case["list_age"] > 70 * DAY)
        return self.issued() <= limit

    def issued(self):
        """When the certificate was made, by the earliest SCT that holds, of a log in good standing. None: not known."""
        if self.leaf.get("sct_list_fault"):
            return None
        times = [s["timestamp"] for s in self.leaf.get("scts") or ()
                 if s["fault"] in (None, "no-leaf-index", "other-extension") and s["timestamp"] <= self.case["at"] and
                 self.in_good_standing(self.logs[s["log"]])]
        return min(times) if times else None

    @staticmethod
    def in_good_standing(log):
        return log.get("state") in CURRENT and not log.get("unlisted") and log.get("log_type", "prod") == "prod"

    def permitted(self, words):
        """An anchor that may vouch for some names and addresses may vouch for no others."""
        limits = list(zip(words[::2], words[1::2]))
        for kind, value in self.leaf.get("names", ()):
            if kind == "dns" and not any(k == "permit-name" and self.within("dns", value, v) for k, v in limits):
                return False
            if kind in ("ip", "raw-ip"):
                packed = ipaddress.ip_address(value).packed if kind == "ip" else bytes.fromhex(value)
                if len(packed) not in (4, 16) or not any(
                        k == "permit-ip" and self.same_family("ip", v, ipaddress.ip_address(packed)) and
                        ipaddress.ip_address(packed) in ipaddress.ip_network(v) for k, v in limits):
                    return False
        return True

    # ---- transparency

    def sct_status(self, sct, issuer, counted):
        policy, now, limit = self.case["policy"], self.case["at"], self.distrust_after()
        log, fault = self.logs[sct["log"]], sct["fault"]
        state = log.get("state", "pending")
        if fault == "cut":
            return "malformed"
        if fault in ("wrong-version", "wrong-version-cut"):  # of which nothing more is known
            return "wrong-version"
        if "denied_id" in log:
            return "denied-log"
        if log.get("unlisted"):
            return "unknown-log"
        if fault == "wrong-algorithm":
            return "wrong-algorithm"
        if not issuer:
            return "unchecked"
        if fault in ("broken", "other-certificate", "wrong-issuer", "altered-extension"):
            return "bad-signature"
        if sct["timestamp"] > now:
            return "future"
        if state == "pending":
            return "log-pending"
        if state == "rejected" or log.get("log_type", "prod") != "prod":
            return "log-rejected"
        if state == "retired" and sct["timestamp"] >= log["state_ms"]:
            return "log-retired"
        # The browsers ask that of the certificate's own time as well; Apple's words only of the SCT's.
        if state == "retired" and policy != "apple" and self.issued() is not None and self.issued() >= log["state_ms"]:
            return "log-retired"
        # Mozilla drops such SCTs; Chrome only asks that one is not later (judge_ct does, for all).
        if limit is not None and policy in ("strict", "mozilla") and sct["timestamp"] > limit:
            return "after-distrust"
        if log.get("static") and fault in ("no-leaf-index", "other-extension") and policy in ("strict", "mozilla"):
            return "no-leaf-index"
        if policy == "strict" and "interval" in log and not log["interval"][0] <= self.leaf["not_after"] < log["interval"][1]:
            return "outside-interval"
        if sct["log"] in counted:
            return "duplicate"
        return "valid"

    def distrust_after(self):
        if not self.path or self.path[-1] != self.case["anchors"][0] or "anchor-distrusted" not in self.required({"anchor-distrusted"}):
            return None
        limits = [value for key, value in self.case["constraints"] if key == "sct-not-after"]
        return min(limits) if limits else None

    def operator(self, sct):
        """Who ran the log when the SCT was made."""
        log = self.logs[sct["log"]]
        return next((name for name, end in log.get("previous", ()) if sct["timestamp"] < end), log["operator"])

    def issuer_is_known(self, path):
        """'path': the path's; 'presented': a certificate at hand whose key verifies the leaf; None."""
        if path:
            return "path"
        at_hand = set(self.case["presented"][:CERTIFICATES_MAX]) | set(self.case["anchors"])
        return "presented" if any(self.signed(n, "leaf") for n in at_hand) else None

    def judge_ct(self, path):
        """The statuses of the SCTs, after adding the reasons."""
        case, policy = self.case, self.case["policy"]
        if self.ct_mode() == "off":
            return None
        reasons = set()
        stale = case["list_age"] > 70 * DAY
        statuses, counted = [], {}
        scts = self.leaf.get("scts")
        malformed = scts is not None and self.leaf.get("sct_list_fault")
        if malformed:
            reasons.add("ct-malformed")
        elif scts is None:
            reasons.add("ct-no-scts")
        else:
            issuer = self.issuer_is_known(path)
            for sct in scts:
                statuses.append(self.sct_status(sct, issuer, counted))
                if statuses[-1] == "valid":
                    counted[sct["log"]] = sct
            reasons |= self.judge_count(policy, list(counted.values()))
        if stale and case["when_stale"] == "refuse":
            reasons.add("ct-list-stale")
        if self.ct_mode() == "require" and not (stale and case["when_stale"] == "report"):
            self.reasons |= reasons
        return [] if malformed else statuses

    def judge_count(self, policy, counted):
        """How many, from whom, and one of today's."""
        span = self.leaf["not_after"] - self.leaf["not_before"] + (1000 if policy in ("strict", "apple") else 0)
        long_lived = span > 180 * DAY
        need = 3 if long_lived else 2
        operators = [self.operator(s) for s in counted]
        many = len(counted)
        if policy == "apple":  # so many of one operator count, the others are as if they were not there
            most = 2 if long_lived else 1
            many = sum(min(operators.count(o), most) for o in set(operators))
        reasons = set()
        if many < need:
            reasons.add("ct-too-few-scts")
        elif policy != "apple" and len(set(operators)) < 2:
            reasons.add("ct-too-few-operators")
        current = [s for s in counted if self.logs[s["log"]]["state"] in CURRENT]
        if counted and (not current or (policy == "apple" and all(self.logs[s["log"]].get("static") for s in current))):
            reasons.add("ct-no-current-log")
        return reasons

    def verdict(self):
        path = self.path = self.judge_path()
        self.judge_leaf(path)
        self.judge_identity()
        self.judge_lists(path)
        statuses = self.judge_ct(path)
        self.judge_crls(path or [])
        self.reasons = self.required(self.reasons)
        reasons = [r for r in ORDER if r in self.reasons]
        return {"outcome": "refused" if reasons else "accepted", "reasons": reasons, "scts": statuses}


def dns_matches(pattern, name):
    """RFC 9525, 6.3: labels, one wildcard that is the whole left-most label; behind it two labels at least."""
    pattern, name = pattern.lower().split("."), name.lower().split(".")
    if pattern[0] == "*":
        return len(pattern) == len(name) and len(pattern) >= 3 and pattern[1:] == name[1:] and all("*" not in p for p in pattern[1:])
    return pattern == name and "*" not in "".join(pattern)


def predict(world, case):
    return Model(world, case).verdict()
