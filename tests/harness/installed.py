"""ctstub as `make install` puts it into a root folder, with the lab's good resolver on loopback as its only upstream."""
import os
import subprocess

from harness.case import check, until
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
    """Installs what `make install` does, and the lab."""
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


def booted(t):
    """A booted Debian of this release whose daemon answers."""
    root = debian_root(t)
    install(t, root)
    machine = Container(t, root)
    machine.boot()
    machine.must("systemctl", "enable", "--now", "lab.service", "ctstubd.socket", "ctstubd.service")
    doors(machine)
    return machine


def configure(root, text):
    with open(root + CONFIG, "w", encoding="utf-8") as f:
        f.write(text)


def ask(machine, *words):
    return machine.run("dig", "+tries=1", "+time=5", "www.example.com", "A", *words)


def answered(machine, *words):
    return "status: NOERROR" in ask(machine, *words)[1]


def doors(machine):
    """Both address families and both transports work, and the daemon has given up all rights that it does not need."""
    for words in (("@127.0.0.1",), ("@127.0.0.1", "+tcp"), ("@::1",), ("@::1", "+tcp")):
        until(lambda words=words: answered(machine, *words), 20, f"an answer from {' '.join(words)}: {ask(machine, *words)[1]}"
              f"\n{machine.journal('ctstubd')[-1500:]}")
    pid = machine.state("ctstubd", "MainPID")
    status = machine.must("cat", f"/proc/{pid}/status")
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        check(line in status, f"the daemon's status lacks {line!r}: {status}")
    check(machine.must(*STATUS) != "", "status has nothing to show")
