"""A day of a user: `apt install ./ctstub*.deb && ctstub setup --yes`, names resolve through it, `ctstub setup --undo && apt purge`,
and the machine is as it was, file by file."""
import os
import shutil

from harness.case import check, until
from harness.dhcp import HostileNetwork
from harness.machines import KINDS, PLAIN_FILE, differences, files_of, has_address, machine_of
from harness.outside import CONFIG_FILE, MIRROR, Mirror, Resolver
from harness.tunnel import Tunnel
from package.packages import no_traces

KINDS_HERE = {**{name: kind for name, kind in KINDS.items() if name != "dhcpcd"}, "a plain file": PLAIN_FILE}
APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qy", "-o", "Acquire::Languages=none")


def prepare(resolver, out):
    """What the root has before its first boot: the packages, and in conf.d the lab's resolver instead of the real ones."""
    def install(root):
        for name in os.listdir(out):
            if name.startswith(("ctstub_", "ctstub-lab_", "ctstub-watch_")) and name.endswith(".deb"):
                shutil.copy(os.path.join(out, name), f"{root}/root/{name}")
        os.makedirs(os.path.dirname(root + CONFIG_FILE), exist_ok=True)
        with open(root + CONFIG_FILE, "w", encoding="utf-8") as f:
            f.write(resolver.configuration())
        resolver.put_files(root)
        Mirror.use(root)
    return install


def boot(t, name, suite, out):
    services, files = KINDS_HERE[name]
    network = HostileNetwork(t)
    resolver, mirror = Resolver(t, network), Mirror(t, network)
    machine = machine_of(t, services, files, prepare(resolver, out), suite)
    machine.boot()
    network.plug_in(machine.leader)
    for service in services:
        machine.run("systemctl", "restart", service)
    if not services:
        machine.must("ip", "addr", "add", "192.0.2.50/24", "dev", "host0")
    until(lambda: has_address(machine), 40, f"an address; {machine.run('ip', 'addr')[1][-300:]}{network.log()}")
    return machine, network, resolver, mirror


def used(machine, resolver, mirror):
    """getent, curl and apt reach what they ask for, and the lab's resolver alone was asked."""
    machine.must("getent", "hosts", "www.example.org")
    check("hello-lab" in machine.must("curl", "-sS", "--max-time", "20", f"http://{MIRROR}/Packages"), "curl")
    machine.must(*APT, "update", seconds=120)
    machine.must(*APT, "install", "hello-lab", seconds=120)
    machine.must(*APT, "purge", "hello-lab", seconds=120)
    check(any("hello-lab" in path for path in mirror.asked), f"apt did not ask the mirror: {mirror.asked}")
    for want in ("www.example.org", MIRROR):
        check(want in resolver.asked(), f"the resolver was not asked for {want}: {resolver.asked()}")


def day(t, name, suite, out):
    machine, network, resolver, mirror = boot(t, name, suite, out)
    before = settled(machine)
    debs = sorted("/root/" + f for f in os.listdir(machine.root + "/root") if f.startswith("ctstub_"))
    said = machine.must(*APT, "install", *debs, seconds=180)
    check("answers on 127.0.0.1:53" in said, f"the installation does not tell that it answers: {said}")
    said = machine.must("ctstub", "setup", "--yes", seconds=120)
    check("Done" in said, said)
    network.forget()  # until setup has stopped systemd-resolved, that one asks its neighbours for its own name
    used(machine, resolver, mirror)
    check(network.clear_text() == [], f"left in clear text: {network.clear_text()[:4]}")
    check(machine.run("ctstub", "status")[0] == 0, f"status: {machine.run('ctstub', 'status')[1]}")
    machine.must("ctstub", "setup", "--check")
    if name != "a plain file":  # there, the package's removal undoes it
        machine.must("ctstub", "setup", "--undo")
        with_links(machine, Tunnel(t, machine) if "systemd-networkd" in name else None)
    machine.must(*APT, "purge", "ctstub", seconds=180)
    after = settled(machine)
    check(not differences(before, after), f"different afterwards: {told(before, after)}")
    no_traces(machine, os.path.dirname(os.path.dirname(CONFIG_FILE)))  # the test put it there
    machine.power_off()


LINK_ROWS = ("sh", "-c", "cat /etc/ctstub/conf.d/90-link-tun0.conf 2>/dev/null || :")


def with_links(machine, tunnel):
    """The other form of setup, and back: each file is as it was before. With a tunnel of systemd-networkd its domain is forwarded."""
    before = settled(machine)
    machine.must("ctstub", "setup", "--yes", "--with-links", seconds=120)
    machine.must("getent", "hosts", "links.example.org")
    if tunnel:
        tunnel.up("192.0.2.7", "~corp.example.net")
        until(lambda: 'forward "corp.example.net"' in machine.must(*LINK_ROWS), 40, f"rows of the tunnel: {machine.journal('ctstub-links@*')[-800:]}")
        tunnel.down()
        until(lambda: machine.must(*LINK_ROWS) == "", 40, f"the rows go with the tunnel: {machine.journal('ctstub-links@*')[-800:]}")
    machine.must("ctstub", "setup", "--undo")
    if tunnel:
        tunnel.away()
    after = settled(machine)
    check(not differences(before, after), f"different after setup --with-links and back: {told(before, after)}")


def settled(machine):
    """The files, as soon as they stay the same for a while: services that start write theirs."""
    kept = [files_of(machine)]

    def still():
        machine.run("sleep", "1")
        kept.append(files_of(machine))
        return not differences(kept[-2], kept[-1])
    until(still, 40, "the machine writes no more files")
    return kept[-1]


def told(before, after):
    return [(p, before.get(p), after.get(p)) for p in differences(before, after)][:6]
