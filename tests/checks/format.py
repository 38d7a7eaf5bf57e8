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
