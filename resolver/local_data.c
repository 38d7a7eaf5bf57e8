#include "resolver/local_data.h"

#include "base/text.h"
#include "base/dns/compose.h"
#include "base/dns/message_walk.h"
#include "base/dns/nameset.h"
#include "resolver/record_ldns.h"
#include "resolver/record_plain.h"

#include <stdlib.h>
#include <string.h>

#define LOCAL_DEFAULT_TTL 3600
#define RECORD_WIRE_MAX   (MSG_NAME_MAX + 10 + UINT16_MAX) /* RFC 1035, 3.2.1 */

/* One record of local.data. */
struct record {
	struct place place;
	uint8_t name[MSG_NAME_MAX];
	uint8_t name_n;
	uint16_t type;
	uint32_t ttl;
	uint8_t *wire; /* owned: the whole record */
	struct span rdata;
};

struct local_data {
	struct record *record; /* by name, then type, then RDATA */
	size_t n;
	struct nameset *names; /* to the first record of the name */
	struct nameset *above; /* names above those */
	struct nameset *zones; /* owners of SOA records, to that record */
	struct special *special;
};

static struct span
record_name(const struct record *r)
{
	return span_of(r->name, r->name_n);
}

static int
record_compare(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int c = span_compare(record_name(x), record_name(y));

	if (c == 0)
		c = (x->type > y->type) - (x->type < y->type);
	return c != 0 ? c : span_compare(x->rdata, y->rdata);
}

/* Takes the record's bytes. Returns what is wrong, or NULL. */
static const char *
record_fill(struct record *r, struct span wire)
{
	struct walk_rr shape;
	struct walk w = walk_over(wire, 0);

	if (!walk_rr(&w, &shape) || w.at != wire.n || shape.type_at > MSG_NAME_MAX)
		return "this record cannot be written";
	if (shape.class != CLASS_IN)
		return "expected class IN";
	/* the library's result for an unknown type without data (RFC 6895, 3.1: 0 is reserved) */
	if (shape.type == 0)
		return "unknown type";
	if (msg_type_is_meta(shape.type) || shape.type == TYPE_ANY)
		return "this record cannot be served";
	if (shape.ttl > INT32_MAX) /* RFC 2181, 8 */
		return "a TTL beyond 2147483647";
	r->wire = malloc(wire.n);
	if (r->wire == NULL)
		return res_text(RES_NOMEM);
	memcpy(r->wire, wire.p, wire.n);
	r->name_n = (uint8_t)shape.type_at;
	ascii_lower_copy(r->name, r->wire, r->name_n);
	r->type = shape.type;
	r->ttl = shape.ttl;
	r->rdata = span_of(r->wire + shape.rdata_at, shape.end - shape.rdata_at);
	return NULL;
}

/* Seconds in a unit of a TTL; 1 for what is none: the library then says that it is no TTL. */
static uint64_t
ttl_unit(uint8_t unit)
{
	const uint64_t minute = 60, hour = 60 * minute, day = 24 * hour;

	switch (ascii_lower(unit)) {
	case 'm':
		return minute;
	case 'h':
		return hour;
	case 'd':
		return day;
	case 'w':
		return 7 * day;
	default:
		return 1;
	}
}

/* The library's sum wraps around at 32 bits: a TTL beyond them, such as 1193047h, would become some other TTL. */
static bool
ttl_is_small(const char *text)
{
	struct span rest = span_str(text), word = {NULL, 0};
	uint64_t sum = 0, number = 0;

	(void)text_word_take(&rest, &word); /* the owner */
	(void)text_word_take(&rest, &word);
	for (size_t i = 0; i < word.n && sum + number <= INT32_MAX; i++) {
		if (word.p[i] >= '0' && word.p[i] <= '9') {
			number = number * 10 + (uint64_t)(word.p[i] - '0');
		} else {
			sum += number * ttl_unit(word.p[i]);
			number = 0;
		}
	}
	return sum + number <= INT32_MAX;
}

/* In wire form. */
static const char *
record_text_read(struct buf *wire, const char *text)
{
	if (record_plain_read(wire, text, LOCAL_DEFAULT_TTL))
		return NULL;
	buf_clear(wire);
	if (!ttl_is_small(text))
		return "a TTL beyond 2147483647";
	return record_ldns_read(wire, text, LOCAL_DEFAULT_TTL);
}

static const char *
local_record_read(struct record *r, const char *text)
{
	struct buf wire = buf_max(RECORD_WIRE_MAX);
	const char *why = record_text_read(&wire, text);

	if (why == NULL)
		why = record_fill(r, buf_span(&wire));
	buf_free(&wire);
	return why;
}

static enum res
local_records_read(struct local_data *l, const struct strings *data, struct config_errors *errors)
{
	enum res res = RES_OK;

	l->record = calloc(data->n + 1, sizeof *l->record);
	if (l->record == NULL)
		return RES_NOMEM;
	for (size_t i = 0; i < data->n; i++) {
		struct record *r = &l->record[l->n++];
		const char *why = local_record_read(r, data->v[i]);

		r->place = data->place[i];
		if (why == NULL)
			continue;
		config_errors_add(errors, r->place,
				  "local.data: \"%s\": %s; expected a record as in a zone file", data->v[i],
				  why);
		res = RES_MALFORMED;
	}
	if (res == RES_OK)
		qsort(l->record, l->n, sizeof *l->record, record_compare);
	return res;
}

static enum res
record_add(struct local_data *l, uint32_t i, struct config_errors *errors)
{
	const struct record *r = &l->record[i], *last = i == 0 ? NULL : r - 1;
	bool same = last != NULL && span_equal(record_name(r), record_name(last));
	enum res res = nameset_add(l->names, record_name(r), i);

	/* RFC 2181, 10.1; sorted by type, the CNAME may come first or later */
	if (same && (r->type == TYPE_CNAME || last->type == TYPE_CNAME)) {
		config_errors_add(errors, r->place,
				  "local.data: a CNAME and another record of one name, expected it alone");
		return RES_MALFORMED;
	}
	if (same && r->type == TYPE_SOA && last->type == TYPE_SOA && record_compare(r, last) != 0) {
		config_errors_add(errors, r->place, "local.data: a second SOA of one name, expected one");
		return RES_MALFORMED;
	}
	if (res == RES_OK && r->type == TYPE_SOA)
		res = nameset_add(l->zones, record_name(r), i);
	return res == RES_OK ? nameset_add_above(l->above, record_name(r)) : res;
}

/* All resolvers are on this machine or in private networks. */
static bool
upstreams_are_private(const struct settings *settings)
{
	for (size_t u = 0; u < settings->n_upstream; u++)
		for (size_t i = 0; i < settings->upstream[u].address.n; i++)
			if (!addr_is_private(&settings->upstream[u].address.v[i]))
				return false;
	return settings->n_upstream > 0;
}

static enum res
names_build(struct local_data *l, const struct settings *settings, struct config_errors *errors)
{
	enum res res = nameset_new(&l->names), worst = RES_OK;

	if (res == RES_OK)
		res = nameset_new(&l->above);
	if (res == RES_OK)
		res = nameset_new(&l->zones);
	if (res == RES_OK)
		res = special_new(&l->special, upstreams_are_private(settings));
	for (uint32_t i = 0; (res == RES_OK || res == RES_MALFORMED) && i < l->n; i++) {
		res = record_add(l, i, errors);
		worst = res == RES_OK ? worst : res;
	}
	nameset_seal(l->names);
	nameset_seal(l->above);
	nameset_seal(l->zones);
	return res == RES_OK ? worst : res;
}

enum res
local_data_compile(struct local_data **out, const struct settings *settings, struct config_errors *errors)
{
	struct local_data *l = calloc(1, sizeof *l);
	enum res res = l == NULL ? RES_NOMEM : local_records_read(l, &settings->local_data, errors);

	if (res == RES_OK)
		res = names_build(l, settings, errors);
	if (res != RES_OK) {
		if (res != RES_MALFORMED)
			config_errors_add(errors, (struct place){0}, "local.data: %s", res_text(res));
		local_data_free(l);
		return res;
	}
	*out = l;
	return RES_OK;
}

void
local_data_free(struct local_data *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		free(l->record[i].wire);
	free(l->record);
	nameset_free(l->names);
	nameset_free(l->above);
	nameset_free(l->zones);
	special_free(l->special);
	free(l);
}

/* Adds the records of one name that match the type. Returns the CNAME that was found instead, or NULL. */
static const struct record *
records_answer(const struct local_data *l, uint32_t first, struct span owner, struct compose *c, bool *any)
{
	uint16_t type = c->question->type;

	for (size_t i = first;
	     i < l->n && span_equal(record_name(&l->record[i]), record_name(&l->record[first])); i++) {
		const struct record *r = &l->record[i];
		bool alias = r->type == TYPE_CNAME && type != TYPE_CNAME && type != TYPE_ANY;

		if (!alias && r->type != type && type != TYPE_ANY)
			continue;
		if (i > first && record_compare(r, r - 1) == 0) /* a duplicate */
			continue;
		compose_answer(c, owner, r->type, r->ttl, r->rdata);
		*any = true;
		if (alias)
			return r;
	}
	return NULL;
}

/* The SOA of the local zone that `name` is in, or a made-up one for the question's name where the data have no zone. */
static void
soa_put(const struct local_data *l, struct span name, struct compose *c)
{
	const struct record *soa;
	uint32_t i;

	if (nameset_find_above(l->zones, name, &i) == 0) {
		compose_soa(c, span_of(c->question->name, c->question->name_n), COMPOSE_TTL_SHORT);
		return;
	}
	soa = &l->record[i];
	compose_authority(c, record_name(soa), TYPE_SOA, soa->ttl, soa->rdata);
}

/* Answers an existing name with its records, and those that its alias leads to. */
static void
name_answer(const struct local_data *l, uint32_t first, const struct msg_question *q, struct buf *out)
{
	struct compose c = compose_begin(out, q, RCODE_NOERROR);
	struct span owner = {NULL, 0};
	uint8_t target[MSG_NAME_MAX];
	const struct record *alias;
	bool any = false;

	for (unsigned i = 0; i <= LOCAL_ALIASES_MAX; i++) {
		alias = records_answer(l, first, owner, &c, &any);
		if (alias == NULL)
			break;
		ascii_lower_copy(target, alias->rdata.p, alias->rdata.n);
		owner = span_of(target, alias->rdata.n);
		if (!nameset_find(l->names, owner, &first))
			break;
	}
	if (!any)
		soa_put(l, span_of(q->name, q->name_n), &c);
}

static bool
name_has_type(const struct local_data *l, uint32_t first, uint16_t type)
{
	for (size_t i = first;
	     i < l->n && span_equal(record_name(&l->record[i]), record_name(&l->record[first])); i++)
		if (l->record[i].type == type)
			return true;
	return false;
}

bool
local_data_answer(const struct local_data *l, const struct msg_question *q, struct buf *out)
{
	struct span name = span_of(q->name, q->name_n);
	uint32_t first;

	if (!nameset_find(l->names, name, &first))
		return false;
	if (local_data_is_parents(l, q) && !name_has_type(l, first, TYPE_DS))
		return false;
	name_answer(l, first, q, out);
	return true;
}

bool
local_data_is_parents(const struct local_data *l, const struct msg_question *q)
{
	return q->type == TYPE_DS && q->labels > 0 &&
	       nameset_find(l->zones, span_of(q->name, q->name_n), NULL);
}

size_t
local_data_zone(const struct local_data *l, struct span name)
{
	return nameset_find_above(l->zones, name, NULL);
}

void
local_data_deny(const struct local_data *l, const struct msg_question *q, struct span name, struct buf *out)
{
	struct compose c = compose_begin(out, q, RCODE_NXDOMAIN);

	soa_put(l, name, &c);
}

bool
local_data_has(const struct local_data *l, struct span name)
{
	return nameset_find(l->names, name, NULL) || nameset_find(l->above, name, NULL);
}

const struct special *
local_data_special(const struct local_data *l)
{
	return l->special;
}
