"""Texts that are lent until so many others were asked for: no statement asks for more of them."""
import os
import re

from harness.build import tree_files
from harness.case import case, check, equal

KEPT = re.compile(r"^#define CONTROL_TEXTS (\d+)$", re.M)
ASKED = re.compile(r"\bcontrol_(?:text|shown)\(")
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def most(text):
    """How many of the texts one statement asks for, at most."""
    return max(len(ASKED.findall(statement)) for statement in STRING.sub('""', text).split(";"))


def read(t, name):
    with open(os.path.join(t.src, name), encoding="utf-8") as f:
        return f.read()


@case("no statement asks for more texts of an answer than are kept", builds=("gcc",))
def kept(t):
    limit = int(KEPT.search(read(t, "cli/control.h")).group(1))
    asked = {name: most(read(t, name)) for name in tree_files(t.src) if name.endswith(".c") and not name.startswith("tests/")}
    check(max(asked.values()) >= 4, "no statement asks for any")
    over = sorted(name for name, n in asked.items() if n > limit)
    check(not over, f"more than {limit}: {', '.join(over)}")


@case("the check of lent texts counts those of one statement, whatever a string holds", builds=("gcc",))
def counted(_):
    equal(most('f(control_text(a, "x"), "; ", control_shown(b)); control_text(c);'), 2, "texts of a statement")
    equal(most("f();"), 0, "texts of none")
