"""The fuzz targets and their stored inputs are whole, and stay small."""
import json
import os
import re

from harness import fuzz
from harness.build import tree_files
from harness.case import case, check, equal

ALL_BYTES = 1024 * 1024  # of all targets: the inputs are replayed in every build, and are in every tarball
TARGET_BYTES = 128 * 1024
TARGET_FILES = 320


def targets(t):
    with open(os.path.join(t.src, "tests/fuzz/local.mk"), encoding="utf-8") as f:
        return sorted(set(re.findall(r"^tests_fuzz_fuzz_(\w+)_SOURCES", f.read(), re.M)))


def stored(t):
    found = {}
    for name in tree_files(t.src):
        parts = name.split("/")
        if parts[:3] == ["tests", "fuzz", "corpus"] and len(parts) == 5:
            found.setdefault(parts[3], []).append(os.path.getsize(os.path.join(t.src, name)))
    return found


def too_large(found):
    """What exceeds its limit."""
    for target, sizes in sorted(found.items()):
        if len(sizes) > TARGET_FILES or sum(sizes) > TARGET_BYTES:
            yield f"{target}: {len(sizes)} files, {sum(sizes)} bytes"
    if sum(map(sum, found.values())) > ALL_BYTES:
        yield f"all: {sum(map(sum, found.values()))} bytes"


@case("every fuzz target has inputs, and every folder of inputs has a target", builds=("gcc",))
def inputs(t):
    equal(sorted(stored(t)), targets(t), "targets with inputs")


@case("the files that each fuzz target is for are known, and are there", builds=("gcc",))
def meant(t):
    equal(sorted(fuzz.MEANT_FOR), targets(t), "targets in tests/harness/fuzz.py")
    files = tree_files(t.src)
    bare = [target for target, pattern in fuzz.MEANT_FOR.items() if not any(re.fullmatch(pattern, f) for f in files)]
    equal(bare, [], "targets for files that do not exist")


@case("the stored inputs stay below their limits", builds=("gcc",))
def small(t):
    equal(list(too_large(stored(t))), [], "folders that are too large: tests/fuzz/make-corpus keeps fewer")


@case("the check of sizes sees a large input, many inputs and a large sum", builds=("gcc",))
def sees(_t):
    equal(list(too_large({"a": [TARGET_BYTES + 1]})), [f"a: 1 files, {TARGET_BYTES + 1} bytes"], "a large input")
    equal(list(too_large({"a": [1] * (TARGET_FILES + 1)})), [f"a: {TARGET_FILES + 1} files, {TARGET_FILES + 1} bytes"], "many inputs")
    check(any(row.startswith("all: ") for row in too_large({str(i): [TARGET_BYTES] for i in range(9)})), "a large sum")
    equal(list(too_large({"a": [1, 2]})), [], "small inputs")


@case("the table of runs names targets alone, and counts them", builds=("gcc",))
def runs(t):
    with open(os.path.join(t.src, "tests/fuzz/runs.json"), encoding="utf-8") as f:
        table = json.load(f)
    equal(sorted(set(table) - set(targets(t))), [], "targets that do not exist")
    for target, engines in table.items():
        for engine, sums in engines.items():
            check(engine == "lines" or (sums["cpu_s"] > 0 and sums["executions"] > 0), f"{target} with {engine}: nothing was run")
