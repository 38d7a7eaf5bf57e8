"""Whether a graph is accepted, by brute force: every path that there is, each judged by RFC 5280 (6.1) as it is written.

Nothing is clever here, and nothing is bounded: the tree of policies is a tree.
"""
CHECKS_MAX, PATHS_MAX = 20, 64  # what ctstub says that it tries with keys of P-256 (proofs.h, verify.h)


class Model:
    def __init__(self, graph):
        self.graph, self.certs = graph, graph["certificates"]
        self.asked = set()  # (certificate, key): every signature that a search by names could want to know

    # ---- paths

    def same_ca(self, a, b):
        return all(self.certs[a][k] == self.certs[b][k] for k in ("subject", "key"))

    def signed(self, child, issuer):
        self.asked.add((child, self.certs[issuer]["key"]))
        return not self.certs[child]["forged"] and self.certs[child]["issuer_key"] == self.certs[issuer]["key"]

    def paths(self, path):
        """Leaf to anchor; in a path a certificate stands as what it was found as, presented or trusted."""
        top = path[-1]
        candidates = [(n, True) for n in self.graph["anchors"]] + [(n, False) for n in sorted(set(self.graph["presented"]))]
        for number, is_anchor in candidates:
            if number == self.graph["leaf"] and not is_anchor:
                continue
            if self.certs[number]["subject"] != self.certs[top]["issuer"] or any(self.same_ca(number, n) for n in path):
                continue
            if not self.signed(top, number):
                continue
            if is_anchor:
                yield path + [number]
            else:
                yield from self.paths(path + [number])

    def all_paths(self):
        if self.graph["leaf"] in self.graph["anchors"]:
            yield [self.graph["leaf"]]
        yield from self.paths([self.graph["leaf"]])

    # ---- RFC 5280, 6.1

    def self_issued(self, n):
        return self.certs[n]["subject"] == self.certs[n]["issuer"]

    def names_hold(self, ca, number):
        """4.2.1.10: the subject, and of the leaf the host lab.test."""
        facts, limit = self.certs[number], self.certs[ca]
        if "permitted_name" in limit and facts["subject"] != limit["permitted_name"]:
            return False
        if facts["subject"] == limit.get("excluded_name"):
            return False
        if not facts.get("leaf"):
            return True
        if limit.get("permitted_host", "lab.test") not in ("lab.test", ""):
            return False
        return "excluded_host" not in limit or limit["excluded_host"] != "lab.test"

    def is_fit(self, path):
        for at, number in enumerate(path):
            facts = self.certs[number]
            if facts.get("expired") or facts.get("early") or facts.get("unknown_critical"):
                return False
            if at == 0:
                continue
            if facts.get("leaf") or facts.get("no_ca") or facts.get("no_key_cert_sign") or facts.get("clients_only"):
                return False
            if sum(not self.self_issued(n) for n in path[1:at]) > facts.get("path_length", 99):
                return False
            for below in range(at):
                if (below == 0 or not self.self_issued(path[below])) and not self.names_hold(number, path[below]):
                    return False
        return len(path) == 1 or self.policies_hold([self.certs[n] for n in path[-2::-1]])

    def policies_hold(self, path):
        """6.1.2 to 6.1.5, from the top to the leaf. A level of the tree: nodes (policy, expected, parent)."""
        n = len(path)
        explicit, mapping, inhibit_any = n + 1, n + 1, n + 1
        levels = [[["*", {"*"}, None]]]
        for i, facts in enumerate(path, 1):
            self_issued = facts["subject"] == facts["issuer"]
            levels.append([])
            parents, here = levels[-2], levels[-1]
            named = facts.get("policies", [])
            for policy in (p for p in named if p != "*"):
                matching = [p for p in parents if policy in p[1]]
                for parent in matching or [p for p in parents if p[0] == "*"]:
                    here.append([policy, {policy}, parent])
            if "*" in named and (inhibit_any > 0 or (i < n and self_issued)):
                for parent in parents:
                    for expected in sorted(parent[1]):
                        if not any(node[0] == expected and node[2] is parent for node in here):
                            here.append([expected, {expected}, parent])
            self.prune(levels)
            if explicit == 0 and not levels[-1]:
                return False
            if i < n:
                self.map(levels, facts.get("mappings", []), mapping)
                if not self_issued:
                    explicit, mapping, inhibit_any = max(explicit - 1, 0), max(mapping - 1, 0), max(inhibit_any - 1, 0)
                explicit = min(explicit, facts.get("explicit", explicit))
                mapping = min(mapping, facts.get("inhibit_mapping", mapping))
                inhibit_any = min(inhibit_any, facts.get("inhibit_any", inhibit_any))
        explicit = max(explicit - 1, 0)
        if path[-1].get("explicit") == 0:
            explicit = 0
        return explicit > 0 or bool(levels[-1])

    def map(self, levels, mappings, allowed):
        """6.1.4 (b)"""
        here = levels[-1]
        for policy in sorted({m[0] for m in mappings}):
            targets = {m[1] for m in mappings if m[0] == policy}
            nodes = [node for node in here if node[0] == policy]
            if allowed == 0:
                levels[-1] = here = [node for node in here if node[0] != policy]
            elif nodes:
                for node in nodes:
                    node[1] = set(targets)
            else:
                for node in [node for node in here if node[0] == "*"]:
                    here.append([policy, set(targets), node[2]])
        self.prune(levels)

    @staticmethod
    def prune(levels):
        for depth in range(len(levels) - 2, -1, -1):
            levels[depth] = [node for node in levels[depth] if any(child[2] is node for child in levels[depth + 1])]

    # ---- what the user wants

    def unwanted(self, path):
        found, authorities, anchor = set(), path[1:] or path, path[-1]
        if self.graph["pin"] and not any(self.certs[n]["key"] in self.graph["pin"] for n in path):
            found.add("pin-mismatch")
        if self.graph["allow"] and not any(
                (kind == "spki" and any(self.certs[n]["key"] == value for n in authorities)) or
                (kind == "cert" and value in authorities) or (kind == "issuer" and self.certs[anchor]["subject"] == value)
                for kind, value in self.graph["allow"]):
            found.add("issuer-not-allowed")
        for number, limit in self.graph["limits"]:
            if number == anchor and limit in ("old only", "another address"):
                found.add("anchor-distrusted")
        return found

    def is_named(self, number, in_path):
        """By a disallow entry."""
        facts = self.certs[number]
        for kind, value in self.graph["disallow"]:
            if kind in ("cert", "serial") and value == number:
                return True
            if in_path and ((kind == "spki" and facts["key"] == value) or (kind == "issuer" and facts["issuer"] == value)):
                return True
        return False

    def verdict(self):
        fit = [p for p in self.all_paths() if self.is_fit(p)]
        unwanted = [self.unwanted(p) for p in fit]
        good = [p for p, wrong in zip(fit, unwanted) if not wrong]
        disallowed = (any(self.is_named(n, False) for n in self.graph["presented"] + [self.graph["leaf"]]) or
                      any(self.is_named(n, True) for p in good for n in p))
        beyond = len(self.asked) > CHECKS_MAX or len(fit) > PATHS_MAX
        return {"accepted": bool(good) and not disallowed, "good": len(good), "disallowed": disallowed,
                "unwanted": [] if good else [sorted(wrong) for wrong in unwanted], "beyond": beyond}
