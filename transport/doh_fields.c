#include "config.h" /* strptime wants _GNU_SOURCE */

#include "transport/doh_fields.h"

#include "base/text.h"

#include <string.h>
#include <time.h>

#define DATE_TEXT_MAX 40 /* "Wednesday, 06-Nov-94 08:49:37 GMT" is the longest */

bool
doh_type_is_dns(struct span value)
{
	const struct span want = span_str("application/dns-message");

	size_t at = want.n;

	if (!ascii_case_equal(span_slice(value, 0, want.n), want))
		return false;
	while (at < value.n && (value.p[at] == ' ' || value.p[at] == '\t'))
		at++;
	return at == value.n || value.p[at] == ';';
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

uint32_t
doh_age(struct span value)
{
	size_t n = 0;

	while (n < value.n && value.p[n] != ',')
		n++;
	while (n > 0 && (value.p[n - 1] == ' ' || value.p[n - 1] == '\t'))
		n--;
	return doh_seconds(span_of(value.p, n));
}

/* The form of today and the two of the past (RFC 9110, 5.6.7). No locale is ever set, so these are the English
 * names. */
static enum res
doh_date_read(int64_t *ms, struct span value)
{
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
					    "%a %b %e %H:%M:%S %Y"};
	char text[DATE_TEXT_MAX];

	if (value.n == 0 || value.n >= sizeof text)
		return RES_MALFORMED;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end == text + value.n)
			return time_from_civil(ms, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
					       tm.tm_min, tm.tm_sec);
	}
	return RES_MALFORMED;
}

uint32_t
doh_retry_after(struct span value, int64_t now_ms)
{
	int64_t ms, seconds;

	if (doh_date_read(&ms, value) != RES_OK)
		return doh_seconds(value);
	seconds = (ms - now_ms + 999) / 1000;
	return seconds <= 0 ? 0 : seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
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
