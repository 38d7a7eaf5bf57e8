"""Files that somebody else put where ours are expected: links, FIFOs, devices, folders, sockets, huge ones. Nothing of that kind is
believed, and none of it keeps the daemon from starting, from a reload, or from its end."""
import json
import os
import signal
import socket
import stat

from harness.case import Skip, case, check, equal, rows, until
from harness.daemon import Daemon, section, upstream, value
from harness.pki import Log, Site, log_list, utc_now
from harness.upstream import DotServer

NOBODY = 65534


def fifo(path, _t):
    os.mkfifo(path, 0o644)


def device(path, _t):
    try:
        os.mknod(path, stat.S_IFCHR | 0o644, os.makedev(1, 5))  # /dev/zero: it would be read without end
    except PermissionError as error:
        raise Skip(f"no devices here: {error}") from error


def folder(path, _t):
    os.mkdir(path)


def unix_socket(path, _t):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.close()


def huge(path, _t):
    with open(path, "wb") as f:
        f.truncate(1 << 40)


def link_to_secret(path, t):
    with open(t.path("secret"), "w", encoding="ascii") as f:
        f.write("root:secret-of-root:1:\n")
    os.chmod(t.path("secret"), 0o600)
    os.symlink(t.path("secret"), path)


def link_to_fifo(path, t):
    os.mkfifo(t.path("elsewhere"), 0o644)
    os.symlink(t.path("elsewhere"), path)


def link_to_itself(path, _t):
    os.symlink(os.path.basename(path), path)


def foreign(path, _t):
    with open(path, "w", encoding="ascii") as f:
        f.write("{}")
    os.chown(path, NOBODY - 1, NOBODY - 1)


def open_to_all(path, _t):
    with open(path, "w", encoding="ascii") as f:
        f.write("{}")
    os.chmod(path, 0o666)


KINDS = [("a FIFO", fifo), ("a device", device), ("a folder", folder), ("a socket", unix_socket), ("a huge file", huge),
         ("a link to a secret file of root", link_to_secret), ("a link to a FIFO", link_to_fifo), ("a link to itself", link_to_itself),
         ("a file of another user", foreign), ("a file that all may write", open_to_all)]


def needs_root():
    if os.geteuid() != 0:
        raise Skip("only root can make files of others")


@rows([(f"state-dir holds {what} instead of the log list: -t, start, reload and exit work without it", make)
       for what, make in KINDS])
def state(t, make):
    needs_root()
    site = Site(t)
    server = DotServer(t, site)
    state_dir = t.path("state")
    os.mkdir(state_dir, 0o755)
    make(os.path.join(state_dir, "ct-logs.json"), t)
    os.chown(state_dir, NOBODY, NOBODY)
    os.chmod(t.dir, 0o755)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, state_dir=state_dir, user="nobody")
    d.ask("a.example.com")
    code, out, err = t.run("ctstubd", "-t", "-c", d.config, timeout=20)
    equal(code, 0, f"exit code of -t; {err}")
    check("secret-of-root" not in out + err, "a secret is shown")
    check("stored log list is not used" in out, f"no warning: {out}")
    d.process.signal(signal.SIGHUP)
    until(lambda: " reloaded " in d.log(), 20, "it reloads")
    check("secret-of-root" not in d.log(), "a secret is in the log")
    equal(d.process.stop(), 0, "exit code at the end")


def head(t, site, server, extra):
    return (f'listen = {{"127.0.0.1:5300"}}\nuser = ""\nstate-dir = ""\n{extra}'
            f'{section("trust", anchors=site.anchors)}{section("ct", mode="off")}{upstream("one", server)}')


OPTIONS = [("trust.disallow-file", lambda f: section("trust", disallow_file=[f])),
           ("trust.constraints-file", lambda f: section("trust", constraints_file=[f])),
           ("trust.anchors", lambda f: section("trust", anchors=f)),
           ("ct.log-list", lambda f: section("ct", log_list=f)),
           ("filter.list-file", lambda f: section("filter", list_file=[f])),
           ("an upstream's trust-anchors", lambda f: section('upstream "two"', address=["127.0.0.2"], trust_anchors=f)),
           ("an upstream's ct-logs", lambda f: section('upstream "two"', address=["127.0.0.2"], ct_logs=f)),
           ("an upstream's disallow-file", lambda f: section('upstream "two"', address=["127.0.0.2"], disallow_file=[f])),
           ("an upstream's crl-file", lambda f: section('upstream "two"', address=["127.0.0.2"], crl_file=[f])),
           ("an upstream's client-cert", lambda f: section('upstream "two"', address=["127.0.0.2"], client_cert=f, client_key=f))]
REFUSED = ("not a regular file", "larger than", "belongs to another user", "can be written by others", "others could have made",
           "Too many levels", "no usable certificate")


@rows([(f"{option} names anything but a file of this user: -t refuses it at once with a reason", block) for option, block in OPTIONS])
def option_file(t, block):
    needs_root()
    site = Site(t)
    server = DotServer(t, site)
    os.chmod(t.dir, 0o755)
    where = t.path("theirs")
    os.mkdir(where)
    os.chown(where, NOBODY, NOBODY)
    code, out, err = t.run("ctstubd", "-t", "-c", t.write("c.conf", head(t, site, server, "")))
    equal(code, 0, f"exit code without the option; {out}{err}")
    for what, make in KINDS:
        path = os.path.join(where, make.__name__)
        for left in ("secret", "elsewhere"):
            if os.path.lexists(t.path(left)):
                os.unlink(t.path(left))
        make(path, t)
        config = t.write("c.conf", head(t, site, server, "") + block(path))
        code, out, err = t.run("ctstubd", "-t", "-c", config, timeout=20)
        equal(code, 2, f"{what}: exit code; {out}{err}")
        check(any(why in err for why in REFUSED), f"{what}: it says {err}")
        check("secret-of-root" not in err, f"{what}: a secret is shown")


@rows([(f"conf.d holds {what}: -t refuses it at once and names it", make) for what, make in KINDS])
def drop_in(t, make):
    needs_root()
    site = Site(t)
    server = DotServer(t, site)
    config = t.write("c.conf", head(t, site, server, ""))
    os.mkdir(t.path("conf.d"))
    os.chown(t.path("conf.d"), NOBODY, NOBODY)
    make(t.path("conf.d/10-bad.conf"), t)
    code, _, err = t.run("ctstubd", "-t", "-c", config, timeout=20)
    equal(code, 2, f"exit code; {err}")
    check("10-bad.conf" in err and any(why in err for why in REFUSED), f"it says {err}")
    check("secret-of-root" not in err, "a secret is shown")


@rows([(f"the hosts file is {what}: questions are answered without it", make) for what, make in KINDS])
def hosts(t, make):
    needs_root()
    site = Site(t)
    server = DotServer(t, site)
    os.mkdir(t.path("theirs"))
    make(t.path("theirs/hosts"), t)
    os.chown(t.path("theirs"), NOBODY, NOBODY)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, extra=f'local {{ hosts-file = {value(t.path("theirs/hosts"))} }}\n')
    d.ask("a.example.com")
    check("secret-of-root" not in d.log(), "a secret is in the log")


@case("a hosts file that is damaged, repaired and damaged again is reported once each time")
def hosts_again(t):
    site = Site(t)
    server = DotServer(t, site)
    path = t.path("hosts")
    d = Daemon(t, upstream("one", server), anchors=site.anchors, extra=f'local {{ hosts-file = {value(path)} }}\n')

    def answered():
        d.ask("a.example.com")  # the file is looked at when there is a question, once a second at most
        return d.log()
    for n in (1, 2):
        os.mkdir(path)
        until(lambda: answered().count("hosts-not-read") >= n, 20, f"complaint {n}")
        os.rmdir(path)
        t.write("hosts", f"192.0.2.{n} good.example\n")
        until(lambda: answered().count("hosts-read") >= n, 20, f"the file is read again {n}")
        os.unlink(path)
    equal(d.log().count("hosts-not-read"), 2, "complaints")


@rows([(f"ct-logs import replaces {what} in state-dir, and writes nowhere else", make) for what, make in KINDS])
def tool_writes(t, make):
    needs_root()
    state_dir = t.path("state")
    os.mkdir(state_dir)
    make(os.path.join(state_dir, "ct-logs.json"), t)
    os.chown(state_dir, NOBODY, NOBODY)
    logs = t.write("new.json", log_list([Log(f"Log {i}", f"Operator {i % 2}") for i in range(6)], utc_now()))
    config = t.write("c.conf", f'state-dir = "{state_dir}"\n')
    code, out, err = t.run("ctstub", "ct-logs", "import", "--force", "-c", config, logs)
    left = sorted(os.listdir(state_dir))
    equal(left, ["ct-logs.json"], f"names in state-dir; {out}{err}")
    if make is folder:
        equal(code, 3, "exit code")
        return
    check(code == 0, f"exit code {code}: {err}")
    check(stat.S_ISREG(os.lstat(os.path.join(state_dir, "ct-logs.json")).st_mode), "no regular file came of it")
    if make is link_to_secret:
        with open(t.path("secret"), encoding="ascii") as f:
            equal(f.read(), "root:secret-of-root:1:\n", "the secret")


@case("the daemon's user owns the control socket and its folder, also after a reload")
def control_owner(t):
    needs_root()
    site = Site(t)
    server = DotServer(t, site)
    os.chmod(t.dir, 0o755)
    run = t.path("run")
    os.mkdir(run, 0o750)
    os.chown(run, NOBODY, NOBODY)
    d = Daemon(t, upstream("one", server), anchors=site.anchors, user="nobody", control_socket=os.path.join(run, "control"))
    at = os.lstat(d.control)
    equal((at.st_uid, stat.S_IMODE(at.st_mode)), (NOBODY, 0o660), "owner and mode")
    check(d.ctl("status")["ok"], "it answers")
    equal(d.process.stop(), 0, "exit code")
    check(not os.path.lexists(d.control), "the socket is left behind")


@case("verify --batch reports a FIFO among the chains and does not wait for it")
def batch(t):
    os.mkdir(t.path("chains"))
    os.mkfifo(t.path("chains/fifo.pem"))
    code, out, err = t.run("ctstub", "verify", "--ip", "192.0.2.1", "--ca", Site(t).anchors, "--json", "--batch", t.path("chains"), timeout=20)
    says = f"{t.path('chains/fifo.pem')}: not a regular file"
    equal((code, json.loads(out), err), (3, {"file": "fifo.pem", "error": says}, f"ctstub verify: {says}\n"), "exit code, line and complaint")
