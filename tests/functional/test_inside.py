"""A16: what each sealed process can do, tried from inside of it.

tests/sandbox/inside.c is preloaded. When a process is about to load its filter, copies of it load the same filter and make one
system call each. A refusal of the filter has an error that no kernel gives, so nothing else can be taken for it.
"""
import errno
import mmap
import os
import pwd
import select
import shutil
import signal
import socket
import struct

import dns.message

from functional._common import Handed, servfail
from harness import client, net, wire
from harness.case import Skip, case, check, equal, rows
from harness.daemon import Daemon, section, upstream
from harness.faults import may_preload
from harness.patience import patient
from harness.pki import Site
from harness.upstream import DotServer

OUTCOMES = ["nothing", "done", "failed", "killed"]  # enum outcome in inside.c
REFUSED = 3999
SLOT, FIRST, SLOTS = 64, 8, 2000
MAY, FILTER, KILLED = "may", "filter", "killed"  # the kernel decides; refused; ends the process at once

# sentence, attempt, what it comes to: for all, or for the daemon, the journal's writer and that of the query log, the writer of
# a collector's socket, ctstub-portal, and ctstub-watch
TABLE = [
    # ---- programs and other processes
    ("runs a program", "execve", KILLED),
    ("runs a program relative to a folder", "execveat", KILLED),
    ("runs a program that it made in memory", "exec-memory-file", KILLED),
    ("makes another process", "fork", KILLED),
    ("makes another process that borrows its memory", "vfork", KILLED),
    ("makes another process by clone", "clone-process", FILTER),
    ("makes another thread", "clone-thread", FILTER, FILTER, FILTER, FILTER, MAY),
    ("makes a thread in a user namespace of its own", "clone-thread-namespace", FILTER),
    ("makes a process in a user namespace of its own", "clone-namespace", FILTER),
    ("makes another process by clone3", "clone3", FILTER, FILTER, FILTER, FILTER, "ENOSYS"),
    ("makes a process in a namespace by clone3", "clone3-namespace", FILTER, FILTER, FILTER, FILTER, "ENOSYS"),
    ("lets its parent trace it", "ptrace-traceme", KILLED),
    ("traces another process", "ptrace-attach", KILLED),
    ("reads the memory of another process", "process-vm-readv", KILLED),
    ("writes the memory of another process", "process-vm-writev", KILLED),
    ("advises on the memory of another process", "process-madvise", FILTER),
    ("takes the memory of a dying process", "process-mrelease", FILTER),
    ("compares itself with another process", "kcmp", FILTER),
    ("signals another process", "kill", FILTER),
    ("signals every process it may", "kill-all", FILTER),
    ("signals a thread of another process", "tkill", FILTER),
    ("signals a thread of another process by both numbers", "tgkill-another", FILTER),
    ("signals itself, as abort does", "tgkill-itself", FILTER),
    ("signals another process with a value", "sigqueue", FILTER),
    ("signals a thread with a value", "tgsigqueue", FILTER),
    ("opens another process", "pidfd-open", FILTER),
    ("takes a descriptor of another process", "pidfd-getfd", FILTER),
    ("signals through a descriptor", "pidfd-send-signal", FILTER),
    ("waits for children", "wait4", FILTER),
    ("waits for a descriptor's process", "waitid", FILTER),
    ("changes its process group", "setpgid", FILTER),
    ("leaves its session", "setsid", FILTER),
    # ---- files
    ("opens a file for writing", "openat-write", FILTER, MAY, FILTER, FILTER, MAY),
    ("opens a file for reading and writing", "openat-update", FILTER, MAY, FILTER, FILTER, MAY),
    ("makes a file", "openat-create", FILTER, MAY, FILTER, FILTER, MAY),
    ("empties a file", "openat-truncate", FILTER, MAY, FILTER, FILTER, MAY),
    ("opens a file to append", "openat-append", FILTER, MAY, FILTER, FILTER, MAY),
    ("makes a file without a name", "openat-nameless", FILTER, MAY, FILTER, FILTER, MAY),
    ("makes a program that runs as this user", "openat-create-setuid", FILTER),
    ("makes a program without a name that runs as this group", "openat-nameless-setgid", FILTER),
    ("opens a file with a mode that counts for nothing", "openat-stray-mode", FILTER, MAY, FILTER, FILTER, MAY),
    ("makes a file in /tmp", "openat-tmp", FILTER, MAY, FILTER, FILTER, MAY),
    ("opens its own memory as a file", "openat-memory", FILTER, MAY, FILTER, FILTER, MAY),
    ("opens a file for reading, as a reload does", "openat-read", MAY, MAY, FILTER, MAY, MAY),
    ("opens a file for writing by the old call", "open-write", FILTER),
    ("makes a file by the old call", "creat", FILTER),
    ("opens a file by the new call", "openat2", FILTER),
    ("opens a file past all folders", "open-by-handle", FILTER),
    ("learns the handle of a file", "name-to-handle", FILTER),
    ("removes a file, as the control socket at the end", "unlink", MAY, MAY, FILTER, FILTER, MAY),
    ("removes a folder", "rmdir", FILTER),
    ("removes a folder by the call that removes files", "unlink-folder", FILTER),
    ("renames a file", "rename", FILTER, MAY, FILTER, FILTER, MAY),
    ("gives a file a second name", "link", FILTER),
    ("makes a symbolic link", "symlink", FILTER),
    ("makes a folder", "mkdir", FILTER, MAY, FILTER, FILTER, MAY),
    ("makes a device", "mknod", FILTER),
    ("changes the mode of a file by its name", "chmod", FILTER),
    ("changes the mode of an open file", "fchmod", FILTER, MAY, FILTER, FILTER, MAY),
    ("makes an open file a program that runs as this user", "fchmod-setuid", FILTER),
    ("makes an open file a program that runs as this group", "fchmod-setgid", FILTER),
    ("changes the owner of a file", "chown", FILTER),
    ("shortens a file by its name", "truncate", FILTER),
    ("shortens an open file", "ftruncate", FILTER, MAY, FILTER, FILTER, MAY),
    ("takes room on the disk", "fallocate", FILTER),
    ("changes the times of a file", "utimensat", FILTER),
    ("sets an attribute of a file", "setxattr", FILTER),
    ("reads an attribute of a file", "getxattr", FILTER),
    ("copies between files in the kernel", "copy-file-range", FILTER),
    ("sends a file", "sendfile", FILTER),
    ("moves data through a pipe", "splice", FILTER),
    ("makes a pipe", "pipe", FILTER, FILTER, FILTER, FILTER, MAY),
    ("locks a file", "flock", FILTER, MAY, FILTER, FILTER, MAY),
    ("has signals sent to another process", "fcntl-owner", FILTER),
    ("takes a lease of a file", "fcntl-lease", FILTER),
    ("watches a folder by signals", "fcntl-notify", FILTER),
    ("locks a part of a file", "fcntl-lock", FILTER),
    ("watches files", "inotify", FILTER),
    ("watches a file system", "fanotify", FILTER),
    ("changes its root", "chroot", FILTER),
    ("changes its folder", "chdir", FILTER),
    ("changes its mask of modes", "umask", FILTER),
    ("writes out every file system", "sync", FILTER),
    # ---- the network
    ("makes a socket of TCP, for DoT and DoH", "socket-tcp", MAY, FILTER, FILTER, FILTER, MAY),
    ("makes a socket of TCP over IPv6", "socket-tcp6", MAY, FILTER, FILTER, FILTER, MAY),
    ("makes a socket of UDP: questions in clear text", "socket-udp", FILTER, FILTER, FILTER, MAY, MAY),
    ("makes a socket of UDP over IPv6", "socket-udp6", FILTER, FILTER, FILTER, MAY, MAY),
    ("makes a socket of raw IP", "socket-raw", FILTER),
    ("makes a socket of raw IPv6", "socket-raw6", FILTER),
    ("makes a socket of ICMP", "socket-ping", FILTER),
    ("makes a socket of SCTP", "socket-sctp", FILTER),
    ("makes a socket of another stream protocol", "socket-mptcp", FILTER),
    ("makes a socket of raw frames", "socket-packet", FILTER),
    ("makes a socket of the kernel's network tables", "socket-netlink", FILTER, FILTER, FILTER, FILTER, "EAFNOSUPPORT"),
    ("makes a socket of the kernel's cryptography", "socket-alg", FILTER),
    ("makes a socket to the host of a virtual machine", "socket-vsock", FILTER),
    ("makes a socket of Bluetooth", "socket-bluetooth", FILTER),
    ("makes a Unix socket of a stream", "socket-unix-stream", FILTER, FILTER, MAY, FILTER, MAY),
    ("makes a Unix socket of datagrams, for the service manager", "socket-unix-datagram", MAY, FILTER, FILTER, FILTER, MAY),
    ("makes a Unix socket of messages, to ctstub-portal", "socket-unix-messages", MAY, FILTER, FILTER, FILTER, FILTER),
    ("makes a pair of sockets", "socketpair", FILTER, FILTER, FILTER, FILTER, MAY),
    ("binds a port", "bind", KILLED),
    ("listens on a socket", "listen", KILLED),
    ("connects a socket", "connect", MAY, FILTER, MAY, MAY, MAY),
    ("sends a datagram from a listener's socket to another machine", "foreign-datagram", "EINVAL"),
    ("accepts a client", "accept", MAY, FILTER, FILTER, MAY, FILTER),
    ("lists network interfaces", "ioctl-interfaces", FILTER),
    ("attaches a program to a socket", "setsockopt-filter", FILTER),
    ("marks packets past the firewall", "setsockopt-mark", FILTER),
    ("sends through another interface", "setsockopt-device", FILTER),
    ("loads a protocol of the kernel onto a socket", "setsockopt-ulp", FILTER),
    ("changes the firewall", "setsockopt-tables", FILTER),
    ("sets an option that the daemon needs", "setsockopt-no-delay", MAY, FILTER, FILTER, FILTER, MAY),
    # ---- memory and code
    ("maps memory that can be executed", "mmap-code", FILTER),
    ("maps a file that can be executed", "mmap-file-code", FILTER, FILTER, FILTER, FILTER, MAY),
    ("maps a file that can be written and executed", "mmap-file-write-code", FILTER),
    ("maps memory that can be written and executed", "mmap-write-code", FILTER),
    ("makes memory executable", "mprotect-code", FILTER),
    ("makes memory executable by the other call", "pkey-mprotect", FILTER),
    ("maps a file in another order", "remap-file-pages", FILTER),
    ("makes a file in memory", "memfd-create", FILTER, FILTER, FILTER, FILTER, MAY),
    ("makes secret memory", "memfd-secret", FILTER),
    ("handles its page faults itself", "userfaultfd", FILTER),
    ("makes shared memory", "shmget", FILTER),
    ("attaches shared memory", "shmat", FILTER),
    ("makes a message queue", "msgget", FILTER),
    ("makes semaphores", "semget", FILTER),
    ("makes a message queue with a name", "mq-open", FILTER),
    ("keeps memory from being swapped out", "mlockall", FILTER),
    ("chooses where memory lies", "mbind", FILTER),
    ("moves memory of another process", "move-pages", FILTER),
    ("changes how its memory is laid out", "personality", FILTER),
    ("changes its segments", "modify-ldt", FILTER),
    ("changes its segment bases", "arch-prctl", FILTER),
    ("makes a call in the x32 form", "x32", KILLED),
    ("makes a call of 32-bit programs", "i386", KILLED),
    # ---- itself
    ("changes its user", "setuid", FILTER),
    ("changes its group", "setgid", FILTER),
    ("changes its three users", "setresuid", FILTER),
    ("changes two of its users", "setreuid", FILTER),
    ("changes its groups", "setgroups", FILTER),
    ("changes its user for files", "setfsuid", FILTER),
    ("changes its capabilities", "capset", FILTER),
    ("reads capabilities", "capget", FILTER),
    ("lets programs gain privileges again", "prctl-new-privileges", FILTER),
    ("lets others read its memory", "prctl-dumpable", FILTER),
    ("sets a filter by prctl", "prctl-seccomp", FILTER),
    ("names a process that may trace it", "prctl-ptracer", FILTER),
    ("changes the bounds of its memory", "prctl-memory-map", FILTER),
    ("raises an ambient capability", "prctl-ambient", FILTER),
    ("sets another filter", "seccomp", FILTER),
    ("asks what filters can do", "seccomp-log", FILTER),
    ("makes rules for files", "landlock", FILTER),
    ("changes a limit of its own", "setrlimit", FILTER),
    ("changes a limit by the new call", "prlimit-write", FILTER),
    ("reads a limit of its own", "prlimit-read", MAY, FILTER, FILTER, FILTER, FILTER),
    ("reads a limit of another process", "prlimit-read-another", FILTER),
    ("changes a limit of another process", "prlimit-another", FILTER),
    ("changes its priority", "setpriority", FILTER),
    ("changes its scheduler", "sched-setscheduler", FILTER),
    ("chooses its processors", "sched-setaffinity", FILTER),
    ("changes its priority of input and output", "ioprio-set", FILTER),
    ("sets a timer that signals", "setitimer", FILTER),
    ("makes a timer that signals", "timer-create", FILTER),
    ("sets an alarm", "alarm", FILTER),
    ("types into the terminal", "ioctl-terminal", FILTER),
    ("pastes into the console", "ioctl-paste", FILTER),
    ("types into the terminal, with bits that the kernel ignores", "ioctl-terminal-high", FILTER),
    # ---- the machine
    ("makes a user namespace", "unshare-user", FILTER),
    ("makes a mount namespace", "unshare-mount", FILTER),
    ("makes a network namespace", "unshare-network", FILTER),
    ("leaves nothing", "unshare-nothing", FILTER),
    ("enters a namespace", "setns", FILTER),
    ("mounts a file system", "mount", FILTER),
    ("unmounts a file system", "umount", FILTER),
    ("begins a mount by the new calls", "fsopen", FILTER),
    ("opens a mount", "open-tree", FILTER),
    ("moves a mount", "move-mount", FILTER),
    ("changes a mount", "mount-setattr", FILTER),
    ("changes the root of all", "pivot-root", FILTER),
    ("makes a map of BPF", "bpf-map", FILTER),
    ("loads a program of BPF", "bpf-program", FILTER),
    ("makes a ring that makes calls past the filter", "io-uring-setup", FILTER),
    ("uses such a ring", "io-uring-enter", FILTER),
    ("registers with such a ring", "io-uring-register", FILTER),
    ("makes calls asynchronously in the older way", "io-setup", FILTER),
    ("uses the kernel's keys", "keyctl", FILTER),
    ("adds a key to the kernel's", "add-key", FILTER),
    ("asks for a key of the kernel's", "request-key", FILTER),
    ("measures processes", "perf-event-open", FILTER),
    ("loads another kernel", "kexec-load", FILTER),
    ("loads another kernel from a file", "kexec-file-load", FILTER),
    ("loads a module", "init-module", FILTER),
    ("loads a module from a file", "finit-module", FILTER),
    ("unloads a module", "delete-module", FILTER),
    ("restarts the machine", "reboot", FILTER),
    ("renames the machine", "sethostname", FILTER),
    ("renames the machine's domain", "setdomainname", FILTER),
    ("sets the clock", "settimeofday", FILTER),
    ("sets the clock by the new call", "clock-settime", FILTER),
    ("bends the clock", "adjtimex", FILTER),
    ("bends the clock by the new call", "clock-adjtime", FILTER),
    ("swaps to a file", "swapon", FILTER),
    ("ends swapping", "swapoff", FILTER),
    ("keeps accounts of processes", "acct", FILTER),
    ("changes quotas", "quotactl", FILTER),
    ("reads the kernel's log", "syslog", FILTER),
    ("hangs up the terminal", "vhangup", FILTER),
    ("reaches devices directly", "iopl", FILTER),
    ("reaches a device's port directly", "ioperm", FILTER),
]
PROCESSES = ["ctstubd", "ctstub-journal", "ctstub-queries", "ctstub-portal", "ctstub-watch"]
READERS = (0, 2, 3)  # the columns of those that write no file
HANDED = 3         # sd_listen_fds(3)


def preloaded(t, **more):
    may_preload(t)
    return {"LD_PRELOAD": t.library("tests/sandbox/inside.so"), **more}


class Inside:
    """The file that inside.c maps; its layout is struct report there."""

    def __init__(self, t, **more):
        env = preloaded(t)
        self.path = t.write("inside", bytes(FIRST + SLOT * SLOTS))
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)
        self.folder = t.path("own")
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, "precious"), "w", encoding="ascii") as f:
            f.write("untouched")
        # not "kill": what is installed is tried, where most refusals are errors
        self.env = {**env, "CTSTUB_INSIDE": self.path, "CTSTUB_INSIDE_DIR": self.folder, "CTSTUB_SECCOMP": "", **more}

    def outcomes(self, process):
        """Attempt to (outcome, detail), of the process with this name."""
        found = {}
        for i in range(min(SLOTS, struct.unpack_from("<q", self.map, 0)[0])):
            name, attempt, outcome, detail = struct.unpack_from("<16s40sii", self.map, FIRST + SLOT * i)
            if text(name) == process:
                found[text(attempt)] = (OUTCOMES[outcome], detail)
        return found

    def own(self, user):
        entry = pwd.getpwnam(user)
        for name in ("", "precious"):
            os.chown(os.path.join(self.folder, name), entry.pw_uid, entry.pw_gid)


def text(field):
    return field.split(b"\0", 1)[0].decode()


def kind(outcome, detail):
    """One of MAY, FILTER and KILLED."""
    if outcome == "killed":
        return KILLED if detail == signal.SIGSYS else f"signal {detail}"
    if outcome == "failed" and detail == REFUSED:
        return FILTER
    return outcome if outcome == "nothing" else MAY


def compare(found, column):
    """Everything that is not as the table says."""
    check(found, "the process made no attempt")
    wrong = []
    for sentence, attempt, *want in TABLE:
        expected = want[0] if len(want) == 1 else want[column]
        outcome, detail = found.get(attempt, ("not here", 0))
        if outcome == "not here":
            continue  # another architecture has no such call
        have = kind(outcome, detail)
        if expected not in (MAY, FILTER, KILLED):
            have = errno.errorcode.get(detail, str(detail)) if outcome == "failed" else outcome
        if have != expected:
            wrong.append(f"{sentence} ({attempt}): have {have} ({outcome} {detail}), want {expected}")
    wrong += [f"{attempt} is not in the table" for attempt in found if attempt not in {row[1] for row in TABLE}]
    if os.uname().machine == "x86_64":
        wrong += [f"{row[1]} was not tried" for row in TABLE if row[1] not in found]
    return wrong


def run_daemon(t, inside, user, journal=True, query_log=None):
    """A daemon that was started, has tried everything, and answers."""
    extra = 'local { data = {"box.test. 60 IN A 192.0.2.77"} }\n' + (section("query-log", to=query_log) if query_log else "")
    state = t.path("state")
    os.makedirs(state)
    if user:
        shutil.chown(state, user)
        inside.own(user)
    d = Daemon(t, 'upstream "none" { address = {"192.0.2.1"} }\n', extra=extra, env=inside.env, user=user, state_dir=state if journal else "")
    d.process.wait_log(" started ", 30)
    equal(len(d.ask("box.test").answer), 1, "answers of a question afterwards")


def run_portal(t, inside, user):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(t.path("portal"))
    listener.listen()
    t.defer(listener.close)
    config = t.write("portal.conf", section("portal", enable=True, user=user, resolver=["192.0.2.1"]))
    script = f'LISTEN_PID=$$ LISTEN_FDS=1 exec {t.program("ctstub-portal")} -vv -c {config}'
    p = t.spawn("ctstub-portal", ["/bin/sh", "-c", script], env=t.env(**inside.env), pass_fds=(HANDED,),
                preexec=lambda: os.dup2(listener.fileno(), HANDED))
    p.wait_log("portal-started", 30)


def run_watch(t, inside):
    config = t.write("watch.conf", f'state-dir = "{t.path("watch-state")}"\nct {{ log-list = "{Site(t, with_ct=True).log_list}" }}\nupstream "one" {{ address = {{"192.0.2.1"}} }}\n')
    t.write("watch-state/.keep", "")
    p = t.spawn("ctstub-watch", [t.program("ctstub-watch"), "-v", "-c", config], env=t.env(**inside.env))
    p.wait_log(" watching ", 30)


def expected_user(user):
    if user and os.geteuid() != 0:
        raise Skip("only root becomes another user")
    return user


@rows([(f"A16 {what} {who} can do what the table says, and nothing else", process, column, user)
       for process, column, what in ((PROCESSES[0], 0, "the daemon"), (PROCESSES[1], 1, "the journal's writer"), (PROCESSES[2], 1, "the query log's writer"),
                                     (PROCESSES[2], 2, "the query log's writer to a collector"), (PROCESSES[3], 3, "ctstub-portal"),
                                     (PROCESSES[4], 4, "ctstub-watch"))
       for user, who in (("nobody", "as its user"), ("", "that keeps the user who started it")) if not (user and column == 4)], builds=("gcc",))
def from_inside(t, process, column, user):
    inside = Inside(t)
    if process == PROCESSES[4]:
        run_watch(t, inside)
    elif process == PROCESSES[3]:
        run_portal(t, inside, expected_user(user))
    else:
        log = {1: t.path("state/queries"), 2: f"dnstap:{t.path('collector')}"}[column] if process == PROCESSES[2] else None
        run_daemon(t, inside, expected_user(user), process == PROCESSES[1], log)
    wrong = compare(inside.outcomes(process), column)
    check(not wrong, f"{len(wrong)} of {len(TABLE)}: " + "; ".join(wrong))
    if column in READERS:
        with open(os.path.join(inside.folder, "precious"), encoding="ascii") as f:
            equal((f.read(), sorted(os.listdir(inside.folder))), ("untouched", ["precious"]), "the file that is there")


@case("A16 without the filter no call gets its error: the refusals in the table are the filter's, not the kernel's", builds=("gcc",))
def open_inside(t):
    inside = Inside(t, CTSTUB_INSIDE_OPEN="yes")
    inside.own(expected_user("nobody"))
    run_portal(t, inside, "nobody")
    found = inside.outcomes(PROCESSES[3])
    check(len(found) > 150, f"{len(found)} attempts")
    refused = [attempt for attempt, outcome in found.items() if kind(*outcome) in (FILTER, KILLED)]
    equal(refused, ["x32"] if "x32" in refused else [], "attempts that look refused")


@rows([(f"A16 nothing that came from outside is read before the filter is loaded: {workers} worker{'s' if workers > 1 else ''}", workers) for workers in (1, 2)],
      builds=("gcc",))
def held_before(t, workers):
    """Threads are made before, as the filter allows none; they wait."""
    site, pipe = Site(t), t.path("hold")
    os.mkfifo(pipe)
    server = DotServer(t, site)
    env = preloaded(t, CTSTUB_INSIDE_HOLD=pipe, CTSTUB_INSIDE_HELD=PROCESSES[0])
    d = Daemon(t, upstream("one", server), anchors=site.anchors, env=env, wait=False, workers=workers)
    d.process.wait_log("held", 30)
    over_udp, over_tcp = d.udp(), d.tcp()
    questions = [client.query(f"{way}.example") for way in ("udp", "tcp")]
    over_udp.send(questions[0].to_wire())
    over_tcp.send(questions[1].to_wire())
    readable, _, _ = select.select([over_udp.socket, over_tcp.socket], [], [], 1)
    equal((readable, server.connections), ([], 0), "answers, and connections to the upstream, before")
    with open(pipe, "wb"):
        pass
    for name, way in (("UDP", over_udp), ("TCP", over_tcp)):
        equal(way.receive()[3] & 15, 0, f"the response code over {name} afterwards")
    check(server.connections > 0, "the upstream was not asked")


@rows([(f"A16 {signal.Signals(number).name} before the filter is loaded is obeyed afterwards", number, word)
       for number, word in ((signal.SIGTERM, "ended "), (signal.SIGINT, "ended "), (signal.SIGHUP, "reloaded generation=2"))], builds=("gcc",))
def signalled_before(t, number, word):
    pipe = t.path("hold")
    os.mkfifo(pipe)
    d = Daemon(t, 'upstream "none" { address = {"192.0.2.1"} }\n', wait=False, env=preloaded(t, CTSTUB_INSIDE_HOLD=pipe, CTSTUB_INSIDE_HELD=PROCESSES[0]))
    d.process.wait_log("held", 30)
    d.process.popen.send_signal(number)
    with open(pipe, "wb"):
        pass
    d.process.wait_log(word, 30)
    if number != signal.SIGHUP:
        d.process.expect = None
        equal(d.process.popen.wait(patient(20)), 0, "exit code")


def threads(d):
    """What the kernel says of each thread of a daemon, by the thread's number."""
    found = {}
    for number in os.listdir(f"/proc/{d.process.pid}/task"):
        with open(f"/proc/{d.process.pid}/task/{number}/status", encoding="ascii") as f:
            found[int(number)] = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    return found


@rows([(f"A16 {who}: each of its threads has the filter, the user and no capability: {n} workers", user, n)
       for user, who in (("nobody", "a daemon as its user"), ("", "a daemon that keeps the user who started it")) for n in (1, 3)], builds=("gcc",))
def every_thread(t, user, workers):
    inside = preloaded(t)
    for env, filters in (({}, ["2"] * (workers + 1)), ({**inside, "CTSTUB_INSIDE_ALONE": "yes"}, ["0"] * workers + ["2"])):
        d = Daemon(t, 'upstream "none" { address = {"192.0.2.1"} }\n', workers=workers, user=expected_user(user), state_dir="", env=env)
        d.process.wait_log(" started ", 30)
        found = threads(d).values()
        equal(sorted(thread["Seccomp"] for thread in found), filters, "filters of the threads")
        uid = pwd.getpwnam(user).pw_uid if user else os.geteuid()
        equal({tuple(thread["Uid"].split()) for thread in found}, {(str(uid),) * 4}, "users of the threads")
        equal({thread["NoNewPrivs"] for thread in found}, {"1"}, "no_new_privs of the threads")
        if user or os.geteuid() != 0:
            equal({int(thread[kind], 16) for thread in found for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb")}, {0}, "capabilities of the threads")
        d.process.stop()


@case("A16 the journal, which holds names out of strangers' certificates, is read after the filter is loaded", builds=("gcc",))
def journal_after(t):
    pipe = t.path("hold")
    os.mkfifo(pipe)
    t.write("state/journal.jsonl", "damaged\n")
    d = Daemon(t, 'upstream "none" { address = {"192.0.2.1"} }\n', state_dir=t.path("state"), wait=False,
               env=preloaded(t, CTSTUB_INSIDE_HOLD=pipe, CTSTUB_INSIDE_HELD=PROCESSES[0]))
    d.process.wait_log("held", 30)
    check("journal-damaged" not in d.log(), f"it was read before: {d.log()}")
    with open(pipe, "wb"):
        pass
    d.process.wait_log("journal-damaged lines=1", 30)


class Waiting:
    """Sockets that a service manager holds, with a question over UDP and one over TCP on them, and a configuration."""

    def __init__(self, t, broken, user="", workers=1):
        site = Site(t)
        self.t, self.server, port = t, DotServer(t, site), net.free_port()
        self.sockets = Handed(t, "127.0.0.1", port)
        self.config = t.write("c.conf", f'listen = {{"127.0.0.1:{port}"}}\nuser = "{user}"\nworkers = {workers}\nstate-dir = ""\ncontrol-socket = "{t.path("control")}"\n'
                              + section("trust", anchors=site.anchors) + section("ct", mode="off") + upstream("one", self.server) + ("nonsense = 1\n" if broken else ""))
        self.udp = client.Udp("127.0.0.1", port, patient(10))
        self.udp.send(client.query("udp.example").to_wire())
        self.tcp = socket.create_connection(("127.0.0.1", port), patient(10))
        t.defer(self.tcp.close)
        self.tcp.sendall(wire.frame(wire.question("tcp.example")))

    def start(self, **env):
        return self.sockets.spawn("ctstubd", "-c", self.config, env=preloaded(self.t, **env))


@rows([("A16 a broken configuration: nothing that clients sent is read before the daemon is sealed", ""),
       ("A16 a broken configuration: nothing that clients sent is read before the daemon has become its user and is sealed", "nobody"),
       ("A16 a broken configuration with a user who does not exist: nothing that clients sent is read by root", "ctstub-nobody-has-this")], builds=("gcc",))
def turned_away_sealed(t, user):
    w, pipe = Waiting(t, broken=True, user=expected_user(user)), t.path("hold")
    os.mkfifo(pipe)
    p = w.start(CTSTUB_INSIDE_HOLD=pipe, CTSTUB_INSIDE_HELD=PROCESSES[0])
    p.wait_log("held", 30)
    equal(w.sockets.waiting(), (True, True), "the datagram and the connection wait, before")
    with open(f"/proc/{p.pid}/status", encoding="ascii") as f:
        uids = next(line.split()[1:] for line in f if line.startswith("Uid:"))
    equal(uids, [str(pwd.getpwnam("nobody").pw_uid if user else os.geteuid())] * 4, "users of the process")
    with open(pipe, "wb"):
        pass
    servfail(dns.message.from_wire(w.udp.receive()), "the configuration of this resolver is broken")
    equal(w.tcp.recv(4096)[5] & 15, 2, "the response code over TCP")
    p.expect = None
    equal((p.popen.wait(patient(20)), w.sockets.waiting()), (2, (False, False)), "exit code, and what waits afterwards")


@rows([(f"A16 when the filter cannot be loaded, nothing that came from outside is read: {what}", broken, workers, code)
       for what, broken, workers, code in (("1 worker", False, 1, 3), ("2 workers", False, 2, 3), ("a broken configuration", True, 1, 2))], builds=("gcc",))
def never_sealed(t, broken, workers, code):
    w = Waiting(t, broken, workers=workers)
    p = w.start(CTSTUB_INSIDE_FAILS=PROCESSES[0])
    p.expect = None
    equal((p.popen.wait(patient(20)), w.sockets.waiting(), w.server.connections), (code, (True, True), 0), "exit code, what waits, and connections to the upstream")
    p.wait_log('not-started error="cannot load the filter', 5)
    if not broken:  # the same sockets and questions, of a process that can be sealed
        w.start().wait_log(" started ", 30)
        equal((w.udp.receive()[3] & 15, w.tcp.recv(4096)[5] & 15), (0, 0), "the response codes over UDP and TCP")
