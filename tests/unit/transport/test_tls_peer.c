/* The Certificate message of a peer: only the first certificates of a long chain are kept, and the staple of the first. */
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

#define BYTES(s) span_of((const uint8_t *)(s), sizeof(s) - 1)

static void
the_staple_of_the_first_certificate_is_read(void **state)
{
	const struct {
		const char *says;
		bool v13;
		struct span extensions, next; /* of the first certificate, of the second */
		size_t staple;
		bool unread;
	} rows[] = {
	    {"TLS 1.2: another message has it", false, {NULL, 0}, {NULL, 0}, 0, true},
	    {"no extensions: there is none", true, {NULL, 0}, {NULL, 0}, 0, false},
	    {"a staple", true, BYTES("\0\5\0\7\1\0\0\3abc"), {NULL, 0}, 3, false},
	    {"a staple after another extension", true, BYTES("\0\x12\0\1x\0\5\0\7\1\0\0\3abc"), {NULL, 0}, 3, false},
	    {"another extension only", true, BYTES("\0\x12\0\7\1\0\0\3abc"), {NULL, 0}, 0, false},
	    {"a staple of the issuer's certificate", true, {NULL, 0}, BYTES("\0\5\0\7\1\0\0\3abc"), 0, false},
	    {"a status of another type", true, BYTES("\0\5\0\7\2\0\0\3abc"), {NULL, 0}, 0, true},
	    {"a staple that is cut short", true, BYTES("\0\5\0\7\1\0\0\4abc"), {NULL, 0}, 0, true},
	    {"bytes after a staple", true, BYTES("\0\5\0\7\1\0\0\2abc"), {NULL, 0}, 2, true},
	    {"an extension that is cut short", true, BYTES("\0\5\0\x8\1\0\0\3abc"), {NULL, 0}, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct span *extensions[] = {&rows[i].extensions, &rows[i].next};
		struct tls_peer *peer = calloc(1, sizeof *peer);
		struct buf list = buf_max(4096), text = buf_max(4096);

		print_message("%s\n", rows[i].says);
		assert_non_null(peer);
		for (size_t k = 0; k < 2; k++) {
			buf_u24(&list, 4);
			buf_put(&list, BYTES("cert"));
			if (rows[i].v13)
				buf_u16(&list, (uint16_t)extensions[k]->n);
			buf_put(&list, *extensions[k]);
		}
		if (rows[i].v13)
			buf_u8(&text, 0);
		buf_u24(&text, (uint32_t)list.n);
		buf_put(&text, buf_span(&list));
		assert_true(tls_peer_read(peer, buf_span(&text), rows[i].v13));
		assert_int_equal(peer->n_cert, 2);
		assert_int_equal(peer->staple.n, rows[i].staple);
		assert_int_equal(peer->staple_unread, rows[i].unread);
		buf_free(&list);
		buf_free(&text);
		free(peer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_first_certificates_of_a_long_chain_are_kept),
					   cmocka_unit_test(the_staple_of_the_first_certificate_is_read)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
