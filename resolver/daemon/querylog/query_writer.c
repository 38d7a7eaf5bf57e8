#include "config.h"

#include "resolver/daemon/querylog/query_writer.h"

#include "base/clock.h"
#include "resolver/daemon/helper.h"
#include "resolver/daemon/querylog/query_line.h"
#ifdef HAVE_DNSTAP
#include "resolver/daemon/querylog/query_dnstap.h"
#include "resolver/daemon/querylog/query_stream.h"
#else
#include "resolver/daemon/querylog/query_file.h"
#endif

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_LINES_MAX (1024 * 1024) /* lines of one batch: some hundred bytes for each event of as many */

struct query_writer {
	const struct query_writer_setup *setup;
	int socket;
	struct query_file file;
#ifdef HAVE_DNSTAP
	struct query_stream *stream;
#endif
	struct buf out; /* the lines of a batch, or one frame */
	uint32_t out_events;
	bool open, reported_open;
	bool reported; /* something: the first state is news, too */
	uint32_t lost;
	int64_t retry_ms, reported_ms; /* mono */
	const char *why;
};

_Static_assert(sizeof(struct query_report) <= HELPER_REPORT_MAX, "a report is cut");

/* ---- reports */

static void
state_send(struct query_writer *w)
{
	struct query_report report = {.open = w->open, .lost = w->lost};

	if (!w->open && w->why != NULL)
		(void)snprintf(report.error, sizeof report.error, "%s", w->why);
	if (!helper_send(w->socket, span_of(&report, sizeof report)))
		return;
	w->reported = true;
	w->reported_open = w->open;
	w->reported_ms = clock_mono_ms();
	w->lost = 0;
}

static void
writer_report(struct query_writer *w)
{
	bool news = !w->reported || w->open != w->reported_open;

	if (news || (w->lost > 0 && clock_mono_ms() - w->reported_ms >= QUERY_WRITER_RETRY_MS))
		state_send(w);
}

/* ---- where it goes */

static bool
sink_open(struct query_writer *w)
{
#ifdef HAVE_DNSTAP
	if (w->stream != NULL) {
		if (w->file.fd >= 0 && !query_file_is_in_place(&w->file))
			query_stream_close(w->stream);
		/* A file holds one stream: readers stop at its end. */
		if (w->setup->to == QUERY_TO_DNSTAP_FILE && w->file.fd < 0 &&
		    query_file_open(&w->file, &w->why) && w->file.n > 0 &&
		    !query_file_rotate(&w->file, &w->why))
			return false;
		return query_stream_open(w->stream, &w->why);
	}
#endif
	return query_file_open(&w->file, &w->why);
}

static void
sink_close(struct query_writer *w)
{
#ifdef HAVE_DNSTAP
	if (w->stream != NULL)
		query_stream_close(w->stream);
#endif
	query_file_close(&w->file);
	w->open = false;
}

static bool
sink_append(struct query_writer *w)
{
#ifdef HAVE_DNSTAP
	if (w->stream != NULL)
		return query_stream_append(w->stream, buf_span(&w->out), &w->why);
#endif
	return query_file_append(&w->file, buf_span(&w->out), &w->why);
}

static void
writer_rest(struct query_writer *w)
{
	w->open = false;
	w->retry_ms = clock_mono_ms() + QUERY_WRITER_RETRY_MS;
}

static void
writer_fail(struct query_writer *w)
{
	sink_close(w);
	writer_rest(w);
}

/* A dnstap file stays open, with its whole frames. A file that is opened has to hold another stream, so this one would take the
 * place of FILE.1, again and again as long as the disk is full. */
static void
append_failed(struct query_writer *w)
{
	if (w->setup->to != QUERY_TO_DNSTAP_FILE || w->file.fd < 0)
		sink_close(w);
	writer_rest(w);
}

/* A full file makes room first. */
static bool
writer_ready(struct query_writer *w)
{
	if (w->open && w->file.fd >= 0 && query_file_is_full(&w->file)) {
		sink_close(w);
		if (!query_file_rotate(&w->file, &w->why)) {
			writer_fail(w);
			return false;
		}
	}
	if (!w->open && clock_mono_ms() >= w->retry_ms) {
		w->open = sink_open(w);
		if (!w->open)
			writer_fail(w);
	}
	return w->open;
}

static void
writer_flush(struct query_writer *w)
{
	if (w->out.n == 0)
		return;
	if (!writer_ready(w)) {
		w->lost += w->out_events;
	} else if (!sink_append(w)) {
		w->lost += w->out_events;
		append_failed(w);
	}
	buf_clear(&w->out);
	w->out_events = 0;
}

/* ---- events */

static void
writer_reopen(struct query_writer *w)
{
	writer_flush(w);
	sink_close(w);
	w->retry_ms = 0;
	(void)writer_ready(w);
}

static void
writer_take(struct query_writer *w, const struct query_event *e)
{
	size_t before = w->out.n;
	bool lines = w->setup->to == QUERY_TO_LINES;

	if (e->kind == QUERY_EVENT_REOPEN) {
		writer_reopen(w);
		return;
	}
	if (lines)
		query_line_write(&w->out, e, w->setup->json);
#ifdef HAVE_DNSTAP
	else
		(void)query_dnstap_write(&w->out, e);
#endif
	if (!buf_ok(&w->out)) {
		w->out.bad = false;
		w->out.n = before;
		w->lost++;
		return;
	}
	w->out_events++;
	if (!lines || w->out.n > BATCH_LINES_MAX - QUERY_LINE_MAX)
		writer_flush(w);
}

static void
writer_batch(struct query_writer *w, struct span batch)
{
	struct query_event e;

	while (query_event_take(&batch, &e))
		writer_take(w, &e);
	writer_flush(w);
	writer_report(w);
}

/* Waits for the next batch; 0: losses are due to be reported. */
static ssize_t
writer_receive(const struct query_writer *w, uint8_t *room)
{
	struct pollfd fd = {.fd = w->socket, .events = POLLIN};

	if (w->lost > 0 && poll(&fd, 1, QUERY_WRITER_RETRY_MS) == 0)
		return 0;
	return helper_receive(w->socket, room);
}

void
query_writer_run(int socket, void *ctx)
{
	struct query_writer w = {.setup = ctx, .socket = socket, .out = buf_max(BATCH_LINES_MAX)};
	uint8_t *room = malloc(HELPER_MESSAGE_MAX);
	bool ready = room != NULL;
	ssize_t n;

	w.file = (struct query_file){.path = w.setup->path, .max = w.setup->file_max, .fd = -1};
#ifdef HAVE_DNSTAP
	if (w.setup->to != QUERY_TO_LINES)
		w.stream =
		    query_stream_new(w.setup->to == QUERY_TO_DNSTAP_FILE ? &w.file : NULL, w.setup->path);
	if (w.setup->to != QUERY_TO_LINES && w.stream == NULL)
		ready = false;
#endif
	(void)writer_ready(&w);
	writer_report(&w);
	while (ready && (n = writer_receive(&w, room)) >= 0)
		writer_batch(&w, span_of(room, (size_t)n));
	if (w.lost > 0) /* the daemon ends, and waits for this */
		state_send(&w);
	sink_close(&w);
	free(room);
}
