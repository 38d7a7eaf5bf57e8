"""Every call of the product that takes a path stands in the table of base/path.h, or it is a door of it: a file that somebody
else may have put there, or swapped, is reached by descriptor."""
import re

from harness.build import tree_files
from harness.case import case, check

COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
ROOMS = ("about/", "base/", "verify/", "transport/", "config/", "resolver/", "cli/", "contrib/watch/", "contrib/portal/")
BY_PATH = re.compile(r"(?<![\w.>])(open|creat|fopen|freopen|opendir|scandir|stat|lstat|access|chown|lchown|chmod|unlink|rmdir|"
                     r"remove|rename|mkdir|mkfifo|mknod|mkstemp|mkdtemp|link|symlink|readlink|realpath|truncate|utimes|bind|"
                     r"chdir|chroot|execv|gnutls_\w+_file2?|gnutls_x509_trust_list_add_trust_dir)\s*\(")

# file: the calls it may make, and why they cannot be led astray
ALLOWED = {
    "about/dpkg.c": ({"fopen"}, "/var/lib/dpkg/status, which only root writes"),
    "base/environment.c": ({"execv", "readlink"}, "/proc/self/exe: the program itself, with a clean environment"),
    "base/path.c": ({"open", "fopen"}, "the door: the first folder of a walk, and /proc/self/uid_map"),
    "config/file.c": ({"open"}, "config_file_read_any: what a person names on a command line, pipes too"),
    "config/load.c": ({"open", "stat", "access"}, "what a person names; looks without opening; the system's own bundle"),
    "config/settings_read.c": ({"access", "lstat"}, "is there a main file, or a link for it? Opens nothing"),
    "resolver/daemon/helper.c": ({"open"}, "/dev/null"),
    "resolver/daemon/main.c": ({"open", "stat"}, "/dev/null; is it the main file of the service?"),
    "resolver/daemon/service.c": ({"access"}, "does systemd run? Opens nothing"),
    "resolver/daemon/socket_unit.c": ({"stat"}, "is the unit there, or masked? Opens nothing"),
    "resolver/daemon/control_socket.c": ({"bind"}, "through /proc/self/fd of the folder"),
    "resolver/daemon/listener.c": ({"bind"}, "of network addresses"),
    "resolver/daemon/network.c": ({"bind"}, "of netlink"),
    "resolver/hosts.c": ({"stat"}, "has it changed? Opens nothing"),
    "contrib/watch/cmd_sign.c": ({"access"}, "is there a key or a feed already? What a person names"),
    "contrib/watch/child.c": ({"open"}, "/dev/null; the program itself is what the configuration names, by execve"),
    "cli/cmd_verify.c": ({"scandir", "stat"}, "--batch: a folder that a person names"),
    "cli/setup/machine.c": ({"stat", "fopen"}, "what is installed: opens nothing; /proc/self/mountinfo"),
    "cli/cmd_metrics.c": ({"bind"}, "of a network address"),
}


def calls(text):
    return set(BY_PATH.findall(COMMENT_OR_STRING.sub(" ", text)))


@case("nothing is reached by path but what the table of base/path.h knows")
def known_calls(t):
    unknown, used = [], set()
    for path in tree_files(t.src):
        if not path.startswith(ROOMS) or not path.endswith((".c", ".h", ".l", ".y")):
            continue
        with open(f"{t.src}/{path}", encoding="utf-8") as f:
            found = calls(f.read())
        allowed = ALLOWED.get(path, (set(), ""))[0]
        unknown += [f"{path}: {c}()" for c in sorted(found - allowed)]
        used |= {(path, c) for c in found & allowed}
    check(not unknown, "by path, and not in the table: " + ", ".join(unknown))
    stale = [f"{p}: {c}()" for p, (cs, _) in ALLOWED.items() for c in cs if (p, c) not in used]
    check(not stale, "in the table, and not in the tree: " + ", ".join(stale))


@case("the reader of that table sees calls, and not comments, members or other names")
def reader(_t):
    check(calls("fd = open(p, 0); x.open(p); y->stat(p); my_open(p); /* chown(p) */ \"unlink(p)\"") == {"open"}, "calls")
    check(calls("chown (p, 0, 0); fchown(fd, 0, 0); gnutls_certificate_set_x509_trust_file(c, f)") ==
          {"chown", "gnutls_certificate_set_x509_trust_file"}, "calls with a space, and of a library")
