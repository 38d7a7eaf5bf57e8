/*
 * listener_udp.h - DNS over UDP for clients: one socket of one worker.
 *
 * It knows datagrams; what a question is and how it is answered is the engine's. Replies leave in batches.
 */
#ifndef RESOLVER_DAEMON_LISTENER_UDP_H
#define RESOLVER_DAEMON_LISTENER_UDP_H

#include "base/dns/message.h"
#include "resolver/daemon/heap.h"
#include "resolver/engine.h"

#define UDP_BATCH   16 /* datagrams a system call */
#define UDP_ROUNDS  8  /* batches a turn of the loop, so that one busy socket does not starve the others */
#define UDP_REST_MS 10 /* while the kernel has no memory for datagrams */
/* A question with an OPT has at most 300 bytes, and padding; more is cut and so FORMERR. */
#define UDP_QUESTION_MAX 2048
#define WAITING_HIGH     1024 /* clients waiting, after which memory is given back to the system */

struct listener_udp;
/* The descriptor is taken on RES_OK; it is bound to the address. */
enum res listener_udp_new(struct listener_udp **, struct loop *, struct engine *, struct counters *,
			  struct heap_watch *, int fd, const struct addr *);
void listener_udp_stop(struct listener_udp *);          /* reads no more; replies still go out */
bool listener_udp_is_busy(const struct listener_udp *); /* the kernel has not taken all replies */
void listener_udp_free(struct listener_udp *);          /* closes the descriptor */

#endif
