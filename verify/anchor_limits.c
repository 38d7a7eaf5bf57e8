#include "verify/anchor_limits.h"

#include "base/text.h"
#include "verify/data_text.h"
#include "verify/why.h"
#include "verify/x509/disguise.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 8192
#define WORD_MAX       256 /* the longest name has 253 bytes */
#define HASH_TEXT_MAX  160 /* of 32 octets with a separator each, and some space */
#define SENTENCE_MAX   512

/* One line of the table or of a file. */
struct entry {
	bool of_file; /* else compiled in */
	bool by_key;  /* spki-sha256, else cert-sha256 */
	uint8_t hash[32];
	struct anchor_limit limit; /* without its permits */
	struct anchor_permits permits;
};

struct anchor_limits {
	struct entry **entry; /* sorted; an entry is large, so pointers move, not entries */
	size_t n;
	size_t cap;
};

/* A line being read. */
struct line {
	struct entry *entry;
	char source[WORD_MAX]; /* of the limits that follow */
	bool any;              /* a limit was read */
	size_t number;
	char **why;
};

enum res
anchor_limits_new(struct anchor_limits **out)
{
	struct anchor_limits *table = calloc(1, sizeof *table);

	if (table == NULL)
		return RES_NOMEM;
	*out = table;
	return RES_OK;
}

static void
text_free(const char *text)
{
	free((void *)(uintptr_t)text);
}

static void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->permits.n_name; i++)
		text_free(e->permits.name[i]);
	text_free(e->permits.name_text);
	text_free(e->permits.ip_text);
	text_free(e->limit.distrusted_since_text);
	text_free(e->limit.sct_not_after_text);
	text_free(e->limit.not_before_max_text);
	free(e);
}

void
anchor_limits_free(struct anchor_limits *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->n; i++)
		entry_free(table->entry[i]);
	free(table->entry);
	free(table);
}

size_t
anchor_limits_count(const struct anchor_limits *table)
{
	return table->n;
}

static int
entry_compare(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	if (x->of_file != y->of_file)
		return x->of_file - y->of_file;
	return x->by_key != y->by_key ? x->by_key - y->by_key : memcmp(x->hash, y->hash, 32);
}

static const struct entry *
entry_find(const struct anchor_limits *table, bool of_file, bool by_key, const uint8_t hash[32])
{
	struct entry want = {.of_file = of_file, .by_key = by_key}, *const want_at = &want, **found;

	memcpy(want.hash, hash, 32);
	if (table->n == 0)
		return NULL;
	found = bsearch(&want_at, table->entry, table->n, sizeof(*table->entry), entry_compare);
	return found == NULL ? NULL : *found;
}

/* The earlier of two dates stays. */
static void
date_merge(bool *has, int64_t *ms, const char **text, bool more, int64_t more_ms, const char *more_text)
{
	if (!more || (*has && *ms <= more_ms))
		return;
	*has = true;
	*ms = more_ms;
	*text = more_text;
}

static void
entry_merge(struct anchor_limit *out, const struct entry *e)
{
	const struct anchor_limit *l = &e->limit;

	date_merge(&out->has_distrusted_since, &out->distrusted_since_ms, &out->distrusted_since_text,
		   l->has_distrusted_since, l->distrusted_since_ms, l->distrusted_since_text);
	date_merge(&out->has_sct_not_after, &out->sct_not_after_ms, &out->sct_not_after_text,
		   l->has_sct_not_after, l->sct_not_after_ms, l->sct_not_after_text);
	date_merge(&out->has_not_before_max, &out->not_before_max_ms, &out->not_before_max_text,
		   l->has_not_before_max, l->not_before_max_ms, l->not_before_max_text);
	if (e->permits.n_name + e->permits.n_ip > 0)
		out->permits[out->n_permits++] = &e->permits;
}

/* The entry by the anchor's key or certificate; by certificate also with the other form of its signature. */
static const struct entry *
entry_of(const struct anchor_limits *table, bool of_file, bool by_key, const struct cert *anchor)
{
	const struct entry *found =
	    entry_find(table, of_file, by_key, by_key ? anchor->spki_sha256 : anchor->sha256);
	struct disguises other;

	if (found != NULL || by_key || disguises_of_cert(&other, anchor) != RES_OK)
		return found;
	for (size_t i = 0; found == NULL && i < other.n; i++)
		found = entry_find(table, of_file, false, other.sha256[i]);
	return found;
}

bool
anchor_limits_find(struct anchor_limit *out, const struct anchor_limits *table, const struct cert *anchor)
{
	bool any = false;

	*out = (struct anchor_limit){0};
	for (unsigned i = 0; table != NULL && i < ANCHOR_LIMITS_LINES_MAX; i++) {
		bool by_key = i % 2 != 0;
		const struct entry *e = entry_of(table, i >= 2, by_key, anchor);

		if (e == NULL)
			continue;
		entry_merge(out, e);
		any = true;
	}
	return any;
}

static void
blanks_skip(struct span *rest)
{
	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = span_slice(*rest, 1, rest->n - 1);
}

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
word_next(char word[WORD_MAX], struct span *rest, enum res *res)
{
	const uint8_t *end;
	struct span text;

	*res = RES_OK;
	blanks_skip(rest);
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

	blanks_skip(rest);
	while (n < rest->n && n <= HASH_TEXT_MAX) {
		struct span more = span_slice(*rest, n, rest->n - n);

		blanks_skip(&more);
		n = rest->n - more.n + word_length(more);
		if (hex_read_pasted(hash, 32, span_slice(*rest, 0, n)) != RES_OK)
			continue;
		*rest = span_slice(*rest, n, rest->n - n);
		return true;
	}
	return false;
}

/* A sentence about a limit: what, and in parentheses the option and the source. *out is the entry's. */
static enum res
sentence_set(const char **out, const struct line *line, const char *what, const char *value,
	     const char *limit)
{
	struct buf text = buf_max(SENTENCE_MAX);

	buf_format(&text, "%s%s (%s, ", what, value, limit);
	if (line->source[0] != '\0')
		buf_text(&text, line->source);
	else
		buf_format(&text, "line %zu of a constraints file", line->number);
	buf_u8(&text, ')');
	*out = buf_take_cstr(&text);
	buf_free(&text);
	return *out != NULL ? RES_OK : why_say(line->why, RES_NOMEM, "no memory");
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
date_read(const struct line *line, const struct date_field *field, const char *value)
{
	char *base = (char *)&line->entry->limit, quote[WHY_QUOTE_MAX], text[TIME_TEXT_MAX];
	bool *has = (bool *)(void *)(base + field->has);
	int64_t *ms = (int64_t *)(void *)(base + field->ms);

	if (*has)
		return why_say(line->why, RES_MALFORMED, "%s stands there twice", field->limit);
	if (time_read(ms, value) != RES_OK)
		return why_say(line->why, RES_MALFORMED, "%s \"%s\" is not an RFC 3339 time", field->limit,
			       why_quote(quote, span_str(value)));
	*has = true;
	return sentence_set((const char **)(void *)(base + field->text), line, field->sentence,
			    time_text(*ms, text), field->limit);
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
suffix_add(const struct line *line, const char *value)
{
	struct anchor_permits *permits = &line->entry->permits;
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
prefix_add(const struct line *line, const char *value)
{
	struct anchor_permits *permits = &line->entry->permits;
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
	struct anchor_permits *permits = &line->entry->permits;
	enum res res = strcmp(what, "permit-name") == 0 ? suffix_add(line, value) : prefix_add(line, value);

	if (res != RES_OK || permits->name_text != NULL)
		return res;
	res = sentence_set(&permits->name_text, line, "it may not vouch for a name of the certificate", "",
			   "permit-name");
	return res == RES_OK
		   ? sentence_set(&permits->ip_text, line,
				  "it may not vouch for an address of the certificate", "", "permit-ip")
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
			return date_read(line, &date_fields[i], value);
	if (strcmp(what, "permit-name") == 0 || strcmp(what, "permit-ip") == 0)
		return permit_add(line, what, value);
	return why_say(line->why, RES_MALFORMED,
		       "\"%s\": expected distrusted-since, sct-not-after, not-before-max, permit-name, "
		       "permit-ip or source",
		       why_quote(quote, span_str(what)));
}

static enum res
entry_read(struct line *line, struct span rest)
{
	char what[WORD_MAX], value[WORD_MAX], quote[WHY_QUOTE_MAX];
	enum res res;

	if (!word_next(what, &rest, &res))
		return why_say(line->why, RES_MALFORMED, "not a line of words");
	line->entry->by_key = strcmp(what, "spki-sha256") == 0;
	if (!line->entry->by_key && strcmp(what, "cert-sha256") != 0)
		return why_say(line->why, RES_MALFORMED, "\"%s\": expected cert-sha256 or spki-sha256",
			       why_quote(quote, span_str(what)));
	if (!hash_take(line->entry->hash, &rest))
		return why_say(line->why, RES_MALFORMED, "%s wants a SHA-256 of 64 hex digits", what);
	while (word_next(what, &rest, &res)) {
		if (!word_next(value, &rest, &res))
			return why_say(line->why, RES_MALFORMED, "\"%s\" wants a value",
				       why_quote(quote, span_str(what)));
		res = limit_read(line, what, value);
		if (res != RES_OK)
			return res;
	}
	if (res != RES_OK)
		return why_say(line->why, res, "a word that is too long, or a quote without its end");
	return line->any ? RES_OK : why_say(line->why, RES_MALFORMED, "no limit for this anchor");
}

/* Takes the entry, also on failure. */
static enum res
entry_add(struct anchor_limits *table, struct entry *e, char **why)
{
	size_t at = table->n;

	if (entry_find(table, e->of_file, e->by_key, e->hash) != NULL) {
		entry_free(e);
		return why_say(why, RES_MALFORMED, "this anchor has a line already");
	}
	if (table->n == table->cap) {
		size_t cap = table->cap == 0 ? 32 : table->cap * 2;
		struct entry **larger = NULL;

		if (table->n < ANCHOR_LIMITS_ENTRIES_MAX)
			larger = reallocarray(table->entry, cap, sizeof(*larger));
		if (larger == NULL) {
			entry_free(e);
			return table->n < ANCHOR_LIMITS_ENTRIES_MAX
				   ? why_say(why, RES_NOMEM, "no memory")
				   : why_say(why, RES_LIMIT, "more than %d anchors",
					     ANCHOR_LIMITS_ENTRIES_MAX);
		}
		table->entry = larger;
		table->cap = cap;
	}
	for (; at > 0 && entry_compare(&table->entry[at - 1], &e) > 0; at--)
		table->entry[at] = table->entry[at - 1];
	table->entry[at] = e;
	table->n++;
	return RES_OK;
}

static enum res
line_add(struct anchor_limits *table, struct span text, size_t number, bool of_file, char **why)
{
	struct line line = {.number = number, .why = why};
	enum res res;

	if (text.n > LINE_MAX_BYTES)
		return why_say(why, RES_LIMIT, "longer than %d bytes", LINE_MAX_BYTES);
	line.entry = calloc(1, sizeof *line.entry);
	if (line.entry == NULL)
		return why_say(why, RES_NOMEM, "no memory");
	line.entry->of_file = of_file;
	res = entry_read(&line, text);
	if (res == RES_OK)
		return entry_add(table, line.entry, why);
	entry_free(line.entry);
	return res;
}

/* The line without its comment and the space at its end; nothing in it needs a `#`. */
static struct span
line_cut(struct span line)
{
	const uint8_t *comment = line.n == 0 ? NULL : memchr(line.p, '#', line.n);

	if (comment != NULL)
		line.n = (size_t)(comment - line.p);
	while (line.n > 0 && strchr(" \t\r", line.p[line.n - 1]) != NULL && line.p[line.n - 1] != 0)
		line.n--;
	return line;
}

static enum res
line_take(struct anchor_limits *table, struct span line, size_t number, bool of_file, char **why)
{
	char quote[WHY_QUOTE_MAX];

	if (!text_is_plain(line))
		return why_say(why, RES_MALFORMED,
			       "\"%s\": a NUL byte or another control character; lines end in LF or CR LF",
			       why_quote(quote, line));
	line = line_cut(line);
	return line.n > 0 ? line_add(table, line, number, of_file, why) : RES_OK;
}

static enum res
text_add(struct anchor_limits *table, struct span text, bool of_file, size_t *line, char **why)
{
	enum res res = RES_OK;
	struct span entry;

	*line = 0;
	if (text.n > ANCHOR_LIMITS_FILE_MAX)
		return why_say(why, RES_LIMIT, "larger than %d bytes", ANCHOR_LIMITS_FILE_MAX);
	while (res == RES_OK && text_line_take(&text, &entry))
		res = line_take(table, entry, ++*line, of_file, why);
	return res;
}

enum res
anchor_limits_add_file(struct anchor_limits *table, struct span text, size_t *line, char **why)
{
	return text_add(table, text, true, line, why);
}

enum res
anchor_limits_add_lines(struct anchor_limits *table, struct span text, struct faults *faults)
{
	size_t before = faults->n, line = 0;
	enum res res = RES_OK;
	struct span entry;
	char *why = NULL;

	if (text.n > ANCHOR_LIMITS_FILE_MAX) {
		res = why_say(&why, RES_LIMIT, "larger than %d bytes", ANCHOR_LIMITS_FILE_MAX);
		faults_add(faults, 0, why);
		return res;
	}
	while (res != RES_NOMEM && text_line_take(&text, &entry)) {
		why = NULL;
		res = line_take(table, entry, ++line, true, &why);
		if (res != RES_OK)
			faults_add(faults, line, why);
	}
	return res == RES_NOMEM ? res : faults->n > before ? RES_MALFORMED : RES_OK;
}

enum res
anchor_limits_add_builtin(struct anchor_limits *table)
{
	size_t line;

	return text_add(table, span_str(data_text_anchors), false, &line, NULL);
}
