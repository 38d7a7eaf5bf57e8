#include "resolver/query.h"

#include <stddef.h>
#include <string.h>

/* Releases of clang-format differ about the blanks around this minus. */
/* clang-format off */
#define CONTAINER(type, member, p) ((type *)(void *)((char *)(p) - offsetof(type, member)))
/* clang-format on */

struct query *
query_of_attempts(struct attempts *as)
{
	return CONTAINER(struct query, attempts, as);
}

struct query *
query_of_admission(struct admission_entry *entry)
{
	return CONTAINER(struct query, waiters.admission, entry);
}

/* ---- the table of what is in flight */

static uint32_t
query_bucket(const struct cache_key *key)
{
	return (uint32_t)(key->hash & (QUERY_BUCKETS - 1));
}

struct query *
query_find(const struct engine *e, const struct cache_key *key)
{
	struct query *q;

	LIST_FOREACH(q, &e->bucket[query_bucket(key)], chain)
	if (cache_key_equal(&q->key, key))
		return q;
	return NULL;
}

static bool
query_write(struct query *q, const struct msg_question *question)
{
	struct buf wire = {.p = q->wire, .cap = sizeof q->wire, .max = sizeof q->wire};

	msg_question_write(&wire, question);
	if (!buf_ok(&wire))
		return false;
	q->attempts.wire = buf_span(&wire);
	q->attempts.section = span_slice(q->attempts.wire, MSG_HEADER, question->section.n);
	return true;
}

static void
query_enter(struct query *q)
{
	struct engine *e = q->engine;

	q->bucket = query_bucket(&q->key);
	LIST_INSERT_HEAD(&e->bucket[q->bucket], q, chain);
	LIST_INSERT_HEAD(&e->queries, q, link);
	e->n_queries++;
}

struct query *
query_new(struct engine *e, const struct query_subject *what, uint64_t zone,
	  const struct query_callbacks *callbacks)
{
	const struct msg_question *question = what->question;
	struct query *q = pool_take(&e->query_pool);

	if (q == NULL)
		return NULL;
	memset(q, 0, offsetof(struct query, name));
	q->engine = q->waiters.engine = q->attempts.engine = e;
	q->route = what->route;
	q->avoid = UINT32_MAX;
	q->key = *what->key;
	memcpy(q->name, question->name, question->name_n);
	q->key.name = span_of(q->name, question->name_n);
	q->waiters.type = question->type;
	q->waiters.class = question->class;
	q->held = buf_max(QUERY_HELD_MAX);
	q->tries.spin = random_u32();
	q->zone = q->attempts.zone = zone;
	q->attempts.on_outcome = callbacks->on_outcome;
	q->deadline_ms = q->attempts.deadline_ms = engine_awake_ms(e) + QUERY_TIME_MS;
	loop_timer_init(&q->timer, e->loop, callbacks->on_due, q);
	if (!query_write(q, question)) {
		pool_give(&e->query_pool, q);
		return NULL;
	}
	query_enter(q);
	return q;
}

void
query_end(struct query *q)
{
	struct engine *e = q->engine;

	attempts_detach(&q->attempts);
	waiters_drop(&q->waiters);
	loop_timer_stop(&q->timer);
	LIST_REMOVE(q, chain);
	LIST_REMOVE(q, link);
	e->n_queries--;
	admission_leave(e->admission, &q->waiters.admission);
	if (q->doomed) /* it ends anyway, and no longer gives way */
		LIST_REMOVE(q, doomed_link);
	buf_free(&q->held);
	pool_give(&e->query_pool, q);
}

/* ---- facts */

void
query_arm(struct query *q)
{
	const int64_t times[] = {q->next_ms, q->place_ms, q->stale_ms, q->stall_ms, q->wait_ms, q->behind_ms};
	int64_t due = q->deadline_ms, after;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (times[i] != 0 && times[i] < due)
			due = times[i];
	after = engine_boot_of_awake_ms(q->engine, due) - loop_now_ms(q->engine->loop);
	loop_timer_set(&q->timer, after > 0 ? after : 0);
}

bool
query_is_late(const struct query *q)
{
	return engine_awake_ms(q->engine) >= q->deadline_ms;
}

struct msg_question
query_question(const struct query *q)
{
	return msg_question_of(span_of(q->name, q->key.name.n), q->attempts.section, q->key.type,
			       q->key.class);
}

bool
query_has_stale(const struct query *q)
{
	struct cache_hit hit;

	return cache_get(q->engine->cache, &q->key, loop_now_ms(q->engine->loop), &hit) == CACHE_STALE;
}
