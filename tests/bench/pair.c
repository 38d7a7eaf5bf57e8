/*
 * pair.c - how much a second worker slows down the first: two engines with one cache, each asked for cached names by a thread of
 * its own, without sockets. One engine alone and both at once take turns. Each line is a name and a number:
 *
 *   alone-ns, both-ns   processor time of an answer
 *   times               answers of two in the time of one, when each has a processor: 2 x alone / both
 *   sleeps              times that a thread slept for a lock, in a million answers
 */
#include "config.h"

#include "base/faults.h"
#include "resolver/engine.h"
#include "tests/bench/measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define NAMES  1000
#define ASKED  400000 /* questions of one thread in one round */
#define ROUNDS 9

struct side {
	struct loop *loop;
	struct engine *engine;
	struct counters *counters;
	unsigned seed;
	double ns;
	long sleeps;
};

static struct buf questions[NAMES];

static void
question_make(unsigned i)
{
	char text[32];
	uint8_t name[MSG_NAME_MAX], n = 0;
	struct buf *b = &questions[i];

	(void)snprintf(text, sizeof text, "host-%u.example", i);
	bench_need(msg_name_read(name, &n, text) == RES_OK, "a name cannot be read");
	*b = buf_max(MSG_MAX);
	buf_put(b, span_of((const uint8_t *)"\0\1\1\0\0\1\0\0\0\0\0\0", MSG_HEADER));
	buf_put(b, span_of(name, n));
	buf_u16(b, TYPE_A);
	buf_u16(b, CLASS_IN);
}

/* An answer with one address, in the shared cache. */
static void
answer_put(struct side *s, unsigned i)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	const struct cache_entry_info info = {.upstream = 0};
	struct buf wire = buf_max(MSG_MAX);
	struct msg_question q;
	struct cache_key k;
	struct msg_answer a;

	bench_need(msg_question_read(&q, buf_span(&questions[i])) == MSG_OK, "a question cannot be read");
	k = cache_key_of(&q);
	buf_put(&wire, span_of((const uint8_t *)"\0\0\x81\x80\0\1\0\1\0\0\0\0", MSG_HEADER));
	buf_put(&wire, q.section);
	buf_put(&wire, span_of((const uint8_t *)"\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\xc0\0\2\1", 16));
	bench_need(msg_answer_read(&a, buf_span(&wire), ttl_at) == RES_OK, "an answer cannot be read");
	bench_need(cache_put(engine_cache(s->engine), &k, &a, &info, loop_now_ms(s->loop)), "an answer was not stored");
	buf_free(&wire);
}

static double
thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long
thread_sleeps(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_THREAD, &r);
	return r.ru_nvcsw;
}

static void *
side_ask(void *arg)
{
	struct side *s = arg;
	struct client client = {.owner = s};
	struct buf out = buf_max(MSG_MAX);
	double from = thread_ns();
	long sleeps = thread_sleeps();

	bench_need(addr_read(&client.addr, "127.0.0.1:5353", 0) == RES_OK, "no address");
	for (unsigned i = 0; i < ASKED; i++) {
		s->seed = s->seed * 1103515245 + 12345;
		buf_clear(&out);
		bench_need(engine_ask(s->engine, buf_span(&questions[s->seed / 65536 % NAMES]), &client, &out) == ASK_REPLIED,
		    "a question was not answered at once");
	}
	buf_free(&out);
	s->ns = (thread_ns() - from) / ASKED;
	s->sleeps = thread_sleeps() - sleeps;
	return NULL;
}

static void
sides_ask(struct side *s, unsigned n)
{
	pthread_t thread[2];

	for (unsigned i = 0; i < n; i++)
		bench_need(pthread_create(&thread[i], NULL, side_ask, &s[i]) == 0, "no thread");
	for (unsigned i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

static void
side_make(struct side *s, struct plan *plan, struct cache_store *store)
{
	static const struct server_hooks none;

	s->counters = calloc(1, sizeof *s->counters);
	bench_need(s->counters != NULL && loop_new(&s->loop) == RES_OK, "no memory");
	bench_need(engine_new(&s->engine, s->loop, s->counters, plan, &none, store) == RES_OK, "no engine");
}

static void
measure(struct side *s)
{
	double alone[ROUNDS], both[ROUNDS], times[ROUNDS];
	long sleeps = 0;

	sides_ask(s, 2); /* warm-up, not counted */
	for (unsigned i = 0; i < ROUNDS; i++) {
		sides_ask(s, 1);
		alone[i] = s[0].ns;
		sides_ask(s, 2);
		both[i] = (s[0].ns + s[1].ns) / 2;
		times[i] = 2 * alone[i] / both[i];
		sleeps += s[0].sleeps + s[1].sleeps;
	}
	printf("alone-ns %.0f\n", bench_median(alone, ROUNDS));
	printf("both-ns %.0f\n", bench_median(both, ROUNDS));
	printf("times %.3f\n", bench_median(times, ROUNDS));
	printf("sleeps %.2f\n", (double)sleeps * 1e6 / (2.0 * ROUNDS * ASKED));
}

int
main(int argc, char **argv)
{
	struct side side[2] = {{.seed = 1}, {.seed = 77}};
	struct config_errors errors = {0};
	struct cache_limits limits;
	struct cache_store *store;
	struct plan *plan;

	bench_need(argc == 2, "pair CONFIGURATION");
	if (plan_read(&plan, argv[1], 1, false, &errors) != RES_OK)
		bench_need(false, errors.n > 0 ? errors.line[0] : "no memory");
	limits = engine_cache_limits(plan);
	bench_need(cache_store_new(&store, 2, &limits) == RES_OK, "no memory");
	for (unsigned i = 0; i < 2; i++)
		side_make(&side[i], plan, store);
	for (unsigned i = 0; i < NAMES; i++) {
		question_make(i);
		answer_put(&side[0], i);
	}
	measure(side);
	for (unsigned i = 0; i < 2; i++) {
		engine_free(side[i].engine);
		loop_free(side[i].loop);
		free(side[i].counters);
	}
	cache_store_free(store);
	plan_unref(plan);
	for (unsigned i = 0; i < NAMES; i++)
		buf_free(&questions[i]);
	return 0;
}
