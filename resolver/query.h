/*
 * query.h - a question in flight: which clients wait for it, where it was sent, and when it times out.
 *
 * Equal questions (cache_key) are one query. A query without waiters (a prefetch, or all have gone) continues and
 * fills the cache. Each step is a function that returns the new state of the query; only query_end frees it:
 *
 *   queries.h        entry points: a client joins, a prefetch, a reload; and what the loop calls
 *   query_send.h     which server is next, and what the query waits for while no server is usable
 *   query_answer.h   what came back: the answer, or another server is asked
 *   deliver.h        the end: an answer for all waiting clients and the cache, or the reason why there is none
 */
#ifndef RESOLVER_QUERY_H
#define RESOLVER_QUERY_H

#include "resolver/attempt.h"
#include "resolver/explain.h"
#include "resolver/tries.h"
#include "resolver/waiter.h"

#define QUERY_TIME_MS  4000 /* interface: within the client's own time-out (5 s in glibc) */
#define QUERY_WIRE_MAX (MSG_HEADER + MSG_NAME_MAX + 4 + 64) /* header, question, our OPT */
#define QUERY_BUCKETS  4096
/* Bytes of an answer that was unusable: 8 MiB for all queries; a longer answer is not kept. */
#define QUERY_HELD_MAX 2048
#define QUERIES_MAX    4096 /* in flight, a worker; those that give way still count in their turn */

enum query_step { QUERY_GOES_ON, QUERY_ENDED };

struct query {
	struct engine *engine;
	uint32_t bucket;
	LIST_ENTRY(query) chain;       /* of the bucket */
	LIST_ENTRY(query) link;        /* all of the engine */
	LIST_ENTRY(query) doomed_link; /* gives way at the end of the turn */
	bool doomed;
	const struct route *route;
	struct waiters waiters;
	struct attempts attempts;
	struct tries tries;
	struct loop_timer timer;
	/* Of engine_awake_ms; 0: none. next_ms: when an answer is late and the next server is asked. place_ms: when one of
	 * QUERY_OPEN_MAX servers has been silent for so long that another may be asked. behind_ms: when to look whether it
	 * waits behind a late answer. */
	int64_t deadline_ms, next_ms, place_ms, stale_ms, stall_ms, wait_ms, behind_ms;
	uint64_t zone;   /* engine_zone of the name */
	uint32_t avoid;  /* upstream whose answer was unusable */
	unsigned behind; /* attempts made because it waited behind a late answer */
	bool soft;       /* failed over once for an answer that was a failure (answer_class.h) */
	bool truncated;  /* ... or TC */
	bool limited;    /* some connection had no room for it */
	bool suspect;    /* connections ended under it */
	bool tried;      /* asked on a fresh connection, after an unusable answer */
	unsigned again;  /* ... and so often once more on the same one */
	struct buf held; /* the unusable answer, in case no better one comes */
	const struct server *held_server;
	struct blame blame;           /* the server that failed this question last */
	struct cache_key key;         /* its name lies below */
	uint8_t name[MSG_NAME_MAX];   /* lower case */
	uint8_t wire[QUERY_WIRE_MAX]; /* as sent, id 0 */
};

/* Callbacks for the loop and the transport. They carry out the next step of the query (queries.c). */
struct query_callbacks {
	void (*on_due)(void *query);
	void (*on_outcome)(struct attempts *, const struct attempt_outcome *);
};

/* What is asked. Lent. */
struct query_subject {
	const struct msg_question *question;
	const struct cache_key *key; /* of it, prepared for the engine's cache */
	const struct route *route;
};

/* NULL: there is none. Lent. */
struct query *query_find(const struct engine *, const struct cache_key *);
/* Creates a query in the table; it is not sent yet. zone: engine_zone of the name. NULL: no memory. */
struct query *query_new(struct engine *, const struct query_subject *, uint64_t zone,
			const struct query_callbacks *);
/* Removes the query from the table and frees it. Clients that still wait are dropped without a reply. */
void query_end(struct query *);

/* The query that contains this part. */
struct query *query_of_attempts(struct attempts *);
struct query *query_of_admission(struct admission_entry *);

void query_arm(struct query *);           /* for whatever comes first of its times */
bool query_is_late(const struct query *); /* its time is up */
/* The question, for answers that are made locally. */
struct msg_question query_question(const struct query *);
/* The cache has a stale answer for it. */
bool query_has_stale(const struct query *);

#endif
