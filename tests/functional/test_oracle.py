"""The judge against an independent opinion: certificates over the product of what can be wrong, and a model in Python."""
import io
import os
import warnings

from harness.case import case, check

REASONS = """untrusted expired not-yet-valid bad-signature not-a-ca path-too-long name-constraints unknown-critical wrong-usage weak-key
weak-signature ip-mismatch name-mismatch anchor-distrusted issuer-not-allowed pin-mismatch disallowed ct-list-stale ct-malformed ct-no-scts
ct-too-few-scts ct-too-few-operators ct-no-current-log revoked staple-missing crl-invalid chain-too-long""".split()
STATUSES = """malformed wrong-version denied-log unknown-log wrong-algorithm unchecked bad-signature future log-pending log-rejected log-retired
after-distrust no-leaf-index outside-interval duplicate valid""".split()


def agree(t, count, seed):
    warnings.simplefilter("ignore")  # cryptography warns of the SHA-1 that these cases are about
    from oracle import compare
    out = io.StringIO()
    total, wrong, seen = compare.run(t.program("ctstub"), count, seed, out=out)
    check(not wrong, f"{wrong} of {total} differ: {out.getvalue()[:3000]}")
    t.promised(f"0 of {total:,} verdicts differ")
    t.seen.add("reason", [s for s in seen if s in REASONS])
    t.seen.add("status", [s for s in seen if s in STATUSES])
    return seen


@case("A8 ctstub and the model agree on at least 2,000 certificates, which cover every reason and SCT status", builds=("gcc",),
      needs=("ctstub",), timeout=600)
def two_thousand(t):
    seen = agree(t, 2200, 1)
    missing = [code for code in REASONS + STATUSES if code not in seen]
    check(not missing, f"never predicted: {missing}")


@case("A8 ctstub and the model agree on another seed, under the sanitizers", builds=("san",), needs=("ctstub",), timeout=300)
def sanitized(t):
    agree(t, 700 if t.long else 250, 2)


@case("A8 ctstub and the model agree on 20,000 certificates of a new seed", builds=("gcc",), needs=("ctstub",), timeout=3600, long=True)
def many(t):
    agree(t, 20_000, 3)


def graphs_agree(t, count, first):
    warnings.simplefilter("ignore")
    from oracle import graphs_compare
    out = io.StringIO()
    tally = graphs_compare.run(t.program("ctstub"), count, first, out=out)
    check(not tally.wrong, f"{tally.text()}: {out.getvalue()[:3000]}")
    return tally


@case("a brute-force search of all paths confirms the verdicts on 600 random graphs of CAs", builds=("gcc",), needs=("ctstub",), timeout=600)
def graphs(t):
    tally = graphs_agree(t, 600, 1)
    seen = (tally.accepted, tally.disallowed, tally.unwanted, tally.many, tally.beyond)
    check(all(seen), f"a kind of graph did not occur: {tally.text()}")


@case("a brute-force search confirms the verdicts on random graphs of CAs, under the sanitizers", builds=("san",), needs=("ctstub",), timeout=300)
def graphs_sanitized(t):
    graphs_agree(t, 200, 1001)


@case("a brute-force search confirms the verdicts on 10,000 random graphs of CAs", builds=("gcc",), needs=("ctstub",), timeout=3600, long=True)
def many_graphs(t):
    graphs_agree(t, 10_000, 5001)


@case("no altered chain among 2,000 mutations of real chains is accepted", builds=("gcc",), needs=("ctstub",), timeout=600)
def real_chains(t):
    folder = os.path.join(t.src, "tests", "data", "vectors", "resolvers")
    warnings.simplefilter("ignore")
    from oracle import mutations
    out = io.StringIO()
    total, wrong = mutations.run(t.program("ctstub"), folder, 2000, out=out)
    check(total > 2000 and not wrong, f"{wrong} of {total} differ: {out.getvalue()[:3000]}")
