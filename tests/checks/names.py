"""Names of functions in the product: one name is one function, and a name says whose it is."""
import collections
import os
import re

from harness.build import tree_files
from harness.case import case, check, equal

DEFINITION = re.compile(r"^((?:[\w*]+[ \t*]+)*[\w*]+[ \t*]*)\n(\w+)\([^;{}]*\)\n\{\n", re.M)

# Prefixes that are no file's name: of a room as a whole, and of objects that live in a file of another name.
PREFIXES = {
    "base": "ascii base64 base64url buf duration file hash hex msg number pem prefix size span time unicode utf8 walk",
    "cli": "cli setup step",
    "config": "anchors config domain log section string strings upstream value",
    "contrib/lab": "ask misbehaviour path reply strength toyview",
    "contrib/watch": "act batch children fetcher gunzip",
    "resolver": "walk",
    "transport": "tp",
    "verify": "attribute ct ecdsa finding limits log pss vfy",
}

# names that several programs or files define, and why
SHARED = {
    "main": "one a program",
}


def sources(t):
    names = [f for f in tree_files(t.src) if f.endswith(".c") and not f.startswith("tests/")]
    return {name: open(os.path.join(t.src, name), encoding="utf-8").read() for name in names}


def definitions(files):
    """Name to the files that define it, for external functions and for all."""
    external, every = collections.defaultdict(set), collections.defaultdict(set)
    for path, text in files.items():
        for kind, name in DEFINITION.findall(text):
            every[name].add(path)
            if "static" not in kind.split():
                external[name].add(path)
    return external, every


def room_of(path):
    """contrib/lab and contrib/watch are programs of their own; the rooms inside another count as one."""
    return "/".join(path.split("/")[:2 if path.startswith("contrib/") else 1])


def twins(files):
    """Names of external functions that another file defines as well, and names that two files of one room define."""
    external, every = definitions(files)
    for name, places in sorted(every.items()):
        rooms = [room_of(p) for p in places]
        if name not in SHARED and len(places) > 1 and (name in external or len(set(rooms)) < len(rooms)):
            yield f"{name}: {' '.join(sorted(places))}"


def file_prefixes(path):
    """cli/cmd_verify.c is the file of cmd_... and cmd_verify..., of many (waiters_... in waiter.c) and of one (counter_... in counters.c)."""
    words = os.path.splitext(os.path.basename(path))[0].split("_")
    stems = {"_".join(words[:n]) for n in range(1, len(words) + 1)}
    return stems | {s + "s" for s in stems} | {s[:-1] for s in stems if s.endswith("s")}


def strangers(files, table):
    """External functions whose name begins with no file of their room and no row of the table; rows that nothing needs."""
    own, used = collections.defaultdict(set), set()
    for path in files:
        own[room_of(path)] |= file_prefixes(path)
    for name, places in sorted(definitions(files)[0].items()):
        for path in sorted(places):
            words = name.split("_")
            begins = {"_".join(words[:n]) for n in range(1, len(words) + 1)}
            rows = begins & set(table.get(room_of(path), "").split())
            if name in SHARED or begins & own[room_of(path)]:
                continue
            used |= {(room_of(path), r) for r in rows}
            if not rows:
                yield f"{path}: {name}()"
    yield from (f"nothing in {room} needs the row {p}" for room, prefixes in sorted(table.items()) for p in prefixes.split()
                if (room, p) not in used)


@case("an external function has a name of its own, and no two files of a room share one", builds=("gcc",))
def one_name(t):
    files = sources(t)
    check(len(definitions(files)[0]) > 800, "the functions were not found")
    found = list(twins(files))
    check(not found, "several functions of one name: " + "; ".join(found))


@case("an external function's name begins with a file or an object of its room", builds=("gcc",))
def prefixes(t):
    found = list(strangers(sources(t), PREFIXES))
    check(not found, "rename, or add the prefix to the table in checks/names.py: " + "; ".join(found))


def doubles(files):
    """Files of the lab that are called like a file of the product: the lab's are lab_..., so that a name alone says whose it is."""
    product = {os.path.basename(f) for f in files if not f.startswith(("contrib/lab/", "tests/"))}
    return sorted(f for f in files if f.startswith("contrib/lab/") and os.path.basename(f) in product - {"main.c"})


@case("no file of the lab is called like a file of the product", builds=("gcc",))
def lab_files(t):
    files = [f for f in tree_files(t.src) if f.endswith((".c", ".h", ".def"))]
    check(sum(f.startswith("contrib/lab/") for f in files) > 50, "the lab was not found")
    check(not doubles(files), "name it lab_...: " + " ".join(doubles(files)))


@case("the check of names sees twins, strangers and rows that nothing needs", builds=("gcc",))
def control(_t):
    def function(kind, name):
        return f"{kind}\n{name}(int a)\n{{\n}}\n\n"

    files = {"base/a.c": function("int", "a_one") + function("static int", "two") + function("static void", "three"),
             "base/b.c": function("static char *", "two") + function("static int", "a_one"), "cli/c.c": function("static int", "three")}
    equal(list(twins(files)), ["a_one: base/a.c base/b.c", "two: base/a.c base/b.c"], "twins")
    equal(doubles(["contrib/lab/a.c", "contrib/lab/run/a.h", "contrib/lab/main.c", "cli/main.c", "resolver/a.h", "tests/a.c"]),
          ["contrib/lab/run/a.h"], "a file of the lab")
    files = {"base/two_words.c": function("int", "two_x") + function("int", "two_words") + function("int", "twox") + function("int", "obj_free"),
             "base/z.c": function("const char *", "obj_new")}
    equal(list(strangers(files, {"base": "obj spare"})), ["base/two_words.c: twox()", "nothing in base needs the row spare"], "strangers")
    equal(list(strangers(files, {"cli": "obj"})), ["base/two_words.c: obj_free()", "base/z.c: obj_new()", "base/two_words.c: twox()",
                                                  "nothing in cli needs the row obj"], "another room's row")
