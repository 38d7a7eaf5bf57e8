#include "resolver/daemon/querylog/query_line.h"

#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>

/* One line on its way. */
struct line {
	struct buf *out;
	bool json;
};

static void
line_key(const struct line *l, const char *key)
{
	buf_format(l->out, l->json ? ",\"%s\":" : " %s=", key);
}

static void
line_text(const struct line *l, const char *key, const char *value)
{
	line_key(l, key);
	log_put_string(l->out, value, l->json);
}

static void
line_number(const struct line *l, const char *key, uint32_t value)
{
	line_key(l, key);
	buf_format(l->out, "%u", value);
}

/* Bytes of others, cut at the first NUL. */
static void
line_bytes(const struct line *l, const char *key, struct span value)
{
	struct buf b = buf_max(QUERY_LINE_MAX);

	buf_put(&b, value);
	line_text(l, key, buf_cstr(&b) != NULL ? buf_cstr(&b) : "-");
	buf_free(&b);
}

static const char *
class_text(uint16_t class, char text[16])
{
	struct buf b = {.p = (uint8_t *)text, .cap = 16, .max = 16};

	if (class == CLASS_IN)
		return "IN";
	buf_format(&b, "CLASS%u", class); /* RFC 3597, 5 */
	return buf_cstr(&b);
}

/* A question section was walked before: the name, then type and class. */
static void
line_question(const struct line *l, struct span section)
{
	struct buf name = buf_max(QUERY_LINE_MAX);
	char type[16], class[16];

	if (section.n < 5) {
		line_text(l, "name", "-");
		return;
	}
	msg_name_text(&name, span_of(section.p, section.n - 4));
	line_text(l, "name", buf_cstr(&name) != NULL ? buf_cstr(&name) : "-");
	line_text(l, "type", msg_type_text(be16_read(section.p + section.n - 4), type));
	line_text(l, "class", class_text(be16_read(section.p + section.n - 2), class));
	buf_free(&name);
}

static void
line_client(const struct line *l, const struct query_event *e)
{
	char text[ADDR_TEXT_MAX], cut[ADDR_TEXT_MAX + 8];
	struct buf b = {.p = (uint8_t *)cut, .cap = sizeof cut, .max = sizeof cut};

	if (e->client.family == ADDR_NONE)
		return;
	if (e->client.port != 0) {
		line_text(l, "client", addr_text(&e->client, text));
		return;
	}
	buf_format(&b, "%s/%u", addr_ip_text(&e->client, text), e->client_bits);
	line_text(l, "client", buf_cstr(&b));
}

static void
line_upstream(const struct line *l, const struct query_event *e)
{
	char text[ADDR_TEXT_MAX];

	if (e->upstream.n == 0)
		return;
	line_bytes(l, "upstream", e->upstream);
	line_text(l, "addr", addr_ip_text(&e->server, text));
}

static void
line_reason(const struct line *l, const struct query_event *e)
{
	if (!e->has_ede)
		return;
	line_number(l, "ede", e->ede);
	if (e->reason.n > 0)
		line_bytes(l, "reason", e->reason);
}

static void
line_time(const struct line *l, int64_t at_us)
{
	char text[TIME_TEXT_MAX];

	buf_format(l->out, l->json ? "{\"time\":\"%s\"" : "%s", time_text_ms(at_us / 1000, text));
}

void
query_line_write(struct buf *out, const struct query_event *e, bool json)
{
	const struct line l = {out, json};
	char rcode[16];

	line_time(&l, e->at_us);
	line_client(&l, e);
	line_question(&l, e->section);
	line_text(&l, "protocol", e->protocol == QUERY_TCP ? "tcp" : "udp");
	line_text(&l, "source", tap_source_text(e->source));
	line_upstream(&l, e);
	line_text(&l, "rcode", msg_rcode_text(e->rcode, rcode));
	line_reason(&l, e);
	line_key(&l, "ms");
	buf_format(out, "%lld.%03d", (long long)(e->took_us / 1000), (int)(e->took_us % 1000));
	line_number(&l, "query_bytes", e->query_bytes);
	line_number(&l, "reply_bytes", e->reply_bytes);
	buf_text(out, json ? "}\n" : "\n");
}
