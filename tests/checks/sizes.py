"""The sizes of the product's C: a file is read in one sitting, a function on one screen."""
import os
import re
import statistics

from harness.build import tree_files
from harness.case import case, check

FILE_LINES = 500       # a longer file holds two ideas: split it along the seam between them
FUNCTION_LINES = 60    # from its name to its closing brace: what one screen shows
MEDIAN_LINES = 13      # most functions do one thing

# path, or path and name of a function: why it may be longer. An entry that is no longer needed fails.
LONGER = {}

FUNCTION = re.compile(r"^(\w+)\([^;{}]*\)\n\{\n(?:.*\n)*?\}$", re.M)


def functions(text):
    """Names and lengths of the functions in one file; .clang-format puts name and braces at the start of a line."""
    return [(m.group(1), m.group(0).count("\n") + 1) for m in FUNCTION.finditer(text)]


def product(t, endings):
    for name in tree_files(t.src):
        if name.endswith(endings) and not name.startswith("tests/"):
            with open(os.path.join(t.src, name), encoding="utf-8") as f:
                yield name, f.read()


def too_long(files):
    """What exceeds its limit: the key of the table above, and how long it is."""
    found = {}
    for name, text in files:
        if text.count("\n") > FILE_LINES:
            found[name] = text.count("\n")
        found |= {f"{name} {f}": n for f, n in functions(text) if n > FUNCTION_LINES and name.endswith(".c")}
    return found


@case("no file and no function is longer than its limit", builds=("gcc",))
def lengths(t):
    found = too_long(product(t, (".c", ".h", ".l", ".y", ".def")))
    new = [f"{key}: {n} lines" for key, n in found.items() if key not in LONGER]
    check(not new, f"longer than {FILE_LINES} lines (a file) or {FUNCTION_LINES} (a function): {'; '.join(new)}")
    stale = [key for key in LONGER if key not in found]
    check(not stale, f"no longer too long, delete from the table in checks/sizes.py: {'; '.join(stale)}")


@case("the median function is short", builds=("gcc",))
def median(t):
    lines = [n for _, text in product(t, (".c",)) for _, n in functions(text)]
    check(len(lines) > 1000, f"{len(lines)} functions found")
    check(statistics.median(lines) <= MEDIAN_LINES, f"the median of {len(lines)} functions is {statistics.median(lines)} lines")


@case("the check of sizes sees a long file, a long function and each function once", builds=("gcc",))
def control(_t):
    def function(name, lines):
        return f"static int\n{name}(int a,\n\tint b)\n{{\n" + "\tx();\n" * (lines - 4) + "}\n"

    text = "struct s {\n\tint a;\n};\nint table[] = {\n\t1,\n};\n" + function("one", 5) + "\n" + function("two", FUNCTION_LINES + 1)
    check(functions(text) == [("one", 5), ("two", FUNCTION_LINES + 1)], f"functions: {functions(text)}")
    check(too_long([("base/x.c", text)]) == {"base/x.c two": FUNCTION_LINES + 1}, "a long function was not seen")
    check(too_long([("base/x.h", "\n" * (FILE_LINES + 1))]) == {"base/x.h": FILE_LINES + 1}, "a long file was not seen")
    check(not too_long([("base/x.h", "\n" * FILE_LINES)]), "a file at the limit was refused")
