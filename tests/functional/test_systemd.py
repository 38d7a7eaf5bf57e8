"""The installed units under the real systemd: a Debian in a container, booted, with the lab on its loopback as the only upstream."""
import shutil

from harness.case import case, check, until
from harness.container import Container, debian_root
from harness.installed import CONFIG, GOOD, answered, ask, configure, doors, install

def reloads(machine):
    """A good change takes effect; a broken one is refused with file and line, and the old configuration stays."""
    configure(machine.root, GOOD + 'local { data = {"box.test. 60 IN A 192.0.2.77"} }\n')
    machine.must("systemctl", "reload", "ctstubd")
    check("192.0.2.77" in machine.must("dig", "+short", "@127.0.0.1", "box.test"), "the reload changed nothing")
    configure(machine.root, GOOD + "nonsense = 1\n")
    code, _ = machine.run("systemctl", "reload", "ctstubd")
    check(code != 0, "systemctl reload took a broken configuration")
    check("nonsense" in machine.journal("ctstubd"), "the journal does not name the mistake")
    check(answered(machine, "@127.0.0.1"), "no answer after a refused reload")


def broken(machine):
    """Started on a broken configuration: clients are refused, not kept waiting, and systemd does not try for ever."""
    configure(machine.root, "nonsense = 1\n")
    machine.run("systemctl", "restart", "ctstubd")
    until(lambda: "connection refused" in ask(machine, "@127.0.0.1")[1], 30, "clients are refused")
    starts = machine.journal("ctstubd").count("nonsense")
    check(starts <= 8, f"{starts} starts on a configuration that was broken")
    check(machine.state("ctstubd") == "failed", f"the unit is {machine.state('ctstubd')}")
    configure(machine.root, GOOD)
    machine.must("systemctl", "restart", "ctstubd")
    doors(machine)


def killed(machine):
    """Three times: the socket keeps what is asked meanwhile."""
    for _ in range(3):
        before = machine.state("ctstubd", "MainPID")
        machine.must("systemctl", "kill", "-s", "KILL", "ctstubd")
        code, out = ask(machine, "@127.0.0.1")
        check("status: NOERROR" in out, f"a question asked after kill -9 was lost ({code}): {out}")
        check(machine.state("ctstubd", "MainPID") not in ("0", before), "there is no new daemon")


@case("the units start, answer, reload, refuse a broken configuration, and recover from kill -9 and a reboot",
      builds=("gcc",), timeout=900)
def whole_life(t):
    root = debian_root(t)
    t.defer(lambda: shutil.rmtree(root, ignore_errors=True))
    install(t, root)
    machine = Container(t, root)
    machine.boot()
    machine.must("systemctl", "enable", "--now", "lab.service", "ctstubd.socket", "ctstubd.service")
    doors(machine)
    reloads(machine)
    configure(root, GOOD)
    killed(machine)
    broken(machine)
    machine.power_off()
    machine.boot()
    doors(machine)
    machine.power_off()
