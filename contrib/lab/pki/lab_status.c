#include "contrib/lab/pki/lab_status.h"
#include "contrib/lab/pki/derw.h"

#define STATUS_MAX     (64 * 1024)

#define OID_OCSP_BASIC "1.3.6.1.5.5.7.48.1.1"
#define OID_SHA1       "1.3.14.3.2.26"
#define OID_CRL_NUMBER "2.5.29.20"
#define OID_AKI        "2.5.29.35"

/* AlgorithmIdentifier and BIT STRING of the signature over tbs. */
static void
signature_write(struct buf *out, const struct key *key, struct span tbs, bool broken)
{
	struct buf signature = buf_max(1024);

	key_sign(key, KEY_SHA256, tbs, &signature);
	if (broken && signature.n > 0)
		signature.p[signature.n - 1] ^= 1;
	key_algorithm_write(key, KEY_SHA256, out);
	derw_bits(out, buf_span(&signature), 0);
	out->bad = out->bad || !buf_ok(&signature);
	buf_free(&signature);
}

static void
crl_extensions_write(struct buf *out, const struct forge_crl *crl)
{
	uint8_t id[20];
	size_t wrap = derw_open(out, DERW_CONSTRUCTED(0)), list = derw_open(out, DERW_SEQUENCE), ext, value,
	       inner;

	lab_sha1(id, buf_span(&crl->key->spki));
	ext = derw_open(out, DERW_SEQUENCE);
	derw_oid(out, OID_AKI);
	value = derw_open(out, DERW_OCTETS);
	inner = derw_open(out, DERW_SEQUENCE);
	derw_tlv(out, DERW_CONTEXT(0), span_of(id, sizeof id));
	derw_close(out, inner);
	derw_close(out, value);
	derw_close(out, ext);

	ext = derw_open(out, DERW_SEQUENCE);
	derw_oid(out, OID_CRL_NUMBER);
	value = derw_open(out, DERW_OCTETS);
	derw_number(out, DERW_INTEGER, 1);
	derw_close(out, value);
	derw_close(out, ext);
	derw_close(out, list);
	derw_close(out, wrap);
}

void
lab_status_crl_write(const struct forge_crl *crl, struct buf *out)
{
	struct buf tbs = buf_max(STATUS_MAX);
	size_t outer = derw_open(&tbs, DERW_SEQUENCE), list, entry;

	derw_number(&tbs, DERW_INTEGER, 1); /* v2 */
	key_algorithm_write(crl->key, KEY_SHA256, &tbs);
	derw_name(&tbs, crl->issuer, DERW_UTF8);
	derw_time(&tbs, crl->this_ms);
	derw_time(&tbs, crl->next_ms);
	if (crl->revoked.n > 0) {
		list = derw_open(&tbs, DERW_SEQUENCE);
		entry = derw_open(&tbs, DERW_SEQUENCE);
		derw_unsigned(&tbs, crl->revoked);
		derw_time(&tbs, crl->this_ms);
		derw_close(&tbs, entry);
		derw_close(&tbs, list);
	}
	crl_extensions_write(&tbs, crl);
	derw_close(&tbs, outer);

	outer = derw_open(out, DERW_SEQUENCE);
	buf_put(out, buf_span(&tbs));
	signature_write(out, crl->key, buf_span(&tbs), crl->broken_signature);
	derw_close(out, outer);
	out->bad = out->bad || !buf_ok(&tbs);
	buf_free(&tbs);
}

/* RFC 6960, 4.1.1: CertID, with SHA-1 as most servers use. */
static void
cert_id_write(struct buf *out, const struct forge_ocsp *ocsp)
{
	const size_t point = 65; /* the uncompressed P-256 point ends the SPKI */
	struct span spki = buf_span(&ocsp->issuer_key->spki);
	struct buf name = buf_max(STATUS_MAX);
	uint8_t name_hash[20], key_hash[20];
	size_t id = derw_open(out, DERW_SEQUENCE), algorithm;

	derw_name(&name, ocsp->issuer, DERW_UTF8);
	lab_sha1(name_hash, buf_span(&name));
	lab_sha1(key_hash, span_slice(spki, spki.n - point, point));
	algorithm = derw_open(out, DERW_SEQUENCE);
	derw_oid(out, OID_SHA1);
	derw_null(out);
	derw_close(out, algorithm);
	derw_tlv(out, DERW_OCTETS, span_of(name_hash, sizeof name_hash));
	derw_tlv(out, DERW_OCTETS, span_of(key_hash, sizeof key_hash));
	derw_unsigned(out, ocsp->serial);
	derw_close(out, id);
	buf_free(&name);
}

static void
single_response_write(struct buf *out, const struct forge_ocsp *ocsp)
{
	size_t single = derw_open(out, DERW_SEQUENCE), at;

	cert_id_write(out, ocsp);
	switch (ocsp->status) {
	case OCSP_GOOD:
		derw_tlv(out, DERW_CONTEXT(0), span_of(NULL, 0));
		break;
	case OCSP_REVOKED:
		at = derw_open(out, DERW_CONSTRUCTED(1));
		derw_general_time(out, ocsp->this_ms);
		derw_close(out, at);
		break;
	case OCSP_UNKNOWN:
		derw_tlv(out, DERW_CONTEXT(2), span_of(NULL, 0));
		break;
	}
	derw_general_time(out, ocsp->this_ms);
	at = derw_open(out, DERW_CONSTRUCTED(0));
	derw_general_time(out, ocsp->next_ms);
	derw_close(out, at);
	derw_close(out, single);
}

static void
response_data_write(struct buf *out, const struct forge_ocsp *ocsp)
{
	size_t data = derw_open(out, DERW_SEQUENCE), at;

	at = derw_open(out, DERW_CONSTRUCTED(1)); /* ResponderID byName */
	derw_name(out, ocsp->responder, DERW_UTF8);
	derw_close(out, at);
	derw_general_time(out, ocsp->this_ms);
	at = derw_open(out, DERW_SEQUENCE);
	single_response_write(out, ocsp);
	derw_close(out, at);
	derw_close(out, data);
}

static void
basic_response_write(struct buf *out, const struct forge_ocsp *ocsp)
{
	struct buf data = buf_max(STATUS_MAX);
	size_t basic = derw_open(out, DERW_SEQUENCE), wrap, certs;

	response_data_write(&data, ocsp);
	buf_put(out, buf_span(&data));
	signature_write(out, ocsp->responder_key, buf_span(&data), ocsp->broken_signature);
	if (ocsp->delegate.n > 0) {
		wrap = derw_open(out, DERW_CONSTRUCTED(0));
		certs = derw_open(out, DERW_SEQUENCE);
		buf_put(out, ocsp->delegate);
		derw_close(out, certs);
		derw_close(out, wrap);
	}
	derw_close(out, basic);
	out->bad = out->bad || !buf_ok(&data);
	buf_free(&data);
}

void
lab_status_ocsp_write(const struct forge_ocsp *ocsp, struct buf *out)
{
	const uint32_t successful = 0, try_later = 3;
	size_t response = derw_open(out, DERW_SEQUENCE), wrap, bytes, octets;

	derw_number(out, DERW_ENUM, ocsp->try_later ? try_later : successful);
	if (!ocsp->try_later) {
		wrap = derw_open(out, DERW_CONSTRUCTED(0));
		bytes = derw_open(out, DERW_SEQUENCE);
		derw_oid(out, OID_OCSP_BASIC);
		octets = derw_open(out, DERW_OCTETS);
		basic_response_write(out, ocsp);
		derw_close(out, octets);
		derw_close(out, bytes);
		derw_close(out, wrap);
	}
	derw_close(out, response);
}
