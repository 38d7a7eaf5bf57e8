#include "resolver/rebinding.h"

#include "base/addr.h"
#include "base/dns/nameset.h"

#include <stdlib.h>
#include <string.h>

enum { SVC_PARAM_IPV4HINT = 4, SVC_PARAM_IPV6HINT = 6 }; /* RFC 9460, 14.3.2 */

struct rebinding {
	struct nameset *allow; /* names at and below which private addresses are allowed */
};

enum res
rebinding_compile(struct rebinding **out, const struct settings *settings, struct config_errors *errors)
{
	struct rebinding *r;
	enum res res;

	*out = NULL;
	r = calloc(1, sizeof *r);
	res = r == NULL ? RES_NOMEM : nameset_new(&r->allow);
	for (size_t i = 0; res != RES_NOMEM && i < settings->rebinding_allow.n; i++) {
		const char *text = settings->rebinding_allow.v[i];
		uint8_t name[MSG_NAME_MAX], n;
		enum res read = msg_name_read(name, &n, text);

		if (read == RES_OK)
			read = nameset_add(r->allow, span_of(name, n), 0);
		if (read != RES_OK) {
			config_errors_add(errors, settings->rebinding_allow.place[i],
					  "rebinding.allow: \"%s\" is not a domain name", text);
			res = read;
		}
	}
	if (res != RES_OK) {
		if (res == RES_NOMEM)
			config_errors_add(errors, (struct place){0}, "rebinding: %s", res_text(res));
		rebinding_free(r);
		return res;
	}
	if (!settings->rebinding_protect) { /* the list is checked even when protection is off */
		rebinding_free(r);
		return RES_OK;
	}
	nameset_seal(r->allow);
	*out = r;
	return RES_OK;
}

void
rebinding_free(struct rebinding *r)
{
	if (r == NULL)
		return;
	nameset_free(r->allow);
	free(r);
}

static bool
ip_is_private(struct span ip)
{
	struct addr a = {.family = ip.n == 4 ? ADDR_V4 : ADDR_V6};

	memcpy(a.ip, ip.p, ip.n);
	return addr_is_private(&a);
}

static bool
hints_are_private(struct span value, size_t each)
{
	if (value.n % each != 0)
		return true;
	for (size_t at = 0; at < value.n; at += each)
		if (ip_is_private(span_slice(value, at, each)))
			return true;
	return false;
}

/* The message walk does not check these parameters; we read them here, so malformed ones are refused (RFC 9460, 2.2). */
static bool
svcb_is_private(struct span rdata)
{
	struct cursor in = cursor_over(rdata);

	(void)cursor_u16(&in); /* priority */
	for (uint8_t n = cursor_u8(&in); n != 0; n = cursor_u8(&in)) {
		if (n >= 0x40)
			return true;
		(void)cursor_take(&in, n);
	}
	while (cursor_left(&in) > 0) {
		uint16_t key = cursor_u16(&in);
		struct span value = cursor_vec16(&in);

		if ((key == SVC_PARAM_IPV4HINT && hints_are_private(value, 4)) ||
		    (key == SVC_PARAM_IPV6HINT && hints_are_private(value, 16)))
			return true;
	}
	return !cursor_done(&in);
}

static bool
record_is_public(void *ctx, const struct msg_rr *rr)
{
	bool *found = ctx;

	if (rr->type == TYPE_A || rr->type == TYPE_AAAA)
		*found = ip_is_private(rr->rdata);
	else if (rr->type == TYPE_SVCB || rr->type == TYPE_HTTPS)
		*found = svcb_is_private(rr->rdata);
	return !*found;
}

bool
rebinding_refuses(const struct rebinding *r, struct span name, const struct msg_answer *a)
{
	bool found = false;

	if (r == NULL || nameset_find_above(r->allow, name, NULL) != 0)
		return false;
	msg_each(a, record_is_public, &found);
	return found;
}
