#include "verify/anchor_limits.h"

#include "base/text.h"
#include "verify/data_text.h"
#include "verify/why.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 8192
#define WORD_MAX       256 /* the longest name has 253 bytes */

struct entry {
	bool by_key; /* spki-sha256, else cert-sha256 */
	uint8_t hash[32];
	struct anchor_limit limits;
};

struct anchor_limits {
	struct entry **entry; /* sorted; an entry is large, so pointers move, not entries */
	size_t n;
	size_t cap;
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
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->limits.n_permit_name; i++)
		free((void *)(uintptr_t)e->limits.permit_name[i]);
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

	return x->by_key != y->by_key ? x->by_key - y->by_key : memcmp(x->hash, y->hash, 32);
}

static const struct anchor_limit *
entry_find(const struct anchor_limits *table, bool by_key, const uint8_t hash[32])
{
	struct entry want = {.by_key = by_key}, *const want_at = &want, **found;

	memcpy(want.hash, hash, 32);
	if (table->n == 0)
		return NULL;
	found = bsearch(&want_at, table->entry, table->n, sizeof(*table->entry), entry_compare);
	return found == NULL ? NULL : &(*found)->limits;
}

const struct anchor_limit *
anchor_limits_find(const struct anchor_limits *table, const struct cert *anchor)
{
	const struct anchor_limit *found;

	if (table == NULL)
		return NULL;
	found = entry_find(table, false, anchor->sha256);
	return found != NULL ? found : entry_find(table, true, anchor->spki_sha256);
}

/* The next word of the line as a string, shortened never: a longer one is an error. False: there is none. */
static bool
word_next(char word[WORD_MAX], struct span *rest, enum res *res)
{
	size_t n = 0;

	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = span_slice(*rest, 1, rest->n);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*res = n >= WORD_MAX || memchr(rest->p == NULL ? (const uint8_t *)"" : rest->p, '\0', n) != NULL
		   ? RES_MALFORMED
		   : RES_OK;
	if (n == 0 || *res != RES_OK)
		return false;
	memcpy(word, rest->p, n);
	word[n] = '\0';
	*rest = span_slice(*rest, n, rest->n);
	return true;
}

static enum res
date_read(bool *has, int64_t *ms, const char *what, const char *value, char **why)
{
	char quote[WHY_QUOTE_MAX];

	if (*has)
		return why_say(why, RES_MALFORMED, "%s stands there twice", what);
	if (time_read(ms, value) != RES_OK)
		return why_say(why, RES_MALFORMED, "%s \"%s\" is not an RFC 3339 time", what,
			       why_quote(quote, span_str(value)));
	*has = true;
	return RES_OK;
}

/* A DNS suffix: labels of letters, digits, hyphens and underscores; lower case, no dot before or behind it. */
static enum res
suffix_read(struct anchor_limit *limits, const char *value, char **why)
{
	char quote[WHY_QUOTE_MAX], *name;
	size_t n, label = 0;
	const char *from = value + (value[0] == '.');

	if (limits->n_permit_name == ANCHOR_LIMITS_PERMIT_MAX)
		return why_say(why, RES_LIMIT, "more than %d permit-name", ANCHOR_LIMITS_PERMIT_MAX);
	n = strlen(from);
	for (size_t i = 0; i < n; i++) {
		uint8_t c = ascii_lower((uint8_t)from[i]);
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

		if ((!letter && c != '.') || (c == '.' && label == 0) || label > 63)
			n = 0;
		label = c == '.' ? 0 : label + 1;
	}
	if (n == 0 || n > 253 || label == 0 || label > 63)
		return why_say(why, RES_MALFORMED, "permit-name \"%s\" is not a DNS name",
			       why_quote(quote, span_str(value)));
	name = strdup(from);
	if (name == NULL)
		return why_say(why, RES_NOMEM, "no memory");
	for (size_t i = 0; i < n; i++)
		name[i] = (char)ascii_lower((uint8_t)name[i]);
	limits->permit_name[limits->n_permit_name++] = name;
	return RES_OK;
}

static enum res
prefix_add(struct anchor_limit *limits, const char *value, char **why)
{
	char quote[WHY_QUOTE_MAX];

	if (limits->n_permit_ip == ANCHOR_LIMITS_PERMIT_MAX)
		return why_say(why, RES_LIMIT, "more than %d permit-ip", ANCHOR_LIMITS_PERMIT_MAX);
	if (prefix_read(&limits->permit_ip[limits->n_permit_ip], value) != RES_OK)
		return why_say(why, RES_MALFORMED,
			       "permit-ip \"%s\" is not an address prefix without host bits",
			       why_quote(quote, span_str(value)));
	limits->n_permit_ip++;
	return RES_OK;
}

static enum res
limit_read(struct anchor_limit *limits, const char *what, const char *value, char **why)
{
	char quote[WHY_QUOTE_MAX];

	if (strcmp(what, "sct-not-after") == 0)
		return date_read(&limits->has_sct_not_after, &limits->sct_not_after_ms, what, value, why);
	if (strcmp(what, "not-before-max") == 0)
		return date_read(&limits->has_not_before_max, &limits->not_before_max_ms, what, value, why);
	if (strcmp(what, "permit-name") == 0)
		return suffix_read(limits, value, why);
	if (strcmp(what, "permit-ip") == 0)
		return prefix_add(limits, value, why);
	return why_say(why, RES_MALFORMED,
		       "\"%s\": expected sct-not-after, not-before-max, permit-name or permit-ip",
		       why_quote(quote, span_str(what)));
}

static enum res
entry_read(struct entry *e, struct span line, char **why)
{
	char what[WORD_MAX], value[WORD_MAX], quote[WHY_QUOTE_MAX];
	bool any = false;
	enum res res;

	if (!word_next(what, &line, &res))
		return why_say(why, RES_MALFORMED, "not a line of words");
	e->by_key = strcmp(what, "spki-sha256") == 0;
	if (!e->by_key && strcmp(what, "cert-sha256") != 0)
		return why_say(why, RES_MALFORMED, "\"%s\": expected cert-sha256 or spki-sha256",
			       why_quote(quote, span_str(what)));
	if (!word_next(value, &line, &res) || hex_read(e->hash, 32, span_str(value)) != RES_OK)
		return why_say(why, RES_MALFORMED, "%s wants a SHA-256 of 64 hex digits", what);
	while (word_next(what, &line, &res)) {
		if (!word_next(value, &line, &res))
			return why_say(why, RES_MALFORMED, "\"%s\" wants a value",
				       why_quote(quote, span_str(what)));
		res = limit_read(&e->limits, what, value, why);
		if (res != RES_OK)
			return res;
		any = true;
	}
	if (res != RES_OK)
		return why_say(why, res, "a word that is too long");
	return any ? RES_OK : why_say(why, RES_MALFORMED, "no limit for this anchor");
}

/* Takes the entry, also on failure. */
static enum res
entry_add(struct anchor_limits *table, struct entry *e, char **why)
{
	size_t at = table->n;

	if (entry_find(table, e->by_key, e->hash) != NULL) {
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
line_add(struct anchor_limits *table, struct span line, char **why)
{
	struct entry *e;
	enum res res;

	if (line.n > LINE_MAX_BYTES)
		return why_say(why, RES_LIMIT, "longer than %d bytes", LINE_MAX_BYTES);
	e = calloc(1, sizeof *e);
	if (e == NULL)
		return why_say(why, RES_NOMEM, "no memory");
	res = entry_read(e, line, why);
	if (res == RES_OK)
		return entry_add(table, e, why);
	entry_free(e);
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

enum res
anchor_limits_add_file(struct anchor_limits *table, struct span text, size_t *line, char **why)
{
	enum res res = RES_OK;
	struct span entry;

	*line = 0;
	if (text.n > ANCHOR_LIMITS_FILE_MAX)
		return why_say(why, RES_LIMIT, "larger than %d bytes", ANCHOR_LIMITS_FILE_MAX);
	while (res == RES_OK && text_line_take(&text, &entry)) {
		++*line;
		entry = line_cut(entry);
		if (entry.n > 0)
			res = line_add(table, entry, why);
	}
	return res;
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
		line++;
		entry = line_cut(entry);
		if (entry.n == 0)
			continue;
		why = NULL;
		res = line_add(table, entry, &why);
		if (res != RES_OK)
			faults_add(faults, line, why);
	}
	return res == RES_NOMEM ? res : faults->n > before ? RES_MALFORMED : RES_OK;
}

enum res
anchor_limits_add_builtin(struct anchor_limits *table)
{
	size_t line;

	return anchor_limits_add_file(table, span_str(data_text_anchors), &line, NULL);
}
