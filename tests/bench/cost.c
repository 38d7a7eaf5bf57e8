/*
 * cost.c - the highest cost of the signatures of one verdict, whatever a peer presents: for each kind of key as many checks
 * as the judge's budget allows, compared with 64 checks with RSA-4096. CPU microseconds, the median of ROUNDS.
 */
#include "tests/bench/measure.h"
#include "verify/verify.h"
#include "verify/x509/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <gnutls/abstract.h>

#define ROUNDS 9
#define CHECKS 40

#define ALGORITHM(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}

static const struct kind {
	const char *name;
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	gnutls_digest_algorithm_t digest;
	struct span algorithm;
} kinds[] = {
#define RSA_SHA256 ALGORITHM("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00")
    {"rsa-4096", GNUTLS_PK_RSA, 4096, GNUTLS_DIG_SHA256, RSA_SHA256}, /* first: the others are compared with it */
    {"rsa-2048", GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, RSA_SHA256},
    {"rsa-8192", GNUTLS_PK_RSA, 8192, GNUTLS_DIG_SHA256, RSA_SHA256},
    {"p-256", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), GNUTLS_DIG_SHA256,
     ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")},
    {"p-384", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), GNUTLS_DIG_SHA384,
     ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03")},
    {"p-521", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1), GNUTLS_DIG_SHA512,
     ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04")},
    {"ed25519", GNUTLS_PK_EDDSA_ED25519, 256, GNUTLS_DIG_SHA512, ALGORITHM("\x30\x05\x06\x03\x2b\x65\x70")},
    {"ed448", GNUTLS_PK_EDDSA_ED448, 456, GNUTLS_DIG_SHAKE_256, ALGORITHM("\x30\x05\x06\x03\x2b\x65\x71")},
};

/* The time of one check. most: how many of them one verdict may make. */
static double
measure(const struct kind *kind, size_t *most)
{
	static uint8_t text[400]; /* about a TBSCertificate with an EC key */
	gnutls_datum_t data = {text, sizeof text}, value, spki;
	gnutls_privkey_t private;
	gnutls_pubkey_t public;
	struct signature s = {.bytes = span_of(text, sizeof text)};
	double us[ROUNDS];

	bench_need(gnutls_privkey_init(&private) == 0 && gnutls_pubkey_init(&public) == 0 &&
		 gnutls_privkey_generate(private, kind->pk, kind->bits, 0) == 0 &&
		 gnutls_privkey_sign_data(private, kind->digest, 0, &data, &value) == 0 &&
		 gnutls_pubkey_import_privkey(public, private, 0, 0) == 0 &&
		 gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &spki) == 0,
	     "no key, or no signature");
	s.value = span_of(value.data, value.size);
	bench_need(algorithm_read(&s.algorithm, kind->algorithm) == RES_OK, "an algorithm cannot be read");
	for (int k = 0; k < ROUNDS; k++) {
		double from = bench_cpu_us();

		for (int i = 0; i < CHECKS; i++) {
			struct signature_budget budget = {.max = 1, .cost_max = VFY_SIG_COST_MAX};

			bench_need(signature_check(&s, span_of(spki.data, spki.size), &budget) == RES_OK, "a signature does not verify");
			*most = VFY_SIG_COST_MAX / budget.cost;
		}
		us[k] = (bench_cpu_us() - from) / CHECKS;
	}
	if (*most > VFY_SIG_CHECKS_MAX)
		*most = VFY_SIG_CHECKS_MAX;
	gnutls_free(value.data);
	gnutls_free(spki.data);
	gnutls_privkey_deinit(private);
	gnutls_pubkey_deinit(public);
	return bench_median(us, ROUNDS);
}

int
main(void)
{
	double measure_us = 0, worst = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t most;
		double us = measure(&kinds[i], &most), all = us * (double)most;

		if (i == 0)
			measure_us = 64 * us;
		if (all > worst)
			worst = all;
		printf("%s %.1f us, at most %zu: %.0f us\n", kinds[i].name, us, most, all);
	}
	printf("worst %.0f\nmeasure %.0f\n", worst, measure_us);
	return 0;
}
