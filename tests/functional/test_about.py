"""What -V says of libraries: their versions as they run, and known holes of them, as Debian's packages have fixed them."""
import os
import random
import re
import subprocess

from harness.case import Skip, case, check, equal, rows

PROGRAMS = ("ctstubd", "ctstub", "ctstub-lab", "ctstub-watch", "ctstub-portal")
# as -V writes them, and pkg-config
NAMES = {"GnuTLS": "gnutls", "libtasn1": "libtasn1", "nghttp2": "libnghttp2", "libevent": "libevent_core", "ldns": "ldns", "jansson": "jansson",
         "libpsl": "libpsl", "libcurl": "libcurl", "zlib": "zlib", "libseccomp": "libseccomp", "nettle": "nettle", "libidn2": "libidn2",
         "protobuf-c": "libprotobuf-c", "libcap-ng": "libcap-ng", "libfstrm": "libfstrm"}
LINE = re.compile(r"^  (\S+) +(\S+?)(?: \(package (\S+)\))?(?:, built with (\S+))?$")
STATUS = "/var/lib/dpkg/status"


def about(t, program="ctstubd", env=None):
    """The libraries by name: (version, package, built with); and the warnings."""
    code, out, err = t.run(program, "-V", env=env)
    equal((code, err), (0, ""), f"{program} -V")
    lines = out.splitlines()
    check(re.fullmatch(re.escape(program) + r" \d+\.\d+\.\d+", lines[0]), lines[0])
    libraries = {m.group(1): m.groups()[1:] for m in map(LINE.match, lines[1:]) if m}
    warnings = [line for line in lines[1:] if line.startswith("warning: ")]
    equal(len(libraries) + len(warnings), len(lines) - 1, "lines that were understood")
    return libraries, warnings


def loaded(t, program):
    out = subprocess.run(["ldd", t.program(program)], stdout=subprocess.PIPE, check=True).stdout.decode()
    return set(re.findall(r"^\s*lib([\w+-]+?)(?:-gnutls|-2\.1)?\.so", out, re.M))


@rows([(f"{p} -V prints the libraries that it runs with, in the versions that pkg-config has", p) for p in PROGRAMS], builds=("gcc",))
def versions(t, program):
    libraries, _ = about(t, program)
    names = {"z": "zlib", "event_core": "libevent"}
    short = {name.lower().removeprefix("lib"): name for name in NAMES}
    linked = {names.get(so) or short.get(so) for so in loaded(t, program)} - {None}
    equal(set(libraries) & set(NAMES), linked, "libraries")
    for name in linked:
        done = subprocess.run(["pkg-config", "--modversion", NAMES[name]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        version, _, built_with = libraries[name]
        if done.returncode == 0 and version != "unknown":
            check(done.stdout.decode().strip().startswith(version), f"{name}: {version}, pkg-config: {done.stdout.decode().strip()}")
            equal(built_with, None, f"{name}: built with another version")


def with_packages(t, packages):
    """-V where dpkg has these packages and no others. In a mount namespace of the test's own."""
    if not os.path.exists(STATUS):
        raise Skip("no dpkg on this machine")
    text = "".join(f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n\n" for name, version in packages.items())
    subprocess.run(["mount", "--bind", t.write("status", text + "\n"), STATUS], check=True)
    t.defer(lambda: subprocess.run(["umount", STATUS], check=True))
    return about(t)


# the packages of the table, by the library version of this machine
PATCHED = {"1.52.0": "1.52.0-1+deb12u3", "1.64.0": "1.64.0-1.1+deb13u1"}


def nghttp2_version(t):
    version = about(t)[0]["nghttp2"][0]
    if version not in PATCHED:
        raise Skip(f"nghttp2 {version} is in no release of Debian that the table of holes knows")
    return version


@case("a package without its security update is reported as vulnerable, with the version that fixes it", netns=True, builds=("gcc",))
def open_hole(t):
    version = nghttp2_version(t)
    libraries, warnings = with_packages(t, {"libnghttp2-14": f"{version}-1"})
    equal(libraries["nghttp2"][1], f"{version}-1", "package")
    mine = [w for w in warnings if "nghttp2" in w and "CVE-2026-27135" in w]
    check(len(mine) == 1 and "has CVE-2026-27135" in mine[0] and PATCHED[version] in mine[0], str(warnings))


@case("a package with its security updates is not reported, although the library's version is old", netns=True, builds=("gcc",))
def patched(t):
    version = nghttp2_version(t)
    _, warnings = with_packages(t, {"libnghttp2-14": PATCHED[version]})
    check(not [w for w in warnings if "nghttp2" in w], str(warnings))


@case("an old library of no known package is reported as possibly vulnerable", netns=True, builds=("gcc",))
def unsure(t):
    version = nghttp2_version(t)
    libraries, warnings = with_packages(t, {"libc6": "2.36-9"})
    equal(libraries["nghttp2"], (version, None, None), "nghttp2")
    check([w for w in warnings if f"nghttp2 {version} may have CVE-2026-27135" in w and "unless" in w], str(warnings))


@case("the package of another version is not the library's", netns=True, builds=("gcc",))
def other_package(t):
    libraries, _ = with_packages(t, {"libnghttp2-14": "9.9.9-1"})
    equal(libraries["nghttp2"][1], None, "package")


def preloaded(t, code):
    library = t.path("old.so")
    code = t.write("old.c", code)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, code], check=True)
    return about(t, env=t.env(LD_PRELOAD=library))


@case("a library other than the one at build time is shown with both versions, and without a package", builds=("gcc",))
def another_version(t):
    before = about(t)[0]["nghttp2"][0]
    libraries, warnings = preloaded(t, 'struct v { int age, number; const char *text; };\n'
                                       'struct v *nghttp2_version(int n) { static struct v v = {1, 0, "1.40.0"}; (void)n; return &v; }\n')
    equal(libraries["nghttp2"], ("1.40.0", None, before), "nghttp2")
    check([w for w in warnings if "nghttp2 1.40.0 may have CVE-2024-28182" in w and "fixed in 1.61.0" in w], str(warnings))


@case("a library without known vulnerabilities causes no warning", builds=("gcc",))
def new_version(t):
    _, warnings = preloaded(t, 'struct v { int age, number; const char *text; };\n'
                               'struct v *nghttp2_version(int n) { static struct v v = {1, 0, "99.0.0"}; (void)n; return &v; }\n')
    check(not [w for w in warnings if "nghttp2" in w], str(warnings))


@case("versions are ordered as dpkg orders them", builds=("gcc",))
def order(t):
    program = t.path("order")
    code = t.write("order.c", '#include "about/version.h"\n#include <stdio.h>\nint main(int n, char **v) { (void)n; int d = version_compare(v[1], v[2]);'
                              ' puts(d < 0 ? "lt" : d > 0 ? "gt" : "eq"); return 0; }\n')
    done = subprocess.run(["gcc", "-I", t.src, "-fsanitize=address,undefined", "-o", program, code, os.path.join(t.src, "about", "version.c")], check=False)
    if done.returncode != 0:
        raise Skip("gcc does not build a program here")
    if subprocess.run(["dpkg", "--version"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("no dpkg on this machine")
    dice = random.Random(14)
    for _ in range(120):
        a = "1" + "".join(dice.choice("0019.+~-a:bZ"[:11 if dice.random() < .9 else 12]) for _ in range(dice.randint(0, 6))).replace(":", "")
        b = a[:dice.randint(1, len(a))] + "".join(dice.choice("019.+~az") for _ in range(dice.randint(0, 3)))
        a, b = a.rstrip("-"), b.rstrip("-")
        have = subprocess.run([program, a, b], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
        check(subprocess.run(["dpkg", "--compare-versions", a, have, b], check=False).returncode == 0, f"{a} {have} {b}")
