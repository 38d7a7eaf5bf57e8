#include "contrib/watch/identifiers.h"

#include "base/text.h"
#include "verify/x509/altname.h"
#include "verify/x509/der.h"
#include "verify/x509/name_value.h"
#include "verify/x509/oid.h"

#include <string.h>

#define OID_OLD_SUBJECT_ALT_NAME OID("\x55\x1d\x07") /* X.509 of 1993; some readers still take it */
#define OID_NETSCAPE_SERVER_NAME OID("\x60\x86\x48\x01\x86\xf8\x42\x01\x0c")
#define OID_COMMON_NAME          OID("\x55\x04\x03")
#define OID_DOMAIN_COMPONENT     OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19")
#define TAG_BOOLEAN_HEADER       0x01

#define WIDE_TEXT_MAX            (64 * 1024) /* of one string of a wide type, as UTF-8; longer ones are trouble */
#define DOMAIN_TEXT_MAX          1024        /* of a name in domainComponents; RFC 1035 allows 253 */

struct reading {
	struct cert_parts *parts;
	identifier_fn *fn;
	void *ctx;
	struct buf wide; /* of strings that are not UTF-8 */
};

static void
trouble(struct reading *r, const char *what)
{
	if (r->parts->trouble == NULL)
		r->parts->trouble = what;
}

static void
identifiers_report(const struct reading *r, enum identifier_kind kind, const char *where, struct span value)
{
	const struct identifier id = {kind, where, value};

	if (value.n > 0 || kind == IDENTIFIER_IP)
		r->fn(r->ctx, &id);
}

static bool
is_string(uint8_t id)
{
	/* UTF8, Numeric, Printable, T61, Videotex, IA5, Graphic, Visible, General, Universal, BMP */
	return id == 0x0c || (id >= 0x12 && id <= 0x16) || (id >= 0x19 && id <= 0x1c) || id == 0x1e;
}

/* A string of any type: as it stands if every reader sees the same bytes, else converted. False: it is not a string. */
static bool
string_report(struct reading *r, enum identifier_kind kind, const char *where, const struct der_element *e)
{
	if (!is_string(e->id))
		return false;
	if (text_is_ascii(e->body) && e->id != 0x1c && e->id != 0x1e) {
		identifiers_report(r, kind, where, e->body);
		return true;
	}
	buf_clear(&r->wide);
	if (!attribute_value_utf8(&r->wide, e)) {
		/* not valid text of its type: a careless reader sees its bytes */
		identifiers_report(r, kind, where, e->body);
		return e->id != 0x1c && e->id != 0x1e;
	}
	identifiers_report(r, kind, where, buf_span(&r->wide));
	return true;
}

/* ---- names of the X.500 kind */

/* What an attribute is about: the host, a part of a domain, or the organisation around it. */
static enum identifier_kind
attribute_kind(struct span oid)
{
	static const uint8_t legend[] = {6,  7,  8,  9,  10, 11,
					 13, 15, 16, 17, 18}; /* country to post office box */

	if (oid.n == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x04)
		return memchr(legend, oid.p[2], sizeof legend) != NULL ? IDENTIFIER_LEGEND : IDENTIFIER_HOST;
	return IDENTIFIER_HOST;
}

static void
attribute_report(struct reading *r, struct span oid, const struct der_element *value, struct buf *domain)
{
	bool found = string_report(r, attribute_kind(oid), "subject", value);

	if (!found && span_equal(oid, OID_COMMON_NAME))
		trouble(r, "the common name cannot be read");
	if (domain != NULL && span_equal(oid, OID_DOMAIN_COMPONENT) && text_is_ascii(value->body)) {
		/* most significant first: DC=com, DC=example */
		struct buf front = buf_max(DOMAIN_TEXT_MAX);

		buf_put(&front, value->body);
		buf_text(&front, domain->n > 0 ? "." : "");
		buf_put(&front, buf_span(domain));
		if (buf_ok(&front)) {
			buf_clear(domain);
			buf_put(domain, buf_span(&front));
		}
		buf_free(&front);
	}
}

/* RDNSequence: the Name with its header. */
static void
identifiers_name_report(struct reading *r, struct span name)
{
	struct der_reader rdns = der_only(name, DER_SEQUENCE);
	struct buf domain = buf_max(DOMAIN_TEXT_MAX);

	while (der_more(&rdns)) {
		struct der_reader set = der_enter(&rdns, DER_SET);

		while (der_more(&set)) {
			struct der_reader pair = der_enter(&set, DER_SEQUENCE);
			struct span oid = der_take(&pair, DER_OID).body;
			struct der_element value = der_any(&pair);

			if (der_done(&pair))
				attribute_report(r, oid, &value, &domain);
			else
				set.bad = true;
		}
		rdns.bad |= set.bad;
	}
	if (rdns.bad)
		trouble(r, "the subject cannot be read");
	identifiers_report(r, IDENTIFIER_HOST, "domainComponents", buf_span(&domain));
	buf_free(&domain);
}

/* ---- subjectAltName */

/* Every string in the value of an otherName, whatever its type-id: SRVName, XmppAddr, SmtpUTF8Mailbox, UPN. */
static void
other_report(struct reading *r, struct span value, int depth)
{
	struct der_reader in = der_over(value);

	while (der_more(&in)) {
		struct der_element e = der_any(&in);

		if ((e.id & 0x20) != 0 && depth < IDENTIFIERS_NESTING_MAX)
			other_report(r, e.body, depth + 1);
		else if (is_string(e.id) && !string_report(r, IDENTIFIER_TEXT, "otherName", &e))
			in.bad = true;
		else if (!is_string(e.id) && (e.id & 0xc0) == 0x80)
			identifiers_report(r, IDENTIFIER_TEXT, "otherName",
					   e.body); /* a string by its context */
	}
	if (in.bad)
		trouble(r, "an otherName cannot be read");
}

static void
altname_report(struct reading *r, const struct altname *a)
{
	switch (a->kind) {
	case ALTNAME_DNS:
		identifiers_report(r, IDENTIFIER_HOST, "dNSName", a->value);
		break;
	case ALTNAME_IP:
		identifiers_report(r, IDENTIFIER_IP, "iPAddress", a->value);
		break;
	case ALTNAME_URI:
		identifiers_report(r, IDENTIFIER_TEXT, "uniformResourceIdentifier", a->value);
		break;
	case ALTNAME_EMAIL:
		identifiers_report(r, IDENTIFIER_TEXT, "rfc822Name", a->value);
		break;
	case ALTNAME_DIRECTORY:
		identifiers_name_report(r, a->value);
		break;
	case ALTNAME_OTHER:
	case ALTNAME_X400:
	case ALTNAME_EDI_PARTY:
		other_report(r, a->value, 0);
		break;
	case ALTNAME_REGISTERED_ID:
		break;
	}
}

static void
altnames_report(struct reading *r, struct span value)
{
	struct der_reader list = der_only(value, DER_SEQUENCE);
	struct altname a;

	while (altname_next(&a, &list))
		altname_report(r, &a);
	if (!der_done(&list))
		trouble(r, "the subjectAltName cannot be read");
}

static void
server_name_report(struct reading *r, struct span value)
{
	struct der_reader in = der_over(value);
	struct der_element e = der_any(&in);

	if (!der_done(&in) || !string_report(r, IDENTIFIER_HOST, "netscape-ssl-server-name", &e))
		trouble(r, "the Netscape server name cannot be read");
}

/* ---- the certificate */

/* Only extensions with names are read: this is done for every certificate in the world. */
static void
extension_report(struct reading *r, struct der_reader *list)
{
	struct der_reader in = der_enter(list, DER_SEQUENCE);
	struct span oid = der_take(&in, DER_OID).body;
	bool names = span_equal(oid, OID_SUBJECT_ALT_NAME) || span_equal(oid, OID_OLD_SUBJECT_ALT_NAME);
	struct span value;

	if (in.bad) {
		list->bad = true;
		return;
	}
	if (!names && !span_equal(oid, OID_NETSCAPE_SERVER_NAME))
		return;
	if (der_at(&in, DER_BOOLEAN))
		(void)der_any(&in);
	value = der_take(&in, DER_OCTET_STRING).body;
	if (!der_done(&in))
		trouble(r, "an extension with names cannot be read");
	else if (names)
		altnames_report(r, value);
	else
		server_name_report(r, value);
}

static void
extensions_report(struct reading *r, struct der_reader *tbs)
{
	struct der_reader wrapper = der_enter(tbs, DER_CONTEXT_CONS(3));
	struct der_reader list = der_enter(&wrapper, DER_SEQUENCE);

	while (der_more(&list))
		extension_report(r, &list);
	if (!der_done(&list) || !der_done(&wrapper))
		trouble(r, "the extensions cannot be read");
}

static void
validity_read(struct reading *r, struct der_reader *tbs)
{
	struct der_reader in = der_enter(tbs, DER_SEQUENCE);
	struct cert_parts *p = r->parts;

	/* dates are shown, and nothing is decided by them */
	if (der_time(&p->not_before_ms, &in) != RES_OK || der_time(&p->not_after_ms, &in) != RES_OK)
		p->not_before_ms = p->not_after_ms = 0;
}

static void
tbs_report(struct reading *r)
{
	struct cert_parts *p = r->parts;
	struct der_reader tbs = der_only(p->tbs, DER_SEQUENCE);

	if (der_at(&tbs, DER_CONTEXT_CONS(0)))
		(void)der_any(&tbs);
	p->serial = der_take(&tbs, DER_INTEGER).body;
	(void)der_take(&tbs, DER_SEQUENCE); /* signature */
	p->issuer = der_take(&tbs, DER_SEQUENCE).whole;
	validity_read(r, &tbs);
	p->subject = der_take(&tbs, DER_SEQUENCE).whole;
	p->spki = der_take(&tbs, DER_SEQUENCE).whole;
	if (p->subject.n > 0)
		identifiers_name_report(r, p->subject);
	while (der_more(&tbs)) {
		if (der_at(&tbs, DER_CONTEXT_CONS(3)))
			extensions_report(r, &tbs);
		else if (!der_at(&tbs, DER_CONTEXT(1)) && !der_at(&tbs, DER_CONTEXT(2)))
			tbs.bad = true;
		else
			(void)der_any(&tbs); /* unique identifiers */
	}
	if (!der_done(&tbs))
		trouble(r, "the certificate cannot be read");
}

void
identifiers_read(struct cert_parts *parts, struct span certificate, bool is_tbs, identifier_fn *fn, void *ctx)
{
	struct reading r = {parts, fn, ctx, buf_max(WIDE_TEXT_MAX)};
	struct der_reader outer = der_only(certificate, DER_SEQUENCE);

	*parts = (struct cert_parts){.tbs = certificate};
	if (!is_tbs) {
		parts->tbs = der_take(&outer, DER_SEQUENCE).whole;
		(void)der_take(&outer, DER_SEQUENCE);
		(void)der_take(&outer, DER_BIT_STRING);
		if (!der_done(&outer))
			trouble(&r, "the certificate cannot be read");
	}
	tbs_report(&r);
	buf_free(&r.wide);
}
