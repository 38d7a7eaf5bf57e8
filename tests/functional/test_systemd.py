"""The installed units under the real systemd: a Debian in a container, booted, with the lab on its loopback as the only upstream."""
import json
import os
import re

from harness.case import case, check, equal, until
from harness.installed import CONFIG, GOOD, answered, ask, booted, configure, doors


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
    """Started on a broken configuration: clients hear so, each of them, and systemd does not try for ever."""
    configure(machine.root, "nonsense = 1\n")
    machine.run("systemctl", "restart", "ctstubd")
    for number in range(12):
        words = (("@127.0.0.1",), ("@::1",), ("@127.0.0.1", "+tcp"))[number % 3]
        out = ask(machine, *words)[1]
        check("status: SERVFAIL" in out and "configuration of this resolver is broken" in out, f"question {number} of 12: {out}")
    starts = machine.journal("ctstubd").count("nonsense")
    check(2 <= starts <= 16, f"{starts} starts on a configuration that was broken, for 12 questions")
    until(lambda: machine.state("ctstubd") == "failed", 20, "the unit fails")
    equal(machine.state("ctstubd", "ExecMainStatus"), "2", "exit status")
    configure(machine.root, GOOD)
    machine.must("systemctl", "restart", "ctstubd")
    doors(machine)


def take_unit(machine):
    """What the message of ctstubd tells an administrator to do."""
    machine.must("systemctl", "daemon-reload")
    machine.must("systemctl", "stop", "ctstubd.socket")
    machine.must("systemctl", "restart", "ctstubd")


LISTEN = 'listen = {"127.0.0.1:5353", "[::1]:5353"}\n'
DROP_IN = "[Socket]\nListenStream=\n" + "".join(f"Listen{kind}={address}:5353\n" for kind in ("Datagram", "Stream") for address in ("127.0.0.1", "[::1]"))


def listens(machine):
    """`listen` and the socket unit: a difference is an error of -t, reload and start; a drop-in counts."""
    configure(machine.root, LISTEN + GOOD)
    code, out = machine.run("ctstubd", "-t")
    check(code == 2 and f"{CONFIG}:1: listen has 127.0.0.1:5353, and ctstubd.socket does not listen there" in out, f"-t: {code} {out}")
    check("ctstubd.socket listens on [::1]:53, and listen does not have it" in out, f"-t: {out}")
    machine.must("cp", CONFIG, "/tmp/other.conf")
    equal(machine.run("ctstubd", "-t", "-c", "/tmp/other.conf")[0], 0, "-t of a configuration that no unit names")
    code, _ = machine.run("systemctl", "reload", "ctstubd")
    check(code != 0 and "listen has 127.0.0.1:5353" in machine.journal("ctstubd"), "a reload with another listen")
    check(answered(machine, "@127.0.0.1"), "no answer after it")
    machine.run("systemctl", "restart", "ctstubd")
    until(lambda: machine.state("ctstubd") == "failed", 20, "a start with another listen fails")
    equal(machine.state("ctstubd", "ExecMainStatus"), "2", "exit status")
    os.makedirs(f"{machine.root}/etc/systemd/system/ctstubd.socket.d")
    with open(f"{machine.root}/etc/systemd/system/ctstubd.socket.d/port.conf", "w", encoding="utf-8") as f:
        f.write(DROP_IN)
    machine.must("ctstubd", "-t")
    take_unit(machine)
    until(lambda: answered(machine, "@127.0.0.1", "-p", "5353"), 20, "an answer on the new port")
    os.unlink(f"{machine.root}/etc/systemd/system/ctstubd.socket.d/port.conf")
    configure(machine.root, GOOD)
    take_unit(machine)
    doors(machine)


def administrators(machine):
    """The drop-in for control-group, with the group that Debian has for those who read logs."""
    os.makedirs(f"{machine.root}/etc/systemd/system/ctstubd.service.d", exist_ok=True)
    with open(os.path.join(machine.t.src, "contrib", "systemd", "control-group.conf"), encoding="utf-8") as f:
        text = f.read().replace("SupplementaryGroups=ctstub-admin", "SupplementaryGroups=adm")
    with open(f"{machine.root}/etc/systemd/system/ctstubd.service.d/control-group.conf", "w", encoding="utf-8") as f:
        f.write(text)
    configure(machine.root, GOOD + 'control-group = "adm"\n')
    machine.must("systemctl", "daemon-reload")
    machine.must("systemctl", "restart", "ctstubd")
    owner = machine.must("stat", "-c", "%U:%G %a", "/run/ctstub/control").strip()
    equal(owner, "ctstub:adm 660", "the owner of the control socket")
    for group, want in (("adm", 0), ("games", 3)):
        code, out = machine.run("setpriv", "--reuid=games", "--regid=games", f"--groups={group}", "ctstub", "reload", "-c", CONFIG)
        equal(code, want, f"ctstub reload as a member of {group}: {out}")
    doors(machine)
    os.unlink(f"{machine.root}/etc/systemd/system/ctstubd.service.d/control-group.conf")
    configure(machine.root, GOOD)
    machine.must("systemctl", "daemon-reload")
    machine.must("systemctl", "restart", "ctstubd")


def killed(machine):
    """Three times: the socket keeps what is asked meanwhile."""
    for _ in range(3):
        before = machine.state("ctstubd", "MainPID")
        machine.must("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "ctstubd")
        code, out = ask(machine, "@127.0.0.1")
        check("status: NOERROR" in out, f"a question asked after kill -9 was lost ({code}): {out}")
        check(machine.state("ctstubd", "MainPID") not in ("0", before), "there is no new daemon")


def fields(t, machine):
    """The journal has the fields of each line, and explains it with -x."""
    entry = json.loads(machine.must("journalctl", "-o", "json", "-u", "ctstubd", "CTSTUB_EVENT=started").splitlines()[-1])
    with open(os.path.join(t.src, "base/log_events.def"), encoding="utf-8") as f:
        known = re.search(r'"started", "([0-9a-f]{32})", "([^"]+)"', f.read())
    want = {"MESSAGE_ID": known.group(1), "PRIORITY": "5", "SYSLOG_IDENTIFIER": "ctstubd", "_TRANSPORT": "journal",
            "_SYSTEMD_UNIT": "ctstubd.service", "CTSTUB_UPSTREAMS": "1"}
    equal({k: entry.get(k) for k in want}, want, "the fields of the entry")
    machine.must("journalctl", "--update-catalog")
    check(known.group(2) in machine.must("journalctl", "-x", "-u", "ctstubd", "CTSTUB_EVENT=started"), "journalctl -x explains nothing")


def remembers(machine):
    """The journal has the first acceptance of the lab's address, once, over kills and reboots; its process is up."""
    machine.must("sh", "-c", "grep -lx ctstub-journal /proc/[0-9]*/comm")
    records = json.loads(machine.must("ctstub", "history", "--json"))["records"]
    firsts = [r["address"] for r in records if r["event"] == "first-acceptance"]
    check(firsts and len(firsts) == len(set(firsts)) == len(records), f"history {[(r['event'], r['address']) for r in records]}")


@case("the units start, answer, reload, refuse a broken configuration, and recover from kill -9 and a reboot",
      builds=("gcc",), timeout=900)
def whole_life(t):
    machine = booted(t)
    fields(t, machine)
    reloads(machine)
    configure(machine.root, GOOD)
    listens(machine)
    administrators(machine)
    killed(machine)
    remembers(machine)
    broken(machine)
    machine.power_off()
    machine.boot()
    doors(machine)
    remembers(machine)
    machine.power_off()
