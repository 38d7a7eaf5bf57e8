"""The example configurations: ctstubd takes each, the commented one shows the defaults, and the manual shows the others."""
import os
import re

from functional._common import examples, is_taken
from harness.case import case, check, equal, rows

WHOLE = ("laptop", "fleet", "lab")


def example(t, name):
    with open(os.path.join(t.src, "contrib", "examples", f"{name}.conf"), encoding="utf-8") as f:
        return f.read()


def without_comments(text):
    lines = [re.sub(r"(^|\s+)#( .*)?$", "", line) for line in text.splitlines()]
    return [line for line in lines if line]


@rows([(f"ctstubd -t takes {name}.conf", name) for name in ("ctstub", *WHOLE)], builds=("gcc",))
def taken(t, name):
    is_taken(t, example(t, name))


@case("the commented example with every comment mark removed is a configuration, and has the effect of the defaults", builds=("gcc",))
def defaults(t):
    text = example(t, "ctstub")
    shown = re.sub(r"^(\s*)#(?=[a-z])", r"\1", text, flags=re.M)
    check(shown != text, "no option is at its default")
    _, with_defaults, _ = t.run("ctstubd", "-p", "-c", is_taken(t, shown))
    _, without, _ = t.run("ctstubd", "-p", "-c", is_taken(t, text))
    check(with_defaults, "ctstubd -p printed nothing")
    equal(with_defaults, without, "the effective configuration")


@case("ctstub.conf(5) begins with the laptop, fleet and lab examples, as they are installed", builds=("gcc",))
def in_the_manual(t):
    with open(os.path.join(t.src, "config", "ctstub.conf.5"), encoding="utf-8") as f:
        blocks = examples(f.read())
    for name, block in zip(WHOLE, blocks):
        equal(block.splitlines(), without_comments(example(t, name)), f"the manual's {name}")
