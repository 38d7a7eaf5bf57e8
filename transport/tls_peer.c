#include "transport/tls.h"

#include "verify/x509/cert.h"
#include "verify/x509/strength.h"

bool
tls_peer_read(struct tls_peer *peer, struct span message, bool v13)
{
	struct cursor in = cursor_over(message), list;

	if (v13)
		cursor_vec8(&in); /* certificate_request_context */
	list = cursor_over(cursor_vec24(&in));
	while (cursor_left(&list) > 0 && peer->n_cert < TLS_CHAIN_MAX) {
		struct span der = cursor_vec24(&list);

		if (v13)
			cursor_vec16(&list); /* extensions of the entry */
		if (cursor_ok(&list))
			peer->cert[peer->n_cert++] = der;
	}
	return cursor_done(&in) && cursor_ok(&list);
}

bool
tls_peer_computable(const struct tls_peer *peer)
{
	struct cert leaf;

	return peer->n_cert > 0 && cert_read_parts(&leaf, peer->cert[0]) == RES_OK &&
	       strength_key_fault(leaf.spki) == NULL;
}
