/*
 * test_readers_memory.c - all readers of files and tables, with each of their allocations failing in turn: the reader
 * reports it, keeps nothing, and leaks nothing. Only our own allocations fail; those of libraries do not.
 */
#include "verify/anchor_limits.h"
#include "verify/cert_match.h"
#include "verify/ct/ctlogs.h"
#include "verify/disallow.h"
#include "verify/onecrl.h"
#include "verify/revocation/revocation.h"
#include "verify/x509/trust.h"
#include "verify/x509/signature.h"
#include "tests/unit/failing_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/verify/data_file.h"

static struct buf json, header, dated, crl, anchors_pem, onecrl;
static struct ctlogs *before, *after;
static char *why;

/* ---- CT log lists */

static enum res
logs_end(enum res res, struct ctlogs *list)
{
	assert_true(res == RES_OK || list == NULL);
	ctlogs_free(list);
	return res;
}

static enum res
logs_json(void)
{
	struct ctlogs *list = NULL;
	enum res res = ctlogs_from_json(&list, buf_span(&json), &why);

	return logs_end(res, list);
}

static enum res
logs_header(void)
{
	struct ctlogs *list = NULL;
	enum res res = ctlogs_from_mozilla_header(&list, buf_span(&header), &why);

	return logs_end(res, list);
}

static enum res
logs_any(void)
{
	struct ctlogs *list = NULL;
	enum res res = ctlogs_from_any(&list, buf_span(&dated), &why);

	return logs_end(res, list);
}

static enum res
logs_compiled(void)
{
	struct ctlogs *list = NULL;
	enum res res = ctlogs_compiled_in(&list);

	return logs_end(res, list);
}

static enum res
logs_write(void)
{
	char *text = ctlogs_json(before);
	enum res res = text == NULL ? RES_NOMEM : RES_OK;

	free(text);
	return res;
}

static enum res
logs_keep(void)
{
	struct ctlogs *list = NULL;
	enum res res = ctlogs_keep_known(&list, after, before);

	return logs_end(res, list);
}

static enum res
logs_compare(void)
{
	struct ctlogs_change change = {0};
	enum res res = ctlogs_compare(&change, before, after);

	assert_true(res != RES_OK || change.text != NULL);
	if (res == RES_OK)
		free(change.text);
	return res;
}

/* ---- anchors and their limits */

static enum res
anchors(void)
{
	struct trust *trust = NULL;
	enum res res = trust_from_pem(&trust, buf_span(&anchors_pem), &why);

	assert_true(res == RES_OK || trust == NULL);
	trust_free(trust);
	return res;
}

#define HASH "0a81ec5a929777f145904af38d5d509f66b5e2c58fcdb531058b0e17f3f0b41b"
static const char limits[] =
    "cert-sha256 " HASH " source \"a test\" sct-not-after 2024-11-11T23:59:59Z not-before-max 2024-11-30T23:59:59Z\n"
    "spki-sha256 " HASH " permit-name example.com permit-name b.example permit-ip 192.0.2.0/24\n";

static enum res
limits_file(void)
{
	struct anchor_limits *all = NULL;
	struct faults faults = {0};
	enum res res = anchor_limits_new(&all);

	if (res == RES_OK)
		res = anchor_limits_add_file(all, NULL, span_str(limits), &faults);
	faults_clear(&faults);
	anchor_limits_free(all);
	return res;
}

static enum res
limits_builtin(void)
{
	struct anchor_limits *all = NULL;
	enum res res = anchor_limits_new(&all);

	if (res == RES_OK)
		res = anchor_limits_add_builtin(all);
	anchor_limits_free(all);
	return res;
}

/* ---- entries */

static const char *const entries[] = {
    "serial 0a:0b issuer CN=One,O=Two+OU=Three,C=US",
    "issuer 2.5.4.97=#0c0378797a,CN=\\C3\\A9 \\, x",
    "cert-sha256 abababababababababababababababababababababababababababababababab",
    "spki-sha256 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
};

static enum res
entries_finish(struct cert_match_builder *b, enum res res)
{
	struct cert_match *list = NULL;

	if (res == RES_OK)
		res = cert_match_finish(&list, b); /* which frees the builder, also on failure */
	else
		cert_match_builder_free(b);
	assert_true(res == RES_OK || list == NULL);
	cert_match_free(list);
	return res;
}

static enum res
entries_read(void)
{
	struct cert_match_builder *b = NULL;
	enum res res = cert_match_builder_new(&b);

	for (size_t i = 0; res == RES_OK && i < sizeof entries / sizeof entries[0]; i++)
		res = cert_match_add(b, span_str(entries[i]), &why);
	return entries_finish(b, res);
}

static enum res
entries_builtin(void)
{
	struct cert_match_builder *b = NULL;
	enum res res = cert_match_builder_new(&b);

	if (res == RES_OK)
		res = disallow_add_builtin(b);
	return entries_finish(b, res);
}

static enum res
entries_onecrl(void)
{
	char *text = NULL;
	size_t n, left_out;
	struct faults faults = {0};
	enum res res = onecrl_to_disallow(&text, buf_span(&onecrl), &n, &left_out, &faults, &why);

	assert_true(res == RES_OK || text == NULL);
	free(text);
	faults_clear(&faults);
	return res;
}

/* ---- revocation */

static enum res
crl_read(void)
{
	struct crls *all = NULL;
	enum res res = crls_new(&all);

	if (res == RES_OK)
		res = crls_add(all, buf_span(&crl), &why);
	crls_free(all);
	return res;
}

static const struct {
	const char *what;
	enum res (*read)(void);
	size_t least; /* the least number of allocations, so that a row that tests nothing fails */
} rows[] = {
    {"a list of CT logs in JSON", logs_json, 20},
    {"a list of CT logs as Mozilla's header", logs_header, 8},
    {"a list of CT logs in either form", logs_any, 10},
    {"the list of CT logs that is compiled in", logs_compiled, 20},
    {"writing a list of CT logs", logs_write, 1},
    {"a new list of CT logs that keeps what was known", logs_keep, 10},
    {"what changed between two lists of CT logs", logs_compare, 1},
    {"anchors", anchors, 3},
    {"a file of limits of anchors", limits_file, 2},
    {"the limits of anchors that are compiled in", limits_builtin, 1},
    {"disallow entries of each kind", entries_read, 5},
    {"the disallow entries that are compiled in", entries_builtin, 3},
    {"a list of OneCRL", entries_onecrl, 2},
    {"certificate revocation lists", crl_read, 3},
};

static void
every_allocation_of_a_reader_may_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t needed;
		enum res res;

		failing_alloc_begin(0);
		res = rows[i].read();
		needed = failing_alloc_end();
		if (res != RES_OK || needed < rows[i].least)
			fail_msg("%s: %s with %zu allocations: %s", rows[i].what, res_text(res), needed, why ? why : "");
		for (size_t at = 1; at <= needed; at++) {
			why = NULL;
			failing_alloc_begin(at);
			res = rows[i].read();
			failing_alloc_end();
			if (res != RES_NOMEM)
				fail_msg("%s: %s when allocation %zu of %zu fails: %s", rows[i].what, res_text(res), at, needed, why ? why : "");
			free(why);
			why = NULL;
		}
	}
}

static int
files_open(void **state)
{
	(void)state;
	json = data_file("ct/appmattus-2025-tiled.json");
	header = data_file("../fuzz/corpus/ctlogs_header/whole");
	dated = data_file("ct/dated.json");
	crl = data_file("revocation/crl-two.pem");
	anchors_pem = data_file("vectors/google-ct/ca-cert.pem");
	onecrl = data_file("../fuzz/corpus/onecrl/all");
	if (ctlogs_from_json(&before, buf_span(&dated), NULL) != RES_OK)
		return -1;
	return ctlogs_compiled_in(&after) == RES_OK ? 0 : -1;
}

static int
files_close(void **state)
{
	struct buf *all[] = {&json, &header, &dated, &crl, &anchors_pem, &onecrl};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		buf_free(all[i]);
	ctlogs_free(before);
	ctlogs_free(after);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_of_a_reader_may_fail),
	};

	return cmocka_run_group_tests(tests, files_open, files_close);
}
