/*
 * verdict.c - the cost of a verdict, compared with the library calls that it cannot do without, and the cost of
 * loading.
 *
 *   verdict CHAIN.pem ANCHORS.pem LOGS.json IP RFC3339
 *
 * Each line is a name and a number: microseconds of processor time, the median of ROUNDS in which all take
 * turns. The baseline is GnuTLS's verification of the same certificates, imported before, and one
 * gnutls_pubkey_verify_data2 for each SCT over the bytes that the log signed, composed before.
 */
#include "base/addr.h"
#include "base/text.h"
#include "verify/x509/cert.h"
#include "verify/judge.h"
#include "tests/bench/measure.h"
#include "verify/verify.h"
#include "verify/x509/pem.h"
#include "verify/x509/trust.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS       5
#define VERDICTS     200 /* in one round */
#define CERTS_MAX    8
#define ENTRIES_FEW  1000
#define ENTRIES_MANY 100000

static const char SYSTEM_ANCHORS[] = "/etc/ssl/certs/ca-certificates.crt";

/* Half of the entries are serials, half fingerprints; none matches the chain. */
static struct buf
entries_text(size_t n)
{
	struct buf text = buf_max(BENCH_FILE_MAX);

	for (size_t i = 0; i < n; i++) {
		if (i % 2 == 0)
			buf_format(&text, "serial %08zx%08zx issuer CN=Somebody %zu,O=Elsewhere,C=XX\n",
				   i + 1, i * 7, i % 97);
		else
			buf_format(&text, "cert-sha256 %064zx\n", i * 2654435761U);
	}
	bench_need(buf_ok(&text), "no memory for entries");
	return text;
}

static struct cert_match *
entries_load(struct span text)
{
	struct cert_match_builder *builder;
	struct cert_match *list;

	bench_need(cert_match_builder_new(&builder) == RES_OK, "no memory");
	bench_need(disallow_add_file(builder, text, NULL) == RES_OK, "an entry was refused");
	bench_need(cert_match_finish(&list, builder) == RES_OK, "no memory");
	return list;
}

/* ---- the baseline */

struct ground {
	gnutls_x509_crt_t crts[CERTS_MAX];
	unsigned n;
	gnutls_x509_trust_list_t anchors;
	struct sct_check scts;
	gnutls_datum_t signed_bytes[SCT_LIST_MAX];
	gnutls_pubkey_t log_key[SCT_LIST_MAX];
};

static void
ground_chain(struct ground *g, const struct vfy_input *in, struct span anchors_pem)
{
	gnutls_datum_t anchors = {(unsigned char *)(uintptr_t)anchors_pem.p, (unsigned)anchors_pem.n};

	for (g->n = 0; g->n < in->n_certs; g->n++) {
		gnutls_datum_t der = {(unsigned char *)(uintptr_t)in->certs[g->n].p,
				      (unsigned)in->certs[g->n].n};

		bench_need(gnutls_x509_crt_init(&g->crts[g->n]) >= 0, "no memory");
		bench_need(gnutls_x509_crt_import(g->crts[g->n], &der, GNUTLS_X509_FMT_DER) >= 0,
		     "GnuTLS cannot read the chain");
	}
	bench_need(gnutls_x509_trust_list_init(&g->anchors, 0) >= 0, "no memory");
	bench_need(gnutls_x509_trust_list_add_trust_mem(g->anchors, &anchors, NULL, GNUTLS_X509_FMT_PEM, 0, 0) > 0,
	     "no anchors");
}

/* Composes the bytes that each log signed, with the product's code, and keeps them. */
static void
ground_scts(struct ground *g, const struct vfy_policy *policy, const struct vfy_input *in)
{
	struct signature_budget budget = {.max = VFY_SIG_CHECKS_MAX, .cost_max = VFY_SIG_COST_MAX};
	static struct cert leaf, issuer;

	bench_need(cert_read(&leaf, in->certs[0]) == RES_OK && cert_read(&issuer, in->certs[1]) == RES_OK,
	     "the chain cannot be read");
	bench_need(sct_check_open(&g->scts, &leaf, policy->ctlogs) == RES_OK, "no SCTs");
	bench_need(sct_check_signatures(&g->scts, &leaf, issuer.spki_sha256, &budget) == RES_OK,
	     "the SCTs cannot be checked");
	for (size_t i = 0; i < g->scts.n; i++) {
		struct sct_item *item = &g->scts.item[i];
		gnutls_datum_t key;

		bench_need(item->log != NULL &&
			 sct_item_prove(item, &g->scts.signed_bytes, g->scts.front) == RES_OK &&
			 item->proof == SCT_PROVEN,
		     "an SCT does not hold");
		g->signed_bytes[i].size = (unsigned)g->scts.signed_bytes.n;
		g->signed_bytes[i].data = malloc(g->scts.signed_bytes.n);
		bench_need(g->signed_bytes[i].data != NULL, "no memory");
		memcpy(g->signed_bytes[i].data, g->scts.signed_bytes.p, g->scts.signed_bytes.n);
		key = (gnutls_datum_t){(unsigned char *)(uintptr_t)item->log->key.p, (unsigned)item->log->key.n};
		bench_need(gnutls_pubkey_init(&g->log_key[i]) >= 0 &&
			 gnutls_pubkey_import(g->log_key[i], &key, GNUTLS_X509_FMT_DER) >= 0,
		     "GnuTLS cannot read the key of a log");
	}
}

static double
ground_measure(const struct ground *g)
{
	const unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
	double from = bench_cpu_us();

	for (int k = 0; k < VERDICTS; k++) {
		gnutls_x509_crt_t list[CERTS_MAX];
		unsigned status;

		memcpy(list, g->crts, sizeof list);
		bench_need(gnutls_x509_trust_list_verify_crt2(g->anchors, list, g->n, NULL, 0, flags, &status,
							NULL) >= 0 &&
			 status == 0,
		     "GnuTLS refuses the chain");
		for (size_t i = 0; i < g->scts.n; i++) {
			const struct sct_item *item = &g->scts.item[i];
			gnutls_datum_t signature = {(unsigned char *)(uintptr_t)item->sct.signature.p,
						    (unsigned)item->sct.signature.n};

			bench_need(gnutls_pubkey_verify_data2(g->log_key[i], GNUTLS_SIGN_ECDSA_SHA256, 0,
							&g->signed_bytes[i], &signature) >= 0,
			     "an SCT does not hold");
		}
	}
	return (bench_cpu_us() - from) / VERDICTS;
}

/* GnuTLS has to read certificates before it verifies them: the cost of that part alone. */
static double
import_measure(const struct vfy_input *in)
{
	double from = bench_cpu_us();

	for (int k = 0; k < VERDICTS; k++)
		for (size_t i = 0; i < in->n_certs; i++) {
			gnutls_datum_t der = {(unsigned char *)(uintptr_t)in->certs[i].p,
					      (unsigned)in->certs[i].n};
			gnutls_x509_crt_t crt;

			bench_need(gnutls_x509_crt_init(&crt) >= 0 &&
				 gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) >= 0,
			     "GnuTLS cannot read the chain");
			gnutls_x509_crt_deinit(crt);
		}
	return (bench_cpu_us() - from) / VERDICTS;
}

static double
verdict_measure(struct vfy_policy policy, const struct vfy_input *in, const struct cert_match *list)
{
	double from;

	policy.disallow[0] = list;
	policy.n_disallow = list == NULL ? 0 : 1;
	from = bench_cpu_us();
	for (int k = 0; k < VERDICTS; k++) {
		struct verdict v = {0};

		vfy_check(&v, &policy, in);
		bench_need(v.outcome == OUTCOME_ACCEPTED && v.n_scts == 3,
		     "the chain is refused, or does not have three SCTs");
		verdict_clear(&v);
	}
	return (bench_cpu_us() - from) / VERDICTS;
}

/* ---- loading */

static void
loading_print(void)
{
	struct buf entries = entries_text(ENTRIES_MANY), anchors = bench_file(SYSTEM_ANCHORS);
	double trust_us[ROUNDS], logs_us[ROUNDS], entries_us[ROUNDS];

	for (int k = 0; k < ROUNDS; k++) {
		struct cert_match *list;
		struct ctlogs *logs;
		struct trust *trust;
		double from = bench_cpu_us();

		bench_need(trust_from_pem(&trust, buf_span(&anchors), NULL) == RES_OK,
		     "the system's anchors cannot be read");
		trust_us[k] = bench_cpu_us() - from;
		trust_free(trust);
		from = bench_cpu_us();
		bench_need(ctlogs_compiled_in(&logs) == RES_OK, "the compiled-in log list cannot be read");
		logs_us[k] = bench_cpu_us() - from;
		ctlogs_free(logs);
		from = bench_cpu_us();
		list = entries_load(buf_span(&entries));
		entries_us[k] = bench_cpu_us() - from;
		cert_match_free(list);
	}
	printf("load-anchors %.0f\nload-logs %.0f\nload-entries %.0f\n", bench_median(trust_us, ROUNDS), bench_median(logs_us, ROUNDS),
	       bench_median(entries_us, ROUNDS));
	buf_free(&entries);
	buf_free(&anchors);
}

static size_t
chain_read(struct buf der[CERTS_MAX], struct span certs[CERTS_MAX], struct span pem)
{
	size_t n = 0;

	for (; n < CERTS_MAX; n++) {
		der[n] = buf_max(CERT_BYTES_MAX);
		if (pem_next(&der[n], &pem, "CERTIFICATE") != RES_OK)
			break;
		certs[n] = buf_span(&der[n]);
	}
	bench_need(n >= 2, "a leaf and its CA's certificate are needed");
	return n;
}

int
main(int argc, char **argv)
{
	struct buf few_text = entries_text(ENTRIES_FEW), many_text = entries_text(ENTRIES_MANY);
	struct buf chain, anchors, logs_json, der[CERTS_MAX];
	double ground_us[ROUNDS], import_us[ROUNDS], bare_us[ROUNDS], few_us[ROUNDS], many_us[ROUNDS];
	struct cert_match *few = entries_load(buf_span(&few_text)), *many = entries_load(buf_span(&many_text));
	struct vfy_policy policy = {.ct_list_max_age_ms = 70 * (int64_t)86400000};
	struct span certs[CERTS_MAX];
	struct vfy_input in = {.certs = certs};
	static struct ground ground;
	struct ctlogs *logs;
	struct trust *trust;
	struct addr ip;

	bench_need(argc == 6, "usage: verdict CHAIN.pem ANCHORS.pem LOGS.json IP RFC3339");
	chain = bench_file(argv[1]);
	anchors = bench_file(argv[2]);
	logs_json = bench_file(argv[3]);
	bench_need(addr_read_ip(&ip, argv[4]) == RES_OK && time_read(&in.now_ms, argv[5]) == RES_OK,
	     "no address or no time");
	in.ip = span_of(ip.ip, ip.family == ADDR_V4 ? 4 : 16);
	in.n_certs = chain_read(der, certs, buf_span(&chain));
	bench_need(trust_from_pem(&trust, buf_span(&anchors), NULL) == RES_OK, "the anchors cannot be read");
	bench_need(ctlogs_from_json(&logs, buf_span(&logs_json), NULL) == RES_OK, "the logs cannot be read");
	policy.trust = trust;
	policy.ctlogs = logs;
	ground_chain(&ground, &in, buf_span(&anchors));
	ground_scts(&ground, &policy, &in);

	for (int k = 0; k < ROUNDS; k++) {
		ground_us[k] = ground_measure(&ground);
		import_us[k] = import_measure(&in);
		bare_us[k] = verdict_measure(policy, &in, NULL);
		few_us[k] = verdict_measure(policy, &in, few);
		many_us[k] = verdict_measure(policy, &in, many);
	}
	printf("gnutls %.1f\nimport %.1f\n", bench_median(ground_us, ROUNDS), bench_median(import_us, ROUNDS));
	printf("verdict %.1f\nverdict-1000 %.1f\nverdict-100000 %.1f\n", bench_median(bare_us, ROUNDS), bench_median(few_us, ROUNDS),
	       bench_median(many_us, ROUNDS));
	loading_print();
	return 0;
}
