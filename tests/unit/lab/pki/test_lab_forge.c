#include "contrib/lab/scenarios/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "base/text.h"
#include "contrib/lab/lab.h"

static char folder[] = "/tmp/test-lab-forge.XXXXXX";
static struct world *world;

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL && world_open(&world, folder, 0) == RES_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	world_close(world);
	lab_folder_remove(folder);
	return 0;
}

static struct site *
site_of(const char *name)
{
	struct addr ip4 = LAB_IP4, ip6 = LAB_IP6;
	struct site *site;
	const struct scenario *scenario = scenario_find(name);

	assert_non_null(scenario);
	assert_int_equal(site_new(&site, world, scenario, &ip4, &ip6), RES_OK);
	return site;
}

static gnutls_x509_crt_t
imported(const struct buf *der)
{
	gnutls_datum_t datum = {der->p, (unsigned)der->n};
	gnutls_x509_crt_t cert;

	assert_int_equal(gnutls_x509_crt_init(&cert), 0);
	assert_int_equal(gnutls_x509_crt_import(cert, &datum, GNUTLS_X509_FMT_DER), 0);
	return cert;
}

static void
a_library_reads_what_was_forged(void **state)
{
	struct site *site = site_of("good-v4");
	gnutls_x509_crt_t leaf = imported(&site->chain[0]), issuer = imported(&site->chain[1]);
	unsigned result = 1, type;
	uint8_t ip[16];
	size_t n = sizeof ip;

	(void)state;
	assert_int_equal(gnutls_x509_crt_get_version(leaf), 3);
	assert_int_equal(gnutls_x509_crt_verify(leaf, &issuer, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &result),
			 0);
	assert_int_equal(result, 0);
	assert_int_equal(gnutls_x509_crt_get_subject_alt_name2(leaf, 1, ip, &n, &type, NULL),
			 GNUTLS_SAN_IPADDRESS);
	assert_int_equal(n, 4);
	assert_memory_equal(ip, "\1\1\1\1", 4);
	gnutls_x509_crt_deinit(leaf);
	gnutls_x509_crt_deinit(issuer);
	site_free(site);
}

static void
the_same_folder_forges_the_same_bytes(void **state)
{
	struct site *one = site_of("good-static-ct"), *two;
	struct world *other;
	struct addr ip4 = LAB_IP4, ip6 = LAB_IP6;

	(void)state;
	assert_int_equal(world_open(&other, folder, world_at(world)), RES_OK);
	assert_int_equal(site_new(&two, other, one->scenario, &ip4, &ip6), RES_OK);
	assert_int_equal(one->n_chain, two->n_chain);
	for (size_t i = 0; i < one->n_chain; i++)
		assert_true(span_equal(buf_span(&one->chain[i]), buf_span(&two->chain[i])));
	site_free(one);
	site_free(two);
	world_close(other);
}

static void
a_world_of_another_time_is_refused(void **state)
{
	struct world *other = NULL;

	(void)state;
	assert_int_equal(world_open(&other, folder, world_at(world) + DAY_MS), RES_MALFORMED);
	assert_null(other);
}

/* The signed part of a certificate: what follows its own header. */
static struct span
tbs_of(const struct buf *der)
{
	struct span in = buf_span(der);
	size_t head = in.p[1] < 0x80 ? 2 : 2u + (in.p[1] & 0x7f), n = in.p[head + 1], inner = 2;

	if (n >= 0x80) {
		inner = 2 + (n & 0x7f);
		n = 0;
		for (size_t i = 2; i < inner; i++)
			n = n << 8 | in.p[head + i];
	}
	return span_slice(in, head, inner + n);
}

static void
logs_see_the_certificate_without_the_list(void **state)
{
	struct buf with = buf_max(FORGE_CERT_MAX), without = buf_max(FORGE_CERT_MAX),
		   seen = buf_max(FORGE_CERT_MAX);
	struct site *site = site_of("good-v4");
	struct forge f;

	(void)state;
	site_leaf(site, &f, CA_ISSUING);
	forge_certificate(&f, world_logs(world), &with);
	forge_precert_tbs(&f, &seen);
	f.n_sct = 0;
	forge_certificate(&f, world_logs(world), &without);
	assert_true(span_equal(buf_span(&seen), tbs_of(&without)));
	assert_false(span_equal(buf_span(&seen), tbs_of(&with)));
	forge_free(&f);
	buf_free(&with);
	buf_free(&without);
	buf_free(&seen);
	site_free(site);
}

struct sct_fault_row {
	const char *sentence;
	enum log_id log;
	enum sct_fault fault;
	bool verifies;
	uint8_t version;
	size_t extensions;
};

static const struct sct_fault_row sct_fault_rows[] = {
    {"a good SCT", LOG_ALPHA, SCT_GOOD, true, 0, 0},
    {"a good SCT of an RSA log", LOG_RSA, SCT_GOOD, true, 0, 0},
    {"a static-ct log puts its leaf_index in", LOG_DELTA_TILED, SCT_GOOD, true, 0, 8},
    {"an unknown extension is signed too", LOG_DELTA_TILED, SCT_SPARE_EXTENSION, true, 0, 13},
    {"an SCT without extensions is signed without extensions", LOG_DELTA_TILED, SCT_NO_EXTENSIONS, true, 0, 0},
    {"altered extensions break the signature", LOG_DELTA_TILED, SCT_ALTERED_EXTENSIONS, false, 0, 8},
    {"one flipped bit of the signature", LOG_ALPHA, SCT_BROKEN_SIGNATURE, false, 0, 0},
    {"another certificate", LOG_ALPHA, SCT_OTHER_CERTIFICATE, false, 0, 0},
    {"another issuer", LOG_ALPHA, SCT_OTHER_ISSUER, false, 0, 0},
    {"another time", LOG_ALPHA, SCT_OTHER_TIME, false, 0, 0},
    {"an x509_entry", LOG_ALPHA, SCT_X509_ENTRY, false, 0, 0},
    {"an SCT of another version is signed as v1", LOG_ALPHA, SCT_VERSION_2, true, 1, 0},
};

/* Builds the signed data as in RFC 6962, 3.2, and checks the SCT with the log's key from the list. */
static bool
sct_verifies(struct span wire, const struct log_entry *entry, const struct key *key,
	     const struct sct_fault_row *row)
{
	struct cursor in = cursor_over(wire);
	struct buf data = buf_max(FORGE_CERT_MAX);
	struct span extensions, signature;
	gnutls_datum_t message, sig;
	uint64_t ms;
	int good;

	assert_int_equal(cursor_u8(&in), row->version);
	assert_memory_equal(cursor_take(&in, 32).p, key->spki_sha256, 32);
	ms = cursor_u64(&in);
	extensions = cursor_vec16(&in);
	assert_int_equal(extensions.n, row->extensions);
	assert_int_equal(cursor_u8(&in), 4);
	assert_int_equal(cursor_u8(&in), key->kind == KEY_P256 ? 3 : 1);
	signature = cursor_vec16(&in);
	assert_true(cursor_done(&in));
	buf_u16(&data, 0);
	buf_u64(&data, ms);
	buf_u16(&data, 1);
	buf_put(&data, span_of(entry->issuer_key_hash, 32));
	buf_u24(&data, (uint32_t)entry->tbs.n);
	buf_put(&data, entry->tbs);
	buf_u16(&data, (uint16_t)extensions.n);
	buf_put(&data, extensions);
	message = (gnutls_datum_t){data.p, (unsigned)data.n};
	sig = (gnutls_datum_t){(unsigned char *)(uintptr_t)signature.p, (unsigned)signature.n};
	good = gnutls_pubkey_verify_data2(
	    key->public, key->kind == KEY_P256 ? GNUTLS_SIGN_ECDSA_SHA256 : GNUTLS_SIGN_RSA_SHA256, 0,
	    &message, &sig);
	buf_free(&data);
	return good == 0;
}

static const char *
log_key_name(enum log_id log)
{
	return log == LOG_ALPHA ? "log-alpha-1" : log == LOG_RSA ? "log-xi-rsa" : "log-delta-1";
}

static void
scts_are_right_and_wrong_as_requested(void **state)
{
	static const uint8_t issuer[32] = {1, 2, 3};
	const struct log_entry entry = {span_str("a TBSCertificate"), issuer};

	(void)state;
	for (size_t i = 0; i < sizeof sct_fault_rows / sizeof *sct_fault_rows; i++) {
		const struct sct_fault_row *row = &sct_fault_rows[i];
		struct forge_sct sct = {row->log, 1234567890123, row->fault};
		struct buf out = buf_max(UINT16_MAX);
		bool verifies;

		toylog_sign(world_logs(world), &sct, &entry, &out);
		assert_true(buf_ok(&out));
		verifies = sct_verifies(
		    buf_span(&out), &entry,
		    world_key(world, log_key_name(row->log), row->log == LOG_RSA ? KEY_RSA_2048 : KEY_P256),
		    row);
		if (verifies != row->verifies)
			fail_msg("%s: verifies: %d", row->sentence, verifies);
		buf_free(&out);
	}
}

static void
every_scenario_can_be_made(void **state)
{
	const struct scenario *row;

	(void)state;
	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++) {
		struct site *site = site_of(row->name);

		assert_true(site->n_chain > 0);
		assert_true(site->anchors.n > 0);
		site_free(site);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_library_reads_what_was_forged),
	    cmocka_unit_test(the_same_folder_forges_the_same_bytes),
	    cmocka_unit_test(a_world_of_another_time_is_refused),
	    cmocka_unit_test(logs_see_the_certificate_without_the_list),
	    cmocka_unit_test(scts_are_right_and_wrong_as_requested),
	    cmocka_unit_test(every_scenario_can_be_made),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
