/* The last refusal, as the status shows it. */
#include "resolver/daemon/verdict_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "transport/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1795284000000)
#define DAY INT64_C(86400000)

static int64_t wall_ms;

static int64_t
scripted_wall_ms(void)
{
	return wall_ms;
}

static int64_t
still_ms(void)
{
	return 1000;
}

static const struct clock_source scripted = {scripted_wall_ms, still_ms, still_ms};

static void
no_line(void *ctx, const char *line, size_t n)
{
	(void)ctx;
	(void)line;
	(void)n;
}

static void
stop(void *loop)
{
	loop_stop(loop);
}

static void
the_last_refusal_does_not_depend_on_the_clock(void **state)
{
	static const struct {
		const char *what;
		struct {
			const char *upstream;
			enum reason reason; /* REASON_NONE: it is accepted */
			int64_t at_ms;
		} event[4];
		const char *last;
		int64_t last_ms;
	} rows[] = {
	    {"none", {{0}}, NULL, 0},
	    {"an acceptance is not a refusal", {{"a", REASON_NONE, NOW}}, NULL, 0},
	    {"the later of two", {{"a", REASON_EXPIRED, NOW}, {"b", REASON_EXPIRED, NOW + DAY}}, "b", NOW + DAY},
	    {"the same again", {{"a", REASON_EXPIRED, NOW}, {"b", REASON_EXPIRED, NOW}, {"a", REASON_EXPIRED, NOW + 1}}, "a", NOW + 1},
	    {"after the clock was set back", {{"a", REASON_EXPIRED, NOW + 9 * DAY}, {"b", REASON_EXPIRED, NOW}}, "b", NOW},
	    {"before 1970", {{"a", REASON_EXPIRED, -DAY}}, "a", -DAY},
	};

	(void)state;
	log_capture(no_line, NULL);
	clock_use(&scripted);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct server *server = calloc(1, sizeof *server);
		struct tp_target target = {.addr = {.family = ADDR_V4}};
		struct verdict_log *log;
		struct refusal last;
		struct loop *loop;

		assert_non_null(server);
		assert_int_equal(loop_new(&loop), RES_OK);
		assert_int_equal(verdict_log_new(&log, loop), RES_OK);
		server->target = &target;
		for (size_t k = 0; k < 4 && rows[i].event[k].upstream != NULL; k++) {
			target.upstream = rows[i].event[k].upstream;
			server->reason = rows[i].event[k].reason;
			server->health = server->reason == REASON_NONE ? HEALTH_GOOD : HEALTH_REFUSED;
			wall_ms = rows[i].event[k].at_ms;
			verdict_log_add(log, server);
			assert_int_equal(loop_post(loop, stop, loop), RES_OK);
			loop_run(loop);
		}
		verdict_log_last(log, &last);
		if ((last.upstream == NULL) != (rows[i].last == NULL) ||
		    (last.upstream != NULL && (strcmp(last.upstream, rows[i].last) != 0 || last.at_ms != rows[i].last_ms)))
			fail_msg("%s: %s", rows[i].what, last.upstream != NULL ? last.upstream : "none");
		verdict_log_free(log);
		loop_free(loop);
		free(server);
	}
	clock_use(NULL);
	log_capture(NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_refusal_does_not_depend_on_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
