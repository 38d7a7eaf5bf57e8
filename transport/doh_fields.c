#include "transport/doh_fields.h"

#include "base/text.h"

#include <string.h>

bool
doh_type_is_dns(struct span value)
{
	const struct span want = span_str("application/dns-message");

	if (!ascii_case_equal(span_slice(value, 0, want.n), want))
		return false;
	return value.n == want.n || value.p[want.n] == ';' || value.p[want.n] == ' ' ||
	       value.p[want.n] == '\t';
}

uint32_t
doh_seconds(struct span value)
{
	uint64_t v = 0;

	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return 0;
		v = v * 10 + (uint64_t)(value.p[i] - '0');
		if (v > UINT32_MAX)
			v = UINT32_MAX;
	}
	return (uint32_t)v;
}

int
doh_status(struct span value)
{
	int status = 0;

	if (value.n != 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return 0;
		status = status * 10 + (value.p[i] - '0');
	}
	return status;
}

void
doh_authority(struct buf *out, const struct tp_target *target)
{
	char text[ADDR_TEXT_MAX];

	if (target->name != NULL && target->name[0] != '\0')
		buf_text(out, target->name);
	else
		buf_format(out, target->addr.family == ADDR_V6 ? "[%s]" : "%s",
			   addr_ip_text(&target->addr, text));
	if (target->addr.port != 443)
		buf_format(out, ":%u", target->addr.port);
}

void
doh_path(struct buf *out, const char *path, const struct span *question)
{
	static const char template[] = "{?dns}";
	size_t n = path != NULL ? strlen(path) : 0;

	if (n >= sizeof template - 1 && strcmp(path + n - (sizeof template - 1), template) == 0)
		n -= sizeof template - 1;
	if (n == 0)
		buf_u8(out, '/');
	else
		buf_put(out, span_of(path, n));
	if (question == NULL)
		return;
	buf_text(out, n > 0 && memchr(path, '?', n) != NULL ? "&dns=" : "?dns=");
	base64url_write(out, *question);
}
