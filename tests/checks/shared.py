"""What threads share is in one table (docs/ARCHITECTURE.md, "What threads share"): each variable of the daemon that can be written,
each atomic field and each lock. tests/run --tsan looks for what was forgotten while it runs."""
import os
import re
import subprocess

from harness.build import tree_files
from harness.case import BAD_OUTPUT, Skip, case, check, equal

PAGE, HEADING = "docs/ARCHITECTURE.md", "## What threads share"
LIBRARIES = ("libbase.a", "libconfig.a", "libverify.a", "libtransport.a", "libresolver.a")
ROOMS = ("base/", "config/", "verify/", "transport/", "resolver/")
WRITABLE = re.compile(r"^[0-9a-f]+ .{7} \.(?:data|bss|tdata|tbss)(?:\.(?!rel\.ro)\S+)?\t[0-9a-f]+\s+(?:\.hidden )?(\S+)$")
ATOMIC = re.compile(r"^\s*(?:static )?(?:_Atomic \w+|atomic_\w+|pthread_(?:mutex|rwlock|spinlock)_t) ([a-z_]\w*)(?=[\[;]| =)", re.M)
# the parser's tables and buffers belong to one reading, in one thread, before any worker starts
MADE = re.compile(r"^(?:yy|reader_yy|config_)\w*$")


def table(text):
    """{name: how it is safe}"""
    rows = {}
    for line in text.partition(HEADING)[2].partition("\n## ")[0].splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`"):
            rows.update({name: cells[2] for name in re.findall(r"`(\w+)`", cells[0])})
    return rows


def listed(t):
    with open(os.path.join(t.src, PAGE), encoding="utf-8") as f:
        return table(f.read())


def writable(listing):
    """Names of variables in a listing of objdump -t; what the linker relocates and then protects is not among them."""
    found = set()
    for line in listing.splitlines():
        m = WRITABLE.match(line)
        if m and not m.group(1).startswith((".", "__")):
            found.add(m.group(1).split(".")[0])
    return found


@case("every variable of the daemon that can be written is in the table of what threads share", builds=("gcc",))
def variables(t):
    sample = ("0000000000000000 l     O .bss\t0000000000000008 shared\n0000000000000008 l     O .data.rel.ro.local\t0000000000000008 table\n"
              "0000000000000000 l     O .rodata\t0000000000000008 fixed\n0000000000000000 g     O .data\t0000000000000004 open.0\n"
              "0000000000000000 l       .tbss\t0000000000000008 own\n")
    equal(writable(sample), {"shared", "open", "own"}, "what is found in a sample")
    found = set()
    for library in LIBRARIES:
        path = os.path.join(t.build, library)
        out = subprocess.run(["objdump", "-t", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout.decode()
        found |= writable(out)
    check({"level_now", "priority"} <= found, f"the scan is blind: {found}")
    missing = sorted(name for name in found - set(listed(t)) if not MADE.match(name))
    check(not missing, f"{PAGE}, \"{HEADING[3:]}\", lacks {missing}")


@case("every atomic field and every lock of the daemon is in the table of what threads share", builds=("gcc",))
def fields(t):
    equal(ATOMIC.findall("\t_Atomic unsigned alive; /* x */\nstatic atomic_int level = 1;\n\tpthread_mutex_t lock;\n\tatomic_store(&x, 1);\n"),
          ["alive", "level", "lock"], "what is found in a sample")
    rows = listed(t)
    text = " ".join([*rows, *rows.values()])
    found = {}
    for name in tree_files(t.src):
        if name.startswith(ROOMS) and name.endswith((".c", ".h")):
            with open(os.path.join(t.src, name), encoding="utf-8") as f:
                found.update({field: name for field in ATOMIC.findall(f.read())})
    check("refs" in found and "stop" in found, f"the scan is blind: {found}")
    missing = {field: name for field, name in found.items() if not re.search(rf"\b{field}\b", text)}
    check(not missing, f"{PAGE}, \"{HEADING[3:]}\", lacks {missing}")


@case("each row of that table is something that exists", builds=("gcc",))
def rows_exist(t):
    with open(os.path.join(t.src, PAGE), encoding="utf-8") as f:
        part = f.read().partition(HEADING)[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    check(len(lines) >= 10, "the table was not found")
    for line in lines:
        names, files, _ = (c.strip() for c in line.strip("|").split("|"))
        sources = "".join(open(os.path.join(t.src, f), encoding="utf-8").read() for f in re.findall(r"`([\w/.]+)`", files))
        gone = [n for n in re.findall(r"`(\w+)`", names) if not re.search(rf"\b{n}\b", sources)]
        check(not gone, f"{gone} is not in {files}")


RACE = """#include <pthread.h>
static int shared;
static void *add(void *arg) { for (int i = 0; i < 100000; i++) shared++; return arg; }
int main(void) { pthread_t a, b; pthread_create(&a, 0, add, 0); pthread_create(&b, 0, add, 0); pthread_join(a, 0); pthread_join(b, 0); return 0; }
"""


@case("A1 a program with a race is reported by ThreadSanitizer, and the harness sees that", builds=("gcc",))
def race_is_seen(t):
    program = t.path("race")
    code, _, err = t.run("cc", "-fsanitize=thread", "-g", "-pthread", "-o", program, t.write("race.c", RACE))
    if code != 0:
        raise Skip(f"no ThreadSanitizer here: {err.splitlines()[-1]}")
    process = t.spawn("race", [program])
    process.popen.wait(60)
    process.expect = None  # what it writes counts, not how it ends
    check(BAD_OUTPUT.search(process.log()) and "ThreadSanitizer: data race" in process.log(), process.log()[:500])
    t.promised("a data race of two threads that add to one variable")
