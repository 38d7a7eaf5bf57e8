#include "config/reader.h"

#include "config/compiled_in.h"
#include "config/forms.h"
#include "config/hints.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULTS_MAX 8192 /* the defaults of a section, as text */
#define TITLE_MAX    64   /* of an upstream: it goes into log lines and EDE texts */

static void
reader_report(struct reader *r, unsigned line, const char *text)
{
	r->bad = true;
	config_errors_add(r->errors, (struct place){.file = r->file, .line = line}, "%s", text);
}

static void
reader_report_buf(struct reader *r, unsigned line, struct buf *b)
{
	const char *text = buf_cstr(b);

	reader_report(r, line, text != NULL ? text : "out of memory");
	buf_free(b);
}

static void reader_defaults(struct reader *, enum section, void *base);

/* ---- sections */

static void
upstream_free(struct upstream_settings *u)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (option_table[i].section == SECTION_UPSTREAM)
			option_free(u, &option_table[i]);
	free(u->title);
}

static void
forward_free(struct forward_settings *f)
{
	strings_free(&f->upstream);
	free(f->title);
}

static void
upstreams_drop(struct settings *s)
{
	for (size_t i = 0; i < s->n_upstream; i++)
		upstream_free(&s->upstream[i]);
	free(s->upstream);
	s->upstream = NULL;
	s->n_upstream = 0;
}

const struct upstream_settings *
settings_upstream(const struct settings *s, const char *title)
{
	for (size_t i = 0; i < s->n_upstream; i++)
		if (strcmp(s->upstream[i].title, title) == 0)
			return &s->upstream[i];
	return NULL;
}

static bool
upstream_open(struct reader *r, const char *title, struct place place)
{
	struct settings *s = r->s;
	struct upstream_settings *u, *list;

	u = (struct upstream_settings *)(uintptr_t)settings_upstream(s, title);
	if (u == NULL) {
		if (s->n_upstream == CONFIG_UPSTREAMS_MAX) {
			config_errors_add(r->errors, place, "one upstream too many, at most %d were expected",
					  CONFIG_UPSTREAMS_MAX);
			r->bad = true;
			return false;
		}
		list = realloc(s->upstream, (s->n_upstream + 1) * sizeof *list);
		if (list == NULL) {
			r->nomem = true;
			return false;
		}
		s->upstream = list;
		u = &list[s->n_upstream];
		*u = (struct upstream_settings){.title = strdup(title), .place = place};
		if (u->title == NULL) {
			r->nomem = true;
			return false;
		}
		s->n_upstream++;
		reader_defaults(r, SECTION_UPSTREAM, u);
	}
	r->base = u;
	r->set_at = u->set_at;
	return true;
}

static struct forward_settings *
forward_find(struct settings *s, const char *title)
{
	for (size_t i = 0; i < s->n_forward; i++)
		if (strcmp(s->forward[i].title, title) == 0)
			return &s->forward[i];
	return NULL;
}

static bool
forward_open(struct reader *r, const char *title, struct place place)
{
	struct settings *s = r->s;
	struct forward_settings *f = forward_find(s, title), *list;

	if (f == NULL) {
		if (s->n_forward == CONFIG_FORWARDS_MAX) {
			config_errors_add(r->errors, place, "one forward too many, at most %d were expected",
					  CONFIG_FORWARDS_MAX);
			r->bad = true;
			return false;
		}
		list = realloc(s->forward, (s->n_forward + 1) * sizeof *list);
		if (list == NULL) {
			r->nomem = true;
			return false;
		}
		s->forward = list;
		f = &list[s->n_forward];
		*f = (struct forward_settings){.title = strdup(title), .place = place};
		if (f->title == NULL) {
			r->nomem = true;
			return false;
		}
		s->n_forward++;
	}
	r->base = f;
	r->set_at = f->set_at;
	return true;
}

/* The title in its normal form; false: an error says what is wrong with it. */
static bool
title_read(struct reader *r, enum section section, const struct token *title, char out[CONFIG_STRING_MAX + 1])
{
	struct buf why = buf_max(CONFIG_STRING_MAX * 2 + 256);
	struct prefix prefix;
	size_t n = strlen(title->text);
	bool ok;

	if (section == SECTION_UPSTREAM) {
		ok = n > 0 && n <= TITLE_MAX;
		memcpy(out, title->text, n + 1); /* the lexer lets no longer one pass */
	} else if (prefix_read(&prefix, title->text) == RES_OK) {
		char text[ADDR_TEXT_MAX];

		ok = true;
		(void)snprintf(out, ADDR_TEXT_MAX + 8, "%s/%u", addr_ip_text(&prefix.addr, text),
			       prefix.bits);
	} else {
		ok = domain_read(out, title->text) && !domain_is_address(out);
	}
	if (!ok) {
		buf_format(&why, "%s has the wrong title ", section_names[section]);
		string_print(&why, title->text);
		if (section == SECTION_UPSTREAM)
			buf_format(&why, ", a name of 1 to %d bytes was expected", TITLE_MAX);
		else
			buf_text(&why, ", a domain name in ASCII (xn--...), \".\" or an address prefix "
				       "(\"192.0.2.0/24\", host bits zero) was expected");
		reader_report_buf(r, title->line, &why);
	}
	return ok;
}

static void
reader_on_open(void *ctx, const struct token *name, const struct token *title)
{
	struct reader *r = ctx;
	struct buf why = buf_max(CONFIG_STRING_MAX + 2048);
	char text[CONFIG_STRING_MAX + 1];
	struct place place = {.file = r->file, .line = name->line};
	unsigned section;

	if (r->section != SECTION_TOP || r->passed_over > 0) {
		if (r->passed_over++ == 0) {
			hint_nested(&why, r->section, name->text);
			reader_report_buf(r, name->line, &why);
		}
		return;
	}
	for (section = 1; section < SECTION_COUNT; section++)
		if (strcmp(section_names[section], name->text) == 0)
			break;
	r->base = NULL;
	if (section == SECTION_COUNT) {
		hint_section(&why, name->text);
		reader_report_buf(r, name->line, &why);
		r->passed_over = 1;
		return;
	}
	r->section = (enum section)section;
	memset(r->section_here, 0, sizeof r->section_here);
	if (section_has_title(r->section) != (title != NULL)) {
		config_errors_add(r->errors, place,
				  title == NULL ? "section \"%s\" has no title, one in quotes was expected"
						: "section \"%s\" has a title, none was expected",
				  name->text);
		r->bad = true;
	} else if (title == NULL) {
		r->base = r->s;
		r->set_at = r->s->set_at;
	} else if (title_read(r, r->section, title, text)) {
		if (r->section == SECTION_UPSTREAM)
			(void)upstream_open(r, text, place);
		else
			(void)forward_open(r, text, place);
	}
}

static void
reader_on_close(void *ctx)
{
	struct reader *r = ctx;

	if (r->passed_over > 0 && (--r->passed_over > 0 || r->section != SECTION_TOP))
		return;
	r->section = SECTION_TOP;
	r->base = r->s;
	r->set_at = r->s->set_at;
}

/* ---- options */

static void
reader_on_option(void *ctx, const struct token *name, bool add, const struct value *value)
{
	struct reader *r = ctx;
	const struct option_row *o = option_find(r->section, name->text);
	struct buf why = buf_max(CONFIG_STRING_MAX + 2048);
	struct place place = {.file = r->file, .line = name->line};
	unsigned *here;
	enum res res;

	if (r->base == NULL || r->passed_over > 0)
		return;
	if (o == NULL) {
		hint_option(&why, r->section, name->text);
		reader_report_buf(r, name->line, &why);
		return;
	}
	here = &(r->section == SECTION_TOP ? r->top_here : r->section_here)[o->id];
	if (!add && r->file != NULL && *here != 0) {
		r->bad = true;
		config_errors_add(
		    r->errors, place,
		    "option \"%s\" is set again, once in a section was expected (first in line %u)", o->name,
		    *here);
		return;
	}
	res = option_store(r->base, o, add, value, r->file, r->errors);
	place.wrong = res != RES_OK;
	r->nomem |= res == RES_NOMEM;
	r->bad |= res != RES_OK && res != RES_NOMEM;
	if (r->file != NULL) {
		*here = name->line;
		r->set_at[o->id] = place;
	}
}

static void
reader_on_error(void *ctx, unsigned line, const char *text)
{
	reader_report(ctx, line, text);
}

static const struct parse_handler reader_handler = {reader_on_open, reader_on_close, reader_on_option,
						    reader_on_error};

/* The table's defaults, through the very parser that reads a file. */
static void
reader_defaults(struct reader *r, enum section section, void *base)
{
	struct reader sub = *r;
	struct buf text = buf_max(DEFAULTS_MAX);

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *o = &option_table[i];

		/* no address is no value of `address`, and the port follows from the protocol */
		if (o->section != section || o->id == OPTION_ADDRESS || o->id == OPTION_PORT)
			continue;
		buf_text(&text, o->name);
		buf_text(&text, " = ");
		buf_text(&text, o->fallback);
		buf_u8(&text, '\n');
	}
	sub.file = NULL;
	sub.section = section;
	sub.base = base;
	sub.set_at = base == r->s ? r->s->set_at : ((struct upstream_settings *)base)->set_at;
	if (!buf_ok(&text) || parse_text(buf_span(&text), &reader_handler, &sub) == RES_NOMEM)
		r->nomem = true;
	assert(!sub.bad || r->bad);
	buf_free(&text);
	r->nomem |= sub.nomem;
}

/* ---- the whole */

enum res
reader_start(struct reader *r, struct config_errors *errors)
{
	*r = (struct reader){.s = calloc(1, sizeof *r->s), .errors = errors};
	if (r->s == NULL)
		return RES_NOMEM;
	for (unsigned section = 0; section < SECTION_UPSTREAM; section++)
		reader_defaults(r, (enum section)section, r->s);
	if (!r->nomem)
		return RES_OK;
	settings_free(r->s);
	return RES_NOMEM;
}

/* A syntax error ended the reading inside a section: its mandatory options may come later, and are not reported as
 * missing. */
static void
section_cut(struct reader *r)
{
	static const enum option_id needed[] = {OPTION_ADDRESS, OPTION_FORWARD_UPSTREAM};

	if (r->base == NULL || !section_has_title(r->section))
		return;
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (r->set_at[needed[i]].line == 0)
			r->set_at[needed[i]] = (struct place){.file = r->file, .line = 1};
}

enum res
reader_text(struct reader *r, const char *file, struct span text)
{
	enum res res;

	r->file = file;
	r->section = SECTION_TOP;
	r->base = r->s;
	r->set_at = r->s->set_at;
	r->passed_over = 0;
	memset(r->top_here, 0, sizeof r->top_here);
	res = parse_text(text, &reader_handler, r);
	if (res != RES_OK)
		section_cut(r);
	/* A part of a file must never count as the whole, whatever the caller does with the result. */
	r->nomem |= res == RES_NOMEM;
	return r->nomem ? RES_NOMEM : res;
}

uint16_t
upstream_port(const struct upstream_settings *u)
{
	if (u->port != 0)
		return u->port;
	return u->protocol == TP_DOT ? 853 : 443;
}

static bool
is_any_general(const struct settings *s)
{
	for (size_t i = 0; i < s->n_upstream; i++)
		if (!s->upstream[i].forward_only)
			return true;
	return false;
}

/* Any upstream in the files replaces those, but one that serves forwards only. */
static enum res
add_compiled_in(struct reader *r)
{
	bool clash = false;

	for (size_t i = 0; i < COMPILED_IN_N; i++) {
		const struct upstream_settings *u = settings_upstream(r->s, compiled_in_titles[i]);

		if (u == NULL)
			continue;
		config_errors_add(r->errors, u->place,
				  "upstream \"%s\" has forward-only and the title of a compiled-in upstream, "
				  "another title was expected",
				  u->title);
		clash = r->bad = true;
	}
	return clash ? RES_OK : reader_text(r, NULL, span_str(compiled_in_upstreams));
}

enum res
reader_finish(struct reader *r, struct settings **out)
{
	enum res res = r->nomem ? RES_NOMEM : RES_OK;

	if (res == RES_OK && !is_any_general(r->s))
		res = add_compiled_in(r);
	for (size_t i = 0; i < r->s->n_upstream; i++) {
		struct upstream_settings *u = &r->s->upstream[i];

		for (size_t k = 0; k < u->address.n; k++)
			if (u->address.v[k].port == 0)
				u->address.v[k].port = upstream_port(u);
	}
	if (res == RES_OK && (!settings_check(r->s, r->errors) || r->bad))
		res = RES_MALFORMED;
	r->s->broken = res != RES_OK;
	if (res == RES_NOMEM)
		settings_free(r->s);
	else
		*out = r->s;
	r->s = NULL;
	return res;
}

enum res
settings_read_text(struct settings **out, const char *file, struct span text, struct config_errors *errors)
{
	struct settings *s = NULL;
	struct reader r;
	enum res res;

	if (reader_start(&r, errors) != RES_OK)
		return RES_NOMEM;
	(void)reader_text(&r, file, text);
	res = reader_finish(&r, &s);
	if (res == RES_OK)
		*out = s;
	else
		settings_free(s);
	return res;
}

static void
forwards_drop(struct settings *s)
{
	for (size_t i = 0; i < s->n_forward; i++)
		forward_free(&s->forward[i]);
	free(s->forward);
	s->forward = NULL;
	s->n_forward = 0;
}

void
settings_routes_drop(struct settings *s)
{
	upstreams_drop(s);
	forwards_drop(s);
}

enum res
settings_narrow(struct settings *s, const char *title)
{
	static const char none[] = "upstream \"none\" { address = {\"192.0.2.1\"} }";
	struct config_errors errors = {0};
	struct reader r = {.s = s, .errors = &errors};
	struct upstream_settings *one = NULL;
	enum res res = RES_OK;

	for (size_t i = 0; title != NULL && i < s->n_upstream; i++)
		if (strcmp(s->upstream[i].title, title) == 0) {
			struct upstream_settings first = s->upstream[0];

			s->upstream[0] = s->upstream[i];
			s->upstream[i] = first;
			one = &s->upstream[0];
		}
	if (title != NULL && one == NULL)
		return RES_NOT_FOUND;
	for (size_t i = one != NULL; i < s->n_upstream; i++)
		upstream_free(&s->upstream[i]);
	s->n_upstream = one != NULL;
	forwards_drop(s);
	if (one == NULL) {
		res = reader_text(&r, NULL, span_of(none, sizeof none - 1));
		assert(errors.n == 0);
	}
	return res;
}

void
settings_free(struct settings *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (option_table[i].section < SECTION_UPSTREAM)
			option_free(s, &option_table[i]);
	settings_routes_drop(s);
	for (size_t i = 0; i < s->n_file; i++)
		free(s->file[i]);
	free(s->file);
	free(s);
}
