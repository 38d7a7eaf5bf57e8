/* replay_world.c - the world around the resolver, and what is counted. */
#include "tests/unit/resolver/replay_play.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

void *__real_realloc(void *, size_t);
void *__wrap_realloc(void *, size_t);

static bool no_memory;

/* Of this program's files, which has only buffers grow by it. */
void *
__wrap_realloc(void *p, size_t n)
{
	return no_memory ? NULL : __real_realloc(p, n);
}

bool
play_memory_set(bool there)
{
	bool before = !no_memory;

	no_memory = !there;
	return before;
}

void
verb_memory(struct play *p)
{
	(void)play_memory_set(strcmp(play_word(p, 2), "gone") != 0);
}

void
verb_sleep(struct play *p)
{
	long ms = play_number(p, play_word(p, 2));

	fake_loop_suspend(p->loop, ms);
	p->now_ms += ms;
}

void
verb_clock(struct play *p)
{
	fake_loop_wall_step(p->loop, play_number(p, play_word(p, 2)));
}

void
verb_clock_event(struct play *p)
{
	engine_clock_set(p->engine);
}

void
verb_network(struct play *p)
{
	engine_network_changed(p->engine);
}

void
verb_reload(struct play *p)
{
	struct plan *plan;

	if (play_plan_make(p, &plan) != RES_OK) {
		play_wrong(p, "configuration: %s", buf_cstr(&p->log));
		return;
	}
	if (engine_plan_set(p->engine, plan) != RES_OK)
		play_wrong(p, "no memory");
	plan_unref(plan);
}

void
verb_captive(struct play *p)
{
	long ms = play_number(p, play_word(p, 2));

	upstreams_captive_set(engine_upstreams(p->engine), ms == 0 ? 0 : loop_now_ms(p->loop) + ms);
}

void
verb_flush(struct play *p)
{
	uint8_t name[MSG_NAME_MAX], n;

	if (msg_name_read(name, &n, play_word(p, 2)) == RES_OK)
		cache_flush(engine_cache(p->engine), span_of(name, n));
}

/* The answer in wire format; free it. */
static uint8_t *
address_answer(const char *name, const char *ttl, const char *addr, size_t *n)
{
	ldns_pkt *pkt = ldns_pkt_new();
	ldns_rr *asked = NULL, *rr = NULL;
	char text[512];
	uint8_t *wire = NULL;

	ldns_pkt_set_qr(pkt, true);
	ldns_pkt_set_ra(pkt, true);
	(void)snprintf(text, sizeof text, "%s IN A", name);
	if (ldns_rr_new_question_frm_str(&asked, text, NULL, NULL) == LDNS_STATUS_OK)
		ldns_pkt_push_rr(pkt, LDNS_SECTION_QUESTION, asked);
	(void)snprintf(text, sizeof text, "%s %s IN A %s", name, ttl, addr);
	if (ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) == LDNS_STATUS_OK)
		ldns_pkt_push_rr(pkt, LDNS_SECTION_ANSWER, rr);
	if (asked == NULL || rr == NULL || ldns_pkt2wire(&wire, pkt, n) != LDNS_STATUS_OK)
		wire = NULL;
	ldns_pkt_free(pkt);
	return wire;
}

void
verb_elsewhere(struct play *p)
{
	uint16_t ttl_at[MSG_RRS_MAX];
	uint8_t name[MSG_NAME_MAX], name_n;
	size_t n = 0;
	uint8_t *wire = address_answer(play_word(p, 2), play_word(p, 3), play_word(p, 4), &n);
	const struct cache_entry_info info = {.upstream = 0};
	struct msg_answer m;

	if (wire == NULL || msg_name_read(name, &name_n, play_word(p, 2)) != RES_OK ||
	    msg_answer_read(&m, span_of(wire, n), ttl_at) != RES_OK) {
		play_wrong(p, "the answer cannot be made");
	} else {
		const struct cache_key key = {.name = span_of(name, name_n), .type = TYPE_A, .class = CLASS_IN};

		if (!cache_put(engine_cache(p->engine), &key, &m, &info, loop_now_ms(p->loop)))
			play_wrong(p, "the answer is not kept");
	}
	free(wire);
}

static void
same_number(struct play *p, const char *what, uint64_t got, const char *want)
{
	if (got != (uint64_t)play_number(p, want))
		play_wrong(p, "%s: %llu, not %s", what, (unsigned long long)got, want);
}

void
verb_count(struct play *p)
{
	static const char *const names[] = {
#define COUNTER(id, name, help) name,
#include "resolver/counters.def"
#undef COUNTER
	};

	for (size_t i = 0; i < COUNTER_COUNT; i++)
		if (strcmp(names[i], play_word(p, 2)) == 0) {
			same_number(p, names[i], counter_get(&p->counters, (enum counter)i), play_word(p, 3));
			return;
		}
	if (reason_read(play_word(p, 2)) != REASON_NONE)
		same_number(
		    p, play_word(p, 2), atomic_load(&p->counters.by_reason[reason_read(play_word(p, 2))]),
		    play_word(p, 3));
	else
		play_wrong(p, "no such counter: %s", play_word(p, 2));
}

void
verb_connects(struct play *p)
{
	same_number(p, "connects", upstream_line(play_word(p, 2))->connects, play_word(p, 3));
}

void
verb_connects_most(struct play *p)
{
	unsigned n = upstream_line(play_word(p, 2))->connects;

	if ((long)n > play_number(p, play_word(p, 3)))
		play_wrong(p, "%u connects, more than %s", n, play_word(p, 3));
}

void
verb_drops(struct play *p)
{
	same_number(p, "drops", upstream_line(play_word(p, 2))->drops, play_word(p, 3));
}

void
verb_learns_anew(struct play *p)
{
	same_number(p, "restarts of what it learned", upstream_line(play_word(p, 2))->anew, play_word(p, 3));
}

void
verb_kept(struct play *p)
{
	int64_t left = upstream_line(play_word(p, 2))->kept_until_ms - loop_now_ms(p->loop);

	same_number(p, "kept", left > 0 ? (uint64_t)left : 0, play_word(p, 3));
}

void
verb_waiting(struct play *p)
{
	same_number(p, "waiting", engine_waiting(p->engine), play_word(p, 2));
}

void
verb_inflight(struct play *p)
{
	same_number(p, "inflight", engine_in_flight(p->engine), play_word(p, 2));
}

/* logged N TEXT: so many lines with it since the last look */
void
verb_logged(struct play *p)
{
	struct buf want = buf_max(1024);
	const char *at = p->log.n > 0 ? buf_cstr(&p->log) : "";
	uint64_t n = 0;

	for (size_t i = 3; i < p->n_words; i++)
		buf_format(&want, "%s%s", i > 3 ? " " : "", p->word[i]);
	while ((at = strstr(at, buf_cstr(&want))) != NULL) {
		n++;
		at++;
	}
	same_number(p, buf_cstr(&want), n, play_word(p, 2));
	buf_free(&want);
	buf_clear(&p->log);
}
