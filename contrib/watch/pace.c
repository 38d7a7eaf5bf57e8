#include "contrib/watch/pace.h"

#define PARALLEL_FIRST 2
#define RAISE_AFTER    8     /* answers until one more concurrent request */
#define GAP_FIRST_MS   100.0 /* between requests, when a log that had no limit says 429 */
#define GAP_MAX_MS     60000.0
#define GAP_SHRINK     0.97 /* an answer; a limit that was halved is tried again after some 25 */
#define GAP_NONE_MS    2.0  /* below this the gap is none */

void
pace_open(struct pace *pace)
{
	*pace = (struct pace){.parallel = PARALLEL_FIRST, .batch = PACE_BATCH_FIRST};
}

bool
pace_may_start(const struct pace *pace, int64_t now_ms, unsigned under_way, int64_t *at_ms)
{
	int64_t next =
	    (int64_t)pace->next_ms > pace->not_before_ms ? (int64_t)pace->next_ms : pace->not_before_ms;
	/* after a failure one request tries whether the log is back */
	bool room = under_way < (pace->failures > 0 ? 1 : pace->parallel);

	if (at_ms != NULL)
		*at_ms = room ? next : INT64_MAX;
	return room && next <= now_ms;
}

void
pace_started(struct pace *pace, int64_t now_ms)
{
	double from = pace->next_ms > (double)now_ms - pace->gap_ms ? pace->next_ms : (double)now_ms;

	pace->next_ms = from + pace->gap_ms;
}

void
pace_succeeded(struct pace *pace)
{
	pace->failures = 0;
	pace->gap_ms *= GAP_SHRINK;
	if (pace->gap_ms < GAP_NONE_MS)
		pace->gap_ms = 0;
	if (++pace->successes < RAISE_AFTER || pace->parallel >= PACE_PARALLEL_MAX)
		return;
	pace->parallel++;
	pace->successes = 0;
}

/* Half of the wait is fixed, half is random: logs that failed together are not asked together again. */
static int64_t
jittered(int64_t ms, uint32_t jitter)
{
	return ms / 2 + (int64_t)((uint64_t)(ms / 2 + 1) * jitter >> 32);
}

static void
wait_until(struct pace *pace, int64_t at_ms)
{
	if (at_ms > pace->not_before_ms)
		pace->not_before_ms = at_ms;
}

void
pace_failed(struct pace *pace, int64_t now_ms, uint32_t jitter)
{
	int64_t ms = PACE_BACKOFF_MS;

	for (unsigned i = 0; i < pace->failures && ms < PACE_BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (ms > PACE_BACKOFF_MAX_MS)
		ms = PACE_BACKOFF_MAX_MS;
	pace->failures++;
	wait_until(pace, now_ms + jittered(ms, jitter));
}

void
pace_slowed(struct pace *pace, int64_t now_ms, int64_t retry_after_ms, uint32_t jitter)
{
	pace->gap_ms = pace->gap_ms > 0 ? pace->gap_ms * 2 : GAP_FIRST_MS;
	if (pace->gap_ms > GAP_MAX_MS)
		pace->gap_ms = GAP_MAX_MS;
	pace->parallel = pace->parallel > 1 ? pace->parallel / 2 : 1;
	pace->successes = 0;
	if (retry_after_ms <= 0) {
		pace_failed(pace, now_ms, jitter);
		return;
	}
	if (retry_after_ms > PACE_RETRY_AFTER_MAX_MS)
		retry_after_ms = PACE_RETRY_AFTER_MAX_MS;
	/* never earlier than asked for, and not all at once after it */
	wait_until(pace, now_ms + retry_after_ms + jittered(retry_after_ms / 10, jitter));
}

void
pace_batch_learn(struct pace *pace, uint64_t asked, uint64_t given, size_t bytes, size_t byte_limit)
{
	uint64_t fit;

	if (given == 0)
		return;
	/* RFC 6962, 4.6: a log may give fewer than asked for; it gives the same number each time */
	if (given < asked) {
		pace->batch = given;
		pace->batch_known = true;
	} else if (!pace->batch_known && asked == pace->batch) {
		pace->batch = pace->batch * 2 < PACE_BATCH_MAX ? pace->batch * 2 : PACE_BATCH_MAX;
	}
	/* twice the bytes of these must still be allowed */
	fit = (uint64_t)byte_limit / 2 / (bytes / given + 1);
	if (fit < 1)
		fit = 1;
	if (pace->batch > fit)
		pace->batch = fit;
}

void
pace_batch_shrink(struct pace *pace)
{
	pace->batch = pace->batch > 1 ? pace->batch / 2 : 1;
}
