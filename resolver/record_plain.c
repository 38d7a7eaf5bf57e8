#include "resolver/record_plain.h"

#include "base/addr.h"
#include "base/text.h"
#include "base/dns/message.h"

#include <string.h>

#define STRING_MAX 255 /* RFC 1035, 3.3 */
#define DIGITS_MAX 10  /* of 32 bits */
#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS     "0123456789"
#define IN_NAME    LETTERS DIGITS "-_*."
#define IN_WORD    LETTERS DIGITS "-_.=:/+"
#define FIELDS_MAX 7

enum field {
	FIELD_END,
	FIELD_V4,
	FIELD_V6,
	FIELD_NAME,
	FIELD_U16,
	FIELD_U32,    /* a serial */
	FIELD_PERIOD, /* seconds */
	FIELD_STRINGS,
};

static const struct kind {
	const char *name;
	uint16_t type;
	enum field field[FIELDS_MAX + 1];
} kinds[] = {
    {"A", TYPE_A, {FIELD_V4}},
    {"AAAA", TYPE_AAAA, {FIELD_V6}},
    {"CNAME", TYPE_CNAME, {FIELD_NAME}},
    {"NS", TYPE_NS, {FIELD_NAME}},
    {"PTR", TYPE_PTR, {FIELD_NAME}},
    {"MX", 15, {FIELD_U16, FIELD_NAME}},                        /* RFC 1035, 3.3.9 */
    {"SRV", 33, {FIELD_U16, FIELD_U16, FIELD_U16, FIELD_NAME}}, /* RFC 2782 */
    {"TXT", TYPE_TXT, {FIELD_STRINGS}},
    {"SOA",
     TYPE_SOA,
     {FIELD_NAME, FIELD_NAME, FIELD_U32, FIELD_PERIOD, FIELD_PERIOD, FIELD_PERIOD, FIELD_PERIOD}},
};

static bool
has_only(struct span word, const char *characters)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] == '\0' || strchr(characters, word.p[i]) == NULL)
			return false;
	return word.n > 0;
}

static bool
number_of(uint32_t *out, struct span word, uint32_t max)
{
	uint64_t v = 0;

	if (word.n > DIGITS_MAX || !has_only(word, DIGITS))
		return false;
	for (size_t i = 0; i < word.n; i++)
		v = v * 10 + (uint64_t)(word.p[i] - '0');
	*out = (uint32_t)v;
	return v <= max;
}

/* Without escapes the characters of the text are those of the labels, one place further. */
static bool
name_put(struct buf *wire, struct span word)
{
	uint8_t name[MSG_NAME_MAX], n;

	if (!has_only(word, IN_NAME) || msg_name_read_span(name, &n, word) != RES_OK)
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] != '.')
			name[i + 1] = word.p[i];
	buf_put(wire, span_of(name, n));
	return true;
}

static bool
address_put(struct buf *wire, struct span word, enum addr_family family)
{
	struct addr a;

	if (addr_read_ip_span(&a, word) != RES_OK || a.family != family)
		return false;
	buf_put(wire, addr_ip(&a));
	return true;
}

/* A string in quotes, or a word. */
static bool
string_take(struct span *rest, struct span *string)
{
	const uint8_t *end;

	if (rest->p[0] != '"')
		return text_word_take(rest, string) && has_only(*string, IN_WORD);
	end = memchr(rest->p + 1, '"', rest->n - 1);
	if (end == NULL)
		return false;
	*string = span_of(rest->p + 1, (size_t)(end - rest->p) - 1);
	*rest = span_slice(*rest, string->n + 2, rest->n);
	for (size_t i = 0; i < string->n; i++)
		if (string->p[i] < ' ' || string->p[i] > '~' || string->p[i] == '\\')
			return false;
	return rest->n == 0 || rest->p[0] == ' ';
}

static bool
strings_put(struct buf *wire, struct span *rest)
{
	struct span string;

	text_blanks_skip(rest);
	if (rest->n == 0)
		return false;
	for (; rest->n > 0; text_blanks_skip(rest)) {
		if (!string_take(rest, &string) || string.n > STRING_MAX)
			return false;
		buf_u8(wire, (uint8_t)string.n);
		buf_put(wire, string);
	}
	return true;
}

static bool
number_put(struct buf *wire, enum field field, struct span word)
{
	uint32_t v;

	if (!number_of(&v, word,
		       field == FIELD_U16   ? UINT16_MAX
		       : field == FIELD_U32 ? UINT32_MAX
					    : INT32_MAX))
		return false;
	if (field == FIELD_U16)
		buf_u16(wire, (uint16_t)v);
	else
		buf_u32(wire, v);
	return true;
}

static bool
field_put(struct buf *wire, enum field field, struct span *rest)
{
	struct span word;

	if (field == FIELD_STRINGS)
		return strings_put(wire, rest);
	if (!text_word_take(rest, &word))
		return false;
	switch (field) {
	case FIELD_V4:
		return address_put(wire, word, ADDR_V4);
	case FIELD_V6:
		return address_put(wire, word, ADDR_V6);
	case FIELD_NAME:
		return name_put(wire, word);
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_PERIOD:
		return number_put(wire, field, word);
	case FIELD_STRINGS:
	case FIELD_END:
		break;
	}
	return false;
}

static const struct kind *
kind_find(struct span word)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (ascii_case_equal(word, span_str(kinds[i].name)))
			return &kinds[i];
	return NULL;
}

/* [TTL] [IN] type */
static const struct kind *
head_take(struct span *rest, uint32_t *ttl)
{
	struct span word;

	if (!text_word_take(rest, &word))
		return NULL;
	/* RFC 2181, 8: a TTL has 31 bits */
	if (number_of(ttl, word, INT32_MAX) && !text_word_take(rest, &word))
		return NULL;
	if (ascii_case_equal(word, span_str("IN")) && !text_word_take(rest, &word))
		return NULL;
	return kind_find(word);
}

bool
record_plain_read(struct buf *wire, const char *text, uint32_t default_ttl)
{
	struct span rest = span_str(text), owner;
	uint32_t ttl = default_ttl;
	const struct kind *kind;
	size_t length_at;

	/* a blank in front stands for the owner of the record before */
	if (!text_is_plain(rest) || ascii_is_blank((uint8_t)text[0]) || !text_word_take(&rest, &owner) ||
	    !name_put(wire, owner))
		return false;
	kind = head_take(&rest, &ttl);
	if (kind == NULL)
		return false;
	buf_u16(wire, kind->type);
	buf_u16(wire, CLASS_IN);
	buf_u32(wire, ttl);
	length_at = wire->n;
	buf_u16(wire, 0);
	for (size_t i = 0; kind->field[i] != FIELD_END; i++)
		if (!field_put(wire, kind->field[i], &rest))
			return false;
	text_blanks_skip(&rest);
	if (rest.n > 0 || !buf_ok(wire) || wire->n - length_at - 2 > UINT16_MAX)
		return false;
	be16_write(wire->p + length_at, (uint16_t)(wire->n - length_at - 2));
	return true;
}
