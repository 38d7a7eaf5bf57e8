/*
 * query_feed.h - what one worker hands to the writer of the query log: its engine's tap.
 *
 * Nothing here waits. Events are collected for a turn of the loop and go out together; when the writer is behind, up to
 * QUERY_FEED_MAX bytes wait, and what comes then is dropped and counted. Only the end waits for the writer.
 */
#ifndef RESOLVER_DAEMON_QUERYLOG_QUERY_FEED_H
#define RESOLVER_DAEMON_QUERYLOG_QUERY_FEED_H

#include "config/settings.h"
#include "resolver/daemon/helper.h"
#include "resolver/tap.h"
#include "transport/loop.h"

#include <stdatomic.h>

/* Of one worker: four thousand lines, or the replies of a thousand questions. */
#define QUERY_FEED_MAX   (1024 * 1024)
#define QUERY_FEED_BATCH (64 * 1024) /* bytes of one message to the writer, unless one event is longer */
#define QUERY_PREFIX_V4  24
#define QUERY_PREFIX_V6  48

/* What all workers share. */
struct query_channel {
	int socket;          /* to the writer */
	bool messages;       /* it wants whole messages (dnstap) */
	_Atomic int clients; /* enum query_clients; a reload changes it */
	atomic_bool gone;    /* the writer: nothing more can be logged */
	/* Main thread, when the workers have ended. */
	struct helper_ending ending; /* until_ms is 0 before: nothing waits */
	uint64_t lost;               /* events that the writer did not take then */
};

struct query_feed;
/* The channel is lent. NULL: no memory. */
struct query_feed *query_feed_new(struct query_channel *, struct loop *, struct counters *);
/* Main thread. What still waits goes out, as far as the writer takes it until the channel's time is up. */
void query_feed_free(struct query_feed *);
const struct tap *query_feed_tap(const struct query_feed *); /* lent */

#endif
