/* SCTs as promises: which ones a log really made, and what a missing entry means. */
#include "verify/ct/promise.h"

#include "tests/unit/verify/forged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
promises_are_those_that_logs_made(void **state)
{
	static const struct {
		const char *what;
		enum sct_fault fault;
		bool with_issuer;
		enum res res;
		enum promise_state state;
		enum log_id log;
		enum ca_id before; /* a CA before the issuer in the chain; CA_ROOT: none */
	} rows[] = {
	    {"a good SCT", SCT_GOOD, true, RES_OK, PROMISE_SIGNED, LOG_ALPHA, CA_ROOT},
	    {"the issuer's certificate is not in the chain", SCT_GOOD, false, RES_UNSUPPORTED, PROMISE_SIGNED, LOG_ALPHA, CA_ROOT},
	    {"a signature that does not verify", SCT_BROKEN_SIGNATURE, true, RES_OK, PROMISE_BAD_SIGNATURE, LOG_ALPHA, CA_ROOT},
	    {"an SCT for another certificate", SCT_OTHER_CERTIFICATE, true, RES_OK, PROMISE_BAD_SIGNATURE, LOG_ALPHA, CA_ROOT},
	    {"an SCT for another issuer's certificate", SCT_OTHER_ISSUER, true, RES_OK, PROMISE_BAD_SIGNATURE, LOG_ALPHA, CA_ROOT},
	    {"an SCT whose time was changed", SCT_OTHER_TIME, true, RES_OK, PROMISE_BAD_SIGNATURE, LOG_ALPHA, CA_ROOT},
	    {"another CA's certificate before the issuer's", SCT_GOOD, true, RES_OK, PROMISE_SIGNED, LOG_ALPHA, CA_FINA_ISSUING},
	    {"a false CA of the issuer's name before it", SCT_GOOD, true, RES_OK, PROMISE_SIGNED, LOG_ALPHA, CA_FALSE_ISSUING},
	    {"a false CA of the issuer's name alone", SCT_GOOD, false, RES_UNSUPPORTED, PROMISE_SIGNED, LOG_ALPHA, CA_FALSE_ISSUING},
	    {"a static-ct log", SCT_GOOD, true, RES_OK, PROMISE_SIGNED, LOG_DELTA_TILED, CA_ROOT},
	    {"a static-ct log that gives no leaf index", SCT_NO_EXTENSIONS, true, RES_OK, PROMISE_NO_PLACE, LOG_DELTA_TILED, CA_ROOT},
	    {"a log that is in no list", SCT_GOOD, true, RES_OK, PROMISE_UNKNOWN_LOG, LOG_UNKNOWN, CA_ROOT},
	    {"an SCT that claims another algorithm than its log's, and no other SCT", SCT_ALGORITHM_RSA, true, RES_OK, PROMISE_BAD_SIGNATURE, LOG_ALPHA, CA_ROOT},
	    {"an SCT that claims SHA-1", SCT_ALGORITHM_SHA1, true, RES_OK, PROMISE_BAD_SIGNATURE, LOG_ALPHA, CA_ROOT},
	    {"an SCT of another version", SCT_VERSION_2, true, RES_OK, PROMISE_UNKNOWN_LOG, LOG_ALPHA, CA_ROOT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct promises *promises = malloc(sizeof *promises);
		struct forged f;
		struct forge leaf;
		enum res res;

		assert_non_null(promises);
		forged_begin(&f);
		forged_leaf(&leaf, CA_ISSUING);
		leaf.n_sct = 0;
		forge_sct_add(&leaf, rows[i].log, leaf.not_before_ms + HOUR_MS, rows[i].fault);
		forged_put(&f, &leaf);
		if (rows[i].before != CA_ROOT)
			forged_put_ca(&f, rows[i].before);
		if (rows[i].with_issuer)
			forged_put_ca(&f, CA_ISSUING);
		res = promises_read(promises, f.certs, f.n, f.policy.ctlogs);
		if (res != rows[i].res)
			fail_msg("%s: %s", rows[i].what, res_text(res));
		if (res == RES_OK && (promises->n != 1 || promises->promise[0].state != rows[i].state))
			fail_msg("%s: state %d of %zu", rows[i].what, promises->promise[0].state, promises->n);
		if (res == RES_OK && rows[i].state == PROMISE_SIGNED)
			assert_int_equal(promises->promise[0].timestamp_ms, leaf.not_before_ms + HOUR_MS);
		forge_free(&leaf);
		forged_end(&f);
		free(promises);
	}
}

static void
a_certificate_without_scts_promises_nothing(void **state)
{
	struct promises *promises = malloc(sizeof *promises);
	struct forged f;
	struct forge leaf;

	(void)state;
	assert_non_null(promises);
	forged_begin(&f);
	forged_leaf(&leaf, CA_ISSUING);
	leaf.n_sct = 0;
	forged_put(&f, &leaf);
	forged_put_ca(&f, CA_ISSUING);
	assert_int_equal(promises_read(promises, f.certs, f.n, f.policy.ctlogs), RES_NOT_FOUND);
	assert_int_equal(promises_read(promises, f.certs, 0, f.policy.ctlogs), RES_MALFORMED);
	forge_free(&leaf);
	forged_end(&f);
	free(promises);
}

#define SCT_AT 1000000000000

static void
a_missing_entry_is_judged_by_the_head_and_the_delay(void **state)
{
	static const struct {
		const char *what;
		uint32_t mmd_s;
		bool tiled;
		int64_t head_ms, now_ms; /* after the SCT */
		enum promise_missing missing;
	} rows[] = {
	    {"within a day", 86400, false, 86399000, 86399000, PROMISE_NOT_YET},
	    {"a day later", 86400, false, 86400000, 86400000, PROMISE_BROKEN},
	    {"much later, with a head from before that", 86400, false, 86399999, 900000000, PROMISE_UNSETTLED},
	    {"much later, with a head from then", 86400, false, 900000000, 900000000, PROMISE_BROKEN},
	    {"an old head within the delay", 86400, false, -900000000, 1000, PROMISE_NOT_YET},
	    {"a list without a delay, RFC 6962", 0, false, 3600000, 3600000, PROMISE_NOT_YET},
	    {"a list without a delay, a day later", 0, false, 86400000, 86400000, PROMISE_BROKEN},
	    {"a list without a delay, static-ct", 0, true, 59000, 59000, PROMISE_NOT_YET},
	    {"a list without a delay, static-ct, a minute later", 0, true, 60000, 60000, PROMISE_BROKEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct ctlog log = {.mmd_s = rows[i].mmd_s, .tiled = rows[i].tiled};
		const struct promise p = {.log = &log, .timestamp_ms = SCT_AT};

		if (promise_missing(&p, (uint64_t)(SCT_AT + rows[i].head_ms), SCT_AT + rows[i].now_ms) != rows[i].missing)
			fail_msg("%s", rows[i].what);
	}
}

/* A timestamp near the largest number must not wrap to a promise that is long due. */
static void
a_promise_of_the_far_future_is_not_due(void **state)
{
	const struct ctlog log = {.mmd_s = 86400};
	const struct promise p = {.log = &log, .timestamp_ms = UINT64_MAX - 5};

	(void)state;
	assert_int_equal(promise_missing(&p, SCT_AT, SCT_AT), PROMISE_NOT_YET);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(promises_are_those_that_logs_made),
	    cmocka_unit_test(a_certificate_without_scts_promises_nothing),
	    cmocka_unit_test(a_missing_entry_is_judged_by_the_head_and_the_delay),
	    cmocka_unit_test(a_promise_of_the_far_future_is_not_due),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
