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
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,     /* a serial */
	FIELD_PERIOD,  /* seconds */
	FIELD_STRING,  /* a character-string (RFC 1035, 3.3) */
	FIELD_STRINGS, /* one or more, up to the end */
	FIELD_TAG,     /* letters and digits, with their length */
	FIELD_VALUE,   /* a string in quotes, without its length */
	FIELD_HEX,     /* up to the end */
	FIELD_PARAMS,  /* SvcParams, up to the end */
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
    {"NAPTR",
     35,
     {FIELD_U16, FIELD_U16, FIELD_STRING, FIELD_STRING, FIELD_STRING, FIELD_NAME}}, /* RFC 3403, 4.1 */
    {"DS", 43, {FIELD_U16, FIELD_U8, FIELD_U8, FIELD_HEX}},                         /* RFC 4034, 5.1 */
    {"SSHFP", 44, {FIELD_U8, FIELD_U8, FIELD_HEX}},                                 /* RFC 4255, 3.1 */
    {"TLSA", 52, {FIELD_U8, FIELD_U8, FIELD_U8, FIELD_HEX}},                        /* RFC 6698, 2.1 */
    {"SVCB", 64, {FIELD_U16, FIELD_NAME, FIELD_PARAMS}},                            /* RFC 9460, 2.2 */
    {"HTTPS", 65, {FIELD_U16, FIELD_NAME, FIELD_PARAMS}},
    {"CAA", 257, {FIELD_U8, FIELD_TAG, FIELD_VALUE}}, /* RFC 8659, 4.1 */
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

/* The octet of an escape (RFC 1035, 5.1): \", \\ or \DDD. Its length; 0: none. */
static size_t
escape_read(uint8_t *out, struct span text)
{
	uint32_t v;

	if (text.n >= 2 && (text.p[1] == '"' || text.p[1] == '\\')) {
		*out = text.p[1];
		return 2;
	}
	if (text.n < 4 || !number_of(&v, span_slice(text, 1, 3), UINT8_MAX))
		return 0;
	*out = (uint8_t)v;
	return 4;
}

/* A string in quotes. */
static bool
quoted_take(struct span *rest, uint8_t string[STRING_MAX], size_t *n)
{
	size_t at = 1, used = 1;

	for (*n = 0; at < rest->n && rest->p[at] != '"'; at += used) {
		uint8_t c = rest->p[at];

		used = c == '\\' ? escape_read(&c, span_slice(*rest, at, rest->n)) : 1;
		if (used == 0 || *n == STRING_MAX || rest->p[at] < ' ' || rest->p[at] > '~')
			return false;
		string[(*n)++] = c;
	}
	if (at >= rest->n || (at + 1 < rest->n && rest->p[at + 1] != ' '))
		return false;
	*rest = span_slice(*rest, at + 1, rest->n);
	return true;
}

/* A string in quotes, or a word without special characters. */
static bool
string_take(struct span *rest, uint8_t string[STRING_MAX], size_t *n)
{
	struct span word;

	text_blanks_skip(rest);
	if (rest->n > 0 && rest->p[0] == '"')
		return quoted_take(rest, string, n);
	if (!text_word_take(rest, &word) || !has_only(word, IN_WORD) || word.n > STRING_MAX)
		return false;
	memcpy(string, word.p, word.n);
	*n = word.n;
	return true;
}

/* Octets with their number in front, which is one octet. */
static bool
counted_put(struct buf *wire, struct span octets)
{
	if (octets.n > UINT8_MAX)
		return false;
	buf_u8(wire, (uint8_t)octets.n);
	buf_put(wire, octets);
	return true;
}

static bool
string_put(struct buf *wire, struct span *rest)
{
	uint8_t string[STRING_MAX];
	size_t n;

	return string_take(rest, string, &n) && counted_put(wire, span_of(string, n));
}

static bool
strings_put(struct buf *wire, struct span *rest)
{
	do {
		if (!string_put(wire, rest))
			return false;
		text_blanks_skip(rest);
	} while (rest->n > 0);
	return true;
}

/* The rest of a CAA record: nothing may follow it. */
static bool
value_put(struct buf *wire, struct span *rest)
{
	uint8_t string[STRING_MAX];
	size_t n;

	text_blanks_skip(rest);
	if (rest->n == 0 || rest->p[0] != '"' || !quoted_take(rest, string, &n) || rest->n > 0)
		return false;
	buf_put(wire, span_of(string, n));
	return true;
}

static bool
tag_put(struct buf *wire, struct span word)
{
	return has_only(word, LETTERS DIGITS) && counted_put(wire, word);
}

/* One or more words, each of whole octets. */
static bool
hex_put(struct buf *wire, struct span *rest)
{
	struct span word;
	size_t n = wire->n;

	while (text_word_take(rest, &word)) {
		size_t octets = word.n / 2;
		uint8_t *p = buf_room(wire, octets);

		if (p == NULL || hex_read(p, octets, word) != RES_OK)
			return false;
		buf_added(wire, octets);
	}
	return wire->n > n;
}

static bool
number_put(struct buf *wire, enum field field, struct span word)
{
	uint32_t v;

	if (!number_of(&v, word,
		       field == FIELD_U8    ? UINT8_MAX
		       : field == FIELD_U16 ? UINT16_MAX
		       : field == FIELD_U32 ? UINT32_MAX
					    : INT32_MAX))
		return false;
	if (field == FIELD_U8)
		buf_u8(wire, (uint8_t)v);
	else if (field == FIELD_U16)
		buf_u16(wire, (uint16_t)v);
	else
		buf_u32(wire, v);
	return true;
}

/* ---- SvcParams (RFC 9460, 2.1 and 7): in the order of their keys, each once */

static bool
alpn_put(struct buf *wire, struct span id)
{
	return has_only(id, LETTERS DIGITS "-./") && counted_put(wire, id);
}

static bool
hint_put(struct buf *wire, uint16_t key, struct span one)
{
	switch (key) {
	case 1:
		return alpn_put(wire, one);
	case 4:
		return address_put(wire, one, ADDR_V4);
	case 6:
		return address_put(wire, one, ADDR_V6);
	default:
		return false;
	}
}

/* Values with commas between them. */
static bool
hints_put(struct buf *wire, uint16_t key, struct span list)
{
	while (list.n > 0) {
		const uint8_t *comma = memchr(list.p, ',', list.n);
		size_t n = comma != NULL ? (size_t)(comma - list.p) : list.n;

		if (!hint_put(wire, key, span_slice(list, 0, n)) || n + 1 == list.n)
			return false;
		list = span_slice(list, n < list.n ? n + 1 : n, list.n);
	}
	return true;
}

static bool
param_put(struct buf *wire, struct span word, int *last)
{
	static const struct {
		const char *name;
		int key;
	} keys[] = {{"alpn", 1}, {"port", 3}, {"ipv4hint", 4}, {"ipv6hint", 6}};
	const uint8_t *equals = memchr(word.p, '=', word.n);
	struct span name = span_slice(word, 0, equals != NULL ? (size_t)(equals - word.p) : word.n);
	struct span value = span_slice(word, name.n < word.n ? name.n + 1 : name.n, word.n);
	size_t i = 0, length_at;

	while (i < sizeof keys / sizeof *keys && !span_equal(name, span_str(keys[i].name)))
		i++;
	if (i == sizeof keys / sizeof *keys || keys[i].key <= *last || value.n == 0)
		return false;
	*last = keys[i].key;
	buf_u16(wire, (uint16_t)*last);
	length_at = wire->n;
	buf_u16(wire, 0);
	if (*last == 3 ? !number_put(wire, FIELD_U16, value) : !hints_put(wire, (uint16_t)*last, value))
		return false;
	if (buf_ok(wire))
		be16_write(wire->p + length_at, (uint16_t)(wire->n - length_at - 2));
	return true;
}

static bool
params_put(struct buf *wire, struct span *rest)
{
	struct span word;
	int last = 0;

	while (text_word_take(rest, &word))
		if (!param_put(wire, word, &last))
			return false;
	return true;
}

/* ---- fields */

/* What is one word. */
static bool
word_put(struct buf *wire, enum field field, struct span word)
{
	switch (field) {
	case FIELD_V4:
		return address_put(wire, word, ADDR_V4);
	case FIELD_V6:
		return address_put(wire, word, ADDR_V6);
	case FIELD_NAME:
		return name_put(wire, word);
	case FIELD_TAG:
		return tag_put(wire, word);
	default:
		return number_put(wire, field, word);
	}
}

static bool
field_put(struct buf *wire, enum field field, struct span *rest)
{
	struct span word;

	switch (field) {
	case FIELD_STRING:
		return string_put(wire, rest);
	case FIELD_STRINGS:
		return strings_put(wire, rest);
	case FIELD_VALUE:
		return value_put(wire, rest);
	case FIELD_HEX:
		return hex_put(wire, rest);
	case FIELD_PARAMS:
		return params_put(wire, rest);
	default:
		return text_word_take(rest, &word) && word_put(wire, field, word);
	}
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
	if (!text_is_plain(rest) || (rest.n > 0 && ascii_is_blank(rest.p[0])) ||
	    !text_word_take(&rest, &owner) || !name_put(wire, owner))
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
