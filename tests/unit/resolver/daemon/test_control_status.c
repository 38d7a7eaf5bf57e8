/* The addresses in `status`: each has the best health that a worker reports; workers without memory for a report are left out. */
#include "resolver/daemon/control_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORKERS   3
#define ADDRESSES 2

static const struct {
	const char *what;
	int health[WORKERS][ADDRESSES]; /* -1: the worker had no memory for its report */
	const char *shown[ADDRESSES];
} rows[] = {
    {"all of them agree", {{HEALTH_GOOD, HEALTH_REFUSED}, {HEALTH_GOOD, HEALTH_REFUSED}, {HEALTH_GOOD, HEALTH_REFUSED}},
     {"good", "refused"}},
    {"the best counts", {{HEALTH_FAILING, HEALTH_UNKNOWN}, {HEALTH_GOOD, HEALTH_FAILING}, {HEALTH_REFUSED, HEALTH_UNKNOWN}},
     {"good", "failing"}},
    {"a worker without a report is skipped", {{HEALTH_FAILING, HEALTH_FAILING}, {-1, -1}, {HEALTH_GOOD, HEALTH_GOOD}},
     {"good", "good"}},
    {"the last one has no report", {{HEALTH_FAILING, HEALTH_GOOD}, {HEALTH_REFUSED, HEALTH_FAILING}, {-1, -1}},
     {"refused", "good"}},
};

static char title[] = "one";
static struct upstream_report reports[WORKERS][ADDRESSES];
static struct worker_status workers[WORKERS];

/* A worker without a report has a null pointer, not an empty report. */
static void
workers_of(size_t row)
{
	memset(reports, 0, sizeof reports);
	memset(workers, 0, sizeof workers);
	for (size_t i = 0; i < WORKERS; i++) {
		if (rows[row].health[i][0] < 0) {
			workers[i].res = RES_NOMEM;
			continue;
		}
		for (size_t at = 0; at < ADDRESSES; at++) {
			reports[i][at].upstream = title;
			reports[i][at].health = (enum health)rows[row].health[i][at];
		}
		workers[i].report = (struct upstreams_report){.v = reports[i], .n = ADDRESSES};
	}
}

static void
an_address_has_the_best_health_that_a_worker_reports(void **state)
{
	struct settings settings = {0};
	struct vfy_policy policy = {0};
	struct snapshot snapshot = {.settings = &settings, .policy = &policy};
	const struct status status = {.snapshot = &snapshot, .listen = &settings.listen, .worker = workers, .n_worker = WORKERS};

	(void)state;
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		json_t *o = json_object();

		workers_of(row);
		control_status_add(o, &status);
		assert_int_equal(json_array_size(json_object_get(o, "addresses")), ADDRESSES);
		for (size_t at = 0; at < ADDRESSES; at++) {
			const json_t *address = json_array_get(json_object_get(o, "addresses"), at);
			const char *health = json_string_value(json_object_get(address, "health"));

			if (health == NULL || strcmp(health, rows[row].shown[at]) != 0)
				fail_msg("%s: address %zu is %s", rows[row].what, at, health != NULL ? health : "nothing");
		}
		json_decref(o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_has_the_best_health_that_a_worker_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
