#include "base/dns/portal_message.h"

#include "base/addr.h"

#include <string.h>

static size_t
address_size(uint16_t type)
{
	return type == TYPE_AAAA ? 16 : 4;
}

bool
portal_address_serves(struct span ip)
{
	struct addr a = {.family = ip.n == 4 ? ADDR_V4 : ADDR_V6};
	bool mapped;

	memcpy(a.ip, ip.p, ip.n);
	if (ip.n == 4)
		return !addr_is_loopback(&a) && a.ip[0] != 0 && a.ip[0] < 224 &&
		       !(a.ip[0] == 169 && a.ip[1] == 254);
	mapped = memcmp(a.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
	return !addr_is_loopback(&a) && !addr_is_any(&a) && !mapped && a.ip[0] != 0xff &&
	       !addr_is_link_local(&a);
}

void
portal_message_write(struct buf *out, const struct portal_message *m)
{
	buf_u8(out, (uint8_t)m->kind);
	switch (m->kind) {
	case PORTAL_OPEN:
		buf_u32(out, m->window_s);
		return;
	case PORTAL_ASK:
		buf_u32(out, m->id);
		buf_u16(out, m->type);
		buf_u8(out, (uint8_t)m->name.n);
		buf_put(out, m->name);
		return;
	case PORTAL_ANSWER:
		buf_u32(out, m->id);
		buf_u16(out, m->type);
		buf_u8(out, (uint8_t)m->outcome);
		buf_u32(out, m->ttl);
		buf_u8(out, (uint8_t)m->n);
		for (size_t i = 0; i < m->n; i++)
			buf_put(out, span_of(m->ip[i], address_size(m->type)));
		return;
	}
}

static bool
type_ok(uint16_t type)
{
	return type == TYPE_A || type == TYPE_AAAA;
}

/* One name, uncompressed and in lower case, that ends at its root byte and nowhere before. */
static bool
name_ok(struct span name)
{
	size_t at = 0;

	if (name.n == 0 || name.n > MSG_NAME_MAX)
		return false;
	while (at < name.n && name.p[at] != 0) {
		size_t end = at + 1 + name.p[at];

		if (name.p[at] > 63 || end >= name.n)
			return false;
		for (size_t i = at + 1; i < end; i++)
			if (name.p[i] >= 'A' && name.p[i] <= 'Z')
				return false;
		at = end;
	}
	return at + 1 == name.n;
}

static bool
ask_read(struct portal_message *m, struct cursor *in)
{
	m->id = cursor_u32(in);
	m->type = cursor_u16(in);
	m->name = cursor_vec8(in);
	return type_ok(m->type) && name_ok(m->name);
}

static bool
answer_read(struct portal_message *m, struct cursor *in)
{
	uint8_t outcome;

	m->id = cursor_u32(in);
	m->type = cursor_u16(in);
	outcome = cursor_u8(in);
	m->ttl = cursor_u32(in);
	m->n = cursor_u8(in);
	if (!type_ok(m->type) || outcome > PORTAL_FAILED || m->ttl > PORTAL_TTL_MAX_S ||
	    m->n > PORTAL_ADDRESSES_MAX || (outcome == PORTAL_ADDRESSES) != (m->n > 0))
		return false;
	m->outcome = (enum portal_outcome)outcome;
	for (size_t i = 0; i < m->n; i++) {
		struct span ip = cursor_take(in, address_size(m->type));

		if (ip.n == 0 || !portal_address_serves(ip))
			return false;
		memcpy(m->ip[i], ip.p, ip.n);
	}
	return true;
}

enum res
portal_message_read(struct portal_message *m, struct span wire)
{
	struct cursor in = cursor_over(wire);
	uint8_t kind = cursor_u8(&in);
	bool ok = false;

	*m = (struct portal_message){.kind = (enum portal_kind)kind};
	if (kind == PORTAL_OPEN) {
		m->window_s = cursor_u32(&in);
		ok = m->window_s > 0 && m->window_s <= PORTAL_WINDOW_MAX_S;
	} else if (kind == PORTAL_ASK) {
		ok = ask_read(m, &in);
	} else if (kind == PORTAL_ANSWER) {
		ok = answer_read(m, &in);
	}
	return ok && cursor_done(&in) ? RES_OK : RES_MALFORMED;
}
