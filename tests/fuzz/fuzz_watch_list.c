/*
 * fuzz_watch_list.c - watch files, and identifiers of certificates: a name in a file is found in every certificate that has
 * it, whatever else the certificate has.
 *
 * The input is a watch file up to the first NUL, then a certificate.
 */
#include "contrib/watch/watch_list.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* A certificate that cannot be read whole is always reported. */
static void
certificate_look(const struct watch_list *list, struct span der)
{
	struct watch_match m;

	for (int tbs = 0; tbs < 2; tbs++) {
		bool met = watch_list_match(list, &m, der, tbs != 0);

		check(met == (m.n > 0 || m.trouble != NULL));
		check(m.n <= WATCH_HITS_MAX);
		for (size_t i = 0; i < m.n; i++)
			check(m.hit[i].item < watch_list_count(list));
		if (der.n > 0 && m.trouble == NULL) /* every byte of a good one counts */
			check(watch_list_match(list, &m, span_slice(der, 0, der.n - 1), tbs != 0) && m.trouble != NULL);
	}
}

/* An item that is a name matches a certificate with that name. */
static void
names_match_themselves(const struct watch_list *list)
{
	for (size_t i = 0; i < watch_list_count(list) && i < 8; i++) {
		const char *text = watch_list_at(list, i)->text;
		size_t n = strlen(text);
		struct buf der = buf_max(8192);
		struct watch_match m;
		bool found = false;

		if (n > 90 || strchr(text, '/') != NULL)
			continue;
		/* TBSCertificate: serial, algorithm, issuer, validity, subject, key, [3] { { 2.5.29.17 { dNSName } } } */
		buf_put(&der, span_of("\x30\0\x02\x01\x01\x30\0\x30\0\x30\0\x30\0\x30\0\xa3", 16));
		buf_u8(&der, (uint8_t)(n + 15));
		buf_u8(&der, 0x30);
		buf_u8(&der, (uint8_t)(n + 13));
		buf_u8(&der, 0x30);
		buf_u8(&der, (uint8_t)(n + 11));
		buf_put(&der, span_of("\x06\x03\x55\x1d\x11\x04", 6));
		buf_u8(&der, (uint8_t)(n + 4));
		buf_u8(&der, 0x30);
		buf_u8(&der, (uint8_t)(n + 2));
		buf_u8(&der, 0x82);
		buf_u8(&der, (uint8_t)n);
		buf_text(&der, text);
		der.p[1] = (uint8_t)(der.n - 2);
		check(watch_list_match(list, &m, buf_span(&der), true));
		for (size_t k = 0; k < m.n; k++)
			found |= m.hit[k].item == i;
		check(found);
		buf_free(&der);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *nul = n == 0 ? NULL : memchr(data, 0, n);
	size_t file = nul == NULL ? n : (size_t)(nul - data);
	struct watch_list *list = NULL;
	struct faults faults = {.n = 0};

	check(watch_list_new(&list) == RES_OK);
	check((watch_files_text_read(span_of(data, file), watch_list_add_item, list, &faults) == RES_OK) == (faults.n == 0));
	names_match_themselves(list);
	if (nul != NULL)
		certificate_look(list, span_of(nul + 1, n - file - 1));
	faults_clear(&faults);
	watch_list_free(list);
	return 0;
}
