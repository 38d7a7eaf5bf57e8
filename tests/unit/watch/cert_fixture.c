#include "tests/unit/watch/cert_fixture.h"

#include "contrib/lab/pki/derw.h"

static void
extension_put(struct buf *out, const char *oid, struct span value)
{
	size_t one = derw_open(out, DERW_SEQUENCE);

	derw_oid(out, oid);
	derw_tlv(out, DERW_OCTETS, value);
	derw_close(out, one);
}

static void
names_put(struct buf *out, const struct given *given, size_t n, int place, const char *oid)
{
	struct buf list = buf_max(1024 * 1024);
	size_t at = derw_open(&list, DERW_SEQUENCE), count = 0;

	for (size_t i = 0; i < n; i++)
		if ((int)given[i].place == place) {
			derw_tlv(&list, given[i].tag, span_of(given[i].bytes, given[i].n));
			count++;
		}
	derw_close(&list, at);
	if (count > 0)
		extension_put(out, oid, buf_span(&list));
	buf_free(&list);
}

static void
extensions_put(struct buf *out, const struct given *given, size_t n)
{
	size_t outer = derw_open(out, DERW_CONSTRUCTED(3)), list = derw_open(out, DERW_SEQUENCE);

	extension_put(out, "2.5.29.19", span_of("\x30\x00", 2));
	names_put(out, given, n, SAN, "2.5.29.17");
	names_put(out, given, n, OLD_SAN, "2.5.29.7");
	for (size_t i = 0; i < n; i++) {
		if (given[i].place == RAW_SAN)
			extension_put(out, "2.5.29.17", span_of(given[i].bytes, given[i].n));
		if (given[i].place == NETSCAPE) {
			struct buf text = buf_max(4096);

			derw_tlv(&text, given[i].tag, span_of(given[i].bytes, given[i].n));
			extension_put(out, "2.16.840.1.113730.1.12", buf_span(&text));
			buf_free(&text);
		}
	}
	derw_close(out, list);
	derw_close(out, outer);
}

static void
subject_put(struct buf *out, const struct given *given, size_t n)
{
	size_t name = derw_open(out, DERW_SEQUENCE);

	for (size_t i = 0; i < n; i++) {
		size_t set, pair;

		if (given[i].place != SUBJECT)
			continue;
		set = derw_open(out, DERW_SET);
		pair = derw_open(out, DERW_SEQUENCE);
		derw_oid(out, given[i].oid != NULL ? given[i].oid : "2.5.4.3");
		derw_tlv(out, given[i].tag, span_of(given[i].bytes, given[i].n));
		derw_close(out, pair);
		derw_close(out, set);
	}
	derw_close(out, name);
}

static void
tbs_put(struct buf *out, const struct given *given, size_t n, uint8_t serial)
{
	const uint8_t number[] = {serial, 1, 2, 3};
	size_t tbs = derw_open(out, DERW_SEQUENCE), at = derw_open(out, DERW_CONSTRUCTED(0));

	derw_number(out, DERW_INTEGER, 2);
	derw_close(out, at);
	derw_unsigned(out, span_of(number, sizeof number));
	derw_tlv(out, DERW_SEQUENCE, span_of("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 10));
	derw_name(out, "C=XX/O=Fixture/CN=Issuing", DERW_UTF8);
	at = derw_open(out, DERW_SEQUENCE);
	derw_time(out, 1780000000000);
	derw_time(out, 1790000000000);
	derw_close(out, at);
	subject_put(out, given, n);
	at = derw_open(out, DERW_SEQUENCE); /* an invalid key: nothing here reads it */
	derw_tlv(out, DERW_SEQUENCE, span_of("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", 9));
	derw_bits(out, span_of("0123456789abcdef0123456789abcdef", 32), 0);
	derw_close(out, at);
	extensions_put(out, given, n);
	derw_close(out, tbs);
}

void
fixture_certificate(struct buf *out, const struct given given[], size_t n, bool tbs_only, uint8_t serial)
{
	size_t at;

	if (tbs_only) {
		tbs_put(out, given, n, serial);
		return;
	}
	at = derw_open(out, DERW_SEQUENCE);
	tbs_put(out, given, n, serial);
	derw_tlv(out, DERW_SEQUENCE, span_of("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 10));
	derw_bits(out, span_of("signature", 9), 0);
	derw_close(out, at);
}
