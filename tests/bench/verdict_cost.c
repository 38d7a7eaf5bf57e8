/*
 * verdict_cost.c - what one verdict costs beside what GnuTLS alone would need for it.
 *
 *   verdict_cost CHAIN.pem ANCHORS.pem LOGS.json SYSTEM-ANCHORS.pem
 *
 * One verdict: path, identity, usage, strength, 1,000 disallow entries, and the chain's SCTs with their signatures.
 * Beside it the sum of gnutls_x509_trust_list_verify_crt2 over the same chain and one gnutls_pubkey_verify_data2 for
 * each SCT. Rounds of both are interleaved and the medians compared. Loading times stand below.
 */
#include "verify/pem.h"
#include "verify/verify.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS     5
#define REPEAT     400
#define RATIO_MAX  1.3
#define LONG_LIST_MAX 1.1
#define ENTRIES    1000
#define MANY       100000
#define FILE_LIMIT (16 * 1024 * 1024)

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct span
file_read(const char *path)
{
	uint8_t *p = malloc(FILE_LIMIT);
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!p || !f) {
		perror(path);
		exit(2);
	}
	n = fread(p, 1, FILE_LIMIT, f);
	fclose(f);
	return span_of(p, n);
}

/* The certificates of a PEM text, as DER that lives on. */
static size_t
chain_read(struct span *out, size_t max, struct span text)
{
	size_t n = 0;

	while (n < max) {
		struct buf der = buf_max(FILE_LIMIT);

		if (pem_next(&der, &text, "CERTIFICATE") != RES_OK)
			break;
		out[n++] = buf_span(&der);
	}
	return n;
}

static const struct disallow *
entries_make(size_t n)
{
	struct disallow_builder *b;
	struct disallow *list;
	char entry[160], *why = NULL;

	if (disallow_builder_new(&b) != RES_OK)
		exit(2);
	for (size_t i = 0; i < n; i++) {
		if (i % 2 == 0)
			snprintf(entry, sizeof entry, "serial %08zx issuer CN=CA %zu,O=Bench", i + 1, i % 97);
		else
			snprintf(entry, sizeof entry, "spki-sha256 %064zx", i);
		if (disallow_add(b, entry, &why) != RES_OK)
			exit(2);
	}
	if (disallow_finish(&list, b) != RES_OK)
		exit(2);
	return list;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *v)
{
	qsort(v, ROUNDS, sizeof *v, compare);
	return v[ROUNDS / 2];
}

static double
verdict_round(const struct vfy_policy *policy, const struct vfy_input *input)
{
	double begin = now_us();

	for (int i = 0; i < REPEAT; i++) {
		struct verdict v = {0};

		vfy_check(&v, policy, input);
		if (!verdict_accepted(&v)) {
			fprintf(stderr, "the chain is not accepted\n");
			exit(2);
		}
		verdict_clear(&v);
	}
	return (now_us() - begin) / REPEAT;
}

/* What GnuTLS needs: the chain from bytes, its verification, and `scts` ECDSA signatures over as many bytes. */
static double
gnutls_round(gnutls_x509_trust_list_t anchors, const struct vfy_input *input, gnutls_pubkey_t key, const gnutls_datum_t *data,
    const gnutls_datum_t *signature, size_t scts)
{
	double begin = now_us();

	for (int i = 0; i < REPEAT; i++) {
		gnutls_x509_crt_t certs[VFY_CERTS_MAX];
		unsigned status = 0;

		for (size_t k = 0; k < input->n_certs; k++) {
			gnutls_datum_t der = {(unsigned char *)(uintptr_t)input->certs[k].p, (unsigned)input->certs[k].n};

			gnutls_x509_crt_init(&certs[k]);
			gnutls_x509_crt_import(certs[k], &der, GNUTLS_X509_FMT_DER);
		}
		gnutls_x509_trust_list_verify_crt2(anchors, certs, (unsigned)input->n_certs, NULL, 0, 0, &status, NULL);
		if (status != 0) {
			fprintf(stderr, "GnuTLS does not accept the chain\n");
			exit(2);
		}
		for (size_t k = 0; k < scts; k++)
			if (gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, data, signature) < 0)
				exit(2);
		for (size_t k = 0; k < input->n_certs; k++)
			gnutls_x509_crt_deinit(certs[k]);
	}
	return (now_us() - begin) / REPEAT;
}

/* A P-256 key and its signature over 600 bytes: as large as what a log signs. */
static void
signature_make(gnutls_pubkey_t *key, gnutls_datum_t *data, gnutls_datum_t *signature)
{
	static unsigned char bytes[600];
	gnutls_privkey_t secret;

	gnutls_privkey_init(&secret);
	gnutls_privkey_generate(secret, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_pubkey_init(key);
	gnutls_pubkey_import_privkey(*key, secret, 0, 0);
	*data = (gnutls_datum_t){bytes, sizeof bytes};
	gnutls_privkey_sign_data2(secret, GNUTLS_SIGN_ECDSA_SHA256, 0, data, signature);
	gnutls_privkey_deinit(secret);
}

int
main(int argc, char **argv)
{
	static double ours[ROUNDS], theirs[ROUNDS], large[ROUNDS];
	struct vfy_policy policy = {.ct_mode = CT_REQUIRE, .ct_policy = CT_STRICT, .ct_list_max_age_ms = (int64_t)70 * 86400000, .n_disallow = 1};
	struct vfy_policy policy_large;
	struct vfy_input input = {.now_ms = (int64_t)time(NULL) * 1000};
	static const uint8_t ip[4] = {127, 0, 0, 1};
	static struct span chain[VFY_CERTS_MAX];
	struct trust *trust, *system_trust;
	struct ctlogs *logs;
	gnutls_x509_trust_list_t anchors;
	gnutls_pubkey_t key;
	gnutls_datum_t data, signature, anchors_pem;
	struct span text;
	char *why = NULL;
	double begin, a, b, c;

	if (argc != 5) {
		fprintf(stderr, "usage: verdict_cost CHAIN.pem ANCHORS.pem LOGS.json SYSTEM-ANCHORS.pem\n");
		return 2;
	}
	input.certs = chain;
	input.n_certs = chain_read(chain, VFY_CERTS_MAX, file_read(argv[1]));
	if (input.n_certs == 0 || trust_from_pem(&trust, file_read(argv[2]), &why) != RES_OK ||
	    ctlogs_from_any(&logs, file_read(argv[3]), &why) != RES_OK) {
		fprintf(stderr, "the input can not be read: %s\n", why ? why : "?");
		return 2;
	}
	policy.trust = trust;
	policy.ctlogs = logs;
	policy.disallow[0] = entries_make(ENTRIES);
	policy_large = policy;
	begin = now_us();
	policy_large.disallow[0] = entries_make(MANY);
	a = now_us() - begin;
	input.ip = span_of(ip, sizeof ip);

	text = file_read(argv[2]);
	anchors_pem = (gnutls_datum_t){(unsigned char *)(uintptr_t)text.p, (unsigned)text.n};
	gnutls_x509_trust_list_init(&anchors, 0);
	gnutls_x509_trust_list_add_trust_mem(anchors, &anchors_pem, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	signature_make(&key, &data, &signature);

	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = verdict_round(&policy, &input);
		theirs[i] = gnutls_round(anchors, &input, key, &data, &signature, 3);
		large[i] = verdict_round(&policy_large, &input);
	}
	b = median(ours) / median(theirs);
	c = median(large) / median(ours);
	printf("# one verdict %.0f us, GnuTLS's own part of it %.0f us: ratio %.2f\n", median(ours), median(theirs), b);
	printf("# the same under %d disallow entries %.0f us: ratio %.2f; loading them %.0f ms\n", MANY, median(large), c, a / 1e3);
	begin = now_us();
	if (trust_from_pem(&system_trust, file_read(argv[4]), &why) == RES_OK)
		printf("# loading %zu anchors of the system %.1f ms\n", trust_count(system_trust), (now_us() - begin) / 1e3);
	begin = now_us();
	if (ctlogs_compiled_in(&logs) == RES_OK)
		printf("# loading the compiled-in list of %zu logs %.1f ms\n", ctlogs_count(logs), (now_us() - begin) / 1e3);
	if (b <= RATIO_MAX)
		printf("ok bench/verdict\n");
	else
		printf("not ok bench/verdict: %.2f times GnuTLS's own part, at most %.1f is wanted\n", b, RATIO_MAX);
	if (c <= LONG_LIST_MAX)
		printf("ok bench/verdict under a long list\n");
	else
		printf("not ok bench/verdict under a long list: %.2f times as dear\n", c);
	return b <= RATIO_MAX && c <= LONG_LIST_MAX ? 0 : 1;
}
