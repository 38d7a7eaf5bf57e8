"""Shell and Python of the tree: they parse, and the checker of shell scripts finds nothing."""
import ast
import os
import shutil

from harness.build import tree_files
from harness.case import Skip, case, check


def first_line(path):
    with open(path, "rb") as f:
        return f.readline().decode(errors="replace")


def scripts(t, what):
    for name in tree_files(t.src):
        path = os.path.join(t.src, name)
        if name.startswith(("build-aux/", "configure")) or name in ("aclocal.m4", "install-sh"):
            continue
        if first_line(path).startswith("#!") and what in first_line(path):
            yield name, path


@case("every shell script parses", builds=("gcc",))
def shell_parses(t):
    found = 0
    for name, path in scripts(t, "sh"):
        shell = "bash" if "bash" in first_line(path) else "sh"
        code, _, err = t.run(f"/bin/{shell}", "-n", path)
        check(code == 0, f"{name}: {err}")
        found += 1
    check(found >= 2, "the scripts were not found")


@case("shellcheck has nothing to say about the shell scripts", builds=("gcc",))
def shell_checked(t):
    if not shutil.which("shellcheck"):
        raise Skip("shellcheck is not on this machine")
    paths = [path for _, path in scripts(t, "sh")]
    code, out, _ = t.run("shellcheck", "--severity=warning", "--format=gcc", *paths)
    check(code == 0, out.replace(t.src + "/", ""))


@case("pyflakes has nothing to say about the Python files", builds=("gcc",), timeout=900)
def python_checked(t):
    if not shutil.which("pyflakes3"):
        raise Skip("pyflakes3 is not on this machine")
    paths = [os.path.join(t.src, f) for f in tree_files(t.src) if f.endswith(".py")]
    paths += [path for name, path in scripts(t, "python") if not name.endswith(".py")]
    check(len(paths) > 100, f"the Python files were not found: {len(paths)}")
    code, out, _ = t.run("pyflakes3", *paths, timeout=800)
    check(code == 0, out.replace(t.src + "/", ""))
    code, out, _ = t.run("pyflakes3", t.write("faulty.py", "import os\n"))
    check(code == 1, f"pyflakes3 does not see an import that nothing uses: {out}")


@case("every shell script and Python program can be run", builds=("gcc",))
def executable(t):
    bad = [n for n, path in [*scripts(t, "sh"), *scripts(t, "python")] if not os.access(path, os.X_OK)]
    check(not bad, f"not executable: {' '.join(bad)}")


@case("every Python file parses", builds=("gcc",))
def python_parses(t):
    files = [f for f in tree_files(t.src) if f.endswith(".py")]
    check(files, "none was found")
    for name in files:
        with open(os.path.join(t.src, name), encoding="utf-8") as f:
            ast.parse(f.read(), name)
