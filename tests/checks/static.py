"""tests/static, without the analysers, which take minutes: the list of findings that stay."""
import os
import sys

from harness.case import case, check, equal, rows


def static(t):
    folder = os.path.join(t.src, "tests", "static")
    if folder not in sys.path:
        sys.path[:0] = [folder]
    import justified
    import tools
    return justified, tools


@case("each finding that stays names an analyser, a file of the tree and a line in it, with a reason", builds=("gcc",))
def entries(t):
    justified, tools = static(t)
    known = {tool.name for tool in tools.TOOLS + tools.LONG_TOOLS}
    read = justified.entries_read(os.path.join(t.src, "tests", "static", "justified.txt"))
    check(len(read) < 80, f"a short list is wanted: {len(read)} entries")
    for e in read:
        check(e.tool in known, f"line {e.number}: there is no analyser {e.tool}")
        with open(os.path.join(t.src, e.file), encoding="utf-8") as f:
            check(e.text in f.read(), f"line {e.number}: {e.file} has no {e.text!r}")


@case("a finding without an entry fails, and an entry without a finding", builds=("gcc",))
def judged(t):
    justified, _ = static(t)
    path = t.write("list", "cppcheck uninitvar base/x.c | a = b; | b is set by the caller before\n")
    finding = ("base/x.c", 3, "uninitvar", "Uninitialized variable: b")
    for line, left, stale in (("a = b;", 0, 0), ("a = c;", 1, 1)):
        read = justified.entries_read(path)
        result = justified.judge([finding], read, "cppcheck", lambda _path, _line, line=line: line)
        equal([len(x) for x in result], [left, stale], line)
    equal(len(justified.judge([], justified.entries_read(path), "cppcheck", None)[1]), 1, "stale entries")


@rows([("an entry without a reason is refused", "cppcheck uninitvar base/x.c | a = b;"),
       ("an entry with an empty reason is refused", "cppcheck uninitvar base/x.c | a = b; | ok"),
       ("an entry for every line is refused", "cppcheck uninitvar base/x.c |  | b is set by the caller before"),
       ("an entry without a file is refused", "cppcheck uninitvar | a = b; | b is set by the caller before")], builds=("gcc",))
def refused(t, line):
    justified, _ = static(t)
    try:
        justified.entries_read(t.write("list", line + "\n"))
    except ValueError:
        return
    check(False, "it was read")
