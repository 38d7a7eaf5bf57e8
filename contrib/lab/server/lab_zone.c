#include "contrib/lab/server/lab_zone.h"
#include "base/text.h"
#include "contrib/lab/pki/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#define RCODE_EXTENDED_SHIFT 24
#define OPT_FIXED            11 /* root owner, type, class, TTL, RDLENGTH */
#define OPT_DO               0x8000
#define OPTION_PADDING       12  /* RFC 7830 */
#define RESPONSE_BLOCK       468 /* RFC 8467, 4.2 */
#define DELAY_MAX_MS         60000
#define TYPE_SVCB            64
#define TYPE_HTTPS           65

/* The number in a first label like ttl30; -1: the label is another one. */
static int64_t
label_number(const char *name, const char *word)
{
	size_t n = strlen(word), digits;
	char text[16];
	int64_t number;

	if (strncmp(name, word, n) != 0)
		return -1;
	digits = strcspn(name + n, ".");
	if (digits == 0 || digits >= sizeof text)
		return -1;
	memcpy(text, name + n, digits);
	text[digits] = '\0';
	return number_read(&number, text) == RES_OK ? number : -1;
}

static bool
label_is(const char *name, const char *word)
{
	size_t n = strlen(word);

	return strncmp(name, word, n) == 0 && name[n] == '.';
}

static void
zone_name_hash(const char *name, uint8_t out[32])
{
	size_t n = strlen(name);

	lab_sha256(out, span_of(name, n > 1 && name[n - 1] == '.' ? n - 1 : n));
}

static ldns_rr *
rr_from(const char *owner, int64_t ttl, const char *rest)
{
	char line[8192];
	ldns_rr *rr = NULL;

	if (snprintf(line, sizeof line, "%s %lld IN %s", owner, (long long)ttl, rest) >= (int)sizeof line)
		return NULL;
	return ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK ? rr : NULL;
}

static void
rdata_hex(char *out, size_t size, struct span data)
{
	char hex[129];

	snprintf(out, size, "\\# %zu %s", data.n, hex_write(hex, span_slice(data, 0, 64)));
}

static void
big_text(char *out, size_t size)
{
	size_t n = 0;

	n += (size_t)snprintf(out, size, "TXT");
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(out + n, size - n, " \"%0200d\"", i);
}

/* The presentation form of the record that `name` has of this type. */
static void
record_text(char *out, size_t size, enum lab_zone_kind kind, const char *name, uint16_t type)
{
	static const uint8_t https[] = {0, 1, 0, 0, 1, 0, 3, 2, 'h', '2'}; /* 1 . alpn=h2 */
	char data[256];
	uint8_t h[32];

	zone_name_hash(name, h);
	switch (type) {
	case LDNS_RR_TYPE_A:
		snprintf(out, size, kind == ZONE_LIES ? "A 6.6.6.6" : "A 198.18.%u.%u", h[0], h[1]);
		return;
	case LDNS_RR_TYPE_AAAA:
		snprintf(out, size,
			 kind == ZONE_LIES ? "AAAA 2001:db8:bad::6"
					   : "AAAA 2001:db8::%02x%02x:%02x%02x:%02x%02x:%02x%02x",
			 h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]);
		return;
	case LDNS_RR_TYPE_TXT:
		if (label_is(name, "big"))
			big_text(out, size);
		else
			snprintf(out, size, "TXT \"%s%.200s\"",
				 kind == ZONE_LIES ? "lies for " : "answer for ", name);
		return;
	case LDNS_RR_TYPE_CNAME:
		snprintf(out, size, "CNAME target.%s", name);
		return;
	case LDNS_RR_TYPE_NS:
		snprintf(out, size, "NS ns.%s", name);
		return;
	case LDNS_RR_TYPE_PTR:
		snprintf(out, size, "PTR host-%02x%02x.lab.test.", h[0], h[1]);
		return;
	case LDNS_RR_TYPE_MX:
		snprintf(out, size, "MX 10 mail.%s", name);
		return;
	case LDNS_RR_TYPE_SOA:
		snprintf(out, size, "SOA ns.lab.test. hostmaster.lab.test. 1 3600 600 86400 60");
		return;
	case TYPE_SVCB:
	case TYPE_HTTPS:
		rdata_hex(data, sizeof data, span_of(https, sizeof https));
		break;
	default: /* a type code of the wire, not an enumeration of ours */
		rdata_hex(data, sizeof data, span_of(h, 16));
		break;
	}
	snprintf(out, size, "TYPE%u %s", type, data);
}

static void
push_record(ldns_pkt *answer, ldns_pkt_section section, ldns_rr *rr)
{
	if (rr != NULL && !ldns_pkt_push_rr(answer, section, rr))
		ldns_rr_free(rr);
}

static void
fill_answer(ldns_pkt *answer, enum lab_zone_kind kind, const char *owner, const char *name, uint16_t type)
{
	int64_t ttl = label_number(name, "ttl");
	char text[8000];

	if (ttl < 0)
		ttl = ZONE_TTL;
	if (label_is(name, "alias") && type != LDNS_RR_TYPE_CNAME) {
		snprintf(text, sizeof text, "CNAME %s", name + strlen("alias."));
		push_record(answer, LDNS_SECTION_ANSWER, rr_from(owner, ttl, text));
		name += strlen("alias.");
		owner = name;
	}
	record_text(text, sizeof text, kind, name, type);
	push_record(answer, LDNS_SECTION_ANSWER, rr_from(owner, ttl, text));
}

static void
fill_negative(ldns_pkt *answer, ldns_pkt_rcode rcode)
{
	ldns_pkt_set_rcode(answer, (uint8_t)rcode);
	push_record(answer, LDNS_SECTION_AUTHORITY,
		    rr_from("lab.test.", 60, "SOA ns.lab.test. hostmaster.lab.test. 1 3600 600 86400 60"));
}

static void
zone_fill(ldns_pkt *answer, enum lab_zone_kind kind, const char *owner, const char *name, uint16_t type)
{
	if (kind == ZONE_LIES)
		fill_answer(answer, kind, owner, name, type);
	else if (label_is(name, "nx"))
		fill_negative(answer, LDNS_RCODE_NXDOMAIN);
	else if (label_is(name, "empty"))
		fill_negative(answer, LDNS_RCODE_NOERROR);
	else if (label_is(name, "servfail"))
		ldns_pkt_set_rcode(answer, LDNS_RCODE_SERVFAIL);
	else if (label_is(name, "refused"))
		ldns_pkt_set_rcode(answer, LDNS_RCODE_REFUSED);
	else
		fill_answer(answer, kind, owner, name, type);
	ldns_pkt_set_ad(answer, label_is(name, "ad"));
}

/* Does the query's OPT record hold a padding option? */
static bool
has_padding(ldns_pkt *query)
{
	ldns_rdf *data = ldns_pkt_edns_data(query);
	struct cursor in;

	if (data == NULL)
		return false;
	in = cursor_over(span_of(ldns_rdf_data(data), ldns_rdf_size(data)));
	while (cursor_left(&in) >= 4) {
		uint16_t code = cursor_u16(&in);

		if (code == OPTION_PADDING)
			return true;
		cursor_vec16(&in);
	}
	return false;
}

void
lab_zone_opt_write(struct buf *message, bool dnssec_ok, unsigned extended_rcode, struct span option,
		   size_t padding)
{
	size_t rdata = option.n, pad = 0;

	if (message->n < 12)
		return;
	if (padding > 0) {
		size_t bare = message->n + OPT_FIXED + rdata + 4;

		pad = (padding - bare % padding) % padding;
		rdata += 4 + pad;
	}
	buf_u8(message, 0);
	buf_u16(message, LDNS_RR_TYPE_OPT);
	buf_u16(message, 1232);
	buf_u32(message, (uint32_t)extended_rcode << RCODE_EXTENDED_SHIFT | (dnssec_ok ? OPT_DO : 0));
	buf_u16(message, (uint16_t)rdata);
	buf_put(message, option);
	if (padding > 0) {
		buf_u16(message, OPTION_PADDING);
		buf_u16(message, (uint16_t)pad);
		for (size_t i = 0; i < pad; i++)
			buf_u8(message, 0);
	}
	if (buf_ok(message))
		be16_write(message->p + 10, (uint16_t)(be16_read(message->p + 10) + 1));
}

static void
question_read(struct lab_zone_question *q, ldns_pkt *query, ldns_rr *question)
{
	char *name = ldns_rdf2str(ldns_rr_owner(question)),
	     *type = ldns_rr_type2str(ldns_rr_get_type(question));

	snprintf(q->name, sizeof q->name, "%s", name != NULL ? name : "?");
	snprintf(q->type, sizeof q->type, "%s", type != NULL ? type : "?");
	q->type_code = (uint16_t)ldns_rr_get_type(question);
	q->end = 12 + ldns_rdf_size(ldns_rr_owner(question)) + 4;
	q->edns = ldns_pkt_edns(query);
	q->dnssec_ok = ldns_pkt_edns_do(query);
	q->padded = has_padding(query);
	free(name);
	free(type);
}

static bool
wire_write(const ldns_pkt *answer, struct buf *out)
{
	uint8_t *wire = NULL;
	size_t n = 0;

	if (ldns_pkt2wire(&wire, answer, &n) != LDNS_STATUS_OK)
		return false;
	buf_put(out, span_of(wire, n));
	free(wire);
	return buf_ok(out);
}

/* The question as a packet of its own, so that the answer repeats its spelling. */
static ldns_pkt *
answer_new(const ldns_pkt *query, const ldns_rr *question)
{
	ldns_pkt *answer = ldns_pkt_new();

	if (answer == NULL)
		return NULL;
	ldns_pkt_set_id(answer, ldns_pkt_id(query));
	ldns_pkt_set_qr(answer, true);
	ldns_pkt_set_rd(answer, ldns_pkt_rd(query));
	ldns_pkt_set_ra(answer, true);
	ldns_pkt_set_cd(answer, ldns_pkt_cd(query));
	push_record(answer, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
	return answer;
}

bool
lab_zone_answer(enum lab_zone_kind kind, struct span wire, struct lab_zone_question *q, struct buf *out)
{
	ldns_pkt *query = NULL, *answer = NULL;
	ldns_rr *question;
	char lower[ZONE_NAME_TEXT_MAX];
	int64_t delay;
	bool done = false;

	*q = (struct lab_zone_question){.name = ""};
	if (wire.n < 12 || ldns_wire2pkt(&query, wire.p, wire.n) != LDNS_STATUS_OK)
		return false;
	if (ldns_pkt_qr(query) || ldns_pkt_qdcount(query) != 1)
		goto out;
	question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
	question_read(q, query, question);
	for (size_t i = 0; i < sizeof lower; i++)
		lower[i] = (char)ascii_lower((uint8_t)q->name[i]);
	delay = label_number(lower, "delay");
	q->delay_ms = delay > 0 && delay <= DELAY_MAX_MS ? (uint32_t)delay : 0;
	answer = answer_new(query, question);
	if (answer == NULL)
		goto out;
	zone_fill(answer, kind, q->name, lower, q->type_code);
	done = wire_write(answer, out);
	if (done && q->edns)
		lab_zone_opt_write(out, q->dnssec_ok, 0, span_of(NULL, 0), q->padded ? RESPONSE_BLOCK : 0);
out:
	ldns_pkt_free(answer);
	ldns_pkt_free(query);
	return done && buf_ok(out);
}
