"""The arrows of the house: who includes whom, which file may know which library, what nobody calls (arrows.txt)."""
import fnmatch
import os
import re

from harness.build import tree_files
from harness.case import case, check, equal

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


class Table:
    def __init__(self, path):
        self.rooms, self.public, self.libraries, self.never, self.banned, self.allow = {}, {}, [], [], [], []
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split("#")[0].split()
                if not words:
                    continue
                kind = words[0]
                if kind == "room":
                    self.rooms[words[1]] = words[3:]
                elif kind == "public":
                    self.public[words[1]] = words[3:]
                elif kind == "library":
                    known = words.index("is")
                    self.libraries.append((words[1], words[2:known], words[known + 3:]))
                elif kind == "never":
                    self.never.append((words[1], words[3:]))
                elif kind == "banned":
                    self.banned += words[1:]
                elif kind == "allow":
                    self.allow.append((words[1], words[3:]))
                else:
                    raise ValueError(f"arrows.txt: {line}")

    def headers(self, word):
        """What a word after "knows" stands for: the public headers of a room, or a pattern."""
        return self.public.get(word, [word])


def any_of(name, patterns):
    return any(fnmatch.fnmatch(name, p) for p in patterns)


def room_of(path, rooms):
    return next((room for room in sorted(rooms, key=len, reverse=True) if path.startswith(room + "/")), None)


def broken_includes(table, path, text, ours):
    """What one file includes and may not."""
    room = room_of(path, table.rooms)
    for quote, header in INCLUDE.findall(text):
        if quote == '"' and header != "config.h":
            if header not in ours and os.path.join(os.path.dirname(path), header) in ours:
                yield f'{path}: includes "{header}": includes are rooted at the top of the tree'
            if room and room_of(header, table.rooms) != room and not any(any_of(header, table.headers(w)) for w in table.rooms[room]):
                yield f"{path}: {room} does not know {header} (rooms and their public headers are in tests/checks/arrows.txt)"
        for library, headers, files in table.libraries:
            if any_of(header, headers) and not any_of(path, files):
                yield f"{path}: may not know {library} ({header})"
        for folder, headers in table.never:
            if path.startswith(folder + "/") and any_of(header, headers):
                yield f"{path}: {folder} never includes {header}"


def unused(table, files):
    """Permissions that no file makes use of; files: path to text."""
    includes = [(path, room_of(path, table.rooms), h) for path, text in files.items() for _, h in INCLUDE.findall(text)]
    product = [(path, room, h) for path, room, h in includes if room != "tests"]
    for room, words in table.rooms.items():
        if room != "tests":
            yield from (f"room {room} knows {w}" for w in words
                        if not any(r == room and any_of(h, table.headers(w)) and room_of(h, table.rooms) != room for _, r, h in product))
    for room, headers in table.public.items():
        yield from (f"public {room} is {pattern}" for pattern in headers
                    if not any(r != room and any_of(h, [pattern]) for _, r, h in product))
    for library, headers, known in table.libraries:
        yield from (f"library {library} is known to {pattern}" for pattern in known
                    if not any(any_of(path, [pattern]) and any_of(h, headers) for path, _, h in includes))
    for name, known in table.allow:
        yield from (f"allow {name} in {pattern}" for pattern in known
                    if not any(any_of(path, [pattern]) and name in calls_in(text) for path, text in files.items()))


def calls_in(text):
    return set(re.findall(r"\b([a-z_][a-z0-9_]*)\s*\(", COMMENT_OR_STRING.sub(" ", text)))


def banned_calls(table, path, text):
    for name in calls_in(text):
        if any_of(name, table.banned) and not any(name == a and any_of(path, files) for a, files in table.allow):
            yield f"{path}: calls {name}"


def sources(t):
    names = [f for f in tree_files(t.src) if f.endswith((".c", ".h", ".l", ".y", ".def"))]
    return {name: open(os.path.join(t.src, name), encoding="utf-8").read() for name in names}


@case("every include goes along an arrow, and every library has its door", builds=("gcc",))
def arrows(t):
    table = Table(os.path.join(t.src, "tests", "checks", "arrows.txt"))
    files = sources(t)
    check(len(files) > 20, "the sources were not found")
    broken = [b for path, text in files.items() for b in broken_includes(table, path, text, files)]
    check(not broken, "\n".join(broken))


@case("no permission in the table of arrows is unused", builds=("gcc",))
def stale(t):
    table = Table(os.path.join(t.src, "tests", "checks", "arrows.txt"))
    left = list(unused(table, sources(t)))
    check(not left, "delete from tests/checks/arrows.txt what nothing uses: " + "; ".join(left))


@case("nobody calls what may not be called", builds=("gcc",))
def calls(t):
    table = Table(os.path.join(t.src, "tests", "checks", "arrows.txt"))
    broken = [b for path, text in sources(t).items() if not path.startswith("tests/") for b in banned_calls(table, path, text)]
    check(not broken, "\n".join(broken))


@case("the check sees a broken arrow, a wrong door, a judge with a clock and a banned call", builds=("gcc",))
def control(t):
    table = Table(os.path.join(t.src, "tests", "checks", "arrows.txt"))
    for path, text in (("verify/x.c", '#include "transport/transport.h"'), ("resolver/x.c", "#include <gnutls/gnutls.h>"),
                       ("verify/x.c", '#include "base/clock.h"'), ("cli/x.c", '#include "resolver/daemon/worker.h"'),
                       ("contrib/lab/x.c", '#include "verify/verify.h"'), ("base/x.c", "#include <jansson.h>"),
                       ("resolver/x.c", '#include "resolver/daemon/worker.h"'), ("config/x.c", '#include "verify/judge.h"'),
                       ("verify/ct/x.c", '#include "verify/judge.h"'), ("cli/x.c", '#include "config/compile.h"')):
        check(list(broken_includes(table, path, text, {})), f"{text} in {path} was not seen")
    check(list(banned_calls(table, "cli/x.c", "x = ldns_resolver_new();")), "ldns_resolver_new was not seen")
    check(not list(banned_calls(table, "cli/x.c", "/* system(x) */ y = file_system(1);")), "a comment was taken for a call")
    for path, text in (("resolver/daemon/x.c", '#include "resolver/plan.h"'), ("config/x.c", '#include "verify/verify.h"')):
        check(not list(broken_includes(table, path, text, {})), f"{text} in {path} was refused")


@case("the check sees permissions that nothing uses", builds=("gcc",))
def stale_control(t):
    table = Table(t.write("arrows.txt", "public a is a/x.h a/y.h\nroom a knows\nroom b knows a c/z.h\nroom c knows a\n"
                          "library l l.h is known to a/* b/*\nallow system in a/*\n"))
    files = {"a/x.c": "#include <l.h>\n", "b/x.c": '#include "a/x.h"\n', "c/x.c": 'system("x");\n'}
    equal(sorted(unused(table, files)), ["allow system in a/*", "library l is known to b/*", "public a is a/y.h",
                                         "room b knows c/z.h", "room c knows a"], "unused")
