#include "verify/disallow.h"
#include "verify/onecrl.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/verify/data_file.h"

/* SEQUENCE { SET { SEQUENCE { C, PrintableString HR } }, SET { SEQUENCE { O, ... } }, SET { SEQUENCE { CN, ... } } },
 * the last two of the string type given. */
static struct span
fina_der(uint8_t out[128], uint8_t type, const char *cn)
{
	struct buf b = buf_max(128);
	const char *o = "Financijska agencija";
	size_t n_o = strlen(o), n_cn = strlen(cn);

	buf_put(&b, span_of("\x30\x00\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02HR", 15));
	buf_put(&b, span_of((uint8_t[]){0x31, (uint8_t)(n_o + 9), 0x30, (uint8_t)(n_o + 7), 6, 3, 0x55, 4, 10, type, (uint8_t)n_o}, 11));
	buf_text(&b, o);
	buf_put(&b, span_of((uint8_t[]){0x31, (uint8_t)(n_cn + 9), 0x30, (uint8_t)(n_cn + 7), 6, 3, 0x55, 4, 3, type, (uint8_t)n_cn}, 11));
	buf_text(&b, cn);
	b.p[1] = (uint8_t)(b.n - 2);
	memcpy(out, b.p, b.n);
	struct span name = span_of(out, b.n);
	buf_free(&b);
	return name;
}

/* SEQUENCE { SET { SEQUENCE { CN, ... } } }, appended. */
static void
common_name(struct buf *out, uint8_t type, const char *cn)
{
	uint8_t n = (uint8_t)strlen(cn);

	buf_put(out, span_of((uint8_t[]){0x30, (uint8_t)(n + 11), 0x31, (uint8_t)(n + 9), 0x30, (uint8_t)(n + 7), 6, 3,
					 0x55, 4, 3, type, n},
			     13));
	buf_text(out, cn);
}

static struct cert_match *
list_of(const char *text)
{
	struct cert_match_builder *b = NULL;
	struct cert_match *list = NULL;
	struct faults faults = {.n = 0};

	assert_int_equal(cert_match_builder_new(&b), RES_OK);
	if (disallow_add_file(b, span_str(text), &faults) != RES_OK)
		fail_msg("%s", faults_text(&faults, 0, "list"));
	assert_int_equal(cert_match_finish(&list, b), RES_OK);
	return list;
}

static const uint8_t fina_serial[] = {0x00, 0xa5, 0x30, 0xa2, 0x9c, 0xc1, 0xa5, 0xda, 0x40, 0, 0, 0, 0, 0x56, 0x71, 0xf2, 0x4c};

#define FINA "CN=Fina RDC 2015,O=Financijska agencija,C=HR"
#define FINA_HEX "a530a29cc1a5da40000000005671f24c"

static const struct {
	const char *what;
	const char *entry;
	uint8_t type; /* of the certificate's strings */
	bool want;
} serials[] = {
    {"as written, PrintableString", "serial " FINA_HEX " issuer " FINA, 0x13, true},
    {"an entry matches a certificate with UTF8Strings", "serial " FINA_HEX " issuer " FINA, 0x0c, true},
    {"colons and upper case", "serial A5:30:A2:9C:C1:A5:DA:40:00:00:00:00:56:71:F2:4C issuer " FINA, 0x13, true},
    {"a leading zero", "serial 00" FINA_HEX " issuer " FINA, 0x13, true},
    {"a leading zero of four bits", "serial 0" FINA_HEX " issuer " FINA, 0x13, true},
    {"more space, tabs", "  serial\t" FINA_HEX "   issuer\t " FINA "\t ", 0x13, true},
    {"groups of two digits with spaces", "serial A5 30 A2 9C C1 A5 DA 40 00 00 00 00 56 71 F2 4C issuer " FINA, 0x13, true},
    {"hyphens", "serial a5-30-a2-9c-c1-a5-da-40-00-00-00-00-56-71-f2-4c issuer " FINA, 0x13, true},
    {"0x in front", "serial 0xA530A29CC1A5DA40000000005671F24C issuer " FINA, 0x13, true},
    {"a comment after the entry", "serial " FINA_HEX " issuer " FINA " # rogue", 0x13, true},
    {"a line of DOS", "serial " FINA_HEX " issuer " FINA "\r", 0x13, true},
    {"another case of the name", "serial " FINA_HEX " issuer cn=fina rdc 2015, o=financijska  agencija, c=hr", 0x0c, true},
    {"another serial", "serial a530a29cc1a5da40000000005671f24d issuer " FINA, 0x13, false},
    {"a serial that lacks an inner zero", "serial a530a29cc1a5da400000005671f24c issuer " FINA, 0x13, false},
    {"another issuer", "serial " FINA_HEX " issuer CN=Fina RDC 2020,O=Financijska agencija,C=HR", 0x13, false},
    {"the issuer's attributes in the other order", "serial " FINA_HEX " issuer C=HR,O=Financijska agencija,CN=Fina RDC 2015", 0x13, true},
    {"the issuer as openssl prints it", "serial " FINA_HEX " issuer C = HR, O = Financijska agencija, CN = Fina RDC 2015", 0x13, true},
    {"the issuer's attributes in any other order", "serial " FINA_HEX " issuer O=Financijska agencija,CN=Fina RDC 2015,C=HR", 0x13, false},
    {"the other order of an issuer with one attribute more", "serial " FINA_HEX " issuer C=HR,O=Financijska agencija,OU=x,CN=Fina RDC 2015", 0x13, false},
};

static void
serials_match(void **state)
{
	uint8_t der[128];

	(void)state;
	for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++) {
		struct cert_match *list = list_of(serials[i].entry);
		struct cert cert = {.serial = span_of(fina_serial, sizeof fina_serial)};
		struct cert_match_hit hit = {.kind = CERT_MATCH_CERT};

		cert.issuer = fina_der(der, serials[i].type, "Fina RDC 2015");
		if (cert_match_cert(list, &cert, &hit) != serials[i].want)
			fail_msg("%s", serials[i].what);
		if (serials[i].want) {
			assert_int_equal(hit.kind, CERT_MATCH_SERIAL);
			assert_int_equal(strncmp(hit.entry, "serial " FINA_HEX " issuer ", 47), 0);
		}
		/* without the sign octet it is the same serial */
		cert.serial = span_slice(cert.serial, 1, 99);
		assert_int_equal(cert_match_cert(list, &cert, &hit), serials[i].want);
		assert_false(cert_match_key(list, &cert, &hit));
		assert_false(cert_match_issuer(list, &cert, &hit));
		cert_match_free(list);
	}
}

/* What refuses matches a name in both orders, what allows only in that of RFC 4514. */
static void
issuers_match_in_both_orders(void **state)
{
	static const struct {
		const char *entries;
		size_t n;
		bool refuses, allows;
	} orders[] = {
	    {"issuer " FINA, 1, true, true},
	    {"issuer C = HR, O = Financijska agencija, CN = Fina RDC 2015", 1, true, false},
	    {"issuer " FINA "\nissuer C=HR,O=Financijska agencija,CN=Fina RDC 2015", 2, true, true},
	    {"issuer " FINA "\nissuer " FINA, 1, true, true},
	    {"serial 1 issuer " FINA "\nserial 1 issuer C=HR,O=Financijska agencija,CN=Fina RDC 2015", 2, false, false},
	    {"issuer O=Financijska agencija,CN=Fina RDC 2015,C=HR", 1, false, false},
	    {"issuer CN=Fina RDC 2015", 1, false, false},
	};
	uint8_t der[128];

	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct cert_match *list = list_of(orders[i].entries);
		struct cert cert = {.issuer = fina_der(der, 0x13, "Fina RDC 2015")};
		struct cert_match_hit hit = {.kind = CERT_MATCH_CERT};
		bool refused = cert_match_issuer(list, &cert, &hit);

		cert.subject = cert.issuer;
		if (refused != orders[i].refuses || cert_match_count(list) != orders[i].n || (refused && hit.kind != CERT_MATCH_ISSUER) ||
		    cert_match_subject(list, &cert, &hit) != orders[i].allows)
			fail_msg("%s: refused: %d, %zu entries", orders[i].entries, refused, cert_match_count(list));
		cert_match_free(list);
	}
}

static void
bytes_are_compared_as_bytes(void **state)
{
	uint8_t utf8[128], printable[128];
	struct cert a = {.issuer = fina_der(utf8, 0x0c, "Fina RDC 2015")}, b = {.issuer = fina_der(printable, 0x13, "Fina RDC 2015")};
	struct buf text = buf_max(4096);
	struct cert_match_hit hit;
	struct cert_match *list;

	(void)state;
	a.serial = b.serial = span_of(fina_serial, sizeof fina_serial);
	buf_text(&text, "serial " FINA_HEX " issuer der:");
	base64_write(&text, a.issuer);
	buf_text(&text, "\nissuer der:");
	base64_write(&text, a.issuer);
	list = list_of(buf_cstr(&text));
	assert_true(cert_match_cert(list, &a, &hit));
	assert_false(cert_match_cert(list, &b, &hit));
	assert_true(cert_match_issuer(list, &a, &hit));
	assert_false(cert_match_issuer(list, &b, &hit));
	cert_match_free(list);
	buf_free(&text);
}

static void
each_kind_of_entry_matches_its_own_field(void **state)
{
	uint8_t der[128];
	struct cert cert = {.serial = span_of(fina_serial, 1)}; /* zero */
	struct cert_match_hit hit;
	struct cert_match *list = list_of("cert-sha256 0101010101010101010101010101010101010101010101010101010101010101\n"
					"spki-sha256 0202020202020202020202020202020202020202020202020202020202020202\n"
					"issuer " FINA "\n");

	(void)state;
	assert_int_equal(cert_match_count(list), 3);
	assert_false(cert_match_has_kind(list, CERT_MATCH_SERIAL));
	assert_true(cert_match_has_kind(list, CERT_MATCH_ISSUER));
	assert_false(cert_match_has_kind(NULL, CERT_MATCH_ISSUER));
	cert.issuer = cert.subject = fina_der(der, 0x0c, "fina rdc 2015 ");
	memset(cert.sha256, 2, 32);
	memset(cert.spki_sha256, 1, 32);
	assert_false(cert_match_cert(list, &cert, &hit));
	assert_false(cert_match_key(list, &cert, &hit));
	memset(cert.sha256, 1, 32);
	memset(cert.spki_sha256, 2, 32);
	assert_true(cert_match_cert(list, &cert, &hit));
	assert_int_equal(hit.kind, CERT_MATCH_CERT);
	assert_true(cert_match_key(list, &cert, &hit));
	assert_string_equal(hit.entry, "spki-sha256 0202020202020202020202020202020202020202020202020202020202020202");
	assert_true(cert_match_issuer(list, &cert, &hit));
	assert_true(cert_match_subject(list, &cert, &hit));
	assert_string_equal(hit.entry, "issuer " FINA);
	assert_false(cert_match_cert(NULL, &cert, &hit));
	cert_match_free(list);

	list = list_of("serial 0:0 issuer " FINA);
	assert_true(cert_match_cert(list, &cert, &hit));
	assert_string_equal(hit.entry, "serial 0 issuer " FINA);
	cert_match_free(list);
}

static const struct {
	const char *what;
	const char *text;
	size_t line;
	const char *says;
} bad[] = {
    {"an unknown kind", "# one\n\nfingerprint aa\n", 3, "expected serial"},
    {"a short hash", "cert-sha256 0101\n", 1, "64 hex digits"},
    {"a hash with a colon inside an octet", "spki-sha256 0:1:01010101010101010101010101010101010101010101010101010101010101\n", 1, "64 hex digits"},
    {"a hash with a colon at its end", "spki-sha256 0101010101010101010101010101010101010101010101010101010101010101:\n", 1, "64 hex digits"},
    {"text after a hash", "cert-sha256 0101010101010101010101010101010101010101010101010101010101010101 x\n", 1, "64 hex digits"},
    {"no serial", "serial\n", 1, "serial"},
    {"a serial that is not hex", "serial xyz issuer CN=a\n", 1, "serial \"xyz\""},
    {"a serial with a colon at the end", "serial aa: issuer CN=a\n", 1, "serial"},
    {"a serial with two colons", "serial aa::bb issuer CN=a\n", 1, "serial"},
    {"a serial that is too long", "serial 1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111 issuer CN=a\n", 1, "at most 64 bytes"},
    {"no issuer", "serial aa\n", 1, "expected \"issuer\""},
    {"a word other than issuer", "serial aa from CN=a\n", 1, "expected \"issuer\""},
    {"no name after issuer", "serial aa issuer\n", 1, "missing"},
    {"no name", "issuer   \n", 1, "missing"},
    {"an invalid name", "\nissuer Fina\n", 2, "RFC 4514"},
    {"der: without base64", "issuer der:\n", 1, "base64"},
    {"a der: value that is not a name", "issuer der:AAAA\n", 1, "base64"},
    {"G01 a NUL", "issuer CN=a\0b\n", 1, "NUL"},
    {"G01 a byte order mark", "\xef\xbb\xbfissuer CN=a\n", 1, "a byte order mark; save the file without it"},
    {"G01 a byte order mark in the second line", "\n\xef\xbb\xbfissuer CN=a\n", 2, "expected serial"},
    {"a ZIP archive", "PK\x03\x04\x14\n", 0, "a ZIP archive; unpack it first"},
    {"a file of gzip", "\x1f\x8b\x08\n", 0, "compressed with gzip; decompress it first"},
    {"a file of xz", "\xfd" "7zXZ\n", 0, "compressed with xz; decompress it first"},
    {"a file of bzip2", "BZh91AY&SY\n", 0, "compressed with bzip2; decompress it first"},
    {"a file of zstd", "\x28\xb5\x2f\xfd\n", 0, "compressed with zstd; decompress it first"},
    {"text in UTF-16", "\xff\xfei\n", 0, "text in UTF-16; convert it to UTF-8 first"},
    {"text in UTF-16, the other byte order", "\xfe\xffi\n", 0, "text in UTF-16; convert it to UTF-8 first"},
    {"G09 quoted text is escaped for terminals", "\x1b[2Jx\n", 1, "\\x1b[2Jx"},
};

static void
bad_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct cert_match_builder *b = NULL;
		struct faults faults = {.n = 0};
		size_t n = strlen(bad[i].text);
		enum res res;

		if (n > 0 && bad[i].text[n - 1] != '\n')
			n += 3; /* the row with a NUL inside */
		assert_int_equal(cert_match_builder_new(&b), RES_OK);
		res = disallow_add_file(b, span_of(bad[i].text, n), &faults);
		if (res != RES_MALFORMED || faults.n != 1 || faults.shown[0].line != bad[i].line ||
		    faults.shown[0].why == NULL || strstr(faults.shown[0].why, bad[i].says) == NULL)
			fail_msg("%s: %s: %s", bad[i].what, res_text(res), faults_text(&faults, 0, "list"));
		faults_clear(&faults);
		cert_match_builder_free(b);
	}
}

static void
comments_and_hashes_in_names(void **state)
{
	struct cert_match *list = list_of("# a comment\n"
					"   # another\n"
					"\n"
					"issuer CN=Number#1\n"
					"issuer CN=A \\#2 # comment\n"
					"issuer CN=#0c0161\n"
					"issuer CN=end\\ \n"
					"issuer CN=last");

	(void)state;
	assert_int_equal(cert_match_count(list), 6); /* "A \#2" and also "A \#2 # comment", as the text allows both readings */
	cert_match_free(list);
	list = list_of("");
	assert_int_equal(cert_match_count(list), 0);
	cert_match_free(list);
}

/* A line of a file, and whether it names the issuer of that common name. */
static void
a_name_is_read_whole_or_the_line_is_an_error(void **state)
{
	static const struct {
		const char *what, *file, *issuer;
		size_t bad; /* the line that is refused; 0: none */
		bool named;
	} rows[] = {
	    {"a number after a sign", "issuer CN=CA #1\n", "CN=CA #1", 0, true},
	    {"the shorter name does not match", "issuer CN=CA #1\n", "CN=CA", 0, false},
	    {"a sign that is escaped", "issuer CN=CA \\#1\n", "CN=CA #1", 0, true},
	    {"a sign with space around it, read as a comment", "issuer CN=CA # one\n", "CN=CA", 0, true},
	    {"the same # after a space, read as a part of the name", "issuer CN=CA # one\n", "CN=CA # one", 0, true},
	    {"a sign at the end", "issuer CN=CA #\n", "CN=CA #", 0, true},
	    {"a number and a comment", "issuer CN=CA #1 # the first\n", "CN=CA #1", 0, true},
	    {"a comment that is not part of the name", "issuer CN=CA # see a, b\n", "CN=CA", 0, true},
	    {"a comment after a serial entry", "serial 5 issuer CN=CA #1\n", "CN=CA #1", 0, true},
	    {"a comment instead of the name", "issuer # CN=CA\n", "CN=CA", 1, false},
	    {"too many signs", "issuer CN=a # b # c # d # e # f\n", "CN=a", 1, false},
	    {"lines that end in CR", "# rogues\rissuer CN=CA\r", "CN=CA", 1, false},
	    {"a CR inside a line", "issuer CN=CA\rissuer CN=CB\n", "CN=CA", 1, false},
	    {"lines that end in CR LF", "# rogues\r\nissuer CN=CA\r\n", "CN=CA", 0, true},
	    {"a form feed for a line's end", "# rogues\fissuer CN=CA\n", "CN=CA", 1, false},
	    {"a vertical tab in a name", "issuer CN=CA\v\n", "CN=CA", 1, false},
	    {"a byte order mark", "\xef\xbb\xbfissuer CN=CA\n", "CN=CA", 1, false},
	    {"a byte order mark before a comment", "\xef\xbb\xbf# rogues\nissuer CN=CA\n", "CN=CA", 1, false},
	    {"a last line without its end", "issuer CN=CA", "CN=CA", 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert_match_builder *b = NULL;
		struct cert_match *list = NULL;
		struct buf name = buf_max(4096);
		struct cert cert = {.serial = span_of("\x05", 1)};
		struct cert_match_hit hit;
		struct faults faults = {.n = 0};
		bool named;

		assert_int_equal(cert_match_builder_new(&b), RES_OK);
		(void)disallow_add_file(b, span_str(rows[i].file), &faults);
		if ((faults.n > 0 ? faults.shown[0].line : 0) != rows[i].bad)
			fail_msg("%s: %s", rows[i].what, faults.n > 0 ? faults_text(&faults, 0, "list") : "no fault");
		faults_clear(&faults);
		assert_int_equal(cert_match_finish(&list, b), RES_OK);
		common_name(&name, 0x0c, rows[i].issuer + 3);
		cert.issuer = buf_span(&name);
		named = cert_match_issuer(list, &cert, &hit) || cert_match_cert(list, &cert, &hit);
		if (rows[i].bad == 0 && named != rows[i].named)
			fail_msg("%s: %s", rows[i].what, named ? "named" : "not named");
		buf_free(&name);
		cert_match_free(list);
	}
}

static void
long_lines_are_refused(void **state)
{
	char text[CERT_MATCH_ENTRY_MAX + 2], *why = NULL;
	struct cert_match_builder *b = NULL;
	struct faults faults = {.n = 0};

	(void)state;
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	assert_int_equal(cert_match_builder_new(&b), RES_OK);
	assert_int_equal(cert_match_add(b, span_str(text), &why), RES_LIMIT);
	free(why);
	assert_int_equal(disallow_add_file(b, span_str(text), &faults), RES_MALFORMED);
	assert_int_equal(faults.shown[0].line, 1);
	faults_clear(&faults);
	cert_match_builder_free(b);
}

static void
twins_are_kept_once(void **state)
{
	struct cert_match *list = list_of("issuer CN=a\nissuer cn=A\nserial 1 issuer CN=a\nserial 01 issuer CN=a\nissuer CN=b\n");

	(void)state;
	assert_int_equal(cert_match_count(list), 3);
	cert_match_free(list);
}

static void
builtin_names_fina(void **state)
{
	struct cert_match_builder *b = NULL;
	struct cert_match *list = NULL;
	struct cert_match_hit hit;
	struct cert cert = {.serial = span_of(fina_serial, sizeof fina_serial)};
	uint8_t der[128];

	(void)state;
	assert_int_equal(cert_match_builder_new(&b), RES_OK);
	assert_int_equal(disallow_add_builtin(b), RES_OK);
	assert_int_equal(cert_match_finish(&list, b), RES_OK);
	assert_int_equal(cert_match_count(list), 5);
	cert.issuer = fina_der(der, 0x0c, "Fina RDC 2015");
	assert_true(cert_match_cert(list, &cert, &hit));
	cert.issuer = fina_der(der, 0x0c, "Fina RDC 2020");
	assert_false(cert_match_cert(list, &cert, &hit));
	cert_match_free(list);
}

static void
builtin_names_the_fina_root(void **state)
{
	struct cert_match_builder *b = NULL;
	struct cert_match *list = NULL;
	struct cert_match_hit hit;
	struct cert cert;
	struct buf pem = data_file("vectors/resolvers/fina-root-ca.pem"), der = buf_max(65536);
	const char *from, *to;

	(void)state;
	from = strchr(strstr(buf_cstr(&pem), "-----BEGIN"), '\n');
	to = strstr(from, "-----END");
	for (const char *line = from; line < to;) {
		const char *end = strchr(line + 1, '\n');

		if (end - line > 1)
			assert_int_equal(base64_read(&der, span_of(line + 1, (size_t)(end - line - 1))), RES_OK);
		line = end;
		if (line + 1 >= to)
			break;
	}
	assert_int_equal(cert_read(&cert, buf_span(&der)), RES_OK);
	assert_int_equal(cert_match_builder_new(&b), RES_OK);
	assert_int_equal(disallow_add_builtin(b), RES_OK);
	assert_int_equal(cert_match_finish(&list, b), RES_OK);
	assert_true(cert_match_key(list, &cert, &hit));
	cert_match_free(list);
	buf_free(&pem);
	buf_free(&der);
}

/* 100,000 entries: each is found, and others are not. */
static void
many_entries_are_found(void **state)
{
	struct buf text = buf_max(32 * 1024 * 1024);
	struct cert_match *list;
	struct cert_match_hit hit;
	struct cert cert = {.serial = {NULL, 0}};
	uint8_t der[128], serial[4];
	const uint32_t count = 100000;

	(void)state;
	for (uint32_t i = 0; i < count; i++)
		buf_format(&text, "serial %x issuer " FINA "\n", (i + 1) * 16);
	list = list_of(buf_cstr(&text));
	assert_int_equal(cert_match_count(list), count);
	cert.issuer = fina_der(der, 0x0c, "Fina RDC 2015");
	cert.serial = span_of(serial, 4);
	for (uint32_t i = 0; i < count; i += 97) {
		be32_write(serial, (i + 1) * 16);
		assert_true(cert_match_cert(list, &cert, &hit));
		be32_write(serial, (i + 1) * 16 + 1);
		assert_false(cert_match_cert(list, &cert, &hit));
	}
	cert_match_free(list);
	buf_free(&text);
}

static void
onecrl_of_a_browser(void **state)
{
	struct buf file = data_file("vectors/onecrl/records.json");
	char *text = NULL, *why = NULL;
	size_t entries = 0, left_out = 99;
	struct faults faults = {.n = 0};
	struct cert_match_builder *b = NULL;
	struct cert_match *list = NULL;

	(void)state;
	if (onecrl_to_disallow(&text, buf_span(&file), &entries, &left_out, NULL, &why) != RES_OK)
		fail_msg("%s", why);
	assert_int_equal(entries, 339);
	assert_int_equal(left_out, 0);
	assert_int_equal(cert_match_builder_new(&b), RES_OK);
	if (disallow_add_file(b, span_str(text), &faults) != RES_OK)
		fail_msg("%s", faults_text(&faults, 0, "list"));
	assert_int_equal(cert_match_finish(&list, b), RES_OK);
	assert_in_range(cert_match_count(list), 330, 339); /* without duplicates */
	assert_true(cert_match_has_kind(list, CERT_MATCH_SPKI));
	cert_match_free(list);
	free(text);
	buf_free(&file);
}

#define NAME_64 "MAwxCjAIBgNVBAMMAXg="
#define A10      "AAAAAAAAAA"
#define A100     A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define A1000    A100 A100 A100 A100 A100 A100 A100 A100 A100 A100
#define A6000    A1000 A1000 A1000 A1000 A1000 A1000
#define HASH_64 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="

static const struct {
	const char *what;
	const char *json;
	enum res want;
	const char *text; /* the result, or part of the sentence */
	size_t left_out;
} records[] = {
    {"serial and issuer", "{\"data\":[{\"issuerName\":\"" NAME_64 "\",\"serialNumber\":\"AKUw\"}]}", RES_OK, "serial 00a530 issuer der:" NAME_64 "\n", 0},
    {"a record that is not enabled", "{\"data\":[{\"issuerName\":\"" NAME_64 "\",\"serialNumber\":\"AQ==\",\"enabled\":false}]}", RES_OK, "serial 01 issuer der:" NAME_64 "\n", 0},
    {"a key", "{\"data\":[{\"subject\":\"" NAME_64 "\",\"pubKeyHash\":\"" HASH_64 "\"}]}", RES_OK, "spki-sha256 0101010101010101010101010101010101010101010101010101010101010101\n", 0},
    {"a record of another kind is counted", "{\"data\":[{\"sth\":1}]}", RES_OK, "", 1},
    {"nothing", "{\"data\":[]}", RES_OK, "", 0},
    {"a byte order mark (RFC 8259, 8.1)", "\xef\xbb\xbf{\"data\":[]}", RES_OK, "", 0},
    {"two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf{\"data\":[]}", RES_MALFORMED, "not JSON", 0},
    {"nothing but a byte order mark", "\xef\xbb\xbf", RES_MALFORMED, "not JSON", 0},
    {"no data", "{}", RES_MALFORMED, "no array", 0},
    {"not JSON", "serial", RES_MALFORMED, "not JSON", 0},
    {"a record that is text", "{\"data\":[\"x\"]}", RES_MALFORMED, "data[0]", 0},
    {"a serial that is not base64", "{\"data\":[{\"issuerName\":\"" NAME_64 "\",\"serialNumber\":\"!\"}]}", RES_MALFORMED, "data[0]", 0},
    {"an empty serial", "{\"data\":[{\"issuerName\":\"" NAME_64 "\",\"serialNumber\":\"\"}]}", RES_MALFORMED, "data[0]", 0},
    {"a serial that is a number", "{\"data\":[{\"issuerName\":\"" NAME_64 "\",\"serialNumber\":1}]}", RES_MALFORMED, "data[0]", 0},
    {"a name that is a number", "{\"data\":[{\"issuerName\":1,\"serialNumber\":\"AQ==\"}]}", RES_MALFORMED, "data[0]", 0},
    {"a serial that is too long for a certificate is left out", "{\"data\":[{\"issuerName\":\"" NAME_64 "\",\"serialNumber\":\"" A100 "\"}]}", RES_OK, "", 1},
    {"a name that is too long for an entry is left out", "{\"data\":[{\"issuerName\":\"" A6000 "AAAA\",\"serialNumber\":\"AQ==\"}]}", RES_OK, "", 1},
    {"a serial without an issuer is of another kind", "{\"data\":[{\"serialNumber\":\"AQ==\"}]}", RES_OK, "", 1},
    {"an invalid name", "{\"data\":[{\"issuerName\":\"AAAA\",\"serialNumber\":\"AQ==\"}]}", RES_MALFORMED, "data[0]", 0},
    {"a hash of another length", "{\"data\":[{\"pubKeyHash\":\"AQ==\"}]}", RES_MALFORMED, "data[0]", 0},
};

static void
an_entry_with_a_nul_byte_is_refused(void **state)
{
	static const char entry[] = "issuer CN=a\0b";
	struct cert_match_builder *b = NULL;
	char *why = NULL;

	(void)state;
	assert_int_equal(cert_match_builder_new(&b), RES_OK);
	assert_int_equal(cert_match_add(b, span_of(entry, sizeof entry - 1), &why), RES_MALFORMED);
	assert_string_equal(why, "a NUL byte");
	free(why);
	cert_match_builder_free(b);
}

static void
onecrl_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
		char *text = NULL, *why = NULL;
		size_t entries = 99, left_out = 99;
		enum res res = onecrl_to_disallow(&text, span_str(records[i].json), &entries, &left_out, NULL, &why);

		if (res != records[i].want)
			fail_msg("%s: %s: %s", records[i].what, res_text(res), why);
		if (res == RES_OK) {
			assert_string_equal(text, records[i].text);
			assert_int_equal(left_out, records[i].left_out);
			assert_int_equal(entries, text[0] != '\0');
		} else if (strstr(why, records[i].text) == NULL) {
			fail_msg("%s: %s", records[i].what, why);
		}
		free(text);
		free(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(serials_match),
	    cmocka_unit_test(issuers_match_in_both_orders),
	    cmocka_unit_test(bytes_are_compared_as_bytes),
	    cmocka_unit_test(each_kind_of_entry_matches_its_own_field),
	    cmocka_unit_test(bad_files_are_refused),
	    cmocka_unit_test(comments_and_hashes_in_names),
	    cmocka_unit_test(a_name_is_read_whole_or_the_line_is_an_error),
	    cmocka_unit_test(long_lines_are_refused),
	    cmocka_unit_test(twins_are_kept_once),
	    cmocka_unit_test(builtin_names_fina),
	    cmocka_unit_test(builtin_names_the_fina_root),
	    cmocka_unit_test(many_entries_are_found),
	    cmocka_unit_test(onecrl_of_a_browser),
	    cmocka_unit_test(an_entry_with_a_nul_byte_is_refused),
	    cmocka_unit_test(onecrl_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
