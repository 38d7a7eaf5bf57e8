/*
 * Aliases before what they lead to. Readers in C libraries go through the answer section once, from front to back (glibc's
 * getaddrinfo does): an address in front of the CNAME that leads to it is passed over. No standard promises the order.
 */
#include "base/dns/message_walk.h"

#include "base/text.h"

#include <string.h>

#define TYPE_DNAME     39
#define TYPE_RRSIG     46
#define RECORDS_MAX    1024 /* more are left as they are; honest chains have some dozens */
#define ALIASES_MAX    64   /* followed from one name to the next; resolvers give up far earlier */
#define DNAMES_MAX     16 /* looked at for each alias; an honest chain has at most one for each of its own */
#define POINTERS_OF_RR 4  /* compressed names of one record: the owner, and at most two in RDATA */

struct name {
	uint8_t p[MSG_NAME_MAX];
	size_t n;
};

/* One record of the answer section. */
struct item {
	size_t at, rdata_at;
	uint64_t owner; /* a hash: names that differ in it are different */
	uint16_t type;
	bool placed;
};

struct order {
	const struct msg_answer *a;
	struct item item[RECORDS_MAX];
	uint16_t place[RECORDS_MAX]; /* numbers of items, in their new order */
	uint16_t n, placed;
	unsigned dnames; /* among the items */
};

static struct span
name_span(const struct name *name)
{
	return span_of(name->p, name->n);
}

static void
order_name_read(struct name *name, const struct msg_answer *a, size_t at)
{
	uint8_t spelled[MSG_NAME_MAX];

	name->n = walk_name_expand(a->wire, at, spelled);
	ascii_lower_copy(name->p, spelled, name->n);
}

/* FNV-1a. Nobody gains by a collision: equal hashes are compared as names. */
static uint64_t
name_hash(const struct name *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name->n; i++)
		h = (h ^ name->p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void
items_read(struct order *o)
{
	struct walk w = walk_over(o->a->wire, MSG_HEADER + o->a->section.n);
	struct walk_rr rr;
	struct name owner;

	o->dnames = 0;
	for (o->n = 0; o->n < o->a->an && walk_rr(&w, &rr); o->n++) {
		o->dnames += rr.type == TYPE_DNAME;
		order_name_read(&owner, o->a, rr.name_at);
		o->item[o->n] = (struct item){rr.name_at, rr.rdata_at, name_hash(&owner), rr.type, false};
	}
}

static void
item_place(struct order *o, uint16_t i)
{
	o->item[i].placed = true;
	o->place[o->placed++] = i;
}

static bool
item_is_of(const struct order *o, uint16_t i, const struct name *name, uint64_t hash)
{
	struct name owner;

	if (o->item[i].placed || o->item[i].owner != hash)
		return false;
	order_name_read(&owner, o->a, o->item[i].at);
	return span_equal(name_span(&owner), name_span(name));
}

static void
owner_place(struct order *o, const struct name *name, uint64_t hash)
{
	for (uint16_t i = 0; i < o->n; i++)
		if (item_is_of(o, i, name, hash))
			item_place(o, i);
}

/* The first alias of the name; o->n: none. */
static uint16_t
alias_find(const struct order *o, const struct name *name, uint64_t hash)
{
	uint16_t i = 0;

	while (i < o->n && !(o->item[i].type == TYPE_CNAME && item_is_of(o, i, name, hash)))
		i++;
	return i;
}

/* RFC 6672, 3.1: a CNAME that a DNAME made follows it, and its signature. Each comparison writes out a name: more than
 * DNAMES_MAX are left where records of other names go. */
static void
dname_place(struct order *o, const struct name *name)
{
	for (uint16_t i = 0; o->dnames <= DNAMES_MAX && i < o->n; i++) {
		struct name owner;

		if (o->item[i].placed || o->item[i].type != TYPE_DNAME)
			continue;
		order_name_read(&owner, o->a, o->item[i].at);
		if (owner.n >= name->n || !msg_name_below(name_span(name), name_span(&owner)))
			continue;
		item_place(o, i);
		for (uint16_t k = 0; k < o->n; k++)
			if (o->item[k].type == TYPE_RRSIG && item_is_of(o, k, &owner, o->item[i].owner))
				item_place(o, k);
	}
}

/* From the question's name along its aliases; what belongs to no name on this way comes last. */
static void
items_order(struct order *o)
{
	struct name name;

	order_name_read(&name, o->a, MSG_HEADER);
	for (unsigned step = 0; step < ALIASES_MAX; step++) {
		uint64_t hash = name_hash(&name);
		uint16_t alias = alias_find(o, &name, hash);

		if (alias < o->n) {
			dname_place(o, &name);
			item_place(o, alias);
		}
		owner_place(o, &name, hash);
		if (alias == o->n)
			break;
		order_name_read(&name, o->a, o->item[alias].rdata_at);
	}
	for (uint16_t i = 0; i < o->n; i++)
		if (!o->item[i].placed)
			item_place(o, i);
}

static bool
is_in_order(const struct order *o)
{
	for (uint16_t i = 0; i < o->n; i++)
		if (o->place[i] != i)
			return false;
	return true;
}

/* ---- the message, written anew */

struct pointers {
	size_t at[POINTERS_OF_RR], target[POINTERS_OF_RR];
	size_t n;
};

static void
pointers_on_pointer(void *ctx, size_t at, size_t target)
{
	struct pointers *p = ctx;

	if (p->n < POINTERS_OF_RR) {
		p->at[p->n] = at;
		p->target[p->n++] = target;
	}
}

/* Does a pointer lead to a name that lies within the question's? One that leads into the middle of a label may run on into
 * records, which move. */
static bool
leads_to_question(const struct msg_answer *a, size_t target)
{
	size_t at = MSG_HEADER, end = MSG_HEADER + a->section.n - 4;

	while (at < target && at < end)
		at += 1U + a->wire.p[at];
	return at == target && target < end;
}

/* The bytes of a record from `from` to `to`, its names written out. Those that lead into the question stay: it is not
 * moved. */
static void
piece_put(struct buf *out, const struct msg_answer *a, const struct pointers *p, size_t from, size_t to)
{
	for (size_t i = 0; i < p->n; i++) {
		uint8_t name[MSG_NAME_MAX];

		if (p->at[i] < from || p->at[i] >= to || leads_to_question(a, p->target[i]))
			continue;
		buf_put(out, span_of(a->wire.p + from, p->at[i] - from));
		buf_put(out, span_of(name, walk_name_expand(a->wire, p->at[i], name)));
		from = p->at[i] + 2;
	}
	buf_put(out, span_of(a->wire.p + from, to - from));
}

/* The record at `at`. Gives where it ends. */
static size_t
record_put(struct buf *out, const struct msg_answer *a, size_t at)
{
	struct walk w = walk_over(a->wire, at);
	struct pointers p = {.n = 0};
	size_t rdata_at;
	struct walk_rr rr;

	w.on_pointer = pointers_on_pointer;
	w.ctx = &p;
	if (!walk_rr(&w, &rr)) /* it was accepted before: this does not happen */
		return a->wire.n;
	piece_put(out, a, &p, rr.name_at, rr.type_at);
	buf_put(out, span_of(a->wire.p + rr.type_at, rr.rdata_at - rr.type_at));
	rdata_at = out->n;
	piece_put(out, a, &p, rr.rdata_at, rr.end);
	if (buf_ok(out))
		be16_write(out->p + rdata_at - 2, (uint16_t)(out->n - rdata_at));
	return rr.end;
}

/* With some 35 KB on the stack, which are cleared where a build initialises everything: most answers do not come here. */
static bool
order_write(struct buf *out, const struct msg_answer *a)
{
	struct order o;
	size_t at = MSG_HEADER + a->section.n, end = at;

	o.a = a;
	o.placed = 0;
	items_read(&o);
	items_order(&o);
	if (o.n != a->an || is_in_order(&o))
		return false;
	buf_clear(out);
	buf_put(out, span_of(a->wire.p, at));
	for (uint16_t i = 0; i < o.n; i++) {
		size_t behind = record_put(out, a, o.item[o.place[i]].at);

		end = behind > end ? behind : end;
	}
	while (end < a->wire.n)
		end = record_put(out, a, end);
	return buf_ok(out);
}

bool
msg_order(struct buf *out, const struct msg_answer *a)
{
	bool may_be_wrong = a->has_alias && a->an >= 2 && a->an <= RECORDS_MAX && a->type != TYPE_CNAME &&
			    a->type != TYPE_ANY;

	return may_be_wrong && order_write(out, a);
}
