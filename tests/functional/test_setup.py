"""`ctstub setup` in a booted Debian whose network has a hostile DHCP server: nothing leaves in clear text afterwards, and undo
leaves no difference."""
import fcntl
import os
import socket
import threading

from harness.case import Skip, case, check, equal, rows, until
from harness.dhcp import SERVER, HostileNetwork
from harness.installed import CONFIG, GOOD, configure, doors, install
from harness.machines import GATHERERS, KINDS, PLAIN_FILE, differences, files_of, has_address, machine_of

SETUP = ("/usr/local/bin/ctstub", "setup", "-c", CONFIG)


def lookups(machine, run):
    """Names that a person's programs look up: of the search domain, of one label, of anybody, of a neighbour."""
    for name in (f"intranet{run}", f"intranet{run}.search.example", f"www{run}.example.com", f"printer{run}.local"):
        machine.run("getent", "ahosts", name, seconds=40)


def start(t, name, services, files, gatherer=None):
    machine = machine_of(t, services, files, lambda root: install(t, root), gatherer=gatherer)
    network = HostileNetwork(t)
    machine.boot()
    network.plug_in(machine.leader)
    for service in services:
        machine.run("systemctl", "restart", service)
    until(lambda: has_address(machine), 40, f"{name}: an address by DHCP; {machine.run('ip', 'addr')[1][-300:]}{network.log()}")
    machine.must("systemctl", "enable", "--now", "lab.service", "ctstubd.socket", "ctstubd.service")
    doors(machine)
    return machine, network


def renew(machine, network, services):
    """A service that starts again and takes a new lease: it writes what the network says."""
    for service in services:
        if service == "dhcpcd":
            machine.must("/sbin/dhcpcd", "--rebind", "host0")
        elif service != "systemd-resolved":
            machine.run("systemctl", "restart", service)
    try:
        until(network.leases, 40, "a new lease")
    except AssertionError as error:
        raise AssertionError(f"{error}: {[machine.journal(service)[-500:] for service in services]}") from error
    until(lambda: has_address(machine), 40, "an address again")


def whole(t, name, services, files, gatherer):
    machine, network = start(t, name, services, files, gatherer)
    until(lambda: lookups(machine, "before") or network.clear_text(), 30, f"{name}: names leak before the setup (negative control)")
    before = files_of(machine)
    code, said = machine.run(*SETUP)
    check(code == 0 and "Nothing was changed" in said, f"{name}: setup without --yes: {code} {said}")
    check(gatherer is None or gatherer in said.partition("\n")[0], f"{name}: not seen: {said}")
    check(not differences(before, files_of(machine)), f"{name}: setup without --yes changed files")
    said = machine.must(*SETUP, "--yes")
    check("Done" in said, f"{name}: {said}")
    network.forget()
    lookups(machine, "after")
    machine.run("sh", "-c", "rm -f /run/dhcpcd/hook-state/resolv.conf/*")  # of before the setup
    renew(machine, network, services)
    lookups(machine, "renewed")
    check(network.clear_text() == [], f"{name}: left in clear text: {network.clear_text()[:4]}")
    check("127.0.0.1" in machine.must("cat", "/etc/resolv.conf"), f"{name}: resolv.conf was written over")
    check(machine.run("getent", "ahosts", "www.example.com")[0] == 0, f"{name}: names do not resolve")
    machine.must(*SETUP, "--check")
    if "dhcpcd" in services:  # its own hook, which names them for a portal window, is skipped now
        code, said = machine.run("setpriv", "--reuid=65534", "--clear-groups", "/usr/local/sbin/ctstub-portal", "-t", "-c", CONFIG)
        check(f"resolver {SERVER}" in said, f"{name}: ctstub-portal does not find the network's resolver: {code} {said}")
    machine.must(*SETUP, "--undo")
    until(lambda: not differences(before, files_of(machine)), 40,
          f"{name}: no difference after undo")
    code, _ = machine.run(*SETUP, "--check")
    check(code == 1, f"{name}: --check after undo is {code}")
    machine.power_off()


def row(name, services, files, gatherer=None):
    @case(f"{name}: after `ctstub setup` a hostile lease gets no name in clear text, and undo leaves no difference",
          builds=("gcc",), timeout=600)
    def one(t):
        whole(t, name, services, files, gatherer)


for title, (running, written) in KINDS.items():
    row(title, running, written)
for title, (kind, program) in GATHERERS.items():
    row(title, *KINDS[kind], program)


@case("setup undoes itself when names do not resolve, and leaves immutable and changed files alone", builds=("gcc",), timeout=600)
def not_locked_out(t):
    machine = machine_of(t, *PLAIN_FILE, lambda root: install(t, root))
    machine.boot()
    before = files_of(machine)
    code, said = machine.run(*SETUP, "--yes")
    check(code == 3 and "nothing was changed" in said, f"without a daemon: {code} {said}")
    machine.must("systemctl", "enable", "--now", "lab.service", "ctstubd.socket", "ctstubd.service")
    doors(machine)
    before = files_of(machine)
    machine.must("mv", "/usr/bin/getent", "/usr/bin/getent.away")  # no program can resolve any more
    code, said = machine.run(*SETUP, "--yes", seconds=120)
    machine.must("mv", "/usr/bin/getent.away", "/usr/bin/getent")
    check(code == 3 and "put back" in said, f"names that do not resolve: {code} {said}")
    check(not differences(before, files_of(machine)), f"after a roll-back: {differences(before, files_of(machine))}")
    interrupted(machine, before)
    if machine.run("chattr", "+i", "/etc/resolv.conf")[0] == 0:
        code, said = machine.run(*SETUP)
        check(code == 0 and "is immutable" in said, f"the plan with an immutable file: {code} {said}")
        code, said = machine.run(*SETUP, "--yes")
        machine.must("chattr", "-i", "/etc/resolv.conf")
        check(code == 3 and "immutable" in said, f"an immutable file: {code} {said}")
    machine.must(*SETUP, "--yes")
    machine.must("sh", "-c", "echo nameserver 192.0.2.99 >/etc/resolv.conf")
    code, said = machine.run(*SETUP, "--undo")
    check(code == 1 and "changed since" in said, f"a file that changed since: {code} {said}")
    check("192.0.2.99" in machine.must("cat", "/etc/resolv.conf"), "undo wrote over a file that had changed")
    configure(machine.root, GOOD)
    machine.power_off()


class Imposter:
    """A program that answers any question on 127.0.0.1:53, as dnsmasq does for the whole machine."""

    def __init__(self, t):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.answer, daemon=True)
        self.thread.start()
        t.defer(self.end)

    def end(self):
        self.ended.set()
        self.thread.join()
        self.socket.close()

    def answer(self):
        self.socket.settimeout(0.1)
        while not self.ended.is_set():
            try:
                question, client = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            answer = question[:2] + b"\x81\x80\x00\x01\x00\x01" + question[6:] + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
            self.socket.sendto(answer, client)


@rows([
    ("the daemon does not run, another program holds its port", None, "ctstubd does not answer on "),
    ("the daemon listens elsewhere, another program holds the port", '"127.0.0.2:53"', "ctstubd does not listen on 127.0.0.1:53"),
    ("the daemon holds the port", '"127.0.0.1:53"', None),
], builds=("gcc",))
def who_answers(t, listen, problem):
    """`setup --check` is not content with any program that answers."""
    text = f'user = ""\ncontrol-socket = "{t.path("control")}"\nstate-dir = "{t.dir}"\nupstream "u" {{ address = {{"192.0.2.1"}} }}\n'
    configuration = t.write("mine.conf", text + 'listen = {"127.0.0.1:53"}\n')
    if listen is not None:
        process = t.spawn("ctstubd", [t.program("ctstubd"), "-c", t.write("daemon.conf", text + f"listen = {{{listen}}}\n")])
        process.wait_log("notice started ", 20)
    if problem is not None:
        Imposter(t)
    code, out, err = t.run("ctstub", "setup", "--check", "-c", configuration)
    equal(code, 1, out + err)  # this machine's own resolv.conf is another one
    found = [line for line in err.splitlines() if "ctstubd does not" in line]
    equal(len(found), 1 if problem else 0, err)
    check(problem is None or problem in found[0], err)


LOCK_FILE = "/run/ctstub-setup.lock"


@case("a second setup at the same time is refused, and changes nothing", builds=("gcc",))
def one_at_a_time(t):
    if os.geteuid() != 0 or not os.access("/run", os.W_OK):
        raise Skip("not root")
    configuration = t.write("mine.conf", f'state-dir = "{t.dir}"\n')
    fd = until(setup_lock, 20, "the lock")
    code, out, err = t.run("ctstub", "setup", "--undo", "-c", configuration)
    os.close(fd)
    check((code, out) == (3, "") and "another `ctstub setup` is running" in err, f"with the lock held: {code} {out} {err}")
    until(lambda: t.run("ctstub", "setup", "--undo", "-c", configuration)[:2] == (0, "Nothing was set up.\n"), 20, "without it")
    until(lambda: not os.path.exists(LOCK_FILE), 20, "no lock is left")


def setup_lock():
    """The lock of setup; None when another test's setup has it, or removed the file meanwhile."""
    fd = os.open(LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    if os.fstat(fd).st_nlink == 0:
        os.close(fd)
        return None
    return fd


def interrupted(machine, before):
    """Names do not resolve, so setup waits; it is told to end, after its terminal went away."""
    machine.must("mv", "/usr/bin/getent", "/usr/bin/getent.away")
    machine.must("sh", "-c", "setsid ctstub setup -c " + CONFIG + " --yes >/tmp/said 2>&1 & echo $! >/tmp/pid")
    until(lambda: "127.0.0.1" in machine.run("cat", "/etc/resolv.conf")[1], 30, "setup has begun")
    for signal in ("-HUP", "-TERM"):
        machine.must("sh", "-c", f"kill {signal} $(cat /tmp/pid)")
    until(lambda: machine.run("sh", "-c", "kill -0 $(cat /tmp/pid)")[0] != 0, 60, "setup ends")
    machine.must("mv", "/usr/bin/getent.away", "/usr/bin/getent")
    check("interrupted: everything is put back" in machine.must("cat", "/tmp/said"), machine.must("cat", "/tmp/said"))
    check(not differences(before, files_of(machine)), f"after an interrupt: {differences(before, files_of(machine))}")


HOSTILE = b"nameserver $(touch /ran)\nsearch `touch /ran` ;touch /ran \"&& touch /ran\n\x00options \x1b[31m\n" + b"search " + b"a." * 32768 + b"\n"


@case("G11 commands, zero bytes and 64 KiB in resolv.conf: nothing of it is run or printed raw, and undo restores every byte",
      builds=("gcc",), timeout=600)
def hostile_file(t):
    machine = machine_of(t, *PLAIN_FILE, lambda root: install(t, root))
    machine.boot()
    machine.must("systemctl", "enable", "--now", "lab.service", "ctstubd.socket", "ctstubd.service")
    doors(machine)
    with open(machine.root + "/etc/resolv.conf", "wb") as f:
        f.write(HOSTILE)
    before = files_of(machine)
    said = machine.must(*SETUP) + machine.must(*SETUP, "--yes")
    check("Done" in said and not set(said) & {"\x00", "\x1b"}, f"{said!r}")
    check(machine.run("getent", "ahosts", "www.example.com")[0] == 0, "names do not resolve")
    configure(machine.root, 'listen = {"127.0.0.1:5300"}\nno-such = 1\n')  # a broken file locks nobody out
    machine.must(*SETUP, "--undo")
    check(not differences(before, files_of(machine)), f"after undo: {differences(before, files_of(machine))}")
    configure(machine.root, GOOD)
    check(machine.run("test", "-e", "/ran")[0] == 1, "a command in the file was run")
    machine.power_off()
