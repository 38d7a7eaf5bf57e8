/* The Certificate message of a peer: only the first certificates of a long chain are kept. */
#include "transport/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A message of n empty certificates (RFC 8446, 4.4.2, and RFC 5246, 7.4.2). */
static void
message(struct buf *out, unsigned n, bool v13)
{
	if (v13)
		buf_u8(out, 0);
	buf_u8(out, 0);
	buf_u16(out, (uint16_t)(n * (v13 ? 5 : 3)));
	for (unsigned i = 0; i < n; i++) {
		buf_u8(out, 0);
		buf_u16(out, 0);
		if (v13)
			buf_u16(out, 0);
	}
}

static void
the_first_certificates_of_a_long_chain_are_kept(void **state)
{
	(void)state;
	for (unsigned v13 = 0; v13 < 2; v13++)
		for (unsigned n = 0; n <= TLS_CHAIN_MAX + 2; n++) {
			struct tls_peer *peer = calloc(1, sizeof *peer);
			struct buf text = buf_max(4096);

			assert_non_null(peer);
			message(&text, n, v13);
			assert_true(tls_peer_read(peer, buf_span(&text), v13) || n > TLS_CHAIN_MAX);
			assert_int_equal(peer->n_cert, n < TLS_CHAIN_MAX ? n : TLS_CHAIN_MAX);
			buf_free(&text);
			free(peer);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_first_certificates_of_a_long_chain_are_kept)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
