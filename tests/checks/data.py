"""The data of tests: every file has its origin in tests/data/README.md, and no test reads what a clone does not have."""
import os
import re

from harness.build import tree_files
from harness.case import case, check, equal

FOLDER = "tests/data/"
ROW = re.compile(r"^\| (`[^|]+`) \|", re.M)
OUTSIDE = re.compile(r"(abs_)?top_srcdir\)?/\.\.|\"\.\.\", \"[a-z]+\"|\.\./shared")


def rows(readme):
    """The files and folders that the tables of the README are about."""
    return [word for cell in ROW.findall(readme) for word in re.findall(r"`([^`]+)`", cell)]


def without_origin(files, known):
    return [f for f in files if not any(f == k or k.endswith("/") and f.startswith(k) for k in known)]


@case("every file of tests/data has its origin in the README there", builds=("gcc",))
def origins(t):
    files = [f[len(FOLDER):] for f in tree_files(t.src) if f.startswith(FOLDER)]
    check(len(files) > 200, f"{len(files)} files found")
    with open(os.path.join(t.src, FOLDER, "README.md"), encoding="utf-8") as f:
        text = f.read()
    known = rows(text)
    tools = [f for f in files if f.endswith(("README.md", ".py")) or "/LICENSE-" in f]
    left = without_origin(sorted(set(files) - set(tools)), known)
    check(not left, f"no row in {FOLDER}README.md: {' '.join(left[:20])}")
    stale = [k for k in known if not any(f == k or f.startswith(k) for f in files)]
    check(not stale, f"rows without a file: {' '.join(stale)}")


@case("no test reads a folder beside the tree", builds=("gcc",))
def inside(t):
    names = [f for f in tree_files(t.src) if f.startswith("tests/") and f.endswith((".c", ".h", ".py", ".mk", "/run")) and f != "tests/checks/data.py"]
    found = []
    for name in names:
        with open(os.path.join(t.src, name), encoding="utf-8") as f:
            found += [f"{name}: {m.group(0)}" for m in OUTSIDE.finditer(f.read())]
    check(not found, "; ".join(found))


@case("the check of data sees a file without origin and a path that leaves the tree", builds=("gcc",))
def control(_t):
    known = rows("| file | x |\n|---|---|\n| `a.txt`, `b/` | y `c` |\n")
    equal(known, ["a.txt", "b/"], "rows")
    equal(without_origin(["a.txt", "b/c", "a.txt2", "c"], known), ["a.txt2", "c"], "without origin")
    for text in ("$(abs_top_srcdir)/../shared", 'os.path.join(t.src, "..", "shared")', "see ../shared/x"):
        check(OUTSIDE.search(text), f"{text} was not seen")
    check(not OUTSIDE.search('os.path.join(os.path.dirname(__file__), "..", "..")'), "the top of the tree was taken for outside")
