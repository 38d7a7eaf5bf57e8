"""What is installed and where, the units and how exposed they are, and the tree as a tarball."""
import fnmatch
import os
import re
import shutil
import subprocess

from harness.case import Skip, case, check, equal, rows

EXAMPLES = ("ctstub", "fleet", "lab", "laptop")


def install(t):
    """make install into a folder; that folder."""
    to = t.path("root")
    done = subprocess.run(["make", "-s", "install", f"DESTDIR={to}"], cwd=t.build, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode()[-800:])
    return to


def installed(root):
    return sorted(os.path.relpath(os.path.join(folder, f), root) for folder, _, files in os.walk(root) for f in files)


@case("make install puts programs, manual pages, configuration and units in place", builds=("gcc",))
def installs(t):
    files = installed(install(t))
    for want in ("usr/local/sbin/ctstubd", "usr/local/sbin/ctstub-portal", "usr/local/share/man/man8/ctstub-portal.8",
                 "usr/local/lib/systemd/system/ctstub-portal.service", "usr/local/lib/systemd/system/ctstub-portal.socket",
                 "usr/local/sbin/ctstub-watch", "usr/local/share/man/man8/ctstub-watch.8",
                 "usr/local/lib/systemd/system/ctstub-watch.service", "usr/local/lib/systemd/system/ctstub-watch-reload.path",
                 "usr/local/bin/ctstub", "usr/local/bin/ctstub-lab", "usr/local/etc/ctstub/ctstub.conf",
                 "usr/local/share/man/man8/ctstubd.8", "usr/local/share/man/man1/ctstub.1", "usr/local/share/man/man1/ctstub-lab.1",
                 "usr/local/share/man/man5/ctstub.conf.5", "usr/local/share/man/man5/ctstub-disallow.5", "usr/local/lib/systemd/system/ctstubd.service",
                 "usr/local/lib/systemd/system/ctstubd.socket", "usr/local/lib/systemd/catalog/ctstub.catalog", "usr/local/lib/sysusers.d/ctstub.conf",
                 "usr/local/lib/tmpfiles.d/ctstub.conf", *(f"usr/local/share/doc/ctstub/examples/{name}.conf" for name in EXAMPLES),
                 *(f"usr/local/lib/systemd/system/ctstub-{unit}" for unit in ("ct-logs-retry.timer", "audit-retry.timer", "watch-pull.timer",
                                                                              "links.path", "links.timer", "links@.service")),
                 "usr/local/share/ctstub/links-hook",
                 "usr/local/share/doc/ctstub/laptop/README.md", "usr/local/share/doc/ctstub/laptop/networkmanager-captive.sh",
                 # what manual pages and units name
                 "usr/local/share/doc/ctstub/logrotate", "usr/local/share/doc/ctstub/systemd/bind-itself.conf",
                 "usr/local/share/doc/ctstub/systemd/control-group.conf", "usr/local/share/ctstub/lab/adapters/README.md",
                 "usr/local/share/doc/ctstub/ctstub.spdx.json"):
        check(want in files, f"{want} is not installed; installed are {files}")

# Where the Debian package has what the default --prefix puts elsewhere, and what debhelper makes under names of its own.
IN_PACKAGE = (("usr/local/etc/", "etc/"), ("usr/local/lib/systemd/system/", "${env:SYSTEM_UNITS}/"),
              ("usr/local/share/zsh/site-functions/", "usr/share/zsh/vendor-completions/"), ("usr/local/", "usr/"))
BY_DEBHELPER = ("usr/lib/sysusers.d/", "usr/lib/tmpfiles.d/")


def packages_with(path, rows_of):
    """The packages of which a row of NAME.install names the path or a folder above it."""
    parts = path.split("/")
    heads = ["/".join(parts[:i + 1]) for i in range(len(parts))]
    return sorted(name for name, patterns in rows_of.items()
                  if any(head.count("/") == p.count("/") and fnmatch.fnmatchcase(head, p) for p in patterns for head in heads))


@case("each file of make install is in exactly one Debian package", builds=("gcc",))
def one_package(t):
    folder, rows_of = os.path.join(t.src, "contrib", "debian"), {}
    for name in os.listdir(folder):
        if name.endswith(".install"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                rows_of[name[:-8]] = [line.split()[0] for line in f if line.strip()]
    wrong = {}
    for path in installed(install(t)):
        for old, new in IN_PACKAGE:
            if path.startswith(old):
                path = new + path[len(old):]
                break
        found = packages_with(path, rows_of)
        if not path.startswith(BY_DEBHELPER) and len(found) != 1:
            wrong[path] = found
    equal(wrong, {}, "files, and the packages that have them")


@case("make install leaves a configuration alone that is there", builds=("gcc",))
def keeps_configuration(t):
    mine = t.write("root/usr/local/etc/ctstub/ctstub.conf", "# mine\n")
    install(t)
    with open(mine, encoding="utf-8") as f:
        equal(f.read(), "# mine\n", "the configuration")


@case("the configuration that is installed changes nothing", builds=("gcc",))
def default_configuration(t):
    ours = os.path.join(t.src, "contrib", "ctstub.conf")
    code, _, err = t.run("ctstubd", "-t", "-c", ours)
    equal(code, 0, f"ctstubd -t: {err}")
    _, with_file, _ = t.run("ctstubd", "-p", "-c", ours)
    _, without, _ = t.run("ctstubd", "-p", "-c", t.write("empty.conf", ""))
    equal(with_file, without, "the effective configuration")


def names_folder(content, folder):
    """Does the content name this folder, or a file in it, by its whole path? /src is not named by /usr/src nor by ../src."""
    return re.search(rb"(?<![\w./~%+-])" + re.escape(folder.encode()) + rb"(?![\w.~%+-])", content) is not None


@rows([
    ("a source file in it", "/src", b"\0/src/verify/cert.c\0", True),
    ("the folder alone", "/src", b"\0/src\0", True),
    ("in quotes", "/src", b'ExecStart="/src/ctstubd"', True),
    ("after an equals sign", "/src", b"prefix=/src/build\n", True),
    ("at the very start and end", "/src", b"/src", True),
    ("a longer folder", "/home/a/ctstub", b"x /home/a/ctstub/base/log.c", True),
    ("a folder of that name elsewhere", "/src", b"\0/usr/src/linux\0", False),
    ("a path from another folder", "/src", b"\0../src/cert.c\0", False),
    ("a path below a relative folder", "/src", b"\0./src/cert.c\0", False),
    ("a URL", "/src", b"https://example.org/src/list.h", False),
    ("a longer name", "/src", b"\0/srcfiles\0", False),
    ("a name with a dot", "/src", b"\0/src.tar\0", False),
    ("a directive of a page", "/src", b"img-src 'self'", False),
])
def folder_named(t, folder, content, named):
    equal(names_folder(content, folder), named, f"{content} names {folder}")


@rows([("no program and no unit knows the folder it was built in", None),
       ("no program and no unit names a clone in /src", "/src")], builds=("gcc",))
def no_build_paths(t, folder):
    root = install(t)
    for name in installed(root):
        with open(os.path.join(root, name), "rb") as f:
            content = f.read()
        # Debugging information names source folders, and is stripped by packagers.
        if content.startswith(b"\x7fELF"):
            stripped = t.path("stripped")
            subprocess.run(["strip", "-o", stripped, os.path.join(root, name)], check=True)
            with open(stripped, "rb") as f:
                content = f.read()
        check(not names_folder(content, folder or t.top), f"{name} names {folder or t.top}")


# (unit, drop-in, what systemd-analyze may rate it). capset costs 0.1 where a program drops its capabilities itself.
EXPOSURES = [("ctstubd.service", None, 1.2), ("ctstubd.service", "egress.conf", 1.1), ("ctstubd.service", "bind-itself.conf", 1.6),
             ("ctstubd.service", "control-group.conf", 1.4), ("ctstub-portal.service", None, 1.2), ("ctstub-watch.service", None, 1.2),
             ("ctstub-watch-pull.service", None, 1.1), ("ctstub-ct-logs.service", None, 1.1), ("ctstub-audit.service", None, 1.1),
             ("ctstub-metrics.service", None, 1.1), ("ctstub-links@.service", None, 1.3), ("ctstub-reload.service", None, 0.2)]


def unit_text(t, unit, drop_in):
    """systemd-analyze --offline reads one file; a drop-in is what comes after it."""
    text = ""
    for path in [os.path.join(t.build, "contrib", "systemd", unit)] + ([os.path.join(t.src, "contrib", "systemd", drop_in)] if drop_in else []):
        with open(path, encoding="utf-8") as f:
            text += f.read() + "\n"
    return text


def exposure_of(t, name, text):
    path = t.write(name, text)
    out = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", path], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False).stdout.decode()
    rated = re.search(r"Overall exposure level for \S+: ([0-9.]+)", out)
    if not rated:
        raise Skip(f"systemd-analyze says: {out.strip()[-200:]}")
    return float(rated.group(1))


@rows([(f"systemd-analyze rates {unit}{' with ' + drop_in if drop_in else ''} at {most} or less", unit, drop_in, most)
       for unit, drop_in, most in EXPOSURES], builds=("gcc",))
def exposure(t, unit, drop_in, most):
    t.program("systemd-analyze")
    rated = exposure_of(t, unit, unit_text(t, unit, drop_in))
    check(rated <= most, f"{unit} with {drop_in}: {rated}")


@case("each unit has its rating in the table, and capset alone stands between ctstubd.service and 1.1", builds=("gcc",))
def exposure_table(t):
    t.program("systemd-analyze")
    units = {name for name in os.listdir(os.path.join(t.build, "contrib", "systemd")) if name.endswith(".service")}
    equal({unit for unit, _, _ in EXPOSURES}, units, "units in the table")
    text = unit_text(t, "ctstubd.service", None)
    without = text.replace("SystemCallFilter=capset seccomp\n", "SystemCallFilter=seccomp\n")
    check(text != without, "the unit no longer allows capset")
    equal(exposure_of(t, "ctstubd.service", without), 1.1, "without capset")


@case("systemd-analyze finds nothing wrong with the units", builds=("gcc",))
def units_verify(t):
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not on this machine")
    folder = t.path("units")
    os.makedirs(folder)
    units = []
    for where in (os.path.join(t.build, "contrib", "systemd"), os.path.join(t.src, "contrib", "systemd")):
        for name in os.listdir(where):
            if name.endswith((".service", ".socket", ".timer", ".path")):
                with open(os.path.join(where, name), encoding="utf-8") as f:
                    text = re.sub(r"/usr/local/(?:s?bin/ctstub(?:d|-watch|-portal)?|share/ctstub/links-hook)", "/bin/true", f.read())
                with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                    f.write(text)
                units.append(os.path.join(folder, name))
    check(len(units) >= 4, f"units found: {units}")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    ours = [line for line in done.stdout.decode().splitlines() if "ctstub" in line]
    if "Failed to" in done.stdout.decode() and not ours:
        raise Skip(done.stdout.decode().strip()[-200:])
    check(not ours, "\n".join(ours))


@case("the tree builds from a plain copy without .git and without options", builds=("gcc",), timeout=600)
def plain_copy(t):
    # t.src is such a copy and has been through autoreconf and configure; what is left to prove is that nothing is missing
    # in `make dist`, which distcheck does, and that configure without any option is content.
    if os.path.exists(os.path.join(t.src, ".git")):
        raise Skip("the sources are a clone; tests/run checks its copy of them")
    folder = t.path("plain")
    os.makedirs(folder)
    done = subprocess.run([os.path.join(t.src, "configure"), "-q"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode()[-500:])


@case("the packages' descriptions have the form that Debian Policy 5.6.13 asks for", builds=("gcc",))
def descriptions(t):
    with open(os.path.join(t.src, "contrib/debian/control"), encoding="utf-8") as f:
        found = re.findall(r"^Package: (\S+)\n(?:[^\n]+\n)*?Description: (.*)\n((?: .*\n)+)", f.read(), re.M)
    equal([name for name, _, _ in found], ["ctstub", "ctstub-lab", "ctstub-watch"], "packages with a description of several lines")
    bad = [f"{name}: {synopsis}" for name, synopsis, _ in found if len(synopsis) > 80 or synopsis.endswith(".") or synopsis.startswith(name)]
    bad += [f"{name}: {line}" for name, _, text in found for line in text.splitlines()
            if not re.fullmatch(r" (\.|[^ .].{0,79})", line) or line != line.rstrip()]
    equal(bad, [], "lines of another form (two spaces mean: print this as it is)")


@case("contrib/debian/build names the program and all packages that it lacks", builds=("gcc",))
def package_build_lacks(t):
    folder, out = t.path("bin"), t.path("out")
    os.makedirs(folder)
    for program in ("sh", "dirname", "mkdir", "mktemp", "rm", "sed", "cat", "tr", "grep"):
        os.symlink(shutil.which(program), os.path.join(folder, program))
    code, said, err = t.run(os.path.join(t.src, "contrib/debian/build"), "--out", out, env=t.env(PATH=folder))
    wanted = ("dpkg-buildpackage is not installed", "build-essential debhelper", "libgnutls28-dev", "zlib1g-dev")
    equal((code, [text for text in wanted if text not in err]), (1, []), f"{said}{err}")
    equal(os.listdir(out), [], "files that it left")


HOLDS = "ctstub: cannot listen on 127.0.0.1:53 and [::1]:53; the service does not run."
ADVICE = "ctstub: systemctl stop ctstubd.service && systemctl start ctstubd.service"
LOOK = "ctstub: 'ss -lnup sport = 53' shows which program holds the port."
CHILD = "ctstub: NetworkManager's own dnsmasq runs and may hold the port"
ACTIVE = "ctstub: these services are active and may hold the port:"
ALONE = "ctstub: the service runs, without ctstubd.socket"
DISABLED = "ctstub: the service is disabled: systemctl enable --now ctstubd.socket ctstubd.service"
SAYS = (HOLDS, LOOK, CHILD, ACTIVE, ALONE, DISABLED)


@rows([(f"what the package's installation says is in the way: {name}", *row) for name, *row in (
    ("nothing", ("ctstubd.socket",), None, ["ctstub: answers on 127.0.0.1:53 and [::1]:53"]),
    ("a daemon that binds by itself, bind-itself.conf", ("ctstubd.service",), None, [ALONE]),
    ("a service that somebody disabled", ("disabled", "unbound.service"), None, [DISABLED]),
    ("a program that nobody knows", (), None, [HOLDS, LOOK]),
    ("systemd-resolved and unbound", ("systemd-resolved.service", "unbound.service"), None, [HOLDS, f"{ACTIVE} systemd-resolved unbound"]),
    ("BIND, which has two names", ("named.service", "bind9.service"), None, [HOLDS, f"{ACTIVE} named"]),
    ("the first instance of knot-resolver", ("kresd@1.service",), None, [HOLDS, f"{ACTIVE} kresd@1"]),
    ("NetworkManager's own dnsmasq", ("NetworkManager.service",), "alive", [HOLDS, CHILD]),
    ("NetworkManager's own dnsmasq, long ended", (), "ended", [HOLDS, LOOK]),
    ("a file without a number", (), "", [HOLDS, LOOK]))], builds=("gcc",))
def who_holds_the_port(t, active, child, want):
    os.makedirs(t.path("run/systemd/system"))
    os.makedirs(t.path("run/NetworkManager"))
    if child is not None:
        ended = subprocess.Popen(["true"])
        ended.wait()
        with open(t.path("run/NetworkManager/dnsmasq.pid"), "w", encoding="ascii") as f:
            f.write({"alive": f"{os.getpid()}\n", "ended": f"{ended.pid}\n"}.get(child, child))
    with open(t.path("systemctl"), "w", encoding="ascii") as f:
        f.write(f'#!/bin/sh\nfor unit; do :; done\ncase "$*" in *is-enabled*) exit {int("disabled" in active)};; esac\n'
                f'case " {" ".join(active)} " in *" $unit "*) exit 0;; esac\nexit 3\n')
    os.chmod(t.path("systemctl"), 0o755)
    with open(os.path.join(t.src, "contrib/debian/ctstub.postinst"), encoding="ascii") as f:
        script = f.read().replace("/run/", t.path("run/"))
    code, said, err = t.run("/bin/sh", "-c", script, "postinst", "configure", env=t.env(PATH=f"{t.dir}:/usr/bin:/bin"))
    lines = (said + err).splitlines()
    check(code == 0 and all(any(line.startswith(w) for line in lines) for w in want), f"{code}: {lines}")
    equal([w for w in SAYS if any(line.startswith(w) for line in lines)], [w for w in SAYS if any(x.startswith(w) for x in want)], "what it says")
    equal(ADVICE in lines, HOLDS in want, "the command that helps")
    exact = [w for w in want if w.startswith(ACTIVE)]
    equal([line for line in lines if line.startswith(ACTIVE)], exact, "the services")


# Families of variables that our libraries obey, some of them before main; names of alerts, errors and other constants are none.
STEERS = re.compile(rb"(?<![A-Za-z0-9_])((?:SSLKEYLOGFILE|(?:GNUTLS(?!_[AE]_|_CLIENT)|NETTLE|P11_KIT(?!_ITER))_[A-Z_]+[A-Z]))\0")


def variables_of(library):
    with open(library, "rb") as f:
        return {name.decode() for name in STEERS.findall(f.read())}


@case("what is started for each event has no start limit: at the limit it would fail, and with it the path unit that watches", builds=("gcc",))
def no_limit(t):
    folder, of_events, unlimited = os.path.join(t.src, "contrib", "systemd"), set(), set()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            text = f.read()
        unit = re.sub(r"@[^.]*\.", "@.", name.removesuffix(".in"))
        if name.endswith(".path"):
            of_events |= {re.sub(r"@[^.]*\.", "@.", u) for u in re.findall(r"^Unit=(.+)$", text, re.M)}
        of_events |= set(re.findall(r"systemctl --no-block restart ([\w.@-]+)", text))
        if re.search(r"^StartLimitIntervalSec=0$", text, re.M):
            unlimited.add(unit)
    equal(of_events, {"ctstub-links@.service", "ctstub-links.timer", "ctstub-reload.service"}, "what is started for each event")
    equal(of_events - unlimited, set(), "units with a start limit")


@case("T28 every unit takes the variables away that our libraries obey", builds=("gcc",))
def units_clean(t):
    wanted = set()
    for program in ("ctstubd", "ctstub", "ctstub-watch"):
        out = t.run("/usr/bin/ldd", t.program(program))[1]
        for name, path in re.findall(r"^\t(\S+) => (/\S+)", out, re.M):
            if name.startswith(("libgnutls", "libnettle", "libhogweed", "libp11-kit")):
                wanted |= variables_of(path)
    for name in ("SSLKEYLOGFILE", "GNUTLS_SYSTEM_PRIORITY_FILE", "NETTLE_FAT_OVERRIDE", "P11_KIT_DEBUG"):
        check(name in wanted, f"{name} was not found in any library: {wanted}")
    folder, missing = os.path.join(t.src, "contrib", "systemd"), {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".service.in"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                taken = {word for line in f if line.startswith("UnsetEnvironment=") for word in line.strip().partition("=")[2].split()}
            missing[name] = sorted(wanted - taken)
    equal({name: words for name, words in missing.items() if words}, {}, "units, and the variables they leave in place")
