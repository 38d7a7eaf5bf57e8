/* ctstub history: what the upstreams showed, from the daemon's journal. */
#include "cli/cli.h"

#include "base/journal.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAST_DEFAULT 20 /* records of an upstream: three upstreams have a screen */
#define LAST_MAX     1000000
#define DETAIL_MAX   (2 * JOURNAL_LINE_MAX)
/* Records that are kept, the newest: a journal of the largest size has fewer, unless somebody filled it. A record takes 1 KiB
 * of memory and its line. */
#define RECORDS_MAX 65536

static const char verb[] = "history";

enum { OPT_STATE_DIR = 256, OPT_LAST, OPT_JSON };

const struct cli_option history_options[] = {
    {"config", 'c', "FILE", "the configuration, see ctstub.conf(5); the daemon's own without it"},
    {"state-dir", OPT_STATE_DIR, "DIR", "the folder of the journal, in place of the configured state-dir"},
    {"last", OPT_LAST, "N",
     "only the last N records of each upstream (default: 20, all with --json; 0: all)"},
    {"json", OPT_JSON, NULL, "print one JSON object, even on failure"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

struct history_request {
	const char *config, *state_dir, *upstream;
	int64_t last; /* -1: not given */
	bool json;
};

/* One record, with a line of its own. */
struct entry {
	uint8_t *line;
	struct journal_record record;
	struct entry *next; /* of the same upstream */
	size_t from_end;    /* 1: the last of its upstream */
	bool first;         /* of its upstream */
};

struct history {
	const struct history_request *req;
	struct entry *v;
	size_t n, cap;
	bool no_memory;
	struct journal_counts counts;
	const char *state_dir;
};

static bool
history_take(void *ctx, int id, const char *value)
{
	struct history_request *req = ctx;

	switch (id) {
	case 'c':
		req->config = value;
		return true;
	case OPT_STATE_DIR:
		req->state_dir = value;
		return true;
	case OPT_JSON:
		req->json = true;
		return true;
	case OPT_LAST:
		if (number_read(&req->last, value) == RES_OK && req->last >= 0 && req->last <= LAST_MAX)
			return true;
		(void)cli_complain(EXIT_USAGE, verb, "\"%s\": a number of records from 0 to %d was expected",
				   value, LAST_MAX);
		return false;
	default:
		return false;
	}
}

/* ---- reading */

/* Drops the older half to make room. */
static void
history_forget(struct history *h)
{
	size_t half = h->n / 2;

	for (size_t i = 0; i < half; i++)
		free(h->v[i].line);
	memmove(h->v, h->v + half, (h->n - half) * sizeof *h->v);
	h->n -= half;
	h->counts.older_lost = true;
}

static bool
history_room(struct history *h)
{
	size_t cap = h->cap == 0 ? 256 : 2 * h->cap;
	struct entry *v;

	if (h->n == RECORDS_MAX)
		history_forget(h);
	if (h->n < h->cap)
		return true;
	v = reallocarray(h->v, cap, sizeof *v);
	if (v == NULL)
		return false;
	h->v = v;
	h->cap = cap;
	return true;
}

static void
history_on_record(void *ctx, const struct journal_record *r)
{
	struct history *h = ctx;
	struct buf line = buf_max(JOURNAL_LINE_MAX + 1);
	struct entry one = {.line = NULL};

	if (h->req->upstream != NULL && !span_equal(r->upstream, span_str(h->req->upstream)))
		return;
	if (!history_room(h) || journal_write(&line, r) != RES_OK ||
	    journal_line_read(&one.record, line.p, line.n - 1) != RES_OK) {
		h->no_memory = true;
		buf_free(&line);
		return;
	}
	one.line = line.p;
	h->v[h->n++] = one;
}

static void
history_free(struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i].line);
	free(h->v);
}

static int
by_upstream(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;
	int order = span_compare((*x)->record.upstream, (*y)->record.upstream);

	return order != 0 ? order : *x < *y ? -1 : 1;
}

/* Links the records of each upstream, in their order: a journal may name as many upstreams as it has records. */
static bool
history_link(struct history *h)
{
	struct entry **sorted = calloc(h->n + 1, sizeof *sorted);

	if (sorted == NULL)
		return false;
	for (size_t i = 0; i < h->n; i++)
		sorted[i] = &h->v[i];
	qsort(sorted, h->n, sizeof(struct entry *), by_upstream);
	for (size_t i = h->n; i-- > 0;) {
		struct entry *e = sorted[i], *next = sorted[i + 1];
		bool same = next != NULL && span_equal(e->record.upstream, next->record.upstream);

		e->next = NULL;
		e->from_end = 1;
		e->first = true;
		if (!same)
			continue;
		/* no "?:": GCC 14 without optimisation reads next->from_end also where there is no next */
		e->next = next;
		e->from_end += next->from_end;
		next->first = false;
	}
	free(sorted);
	return true;
}

static enum exit_code
history_read(struct history *h)
{
	const char *why = NULL;
	int folder = path_folder_open(h->state_dir, &why);
	enum res res = RES_OK;

	if (folder >= 0) {
		res = journal_read(folder, &h->counts, &why, history_on_record, h);
		(void)close(folder);
	} else if (errno != ENOENT) {
		res = RES_IO;
	}
	if (res == RES_IO)
		return cli_complain(EXIT_TROUBLE, verb, "cannot read the journal in %s: %s%s", h->state_dir,
				    why, errno == EACCES ? ": run with sudo" : "");
	if (res != RES_OK || h->no_memory || !history_link(h))
		return cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	return EXIT_GOOD;
}

/* ---- for people */

static const char *
colour_of(const struct journal_record *r)
{
	if (!cli_in_colour())
		return NULL;
	if (r->kind == JOURNAL_REFUSED)
		return "\033[31m";
	return r->kind == JOURNAL_CHANGE && (r->news & (JOURNAL_ISSUER | JOURNAL_CA)) != 0 ? "\033[33m"
											   : NULL;
}

/* Other people's text: escaped, and cut where it would fill the screen. */
static void
put_field(struct buf *b, const char *before, struct span text)
{
	size_t max = 100;

	if (text.n == 0)
		return;
	while (text.n > max && max > 0 && (text.p[max] & 0xc0) == 0x80) /* within a character */
		max--;
	buf_text(b, before);
	text_show(b, span_slice(text, 0, max));
	if (text.n > max)
		buf_text(b, "...");
}

static void
put_event(struct buf *b, const struct journal_record *r)
{
	switch (r->kind) {
	case JOURNAL_FIRST:
		buf_text(b, "first accepted");
		break;
	case JOURNAL_CHANGE:
		buf_text(b, "changed: ");
		journal_news_put(b, r->news);
		break;
	case JOURNAL_ACCEPTED:
		buf_text(b, "accepted again");
		break;
	case JOURNAL_REFUSED:
		put_field(b, "REFUSED: ", r->reason);
		if (r->count > 1)
			buf_format(b, " (%s)", COUNTED(r->count, "time"));
		break;
	case JOURNAL_KNOWN:
		buf_text(b, "known");
		break;
	}
}

static void
put_detail(struct buf *b, const struct history *h, const struct journal_record *r)
{
	char date[TIME_TEXT_MAX];

	put_field(b, "\n      ", r->subject.n > 0 ? r->subject : span_str("(no subject)"));
	put_field(b, ", issued by ", r->issuer);
	if (r->not_after_ms != 0)
		buf_format(b, ", until %.10s", time_text(r->not_after_ms, date));
	put_field(b, "\n      SHA-256 ", r->sha256);
	for (size_t i = 0; i < r->n_log; i++)
		put_field(b, i == 0 ? "\n      logs: " : ", ", r->log[i]);
	if (r->evidence.n > 0) {
		buf_format(b, "\n      evidence: %s/evidence/", h->state_dir);
		put_field(b, "", r->evidence);
		buf_text(b, ".pem");
	}
}

static void
entry_print(const struct history *h, const struct journal_record *r)
{
	struct buf b = buf_max(DETAIL_MAX);
	const char *colour = colour_of(r);
	char time[TIME_TEXT_MAX];

	buf_format(&b, "  %s%s  ", colour != NULL ? colour : "", time_text(r->time_ms, time));
	put_field(&b, "", r->address);
	buf_text(&b, "  ");
	put_event(&b, r);
	if (colour != NULL)
		buf_text(&b, "\033[0m");
	if (r->kind != JOURNAL_ACCEPTED)
		put_detail(&b, h, r);
	(void)puts(buf_cstr(&b) != NULL ? buf_cstr(&b) : res_text(RES_NOMEM));
	buf_free(&b);
}

/* The records of the upstream whose first one this is. */
static void
history_upstream_print(const struct history *h, const struct entry *first, size_t last)
{
	struct buf title = buf_max(DETAIL_MAX);

	put_field(&title, "", first->record.upstream);
	(void)printf("%s%s\n", first != h->v ? "\n" : "", buf_cstr(&title));
	if (first->from_end > last)
		(void)printf("  (%s: --last 0 shows all)\n",
			     COUNTED(first->from_end - last, "earlier record"));
	for (const struct entry *e = first; e != NULL; e = e->next)
		if (e->from_end <= last)
			entry_print(h, &e->record);
	buf_free(&title);
}

static void
history_print(const struct history *h)
{
	size_t last = h->req->last < 0 ? LAST_DEFAULT : h->req->last == 0 ? SIZE_MAX : (size_t)h->req->last;

	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].first)
			history_upstream_print(h, &h->v[i], last);
	if (h->n == 0)
		(void)printf("no records%s%s in %s yet\n", h->req->upstream != NULL ? " of " : "",
			     h->req->upstream != NULL ? h->req->upstream : "", h->state_dir);
	if (h->counts.older_lost)
		(void)printf("\nthere are older records that are not shown: the journal is larger than it "
			     "should be\n");
	if (h->counts.broken > 0)
		(void)printf("\nskipped: %s\n", COUNTED(h->counts.broken, "damaged line"));
}

/* ---- for machines */

static enum exit_code
history_print_json(const struct history *h)
{
	struct buf out = buf_max(4 * (size_t)JOURNAL_FILE_MAX);
	const char *before = "";

	buf_text(&out, "{\"records\":[");
	for (size_t i = 0; i < h->n; i++) {
		if (h->req->last > 0 && h->v[i].from_end > (size_t)h->req->last)
			continue;
		buf_text(&out, before);
		(void)journal_write(&out, &h->v[i].record);
		out.n -= out.n > 0 && out.p[out.n - 1] == '\n';
		before = ",";
	}
	buf_format(&out, "],\"damaged_lines\":%llu,\"incomplete\":%s}", (unsigned long long)h->counts.broken,
		   h->counts.older_lost ? "true" : "false");
	return cli_print_json(verb, buf_take_cstr(&out));
}

/* ---- */

static bool
is_configured(const struct settings *s, const char *title)
{
	for (size_t i = 0; i < s->n_upstream; i++)
		if (strcmp(s->upstream[i].title, title) == 0)
			return true;
	return false;
}

static enum exit_code
history_show(struct history *h, const struct settings *s)
{
	enum exit_code code = history_read(h);

	if (code != EXIT_GOOD)
		return code;
	/* An upstream that is not configured any more still has its history. */
	if (h->n == 0 && h->req->upstream != NULL && !is_configured(s, h->req->upstream))
		return cli_complain_upstream(verb, s, h->req->upstream);
	if (h->req->json)
		return history_print_json(h);
	history_print(h);
	return EXIT_GOOD;
}

enum exit_code
cmd_history(int argc, char **argv)
{
	struct history_request req = {.last = -1};
	struct history h = {.req = &req};
	const struct args_rules rules = {history_take, &req, 0, 1};
	struct settings *s = NULL;
	enum exit_code code;
	int first = args_read(&rules, verb, argc, argv, &code);

	if (first == 0)
		return code;
	req.upstream = argv[first];
	code = cli_settings_as_read(&s, verb, req.config);
	if (code != EXIT_GOOD)
		return code;
	h.state_dir = req.state_dir != NULL ? req.state_dir : s->state_dir;
	if (h.state_dir[0] == '\0')
		code = cli_complain(EXIT_USAGE, verb, "state-dir is empty: there is no journal");
	else
		code = history_show(&h, s);
	history_free(&h);
	settings_free(s);
	return code;
}
