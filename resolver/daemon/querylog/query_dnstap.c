#include "config.h"

#include "resolver/daemon/querylog/query_dnstap.h"

#include "resolver/daemon/querylog/dnstap.pb-c.h"

static ProtobufCBinaryData
bytes_of(struct span s)
{
	return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)s.p, .len = s.n};
}

static Dnstap__Message__Type
type_of(enum query_event_kind kind)
{
	switch (kind) {
	case QUERY_EVENT_ASKED:
		return DNSTAP__MESSAGE__TYPE__CLIENT_QUERY;
	case QUERY_EVENT_SENT:
		return DNSTAP__MESSAGE__TYPE__FORWARDER_QUERY;
	case QUERY_EVENT_RECEIVED:
		return DNSTAP__MESSAGE__TYPE__FORWARDER_RESPONSE;
	case QUERY_EVENT_REPLIED:
	case QUERY_EVENT_REOPEN:
		break;
	}
	return DNSTAP__MESSAGE__TYPE__CLIENT_RESPONSE;
}

static Dnstap__SocketProtocol
protocol_of(enum query_protocol protocol)
{
	switch (protocol) {
	case QUERY_UDP:
		return DNSTAP__SOCKET_PROTOCOL__UDP;
	case QUERY_TCP:
		return DNSTAP__SOCKET_PROTOCOL__TCP;
	case QUERY_DOT:
		return DNSTAP__SOCKET_PROTOCOL__DOT;
	case QUERY_DOH:
		break;
	}
	return DNSTAP__SOCKET_PROTOCOL__DOH;
}

/* A part of the message that is there or not. */
#define SET(m, field, value) ((m)->has_##field = true, (m)->field = (value))

static void
family_set(Dnstap__Message *m, const struct addr *a)
{
	if (a->family != ADDR_NONE)
		SET(m, socket_family,
		    a->family == ADDR_V4 ? DNSTAP__SOCKET_FAMILY__INET : DNSTAP__SOCKET_FAMILY__INET6);
}

static void
times_set(Dnstap__Message *m, int64_t query_us, int64_t response_us)
{
	SET(m, query_time_sec, (uint64_t)(query_us / 1000000));
	SET(m, query_time_nsec, (uint32_t)(query_us % 1000000) * 1000);
	if (response_us == 0)
		return;
	SET(m, response_time_sec, (uint64_t)(response_us / 1000000));
	SET(m, response_time_nsec, (uint32_t)(response_us % 1000000) * 1000);
}

/* Who asked is known of a client, who answered of an upstream. */
static void
addresses_set(Dnstap__Message *m, const struct query_event *e)
{
	family_set(m, e->server.family != ADDR_NONE ? &e->server : &e->client);
	if (e->client.family != ADDR_NONE)
		SET(m, query_address, bytes_of(addr_ip(&e->client)));
	if (e->client.port != 0)
		SET(m, query_port, e->client.port);
	if (e->server.family != ADDR_NONE) {
		SET(m, response_address, bytes_of(addr_ip(&e->server)));
		SET(m, response_port, e->server.port);
	}
}

/* What dnstap has no field for: where the reply came from, and why there is no answer. */
static void
extra_write(struct buf *out, const struct query_event *e)
{
	buf_format(out, "source=%s", tap_source_text(e->source));
	if (e->upstream.n > 0) {
		buf_text(out, " upstream=");
		buf_put(out, e->upstream);
	}
}

bool
query_dnstap_write(struct buf *out, const struct query_event *e)
{
	static const char version[] = "ctstub " PACKAGE_VERSION;
	const bool reply = e->kind == QUERY_EVENT_REPLIED || e->kind == QUERY_EVENT_RECEIVED;
	Dnstap__Dnstap d = DNSTAP__DNSTAP__INIT;
	Dnstap__Message m = DNSTAP__MESSAGE__INIT;
	struct buf extra = buf_max(QUERY_EVENT_MAX);
	uint8_t *room;

	m.type = type_of(e->kind);
	SET(&m, socket_protocol, protocol_of(e->protocol));
	addresses_set(&m, e);
	times_set(&m, reply ? e->at_us - e->took_us : e->at_us, reply ? e->at_us : 0);
	if (e->message.n > 0 && reply)
		SET(&m, response_message, bytes_of(e->message));
	else if (e->message.n > 0)
		SET(&m, query_message, bytes_of(e->message));
	if (e->kind == QUERY_EVENT_REPLIED)
		extra_write(&extra, e);
	d.type = DNSTAP__DNSTAP__TYPE__MESSAGE;
	d.message = &m;
	SET(&d, version, bytes_of(span_of(version, sizeof version - 1)));
	if (extra.n > 0)
		SET(&d, extra, bytes_of(buf_span(&extra)));
	room = buf_room(out, dnstap__dnstap__get_packed_size(&d));
	if (room != NULL)
		buf_added(out, dnstap__dnstap__pack(&d, room));
	buf_free(&extra);
	return room != NULL;
}
