#include "base/dns/padding.h"

#include <string.h>

#define TYPE_OPT         41
#define OPTION_KEEPALIVE 11 /* RFC 7828 */
#define OPTION_PADDING   12 /* RFC 7830 */

/* Passes over one name; a compression pointer ends it (RFC 1035, 4.1.4). */
static void
name_skip(struct cursor *in)
{
	for (;;) {
		uint8_t n = cursor_u8(in);

		if (n == 0)
			return; /* the end, or the cursor is bad */
		if (n >= 0xc0) {
			cursor_u8(in);
			return;
		}
		if (n >= 0x40) {
			in->bad = true;
			return;
		}
		cursor_take(in, n);
	}
}

struct opt {
	struct span rdata;
	size_t rdlen_at;
	bool found;
	bool last; /* it is the last record and ends the message */
};

static struct opt
opt_find(struct span message)
{
	struct cursor in = cursor_over(message);
	struct opt opt = {.found = false};
	size_t questions, records, additional;

	cursor_u32(&in); /* id and flags */
	questions = cursor_u16(&in);
	records = cursor_u16(&in);
	records += cursor_u16(&in);
	additional = cursor_u16(&in);
	records += additional;
	for (; questions > 0 && cursor_ok(&in); questions--) {
		name_skip(&in);
		cursor_u32(&in);
	}
	for (; records > 0 && cursor_ok(&in); records--) {
		bool root = cursor_left(&in) > 0 && *in.p == 0;
		uint16_t type;
		struct span rdata;

		name_skip(&in);
		type = cursor_u16(&in);
		cursor_take(&in, 6);
		rdata = cursor_vec16(&in);
		if (type != TYPE_OPT || !root || records > additional || !cursor_ok(&in))
			continue;
		opt.found = true;
		opt.rdata = rdata;
		opt.rdlen_at = (size_t)(in.p - message.p) - rdata.n - 2;
		opt.last = records == 1;
	}
	if (!cursor_done(&in))
		opt.found = false;
	return opt;
}

/* Finds one option; *well is false when the options do not fill the record exactly. */
static bool
padding_option_find(struct span rdata, uint16_t code, struct span *value, bool *well)
{
	struct cursor in = cursor_over(rdata);
	bool found = false;

	while (cursor_ok(&in) && cursor_left(&in) > 0) {
		uint16_t c = cursor_u16(&in);
		struct span v = cursor_vec16(&in);

		if (c == code && !found && cursor_ok(&in)) {
			found = true;
			*value = v;
		}
	}
	*well = cursor_ok(&in);
	return found;
}

struct padding
padding_find(struct span message)
{
	struct opt opt = opt_find(message);
	struct padding p = {.rdlen_at = 0};
	struct span value;
	bool well;

	if (!opt.found || !opt.last || message.n > UINT16_MAX)
		return p;
	p.padded = padding_option_find(opt.rdata, OPTION_PADDING, &value, &well);
	p.keepalive = padding_option_find(opt.rdata, OPTION_KEEPALIVE, &value, &well);
	if (!well)
		return p;
	p.rdlen_at = (uint16_t)opt.rdlen_at;
	p.rdlen = (uint16_t)opt.rdata.n;
	return p;
}

size_t
padding_apply(const struct padding *p, uint8_t *message, size_t n, size_t room, bool keepalive)
{
	size_t added = 0;

	if (p->rdlen_at == 0)
		return n;
	if (room > MSG_MAX)
		room = MSG_MAX;
	if (keepalive && !p->keepalive && n + 4 <= room) {
		be16_write(message + n, OPTION_KEEPALIVE);
		be16_write(message + n + 2, 0); /* RFC 7828, 3.2.1: a client leaves TIMEOUT out */
		added = 4;
	}
	if (!p->padded && n + added + 4 <= room) {
		size_t pad = (PADDING_BLOCK - (n + added + 4) % PADDING_BLOCK) % PADDING_BLOCK;

		if (pad > room - n - added - 4)
			pad = room - n - added - 4;
		be16_write(message + n + added, OPTION_PADDING);
		be16_write(message + n + added + 2, (uint16_t)pad);
		memset(message + n + added + 4, 0, pad);
		added += 4 + pad;
	}
	be16_write(message + p->rdlen_at, (uint16_t)(p->rdlen + added));
	return n + added;
}

int64_t
padding_keepalive_ms(struct span answer)
{
	struct opt opt = opt_find(answer);
	struct span value;
	bool well;

	if (!opt.found || !padding_option_find(opt.rdata, OPTION_KEEPALIVE, &value, &well) || !well ||
	    value.n != 2)
		return -1;
	return be16_read(value.p) * INT64_C(100);
}
