"""What documents and manual pages say of the tree is true: paths exist, functions exist, answers are where they point."""
import fnmatch
import os
import re

from harness.build import tree_files
from harness.case import case, check, equal

CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.M | re.S)
FUNCTION = re.compile(r"\b(\w+)\(\)")
BLANK = re.compile(r"(?<![A-Za-z])(X|NAME)(?![A-Za-z])")  # a name that the reader fills in
LIBRARIES = ("gnutls_", "nghttp2_", "ldns_", "event_", "evutil_", "json_")
# names in documents that are of others' trees, or of files that a program writes
ELSEWHERE = {"CTKnownLogs.h", "ct-logs.json", "results.json", "chain.pem", "tls_gnutls.c", "evutil_time.c", "control_accept"}
ENDINGS = (".c", ".h", ".l", ".y", ".def", ".mk", ".py", ".md", ".txt", ".awk", ".pem", ".json", ".am", ".ac")
PROOF = re.compile(r"`([^`\s]+)` has `([^`]+)`")
ANSWERS = 20  # questions of a stranger in docs/recipes.md
EXAMPLE = re.compile(r"^Example: commit ([0-9a-f]{7,40}) added (.+?)\.(?=\s)", re.M)
# A recipe's title in docs/recipes.md, and the files that its steps and its example commit have in common.
RECIPES = {
    "Add an option": "config/settings.h config/options.def config/ctstub.conf.5 contrib/examples/ctstub.conf NEWS tests/unit/config/test_settings.c",
    "Add a reason code": "verify/reasons.def cli/ctstub.1 cli/advice.c docs/interface.md tests/checks/codes.py tests/unit/verify/",
    "Add a verb to ctstub": "cli/cmd_ cli/cli.h cli/verbs.c cli/local.mk cli/ctstub.1 docs/interface.md NEWS tests/functional/",
    "Add a metric": "resolver/counters.def tests/functional/",
    "Add a scenario to the lab": "contrib/lab/scenarios/",
    "Add a fuzz target": "tests/fuzz/fuzz_ tests/fuzz/local.mk tests/fuzz/corpus/",
    "Add a verb to the replay language": "tests/unit/resolver/replay.c tests/unit/resolver/replay_play.h tests/data/replay/README tests/data/replay/",
}


def tree(t):
    return tree_files(t.src)


def read(t, name):
    with open(os.path.join(t.src, name), encoding="utf-8") as f:
        return f.read()


def documents(files):
    return [f for f in files if f.endswith(".md") or os.path.basename(f) in ("README", "NEWS") or re.search(r"\.[1-8]$", f)]


def is_page(name):
    return bool(re.search(r"\.[1-8]$", name))


def paths_in(name, text, tops):
    """What looks like a path of the tree, in backticks or, in a manual page, after .Pa."""
    words = re.findall(r"^\.Pa (\S+)", text, re.M) if is_page(name) else [w for c in CODE.findall(FENCE.sub("", text)) for w in c.split()]
    for word in words:
        path = re.sub(r":\d+$", "", word.strip(".,:;()\"'"))
        if BLANK.search(path) or path in ELSEWHERE:
            continue
        if re.fullmatch(r"\.?[\w.*+/-]+", path) and (path.split("/")[0] in tops if "/" in path else path.endswith(ENDINGS) and not is_page(name)):
            yield path


def exists(path, name, files, folders):
    """A path from the top of the tree or from the document's folder; a name alone may be of any folder."""
    for full in {path.rstrip("/"), os.path.normpath(os.path.join(os.path.dirname(name), path))}:
        if full in files or full in folders or ("*" in full and any(fnmatch.fnmatch(f, full) for f in files)):
            return True
    return "/" not in path and any(fnmatch.fnmatch(os.path.basename(f), path) for f in files)


def folders_of(files):
    return {f[:i] for f in files for i, c in enumerate(f) if c == "/"}


def gone(docs, files):
    """Paths in documents (name to text) that the tree does not have."""
    known, folders = set(files), folders_of(files)
    tops = {f.split("/")[0] for f in files if "/" in f}
    return sorted({f"{name}: {path}" for name, text in docs.items() for path in paths_in(name, text, tops)
                   if not exists(path, name, known, folders)})


def unknown(docs, defined):
    return sorted({f"{name}: {f}()" for name, text in docs.items() if not is_page(name)
                   for code in CODE.findall(FENCE.sub("", text)) for f in FUNCTION.findall(code) if f not in defined | ELSEWHERE and not f.startswith(LIBRARIES) and not BLANK.search(f)})


def defined_in(sources):
    return {f for text in sources for f in re.findall(r"^(?:def |#\s*define )?(\w+)\(", text, re.M)}


@case("every path that a document or manual page names is in the tree", builds=("gcc",))
def paths(t):
    files = tree(t)
    missing = gone({d: read(t, d) for d in documents(files)}, files)
    check(not missing, "not in the tree: " + "; ".join(missing))


@case("every function that a document names with () is defined", builds=("gcc",))
def functions(t):
    files = tree(t)
    defined = defined_in(read(t, f) for f in files if f.endswith((".c", ".h", ".y", ".l", ".py")))
    check(len(defined) > 2000, f"{len(defined)} functions found")
    missing = unknown({d: read(t, d) for d in documents(files)}, defined)
    check(not missing, "not defined: " + "; ".join(missing))


def unproven(text, contents):
    """Claims "`FILE` has `TEXT`" that do not hold; contents gives a file's text or None."""
    return [f"{file}: {words}" for file, words in PROOF.findall(text) if words not in (contents(file) or "")]


@case("the answers of docs/recipes.md are where they point", builds=("gcc",))
def answers(t):
    files, text = set(tree(t)), read(t, "docs/recipes.md")
    wrong = unproven(text, lambda f: read(t, f) if f in files else None)
    check(not wrong, "it is not there: " + "; ".join(wrong))
    rows = [line for line in text.split("## Twenty questions")[1].splitlines() if line.startswith("| ") and "?" in line]
    check(len(rows) >= ANSWERS, f"{len(rows)} questions")
    bare = [row[:60] for row in rows if not PROOF.search(row)]
    check(not bare, "without a place to look: " + "; ".join(bare))


def bad_recipes(text, commit):
    """Recipes without an example that took their steps; commit gives what a commit touched and added, or None."""
    sections = dict(s.split("\n", 1) for s in re.split(r"^## ", text, flags=re.M)[1:])
    for title, steps in RECIPES.items():
        section = sections.get(title, "")
        example = EXAMPLE.search(section)
        found = commit(example.group(1)) if example else None
        if found is None:
            yield f"{title}: no commit as its example"
            continue
        files, added = found
        yield from (f"{title}: {step} is not in the recipe" for step in steps.split() if step not in section)
        yield from (f"{title}: {example.group(1)} does not touch {step}" for step in steps.split() if not any(f.startswith(step) for f in files))
        yield from (f"{title}: {example.group(1)} does not add {name}" for name in CODE.findall(example.group(2)) if name not in added)


@case("each recipe names a commit that took its steps", builds=("gcc",))
def recipes(t):
    def commit(name):
        show = ("git", "-c", f"safe.directory={t.top}", "-C", t.top, "show", "--format=", name)
        code, files, _ = t.run(*show, "--name-only")
        if code != 0:
            return None
        patch = t.run(*show)[1]
        return files.split(), files + "".join(line for line in patch.splitlines(True) if line.startswith("+"))

    text = read(t, "docs/recipes.md")
    if not os.path.exists(os.path.join(t.top, ".git")) or t.run("git", "-C", t.top, "rev-parse", "--is-shallow-repository")[1].strip() == "true":
        equal(len(EXAMPLE.findall(text)), len(RECIPES), "examples of recipes")  # without history they cannot be compared
        return
    wrong = list(bad_recipes(text, commit))
    check(not wrong, "; ".join(wrong))


@case("the README's table of folders has every folder of the top level", builds=("gcc",))
def folders(t):
    tops = {f.split("/")[0] for f in tree(t) if "/" in f and not f.startswith(".")}
    rows = set(re.findall(r"^\| `([\w-]+)/` \|", read(t, "README.md"), re.M))
    check(rows == tops, f"only in the table: {sorted(rows - tops)}, only in the tree: {sorted(tops - rows)}")


def see_also(text):
    """The pages of ctstub that a manual page speaks of, and those in its SEE ALSO, in order."""
    body, _, rest = text.partition(".Sh SEE ALSO\n")
    section, _, after = rest.partition("\n.Sh ")
    page = re.compile(r"^\.(?:It )?Xr (ctstub[\w.-]*) (\d)", re.M)
    return set(page.findall(body + "\n" + after)), page.findall(section)


@case("SEE ALSO of a manual page has every page of ctstub that its text refers to", builds=("gcc",))
def related_pages(t):
    pages = [f for f in tree(t) if is_page(f)]
    check(len(pages) > 6, f"{pages}")
    for name in pages:
        text, listed = see_also(read(t, name))
        own = tuple(os.path.basename(name).rsplit(".", 1))
        check(text - {own} <= set(listed), f"{name}: SEE ALSO lacks {sorted(text - {own} - set(listed))}")
        equal(listed, sorted(listed, key=lambda p: (p[1], p[0])), f"{name}: order by section, then name")


def nested_quotes(text):
    """Lines of a manual page on which a quotation opens inside another: mdoc closes all of them at the end of the line."""
    return [line for line in text.split("\n") if re.match(r"\.(?:.* )?([SDQ]q|Ql) (?:.* )?([SDQ]q|Ql) ", line)]


@case("no quotation of a manual page is inside another", builds=("gcc",))
def quotations(t):
    pages = [name for name in tree(t) if is_page(name)]
    nested = [f"{name}: {line}" for name in pages for line in nested_quotes(read(t, name))]
    check(len(pages) >= 8 and not nested, "\n".join(nested))


@case("ctstubd(8) has every option whose change needs a restart, and no other", builds=("gcc",))
def restart_options(t):
    table = re.search(r"at_start_only\[\] = \{(.*?)\};", read(t, "config/changes.c"), re.S)[1]
    rows = {ident: (section, name) for ident, section, name in re.findall(r'^OPTION\((\w+), (\w+), "([^"]+)"', read(t, "config/options.def"), re.M)}
    want = {name if section == "TOP" else section.lower().replace("_", "-") + "." + name
            for section, name in (rows[ident] for ident in re.findall(r"OPTION_(\w+)", table))}
    sentence = re.search(r"^A change of\n(.*?)^needs a restart", read(t, "resolver/daemon/ctstubd.8"), re.M | re.S)[1]
    check(len(want) > 4, f"the table was not found: {want}")
    equal(set(re.findall(r"[a-z][a-z.-]+", re.sub(r"^or$", "", sentence.replace(".Ic", ""), flags=re.M))), want, "options")


@case("the check of documents sees a path, a function and an answer that are not there", builds=("gcc",))
def control(_t):
    files = ["base/a.c", "docs/x.md", "tests/data/README.md"]
    text = "`base/a.c` `base/b.c` `a.c` `b.c` `data/x` `base/*.c:12` `base/*.h` `GET /base` `docs` ``` `README.md`\n```\n`base/c.c`\n```\n"
    check(gone({"docs/x.md": text}, files) == ["docs/x.md: b.c", "docs/x.md: base/*.h", "docs/x.md: base/b.c"], f"{gone({'docs/x.md': text}, files)}")
    check(gone({"cli/x.1": ".Pa base/a.c\n.Pa base/z.c\n.Pa /etc/x.conf\n.Pa logs.json\n"}, files) == ["cli/x.1: base/z.c"], "a manual page")
    defined = defined_in(["int\none(void)\n{\n}\n#define two(x) x\n", "def three(a):\n    four(a)\n"])
    check(unknown({"x.md": "`one()` `two()`, `three()` then `four()`"}, defined) == ["x.md: four()"], "functions")
    page = ".Sh A\nsee\n.Xr ctstub.conf 5 .\n.Sh SEE ALSO\n.Xr ctstubd 8 ,\n.Xr dig 1\n.Sh B\n.It Xr ctstub 1\n"
    equal(see_also(page), ({("ctstub.conf", "5"), ("ctstub", "1")}, [("ctstubd", "8")]), "related pages")
    claims = "`a` has `int x` `a` has `int y` `b` has `int x`"
    check(unproven(claims, {"a": "int x;"}.get) == ["a: int y", "b: int x"], f"{unproven(claims, {'a': 'int x;'}.get)}")
    recipe = "## Add a metric\nExample: commit 1234567 added `x_y`.\n`resolver/counters.def` `tests/functional/`\n"
    others = len(RECIPES) - 1
    touched = ["resolver/counters.def", "tests/functional/test_x.py"]
    equal(len(list(bad_recipes(recipe, lambda _: (touched, "+x_y")))), others, "a good recipe")
    equal(len(list(bad_recipes(recipe, lambda _: (touched[:1], "+x_y")))), others + 1, "a step that the commit did not take")
    equal(len(list(bad_recipes(recipe, lambda _: (touched, "+x_z")))), others + 1, "a name that the commit did not add")
    equal(len(list(bad_recipes(recipe, lambda _: None))), others + 1, "no such commit")
    nested = ".Pq Ql a , Ql b"
    equal(nested_quotes(f".Ql a ,\n{nested}\n.Pq Ql a\nQl is Ql\n"), [nested], "quotations")
