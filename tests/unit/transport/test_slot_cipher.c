/* A cipher suite has one name, whether the peer was accepted or refused, in the event and in the details. */
#include "tests/unit/transport/slot_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TLS12 "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+AEAD:+SIGN-ALL:+GROUP-ALL:"
#define TLS13 "NONE:+VERS-TLS1.3:+ECDHE-ECDSA:+AEAD:+SIGN-ALL:+GROUP-ALL:"

static void
the_suite_has_its_registered_name(void **state)
{
	static const struct {
		const char *says, *priority;
		bool refused;
		const char *name;
	} rows[] = {
	    {"TLS 1.3, AES-128, accepted", TLS13 "+AES-128-GCM", false, "TLS_AES_128_GCM_SHA256"},
	    {"TLS 1.3, AES-128, refused", TLS13 "+AES-128-GCM", true, "TLS_AES_128_GCM_SHA256"},
	    {"TLS 1.3, AES-256, accepted", TLS13 "+AES-256-GCM", false, "TLS_AES_256_GCM_SHA384"},
	    {"TLS 1.3, AES-256, refused", TLS13 "+AES-256-GCM", true, "TLS_AES_256_GCM_SHA384"},
	    {"TLS 1.3, ChaCha20, accepted", TLS13 "+CHACHA20-POLY1305", false, "TLS_CHACHA20_POLY1305_SHA256"},
	    {"TLS 1.3, ChaCha20, refused", TLS13 "+CHACHA20-POLY1305", true, "TLS_CHACHA20_POLY1305_SHA256"},
	    {"TLS 1.2, AES-128, accepted", TLS12 "+AES-128-GCM", false, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
	    {"TLS 1.2, AES-128, refused", TLS12 "+AES-128-GCM", true, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
	    {"TLS 1.2, AES-256, accepted", TLS12 "+AES-256-GCM", false, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
	    {"TLS 1.2, AES-256, refused", TLS12 "+AES-256-GCM", true, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
	    {"TLS 1.2, ChaCha20, accepted", TLS12 "+CHACHA20-POLY1305", false,
	     "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
	    {"TLS 1.2, ChaCha20, refused", TLS12 "+CHACHA20-POLY1305", true,
	     "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tp_details details;

		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", rows[i].says);
		f->server.priority = rows[i].priority;
		fake_judge.refuse = rows[i].refused ? REASON_UNTRUSTED : REASON_NONE;
		fixture_ask();
		PUMP_UNTIL(f->n_done == 1);
		assert_int_equal(f->ready, !rows[i].refused);
		assert_string_equal(f->cipher, rows[i].name);
		tp_slot_details(f->slot, &details);
		if (!rows[i].refused)
			assert_string_equal(details.cipher, rows[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {SLOT_TEST(the_suite_has_its_registered_name)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
