#include "config/options.h"

#include "base/near.h"
#include "base/text.h"
#include "config/forms.h"

#include <stdlib.h>
#include <string.h>

#define KIB                ((int64_t)1024)
#define DAY_MS             ((int64_t)86400000)

#define GLOBAL(field)      offsetof(struct settings, field)
#define OF_UPSTREAM(field) offsetof(struct upstream_settings, field)
#define OF_FORWARD(field)  offsetof(struct forward_settings, field)

const struct option_row option_table[OPTION_COUNT] = {
#define OPTION(id, section, name, kind, offset, fallback, least, most, form)                                 \
	{OPTION_##id, SECTION_##section, name, KIND_##kind, offset, fallback, least, most, FORM_##form},
#include "config/options.def"
#undef OPTION
};

const char *const section_names[SECTION_COUNT] = {
    "",       "ct",    "trust",   "cache",    "local",     "rebinding", "filter",
    "portal", "watch", "journal", "evidence", "query-log", "upstream",  "forward",
};

const struct option_row *
option_find(enum section section, const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (option_table[i].section == section && strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

bool
section_has_title(enum section section)
{
	return section == SECTION_UPSTREAM || section == SECTION_FORWARD;
}

bool
strings_append(struct strings *list, const char *s, struct place place)
{
	char **v = realloc(list->v, (list->n + 1) * sizeof *v);
	struct place *places;

	if (v == NULL)
		return false;
	list->v = v;
	places = realloc(list->place, (list->n + 1) * sizeof *places);
	if (places == NULL)
		return false;
	list->place = places;
	v[list->n] = strdup(s);
	if (v[list->n] == NULL)
		return false;
	places[list->n++] = place;
	return true;
}

void
strings_free(struct strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	free(list->place);
	*list = (struct strings){0};
}

static void *
field_of(void *base, const struct option_row *o)
{
	return (char *)base + o->offset;
}

/* What a value of this option looks like, or with `item` one value of its list. */
static void
put_expected(struct buf *why, const struct option_row *o, bool item)
{
	char least[TIME_TEXT_MAX], most[TIME_TEXT_MAX];
	bool list = !item && (o->kind == KIND_STRINGS || o->kind == KIND_ADDRESSES);

	switch (o->kind) {
	case KIND_BOOL:
		buf_text(why, "true or false");
		break;
	case KIND_COUNT:
	case KIND_PORT:
		buf_format(why, "a number from %lld to %lld", (long long)o->least, (long long)o->most);
		break;
	case KIND_DURATION:
		buf_format(why, "a duration from \"%s\" to \"%s\" (units: ms s m h d)",
			   duration_text(o->least, least), duration_text(o->most, most));
		break;
	case KIND_SIZE:
		buf_format(why, "a size from \"%s\" to \"%s\" (units: KiB MiB)",
			   size_text((uint64_t)o->least, least), size_text((uint64_t)o->most, most));
		break;
	case KIND_WORD:
		form_words_put(why, o->form);
		break;
	case KIND_STRING:
	case KIND_STRINGS:
	case KIND_ADDRESSES:
		buf_format(why, "%s%s", list ? "a list in braces, each " : "", form_expected(o->form));
		break;
	}
	buf_text(why, " was expected");
}

/* A value on its way into a field, and where to tell what is wrong with it. */
struct store {
	const struct option_row *o;
	bool item;        /* one value of a list: its braces are there */
	const char *file; /* NULL: compiled in */
	struct config_errors *errors;
};

/* `option "port" has the wrong value "x", a number from 1 to 65535 was expected`, and how it was expected. */
static enum res
fail_value(const struct store *s, const struct token *t, const char *what, const char *how)
{
	struct buf why = buf_max(CONFIG_STRING_MAX * 2 + 2048);

	buf_format(&why, "option \"%s\" has %s ", s->o->name, what);
	string_print(&why, t->text);
	buf_text(&why, ", ");
	put_expected(&why, s->o, s->item);
	buf_text(&why, how);
	if (s->o->form == FORM_PIN || s->o->form == FORM_CA_ENTRY)
		base64_sha256_hint(&why, span_str(t->text));
	if (form_words(s->o->form) != NULL)
		near_put(&why, near_of(t->text, form_words(s->o->form)));
	config_errors_add(s->errors, (struct place){.file = s->file, .line = t->line}, "%s",
			  buf_cstr(&why) != NULL ? buf_cstr(&why) : "out of memory");
	buf_free(&why);
	return RES_MALFORMED;
}

static enum res
word_store(void *field, const struct store *s, const struct token *t)
{
	const char *const *words = form_words(s->o->form);

	for (unsigned i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], t->text) == 0) {
			memcpy(field, &i, sizeof i); /* our enums are as wide as an unsigned */
			return RES_OK;
		}
	return fail_value(s, t, "the unknown word", "");
}

static enum res
number_store(void *field, const struct store *s, const struct token *t)
{
	const struct option_row *o = s->o;
	int64_t v = 0;
	uint64_t size = 0;
	enum res res;

	if (o->kind == KIND_DURATION) {
		res = duration_read(&v, t->text);
	} else if (o->kind == KIND_SIZE) {
		res = size_read(&size, t->text);
		v = (int64_t)size; /* size_read stops at 2^50 */
	} else {
		res = number_read(&v, t->text);
	}
	if (res == RES_MALFORMED)
		return fail_value(s, t, "the wrong value", "");
	if (res != RES_OK || v < o->least || v > o->most)
		return fail_value(s, t, "a value out of range:", "");
	if (o->kind == KIND_DURATION)
		*(int64_t *)field = v;
	else if (o->kind == KIND_SIZE)
		*(uint64_t *)field = (uint64_t)v;
	else if (o->kind == KIND_PORT)
		*(uint16_t *)field = (uint16_t)v;
	else
		*(unsigned *)field = (unsigned)v;
	return RES_OK;
}

static enum res
string_store(char **field, const struct store *s, const struct token *t)
{
	char text[CONFIG_STRING_MAX + 1];
	char *copy;

	if (!form_read(text, s->o->form, t->text))
		return fail_value(s, t, "the wrong value", "");
	copy = strdup(text);
	if (copy == NULL)
		return RES_NOMEM;
	free(*field);
	*field = copy;
	return RES_OK;
}

static enum res
scalar_store(void *field, const struct store *s, const struct value *v)
{
	const struct option_row *o = s->o;
	bool quoted = o->kind != KIND_BOOL && o->kind != KIND_COUNT && o->kind != KIND_PORT;

	if (v->is_list) {
		struct buf expected = buf_max(1024);

		put_expected(&expected, o, false);
		config_errors_add(s->errors, (struct place){.file = s->file, .line = v->line},
				  "option \"%s\" has a list, %s", o->name,
				  buf_cstr(&expected) != NULL ? buf_cstr(&expected) : "none was expected");
		buf_free(&expected);
		return RES_MALFORMED;
	}
	if (v->v[0].quoted != quoted)
		return fail_value(s, &v->v[0], quoted ? "the bare word" : "the string",
				  quoted ? " in quotes" : " without quotes");
	switch (o->kind) {
	case KIND_BOOL:
		if (strcmp(v->v[0].text, "true") != 0 && strcmp(v->v[0].text, "false") != 0)
			return fail_value(s, &v->v[0], "the wrong value", "");
		*(bool *)field = v->v[0].text[0] == 't';
		return RES_OK;
	case KIND_WORD:
		return word_store(field, s, &v->v[0]);
	case KIND_COUNT:
	case KIND_PORT:
	case KIND_DURATION:
	case KIND_SIZE:
		return number_store(field, s, &v->v[0]);
	case KIND_STRING:
		return string_store(field, s, &v->v[0]);
	case KIND_STRINGS:
	case KIND_ADDRESSES:
		break; /* not scalars */
	}
	return RES_MALFORMED;
}

/* With `add` the old items, then those of v. */
static enum res
strings_store(struct strings *field, const struct store *s, bool add, const struct value *v)
{
	struct strings list = {0};
	char text[CONFIG_STRING_MAX + 1];
	enum res res = RES_OK;

	for (size_t i = 0; res == RES_OK && add && i < field->n; i++)
		if (!strings_append(&list, field->v[i], field->place[i]))
			res = RES_NOMEM;
	for (size_t i = 0; res != RES_NOMEM && i < v->n; i++) {
		if (!form_read(text, s->o->form, v->v[i].text))
			res = fail_value(s, &v->v[i], "the wrong value", "");
		else if (!strings_append(&list, text, (struct place){.file = s->file, .line = v->v[i].line}))
			res = RES_NOMEM;
	}
	if (res == RES_OK) {
		struct strings old = *field;

		*field = list;
		list = old;
	}
	strings_free(&list);
	return res;
}

static enum res
addresses_store(struct addrs *field, const struct store *s, bool add, const struct value *v)
{
	size_t n = add ? field->n : 0;
	struct addr *list = calloc(n + v->n + 1, sizeof *list);
	enum res res = RES_OK;

	if (list == NULL)
		return RES_NOMEM;
	if (n > 0)
		memcpy(list, field->v, n * sizeof *list);
	for (size_t i = 0; i < v->n; i++) {
		const char *what = form_read_address(&list[n], s->o->form, v->v[i].text);

		for (size_t k = 0; what == NULL && k < n; k++)
			if (addr_equal(&list[k], &list[n]))
				what = "twice the address";
		if (what != NULL)
			res = fail_value(s, &v->v[i], what, "");
		else
			n++;
	}
	if (res != RES_OK) {
		free(list);
		return res;
	}
	free(field->v);
	*field = (struct addrs){list, n};
	return RES_OK;
}

static enum res
list_store(void *base, const struct store *s, bool add, const struct value *v)
{
	const struct option_row *o = s->o;
	struct strings *strings = field_of(base, o);
	struct addrs *addrs = field_of(base, o);
	size_t n = v->n + (!add ? 0 : o->kind == KIND_STRINGS ? strings->n : addrs->n);
	const struct store item = {o, true, s->file, s->errors};
	enum res res = RES_OK;

	if (!v->is_list)
		return fail_value(s, &v->v[0], "the single value", "");
	if (n < (size_t)o->least || n > (size_t)o->most) {
		config_errors_add(s->errors, (struct place){.file = s->file, .line = v->line},
				  "option \"%s\" has a list of %zu, from %lld to %lld values were expected",
				  o->name, n, (long long)o->least, (long long)o->most);
		return RES_MALFORMED;
	}
	for (size_t i = 0; i < v->n; i++)
		if (!v->v[i].quoted)
			res = fail_value(&item, &v->v[i], "the bare word", " in quotes");
	if (res != RES_OK)
		return res;
	return o->kind == KIND_STRINGS ? strings_store(strings, &item, add, v)
				       : addresses_store(addrs, &item, add, v);
}

enum res
option_store(void *base, const struct option_row *o, bool add, const struct value *v, const char *file,
	     struct config_errors *errors)
{
	const struct store s = {o, false, file, errors};
	bool list = o->kind == KIND_STRINGS || o->kind == KIND_ADDRESSES;

	if (add && !list) {
		config_errors_add(errors, (struct place){.file = file, .line = v->line},
				  "option \"%s\" is not a list, \"=\" instead of \"+=\" was expected",
				  o->name);
		return RES_MALFORMED;
	}
	return list ? list_store(base, &s, add, v) : scalar_store(field_of(base, o), &s, v);
}

void
string_print(struct buf *out, const char *s)
{
	buf_u8(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_u8(out, '\\');
		buf_u8(out, (uint8_t)*s);
	}
	buf_u8(out, '"');
}

#define PRINT_WIDTH 90 /* a longer list gets a line for each of its values */

size_t
option_items(const struct option_row *o, const void *field)
{
	return o->kind == KIND_STRINGS ? ((const struct strings *)field)->n
				       : ((const struct addrs *)field)->n;
}

void
option_item_print(struct buf *out, const struct option_row *o, const void *field, size_t i, uint16_t port)
{
	const struct strings *strings = field;
	const struct addrs *addrs = field;
	char text[ADDR_TEXT_MAX];

	if (o->kind == KIND_STRINGS)
		string_print(out, strings->v[i]);
	else if (addrs->v[i].port == port && !form_looks_like_port(addr_ip_text(&addrs->v[i], text)))
		string_print(out, addr_ip_text(&addrs->v[i], text));
	else
		string_print(out, addr_text(&addrs->v[i], text));
}

static void
list_print(struct buf *out, const struct option_row *o, const void *field, uint16_t port)
{
	const struct strings *strings = field;
	size_t n = option_items(o, field), width = 0;
	bool wide;

	for (size_t i = 0; o->kind == KIND_STRINGS && i < n; i++)
		width += strlen(strings->v[i]) + 4;
	wide = width > PRINT_WIDTH && n > 1;
	buf_u8(out, '{');
	for (size_t i = 0; i < n; i++) {
		buf_text(out, wide ? "\n\t\t" : i > 0 ? " " : "");
		option_item_print(out, o, field, i, port);
		if (wide || i + 1 < n)
			buf_u8(out, ',');
	}
	buf_text(out, wide ? "\n\t}" : "}");
}

void
option_print(struct buf *out, const struct option_row *o, const void *base, uint16_t port)
{
	const void *field = (const char *)base + o->offset;
	char text[TIME_TEXT_MAX];
	unsigned word;

	switch (o->kind) {
	case KIND_BOOL:
		buf_text(out, *(const bool *)field ? "true" : "false");
		return;
	case KIND_COUNT:
		buf_format(out, "%u", *(const unsigned *)field);
		return;
	case KIND_PORT:
		buf_format(out, "%u", port);
		return;
	case KIND_WORD:
		memcpy(&word, field, sizeof word);
		string_print(out, form_words(o->form)[word]);
		return;
	case KIND_DURATION:
		string_print(out, duration_text(*(const int64_t *)field, text));
		return;
	case KIND_SIZE:
		string_print(out, size_text(*(const uint64_t *)field, text));
		return;
	case KIND_STRING:
		string_print(out, *(char *const *)field);
		return;
	case KIND_STRINGS:
	case KIND_ADDRESSES:
		list_print(out, o, field, port);
		return;
	}
}

void
option_free(void *base, const struct option_row *o)
{
	void *field = field_of(base, o);

	switch (o->kind) {
	case KIND_STRING:
		free(*(char **)field);
		return;
	case KIND_STRINGS:
		strings_free(field);
		return;
	case KIND_ADDRESSES:
		free(((struct addrs *)field)->v);
		return;
	case KIND_BOOL:
	case KIND_COUNT:
	case KIND_PORT:
	case KIND_WORD:
	case KIND_DURATION:
	case KIND_SIZE:
		return;
	}
}
