/*
 * fuzz_certmessage.c - a Certificate message of TLS 1.2 (first byte even) or 1.3 (odd), read before anything is computed:
 * every certificate lies inside the message, and the bounds hold.
 */
#include "transport/tls.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct tls_peer peer = {.n_cert = 0};
	struct span message;
	bool whole;

	if (n == 0)
		return 0;
	message = span_of(data + 1, n - 1);
	whole = tls_peer_read(&peer, message, (data[0] & 1) != 0);
	check(peer.n_cert <= TLS_CHAIN_MAX);
	for (size_t i = 0; i < peer.n_cert; i++)
		check(peer.cert[i].p >= message.p && peer.cert[i].p + peer.cert[i].n <= message.p + message.n);
	check(!tls_peer_computable(&peer) || peer.n_cert > 0);
	(void)whole;
	return 0;
}
