#include "base/dns/message_walk.h"

#include <string.h>

struct walk
walk_over(struct span wire, size_t at)
{
	return (struct walk){
	    .p = wire.p, .n = wire.n, .at = at, .steps = WALK_STEPS_BASE + WALK_STEPS_PER_BYTE * wire.n};
}

#define FIXED 10 /* type, class, TTL and RDLENGTH */

/* Where the bytes from `target` on end: at `from` if they begin before it, and at `end` at the latest; 0: target is
 * within [from, to). */
static size_t
end_before(size_t target, size_t from, size_t to, size_t end)
{
	if (target >= to)
		return end;
	return target >= from ? 0 : from < end ? from : end;
}

/* The first TTL that does not end before `at`; n_ttl: none. They are in order. */
static size_t
ttl_behind(const struct walk *w, size_t at)
{
	size_t low = 0, high = w->n_ttl;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (w->ttl_at[middle] + 4U > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Where the part of a name that a pointer leads to must end; 0: it leads nowhere good. */
static size_t
pointer_end(const struct walk *w, size_t target, size_t before)
{
	size_t end = before, i;

	/* RFC 1035, 4.1.4: a prior occurrence. Not the header, and strictly backwards, so that no loop
	 * exists. */
	if (target < MSG_HEADER || target >= before)
		return 0;
	if (w->opt_end != 0)
		end = end_before(target, w->opt_at, w->opt_end, end);
	if (w->fixed_at != 0)
		end = end_before(target, w->fixed_at, w->fixed_at + FIXED, end);
	i = ttl_behind(w, target);
	return i == w->n_ttl ? end : end_before(target, w->ttl_at[i], w->ttl_at[i] + 4U, end);
}

bool
walk_name(struct walk *w, size_t end)
{
	size_t at = w->at, before = w->at, length = 1, hops = 0;
	bool jumped = false;

	while (at < end && w->steps > 0) {
		uint8_t c = w->p[at];
		size_t target;

		w->steps--;
		if (c == 0) {
			if (!jumped)
				w->at = at + 1;
			return true;
		}
		if (c < 0x40) {
			length += 1U + c;
			if (length > MSG_NAME_MAX)
				return false;
			at += 1U + c;
			continue;
		}
		if (c < 0xc0 || at + 2 > end || ++hops > MSG_POINTERS_MAX)
			return false;
		target = be16_read(w->p + at) & 0x3fff;
		if (!jumped) {
			w->at = at + 2;
			jumped = true;
		}
		if (w->on_pointer != NULL && hops == 1)
			w->on_pointer(w->ctx, at, target);
		/* Nearly every pointer leads to the question's name, which was walked already. */
		if (target == MSG_HEADER && w->question_end != 0 && before >= w->question_end)
			return length - 1 + (w->question_end - MSG_HEADER) <= MSG_NAME_MAX;
		end = pointer_end(w, target, before);
		at = before = target;
	}
	return false;
}

size_t
walk_name_expand(struct span wire, size_t at, uint8_t out[MSG_NAME_MAX])
{
	size_t n = 0, hops = 0, start = at;

	while (at < wire.n) {
		uint8_t c = wire.p[at];

		if (c >= 0xc0) {
			if (at + 2 > wire.n || ++hops > MSG_POINTERS_MAX)
				return 0;
			at = be16_read(wire.p + at) & 0x3fff;
			if (at >= start)
				return 0;
			start = at;
			continue;
		}
		if (c >= 0x40 || n + c + 1 > MSG_NAME_MAX || c > wire.n - at - 1)
			return 0;
		memcpy(out + n, wire.p + at, 1U + c);
		n += 1U + c;
		at += 1U + c;
		if (c == 0)
			return n;
	}
	return 0;
}

/*
 * The RDATA of the types whose content is known to resolvers and to every client's library: n a name, s a
 * character-string, t one or more of them up to the end, digits that many bytes, * the rest. What is not here
 * is opaque (RFC 3597), HTTPS and SVCB too: who relays them changes nothing (RFC 9460, 2.4.3 and 4.3).
 */
static const char *
rdata_shape(uint16_t type)
{
	static const char *const shapes[] = {
	    [TYPE_A] = "4",
	    [TYPE_NS] = "n",
	    [3] = "n" /* MD */,
	    [4] = "n" /* MF */,
	    [TYPE_CNAME] = "n",
	    [TYPE_SOA] = "nn488" /* serial, refresh to minimum */,
	    [7] = "n" /* MB */,
	    [8] = "n" /* MG */,
	    [9] = "n" /* MR */,
	    [TYPE_PTR] = "n",
	    [13] = "ss" /* HINFO */,
	    [14] = "nn" /* MINFO */,
	    [15] = "2n" /* MX */,
	    [TYPE_TXT] = "t",
	    [17] = "nn" /* RP */,
	    [18] = "2n" /* AFSDB */,
	    [21] = "2n" /* RT */,
	    [24] = "882n*" /* SIG */,
	    [26] = "2nn" /* PX */,
	    [TYPE_AAAA] = "88",
	    [30] = "n*" /* NXT */,
	    [33] = "6n" /* SRV */,
	    [35] = "4sssn" /* NAPTR */,
	    [36] = "2n" /* KX */,
	    [39] = "n" /* DNAME */,
	    [99] = "t" /* SPF */,
	};

	return type < sizeof shapes / sizeof *shapes && shapes[type] != NULL ? shapes[type] : "*";
}

static bool
string_skip(size_t *at, const uint8_t *p, size_t end)
{
	if (*at >= end || p[*at] > end - *at - 1)
		return false;
	*at += 1U + p[*at];
	return true;
}

/* From w->at, which is moved; true when the content ends exactly where the RDATA does. */
static bool
rdata_walk(struct walk *w, uint16_t type, size_t end)
{
	for (const char *shape = rdata_shape(type); *shape != '\0'; shape++) {
		switch (*shape) {
		case 'n':
			if (!walk_name(w, end))
				return false;
			break;
		case 't':
			do {
				if (!string_skip(&w->at, w->p, end))
					return false;
			} while (w->at < end);
			break;
		case 's':
			if (!string_skip(&w->at, w->p, end))
				return false;
			break;
		case '*':
			w->at = end;
			break;
		default:
			if ((size_t)(*shape - '0') > end - w->at)
				return false;
			w->at += (size_t)(*shape - '0');
		}
	}
	return w->at == end;
}

bool
walk_rr(struct walk *w, struct walk_rr *rr)
{
	const uint8_t *fixed;
	size_t rdlength;

	rr->name_at = w->at;
	w->fixed_at = 0;
	if (!walk_name(w, w->n) || w->n - w->at < FIXED)
		return false;
	rr->type_at = w->fixed_at = w->at;
	fixed = w->p + w->at;
	rr->type = be16_read(fixed);
	rr->class = be16_read(fixed + 2);
	rr->ttl = be32_read(fixed + 4);
	rdlength = be16_read(fixed + 8);
	w->at += FIXED;
	if (rdlength > w->n - w->at)
		return false;
	rr->rdata_at = w->at;
	rr->end = w->at + rdlength;
	return rdata_walk(w, rr->type, rr->end);
}

bool
walk_edns(const struct walk *w, const struct walk_rr *rr, struct msg_edns *edns)
{
	struct span options = span_of(w->p + rr->rdata_at, rr->end - rr->rdata_at);
	struct cursor in = cursor_over(options);
	size_t n = 0;

	if (rr->type_at != rr->name_at + 1) /* RFC 6891, 6.1.2: the owner is the root, in one byte */
		return false;
	edns->present = true;
	edns->version = (uint8_t)(rr->ttl >> 16);
	edns->do_bit = (rr->ttl & 0x8000) != 0;
	edns->udp_size = rr->class < 512 ? 512 : rr->class; /* RFC 6891, 6.2.3 */
	edns->options = options;
	edns->keepalive = false;
	if (edns->version != 0) /* what a later version keeps there is not ours to judge */
		return true;
	for (; cursor_left(&in) > 0; n++) {
		uint16_t code = cursor_u16(&in);

		(void)cursor_vec16(&in);
		edns->keepalive |= code == OPTION_KEEPALIVE;
	}
	return cursor_done(&in) && n <= MSG_OPTIONS_MAX;
}
