#include "verify/x509/usage.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <string.h>

static enum res
basic_read(struct usage *u, struct span value)
{
	struct der_reader in = der_only(value, DER_SEQUENCE);

	u->has_basic = true;
	if (der_at(&in, DER_BOOLEAN) && der_bool(&u->ca, der_any(&in).body) != RES_OK)
		return RES_MALFORMED;
	if (der_at(&in, DER_INTEGER)) {
		if (der_uint(&u->path_len, der_any(&in).body) != RES_OK)
			return RES_MALFORMED;
		u->has_path_len = true;
	}
	return der_done(&in) ? RES_OK : RES_MALFORMED;
}

static enum res
key_usage_read(struct usage *u, struct span value)
{
	struct der_reader in = der_over(value);
	struct span bits = der_take(&in, DER_BIT_STRING).body;

	if (!der_done(&in) || der_bits(&bits) != RES_OK)
		return RES_MALFORMED;
	u->has_key_usage = true;
	u->key_usage = bits.n > 0 ? bits.p[0] : 0;
	return RES_OK;
}

/* Each is for something that a stranger's TLS server must not be able to do. */
static bool
purpose_is_foreign(struct span oid)
{
	const struct span foreign[] = {OID_CODE_SIGNING, OID_EMAIL_PROTECTION, OID_TIME_STAMPING,
				       OID_OCSP_SIGNING, OID_PRECERT_SIGNING};

	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
		if (span_equal(oid, foreign[i]))
			return true;
	return false;
}

static enum res
purposes_read(struct usage *u, struct span value)
{
	struct der_reader in = der_only(value, DER_SEQUENCE);

	u->has_purposes = true;
	if (!der_more(&in))
		return RES_MALFORMED; /* SIZE (1..MAX) */
	while (der_more(&in)) {
		struct span oid = der_take(&in, DER_OID).body;

		u->server_auth |= span_equal(oid, OID_SERVER_AUTH);
		u->any_purpose |= span_equal(oid, OID_ANY_PURPOSE);
		u->foreign_purpose |= purpose_is_foreign(oid);
	}
	return der_done(&in) ? RES_OK : RES_MALFORMED;
}

enum res
usage_read(struct usage *out, const struct cert *c)
{
	const struct cert_ext *basic = cert_ext_find(c, OID_BASIC_CONSTRAINTS);
	const struct cert_ext *key_usage = cert_ext_find(c, OID_KEY_USAGE);
	const struct cert_ext *purposes = cert_ext_find(c, OID_EXTENDED_KEY_USAGE);
	struct usage u = {0};

	if ((basic != NULL && basic_read(&u, basic->value) != RES_OK) ||
	    (key_usage != NULL && key_usage_read(&u, key_usage->value) != RES_OK) ||
	    (purposes != NULL && purposes_read(&u, purposes->value) != RES_OK))
		return RES_MALFORMED;
	*out = u;
	return RES_OK;
}

bool
usage_names_purpose(const struct cert *c, struct span oid)
{
	const struct cert_ext *purposes = cert_ext_find(c, OID_EXTENDED_KEY_USAGE);
	struct der_reader in;

	if (purposes == NULL)
		return false;
	in = der_only(purposes->value, DER_SEQUENCE);
	while (der_more(&in))
		if (span_equal(der_take(&in, DER_OID).body, oid))
			return true;
	return false;
}

const char *
usage_server_fault(const struct usage *u)
{
	if (!u->has_purposes)
		return "it names no purpose; serverAuth is needed";
	if (!u->server_auth)
		return "its extended key usage lacks serverAuth";
	if (u->any_purpose)
		return "its extended key usage allows everything";
	if (u->foreign_purpose)
		return "its extended key usage allows signing of code, mail, time, OCSP or precertificates "
		       "as well";
	/* Every suite that is offered signs with this key (RFC 8446, 4.4.2.2; RFC 8422, 5.3). */
	if (u->has_key_usage && (u->key_usage & USAGE_DIGITAL_SIGNATURE) == 0)
		return "its key usage lacks digitalSignature, which TLS needs";
	if (u->ca)
		return "it is a CA's certificate, not a server's";
	if (u->has_path_len)
		return "it gives a path length, though it is not a CA's (RFC 5280, 4.2.1.9)";
	if (u->has_key_usage && (u->key_usage & USAGE_KEY_CERT_SIGN) != 0)
		return "its key signs certificates, though it is not a CA's (RFC 5280, 4.2.1.9)";
	return NULL;
}

const char *
usage_ca_fault(const struct usage *u, int version)
{
	if (version != 3 || !u->has_basic)
		return "it has no basicConstraints";
	if (!u->ca)
		return "its basicConstraints say that it is not a CA";
	if (u->has_key_usage && (u->key_usage & USAGE_KEY_CERT_SIGN) == 0)
		return "its key usage lacks keyCertSign";
	return NULL;
}

const char *
usage_anchor_fault(const struct usage *u, int version)
{
	return version < 3 ? NULL : usage_ca_fault(u, version);
}

const char *
usage_purpose_fault(const struct usage *u)
{
	return !u->has_purposes || u->server_auth || u->any_purpose ? NULL
								    : "it may not issue for TLS servers";
}
