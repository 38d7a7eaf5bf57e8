"""The three programs as such: where they lie, what they say of themselves."""
from harness.case import check, equal, rows

PROGRAMS = ("ctstubd", "ctstub", "ctstub-lab")


@rows([(f"{p} --help says how to use it, and succeeds", p) for p in PROGRAMS])
def says_usage(t, program):
    code, out, _ = t.run(program, "--help")
    equal(code, 0, "exit code")
    check("usage" in out.lower(), f"no usage in: {out[:200]}")


@rows([(f"{p} refuses an unknown option with exit code 2", p) for p in PROGRAMS])
def refuses_option(t, program):
    code, out, err = t.run(program, "--no-such-option")
    equal(code, 2, "exit code")
    check(err and not out, "the complaint belongs on standard error")
