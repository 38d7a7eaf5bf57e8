/*
 * helper.h - a process beside the daemon for what the daemon itself may not do: it is forked before system calls are
 * restricted, does one kind of work, and ends with the daemon.
 *
 * Daemon and helper talk over a socket pair that keeps the bounds of messages (SOCK_SEQPACKET), each without waiting for
 * the other before the daemon ends. The helper keeps no other descriptor: standard input, output and error lead to /dev/null.
 * It ignores the signals by which a service manager or a terminal ends all processes at once, works off what was sent to it,
 * and ends when the daemon's end of the socket is closed, which also a killed daemon does.
 *
 * A helper that dies is not started again: the filter forbids it. Its owner learns of it by the end of the socket.
 */
#ifndef RESOLVER_DAEMON_HELPER_H
#define RESOLVER_DAEMON_HELPER_H

#include "base/bytes.h"
#include "base/res.h"

#include <stdbool.h>
#include <sys/types.h>

/* One message. The largest is evidence, with 64 KiB of certificates and a verdict. The socket's own buffer is the
 * queue, and has room for several. */
#define HELPER_MESSAGE_MAX (160 * 1024)
#define HELPER_REPORT_MAX  256 /* bytes of a report of a helper */
#define HELPER_TURN_MAX    64  /* messages of one turn of the loop: reports come one for each message to it */
/* For what all helpers together still have to write when the daemon has sent its last answer. */
#define HELPER_END_MS 500

struct helper_setup {
	const char *name; /* of the process, at most 15 bytes */
	const char *user; /* whom it becomes when the daemon is root; "": it stays who the daemon is */
	enum res (*seal)(bool kill, char **why); /* its filter on system calls (sandbox.h) */
	bool kill;                               /* a forbidden call ends it (tests) */
	/* In the helper, with its end of the socket, which blocks. Returns when the other end is closed. */
	void (*run)(int socket, void *ctx);
	void *ctx;
};

/* Before any thread is started. Gives the daemon's end, which does not block, or -1 and *why (yours). */
int helper_fork(const struct helper_setup *, char **why);
/* Waits until the helper has restricted its system calls and closed the daemon's descriptors; before this call the
 * daemon may do other work. False: the helper failed, *why (yours) says why, and the socket is closed. */
bool helper_await(int socket, char **why);
/* helper_fork and helper_await. */
int helper_start(const struct helper_setup *, char **why);
/* Is this process one of the helpers? Their filters forbid them to start other processes. */
bool helper_has_pid(pid_t);

/* For either side. False: the message was not sent, because the other side is gone or has too many waiting. An empty one is
 * never sent: it would read as the end. */
bool helper_send(int socket, struct span message);
/* Receives the next message into room, HELPER_MESSAGE_MAX bytes. 0: there is none, or no memory for it; -1: the
 * other side is gone. A longer message is truncated. In the helper it waits for a message. */
ssize_t helper_receive(int socket, uint8_t *room);
/* In the daemon: calls back for each message that is there, HELPER_TURN_MAX at most, so that a helper that sends without end
 * does not keep the daemon from other work: the loop comes back for the rest. False: the helper is gone. */
bool helper_drain(int socket, uint8_t *room, void (*on_message)(void *ctx, struct span), void *ctx);

/* The end of the daemon, whose loop does not run any more. */
struct helper_ending {
	int socket;
	int64_t until_ms;                           /* clock_mono_ms; nothing waits longer */
	void (*on_message)(void *ctx, struct span); /* for each report, of HELPER_REPORT_MAX bytes at most */
	void *ctx;
};
/* As helper_send, but waits for room, and takes reports meanwhile. */
bool helper_ending_send(const struct helper_ending *, struct span message);
/* Tells the helper to end, takes its reports until it has done its work, and closes the socket. False: it is late, and
 * still works off what was sent to it. */
bool helper_end(const struct helper_ending *);

#endif
