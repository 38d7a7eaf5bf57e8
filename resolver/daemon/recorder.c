#include "config.h"

#include "resolver/daemon/recorder.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sandbox/sandbox.h"
#include "base/text.h"
#include "resolver/daemon/evidence_folder.h"
#include "resolver/daemon/helper.h"
#include "resolver/daemon/journal_states.h"
#include "resolver/daemon/known.h"
#include "resolver/daemon/repeats.h"
#include "resolver/daemon/showing.h"
#include "resolver/daemon/writer.h"
#include "resolver/upstream_set.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct recorder {
	struct loop *loop;
	struct counters *counters;
	int socket;           /* of the helper; -1: there is none */
	uint64_t waiting;     /* records and evidence that it has not reported on */
	int64_t until_ms;     /* the daemon ends: how long its helper is waited for; 0: it does not */
	uint64_t lost_before; /* the end */
	struct loop_fd watch;
	struct buf message;
	struct known known;
	struct repeats repeats;
	pid_t self;
	atomic_bool takes; /* there are a state-dir and a helper; workers read it */
	struct journal_states states;
	struct refusal before; /* the last one of the journal, as of the start */
	char *before_upstream; /* its upstream */
};

/* A certificate that was judged, on its way from a worker. */
struct sighting {
	struct recorder *recorder;
	char *upstream;
	struct addr addr;
	struct verdict verdict;
	struct buf presented;
};

/* ---- the helper */

static void
helper_drop(struct recorder *r)
{
	loop_fd_unwatch(&r->watch);
	(void)close(r->socket);
	r->socket = -1;
	r->takes = false;
	counter_add(r->counters, COUNTER_JOURNAL_LOST, r->waiting);
	r->waiting = 0;
	journal_states_end(&r->states);
}

static void
recorder_on_report(void *ctx, struct span message)
{
	struct recorder *r = ctx;
	struct writer_report report;

	if (!writer_report_read(&report, message))
		return;
	if (report.of != REPORT_FOLDER && r->waiting > 0)
		r->waiting--;
	if (report.of != REPORT_FOLDER && report.error != 0)
		counter_add(r->counters, COUNTER_JOURNAL_LOST, 1);
	journal_states_report(&r->states, &report);
}

static void
recorder_on_ready(void *ctx, unsigned ready)
{
	struct recorder *r = ctx;
	uint8_t *room = malloc(HELPER_MESSAGE_MAX);
	bool there = room == NULL || helper_drain(r->socket, room, recorder_on_report, r);

	(void)ready;
	free(room);
	if (!there)
		helper_drop(r);
}

static struct helper_ending
recorder_ending_of(struct recorder *r)
{
	return (struct helper_ending){
	    .socket = r->socket, .until_ms = r->until_ms, .on_message = recorder_on_report, .ctx = r};
}

/* counters: of this thread. */
static void
lost_count(const struct recorder *r, struct counters *counters)
{
	if (r->takes)
		counter_add(counters, COUNTER_JOURNAL_LOST, 1);
}

static bool
message_send(struct recorder *r)
{
	const struct helper_ending ending = recorder_ending_of(r);
	struct span message = buf_span(&r->message);
	bool sent = buf_ok(&r->message) && (r->until_ms != 0 ? helper_ending_send(&ending, message)
							     : helper_send(r->socket, message));

	if (!sent)
		lost_count(r, r->counters);
	return sent;
}

/* A record, or evidence. */
static void
part_send(struct recorder *r)
{
	if (message_send(r))
		r->waiting++;
}

static void
record_send(struct recorder *r, const struct journal_record *record)
{
	struct buf line = buf_max(JOURNAL_LINE_MAX + 1);

	if (journal_write(&line, record) == RES_OK) {
		counter_add(r->counters, COUNTER_JOURNAL_RECORDS, 1);
		writer_put_line(&r->message, buf_span(&line));
		if (r->takes)
			part_send(r);
	} else {
		lost_count(r, r->counters);
	}
	buf_free(&line);
}

/* ---- what a certificate tells */

static void
accepted_log(const struct journal_record *record, const struct sighting *s, bool issuer_changed)
{
	const struct verdict_cert *leaf = &s->verdict.chain[0];
	struct buf news = buf_max(64);
	char date[TIME_TEXT_MAX], hex[65];

	journal_news_put(&news, record->news);
	(void)time_text(leaf->not_after_ms, date);
	(void)hex_write(hex, span_of(leaf->sha256, sizeof leaf->sha256));
	if (record->kind == JOURNAL_FIRST)
		log_event(LOG_NOTICE, "first-acceptance", LOG_STR("upstream", s->upstream),
			  LOG_IP("addr", &s->addr), LOG_STR("issuer", leaf->issuer),
			  LOG_STR("not_after", date), LOG_STR("sha256", hex));
	else if (record->kind == JOURNAL_CHANGE)
		log_event(LOG_NOTICE, "certificate-changed", LOG_STR("upstream", s->upstream),
			  LOG_IP("addr", &s->addr), LOG_STR("new", buf_cstr(&news)),
			  LOG_STR("issuer", leaf->issuer), LOG_STR("not_after", date),
			  LOG_STR("sha256", hex));
	if (issuer_changed)
		log_event(LOG_WARN, "issuer-changed", LOG_STR("upstream", s->upstream),
			  LOG_IP("addr", &s->addr), LOG_STR("new", buf_cstr(&news)),
			  LOG_STR("issuer", leaf->issuer), LOG_STR("sha256", hex));
	buf_free(&news);
}

static void
accepted_take(struct recorder *r, struct journal_record *record, const struct sighting *s)
{
	bool issuer_changed = known_learn(&r->known, record);

	if (issuer_changed)
		counter_add(r->counters, COUNTER_ISSUER_CHANGES, 1);
	accepted_log(record, s, issuer_changed);
	if (record->kind != JOURNAL_KNOWN)
		record_send(r, record);
}

/* What makes two refusals the same. False: no memory; a part of it would also be a part of others. */
static bool
refusal_text(struct buf *b, const struct journal_record *record)
{
	buf_put(b, record->upstream);
	buf_u8(b, 0);
	buf_put(b, record->address);
	buf_u8(b, 0);
	buf_put(b, record->evidence);
	return buf_ok(b);
}

static void
evidence_send(struct recorder *r, const struct sighting *s, const char *name)
{
	char *verdict;

	if (!r->states.wants_evidence || !r->takes)
		return;
	verdict = verdict_json(&s->verdict);
	if (verdict != NULL) {
		writer_put_evidence(&r->message, name, buf_span(&s->presented), verdict);
		part_send(r);
	} else {
		lost_count(r, r->counters);
	}
	free(verdict);
}

static void
refused_take(struct recorder *r, struct journal_record *record, const struct sighting *s)
{
	const uint8_t *sha256 = s->verdict.n_chain > 0 ? s->verdict.chain[0].sha256 : NULL;
	char name[REFUSAL_NAME_MAX];
	struct buf same = buf_max(8192);

	record->evidence = span_str(
	    evidence_name(name, reason_code(verdict_reason(&s->verdict)), sha256, buf_span(&s->presented)));
	(void)known_learn(&r->known, record);
	record->count = 1;
	if (refusal_text(&same, record))
		record->count = repeats_count(&r->repeats, buf_span(&same), record->time_ms);
	buf_free(&same);
	if (record->count == 0)
		return;
	evidence_send(r, s, name);
	record_send(r, record);
}

static void
sighting_free(struct sighting *s)
{
	if (s == NULL)
		return;
	free(s->upstream);
	verdict_clear(&s->verdict);
	buf_free(&s->presented);
	free(s);
}

static void
sighting_on_turn(void *arg)
{
	struct sighting *s = arg;
	struct showing *text = malloc(sizeof *text);
	struct journal_record record;

	if (text != NULL) {
		showing_record(&record, text, &s->verdict, s->upstream, &s->addr, buf_span(&s->presented));
		record.time_ms = clock_wall_ms();
		if (record.kind == JOURNAL_REFUSED)
			refused_take(s->recorder, &record, s);
		else
			accepted_take(s->recorder, &record, s);
		showing_free(text);
		free(text);
	} else {
		lost_count(s->recorder, s->recorder->counters);
	}
	sighting_free(s);
}

/* NULL: no memory. If there is none for the certificates alone, the record has none. */
static struct sighting *
sighting_new(struct recorder *r, const struct server *server, struct span presented)
{
	struct sighting *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->recorder = r;
	s->addr = server->target->addr;
	s->upstream = strdup(server->target->upstream);
	s->presented = buf_max(presented.n);
	buf_put(&s->presented, presented);
	if (s->upstream != NULL && verdict_copy(&s->verdict, &server->verdict) == RES_OK)
		return s;
	sighting_free(s);
	return NULL;
}

void
recorder_add(struct recorder *r, const struct server *server, struct span presented)
{
	struct sighting *s;

	if (verdict_accepted(&server->verdict) && server->verdict.n_chain == 0)
		return;
	s = sighting_new(r, server, presented);
	if (s != NULL && loop_post(r->loop, sighting_on_turn, s) == RES_OK)
		return;
	sighting_free(s);
	lost_count(r, server->set->counters);
}

/* ---- life */

/* A reason that a later version knows is left out. */
static void
refusal_keep(struct recorder *r, const struct journal_record *record)
{
	struct buf text = buf_max(JOURNAL_LINE_MAX), reason = buf_max(64), addr = buf_max(ADDR_TEXT_MAX);
	struct refusal one = {.at_ms = record->time_ms};

	buf_put(&text, record->upstream);
	buf_put(&reason, record->reason);
	buf_put(&addr, record->address);
	if (buf_cstr(&reason) != NULL && buf_cstr(&addr) != NULL &&
	    (one.reason = reason_read(buf_cstr(&reason))) != REASON_NONE &&
	    addr_read(&one.addr, buf_cstr(&addr), 853) == RES_OK && buf_cstr(&text) != NULL) {
		free(r->before_upstream);
		one.upstream = r->before_upstream = buf_take_cstr(&text);
		r->before = one;
	}
	buf_free(&text);
	buf_free(&reason);
	buf_free(&addr);
}

static void
recorder_on_record(void *ctx, const struct journal_record *record)
{
	struct recorder *r = ctx;
	struct journal_record copy = *record;
	struct buf same = buf_max(8192);

	(void)known_learn(&r->known, &copy);
	if (record->kind == JOURNAL_REFUSED) {
		if (refusal_text(&same, record))
			repeats_restore(&r->repeats, buf_span(&same), record->time_ms);
		refusal_keep(r, record);
	}
	buf_free(&same);
}

static void
recorder_restore(struct recorder *r, const char *state_dir)
{
	struct journal_counts counts = {0};
	const char *why = NULL;
	int folder = path_folder_open(state_dir, &why);

	if (folder < 0)
		return; /* the helper will report it when there is something to write */
	if (journal_read(folder, &counts, &why, recorder_on_record, r) != RES_OK)
		log_event(LOG_WARN, "journal-not-read", LOG_STR("error", why));
	if (counts.broken > 0)
		log_event(LOG_NOTICE, "journal-damaged", LOG_INT("lines", counts.broken),
			  LOG_INT("records", counts.records));
	(void)close(folder);
}

enum res
recorder_new(struct recorder **out, struct loop *loop, struct counters *counters)
{
	struct recorder *r = calloc(1, sizeof *r);

	if (r == NULL)
		return RES_NOMEM;
	r->loop = loop;
	r->states.counters = r->counters = counters;
	r->socket = -1;
	r->message = buf_max(HELPER_MESSAGE_MAX);
	known_begin(&r->known);
	repeats_begin(&r->repeats);
	*out = r;
	return RES_OK;
}

/* There is no helper; what is wanted stays unwritten. */
static void
recorder_without(struct recorder *r, const struct settings *s, const char *why)
{
	log_event(LOG_WARN, "no-journal", LOG_STR("error", why));
	journal_states_want(&r->states, s);
	journal_states_end(&r->states);
}

void
recorder_start(struct recorder *r, const struct settings *s, bool kill)
{
	const struct helper_setup setup = {.name = "ctstub-journal",
					   .user = s->user,
					   .seal = sandbox_seal_writer,
					   .kill = kill,
					   .run = writer_run,
					   .ctx = &r->self};
	char *why = NULL;

	if (s->state_dir[0] == '\0')
		return;
	r->self = getpid();
	r->socket = helper_fork(&setup, &why);
	if (r->socket < 0)
		recorder_without(r, s, why);
	free(why);
}

void
recorder_settle(struct recorder *r, const struct settings *s)
{
	char *why = NULL;

	if (s->state_dir[0] != '\0')
		recorder_restore(r, s->state_dir);
	if (r->socket < 0)
		return;
	if (!helper_await(r->socket, &why))
		r->socket = -1;
	if (r->socket >= 0 && loop_fd_watch(&r->watch, r->loop, r->socket, recorder_on_ready, r) == RES_OK)
		recorder_configure(r, s);
	else
		recorder_without(r, s, why);
	free(why);
}

void
recorder_configure(struct recorder *r, const struct settings *s)
{
	journal_states_want(&r->states, s);
	r->takes = r->states.wants_journal && r->socket >= 0;
	if (r->socket < 0) {
		if (r->states.wants_journal && r->states.journal.health == JOURNAL_OFF)
			log_event(LOG_WARN, "restart-needed", LOG_STR("option", "state-dir"));
		return;
	}
	journal_states_start(&r->states);
	writer_put_setup(&r->message, s);
	(void)message_send(r);
}

void
recorder_ending(struct recorder *r, int64_t until_ms)
{
	if (r == NULL)
		return;
	r->until_ms = until_ms;
	r->lost_before = counter_get(r->counters, COUNTER_JOURNAL_LOST);
}

/* Nobody reads the counters any more. */
static void
recorder_end(struct recorder *r)
{
	const struct helper_ending ending = recorder_ending_of(r);
	bool ended = helper_end(&ending);
	uint64_t lost = counter_get(r->counters, COUNTER_JOURNAL_LOST) - r->lost_before;

	if (lost > 0 || r->waiting > 0)
		log_event(LOG_WARN, "journal-unfinished", LOG_INT("lost", lost + (ended ? r->waiting : 0)),
			  LOG_INT("waiting", ended ? 0 : r->waiting));
}

void
recorder_free(struct recorder *r)
{
	if (r == NULL)
		return;
	if (r->socket >= 0) {
		loop_fd_unwatch(&r->watch);
		recorder_end(r);
	}
	buf_free(&r->message);
	free(r->before_upstream);
	free(r);
}

void
recorder_state(const struct recorder *r, struct journal_state *journal, struct journal_state *evidence)
{
	*journal = r->states.journal;
	*evidence = r->states.evidence;
}

void
recorder_last_refusal(const struct recorder *r, struct refusal *out)
{
	*out = r->before;
}
