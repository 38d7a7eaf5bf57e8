/* When the reader waits, and when it comes back at once; the fetcher is scripted, so that nothing really waits. */
#include "contrib/watch/follow.h"
#include "contrib/watch/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a fetcher that fetches nothing, and whose caller's descriptor can always be read */

static unsigned n_waits;

struct fetcher *
fetcher_new(const struct vfy_policy *policy)
{
	(void)policy;
	return NULL;
}

void
fetcher_free(struct fetcher *f)
{
	(void)f;
}

enum res
fetcher_get(struct fetcher *f, const struct fetch_request *r, fetch_fn *fn, void *arg)
{
	(void)f;
	(void)r;
	(void)fn;
	(void)arg;
	return RES_OK;
}

void
fetcher_drop(struct fetcher *f, const void *arg)
{
	(void)f;
	(void)arg;
}

unsigned
fetcher_under_way(const struct fetcher *f)
{
	(void)f;
	return 1;
}

bool
fetcher_wait(struct fetcher *f, int64_t timeout_ms, int fd, bool *readable)
{
	(void)f;
	(void)timeout_ms;
	n_waits++;
	*readable = fd >= 0;
	return true;
}

/* ---- findings that are nobody's */

bool
watch_entry_seen(struct watch_findings *w, const struct watch_entry *e)
{
	(void)w;
	(void)e;
	return true;
}

bool
watch_log_misbehaved(struct watch_findings *w, const struct watch_misbehaviour *m)
{
	(void)w;
	(void)m;
	return true;
}

/* So no state is written. */
enum res
watch_findings_sync(struct watch_findings *w)
{
	(void)w;
	return RES_IO;
}

/* ---- one log */

static void
it_waits_unless_it_finds_that_nothing_is_left_to_do(void **state)
{
	static const struct {
		const char *what;
		bool once;
		struct follow f;
		bool waits[3]; /* in call after call */
	} rows[] = {
	    {"a log that is read, as a service", false, {.polled = true, .has_head = true, .started = true}, {true, true, true}},
	    {"a log that was given up before", true, {.failures = FOLLOW_GIVE_UP}, {true, true, true}},
	    {"an empty log whose head is new", true, {.polled = true, .has_head = true}, {false, true, true}},
	    {"a log without a head yet", true, {.head_under_way = true}, {true, true, true}},
	};
	static struct ctlog log = {.description = "Toy log", .url = "https://127.0.0.1/"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct follow *f = calloc(1, sizeof *f);
		struct watch_reader *reader = calloc(1, sizeof *reader);

		assert_true(f != NULL && reader != NULL);
		*f = rows[i].f;
		f->log = (struct watch_log){&log, log.url, "01"};
		f->reader = reader;
		f->next_poll_ms = INT64_MAX;
		reader->settings.once = rows[i].once;
		reader->follow = f;
		reader->n_follow = 1;
		for (size_t call = 0; call < sizeof rows[i].waits / sizeof rows[i].waits[0]; call++) {
			bool readable = !rows[i].waits[call];

			n_waits = 0;
			assert_true(watch_reader_run(reader, INT64_MAX, 0, &readable));
			if (n_waits != rows[i].waits[call] || readable != rows[i].waits[call])
				fail_msg("%s, call %zu: %u waits", rows[i].what, call, n_waits);
		}
		free(f);
		free(reader);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_waits_unless_it_finds_that_nothing_is_left_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
