"""Completions of ctstub for bash, zsh and fish: they offer what the help and the manual page name, and shells read them."""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios

from harness.case import Skip, case, check, equal, rows, until

SHELLS = ("bash", "zsh", "fish")


def script(t, shell):
    code, out, err = t.run("ctstub", "help", "--completion", shell)
    equal((code, err), (0, ""), "exit code and standard error")
    return out


def verbs(t):
    return re.findall(r"^ {2}([a-z-]+) ", t.run("ctstub", "help")[1], re.M)


def options(t, verb):
    """The options that the help of the verb explains."""
    text = t.run("ctstub", "help", verb)[1].partition("\n\n")[2]
    return set(re.findall(r"^ +(?:-\w, )?--([a-z-]+)", text, re.M))


def shell_program(shell):
    program = shutil.which(shell)
    if program is None:
        raise Skip(f"{shell} is not installed")
    return program


@rows([(f"{shell} reads its completions", shell) for shell in SHELLS], builds=("gcc",))
def reads(t, shell):
    path = t.write(f"completion.{shell}", script(t, shell))
    equal(t.run(shell_program(shell), "-n", path), (0, "", ""), f"{shell} -n")


def offered(text, shell, verb):
    """The options that the script offers after the verb."""
    if shell == "bash":
        words = re.search(rf"^\t\t{verb}\) words='([^']*)'", text, re.M).group(1)
        return {w[2:] for w in words.split() if w.startswith("--")}
    if shell == "zsh":
        block = re.search(rf"^\t{verb}\)\n(.*?)\n\t\t;;", text, re.M | re.S).group(1)
        return set(re.findall(r"'\*'?(?:\{-\w,)?--([a-z-]+)", block))
    return set(re.findall(rf"__fish_seen_subcommand_from {verb}' -l ([a-z-]+)", text))


@rows([(f"the completions for {shell} have every verb and every option of the help, and no other", shell) for shell in SHELLS], builds=("gcc",))
def agrees_with_help(t, shell):
    text = script(t, shell)
    known = verbs(t)
    named = {"bash": r"^\t\t([a-z-]+)\) words=", "zsh": r"^\t([a-z-]+)\)$", "fish": r"-n __fish_use_subcommand -a ([a-z-]+)"}[shell]
    equal(sorted(re.findall(named, text, re.M)), sorted(known), "verbs")
    for verb in known:
        equal(sorted(offered(text, shell, verb)), sorted(options(t, verb)), f"options of {verb}")


@case("the manual page and the help name the same verbs and options", builds=("gcc",))
def agrees_with_manual(t):
    with open(os.path.join(t.src, "cli", "ctstub.1"), encoding="utf-8") as f:
        page = f.read()
    known = verbs(t)
    description = page[page.index(".Sh DESCRIPTION"):]
    named = set(re.findall(r"^\.It Cm ([a-z-]+)", description, re.M))
    equal(sorted(set(known) - {"help"} - named), [], "verbs without a paragraph in the manual page")
    wanted = set().union(*(options(t, verb) for verb in known)) - {"help"}
    manual = set(re.findall(r"Fl -([a-z][a-z-]+)", page))
    letters = {"config": "c", "output": "o"}  # written by their letter
    missing = {o for o in wanted - manual if not re.search(rf"Fl {letters.get(o, '-')}\b", page)}
    equal((sorted(missing), sorted(manual - wanted - {"help", "version"})), ([], []), "options not in the manual page, and only there")


BASH = """source {script}
COMP_WORDS=({words}) COMP_CWORD={last}
_ctstub
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@rows([
    ("a verb is completed", ["st"], {"status", "stats"}),
    ("an option of the verb", ["verify", "--ct"], {"--ct", "--ct-policy", "--ct-logs"}),
    ("the value of an option", ["verify", "--ct", "re"], {"require", "report"}),
    ("a word that may follow the verb", ["ct-logs", "up"], {"update"}),
    ("the verb that is to be explained", ["help", "log"], {"log-level"}),
    ("no file where free text is wanted", ["verify", "--upstream", "fi"], set()),
    ("a file where one is wanted, its space kept", ["verify", "--ca", "fi"], {"file one.pem"}),
], builds=("gcc",))
def completes(t, words, want):
    t.write("file one.pem", "")
    path = t.write("ctstub.bash", script(t, "bash"))
    text = BASH.format(script=path, words=" ".join(["ctstub", *words]), last=len(words))
    done = subprocess.run([shell_program("bash"), "-c", text], cwd=t.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    equal((set(done.stdout.decode().split("\n")) - {""}, done.stderr), (want, b""), "bash")
    if want and not any(" " in w for w in want):
        fish = script(t, "fish") + f"\ncomplete -C 'ctstub {' '.join(words)}'\n"
        code, out, err = t.run(shell_program("fish"), "--no-config", "-c", fish, env=t.env(HOME=t.dir))
        equal((code, err, {line.split("\t")[0] for line in out.splitlines()} & want), (0, "", want), f"fish: {out}")


ZSH = """fpath=({folder} $fpath)
autoload -Uz compinit && compinit -u -d {folder}/dump
zstyle ':completion:*' list-colors ''
LISTMAX=1000 PROMPT='READY ' RPROMPT=''
print -r -- SET-UP-DONE
"""


class Zsh:
    """An interactive zsh on a terminal, with the completions as a package installs them."""

    def __init__(self, t):
        folder = t.path("zsh")
        os.makedirs(folder)
        with open(f"{folder}/_ctstub", "w", encoding="utf-8") as f:
            f.write(script(t, "zsh"))
        self.out = b""
        setup = t.write("zsh/setup", ZSH.format(folder=folder))
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(t.dir)
            os.execve(shell_program("zsh"), ["zsh", "-f", "-i"], {"TERM": "dumb", "HOME": t.dir, "PATH": "/usr/bin:/bin", "ZDOTDIR": folder})
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 160, 0, 0))
        t.defer(self.end)
        self.write(f"source {setup}\n", lambda out: "SET-UP-DONE\r" in out)

    def write(self, text, enough):
        """Types, and waits until what came since then is enough."""
        self.out = b""
        os.write(self.master, text.encode())

        def seen():
            if select.select([self.master], [], [], 0.05)[0]:
                self.out += os.read(self.master, 65536)
            return enough(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x07", "", self.out.decode(errors="replace")))
        try:
            until(seen, 20, f"zsh shows what is wanted after {text!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.out.decode(errors='replace')[-800:]!r}") from error

    def end(self):
        os.close(self.master)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@rows([
    ("zsh offers the verbs", "ctstub st", {"status", "stats"}),
    ("zsh offers the options of a verb", "ctstub verify --ct", {"--ct-policy", "--ct-logs"}),
    ("zsh offers the values of an option", "ctstub verify --ct re", {"require", "report"}),
    ("zsh offers the words that follow a verb", "ctstub ct-logs ", {"show", "check", "update", "import"}),
    ("zsh offers all verbs", "ctstub ", {"verify", "probe", "status", "setup", "captive", "egress", "audit"}),
], builds=("gcc",))
def zsh_offers(t, typed, want):
    zsh = Zsh(t)

    def listed(out):
        return all(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", out.replace(typed, "", 1)) for word in want)
    zsh.write(typed + "\t\t", listed)


@rows([("an unknown shell is refused", "tcsh"), ("an empty name of a shell is refused", "")], builds=("gcc",))
def unknown(t, shell):
    code, out, err = t.run("ctstub", "help", "--completion", shell)
    equal((code, out, "bash, zsh or fish was expected" in err), (2, "", True), err)


@rows([("for bash", "bash-completion/completions/ctstub", "bash"), ("for zsh", "zsh/site-functions/_ctstub", "zsh"),
       ("for fish", "fish/vendor_completions.d/ctstub.fish", "fish")], builds=("gcc",))
def installed(t, path, shell):
    root = t.path("root")
    done = subprocess.run(["make", "-s", "install-data", f"DESTDIR={root}"], cwd=t.build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, done.stdout.decode()[-800:])
    with open(os.path.join(root, "usr/local/share", path), encoding="utf-8") as f:
        equal(f.read(), script(t, shell), "the file that make install put there")
