"""Reasons, SCT statuses, options and verbs: none without a test that produces it, none that a manual page does not name."""
import os
import re
import shutil
import subprocess

from harness.build import tree_files
from harness.case import Skip, case, check, equal

JUDGE = """chain-empty chain-too-long cert-malformed untrusted expired not-yet-valid clock-not-set bad-signature not-a-ca path-too-long
name-constraints unknown-critical wrong-usage weak-key weak-signature ip-mismatch name-mismatch anchor-distrusted issuer-not-allowed
pin-mismatch disallowed ct-list-missing ct-list-stale ct-malformed ct-no-scts ct-too-few-scts ct-too-few-operators ct-no-current-log
revoked staple-missing staple-invalid crl-invalid out-of-memory""".split()
WIRE = """connect-refused connect-timeout unreachable closed tls-version tls-alert tls-failed alpn-mismatch plain-text doh-status doh-type
doh-redirect doh-malformed answer-mismatch answer-malformed""".split()
STATUSES = """malformed wrong-version denied-log unknown-log wrong-algorithm unchecked bad-signature future log-pending log-rejected
log-retired after-distrust no-leaf-index outside-interval duplicate valid""".split()
PAGES = {"resolver/daemon/ctstubd.8": "ctstubd", "cli/ctstub.1": "ctstub", "config/ctstub.conf.5": None, "contrib/lab/ctstub-lab.1": "ctstub-lab",
         "contrib/watch/ctstub-watch.8": "ctstub-watch", "contrib/portal/ctstub-portal.8": "ctstub-portal"}


def codes_of(t, table, macro):
    with open(os.path.join(t.src, "verify", table), encoding="utf-8") as f:
        return re.findall(macro + r'\(\w+, "([a-z-]+)"', f.read())


def texts(t, wanted):
    found = ""
    for name in tree_files(t.src):
        if wanted(name):
            with open(os.path.join(t.src, name), encoding="utf-8", errors="replace") as f:
                found += f.read()
    return found


def page(t, name):
    """A manual page as a reader sees it, in one line."""
    path = os.path.join(t.src, name)
    check(os.path.exists(path), f"{name} is not there")
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not on this machine")
    out = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=1000", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    return re.sub(r".\x08", "", out).replace("‐", "-").replace("−", "-")


@case("the reasons and SCT statuses are those that were agreed, in their order", builds=("gcc",))
def agreed(t):
    check(codes_of(t, "reasons.def", "REASON") == JUDGE + WIRE, "reasons.def has other reasons, or another order")
    check(codes_of(t, "ct/sct_status.def", "SCT_STATUS") == STATUSES, "sct_status.def has other statuses, or another order")


@case("every reason and every SCT status is expected by some test", builds=("gcc",))
def tested(t):
    def identifier(code):
        return code.upper().replace("-", "_")

    tests = texts(t, lambda n: n.startswith(("tests/unit/", "tests/functional/", "tests/oracle/", "tests/replay/", "contrib/lab/scenarios/scenarios_")))
    missing = [c for c in JUDGE + WIRE if f'"{c}"' not in tests and f"REASON_{identifier(c)}" not in tests and f": {c}" not in tests]
    missing += [c for c in STATUSES if f'"{c}"' not in tests and f"SCT_{identifier(c)}" not in tests]
    check(not missing, f"no test expects: {' '.join(missing)}")


@case("the manual of ctstub explains every reason and every SCT status", builds=("gcc",))
def explained(t):
    shown = page(t, "cli/ctstub.1")
    missing = [c for c in JUDGE + WIRE + STATUSES if not re.search(rf"(?<![\w-]){c}(?![\w-])", shown)]
    check(not missing, f"ctstub(1) lacks: {' '.join(missing)}")


@case("mandoc has nothing to say about the manual pages", builds=("gcc",))
def lint(t):
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not on this machine")
    pages = [os.path.join(t.src, n) for n in tree_files(t.src) if re.search(r"\.[1-8]$", n) and not n.startswith("tests/")]
    check(len(pages) >= 4, f"pages found: {pages}")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", *pages], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    # Pages refer to each other, and to those of programs that need not be on this machine, where mandoc looks for them.
    ours = {tuple(os.path.basename(p).rsplit(".", 1)) for p in pages}
    away = re.compile(r".*referenced manual not found: Xr (\S+) (\d)")
    said = []
    for line in done.stdout.decode().splitlines():
        known = away.match(line)
        if not known or known.group(1).startswith("ctstub") and known.groups() not in ours:
            said.append(line)
    check(not said, "\n".join(said[:20]))


@case("the manual of the configuration names every option that ctstubd -p prints", builds=("gcc",))
def options(t):
    shown = page(t, "config/ctstub.conf.5")
    _, printed, _ = t.run("ctstubd", "-p", "-c", t.write("empty.conf", ""))
    names = set(re.findall(r"^\s*([a-z][a-z-]*)\s*[={\"]", printed, re.M)) | {"forward", "rebinding", "filter", "local", "cache", "trust", "ct"}
    check(len(names) > 30, f"options found: {names}")
    missing = sorted(n for n in names if not re.search(rf"(?<![\w-]){n}(?![\w-])", shown))
    check(not missing, f"ctstub.conf(5) lacks: {' '.join(missing)}")


def help_of(t, program):
    """The verbs of a program, and all that its help says."""
    text = t.run(program, "--help")[1]
    verbs = re.findall(r"^  ([a-z][a-z-]+)  ", text, re.M)
    for verb in verbs:
        if program in ("ctstub", "ctstub-lab") and verb != "help":
            text += t.run(program, "help", verb)[1]
    return verbs, text


def options_of(text):
    found = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z]\b)", text))
    return found | {"-" + letter for letters in re.findall(r"\[-([a-zA-Z]{2,})\]", text) for letter in letters}


@case("the manuals of the programs name every verb and option of their usage", builds=("gcc",))
def usage(t):
    missing = []
    for name, program in PAGES.items():
        if not program:
            continue
        shown = page(t, name)
        verbs, text = help_of(t, program)
        words = set(verbs) | options_of(text)
        flags = flags_of(t, name)
        missing += [f"{name}: {w}" for w in sorted(words) if w not in flags and not re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", shown)]
    check(not missing, "; ".join(missing))


def flags_in(source):
    """The options that the source of a page marks as such: .Fl tvV is three."""
    lines = re.findall(r"^\.(.*)$", source, re.M)
    found = set()
    for words in re.findall(r"\bFl ((?:-?[A-Za-z][\w-]*(?: [,|] )?)+)", "\n".join(lines)):
        for flag in set(re.findall(r"-?[A-Za-z][\w-]*", words)) - {"Fl"}:
            found |= {"-" + flag} if flag.startswith("-") else {"-" + letter for letter in flag}
    return found


def flags_of(t, name):
    with open(os.path.join(t.src, name), encoding="utf-8") as f:
        return flags_in(f.read())


def named_only(text):
    """Options of the synopsis of a page that its description does not mention."""
    synopsis, _, description = text.partition("\n.Sh DESCRIPTION\n")
    return sorted(flag for flag in flags_in(synopsis) - flags_in(description) if flag.startswith("--"))


@case("a manual page explains every long option of its synopsis", builds=("gcc",))
def explained_options(t):
    dumb = []
    for name, program in PAGES.items():
        if program:
            with open(os.path.join(t.src, name), encoding="utf-8") as f:
                dumb += [f"{name}: {w}" for w in named_only(f.read())]
    check(not dumb, "in the synopsis only: " + "; ".join(dumb))
    equal(named_only(".Op Fl -a-b Ar x\n.Op Fl -c\n.Sh DESCRIPTION\n.Fl -c\n--a-b\n"), ["--a-b"], "a page that lacks one")


@case("the help of the programs has every option that their manuals mark as one", builds=("gcc",))
def marked(t):
    beside = {"ctstubd.8": {"--version"}}  # -V, as it is spelled elsewhere
    strange = []
    for name, program in PAGES.items():
        if program:
            flags = flags_of(t, name)
            check(len(flags) > 4, f"{name}: {flags}")
            strange += [f"{name}: {w}" for w in sorted(flags - options_of(help_of(t, program)[1]) - beside.get(os.path.basename(name), set()))]
    check(not strange, "; ".join(strange))


@case("ctstub-lab explains every option of every verb, by help VERB and by VERB --help alike, and no other", builds=("gcc",))
def lab_help(t):
    verbs = {}
    for verb in re.findall(r"^  ([a-z]+) ", t.run("ctstub-lab", "--help")[1], re.M):
        code, shown, err = t.run("ctstub-lab", verb, "--help")
        equal((code, err, t.run("ctstub-lab", "help", verb)[1]), (0, "", shown), verb)
        synopsis, *rows_shown = re.split(r"\n(?=  \S)", shown)  # a further line of the synopsis is indented more
        explained = set(re.findall(r"^  (?:-v, )?--([a-z-]+)", "\n".join(rows_shown), re.M)) - {"help"}
        equal(explained, set(re.findall(r"--([a-z-]+)", synopsis)), f"{verb}: the options of the synopsis")
        verbs[verb] = explained
    in_source = set()
    for name in os.listdir(os.path.join(t.src, "contrib", "lab")):
        if name.startswith("cmd_"):
            with open(os.path.join(t.src, "contrib", "lab", name), encoding="utf-8") as f:
                of_file = set(re.findall(r'\{"([a-z-]+)", (?:required|no)_argument', f.read()))
            own = {"cmd_pki.c": ("list", "pki")}.get(name, (name[4:-2],))
            equal(of_file, set().union(*(verbs[v] for v in own)), f"the options that {name} reads")
            in_source |= of_file
    check(len(in_source) > 20, f"options found: {in_source}")


@case("verify/ stands alone: thirty lines with its public header link against it and its three libraries", builds=("gcc",))
def alone(t):
    program = r'''
#include "verify/verify.h"
#include <stdio.h>
int
main(void)
{
	struct vfy_policy policy = {.ct_mode = CT_REQUIRE, .ct_policy = CT_STRICT};
	uint8_t ip[4] = {192, 0, 2, 1};
	struct vfy_input input = {.ip = span_of(ip, sizeof ip), .now_ms = 1780315200000};
	struct verdict verdict = {0};

	vfy_check(&verdict, &policy, &input);
	puts(verdict_accepted(&verdict) ? "accepted" : "refused");
	verdict_clear(&verdict);
	return 0;
}
'''
    source = t.write("alone.c", program)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gnutls", "jansson", "libtasn1"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    build = ["gcc", "-std=gnu11", "-I", t.src, "-o", t.path("alone"), source, os.path.join(t.build, "libverify.a"), os.path.join(t.build, "libbase.a")]
    done = subprocess.run(build + flags, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode()[:1500])
    out = subprocess.run([t.path("alone")], stdout=subprocess.PIPE, check=True).stdout.decode()
    check(out == "refused\n", f"it said {out!r}")
