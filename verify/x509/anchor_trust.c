#include "verify/x509/anchor_trust.h"

#include "verify/x509/der.h"
#include "verify/x509/oid.h"

/* Is a use that means TLS servers in the list? */
static bool
has_servers(struct der_reader *list)
{
	bool found = false;

	while (der_more(list)) {
		struct span oid = der_take(list, DER_OID).body;

		found = found || span_equal(oid, OID_SERVER_AUTH) || span_equal(oid, OID_ANY_PURPOSE);
	}
	return found;
}

enum res
anchor_trust_read(bool *servers, struct span aux)
{
	struct der_reader in, list;
	bool trusted = true, rejected = false, well = true;

	*servers = false;
	if (aux.n == 0) {
		*servers = true;
		return RES_OK;
	}
	in = der_only(aux, DER_SEQUENCE);
	if (der_at(&in, DER_SEQUENCE)) {
		list = der_enter(&in, DER_SEQUENCE);
		trusted = has_servers(&list);
		well = der_done(&list);
	}
	if (der_at(&in, DER_CONTEXT_CONS(0))) {
		list = der_enter(&in, DER_CONTEXT_CONS(0));
		rejected = has_servers(&list);
		well = well && der_done(&list);
	}
	while (der_more(&in)) /* alias, key id, other: for people */
		(void)der_any(&in);
	if (!well || !der_done(&in))
		return RES_MALFORMED;
	*servers = trusted && !rejected;
	return RES_OK;
}
