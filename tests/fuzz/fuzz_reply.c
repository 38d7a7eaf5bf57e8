/*
 * fuzz_reply.c - an upstream's answer on its way to a client, directly and through the cache: its OPT is replaced
 * by ours, and every other record stays the same.
 *
 * With FUZZ_PAIRS=FILE each answer and the reply made from it are appended to FILE, a length of four bytes before each, for
 * other readers of DNS messages to compare (tests/functional/test_rewriting.py).
 */
#include "resolver/cache.h"
#include "base/text.h"
#include "tests/fuzz/beside.h"
#include "tests/fuzz/fuzz.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

/* Both lists have the same records, with names written out, apart from TTLs. */
static void
lists_check(const ldns_rr_list *a, const ldns_rr_list *b)
{
	check(ldns_rr_list_rr_count(a) == ldns_rr_list_rr_count(b));
	for (size_t i = 0; i < ldns_rr_list_rr_count(a); i++) {
		ldns_rr *x = ldns_rr_list_rr(a, i), *y = ldns_rr_list_rr(b, i);
		uint8_t *p = NULL, *q = NULL;
		size_t p_n = 0, q_n = 0;

		ldns_rr_set_ttl(x, 0);
		ldns_rr_set_ttl(y, 0);
		check(ldns_rr2wire(&p, x, LDNS_SECTION_ANSWER, &p_n) ==
		      ldns_rr2wire(&q, y, LDNS_SECTION_ANSWER, &q_n));
		check(span_equal(span_of(p, p_n), span_of(q, q_n)));
		free(p);
		free(q);
	}
}

/* The client spells its question as the upstream did: then all names must be the same to the byte. */
static void
same_records(const struct msg_answer *a, struct span reply)
{
	ldns_pkt *x = NULL, *y = NULL;

	if (!beside_is_plain(a) || ldns_wire2pkt(&x, a->wire.p, a->wire.n) != LDNS_STATUS_OK)
		return;
	check(ldns_wire2pkt(&y, reply.p, reply.n) == LDNS_STATUS_OK);
	lists_check(ldns_pkt_answer(x), ldns_pkt_answer(y));
	lists_check(ldns_pkt_authority(x), ldns_pkt_authority(y));
	lists_check(ldns_pkt_additional(x), ldns_pkt_additional(y));
	ldns_pkt_free(x);
	ldns_pkt_free(y);
}

static void
pair_put(struct span answer, struct span reply)
{
	static FILE *file;
	const char *path = getenv("FUZZ_PAIRS");
	struct buf b = buf_max(2 * MSG_MAX + 8);

	if (path == NULL)
		return;
	if (file == NULL)
		check((file = fopen(path, "ab")) != NULL);
	buf_u32(&b, (uint32_t)answer.n);
	buf_put(&b, answer);
	buf_u32(&b, (uint32_t)reply.n);
	buf_put(&b, reply);
	check(buf_ok(&b) && fwrite(b.p, 1, b.n, file) == b.n && fflush(file) == 0);
	buf_free(&b);
}

static struct span
reply_make(struct buf *out, const struct msg_question *q, const struct msg_answer *a)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct msg_finish f = {.question = q, .max = MSG_MAX, .ad = true, .ede = a->ede, .n_ede = a->n_ede};
	struct msg_answer back;

	buf_clear(out);
	if (msg_reply_from_answer(out, &f, a, 1, 0, 86400) != RES_OK)
		return (struct span){NULL, 0};
	check(msg_answer_read(&back, buf_span(out), ttl_at) == RES_OK);
	check(back.edns.present == q->edns.present);
	check(back.an <= a->an && back.ns <= a->ns && back.ar <= a->ar);
	if (!(back.flags & MSG_TC))
		check(back.an == a->an);
	return back.an == a->an && back.ns == a->ns && back.ar == a->ar ? buf_span(out)
									: (struct span){NULL, 0};
}

static void
through_the_cache(struct buf *out, const struct msg_question *q, const struct msg_answer *a)
{
	static const struct cache_limits limits = {.bytes = 1 << 20,
						   .min_ttl_ms = 1000,
						   .max_ttl_ms = 86400000,
						   .negative_max_ttl_ms = 3600000,
						   .serve_stale_ms = 1000};
	static struct cache *cache;
	struct cache_key key = cache_key_of(q);
	struct cache_entry_info info = {.ede = a->n_ede > 0 ? a->ede : NULL};
	struct cache_hit hit;
	struct span reply;

	if (cache == NULL)
		check(cache_new(&cache, &limits) == RES_OK);
	if (!cache_put(cache, &key, a, &info, 1000000))
		return;
	check(cache_get(cache, &key, 1000500, &hit) == CACHE_FRESH);
	check(hit.answer.opt_n == 0 && hit.answer.rcode == a->rcode);
	reply = reply_make(out, q, &hit.answer);
	if (reply.n > 0)
		same_records(a, reply);
	check(cache_flush(cache, key.name) == 1);
}

/* Another order of the answer section: a message again, with all its records, and in order. */
static void
in_order(struct buf *out, const struct msg_answer *a)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct buf again = buf_max(MSG_MAX);
	struct msg_answer back;

	if (msg_order(out, a)) {
		check(msg_answer_read(&back, buf_span(out), ttl_at) == RES_OK);
		check(back.an == a->an && back.ns == a->ns && back.ar == a->ar);
		check(back.rcode == a->rcode && back.edns.present == a->edns.present);
		check(!msg_order(&again, &back));
	}
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct buf out = buf_max(MSG_MAX);
	struct msg_question q = {.id = 1, .flags = MSG_RD};
	struct msg_answer a;
	struct span reply;

	/* the first byte: a client with EDNS or without */
	if (n == 0 || msg_answer_read(&a, span_of(data + 1, n - 1), ttl_at) != RES_OK)
		return 0;
	q.edns.present = data[0] & 1;
	q.edns.do_bit = q.edns.present && (data[0] & 2) != 0;
	q.section = a.section;
	q.name_n = (uint8_t)(a.section.n - 4);
	ascii_lower_copy(q.name, a.section.p, q.name_n);
	q.type = a.type;
	q.class = a.class;
	reply = reply_make(&out, &q, &a);
	if (reply.n > 0) {
		pair_put(a.wire, reply);
		same_records(&a, reply);
	}
	through_the_cache(&out, &q, &a);
	in_order(&out, &a);
	buf_free(&out);
	return 0;
}
