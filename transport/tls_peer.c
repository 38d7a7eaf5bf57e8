#include "transport/tls.h"

#include "verify/x509/cert.h"
#include "verify/x509/strength.h"

#define STATUS_REQUEST 5 /* the extension's number (RFC 6066, 8) */
#define STATUS_OCSP    1

/* The staple among the extensions of the peer's own certificate (RFC 8446, 4.4.2.1). False: they cannot be read. */
static bool
staple_read(struct span *staple, struct span extensions)
{
	struct cursor in = cursor_over(extensions), status;

	while (cursor_left(&in) > 0) {
		uint16_t number = cursor_u16(&in);

		status = cursor_over(cursor_vec16(&in));
		if (!cursor_ok(&in) || number != STATUS_REQUEST)
			continue;
		if (cursor_u8(&status) != STATUS_OCSP)
			return false;
		*staple = cursor_vec24(&status);
		if (!cursor_done(&status))
			return false;
	}
	return cursor_ok(&in);
}

bool
tls_peer_read(struct tls_peer *peer, struct span message, bool v13)
{
	struct cursor in = cursor_over(message), list;

	peer->staple_unread = true;
	if (v13)
		cursor_vec8(&in); /* certificate_request_context */
	list = cursor_over(cursor_vec24(&in));
	while (cursor_left(&list) > 0 && peer->n_cert < TLS_CHAIN_MAX) {
		struct span der = cursor_vec24(&list);
		struct span extensions = v13 ? cursor_vec16(&list) : (struct span){NULL, 0};

		if (v13 && peer->n_cert == 0 && cursor_ok(&list))
			peer->staple_unread = !staple_read(&peer->staple, extensions);
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
