#include "config.h"

#include "base/sandbox/sandbox.h"

#include "base/bytes.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sanitizers trace the process, and write what they find. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEALED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SEALED 0
#endif
#endif
#ifndef SEALED
#define SEALED 1
#endif

static char *
reason_new(const char *what, const char *name, int error)
{
	struct buf b = buf_max(512);

	buf_format(&b, "%s%s%s: %s", what, name[0] != '\0' ? " " : "", name, strerror(error));
	return buf_take_cstr(&b);
}

/* ---- privileges */

enum res
sandbox_user(const char *user, uid_t *uid, gid_t *gid)
{
	const struct passwd *p = getpwnam(user);

	if (p == NULL)
		return RES_NOT_FOUND;
	*uid = p->pw_uid;
	*gid = p->pw_gid;
	return RES_OK;
}

enum res
sandbox_group(const char *group, gid_t *gid)
{
	const struct group *g = getgrnam(group);

	if (g == NULL)
		return RES_NOT_FOUND;
	*gid = g->gr_gid;
	return RES_OK;
}

void
sandbox_act_as(uid_t uid, gid_t gid)
{
	(void)setfsgid(gid);
	(void)setfsuid(uid); /* last: the kernel takes CAP_SETGID with it */
	if ((uid_t)setfsuid((uid_t)-1) != uid || (gid_t)setfsgid((gid_t)-1) != gid)
		abort(); /* the daemon would act as root where it must not */
}

void
sandbox_act_as_self(void)
{
	(void)setfsuid(geteuid());
	(void)setfsgid(getegid());
}

static enum res
user_become(const char *user, char **why)
{
	uid_t uid;
	gid_t gid;

	if (sandbox_user(user, &uid, &gid) != RES_OK) {
		struct buf b = buf_max(512);

		buf_format(&b, "there is no user %s (option user)", user);
		*why = buf_take_cstr(&b);
		return RES_NOT_FOUND;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id((int)uid, (int)gid,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT) != 0) {
		*why = reason_new("cannot become user", user, errno != 0 ? errno : EPERM);
		return RES_IO;
	}
	/* Regaining root must be impossible. */
	if (uid != 0 && (setuid(0) == 0 || getuid() != uid || geteuid() != uid || getgid() != gid)) {
		*why = reason_new("privileges stay with user", user, EPERM);
		return RES_IO;
	}
	return RES_OK;
}

enum res
sandbox_drop(const char *user, char **why)
{
	if (geteuid() == 0 && user[0] != '\0') {
		enum res res = user_become(user, why);

		if (res != RES_OK)
			return res;
	} else if (geteuid() != 0) {
		/* Started with CAP_NET_BIND_SERVICE, say: the sockets are bound. */
		capng_clear(CAPNG_SELECT_CAPS);
		if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
			*why = reason_new("cannot drop capabilities", "", errno);
			return RES_IO;
		}
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		*why = reason_new("no_new_privs", "", errno);
		return RES_IO;
	}
	/* Helpers and timers run as the same user, and could write to /proc/PID/mem of the daemon. */
	if (SEALED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		*why = reason_new("not dumpable", "", errno);
		return RES_IO;
	}
	return RES_OK;
}

/* ---- system calls */

enum sealed { DAEMON = 1, WRITER = 2, PORTAL = 4, WATCH = 8, CONNECTOR = 16 }; /* kinds of processes */

/* Whatever the arguments. */
static const struct {
	int call;
	unsigned of; /* enum sealed, several */
} free_calls[] = {
#define CALL(name, of, reason) {SCMP_SYS(name), of},
#define RARE                   CALL
#include "base/sandbox/sandbox_calls.def"
#undef RARE
#undef CALL
};

/* The daemon never needs these; a call ends the process even where others fail with an error. */
static const int deadly_calls[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(listen),
    SCMP_SYS(bind),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
};

static int
sandbox_rules_free(scmp_filter_ctx f, enum sealed who)
{
	for (size_t i = 0; i < sizeof free_calls / sizeof *free_calls; i++) {
		int failed = (free_calls[i].of & who) == 0
				 ? 0
				 : seccomp_rule_add(f, SCMP_ACT_ALLOW, free_calls[i].call, 0);

		if (failed != 0 && failed != -EDOM) /* -EDOM: there is no such call on this machine */
			return failed;
	}
	for (size_t i = 0; i < sizeof deadly_calls / sizeof deadly_calls[0]; i++) {
		int failed = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, deadly_calls[i], 0);

		/* -EACCES: it is the default anyway */
		if (failed != 0 && failed != -EDOM && failed != -EACCES)
			return failed;
	}
	return 0;
}

/* Calls that depend on their arguments. */
struct bound_rule {
	int call;
	unsigned n;
	struct scmp_arg_cmp arg[3];
};

static int
rules_add(scmp_filter_ctx f, const struct bound_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int failed =
		    seccomp_rule_add_array(f, SCMP_ACT_ALLOW, rules[i].call, rules[i].n, rules[i].arg);

		if (failed != 0 && failed != -EDOM)
			return failed;
	}
	return 0;
}

#define FCNTL(command)                                                                                       \
	{                                                                                                    \
		SCMP_SYS(fcntl), 1,                                                                          \
		{                                                                                            \
			SCMP_A1(SCMP_CMP_EQ, command, 0)                                                     \
		}                                                                                            \
	}

/* Memory that can be written never becomes code, and signals (abort) go to the process itself, also those of F_SETOWN: other
 * processes of its user stay out of reach. */
static int
rules_of_all(scmp_filter_ctx f)
{
	const struct bound_rule rules[] = {
	    {SCMP_SYS(tgkill), 1, {SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)}},
	    FCNTL(F_SETFD),
	    FCNTL(F_GETFL),
	    FCNTL(F_SETFL), /* rare: a library makes a descriptor of its own non-blocking */
	    {SCMP_SYS(mmap), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
	    {SCMP_SYS(mprotect), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
	};

	return rules_add(f, rules, sizeof rules / sizeof rules[0]);
}

/* With AT_REMOVEDIR it would remove folders. */
#define UNLINK                                                                                               \
	{                                                                                                    \
		SCMP_SYS(unlinkat), 1,                                                                       \
		{                                                                                            \
			SCMP_A2(SCMP_CMP_EQ, 0, 0)                                                           \
		}                                                                                            \
	}

/* Files of any kind, but none that gives who runs it the rights of this user: neither made so, nor changed. */
#define RUNS_AS_OWNER ((scmp_datum_t)(S_ISUID | S_ISGID))
#define OPEN_MAKES    ((scmp_datum_t)(O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
#define WRITE_FILES                                                                                          \
	{SCMP_SYS(openat), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, OPEN_MAKES, 0)}},                                 \
	    {SCMP_SYS(openat), 1, {SCMP_A3(SCMP_CMP_MASKED_EQ, RUNS_AS_OWNER, 0)}},                          \
	{                                                                                                    \
		SCMP_SYS(fchmod), 1,                                                                         \
		{                                                                                            \
			SCMP_A1(SCMP_CMP_MASKED_EQ, RUNS_AS_OWNER, 0)                                        \
		}                                                                                            \
	}

#define OPEN_WRITES ((scmp_datum_t)(O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND))
/* 0xff: beside the type there are SOCK_NONBLOCK and SOCK_CLOEXEC. One protocol: no other that the type has, such as MPTCP
 * or ICMP. */
#define SOCKET(family, type, protocol)                                                                       \
	{                                                                                                    \
		SCMP_SYS(socket), 3,                                                                         \
		{                                                                                            \
			SCMP_A0(SCMP_CMP_EQ, family, 0),                                                     \
			    SCMP_A1(SCMP_CMP_MASKED_EQ, (scmp_datum_t)0xff, type),                           \
			    SCMP_A2(SCMP_CMP_EQ, protocol, 0)                                                \
		}                                                                                            \
	}
#define SOCKET_OPTION(level, name)                                                                           \
	{                                                                                                    \
		SCMP_SYS(setsockopt), 2,                                                                     \
		{                                                                                            \
			SCMP_A1(SCMP_CMP_EQ, level, 0), SCMP_A2(SCMP_CMP_EQ, name, 0)                        \
		}                                                                                            \
	}

/* No datagram socket of IP: questions in clear text are ctstub-portal's alone to send. */
static int
rules_of_daemon(scmp_filter_ctx f)
{
	const struct bound_rule rules[] = {
	    {SCMP_SYS(openat), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, OPEN_WRITES, O_RDONLY)}},
	    SOCKET(AF_INET, SOCK_STREAM, IPPROTO_TCP),
	    SOCKET(AF_INET6, SOCK_STREAM, IPPROTO_TCP), /* upstreams over IPv6 */
	    SOCKET(AF_UNIX, SOCK_DGRAM, 0),             /* the service manager */
	    SOCKET(AF_UNIX, SOCK_SEQPACKET, 0),         /* ctstub-portal */
	    SOCKET_OPTION(IPPROTO_TCP, TCP_NODELAY),
	    SOCKET_OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT),
	    {SCMP_SYS(ioctl), 1, {SCMP_A1(SCMP_CMP_EQ, SIOCOUTQ, 0)}}, /* does the peer acknowledge? */
	    {SCMP_SYS(prlimit64),
	     2,
	     {SCMP_A0(SCMP_CMP_EQ, 0, 0), SCMP_A2(SCMP_CMP_EQ, 0, 0)}}, /* its own limits may be read */
	    UNLINK,
	};

	return rules_add(f, rules, sizeof rules / sizeof rules[0]);
}

static int
rules_of_portal(scmp_filter_ctx f)
{
	const struct bound_rule rules[] = {
	    {SCMP_SYS(openat), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, OPEN_WRITES, O_RDONLY)}},
	    SOCKET(AF_INET, SOCK_DGRAM, 0),
	    SOCKET(AF_INET6, SOCK_DGRAM, 0), /* a network's resolver over IPv6 */
	};

	return rules_add(f, rules, sizeof rules / sizeof rules[0]);
}

/* Calls that the C library makes but can do without: it gets an error that it handles, and the process is not killed. */
static int
rules_of_refusal(scmp_filter_ctx f)
{
	/* clone3 hides its flags in memory, where no filter sees them: the library then uses clone */
	int failed = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (failed != 0 && failed != -EDOM)
		return failed;
	/* getaddrinfo(3) asks which families the machine has, and goes on without the answer */
	return seccomp_rule_add(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0));
}

#define THREAD_FLAGS                                                                                         \
	(CLONE_THREAD | CLONE_VFORK | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |          \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

#ifdef __s390__
#define CLONE_FLAGS(how, ...) SCMP_A1(how, __VA_ARGS__) /* the stack comes first there */
#else
#define CLONE_FLAGS(how, ...) SCMP_A0(how, __VA_ARGS__)
#endif

/* Its thread of a name's lookup loads modules of the C library, which are code, from files. */
static int
rules_of_watch(scmp_filter_ctx f)
{
	const struct bound_rule rules[] = {
	    WRITE_FILES,
	    UNLINK,
	    {SCMP_SYS(clone), 1, {CLONE_FLAGS(SCMP_CMP_MASKED_EQ, THREAD_FLAGS, CLONE_THREAD)}},
	    {SCMP_SYS(mmap),
	     2,
	     {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_EXEC),
	      SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0)}},
	    SOCKET(AF_INET, SOCK_STREAM, IPPROTO_TCP),  /* servers of logs */
	    SOCKET(AF_INET6, SOCK_STREAM, IPPROTO_TCP), /* servers of logs over IPv6 */
	    SOCKET(AF_INET, SOCK_STREAM, 0),            /* the C library asks a resolver again over TCP */
	    SOCKET(AF_INET6, SOCK_STREAM, 0),           /* the same over IPv6 */
	    SOCKET(AF_INET, SOCK_DGRAM, 0),  /* the C library asks a resolver, and sorts addresses */
	    SOCKET(AF_INET6, SOCK_DGRAM, 0), /* the same over IPv6; libcurl tries whether there is any */
	    SOCKET(AF_UNIX, SOCK_STREAM, 0), /* nscd and other sources of names */
	    SOCKET(AF_UNIX, SOCK_DGRAM, 0),  /* the log goes to journald */
	    SOCKET_OPTION(IPPROTO_TCP, TCP_NODELAY),
	    SOCKET_OPTION(IPPROTO_IP, IP_RECVERR),     /* the C library's resolver */
	    SOCKET_OPTION(IPPROTO_IPV6, IPV6_RECVERR), /* the C library's resolver over IPv6 */
	    {SCMP_SYS(ioctl), 1, {SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0)}}, /* the size of a resolver's answer */
	    {SCMP_SYS(socketpair), 1, {SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)}}, /* libcurl wakes its wait */
	};
	int failed = rules_of_refusal(f);

	return failed != 0 ? failed : rules_add(f, rules, sizeof rules / sizeof rules[0]);
}

static const char not_loaded[] = "cannot load the filter on system calls (seccomp)";

static enum res
seal(bool kill, enum sealed who, int (*more)(scmp_filter_ctx), char **why)
{
	scmp_filter_ctx f;
	int failed;

	if (!SEALED)
		return RES_OK;
	f = seccomp_init(kill ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
	if (f == NULL) {
		*why = reason_new(not_loaded, "", ENOMEM);
		return RES_NOMEM;
	}
	failed = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	/* Calls of 32-bit programs and of x32: the default would end one thread, and leave the daemon without it. */
	if (failed == 0)
		failed = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (failed == 0)
		failed = sandbox_rules_free(f, who);
	if (failed == 0)
		failed = rules_of_all(f);
	if (failed == 0)
		failed = more(f);
	errno = 0;
	if (failed == 0)
		failed = seccomp_load(f);
	if (failed == -ECANCELED && errno != 0) /* libseccomp says so for every error of the kernel */
		failed = -errno;
	seccomp_release(f);
	if (failed == 0)
		return RES_OK;
	*why = reason_new(not_loaded, "", failed < 0 ? -failed : EINVAL);
	return RES_IO;
}

enum res
sandbox_seal(bool kill, char **why)
{
	return seal(kill, DAEMON, rules_of_daemon, why);
}

static int
rules_of_writer(scmp_filter_ctx f)
{
	const struct bound_rule rules[] = {WRITE_FILES, UNLINK};

	return rules_add(f, rules, sizeof rules / sizeof rules[0]);
}

/* A collector may be another user's program, and sends answers: the process that reads them has no access to files. */
static int
rules_of_connector(scmp_filter_ctx f)
{
	const struct bound_rule rules[] = {SOCKET(AF_UNIX, SOCK_STREAM, 0)};

	return rules_add(f, rules, sizeof rules / sizeof rules[0]);
}

enum res
sandbox_seal_connector(bool kill, char **why)
{
	return seal(kill, CONNECTOR, rules_of_connector, why);
}

enum res
sandbox_seal_writer(bool kill, char **why)
{
	return seal(kill, WRITER, rules_of_writer, why);
}

enum res
sandbox_seal_portal(bool kill, char **why)
{
	return seal(kill, PORTAL, rules_of_portal, why);
}

enum res
sandbox_seal_watch(bool kill, char **why)
{
	return seal(kill, WATCH, rules_of_watch, why);
}

bool
sandbox_kills(void)
{
	const char *kill = getenv("CTSTUB_SECCOMP");

	return kill != NULL && strcmp(kill, "kill") == 0;
}
