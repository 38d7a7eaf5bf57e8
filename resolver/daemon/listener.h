/*
 * listener.h - the doors for clients: one UDP socket, or one listening TCP socket, of one worker.
 *
 * They know datagrams, frames and connections; what a question is and how it is answered is the engine's.
 * Sockets are bound before privileges are dropped and handed in.
 */
#ifndef RESOLVER_DAEMON_LISTENER_H
#define RESOLVER_DAEMON_LISTENER_H

#include "resolver/engine.h"

#define UDP_BATCH  32 /* datagrams a system call */
#define UDP_ROUNDS 4  /* batches a turn of the loop, so that one busy socket does not starve the others */
/* A question with an OPT has at most 300 bytes, and padding; more is cut and so FORMERR. */
#define UDP_QUESTION_MAX 2048
#define WAITING_HIGH     1024 /* clients waiting, after which memory is given back to the system */

#define TCP_IDLE_MS      30000 /* RFC 7766, 6.2.3; no whole question and none in work for so long */
#define TCP_WRITE_MAX    65536 /* replies that a connection has not taken; beyond, it is closed */
#define TCP_WRITE_LOW    16384 /* above it no further question is read */
#define TCP_READ_MAX     65536 /* of one read; shared by all connections of a worker */
#define TCP_WRITE_MS     10000 /* a client that took no byte for so long is closed */
/* Of all clients together, shared out among the workers: bytes of questions that are not whole, and once more as many of
 * replies that are not read. 256 of the largest frames, or a third of a million unfinished questions of the usual size. */
#define TCP_BYTES_MAX (16 * 1024 * 1024)
#define TCP_BYTES_HIGH                                                                                       \
	(1024 * 1024) /* memory is given back to the system when this much was held and is not any more */
#define TCP_KERNEL_WRITE                                                                                     \
	32768 /* the kernel's buffers of a connection: what it does not read lies there too */
#define TCP_KERNEL_READ 32768
#define TCP_ACCEPT_MAX  64   /* a turn */
#define TCP_LOOK_MAX    1024 /* connections that are looked at to find one to close for another */
#define TCP_PAUSE_MS    1000 /* no descriptors left: accepting rests (libevent would spin) */
/* Of one connection: a thousand pipelined at once go out together (C26); more are read when some are answered. */
#define TCP_IN_FLIGHT_MAX 2048
/* Of a worker, if there are descriptors for them; then the longest idle one goes. */
#define TCP_CONNECTIONS_MAX  10240
#define TCP_CONNECTIONS_HIGH 1024 /* their number after which memory is given back as well */
#define DESCRIPTORS_KEPT     256  /* for upstreams, files, the control socket */

/* Both sockets of one address, for one worker. */
struct listener_fds {
	struct addr addr;
	int udp, tcp; /* -1: none */
};

struct footprint_watch; /* footprint.h */

struct listener_udp;
enum res listener_udp_new(struct listener_udp **, struct loop *, struct engine *, struct counters *,
			  struct footprint_watch *, int fd, const struct addr *);
void listener_udp_stop(struct listener_udp *); /* reads no more; replies still go out */
void listener_udp_free(struct listener_udp *); /* closes the descriptor */

struct tcp_room; /* what the TCP listeners of one worker share: connections, their number, the read buffer */
enum res tcp_room_new(struct tcp_room **, struct loop *, struct engine *, struct counters *,
		      uint32_t connections_max, size_t bytes_max, struct footprint_watch *);
void tcp_room_free(struct tcp_room *);          /* after its listeners; closes what is open */
bool tcp_room_is_high(const struct tcp_room *); /* it holds so much that giving it back is worth the while */
size_t tcp_room_busy(const struct tcp_room *);  /* connections that still have a reply to get */

struct listener_tcp;
enum res listener_tcp_new(struct listener_tcp **, struct tcp_room *, int fd, const struct addr *);
void listener_tcp_stop(struct listener_tcp *);
void listener_tcp_free(struct listener_tcp *);

/* A client that has no business at this door: source port 0, or from elsewhere at a loopback address. */
bool listener_refuses(const struct addr *listener, const struct addr *client);

/* Binds both sockets; share: several workers will. *why (yours) on failure: "127.0.0.1:53 udp: Address
 * already in use". RES_UNSUPPORTED: it is ::1, and the machine has no IPv6. */
enum res listener_bind(struct listener_fds *, const struct addr *, bool share, char **why);

/* A socket that was bound by others is made as if bound here. */
void listener_adopt(const struct listener_fds *);

#endif
