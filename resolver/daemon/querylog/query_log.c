#include "config.h"

#include "resolver/daemon/querylog/query_log.h"

#include "base/sandbox/sandbox.h"
#include "resolver/daemon/helper.h"
#include "resolver/daemon/querylog/query_event.h"
#include "resolver/daemon/querylog/query_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct query_log {
	struct query_channel channel;
	char *to; /* as configured */
	struct query_writer_setup writer;
	struct loop_fd watch;
	struct loop_timer reopen; /* the writer was too busy to take that */
	struct counters *counters;
	uint8_t *room;           /* for reports */
	uint64_t dropped_before; /* the end */
	bool was_open;           /* and so was reported */
	bool was_failed;
	char error[sizeof(((struct query_report *)NULL)->error)]; /* of the last report; "": it is open */
	struct log_limit log;                                     /* of changes between the two */
};

#define STATE_LOG_BURST 20 /* lines about that: a collector may come and go */
#define STATE_LOG_MS    60000
#define REOPEN_MS       100 /* between two attempts to tell a busy writer */

/* ---- the writer's reports */

static void
report_log(struct query_log *q, const struct query_report *r)
{
	bool news = r->open ? !q->was_open : !q->was_failed;
	uint32_t left_out;

	if (news && !log_limit_ok(&q->log, STATE_LOG_BURST, STATE_LOG_MS, &left_out))
		news = false;
	if (news && r->open)
		log_event(LOG_NOTICE, "query-log-open", LOG_STR("to", q->to));
	else if (news)
		log_event(LOG_WARN, "query-log-failed", LOG_STR("to", q->to), LOG_STR("error", r->error));
	if (r->lost > 0)
		counter_add(q->counters, COUNTER_QUERY_LOG_DROPPED, r->lost);
	q->was_open = r->open;
	q->was_failed = !r->open;
	(void)snprintf(q->error, sizeof q->error, "%s", r->open ? "" : r->error);
}

static void
log_on_report(void *ctx, struct span message)
{
	struct query_report report;

	if (message.n != sizeof report)
		return;
	memcpy(&report, message.p, sizeof report);
	report.error[sizeof report.error - 1] = '\0';
	report_log(ctx, &report);
}

static void
log_on_ready(void *ctx, unsigned ready)
{
	struct query_log *q = ctx;

	(void)ready;
	if (helper_drain(q->channel.socket, q->room, log_on_report, q))
		return;
	atomic_store(&q->channel.gone, true);
	loop_fd_unwatch(&q->watch);
	log_event(LOG_ERROR, "query-log-failed", LOG_STR("to", q->to),
		  LOG_STR("error", "its writer has ended, a restart is needed"));
}

/* ---- reopening */

static bool
log_reopen(struct query_log *q)
{
	const struct query_event reopen = {.kind = QUERY_EVENT_REOPEN};
	struct buf b = buf_max(QUERY_EVENT_MAX);
	bool sent = query_event_write(&b, &reopen) && helper_send(q->channel.socket, buf_span(&b));

	buf_free(&b);
	if (!sent && !atomic_load(&q->channel.gone))
		loop_timer_set(&q->reopen, REOPEN_MS);
	return sent;
}

static void
log_on_reopen(void *ctx)
{
	(void)log_reopen(ctx);
}

/* ---- life */

static void
writer_setup(struct query_log *q, const struct settings *s)
{
	static const char file[] = QUERY_LOG_DNSTAP_FILE, dnstap[] = QUERY_LOG_DNSTAP;

	q->writer = (struct query_writer_setup){.to = QUERY_TO_LINES,
						.path = q->to,
						.file_max = s->query_log_size,
						.json = s->log_format == LOG_JSON};
	if (strncmp(q->to, file, sizeof file - 1) == 0) {
		q->writer.to = QUERY_TO_DNSTAP_FILE;
		q->writer.path += sizeof file - 1;
	} else if (strncmp(q->to, dnstap, sizeof dnstap - 1) == 0) {
		q->writer.to = QUERY_TO_DNSTAP_SOCKET;
		q->writer.path += sizeof dnstap - 1;
	}
	q->channel.messages = q->writer.to != QUERY_TO_LINES;
	atomic_store(&q->channel.clients, (int)s->query_log_clients);
}

static void
query_log_free(struct query_log *q)
{
	free(q->room);
	free(q->to);
	free(q);
}

enum res
query_log_start(struct query_log **out, const struct settings *s, bool kill, char **why)
{
	struct query_log *q;
	struct helper_setup helper = {
	    .name = "ctstub-queries", .user = s->user, .kill = kill, .run = query_writer_run};

	*out = NULL;
	if (s->query_log_to[0] == '\0')
		return RES_OK;
	q = calloc(1, sizeof *q);
	if (q == NULL)
		return RES_NOMEM;
	q->to = strdup(s->query_log_to);
	q->room = malloc(HELPER_MESSAGE_MAX);
	if (q->to == NULL || q->room == NULL) {
		query_log_free(q);
		return RES_NOMEM;
	}
	writer_setup(q, s);
	helper.seal = q->writer.to == QUERY_TO_DNSTAP_SOCKET ? sandbox_seal_connector : sandbox_seal_writer;
	helper.ctx = &q->writer;
	q->channel.socket = helper_start(&helper, why);
	if (q->channel.socket < 0) {
		query_log_free(q);
		return RES_IO;
	}
	q->channel.ending =
	    (struct helper_ending){.socket = q->channel.socket, .on_message = log_on_report, .ctx = q};
	*out = q;
	return RES_OK;
}

enum res
query_log_listen(struct query_log *q, struct loop *loop, struct counters *counters)
{
	if (q == NULL)
		return RES_OK;
	q->counters = counters;
	loop_timer_init(&q->reopen, loop, log_on_reopen, q);
	return loop_fd_watch(&q->watch, loop, q->channel.socket, log_on_ready, q);
}

void
query_log_reload(struct query_log *q, const struct settings *s)
{
	if (q == NULL)
		return;
	atomic_store(&q->channel.clients, (int)s->query_log_clients);
	if (!log_reopen(q))
		log_event(LOG_WARN, "query-log-failed", LOG_STR("to", q->to),
			  LOG_STR("error", "its writer is too busy to reopen the file now"));
}

void
query_log_ending(struct query_log *q, int64_t until_ms)
{
	if (q == NULL)
		return;
	q->channel.ending.until_ms = until_ms;
	q->dropped_before = counter_get(q->counters, COUNTER_QUERY_LOG_DROPPED);
}

/* Nobody reads the counters any more. */
static void
log_finish(struct query_log *q)
{
	bool ended = helper_end(&q->channel.ending);
	uint64_t lost =
	    q->channel.lost + counter_get(q->counters, COUNTER_QUERY_LOG_DROPPED) - q->dropped_before;

	if (lost > 0 || !ended)
		log_event(LOG_WARN, "query-log-unfinished", LOG_STR("to", q->to), LOG_INT("lost", lost),
			  LOG_STR("writer", ended ? "ended" : "busy"));
}

void
query_log_end(struct query_log *q)
{
	if (q == NULL)
		return;
	loop_timer_stop(&q->reopen);
	loop_fd_unwatch(&q->watch);
	log_finish(q);
	query_log_free(q);
}

const char *
query_log_to(const struct query_log *q)
{
	return q != NULL ? q->to : NULL;
}

const char *
query_log_trouble(const struct query_log *q, const struct settings *s)
{
	if (q == NULL)
		return s->query_log_to[0] != '\0' ? "its process is not running, restart ctstubd" : NULL;
	if (atomic_load(&q->channel.gone))
		return "its process has ended, restart ctstubd";
	if (q->was_open)
		return NULL;
	return q->error[0] != '\0' ? q->error : "it is not open yet";
}

struct query_channel *
query_log_channel(struct query_log *q)
{
	return q != NULL ? &q->channel : NULL;
}
