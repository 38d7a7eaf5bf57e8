"""tests/mutants is long, so it is not run each time: here its faults are only looked for in the sources."""
import glob
import os
import sys

from harness.case import case, check

STALE_PERCENT = 5  # of the faults beyond verify/: lines that a change has taken may wait for the next whole run


def tables(t):
    sys.path[:0] = [os.path.join(t.top, "tests", "mutants")]
    import rooms_table
    import table
    return table, rooms_table


def found(t, table, file, line, instead):
    """Whether the fault can be put in: its line stands there exactly once."""
    path = os.path.join(t.top, file)
    if not os.path.exists(path) or line == instead:
        return False
    with open(path, encoding="utf-8") as f:
        return len(table.places(line, f.read())) == 1


@case("each fault of tests/mutants has its line in verify/, exactly once")
def lines(t):
    table, _ = tables(t)
    gone = [f"{name} in {file}" for name, file, line, instead, _ in table.MUTANTS
            if not found(t, table, "verify/" + file, line, instead)]
    check(len(table.MUTANTS) >= 30, f"{len(table.MUTANTS)} faults")
    check(not gone, "; ".join(gone))


@case("nearly all faults beyond verify/ have their line, exactly once")
def room_lines(t):
    table, rooms = tables(t)
    rows = rooms.CAUGHT + rooms.SURVIVORS
    gone = [f"{row[0]}: {row[1]}" for row in rows if not found(t, table, *row[:3])]
    check(len(rows) >= 100, f"{len(rows)} faults")
    check(100 * len(gone) <= STALE_PERCENT * len(rows),
          f"{len(gone)} lines have changed, put others in tests/mutants/rooms_table.py (tests/mutants/propose FILE): {'; '.join(gone)}")


@case("nearly all files of the rooms beyond verify/ have a fault")
def room_files(t):
    _, rooms = tables(t)
    have = {row[0] for row in rooms.CAUGHT + rooms.SURVIVORS + rooms.EQUIVALENT}
    folders = {os.path.dirname(file) for file in have}
    files = {os.path.relpath(f, t.top) for folder in folders for f in glob.glob(os.path.join(t.top, folder, "*.c"))}
    without = sorted(files - have - {file for file, _ in rooms.WITHOUT})
    check(len(folders) >= 8, f"the faults are in {sorted(folders)} alone")
    check(100 * len(without) <= STALE_PERCENT * len(files), f"no fault in {', '.join(without)}")


@case("the test that a fault beyond verify/ names exists")
def room_tests(t):
    _, rooms = tables(t)
    gone = []
    for test in sorted({row[4] for row in rooms.CAUGHT}):
        kind, _, name = test.removeprefix("san:").partition("/")
        path = f"tests/unit/{name}.c" if kind == "unit" else f"tests/functional/test_{kind}.py"
        if not os.path.exists(os.path.join(t.top, path)):
            gone.append(test)
    check(not gone, "; ".join(gone))


@case("the tree of the faults runs a step of a build, and says which one failed", builds=("gcc",))
def steps(t):
    tables(t)
    from harness.build import BuildError
    from scratch import Scratch
    scratch = Scratch(t.top, t.dir)
    scratch.step("good", ["true"], t.dir)
    try:
        scratch.step("bad", ["false"], t.dir)
    except BuildError as error:
        check("false" in str(error), str(error))
        return
    check(False, "a step that fails is no BuildError")
