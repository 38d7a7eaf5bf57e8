"""No circle among the product's files: what a file includes never leads back to it. A module is a .c file and its .h file."""
import fnmatch
import os
import re

from harness.build import tree_files
from harness.case import case, check

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)

# The modules of a circle (patterns), the most that it may have, and why it is one thing. An entry without a circle fails.
NAMED = []


def module_of(path):
    return os.path.splitext(path)[0]


def graph_of(files):
    """Module to the modules it includes."""
    graph = {module_of(f): set() for f in files}
    for path, text in files.items():
        for header in INCLUDE.findall(text):
            if header in files and module_of(header) != module_of(path):
                graph[module_of(path)].add(module_of(header))
    return graph


def reach(graph, start):
    """Every module that one leads to."""
    seen, todo = set(), [start]
    while todo:
        for module in graph[todo.pop()] - seen:
            seen.add(module)
            todo.append(module)
    return seen


def circles(graph):
    """The sets of modules of which each leads to each other."""
    reached = {m: reach(graph, m) for m in graph}
    return sorted({tuple(sorted(o for o in reached[m] if m in reached[o])) for m in graph if m in reached[m]})


def named(circle):
    return next((i for i, (modules, most, _) in enumerate(NAMED)
                 if len(circle) <= most and all(any(fnmatch.fnmatch(m, p) for p in modules) for m in circle)), None)


def sources(t):
    names = [f for f in tree_files(t.src) if f.endswith((".c", ".h", ".l", ".y")) and not f.startswith("tests/")]
    return {name: open(os.path.join(t.src, name), encoding="utf-8").read() for name in names}


@case("no file of the product includes what includes it again", builds=("gcc",))
def none(t):
    found = circles(graph_of(sources(t)))
    new = [" ".join(c) for c in found if named(c) is None]
    check(not new, "circles: " + "; ".join(new))
    stale = set(range(len(NAMED))) - {named(c) for c in found}
    check(not stale, "no longer a circle, delete from the table in checks/circles.py: " + "; ".join(str(NAMED[i][0]) for i in stale))


@case("the check of circles sees a circle of two and of three, and no circle in a chain", builds=("gcc",))
def control(_t):
    two = {"a/x.c": '#include "a/x.h"\n#include "a/y.h"\n', "a/x.h": "", "a/y.h": '#include "a/x.h"\n'}
    check(circles(graph_of(two)) == [("a/x", "a/y")], f"two: {circles(graph_of(two))}")
    three = {"a/x.h": '#include "a/y.h"\n', "a/y.h": '# include "b/z.h"\n', "b/z.c": '#include "a/x.h"\n', "b/z.h": ""}
    check(circles(graph_of(three)) == [("a/x", "a/y", "b/z")], f"three: {circles(graph_of(three))}")
    chain = {"a/x.c": '#include "a/x.h"\n#include "a/y.h"\n#include <a/z.h>\n', "a/x.h": '#include "a/y.h"\n', "a/y.h": ""}
    check(not circles(graph_of(chain)), f"chain: {circles(graph_of(chain))}")
