"""Examples: ctstubd takes each configuration, the manual shows them, and docs/ARCHITECTURE.md shows what the programs print."""
import json
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


def architecture(t):
    """The indented blocks of docs/ARCHITECTURE.md."""
    with open(os.path.join(t.src, "docs", "ARCHITECTURE.md"), encoding="utf-8") as f:
        text = f.read()
    return ["".join(line[4:] for line in block.splitlines(True)) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]


@case("docs/ARCHITECTURE.md shows what ctstubd -t prints of the two wrong lines of its example", builds=("gcc",))
def trip_of_a_setting(t):
    blocks = architecture(t)
    at = next(i for i, b in enumerate(blocks) if b.startswith("pin = "))
    line = int(re.match(r"ctstub\.conf:(\d+)", blocks[at + 1]).group(1))
    before = ['upstream "one" {', '  address = {"192.0.2.1"}']
    config = t.write("ctstub.conf", "\n" * (line - 1 - len(before)) + "\n".join(before) + "\n" + blocks[at] + "}\n")
    code, _, err = t.run("ctstubd", "-t", "-c", config)
    equal(code, 2, "exit code")
    equal(err.replace("ctstubd: " + t.dir + "/", ""), blocks[at + 1], "what it prints")


@case("docs/ARCHITECTURE.md shows the verdict of ctstub verify on the lab's scenario one-sct", builds=("gcc",))
def trip_of_a_certificate(t):
    blocks = architecture(t)
    shown = next(b for b in blocks if b.startswith('{ "outcome"'))
    expected = json.loads(re.sub(r",\s*\.\.\.\s*}", "}", shown))
    equal(t.run("ctstub-lab", "pki", t.path("lab"))[0], 0, "exit code of ctstub-lab pki")
    code, out, err = t.run("ctstub", "verify", "-c", t.path("lab/conf/one-sct.conf"), "--json", t.path("lab/chains/one-sct.pem"))
    equal(code, 1, f"exit code; {err}")
    verdict = json.loads(out)
    equal({key: verdict[key] for key in expected}, expected, "the verdict")
