"""contrib/quickstart from end to end, in a network of its own that reaches nobody."""
import os
import socket
import subprocess

from harness.case import case, check, equal, until
from harness.patience import patient


def quickstart(t, *options, build=None):
    command = [os.path.join(t.src, "contrib", "quickstart"), "--no-install", *options]
    done = subprocess.run(command, cwd=t.dir, env=t.env(CTSTUB_BUILD=build or t.build), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=patient(300), check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def dig(t, name):
    return t.run("dig", "@127.0.0.1", "-p", "5300", "+tries=1", "+time=5", name)[1]


@case("quickstart answers over TLS, shows the refused impersonator, can run twice, and stops", netns=True, builds=("gcc",), timeout=300)
def all_of_it(t):
    t.defer(lambda: quickstart(t, "--stop"))
    link = t.path("link")  # through which the second call has to find what the first one left running
    os.symlink(t.build, link)
    for options, lab, build in ((("--lab",), True, t.build), ((), False, link)):
        code, out = quickstart(t, *options, build=build)
        equal(code, 0, f"exit code; it said: {out[-600:]}")
        check("using the lab" in out, "it does not say that it uses the lab")
        check(("whether the public resolvers" in out) != lab, "it asks the public resolvers although told to use the lab, or does not")
        check("outcome      accepted" in out and "outcome      refused" in out, "the verdicts")
        check("EDE: 0 (Other): (impostor 127.0.0.1: ct-no-scts)" in out, "the impersonator's reason")
        check("status: NOERROR" in dig(t, "again.example.com"), "it answers after quickstart has ended")
    equal(quickstart(t, "--stop")[0], 0, "exit code of --stop")
    until(lambda: "status:" not in dig(t, "gone.example.com"), 10, "it is gone")


@case("quickstart reports a port in use and leaves nothing running", netns=True, builds=("gcc",), timeout=120)
def port_taken(t):
    t.defer(lambda: quickstart(t, "--stop"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 5300))
        code, out = quickstart(t, "--lab")
    equal(code, 1, "exit code")
    check("ctstubd ended" in out and "127.0.0.1:5300 udp: Address already in use" in out, f"the cause; it said: {out[-300:]}")
    left = [name for name in os.listdir(os.path.join(t.build, "quickstart")) if name.endswith(".pid")]
    equal(left, [], "programs that are left")


@case("quickstart: an unknown option and a port that is not a number are usage errors", builds=("gcc",))
def usage(t):
    equal(quickstart(t, "--nonsense")[0], 2, "exit code")
    for options in (("--port",), ("--port", "dns"), ("--port=",), ("--port", "0"), ("--port", "65536"), ("--port", "99999999999999999999")):
        code, out = quickstart(t, *options)
        equal(code, 2, f"exit code of {options}")
        check("is no port number" in out, f"what is wrong with {options}: {out}")
