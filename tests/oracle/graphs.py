"""Random graphs of CAs: cross-signs, loops, rollovers, forged edges, twins, limits, pins, allowed issuers and disallow entries.

A graph is facts, as in plan.py: certificates by number with names and keys as letters. What must be said of it is in
graphs_model.py, how it becomes bytes in graphs_forge.py.
"""
import random

NAMES, KEYS, POLICIES = "ABCDEF", "abcdefgh", "12"
HOSTS = ("lab.test", "other.test", "")
CERTIFICATES_MAX = 15  # presented beside the leaf


def chance(draw, percent):
    return draw.random() * 100 < percent


def identifiers(draw):
    """Which key identifiers a certificate has, and whether they are right."""
    return draw.choice(("none", "none", "right", "right", "right", "wrong authority", "no authority", "no subject"))


def policies(draw, rate):
    """What a certificate says about policies; usually nothing. rate: how often, in percent."""
    if not chance(draw, rate):
        return {}
    said = {"policies": sorted({draw.choice(POLICIES + "**") for _ in range(draw.choice((1, 1, 2, 3)))})}
    if chance(draw, 40):
        said["explicit"] = draw.choice((0, 0, 1, 2, 3))
    if chance(draw, 25):
        said["mappings"] = [tuple(draw.sample(POLICIES, 2))]
    if chance(draw, 15):
        said["inhibit_mapping"] = draw.choice((0, 1))
    if chance(draw, 30):
        said["inhibit_any"] = draw.choice((0, 0, 1))
    return said


def limits(draw, lengths=15, names=5):
    """Path lengths and name constraints: mostly none."""
    said = {}
    if chance(draw, lengths):
        said["path_length"] = draw.choice((0, 0, 1, 2))
    if chance(draw, names):
        said["permitted_host"] = draw.choice(HOSTS)
    if chance(draw, names):
        said["excluded_host"] = draw.choice(HOSTS[:2])
    if chance(draw, names):
        said["permitted_name"] = draw.choice(NAMES + "l")
    if chance(draw, names):
        said["excluded_name"] = draw.choice(NAMES + "l")
    return said


def flaws(draw, rate):
    """What makes a certificate unfit by itself."""
    said = {}
    for key in ("expired", "early", "no_ca", "no_key_cert_sign", "clients_only", "unknown_critical"):
        if chance(draw, rate):
            said[key] = True
    return said


def authority(draw, name, key, issuer, issuer_key, said, forged=False):
    """said: what else it says."""
    return {"subject": name, "key": key, "issuer": issuer, "issuer_key": issuer_key, "ids": identifiers(draw), "forged": forged, **said}


def above(draw, cas):
    """An issuer: mostly one that exists, under its own name."""
    issuer = draw.choice(cas)
    return issuer["subject"], issuer["key"] if chance(draw, 95) else draw.choice(KEYS)


def wishes(draw, graph, often):
    """Pins, allowed issuers, disallow entries, limits of anchors, of random nodes."""
    numbers = range(len(graph["certificates"]))
    if chance(draw, often):
        graph["pin"] = [draw.choice(KEYS) for _ in range(draw.choice((1, 1, 2)))]
    if chance(draw, 25):
        graph["allow"] = [draw.choice((("spki", draw.choice(KEYS)), ("cert", draw.choice(numbers)), ("issuer", draw.choice(NAMES))))]
    if chance(draw, often):
        graph["disallow"] = [draw.choice((("spki", draw.choice(KEYS)), ("spki", draw.choice(KEYS)), ("cert", draw.choice(numbers)),
                                          ("serial", draw.choice(numbers)), ("issuer", draw.choice(NAMES))))]
    for number in graph["anchors"]:
        if chance(draw, 15):
            graph["limits"].append((number, draw.choice(("old only", "this address", "another address"))))


def mesh(draw):
    """(certificates, anchors, leaf): CAs that sign whom they like, and the leaf below one of them."""
    dense = chance(draw, 15)  # few names with many keys, or many cross-signs: near the limits
    names = NAMES[:draw.randint(1, 3 if dense else len(NAMES))]
    keys = {name: draw.sample(KEYS, draw.choice((3, 5, 7) if dense else (1, 1, 1, 2, 3))) for name in names}  # two: it renewed its key
    cas = [{"subject": name, "key": key} for name in names for key in keys[name]]
    demanding, rate = draw.choice((0, 0, 0, 70)), draw.choice((0, 2, 8))

    def said(share):
        return {**limits(draw), **flaws(draw, rate * share), **policies(draw, demanding)}
    certificates, anchors = [], []
    for ca in draw.sample(cas, min(len(cas), draw.choice((1, 1, 2, 3)))):  # roots
        anchors.append(len(certificates))
        certificates.append(authority(draw, ca["subject"], ca["key"], ca["subject"], ca["key"], said(0.5)))
    for _ in range(14 if dense else draw.randint(1, 14)):
        ca = draw.choice(cas)
        issuer, issuer_key = above(draw, cas)
        certificates.append(authority(draw, ca["subject"], ca["key"], issuer, issuer_key, said(1), chance(draw, 15)))
    issuer, issuer_key = above(draw, cas)
    leaf = authority(draw, "l" if chance(draw, 95) else issuer, "l", issuer, issuer_key, policies(draw, demanding), chance(draw, 5))
    return certificates, anchors, leaf


def ladder(draw):
    """The same of one way up, about one rule, with few other faults: CAs in a row, some of which renewed their key, and
    here and there another way."""
    theme = draw.choice(("policies", "lengths", "names", "wishes"))

    def said():
        if theme == "policies":
            return policies(draw, 85)
        return limits(draw, 50 if theme == "lengths" else 0, 20 if theme == "names" else 0)
    name, key, certificates = "A", "a", [authority(draw, "A", "a", "A", "a", {} if theme == "policies" else said())]
    anchors = [0]
    for rung in range(draw.randint(1, 5)):
        below = name if chance(draw, 35) else NAMES[min(rung + 1, len(NAMES) - 1)]
        certificates.append(authority(draw, below, KEYS[rung + 1], name, key, said()))
        if chance(draw, 50 if theme == "wishes" else 10):  # another CA signs it as well
            anchors.append(len(certificates))
            certificates.append(authority(draw, "F", "h", "F", "h", said()))
            certificates.append(authority(draw, below, KEYS[rung + 1], "F", "h", said(), chance(draw, 20)))
        name, key = below, KEYS[rung + 1]
    leaf = authority(draw, "l" if chance(draw, 85) else name, "l", name, key, policies(draw, 85) if theme == "policies" else {})
    return certificates, anchors, leaf


def graph_of(seed):
    draw = random.Random(f"graph {seed}")
    certificates, anchors, leaf = (mesh if seed % 2 else ladder)(draw)
    presented = [n for n in range(len(certificates)) if n not in anchors or chance(draw, 20)]
    if chance(draw, 10):
        anchors.append(draw.choice(presented) if presented else anchors[0])  # an intermediate is one
    draw.shuffle(presented)
    presented = presented[:CERTIFICATES_MAX]
    if presented and len(presented) < CERTIFICATES_MAX and chance(draw, 10):
        presented.insert(draw.randrange(len(presented)), draw.choice(presented))
    leaf["leaf"] = True
    graph = {"certificates": certificates + [leaf], "leaf": len(certificates), "presented": presented, "anchors": sorted(set(anchors)),
             "pin": [], "allow": [], "disallow": [], "limits": []}
    if chance(draw, 3):
        graph["anchors"].append(graph["leaf"])
    wishes(draw, graph, 30 if seed % 2 else 50)
    return graph
