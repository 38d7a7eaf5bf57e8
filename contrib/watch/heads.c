/*
 * Heads: what a log signs, and that its tree only grew from one to the next.
 */
#include "base/clock.h"
#include "base/random.h"
#include "contrib/watch/follow.h"

#include <stdlib.h>

/* Between our clock and a log's, and in caches on the way. */
#define CLOCK_GRACE_MS ((int64_t)5 * 60 * 1000)

static void
poll_next(struct follow *f, int64_t in_ms)
{
	/* spread, so that eighty logs are not asked in the same moment */
	f->next_poll_ms = clock_boot_ms() + in_ms - (in_ms > 10 ? random_below((uint32_t)(in_ms / 10)) : 0);
}

/* After a failure; --once does not wait for the next poll. */
static void
poll_again(struct follow *f)
{
	poll_next(f, f->reader->settings.once ? FOLLOW_RECHECK_MS : f->reader->settings.poll_ms);
}

static void
head_settled(struct follow *f)
{
	f->rechecks = 0;
	poll_next(f, f->reader->settings.poll_ms);
}

/* The log is not read on until it shows a head that can be accepted. */
static void
head_refuse(struct follow *f, enum misbehaviour kind, const struct head *head, struct span bytes,
	    const char *why)
{
	follow_content_bad(f, why);
	f->head_refused = true;
	(void)follow_misbehaved(f, kind, f->has_head ? &f->state.head : NULL, head, bytes);
	f->polled = true;
	head_settled(f);
}

/* Asks again soon. False: it did so several times. */
static bool
head_again(struct follow *f)
{
	if (++f->rechecks >= FOLLOW_RECHECKS)
		return false;
	poll_next(f, FOLLOW_RECHECK_MS);
	return true;
}

/* Asks again soon; after several times it is refused. */
static void
head_recheck(struct follow *f, enum misbehaviour kind, const struct head *head, struct span bytes,
	     const char *why)
{
	if (!head_again(f))
		head_refuse(f, kind, head, bytes, why);
}

/* There is no memory for what the log showed: it is asked again, and not blamed. */
static void
head_unread(struct follow *f)
{
	follow_content_bad(f, "no memory");
	if (head_again(f))
		return;
	f->polled = true;
	head_settled(f);
}

/* RFC 6962, 3.5: a log signs at least once in its maximum merge delay. One that ended (readonly) need not. */
static void
head_date_judge(struct follow *f, const struct head *head)
{
	const struct head *before = f->has_head ? &f->state.head : NULL;
	int64_t age_ms = clock_wall_ms() - (int64_t)head->timestamp_ms;

	if (age_ms < -CLOCK_GRACE_MS)
		(void)follow_misbehaved(f, MISBEHAVIOUR_HEAD_IN_THE_FUTURE, before, head, span_of(NULL, 0));
	else
		follow_well(f, MISBEHAVIOUR_HEAD_IN_THE_FUTURE);
	if (f->log.ctlog->state != CTLOG_READONLY &&
	    age_ms > (int64_t)ctlog_mmd_ms(f->log.ctlog) + CLOCK_GRACE_MS)
		(void)follow_misbehaved(f, MISBEHAVIOUR_HEAD_TOO_OLD, before, head, span_of(NULL, 0));
	else
		follow_well(f, MISBEHAVIOUR_HEAD_TOO_OLD);
}

static void
head_accept(struct follow *f, const struct head *head)
{
	static const enum misbehaviour healed[] = {
	    MISBEHAVIOUR_HEAD_MALFORMED, MISBEHAVIOUR_HEAD_BAD_SIGNATURE, MISBEHAVIOUR_HEAD_WENT_BACK,
	    MISBEHAVIOUR_HEAD_FORKED, MISBEHAVIOUR_HEAD_UNPROVEN};

	for (size_t i = 0; i < sizeof healed / sizeof healed[0]; i++)
		follow_well(f, healed[i]);
	/* a larger tree counts whatever its date: after one head of the far future all others would be older */
	if (!f->has_head || head->size > f->state.head.size ||
	    head->timestamp_ms > f->state.head.timestamp_ms) {
		f->state.head = *head;
		f->dirty = true;
	}
	/* nothing was added up to this time: an older entry that joins later is late */
	if (f->started && f->state.checked.size == head->size && head->timestamp_ms > f->state.checked_ms)
		f->state.checked_ms = head->timestamp_ms;
	f->has_head = true;
	f->polled = true;
	f->head_refused = false;
	if (f->refusals == 0 && f->setbacks == 0 && f->unrecorded == 0)
		follow_content_good(f);
	head_settled(f);
}

/* The log did not give a proof: it may be overloaded, or it may have none. */
static void
proof_missing(struct follow *f, const struct proof_result *result)
{
	const struct fetch_answer *answer = result->answer;
	const char *why = result->why != NULL ? result->why : "no proof";
	bool spoke =
	    answer != NULL && answer->result == FETCH_ANSWER && answer->status != 429 && answer->status < 500;

	if (answer != NULL)
		(void)follow_answered(f, answer);
	if (!spoke) {
		poll_again(f);
		return;
	}
	follow_content_bad(f, why);
	head_recheck(f, MISBEHAVIOUR_HEAD_UNPROVEN, &f->candidate, buf_span(&answer->body->bytes), why);
}

static void
heads_on_proof(void *arg, const struct proof_result *result)
{
	struct follow *f = arg;
	const struct head *old = &f->state.head, *new = &f->candidate;

	f->proof = NULL;
	if (result->res == RES_NOMEM) {
		(void)follow_answered(f, result->answer);
		head_unread(f);
		return;
	}
	if (result->res != RES_OK) {
		proof_missing(f, result);
		return;
	}
	(void)follow_answered(f, result->answer);
	if (tree_consistency_verify(f->reader->hasher, old->size, &old->root, new->size, &new->root,
				    result->proof) == RES_OK) {
		head_accept(f, new);
		return;
	}
	head_refuse(f, MISBEHAVIOUR_HEAD_FORKED, new, buf_span(&result->answer->body->bytes),
		    "the log does not prove that its tree grew from the one before");
}

static void
proof_ask(struct follow *f)
{
	const struct proof_request request = {
	    .log = &f->log, .first = f->state.head.size, .second = f->candidate.size};
	enum res r =
	    proof_start(&f->proof, f->reader->fetcher, f->reader->hasher, &request, heads_on_proof, f);

	if (r == RES_OK)
		f->requests++;
	else
		poll_next(f, FOLLOW_RECHECK_MS);
}

static void
head_compare(struct follow *f, const struct head *head, struct span bytes)
{
	const struct head *old = &f->state.head;

	if (!f->has_head || old->size == 0) {
		head_accept(f, head);
	} else if (head->size < old->size) {
		head_recheck(f, MISBEHAVIOUR_HEAD_WENT_BACK, head, bytes,
			     "the log shows a smaller tree than before");
	} else if (head->size > old->size) {
		f->candidate = *head;
		proof_ask(f);
	} else if (tree_hash_equal(&head->root, &old->root)) {
		head_accept(f, head);
	} else {
		head_refuse(f, MISBEHAVIOUR_HEAD_FORKED, head, bytes,
			    "the log shows another tree of the same size");
	}
}

static void
head_malformed(struct follow *f, struct span body, const char *why)
{
	follow_content_bad(f, why);
	head_recheck(f, MISBEHAVIOUR_HEAD_MALFORMED, NULL, body, why);
}

static void
head_on_read(struct follow *f, const struct head *head, struct span body)
{
	enum res r = head_verify(head, f->log.ctlog);

	if (r == RES_NOMEM) {
		head_unread(f);
	} else if (r != RES_OK) {
		head_refuse(f, MISBEHAVIOUR_HEAD_BAD_SIGNATURE, head, body,
			    "the head's signature does not hold");
	} else {
		head_date_judge(f, head);
		head_compare(f, head, body);
	}
}

static void
heads_on_answer(void *arg, const struct fetch_answer *answer)
{
	struct follow *f = arg;
	struct span body = buf_span(&answer->body->bytes);
	struct head head;
	char *why = NULL;
	enum res r;

	f->head_under_way = false;
	if (!follow_answered(f, answer)) {
		poll_again(f);
		if (answer->result == FETCH_TOO_LARGE)
			head_recheck(f, MISBEHAVIOUR_ANSWER_OVERSIZED, NULL, span_of(NULL, 0),
				     "the head is too large");
		return;
	}
	r = answer->gzip ? RES_MALFORMED : source_head_read(&head, &f->log, body, &why);
	if (r == RES_OK)
		head_on_read(f, &head, body);
	else if (r == RES_NOMEM)
		head_unread(f);
	else
		head_malformed(f, body, why != NULL ? why : "the head is compressed");
	free(why);
}

void
heads_step(struct follow *f, int64_t now_ms)
{
	struct buf url = buf_max(FETCHER_URL_MAX);
	struct fetch_request request = {.expected = 1024, .limit = HEAD_FILE_MAX};
	int64_t due = f->next_poll_ms > f->pace.not_before_ms ? f->next_poll_ms : f->pace.not_before_ms;

	if (f->head_under_way || f->proof != NULL)
		return;
	if (f->reader->settings.once && f->polled)
		return;
	if (due > now_ms) {
		follow_due(f->reader, due);
		return;
	}
	source_head_url(&url, &f->log);
	request.url = buf_cstr(&url);
	if (request.url != NULL && fetcher_get(f->reader->fetcher, &request, heads_on_answer, f) == RES_OK) {
		f->head_under_way = true;
		f->requests++;
	} else {
		poll_next(f, FOLLOW_RECHECK_MS);
		follow_due(f->reader, f->next_poll_ms);
	}
	buf_free(&url);
}

void
heads_close(struct follow *f)
{
	proof_drop(f->proof);
	f->proof = NULL;
	fetcher_drop(f->reader->fetcher, f);
	f->head_under_way = false;
}
