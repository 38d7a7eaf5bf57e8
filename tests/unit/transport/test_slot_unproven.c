/* A server that does not have its certificate's private key: the handshake fails, and the judge sees the chain as it came. */
#include "tests/unit/transport/slot_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static void
the_chain_is_judged_as_it_came(void **state)
{
	static const struct {
		const char *says, *priority;
		size_t copies;
		enum reason refuse, reason;
		const char *staple;
	} rows[] = {
	    {"TLS 1.2, nothing else is wrong", TLS12, 1, REASON_NONE, REASON_TLS_FAILED, NULL},
	    {"TLS 1.2, the judge refuses", TLS12, 1, REASON_UNTRUSTED, REASON_UNTRUSTED, NULL},
	    {"TLS 1.2, a longer chain", TLS12, 3, REASON_UNTRUSTED, REASON_UNTRUSTED, NULL},
	    {"TLS 1.2, a staple", TLS12, 1, REASON_UNTRUSTED, REASON_UNTRUSTED, "staple"},
	    {"TLS 1.3, nothing else is wrong", TLS13, 1, REASON_NONE, REASON_TLS_FAILED, NULL},
	    {"TLS 1.3, the judge refuses", TLS13, 1, REASON_UNTRUSTED, REASON_UNTRUSTED, NULL},
	    {"TLS 1.3, a longer chain", TLS13, 3, REASON_UNTRUSTED, REASON_UNTRUSTED, NULL},
	    {"TLS 1.3, a staple", TLS13, 1, REASON_UNTRUSTED, REASON_UNTRUSTED, "staple"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const gnutls_datum_t *leaf;

		if (i > 0)
			fixture_renew(state);
		leaf = &f->server.leaf;
		print_message("%s\n", rows[i].says);
		dot_server_lose_key(&f->server);
		f->server.priority = rows[i].priority;
		f->server.chain_copies = rows[i].copies;
		f->server.staple = rows[i].staple;
		fake_judge.refuse = rows[i].refuse;
		fixture_ask();
		PUMP_UNTIL(f->n_done == 1);
		assert_int_equal(f->ready, 0);
		assert_string_equal(reason_code(f->last), reason_code(rows[i].reason));
		assert_string_equal(reason_code(f->asked[0].failure), reason_code(rows[i].reason));

		assert_int_equal(fake_judge.calls, 1);
		assert_int_equal(fake_judge.n_certs, rows[i].copies);
		assert_int_equal(fake_judge.first_n, leaf->size);
		assert_memory_equal(fake_judge.first, leaf->data, sizeof fake_judge.first);
		assert_int_equal(fake_judge.staple_n, rows[i].staple != NULL ? strlen(rows[i].staple) : 0);
		assert_false(fake_judge.staple_unread);
		if (rows[i].refuse == REASON_NONE)
			continue;
		assert_true(f->last_verdict);
		assert_int_equal(f->presented, rows[i].copies);
		assert_int_equal(f->last_certificate, leaf->size);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {SLOT_TEST(the_chain_is_judged_as_it_came)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
