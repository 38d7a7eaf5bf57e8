"""A1: zero wrong answers and zero failures while upstreams flap, clocks jump, addresses change and the configuration is reloaded. The
short form of tests/soak, and the controls that show what it finds."""
import json

from harness import soak, soak_figures
from harness.case import case, check, equal, rows

SEED = 1  # a run that failed is made again with its seed: it is part of the message


def soaked(t, seconds, workers=2, control=None, seed=SEED):
    """(result, sentences that did not hold)"""
    result = soak.Soak(t, seconds, workers, seed, control=control).run()
    return result, soak.failed_checks(result)


def holds(t, seconds, workers):
    result, failed = soaked(t, seconds, workers)
    check(not failed, f"{'; '.join(failed)}; seed {SEED}; {json.dumps(result['examples'][:2])[:1500]}")
    t.promised(f"{result['wrong']} wrong and {result['failed'] + result['lost']} failures of {result['asked']} questions, "
               f"p99 {result['faults']['p99_ms']:.0f} ms in faults")
    check(result["asked"] > 50 * seconds, f"only {result['asked']} questions were asked in {seconds} s")


@rows([("A1 a minute of soak with one worker", 1), ("A1 a minute of soak with two workers", 2)], netns=True, timeout=300)
def minute(t, workers):
    holds(t, 60, workers)


@rows([("A1 ten minutes of soak with one worker", 1), ("A1 ten minutes of soak with two workers", 2)], netns=True, timeout=1200, long=True)
def ten_minutes(t, workers):
    holds(t, 600, workers)


@rows([("A1 the soak finds " + what, *rest) for what, *rest in [
    ("an upstream that gives every hundredth question another name's address", "wrong", 15, "wrong"),
    ("ten seconds without any upstream", "silence", 20, "failed"),
    ("a mebibyte lost with every connection", "leak", 30, "memory"),
    ("four descriptors lost with every connection", "descriptors", 30, "descriptors")]],
      netns=True, builds=("gcc",), threads=False, timeout=200)
def found(t, what, seconds, word):
    result, failed = soaked(t, seconds, control=what)
    hits = [text for text in failed if word in text]
    check(hits, f"{what} was not found: {failed}, {soak.table(result)}")
    t.promised(f"not held: {hits[0]}")


@case("figures: the line through samples and the percentiles are right", builds=("gcc",), threads=False)
def figures(_t):
    equal(round(soak_figures.slope([(x, 3 * x + 7) for x in range(50)]), 9), 3.0, "slope of a line")
    equal(soak_figures.slope([(1, 5)]), 0.0, "slope of one sample")
    h = soak_figures.Histogram()
    for i in range(1, 1001):
        h.add(i / 1000)
    for part in (0.5, 0.99, 0.999):
        check(part <= h.percentile(part) <= 1.05 * part, f"{part}: {h.percentile(part)}")
    equal((h.n, h.most, soak_figures.Histogram().percentile(0.99)), (1000, 1.0, 0.0), "number, longest, nothing")
