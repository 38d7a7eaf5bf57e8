"""The installed units under the real systemd: a Debian in a container, booted, with the lab on its loopback as the only upstream."""
import os
import shutil
import subprocess

from harness.case import case, check, until
from harness.container import Container, debian_root

CONFIG = "/usr/local/etc/ctstub/ctstub.conf"
STATUS = ("ctstub", "status", "-c", CONFIG)
LAB = """[Unit]
Description=the lab's good resolver
Before=ctstubd.service
[Service]
ExecStart=/usr/local/bin/ctstub-lab serve good-v4 --listen 127.0.0.1:8853 --pki /var/lib/lab
[Install]
WantedBy=multi-user.target
"""
GOOD = """upstream "lab" {
  address = {"127.0.0.1"}
  port = 8853
  trust-anchors = "/var/lib/lab/anchors.pem"
  ct-logs = "/var/lib/lab/ct-logs.json"
}
"""


def install(t, root):
    """What `make install` puts there, with the lab beside it."""
    done = subprocess.run(["make", "-s", "install", f"DESTDIR={root}"], cwd=t.build, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode()[-800:])
    os.makedirs(f"{root}/var/lib/lab", mode=0o755)
    code, _, err = t.run("ctstub-lab", "pki", f"{root}/var/lib/lab")
    check(code == 0, f"ctstub-lab pki: {err}")
    subprocess.run(["chmod", "-R", "a+rX", f"{root}/var/lib/lab"], check=True)
    with open(f"{root}/etc/systemd/system/lab.service", "w", encoding="utf-8") as f:
        f.write(LAB)
    configure(root, GOOD)


def configure(root, text):
    with open(root + CONFIG, "w", encoding="utf-8") as f:
        f.write(text)


def ask(machine, *words):
    return machine.run("dig", "+tries=1", "+time=5", "www.example.com", "A", *words)


def answered(machine, *words):
    return "status: NOERROR" in ask(machine, *words)[1]


def doors(machine):
    """Both families, both transports; and a daemon that kept nothing it does not need."""
    for words in (("@127.0.0.1",), ("@127.0.0.1", "+tcp"), ("@::1",), ("@::1", "+tcp")):
        until(lambda words=words: answered(machine, *words), 20, f"an answer from {' '.join(words)}: {ask(machine, *words)[1]}"
              f"\n{machine.journal('ctstubd')[-1500:]}")
    pid = machine.state("ctstubd", "MainPID")
    status = machine.must("cat", f"/proc/{pid}/status")
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        check(line in status, f"the daemon's status lacks {line!r}: {status}")
    check(machine.must(*STATUS) != "", "status has nothing to show")


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


@case("a Debian with systemd: the units start, answer, reload, refuse while broken, come back after kill -9 and a reboot",
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
