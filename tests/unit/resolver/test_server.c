/* One server with a fake connection: how long a question waits before another server is asked, and what the end of a
 * connection proves. */
#include "config/settings.h"
#include "resolver/health.h"
#include "resolver/order.h"
#include "tests/unit/transport/fake_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tp_stats stats;
static enum tp_state slot_state;

void __wrap_tp_slot_stats(const struct tp_slot *, struct tp_stats *);
enum tp_state __wrap_tp_slot_state(const struct tp_slot *);

void
__wrap_tp_slot_stats(const struct tp_slot *slot, struct tp_stats *out)
{
	(void)slot;
	*out = stats;
}

enum tp_state
__wrap_tp_slot_state(const struct tp_slot *slot)
{
	(void)slot;
	return slot_state;
}

static struct loop *loop;
static struct tp_target target = {.upstream = "one"};
static struct upstream_plan upstream = {.target = &target, .n_target = 1};
static struct settings settings;
static struct snapshot snapshot = {.settings = &settings, .upstream = &upstream, .n_upstream = 1};
static struct plan plan = {.snapshot = &snapshot};
static struct upstreams set;
static struct server *server, *servers[1];
static size_t first[1];
static struct counters counters;
static char slot; /* only its address is used */

static int
scene_new(void **state)
{
	(void)state;
	if (loop_new(&loop) != RES_OK || (server = calloc(1, sizeof *server)) == NULL)
		return 1;
	servers[0] = server;
	set = (struct upstreams){
	    .loop = loop, .counters = &counters, .plan = &plan, .server = servers, .n = 1, .first = first};
	*server = (struct server){.set = &set, .loop = loop, .target = &target, .slot = (struct tp_slot *)&slot,
				  .tried_ms = INT64_MIN, .answered_ms = INT64_MIN, .ready_ms = INT64_MIN};
	stats = (struct tp_stats){.srtt_us = -1, .median_us = -1, .handshake_ms = -1, .idle_limit_ms = -1};
	return 0;
}

static int
scene_free(void **state)
{
	(void)state;
	free(server);
	loop_free(loop);
	return 0;
}

static void
another_server_is_asked_in_time(void **state)
{
	static const struct {
		const char *what;
		enum tp_state state;
		int64_t median_us, handshake_ms, patience_ms;
	} rows[] = {
	    {"twice the median", TP_READY, 300000, -1, 600},
	    {"a slow handshake is over once the connection is open", TP_READY, 300000, 400, 600},
	    {"without a connection a handshake comes first", TP_IDLE, 300000, 400, 1400},
	    {"the least that any server gets", TP_READY, 1000, 1, UPSTREAM_HEDGE_MIN_MS},
	    {"and the most", TP_READY, INT64_C(1000000000), 1, TP_CONNECT_TIMEOUT_MS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t ms;

		slot_state = rows[i].state;
		stats.median_us = rows[i].median_us;
		stats.handshake_ms = rows[i].handshake_ms;
		ms = server_patience_ms(server, true);
		if (ms != rows[i].patience_ms)
			fail_msg("%s: %lld ms", rows[i].what, (long long)ms);
	}
}

/* Only a question that was alone on its connection is under suspicion. */
static void
only_a_lone_question_is_blamed_for_the_end_of_its_connection(void **state)
{
	static const struct {
		const char *what;
		unsigned alone;
		bool fire;
	} rows[] = {
	    {"others were on it: nothing is known of this zone", 0, false},
	    {"the question was alone: unknown zones go to lanes", 1, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const uint64_t zone = 77;

		server->fire_until_ms = 0;
		server->known_zone[zone % UPSTREAM_KNOWN_MAX] = zone;
		server_killed(server, zone, rows[i].alone, false);
		if ((server->fire_until_ms > loop_now_ms(loop)) != rows[i].fire)
			fail_msg("%s: fire", rows[i].what);
		if (server_knows(server, zone) == rows[i].fire)
			fail_msg("%s: the zone", rows[i].what);
	}
}

/* The only upstream rests after a failure, and a question waits: when is the next look? */
static void
a_waiting_question_looks_for_the_only_upstream(void **state)
{
	static const struct {
		enum reason reason;
		enum health health;
		int64_t rest_ms, wait_ms;
	} rows[] = {
	    {REASON_CONNECT_REFUSED, HEALTH_FAILING, 15000, UPSTREAM_PROBE_AWAY_MS},
	    {REASON_CONNECT_TIMEOUT, HEALTH_FAILING, 15000, UPSTREAM_PROBE_AWAY_MS},
	    {REASON_UNREACHABLE, HEALTH_FAILING, 15000, UPSTREAM_PROBE_AWAY_MS},
	    {REASON_CONNECT_REFUSED, HEALTH_FAILING, 250, 250}, /* its rest is over before */
	    {REASON_CLOSED, HEALTH_FAILING, 15000, UPSTREAM_PROBE_MS},
	    {REASON_TLS_ALERT, HEALTH_FAILING, 15000, UPSTREAM_PROBE_MS},
	    {REASON_DOH_STATUS, HEALTH_FAILING, 15000, UPSTREAM_PROBE_MS}, /* perhaps it asked for a pause */
	};
	static const uint32_t only[] = {0};
	const struct route route = {.upstream = only, .n_upstream = 1};
	const struct tries none = {.n = 0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t now = loop_now_ms(loop);

		server->health = rows[i].health;
		server->reason = rows[i].reason;
		server->tried_ms = now;
		server->retry_at_ms = now + rows[i].rest_ms;
		if (upstreams_due_ms(&set, &route, &none, 0) != now + rows[i].wait_ms)
			fail_msg("%s: due", reason_code(rows[i].reason));
		fake_loop_advance(loop, rows[i].wait_ms - 1);
		assert_null(upstreams_next(&set, &route, &none, UINT32_MAX));
		fake_loop_advance(loop, 1);
		assert_ptr_equal(upstreams_next(&set, &route, &none, UINT32_MAX), server);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(another_server_is_asked_in_time, scene_new, scene_free),
	    cmocka_unit_test_setup_teardown(a_waiting_question_looks_for_the_only_upstream, scene_new, scene_free),
	    cmocka_unit_test_setup_teardown(only_a_lone_question_is_blamed_for_the_end_of_its_connection, scene_new, scene_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
