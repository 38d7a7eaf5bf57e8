"""The analysers: how each is called for one C file, and how its findings are read.

A finding is (path, line number, id of the check, text). Versions: an analyser of another version than the one that
justified.txt was written for finds other things, so its findings are notes and fail nothing.
"""
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
PATH_LINE = re.compile(r"^(\S+?):(\d+)(?::\d+)?: (?:warning|error|style|portability|performance|fatal error): (.*) \[([^\]]+)\]$")


class Tool:
    def __init__(self, name, program, known, config=()):
        self.name = name
        self.program = program
        self.known = known      # the version that the list of justified findings was written for
        self.config = config    # files of the tree that change what it finds

    def path(self):
        return shutil.which(self.program)

    def version(self):
        """What the program says of itself, for the key of the cache; and its number."""
        text = subprocess.run([self.program, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
        number = re.search(r"(?:version |\) |Cppcheck )(\d+(?:\.\d+)?)", text)
        return text, number.group(1) if number else "unknown"

    def is_known(self):
        return re.match(re.escape(self.known) + r"(\.|$)", self.version()[1]) is not None

    def run(self, command, cwd):
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
                              env=dict(os.environ, LC_ALL="C"), check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    def findings(self, source, src, flags, cwd):
        """All findings in one source file; headers that it includes count as well."""
        _, out = self.run(self.command(source, src, flags), cwd)
        found = []
        for line in out.splitlines():
            match = PATH_LINE.match(line)
            if match:
                path = os.path.relpath(os.path.realpath(os.path.join(cwd, match.group(1))), os.path.realpath(src))
                if not path.startswith(".."):
                    found += [(path, int(match.group(2)), check, match.group(3)) for check in self.ids(match.group(4))]
        return sorted(set(found))

    def ids(self, text):
        return [text]


class Analyzer(Tool):
    """GCC's -fanalyzer. Without optimisation, which removes some of what it should see. Leaks are left to LeakSanitizer,
    which runs under every test: GCC 12 loses sight of memory that a structure of the caller holds, and reports it."""

    def command(self, source, src, flags):
        return ["gcc", *flags, "-O0", "-fanalyzer", "-Wno-analyzer-malloc-leak", "-fdiagnostics-path-format=none", "-fno-diagnostics-show-caret", "-o", os.devnull, "-c",
                os.path.join(src, source)]

    def ids(self, text):
        words = [w for w in text.split() if w.startswith("-W")]
        return [w[2:] for w in words]


class Cppcheck(Tool):
    def command(self, source, src, flags):
        return ["cppcheck", "-q", "--enable=warning,portability,performance", "--std=c11", "--library=posix", f"--library={HERE}/cppcheck.cfg",
                "--template={file}:{line}: {severity}: {message} [{id}]", *(f for f in flags if f.startswith(("-D", "-I"))),
                os.path.join(src, source)]


class Tidy(Tool):
    """clang-tidy with the checks of .clang-tidy, or with those of another list."""

    def __init__(self, name, known, config, checks=None):
        super().__init__(name, "clang-tidy", known, config)
        self.checks = checks

    def command(self, source, src, flags):
        config = ["--config={}", f"--checks={self.checks}"] if self.checks else [f"--config-file={HERE}/../../.clang-tidy"]
        return ["clang-tidy", "--quiet", *config, f"--header-filter={re.escape(os.path.realpath(src))}/.*", os.path.join(src, source), "--", *flags]

    def ids(self, text):
        return text.split(",")[:1]


OURS = "tests/static/tools.py"
TOOLS = [
    Analyzer("analyzer", "gcc", "12.2", (OURS,)),
    Cppcheck("cppcheck", "cppcheck", "2.10", (OURS, "tests/static/cppcheck.cfg")),
    Tidy("clang-tidy", "14", (OURS, ".clang-tidy")),
]
# The path-sensitive half of clang-tidy costs twice all the rest. Off: memcpy and snprintf are no findings, and neither is the
# order of members in small tables.
LONG_TOOLS = [Tidy("clang-analyzer", "14", (OURS,), "-*,clang-analyzer-*,-clang-analyzer-optin.performance.Padding,"
                                                    "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling")]


def compiler_flags(build):
    """The flags of the product in a build, without those that are for the code that comes out."""
    out = subprocess.run(["make", "-s", "list-flags"], cwd=build, stdout=subprocess.PIPE, check=True).stdout.decode()
    return [f for f in out.splitlines() if f.startswith(("-D", "-I", "-std=", "-pthread")) and "FORTIFY" not in f]
