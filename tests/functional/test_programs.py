"""The three programs as such: where they lie, what they say of themselves."""
from harness.case import case, check, equal, rows
from harness.pki import Site

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


@case("started as root for a user that is not there ctstubd says so and does not start", netns=True)
def no_such_user(t):
    # anchors of our own: in a user namespace the system's belong to nobody
    config = (f'listen = {{"127.0.0.1:53"}}\nuser = "nobody-of-that-name"\ncontrol-socket = "{t.dir}/control"\n'
              f'trust {{ anchors = "{Site(t).anchors}" }}\n')
    code, _, err = t.run("ctstubd", "-c", t.write("c.conf", config))
    equal(code, 3, "exit code")
    check("there is no user nobody-of-that-name" in err, f"what it says: {err}")
