"""RESULTS.md: what a run of the faults beyond verify/ found, for people."""
import datetime

from rooms_table import CAUGHT, EQUIVALENT, SURVIVORS

HEAD = """# Faults of one line beyond verify/

{text}, on {date}.

Made by `tests/run --mutants`; `tests/mutants/run --publish` puts it here. Each fault is one line of `base/`,
`transport/`, `config/`, `resolver/` or `cli/`, changed. `tests/mutants/propose` proposes faults for every file in an
order that a seed decides; of each file one was taken that compiles to something else. A fault counts as caught when the
test in its row fails with it, and passes without it.
"""


def code(text):
    text = text.replace("()", "( )")  # the names of a document's functions are looked up; these are quoted lines
    return "`` " + text.replace("|", "\\|") + " ``" if "`" in text else "`" + text.replace("|", "\\|") + "`"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(r) + " |" for r in rows)])


def text_of(text, said, date):
    parts = [HEAD.format(text=text, date=date)]
    parts.append("## Survivors\n\n" + ("No fault survives.\n" if not SURVIVORS else table(
        ("file", "line", "instead", "the test that would notice"),
        [(f, code(line), code(instead), needed) for f, line, instead, _, needed in SURVIVORS]) + "\n"))
    parts.append("## Set aside\n\nThese proposals change nothing that a caller or a peer could see.\n\n" + table(
        ("file", "line", "instead", "why"), [(f, code(line), code(instead), why) for f, line, instead, why in EQUIVALENT]) + "\n")
    rows = [(f, code(line), code(instead), test if caught else f"**not** {test}")
            for (f, line, instead, _, test), caught in zip(CAUGHT, said.values())]
    parts.append("## Caught\n\n" + table(("file", "line", "instead", "caught by"), rows) + "\n")
    return "\n".join(parts)


def write(path, text, said):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text_of(text, said, datetime.date.today().isoformat()))
