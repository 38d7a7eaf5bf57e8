#include "verify/anchor_limits_table.h"

#include "verify/why.h"
#include "verify/x509/disguise.h"

#include <stdlib.h>
#include <string.h>

/* Most roots share the sentence of a source and a date with others. */
struct limits_text {
	struct limits_text *next;
	char text[];
};

struct anchor_limits {
	struct limits_text *texts;
	struct limits_entry **entry; /* sorted; an entry is large, so pointers move, not entries */
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

struct limits_entry *
limits_entry_new(bool of_file)
{
	struct limits_entry *e = calloc(1, sizeof *e);

	if (e != NULL)
		e->of_file = of_file;
	return e;
}

struct anchor_permits *
limits_permits(struct limits_entry *e)
{
	if (e->permits == NULL)
		e->permits = calloc(1, sizeof *e->permits);
	return e->permits;
}

void
limits_entry_free(struct limits_entry *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; e->permits != NULL && i < e->permits->n_name; i++)
		free((void *)(uintptr_t)e->permits->name[i]);
	free(e->permits);
	free(e);
}

const char *
limits_text_keep(struct anchor_limits *table, struct span text)
{
	struct limits_text *t = malloc(sizeof *t + text.n + 1);

	if (t == NULL)
		return NULL;
	if (text.n > 0)
		memcpy(t->text, text.p, text.n);
	t->text[text.n] = '\0';
	t->next = table->texts;
	table->texts = t;
	return t->text;
}

void
anchor_limits_free(struct anchor_limits *table)
{
	struct limits_text *next;

	if (table == NULL)
		return;
	for (size_t i = 0; i < table->n; i++)
		limits_entry_free(table->entry[i]);
	for (struct limits_text *t = table->texts; t != NULL; t = next) {
		next = t->next;
		free(t);
	}
	free(table->entry);
	free(table);
}

size_t
anchor_limits_count(const struct anchor_limits *table)
{
	return table->n;
}

static int
limits_entry_compare(const struct limits_entry *e, bool of_file, bool by_key, const uint8_t hash[32])
{
	if (e->of_file != of_file)
		return e->of_file - of_file;
	return e->by_key != by_key ? e->by_key - by_key : memcmp(e->hash, hash, 32);
}

/* Where the entry is, or where it would be: how many are before it. */
static size_t
limits_entry_at(const struct anchor_limits *table, bool of_file, bool by_key, const uint8_t hash[32])
{
	size_t low = 0, high = table->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (limits_entry_compare(table->entry[mid], of_file, by_key, hash) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct limits_entry *
limits_entry_find(const struct anchor_limits *table, bool of_file, bool by_key, const uint8_t hash[32])
{
	size_t at = limits_entry_at(table, of_file, by_key, hash);

	return at < table->n && limits_entry_compare(table->entry[at], of_file, by_key, hash) == 0
		   ? table->entry[at]
		   : NULL;
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
limits_merge(struct anchor_limit *out, const struct limits_entry *e)
{
	const struct anchor_limit *l = &e->limit;

	date_merge(&out->has_distrusted_since, &out->distrusted_since_ms, &out->distrusted_since_text,
		   l->has_distrusted_since, l->distrusted_since_ms, l->distrusted_since_text);
	date_merge(&out->has_sct_not_after, &out->sct_not_after_ms, &out->sct_not_after_text,
		   l->has_sct_not_after, l->sct_not_after_ms, l->sct_not_after_text);
	date_merge(&out->has_not_before_max, &out->not_before_max_ms, &out->not_before_max_text,
		   l->has_not_before_max, l->not_before_max_ms, l->not_before_max_text);
	if (e->permits != NULL)
		out->permits[out->n_permits++] = e->permits;
}

/* The entry by the anchor's key or certificate; by certificate also with the other form of its signature. */
static const struct limits_entry *
limits_entry_of(const struct anchor_limits *table, bool of_file, bool by_key, const struct cert *anchor)
{
	const struct limits_entry *found =
	    limits_entry_find(table, of_file, by_key, by_key ? anchor->spki_sha256 : anchor->sha256);
	struct disguises other;

	if (found != NULL || by_key || disguises_of_cert(&other, anchor) != RES_OK)
		return found;
	for (size_t i = 0; found == NULL && i < other.n; i++)
		found = limits_entry_find(table, of_file, false, other.sha256[i]);
	return found;
}

bool
anchor_limits_find(struct anchor_limit *out, const struct anchor_limits *table, const struct cert *anchor)
{
	bool any = false;

	*out = (struct anchor_limit){0};
	for (unsigned i = 0; table != NULL && i < ANCHOR_LIMITS_LINES_MAX; i++) {
		bool by_key = i % 2 != 0;
		const struct limits_entry *e = limits_entry_of(table, i >= 2, by_key, anchor);

		if (e == NULL)
			continue;
		limits_merge(out, e);
		any = true;
	}
	return any;
}

enum res
limits_entry_add(struct anchor_limits *table, struct limits_entry *e, char **why)
{
	size_t at = limits_entry_at(table, e->of_file, e->by_key, e->hash);

	if (at < table->n && limits_entry_compare(table->entry[at], e->of_file, e->by_key, e->hash) == 0) {
		limits_entry_free(e);
		return why_say(why, RES_MALFORMED,
			       "this anchor has a line already, all its limits were expected on one");
	}
	if (table->n == table->cap) {
		size_t cap = table->cap == 0 ? 32 : table->cap * 2;
		struct limits_entry **larger = NULL;

		if (table->n < ANCHOR_LIMITS_ENTRIES_MAX)
			larger = reallocarray(table->entry, cap, sizeof(*larger));
		if (larger == NULL) {
			limits_entry_free(e);
			return table->n < ANCHOR_LIMITS_ENTRIES_MAX
				   ? why_say(why, RES_NOMEM, "no memory")
				   : why_say(why, RES_LIMIT, "more than %d anchors",
					     ANCHOR_LIMITS_ENTRIES_MAX);
		}
		table->entry = larger;
		table->cap = cap;
	}
	memmove(table->entry + at + 1, table->entry + at, (table->n - at) * sizeof(*table->entry));
	table->entry[at] = e;
	table->n++;
	return RES_OK;
}
