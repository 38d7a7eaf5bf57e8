"""The C of the product is laid out as .clang-format says."""
import os
import re
import shutil

from harness.build import tree_files
from harness.case import Skip, case, check

MADE = ("config/grammar.c", "config/grammar.h", "config/lexer.c")  # by bison and flex; in a tarball they are there
ROOMS = ("about/", "base/", "cli/", "config/", "contrib/", "resolver/", "transport/", "verify/")


@case("clang-format has nothing to change in the product", builds=("gcc",))
def formatted(t):
    if not shutil.which("clang-format"):
        raise Skip("clang-format is not on this machine")
    files = [f for f in tree_files(t.src) if f.endswith((".c", ".h")) and f.startswith(ROOMS) and f not in MADE]
    check(len(files) > 100, f"the product was not found: {len(files)} files")
    code, _, err = t.run("/usr/bin/clang-format", "--dry-run", "--Werror", *(os.path.join(t.src, f) for f in files))
    places = re.findall(r"^\S+?([^/\s]+/[^/\s]+:\d+):\d+: error", err, re.M)
    check(code == 0, f"{len(places)} places: {' '.join(sorted(set(places))[:20])}")


TORN = re.compile(r"^[ \t]*((?:static |const )*(?:struct |enum |unsigned |signed )?\w+(?: \w+)?)\n[ \t]+\*{0,2}\w*(?:\[\w*\])*(?: =[^\n]*)?;"
                  r"|^(#define \w+) +\\\n[^\n\\]* /\*", re.M)
WORDS = ("else", "do", "return", "goto")


@case("no declaration and no macro is torn before its name or value by a long comment", builds=("gcc",))
def torn(t):
    for text in ("\tint64_t\n\t    until_ms; /* a long one */\n", "\tint fd\n\t    [2]; /* a long one */\n", "#define MAX   \\\n\t12 /* a long one */\n"):
        check(TORN.search(text), f"not found: {text!r}")
    places = []
    for file in tree_files(t.src):
        if file.endswith((".c", ".h")) and file.startswith(ROOMS) and file not in MADE:
            with open(os.path.join(t.src, file), encoding="utf-8") as f:
                text = f.read()
            places += [f"{file}:{text.count(chr(10), 0, m.start()) + 1}" for m in TORN.finditer(text) if m[2] or m[1].split()[0] not in WORDS]
    check(not places, f"the comment belongs above: {' '.join(places)}")
