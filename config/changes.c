#include "config/changes.h"

#include "config/reader.h"

#include <stdlib.h>
#include <string.h>

/* The longest value, every byte escaped. */
#define PRINTED_MAX (CONFIG_LIST_MAX * (2 * CONFIG_STRING_MAX + 8))

/* Their files and sockets are opened before the daemon drops its privileges. */
static const enum option_id at_start_only[] = {
    OPTION_LISTEN,        OPTION_WORKERS,      OPTION_USER,          OPTION_CONTROL_SOCKET,
    OPTION_CONTROL_GROUP, OPTION_QUERY_LOG_TO, OPTION_QUERY_LOG_SIZE};

_Static_assert(sizeof at_start_only / sizeof *at_start_only == START_OPTIONS, "start_values has all of them");

/* Options of an upstream that no verdict depends on. */
static const enum option_id of_connection[] = {OPTION_PROTOCOL,   OPTION_ADDRESS,  OPTION_PORT,
					       OPTION_URL_PATH,   OPTION_METHOD,   OPTION_CLIENT_CERT,
					       OPTION_CLIENT_KEY, OPTION_TRUST_AD, OPTION_FORWARD_ONLY};

/* One section in both configurations. */
struct pair {
	struct changes *found;
	const char *where;
	const void *before, *after;
	uint16_t port_before, port_after;
	const struct start_values *started;
};

/* Does the running daemon keep another value than this new one? Not when a reload goes back to what it started with. */
static bool
needs_restart(enum option_id id, struct span after, const struct start_values *started)
{
	for (size_t i = 0; i < START_OPTIONS; i++)
		if (at_start_only[i] == id)
			return started == NULL || started->text[i] == NULL ||
			       !span_equal(after, span_str(started->text[i]));
	return false;
}

/* One line of at most CHANGE_VALUE_MAX bytes, cut between characters. Yours; NULL: no memory. */
static char *
value_cut(struct span value)
{
	struct buf b = buf_max(CHANGE_VALUE_MAX + 8);
	size_t i = 0;

	for (; i < value.n && b.n < CHANGE_VALUE_MAX; i++) {
		bool space = value.p[i] == '\n' || value.p[i] == '\t';

		if (!space)
			buf_u8(&b, value.p[i]);
		else if (b.n > 0 && b.p[b.n - 1] != ' ' && b.p[b.n - 1] != '{')
			buf_u8(&b, ' ');
	}
	while (i < value.n && b.n > 0 && (value.p[i] & 0xc0) == 0x80) /* a character that was cut in two */
		i = b.n-- > 0 ? i - 1 : i;
	buf_text(&b, i < value.n ? "..." : "");
	return buf_take_cstr(&b);
}

/* The line for people; what: what happened to the value. */
static char *
line_of(const struct change *c, const char *what)
{
	struct buf b = buf_max(3 * CHANGE_VALUE_MAX + CONFIG_STRING_MAX);

	buf_text(&b, c->where != NULL ? c->where : "");
	buf_format(&b, "%s%s: %s%s", c->where != NULL && *c->where != '\0' && *c->option != '\0' ? ": " : "",
		   c->option, what, c->needs_restart ? " (needs a restart)" : "");
	return buf_take_cstr(&b);
}

/* before, after: taken; what NULL: the two of them. */
static void
change_add(struct changes *found, struct change c, const char *where, const char *what)
{
	struct buf both = buf_max(2 * CHANGE_VALUE_MAX + 64);

	if (found->n == CHANGES_MAX) {
		found->more = true;
		free(c.before);
		free(c.after);
		return;
	}
	buf_format(&both, "%s -> %s", c.before != NULL ? c.before : "", c.after != NULL ? c.after : "");
	c.where = strdup(where);
	c.text = line_of(&c, what != NULL ? what : buf_cstr(&both) != NULL ? buf_cstr(&both) : "changed");
	found->nomem |= c.where == NULL || c.text == NULL;
	found->v[found->n++] = c;
	buf_free(&both);
}

/* ---- lists: what came and what went */

static bool
list_has(const struct option_row *o, const void *list, const void *other, size_t i)
{
	const struct strings *s = list, *of_s = other;
	const struct addrs *a = list, *of_a = other;

	if (o->kind == KIND_STRINGS) {
		for (size_t k = 0; k < s->n; k++)
			if (strcmp(s->v[k], of_s->v[i]) == 0)
				return true;
		return false;
	}
	for (size_t k = 0; k < a->n; k++)
		if (addr_equal(&a->v[k], &of_a->v[i]))
			return true;
	return false;
}

/* `added {"a", "b"}`: what `list` has and the other one has not. */
static void
list_put_rest(struct buf *out, const struct option_row *o, const char *word, const void *list,
	      const void *other)
{
	size_t n = option_items(o, list), rest = 0;

	for (size_t i = 0; i < n; i++) {
		if (list_has(o, other, list, i) || rest++ >= CHANGE_ITEMS_MAX)
			continue;
		if (rest == 1)
			buf_format(out, "%s%s {", out->n > 0 ? ", " : "", word);
		else
			buf_text(out, ", ");
		option_item_print(out, o, list, i, 0);
	}
	if (rest > CHANGE_ITEMS_MAX)
		buf_format(out, " and %zu more", rest - CHANGE_ITEMS_MAX);
	buf_text(out, rest > 0 ? "}" : "");
}

static char *
list_difference(const struct option_row *o, const void *before, const void *after)
{
	const void *old = (const char *)before + o->offset, *new = (const char *)after + o->offset;
	struct buf b = buf_max(2 * PRINTED_MAX);
	char *text;

	list_put_rest(&b, o, "removed", old, new);
	list_put_rest(&b, o, "added", new, old);
	if (b.n == 0)
		buf_text(&b, "another order");
	text = buf_ok(&b) ? value_cut(buf_span(&b)) : NULL;
	buf_free(&b);
	return text;
}

/* ---- options */

static void
option_compare(const struct pair *p, const struct option_row *o)
{
	struct buf before = buf_max(PRINTED_MAX), after = buf_max(PRINTED_MAX);
	bool list = o->kind == KIND_STRINGS || o->kind == KIND_ADDRESSES;
	char *what = NULL;

	option_print(&before, o, p->before, p->port_before);
	option_print(&after, o, p->after, p->port_after);
	if (!buf_ok(&before) || !buf_ok(&after)) {
		p->found->nomem = true;
	} else if (!span_equal(buf_span(&before), buf_span(&after))) {
		if (list)
			what = list_difference(o, p->before, p->after);
		change_add(
		    p->found,
		    (struct change){.option = o->name,
				    .before = value_cut(buf_span(&before)),
				    .after = value_cut(buf_span(&after)),
				    .needs_restart = needs_restart(o->id, buf_span(&after), p->started)},
		    p->where, what);
		free(what);
	}
	buf_free(&before);
	buf_free(&after);
}

static void
section_compare(const struct pair *p, enum section section)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (option_table[i].section == section)
			option_compare(p, &option_table[i]);
}

/* ---- sections with a title */

/* The titled sections of one kind, so that upstreams and forwards need one comparison. */
struct titled {
	enum section section;
	const char *v; /* of the structs */
	size_t n, size;
};

static const char *
title_of(const struct titled *t, size_t i)
{
	return t->section == SECTION_UPSTREAM
		   ? ((const struct upstream_settings *)(const void *)t->v)[i].title
		   : ((const struct forward_settings *)(const void *)t->v)[i].title;
}

static uint16_t
port_of(const struct titled *t, size_t i)
{
	return t->section == SECTION_UPSTREAM
		   ? upstream_port(&((const struct upstream_settings *)(const void *)t->v)[i])
		   : 0;
}

static size_t
title_find(const struct titled *t, const char *title)
{
	size_t i = 0;

	while (i < t->n && strcmp(title_of(t, i), title) != 0)
		i++;
	return i;
}

/* `upstream "one"`. Yours; NULL: no memory. */
static char *
titled_where(const struct titled *t, size_t i)
{
	struct buf b = buf_max(2 * CONFIG_STRING_MAX + 32);

	buf_format(&b, "%s ", section_names[t->section]);
	string_print(&b, title_of(t, i));
	return buf_take_cstr(&b);
}

/* A whole section that came or went. */
static void
titled_add(struct changes *found, const char *where, const char *what, bool came)
{
	struct change c = {.option = ""};

	*(came ? &c.after : &c.before) = strdup(where);
	change_add(found, c, where, what);
}

static void
titled_compare(struct changes *found, const struct titled *before, const struct titled *after)
{
	bool reordered = before->n == after->n;
	size_t k;

	for (size_t i = 0; i < before->n + after->n; i++) {
		bool old = i < before->n;
		const struct titled *of = old ? before : after;
		size_t at = old ? i : i - before->n;
		char *where = titled_where(of, at);

		k = title_find(old ? after : before, title_of(of, at));
		if (where == NULL)
			found->nomem = true;
		else if (old && k < after->n)
			section_compare(&(struct pair){found, where, before->v + at * before->size,
						       after->v + k * after->size, port_of(before, at),
						       port_of(after, k), NULL},
					before->section);
		else if (k == (old ? after->n : before->n))
			titled_add(found, where, old ? "removed" : "added", !old);
		reordered &= k < before->n;
		free(where);
	}
	for (k = 0; reordered && k < before->n && strcmp(title_of(before, k), title_of(after, k)) == 0; k++)
		;
	if (reordered && k < before->n)
		change_add(found, (struct change){.option = ""}, section_names[before->section],
			   "another order");
}

void
changes_find(struct changes *found, const struct settings *before, const struct settings *after,
	     const struct start_values *started)
{
	for (unsigned section = SECTION_TOP; section < SECTION_UPSTREAM; section++)
		section_compare(&(struct pair){found, section_names[section], before, after, 0, 0, started},
				(enum section)section);
	titled_compare(found,
		       &(struct titled){SECTION_UPSTREAM, (const char *)before->upstream, before->n_upstream,
					sizeof *before->upstream},
		       &(struct titled){SECTION_UPSTREAM, (const char *)after->upstream, after->n_upstream,
					sizeof *after->upstream});
	titled_compare(found,
		       &(struct titled){SECTION_FORWARD, (const char *)before->forward, before->n_forward,
					sizeof *before->forward},
		       &(struct titled){SECTION_FORWARD, (const char *)after->forward, after->n_forward,
					sizeof *after->forward});
}

void
changes_add_number(struct changes *found, const char *what, size_t before, size_t after)
{
	char a[24], b[24];

	if (before == after)
		return;
	(void)snprintf(a, sizeof a, "%zu", before);
	(void)snprintf(b, sizeof b, "%zu", after);
	change_add(found, (struct change){.option = what, .before = strdup(a), .after = strdup(b)}, "", NULL);
}

void
changes_free(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].where);
		free(c->v[i].before);
		free(c->v[i].after);
		free(c->v[i].text);
	}
	*c = (struct changes){0};
}

/* ---- since the start */

enum res
changes_start_take(struct start_values *values, const struct settings *s)
{
	for (size_t i = 0; i < START_OPTIONS; i++) {
		struct buf b = buf_max(PRINTED_MAX);

		option_print(&b, &option_table[at_start_only[i]], s, 0);
		values->text[i] = buf_take_cstr(&b);
		if (values->text[i] == NULL)
			return RES_NOMEM;
	}
	return RES_OK;
}

void
changes_start_compare(struct changes *found, const struct start_values *values, const struct settings *now)
{
	for (size_t i = 0; i < START_OPTIONS; i++) {
		const struct option_row *o = &option_table[at_start_only[i]];
		struct buf b = buf_max(PRINTED_MAX);

		option_print(&b, o, now, 0);
		if (!buf_ok(&b) || values->text[i] == NULL)
			found->nomem = true;
		else if (!span_equal(buf_span(&b), span_str(values->text[i])))
			change_add(found,
				   (struct change){.option = o->name,
						   .before = value_cut(span_str(values->text[i])),
						   .after = value_cut(buf_span(&b)),
						   .needs_restart = true},
				   section_names[o->section], NULL);
		buf_free(&b);
	}
}

void
changes_start_free(struct start_values *values)
{
	for (size_t i = 0; i < START_OPTIONS; i++)
		free(values->text[i]);
	*values = (struct start_values){0};
}

/* ---- two upstreams */

static bool
is_of_connection(enum option_id id)
{
	for (size_t i = 0; i < sizeof of_connection / sizeof *of_connection; i++)
		if (of_connection[i] == id)
			return true;
	return false;
}

bool
upstream_rules_equal(const struct upstream_settings *a, const struct upstream_settings *b)
{
	bool equal = true;

	for (size_t i = 0; equal && i < OPTION_COUNT; i++) {
		const struct option_row *o = &option_table[i];
		struct buf of_a = buf_max(PRINTED_MAX), of_b = buf_max(PRINTED_MAX);

		if (o->section == SECTION_UPSTREAM && !is_of_connection(o->id)) {
			option_print(&of_a, o, a, 0);
			option_print(&of_b, o, b, 0);
			equal =
			    buf_ok(&of_a) && buf_ok(&of_b) && span_equal(buf_span(&of_a), buf_span(&of_b));
		}
		buf_free(&of_a);
		buf_free(&of_b);
	}
	return equal;
}
