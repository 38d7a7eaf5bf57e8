#include "base/journal.h"

#include "base/jsonl.h"
#include "base/path.h"
#include "base/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {
    [JOURNAL_FIRST] = "first-acceptance", [JOURNAL_CHANGE] = "change", [JOURNAL_ACCEPTED] = "accepted",
    [JOURNAL_REFUSED] = "refused",        [JOURNAL_KNOWN] = "known",
};

static const struct {
	enum journal_news bit;
	const char *name;
} news[] = {{JOURNAL_LEAF, "leaf"},
	    {JOURNAL_KEY, "key"},
	    {JOURNAL_ISSUER, "issuer"},
	    {JOURNAL_CA, "ca"},
	    {JOURNAL_SCTS, "scts"}};

/* Members that are text as it stands. */
static const struct {
	const char *key;
	size_t at; /* of a struct span */
} texts[] = {
#define TEXT(field) #field, offsetof(struct journal_record, field)
    {TEXT(upstream)},    {TEXT(address)},
    {TEXT(reason)},      {TEXT(evidence)},
    {TEXT(subject)},     {TEXT(issuer)},
    {TEXT(serial)},      {TEXT(sha256)},
    {TEXT(spki_sha256)}, {TEXT(issuer_spki_sha256)},
    {TEXT(anchor)},      {TEXT(anchor_spki_sha256)},
#undef TEXT
};

static const struct {
	const char *key;
	size_t at; /* of an int64_t, milliseconds; 0: not known */
} times[] = {
    {"time", offsetof(struct journal_record, time_ms)},
    {"not_before", offsetof(struct journal_record, not_before_ms)},
    {"not_after", offsetof(struct journal_record, not_after_ms)},
};

static const struct {
	const char *key;
	size_t at, n_at; /* of the spans and their number */
	size_t max;
} lists[] = {
#define LIST(key, field, max)                                                                                \
	key, offsetof(struct journal_record, field), offsetof(struct journal_record, n_##field), max
    {LIST("logs", log, JOURNAL_SCTS_MAX)},
    {LIST("log_ids", log_id, JOURNAL_SCTS_MAX)},
    {LIST("chain", chain, JOURNAL_CHAIN_MAX)},
#undef LIST
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

const char *
journal_kind_text(enum journal_kind kind)
{
	return kinds[kind];
}

void
journal_news_put(struct buf *out, unsigned set)
{
	const char *before = "";

	for (size_t i = 0; i < COUNT(news); i++) {
		if ((set & news[i].bit) == 0)
			continue;
		buf_format(out, "%s%s", before, news[i].name);
		before = ",";
	}
}

static void *
field_at(struct journal_record *r, size_t at)
{
	return (char *)r + at;
}

static const void *
field_of(const struct journal_record *r, size_t at)
{
	return (const char *)r + at;
}

static bool
is_key(const struct jsonl_member *m, const char *key)
{
	return span_equal(m->key, span_str(key));
}

/* ---- writing */

static void
put_news(struct buf *b, unsigned set)
{
	struct span name[COUNT(news)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(news); i++)
		if ((set & news[i].bit) != 0)
			name[n++] = span_str(news[i].name);
	if (n > 0)
		jsonl_put_list(b, "new", name, n);
}

static void
put_time(struct buf *b, const char *key, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	if (ms != 0)
		jsonl_put_text(b, key, span_str(time_text_ms(ms, text)));
}

static void
journal_put(struct buf *b, const struct journal_record *r, bool with_chain)
{
	jsonl_begin(b);
	put_time(b, times[0].key, r->time_ms);
	jsonl_put_text(b, "event", span_str(kinds[r->kind]));
	for (size_t i = 0; i < COUNT(texts); i++) {
		const struct span *text = field_of(r, texts[i].at);

		if (text->n > 0)
			jsonl_put_text(b, texts[i].key, *text);
	}
	if (r->count > 0)
		jsonl_put_number(b, "count", r->count);
	put_news(b, r->news);
	for (size_t i = 1; i < COUNT(times); i++)
		put_time(b, times[i].key, *(const int64_t *)field_of(r, times[i].at));
	for (size_t i = 0; i < COUNT(lists); i++) {
		size_t n = *(const size_t *)field_of(r, lists[i].n_at);
		bool is_chain = lists[i].at == offsetof(struct journal_record, chain);

		if (n > 0 && (with_chain || !is_chain))
			jsonl_put_list(b, lists[i].key, field_of(r, lists[i].at), n);
	}
	jsonl_end(b);
}

enum res
journal_write(struct buf *out, const struct journal_record *r)
{
	enum res res = RES_LIMIT;

	for (int with_chain = 1; with_chain >= 0 && res == RES_LIMIT; with_chain--) {
		struct buf line = buf_max(JOURNAL_LINE_MAX);
		size_t before = out->n;

		journal_put(&line, r, with_chain != 0);
		if (buf_ok(&line) && !out->bad) {
			buf_put(out, buf_span(&line));
			res = out->bad ? RES_LIMIT : RES_OK;
			if (out->bad) {
				out->n = before;
				out->bad = false;
			}
		}
		buf_free(&line);
	}
	return res;
}

/* ---- reading a line */

static void
text_take(struct journal_record *r, const struct jsonl_member *m)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		if (is_key(m, texts[i].key))
			*(struct span *)field_at(r, texts[i].at) = m->text;
}

static bool
time_take(struct journal_record *r, const struct jsonl_member *m)
{
	char text[TIME_TEXT_MAX];

	for (size_t i = 0; i < COUNT(times); i++) {
		if (!is_key(m, times[i].key))
			continue;
		if (m->text.n >= sizeof text)
			return false;
		memcpy(text, m->text.p, m->text.n);
		text[m->text.n] = '\0';
		return time_read(field_at(r, times[i].at), text) == RES_OK;
	}
	return true;
}

static void
list_take(struct journal_record *r, const struct jsonl_member *m)
{
	for (size_t i = 0; is_key(m, "new") && i < m->n_item; i++)
		for (size_t k = 0; k < COUNT(news); k++)
			if (span_equal(m->item[i], span_str(news[k].name)))
				r->news |= news[k].bit;
	for (size_t i = 0; i < COUNT(lists); i++) {
		if (!is_key(m, lists[i].key))
			continue;
		*(size_t *)field_at(r, lists[i].n_at) = m->n_item < lists[i].max ? m->n_item : lists[i].max;
		memcpy(field_at(r, lists[i].at), m->item,
		       *(size_t *)field_at(r, lists[i].n_at) * sizeof *m->item);
	}
}

static bool
member_take(struct journal_record *r, const struct jsonl_member *m, bool *has_kind)
{
	switch (m->kind) {
	case JSONL_STRING:
		for (size_t k = 0; is_key(m, "event") && k < COUNT(kinds); k++)
			if (span_equal(m->text, span_str(kinds[k]))) {
				r->kind = (enum journal_kind)k;
				*has_kind = true;
			}
		text_take(r, m);
		return time_take(r, m);
	case JSONL_NUMBER:
		if (is_key(m, "count"))
			r->count = m->number;
		return r->count >= 0;
	case JSONL_LIST:
		list_take(r, m);
		return true;
	case JSONL_OTHER:
		break;
	}
	return true;
}

enum res
journal_line_read(struct journal_record *out, uint8_t *line, size_t n)
{
	struct jsonl in = jsonl_over(line, n);
	struct journal_record r = {.time_ms = 0};
	struct jsonl_member m;
	bool has_kind = false;

	while (jsonl_next(&in, &m))
		if (!member_take(&r, &m, &has_kind))
			return RES_MALFORMED;
	if (!jsonl_done(&in) || !has_kind || r.time_ms == 0 || r.upstream.n == 0)
		return RES_MALFORMED;
	*out = r;
	return RES_OK;
}

/* ---- reading files */

struct reading {
	int fd;
	uint8_t *room; /* JOURNAL_LINE_MAX bytes */
	size_t n;      /* of a line that has no end yet */
	bool skipping; /* the rest of a line that is too long, or that was begun before what is read */
	struct journal_counts *counts;
	journal_record_fn on_record;
	void *ctx;
};

static void
on_line(struct reading *in, uint8_t *line, size_t n)
{
	struct journal_record r;

	if (in->skipping) {
		in->skipping = false;
	} else if (n > 0 && n < JOURNAL_LINE_MAX && journal_line_read(&r, line, n) == RES_OK) {
		in->counts->records++;
		in->on_record(in->ctx, &r);
	} else if (n > 0) {
		in->counts->broken++;
	}
}

/* Calls back for each whole line in the room, and moves the rest to its front. */
static void
lines_take(struct reading *in)
{
	uint8_t *p = in->room, *end = in->room + in->n, *feed;

	while ((feed = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		on_line(in, p, (size_t)(feed - p));
		p = feed + 1;
	}
	in->n = (size_t)(end - p);
	if (in->n == JOURNAL_LINE_MAX) {
		in->counts->broken += !in->skipping;
		in->skipping = true;
		in->n = 0;
	}
	memmove(in->room, p, in->n);
}

static enum res
whole_read(struct reading *in, size_t left)
{
	while (left > 0) {
		size_t want = JOURNAL_LINE_MAX - in->n;
		ssize_t n = read(in->fd, in->room + in->n, want < left ? want : left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return RES_IO;
		if (n == 0)
			break;
		left -= (size_t)n;
		in->n += (size_t)n;
		lines_take(in);
	}
	if (in->n > 0 && !in->skipping)
		in->counts->broken++; /* cut short */
	return RES_OK;
}

enum res
journal_file_read(int fd, struct journal_counts *counts, journal_record_fn on_record, void *ctx)
{
	struct reading in = {.fd = fd, .counts = counts, .on_record = on_record, .ctx = ctx};
	struct stat st;
	enum res res;

	if (fstat(fd, &st) != 0)
		return RES_IO;
	if (st.st_size > JOURNAL_FILE_MAX) {
		if (lseek(fd, st.st_size - JOURNAL_FILE_MAX, SEEK_SET) < 0)
			return RES_IO;
		in.skipping = counts->older_lost = true;
	}
	in.room = malloc(JOURNAL_LINE_MAX);
	if (in.room == NULL)
		return RES_NOMEM;
	res = whole_read(&in, JOURNAL_FILE_MAX);
	free(in.room);
	return res;
}

void
journal_text_read(uint8_t *text, size_t n, journal_record_fn on_record, void *ctx)
{
	struct journal_counts counts = {0};
	struct reading in = {.room = text, .n = n, .counts = &counts, .on_record = on_record, .ctx = ctx};

	if (n > 0)
		lines_take(&in);
}

/* -1: there is none, or *why and *error. */
static int
file_open(int state_dir, const char *name, const char **why, int *error)
{
	const char *cause = NULL;
	struct stat st;
	int fd = path_file_open_at(state_dir, name, &st, &cause);

	if (fd < 0 && errno != ENOENT) {
		*error = errno;
		*why = cause != NULL ? cause : strerror(errno);
	}
	return fd;
}

/* A rotation between the two calls makes both the same file. */
static bool
same_file(int a, int b)
{
	struct stat x, y;

	return a >= 0 && b >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

enum res
journal_read(int state_dir, struct journal_counts *counts, const char **why, journal_record_fn on_record,
	     void *ctx)
{
	/* In the order of their records; the newer one is opened first, so that a rotation loses none. */
	int fd[2];
	int error = 0;
	enum res res = RES_OK;

	*counts = (struct journal_counts){0};
	*why = NULL;
	fd[1] = file_open(state_dir, JOURNAL_FILE, why, &error);
	fd[0] = file_open(state_dir, JOURNAL_OLDER, why, &error);
	if (same_file(fd[0], fd[1])) {
		(void)close(fd[0]);
		fd[0] = -1;
	}
	for (int i = 0; i < 2; i++) {
		enum res one = fd[i] < 0 ? RES_OK : journal_file_read(fd[i], counts, on_record, ctx);

		if (one == RES_IO) {
			error = errno;
			*why = strerror(error);
		} else if (one != RES_OK) {
			res = one;
		}
		if (fd[i] >= 0)
			(void)close(fd[i]);
	}
	errno = error;
	return res == RES_OK && error != 0 ? RES_IO : res;
}
