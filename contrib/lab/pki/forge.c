#include "contrib/lab/pki/forge.h"
#include "contrib/lab/pki/derw.h"

#include <string.h>

#define OID_SUBJECT_KEY_ID    "2.5.29.14"
#define OID_KEY_USAGE         "2.5.29.15"
#define OID_SUBJECT_ALT_NAME  "2.5.29.17"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_NAME_CONSTRAINTS  "2.5.29.30"
#define OID_AUTHORITY_KEY_ID  "2.5.29.35"
#define OID_EXT_KEY_USAGE     "2.5.29.37"
#define OID_TLS_FEATURE       "1.3.6.1.5.5.7.1.24"
#define OID_SCT_LIST          "1.3.6.1.4.1.11129.2.4.2"
#define OID_POISON            "1.3.6.1.4.1.11129.2.4.3"
#define OID_LAB_UNKNOWN       "1.3.6.1.4.1.99999.1"

void
forge_init(struct forge *f)
{
	*f = (struct forge){.version = 3,
			    .string_tag = DERW_UTF8,
			    .path_length = -1,
			    .subject = "",
			    .issuer = "",
			    .serial_seed = ""};
	f->san = buf_max(FORGE_CERT_MAX);
	f->permitted = buf_max(FORGE_CERT_MAX);
	f->excluded = buf_max(FORGE_CERT_MAX);
	f->extra = buf_max(FORGE_CERT_MAX);
}

void
forge_free(struct forge *f)
{
	buf_free(&f->san);
	buf_free(&f->permitted);
	buf_free(&f->excluded);
	buf_free(&f->extra);
}

/* RFC 5280, 4.2.1.6: the tags of GeneralName. */
void
forge_san_ip(struct forge *f, struct span octets)
{
	derw_tlv(&f->san, DERW_CONTEXT(7), octets);
}

void
forge_san_dns(struct forge *f, struct span text)
{
	derw_tlv(&f->san, DERW_CONTEXT(2), text);
}

void
forge_san_uri(struct forge *f, const char *uri)
{
	derw_text(&f->san, DERW_CONTEXT(6), uri);
}

void
forge_san_email(struct forge *f, const char *email)
{
	derw_text(&f->san, DERW_CONTEXT(1), email);
}

void
forge_constraint_ip(struct buf *subtrees, const struct addr *addr, unsigned bits)
{
	size_t subtree = derw_open(subtrees, DERW_SEQUENCE), name = derw_open(subtrees, DERW_CONTEXT(7));
	struct span ip = addr_ip(addr);
	uint8_t mask[16] = {0}, base[16];

	for (size_t i = 0; i < ip.n; i++) {
		unsigned here = bits > 8 * i ? bits - (unsigned)(8 * i) : 0;

		mask[i] = (uint8_t)(here >= 8 ? 0xff : 0xff00 >> here);
		base[i] = ip.p[i] & mask[i];
	}
	buf_put(subtrees, span_of(base, ip.n));
	buf_put(subtrees, span_of(mask, ip.n));
	derw_close(subtrees, name);
	derw_close(subtrees, subtree);
}

void
forge_sct_add(struct forge *f, enum log_id log, int64_t ms, enum sct_fault fault)
{
	if (f->n_sct < FORGE_SCTS_MAX)
		f->sct[f->n_sct++] = (struct forge_sct){log, ms, fault};
}

size_t
forge_serial(const struct forge *f, uint8_t out[20])
{
	uint8_t hash[32];

	if (f->serial.n > 0 && f->serial.n <= 20) {
		memcpy(out, f->serial.p, f->serial.n);
		return f->serial.n;
	}
	lab_sha256(hash, span_str(f->serial_seed));
	memcpy(out, hash, 16);
	out[0] = (uint8_t)((out[0] & 0x7f) | 0x40); /* positive, and never shorter */
	return 16;
}

static size_t
extension_open(struct buf *out, const char *oid, bool critical, size_t outer[2])
{
	outer[0] = derw_open(out, DERW_SEQUENCE);
	derw_oid(out, oid);
	if (critical)
		derw_bool(out, true);
	outer[1] = derw_open(out, DERW_OCTETS);
	return outer[1];
}

static void
extension_close(struct buf *out, const size_t outer[2])
{
	derw_close(out, outer[1]);
	derw_close(out, outer[0]);
}

static void
key_ids_write(struct buf *out, const struct forge *f)
{
	uint8_t id[20];
	size_t ext[2], inner;

	lab_sha1(id, buf_span(&f->key->spki));
	extension_open(out, OID_SUBJECT_KEY_ID, false, ext);
	derw_tlv(out, DERW_OCTETS, span_of(id, sizeof id));
	extension_close(out, ext);

	lab_sha1(id, buf_span(&f->issuer_key->spki));
	extension_open(out, OID_AUTHORITY_KEY_ID, false, ext);
	inner = derw_open(out, DERW_SEQUENCE);
	derw_tlv(out, DERW_CONTEXT(0), span_of(id, sizeof id));
	derw_close(out, inner);
	extension_close(out, ext);
}

static void
basic_write(struct buf *out, const struct forge *f)
{
	size_t ext[2], inner;

	if (f->basic == BASIC_NONE)
		return;
	extension_open(out, OID_BASIC_CONSTRAINTS, true, ext);
	inner = derw_open(out, DERW_SEQUENCE);
	if (f->basic == BASIC_CA)
		derw_bool(out, true);
	if (f->path_length >= 0)
		derw_number(out, DERW_INTEGER, (uint32_t)f->path_length);
	derw_close(out, inner);
	extension_close(out, ext);
}

static void
usage_write(struct buf *out, const struct forge *f)
{
	size_t ext[2];
	uint8_t bits = 0;
	unsigned unused = 8;

	if (f->usage == 0)
		return;
	for (unsigned i = 0; i < 8; i++)
		if ((f->usage & (1u << i)) != 0) {
			bits |= (uint8_t)(0x80 >> i);
			unused = 7 - i;
		}
	extension_open(out, OID_KEY_USAGE, true, ext);
	derw_bits(out, span_of(&bits, 1), unused);
	extension_close(out, ext);
}

static void
eku_write(struct buf *out, const struct forge *f)
{
	size_t ext[2], inner, n;
	char oid[64];

	if (f->eku == NULL)
		return;
	extension_open(out, OID_EXT_KEY_USAGE, false, ext);
	inner = derw_open(out, DERW_SEQUENCE);
	for (const char *p = f->eku; *p != '\0'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		if (n >= sizeof oid) {
			out->bad = true;
			break;
		}
		memcpy(oid, p, n);
		oid[n] = '\0';
		derw_oid(out, oid);
	}
	derw_close(out, inner);
	extension_close(out, ext);
}

static void
san_write(struct buf *out, const struct forge *f)
{
	size_t ext[2];

	if (f->san.n == 0)
		return;
	/* RFC 5280, 4.1.2.6: critical when the subject is empty */
	extension_open(out, OID_SUBJECT_ALT_NAME, f->subject[0] == '\0', ext);
	derw_tlv(out, DERW_SEQUENCE, buf_span(&f->san));
	extension_close(out, ext);
}

static void
constraints_write(struct buf *out, const struct forge *f)
{
	size_t ext[2], inner;

	if (f->permitted.n == 0 && f->excluded.n == 0)
		return;
	extension_open(out, OID_NAME_CONSTRAINTS, true, ext);
	inner = derw_open(out, DERW_SEQUENCE);
	if (f->permitted.n > 0)
		derw_tlv(out, DERW_CONSTRUCTED(0), buf_span(&f->permitted));
	if (f->excluded.n > 0)
		derw_tlv(out, DERW_CONSTRUCTED(1), buf_span(&f->excluded));
	derw_close(out, inner);
	extension_close(out, ext);
}

static void
special_write(struct buf *out, const struct forge *f)
{
	size_t ext[2], inner;

	if (f->must_staple) {
		extension_open(out, OID_TLS_FEATURE, false, ext);
		inner = derw_open(out, DERW_SEQUENCE);
		derw_number(out, DERW_INTEGER, 5); /* status_request (RFC 7633, 6) */
		derw_close(out, inner);
		extension_close(out, ext);
	}
	if (f->poison) {
		extension_open(out, OID_POISON, true, ext);
		derw_null(out);
		extension_close(out, ext);
	}
	if (f->unknown_critical) {
		extension_open(out, OID_LAB_UNKNOWN, true, ext);
		derw_null(out);
		extension_close(out, ext);
	}
}

static void
sct_extension_write(struct buf *out, const struct forge *f, struct span list)
{
	size_t ext[2];

	extension_open(out, OID_SCT_LIST, false, ext);
	if (f->sct_list_fault == SCT_LIST_NOT_NESTED)
		buf_put(out, list);
	else
		derw_tlv(out, DERW_OCTETS, list);
	extension_close(out, ext);
}

/* list: the SCT list, or empty for the TBSCertificate that the logs see. */
static void
tbs_write(struct buf *out, const struct forge *f, struct span list)
{
	uint8_t serial[20];
	size_t tbs = derw_open(out, DERW_SEQUENCE), at, inner;

	if (f->version > 1) {
		at = derw_open(out, DERW_CONSTRUCTED(0));
		derw_number(out, DERW_INTEGER, (uint32_t)f->version - 1);
		derw_close(out, at);
	}
	derw_unsigned(out, span_of(serial, forge_serial(f, serial)));
	key_algorithm_write(f->issuer_key, f->digest, out);
	derw_name(out, f->issuer, f->string_tag);
	at = derw_open(out, DERW_SEQUENCE);
	derw_time(out, f->not_before_ms);
	derw_time(out, f->not_after_ms);
	derw_close(out, at);
	derw_name(out, f->subject, f->string_tag);
	buf_put(out, buf_span(&f->key->spki));
	if (f->version == 3) {
		at = derw_open(out, DERW_CONSTRUCTED(3));
		inner = derw_open(out, DERW_SEQUENCE);
		if (!f->no_key_ids)
			key_ids_write(out, f);
		basic_write(out, f);
		usage_write(out, f);
		eku_write(out, f);
		san_write(out, f);
		constraints_write(out, f);
		special_write(out, f);
		if (list.n > 0)
			sct_extension_write(out, f, list);
		if (list.n > 0 && f->sct_list_fault == SCT_LIST_TWICE)
			sct_extension_write(out, f, list);
		buf_put(out, buf_span(&f->extra));
		derw_close(out, inner);
		derw_close(out, at);
	}
	derw_close(out, tbs);
}

void
forge_precert_tbs(const struct forge *f, struct buf *out)
{
	tbs_write(out, f, span_of(NULL, 0));
}

/* RFC 6962, 3.3: SignedCertificateTimestampList. */
static void
sct_list_write(struct buf *out, const struct forge *f, struct toylogs *logs)
{
	struct buf tbs = buf_max(FORGE_CERT_MAX), items = buf_max(UINT16_MAX), sct = buf_max(UINT16_MAX);
	struct log_entry entry;
	bool bad = false;

	forge_precert_tbs(f, &tbs);
	entry = (struct log_entry){buf_span(&tbs), f->issuer_key->spki_sha256};
	if (f->sct_list_fault == SCT_LIST_EMPTY_ITEM)
		buf_u16(&items, 0);
	for (size_t i = 0; i < f->n_sct && f->sct_list_fault != SCT_LIST_EMPTY; i++) {
		buf_clear(&sct);
		toylog_sign(logs, &f->sct[i], &entry, &sct);
		bad = bad || !buf_ok(&sct);
		buf_u16(&items, (uint16_t)sct.n);
		buf_put(&items, buf_span(&sct));
	}
	buf_u16(out, (uint16_t)(items.n + (f->sct_list_fault == SCT_LIST_LENGTH_LIES)));
	buf_put(out, buf_span(&items));
	if (f->sct_list_fault == SCT_LIST_TRAILING)
		buf_u8(out, 0);
	out->bad = out->bad || bad || !buf_ok(&items) || !buf_ok(&tbs);
	buf_free(&tbs);
	buf_free(&items);
	buf_free(&sct);
}

void
forge_certificate(const struct forge *f, struct toylogs *logs, struct buf *out)
{
	struct buf list = buf_max(UINT16_MAX + 16), tbs = buf_max(FORGE_CERT_MAX), signature = buf_max(1024);
	size_t certificate;

	if (f->n_sct > 0 || f->sct_list)
		sct_list_write(&list, f, logs);
	tbs_write(&tbs, f, buf_span(&list));
	if (buf_ok(&tbs))
		key_sign(f->issuer_key, f->digest, buf_span(&tbs), &signature);
	if (f->broken_signature && signature.n > 0)
		signature.p[signature.n - 1] ^= 1;

	certificate = derw_open(out, DERW_SEQUENCE);
	buf_put(out, buf_span(&tbs));
	key_algorithm_write(f->issuer_key, f->digest, out);
	derw_bits(out, buf_span(&signature), 0);
	derw_close(out, certificate);
	out->bad = out->bad || !buf_ok(&list) || !buf_ok(&tbs) || !buf_ok(&signature) || !buf_ok(&f->san) ||
		   !buf_ok(&f->extra) || !buf_ok(&f->permitted) || !buf_ok(&f->excluded);
	buf_free(&list);
	buf_free(&tbs);
	buf_free(&signature);
}
