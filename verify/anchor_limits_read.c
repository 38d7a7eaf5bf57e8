/*
 * Lines of a constraints file, and of the table that is compiled in.
 */
#include "verify/anchor_limits_table.h"

#include "base/text.h"
#include "verify/data_text.h"
#include "verify/lines.h"
#include "verify/why.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 8192
#define WORD_MAX       256 /* the longest name has 253 bytes */
#define HASH_TEXT_MAX  160 /* of 32 octets with a separator each, and some space */
#define SENTENCE_MAX   512
#define FILE_SHOWN_MAX 16400 /* the longest path, every byte shown as \xNN */
/* Sentences of the lines before; a release of a root store gives some twenty roots one date. */
#define SHARED_MAX 8

/* A sentence that further lines may share. */
struct shared {
	const char *limit; /* NULL: none yet */
	int64_t ms;
	char source[WORD_MAX];
	const char *text; /* the table's */
};

struct limits_reader {
	struct anchor_limits *table;
	bool of_file;
	const char *name; /* of the file; NULL: not known */
	struct shared shared[SHARED_MAX];
	size_t next_shared; /* the next to be replaced */
};

/* A line being read. */
struct line {
	struct limits_reader *in;
	struct limits_entry *entry;
	char source[WORD_MAX]; /* of the limits that follow */
	bool any;              /* a limit was read */
	size_t number;
	char **why;
};

/* How many bytes until the next blank. */
static size_t
word_length(struct span rest)
{
	size_t n = 0;

	while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != '\t')
		n++;
	return n;
}

/* The next word, or what stands between double quotes, as a string; never shortened: a longer one is an error, and so
 * is a quote without its end. False: there is none, or *res is an error. */
static bool
limits_word_take(char word[WORD_MAX], struct span *rest, enum res *res)
{
	const uint8_t *end;
	struct span text;

	*res = RES_OK;
	text_blanks_skip(rest);
	text = span_slice(*rest, 0, word_length(*rest));
	if (rest->n == 0)
		return false;
	*res = RES_MALFORMED;
	if (text.p[0] == '"') {
		end = memchr(text.p + 1, '"', rest->n - 1);
		if (end == NULL)
			return false;
		text = span_of(text.p + 1, (size_t)(end - text.p - 1));
		*rest = span_slice(*rest, text.n + 2, rest->n - text.n - 2);
		if (word_length(*rest) != 0)
			return false;
	} else {
		*rest = span_slice(*rest, text.n, rest->n - text.n);
	}
	if (text.n == 0 || text.n >= WORD_MAX || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(word, text.p, text.n);
	word[text.n] = '\0';
	*res = RES_OK;
	return true;
}

/* A hash, which may have white space between its octets, and what follows it. */
static bool
hash_take(uint8_t hash[32], struct span *rest)
{
	size_t n = 0;

	text_blanks_skip(rest);
	if (word_length(*rest) == 64 && hex_read(hash, 32, span_slice(*rest, 0, 64)) == RES_OK) {
		*rest = span_slice(*rest, 64, rest->n - 64);
		return true;
	}
	while (n < rest->n && n <= HASH_TEXT_MAX) {
		struct span more = span_slice(*rest, n, rest->n - n);

		text_blanks_skip(&more);
		n = rest->n - more.n + word_length(more);
		if (hex_read_pasted(hash, 32, span_slice(*rest, 0, n)) != RES_OK)
			continue;
		*rest = span_slice(*rest, n, rest->n - n);
		return true;
	}
	return false;
}

/* NULL: no line before has it. */
static const char *
sentence_shared(const struct line *line, const char *limit, int64_t ms)
{
	for (size_t i = 0; i < SHARED_MAX; i++) {
		const struct shared *s = &line->in->shared[i];

		if (s->limit == limit && s->ms == ms && strcmp(s->source, line->source) == 0)
			return s->text;
	}
	return NULL;
}

/* A sentence without a source names its line, so other lines cannot share it. */
static void
sentence_share(const struct line *line, const char *limit, int64_t ms, const char *text)
{
	struct shared *s = &line->in->shared[line->in->next_shared];

	if (line->source[0] == '\0')
		return;
	*s = (struct shared){.limit = limit, .ms = ms, .text = text};
	memcpy(s->source, line->source, sizeof s->source);
	line->in->next_shared = (line->in->next_shared + 1) % SHARED_MAX;
}

static void
source_put(struct buf *out, const struct line *line)
{
	if (line->source[0] != '\0') {
		buf_text(out, line->source);
	} else if (line->in->name != NULL) {
		text_show(out, span_str(line->in->name));
		buf_format(out, ":%zu", line->number);
	} else {
		buf_format(out, "line %zu of a constraints file", line->number);
	}
}

/* A sentence about a limit: what, its time where it has one, and in parentheses the option and the source. limit is one of the
 * names below, whose address tells them apart; ms is 0 for a limit without a time. */
static enum res
sentence_set(const char **out, const struct line *line, const char *what, const char *limit, int64_t ms,
	     bool has_time)
{
	struct buf text = buf_max(SENTENCE_MAX + FILE_SHOWN_MAX);
	char time[TIME_TEXT_MAX];

	*out = sentence_shared(line, limit, ms);
	if (*out != NULL)
		return RES_OK;
	buf_format(&text, "%s%s (%s, ", what, has_time ? time_text(ms, time) : "", limit);
	source_put(&text, line);
	buf_u8(&text, ')');
	if (buf_ok(&text))
		*out = limits_text_keep(line->in->table, buf_span(&text));
	buf_free(&text);
	if (*out == NULL)
		return why_say(line->why, RES_NOMEM, "no memory");
	sentence_share(line, limit, ms, *out);
	return RES_OK;
}

struct date_field {
	const char *limit;
	const char *sentence; /* the time follows */
	size_t has, ms, text; /* offsets in struct anchor_limit */
};

static const struct date_field date_fields[] = {
    {"distrusted-since", "it has not been trusted for servers since ",
     offsetof(struct anchor_limit, has_distrusted_since), offsetof(struct anchor_limit, distrusted_since_ms),
     offsetof(struct anchor_limit, distrusted_since_text)},
    {"sct-not-after", "it is trusted only for certificates logged until ",
     offsetof(struct anchor_limit, has_sct_not_after), offsetof(struct anchor_limit, sct_not_after_ms),
     offsetof(struct anchor_limit, sct_not_after_text)},
    {"not-before-max", "it is trusted only for certificates valid from no later than ",
     offsetof(struct anchor_limit, has_not_before_max), offsetof(struct anchor_limit, not_before_max_ms),
     offsetof(struct anchor_limit, not_before_max_text)},
};

static enum res
limits_date_read(const struct line *line, const struct date_field *field, const char *value)
{
	char *base = (char *)&line->entry->limit, quote[WHY_QUOTE_MAX];
	bool *has = (bool *)(void *)(base + field->has);
	int64_t *ms = (int64_t *)(void *)(base + field->ms);

	if (*has)
		return why_say(line->why, RES_MALFORMED, "%s is set twice", field->limit);
	if (time_read(ms, value) != RES_OK)
		return why_say(line->why, RES_MALFORMED, "%s \"%s\" is not an RFC 3339 time", field->limit,
			       why_quote(quote, span_str(value)));
	*has = true;
	return sentence_set((const char **)(void *)(base + field->text), line, field->sentence, field->limit,
			    *ms, true);
}

/* Labels of letters, digits, hyphens and underscores, no dot at either end. */
static bool
suffix_ok(const char *name)
{
	size_t n = strlen(name), label = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = ascii_lower((uint8_t)name[i]);
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

		if ((!letter && c != '.') || (c == '.' && label == 0) || label > 63)
			return false;
		label = c == '.' ? 0 : label + 1;
	}
	return n > 0 && n <= 253 && label > 0 && label <= 63;
}

static enum res
suffix_add(const struct line *line, struct anchor_permits *permits, const char *value)
{
	char quote[WHY_QUOTE_MAX], *name;

	if (permits->n_name == ANCHOR_LIMITS_PERMIT_MAX)
		return why_say(line->why, RES_LIMIT, "more than %d permit-name", ANCHOR_LIMITS_PERMIT_MAX);
	if (!suffix_ok(value + (value[0] == '.')))
		return why_say(line->why, RES_MALFORMED, "permit-name \"%s\" is not a DNS name",
			       why_quote(quote, span_str(value)));
	name = strdup(value + (value[0] == '.'));
	if (name == NULL)
		return why_say(line->why, RES_NOMEM, "no memory");
	for (char *c = name; *c != '\0'; c++)
		*c = (char)ascii_lower((uint8_t)*c);
	permits->name[permits->n_name++] = name;
	return RES_OK;
}

static enum res
prefix_add(const struct line *line, struct anchor_permits *permits, const char *value)
{
	char quote[WHY_QUOTE_MAX];

	if (permits->n_ip == ANCHOR_LIMITS_PERMIT_MAX)
		return why_say(line->why, RES_LIMIT, "more than %d permit-ip", ANCHOR_LIMITS_PERMIT_MAX);
	if (prefix_read(&permits->ip[permits->n_ip], value) != RES_OK)
		return why_say(line->why, RES_MALFORMED,
			       "permit-ip \"%s\" is not an address prefix without host bits",
			       why_quote(quote, span_str(value)));
	permits->n_ip++;
	return RES_OK;
}

/* An anchor that may vouch for some names may vouch for no address, and the other way round. */
static enum res
permit_add(const struct line *line, const char *what, const char *value)
{
	static const char by_name[] = "permit-name", by_ip[] = "permit-ip";
	struct anchor_permits *permits = limits_permits(line->entry);
	enum res res;

	if (permits == NULL)
		return why_say(line->why, RES_NOMEM, "no memory");
	res =
	    strcmp(what, by_name) == 0 ? suffix_add(line, permits, value) : prefix_add(line, permits, value);
	if (res != RES_OK || permits->name_text != NULL)
		return res;
	res = sentence_set(&permits->name_text, line, "it may not vouch for a name of the certificate",
			   by_name, 0, false);
	return res == RES_OK
		   ? sentence_set(&permits->ip_text, line,
				  "it may not vouch for an address of the certificate", by_ip, 0, false)
		   : res;
}

static enum res
limit_read(struct line *line, const char *what, const char *value)
{
	char quote[WHY_QUOTE_MAX];

	if (strcmp(what, "source") == 0) {
		memcpy(line->source, value, strlen(value) + 1);
		return RES_OK;
	}
	line->any = true;
	for (size_t i = 0; i < sizeof date_fields / sizeof date_fields[0]; i++)
		if (strcmp(what, date_fields[i].limit) == 0)
			return limits_date_read(line, &date_fields[i], value);
	if (strcmp(what, "permit-name") == 0 || strcmp(what, "permit-ip") == 0)
		return permit_add(line, what, value);
	return why_say(line->why, RES_MALFORMED,
		       "\"%s\": expected distrusted-since, sct-not-after, not-before-max, permit-name, "
		       "permit-ip or source",
		       why_quote(quote, span_str(what)));
}

static enum res
limits_line_read(struct line *line, struct span rest)
{
	char what[WORD_MAX], value[WORD_MAX], quote[WHY_QUOTE_MAX];
	enum res res;

	if (!limits_word_take(what, &rest, &res))
		return why_say(line->why, RES_MALFORMED, "not a line of text");
	line->entry->by_key = strcmp(what, "spki-sha256") == 0;
	if (!line->entry->by_key && strcmp(what, "cert-sha256") != 0)
		return why_say(line->why, RES_MALFORMED, "\"%s\": expected cert-sha256 or spki-sha256",
			       why_quote(quote, span_str(what)));
	if (!hash_take(line->entry->hash, &rest))
		return why_say(line->why, RES_MALFORMED, "%s needs a SHA-256 of 64 hex digits", what);
	while (limits_word_take(what, &rest, &res)) {
		if (!limits_word_take(value, &rest, &res))
			return why_say(line->why, RES_MALFORMED, "\"%s\" needs a value",
				       why_quote(quote, span_str(what)));
		res = limit_read(line, what, value);
		if (res != RES_OK)
			return res;
	}
	if (res != RES_OK)
		return why_say(line->why, res, "a word that is too long, or an unterminated quote");
	return line->any ? RES_OK : why_say(line->why, RES_MALFORMED, "no limit for this anchor");
}

/* A line that is too long is a bad one; RES_LIMIT is for a table that is full. */
static enum res
limits_line_add(void *arg, struct span text, size_t number, char **why)
{
	struct limits_reader *in = arg;
	const uint8_t *comment = text.n == 0 ? NULL : memchr(text.p, '#', text.n);
	struct line line = {.in = in, .number = number, .why = why};
	enum res res;

	if (comment != NULL) /* no word of a line needs a `#` */
		text.n = (size_t)(comment - text.p);
	text_blanks_skip(&text);
	if (text.n == 0)
		return RES_OK;
	if (text.n > LINE_MAX_BYTES)
		return why_say(why, RES_MALFORMED, "longer than %d bytes", LINE_MAX_BYTES);
	line.entry = limits_entry_new(in->of_file);
	if (line.entry == NULL)
		return why_say(why, RES_NOMEM, "no memory");
	res = limits_line_read(&line, text);
	if (res == RES_OK)
		return limits_entry_add(in->table, line.entry, why);
	limits_entry_free(line.entry);
	return res == RES_LIMIT ? RES_MALFORMED : res;
}

enum res
anchor_limits_add_file(struct anchor_limits *table, const char *name, struct span text, struct faults *faults)
{
	struct limits_reader in = {.table = table, .of_file = true, .name = name};

	return lines_read(text, ANCHOR_LIMITS_FILE_MAX, limits_line_add, &in, faults);
}

enum res
anchor_limits_add_builtin(struct anchor_limits *table)
{
	struct limits_reader in = {.table = table};

	return lines_read(span_str(data_text_anchors), ANCHOR_LIMITS_FILE_MAX, limits_line_add, &in, NULL);
}
