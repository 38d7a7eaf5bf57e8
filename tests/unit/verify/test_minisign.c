/* Signatures made by minisign 0.11 itself, and signatures with faults. */
#include "verify/minisign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_TEXT "hello feed\n"
#define KEY       "untrusted comment: minisign public key FCF17323AAA72858\nRWRYKKeqI3Px/JlaBooKcEEBNblyAE1x0gjwHxARiBA97RPeVt8FdNJu\n"
#define OTHER_KEY "untrusted comment: minisign public key 80A1D07A141D46CB\nRWTLRh0UetChgJrb7Mhfb/iy9rZ++VcVb0iH5SNoEaVwnnNcwq9Vog5R\n"
/* the id of KEY, the key of OTHER_KEY */
#define MIXED_KEY "untrusted comment: x\nRWRYKKeqI3Px/Jrb7Mhfb/iy9rZ++VcVb0iH5SNoEaVwnnNcwq9Vog5R\n"
#define COMMENT   "untrusted comment: signature from minisign secret key\n"
#define SIGNATURE "RWRYKKeqI3Px/CLeZes/a3cQW4bDxM+bTbyeKPA5i/2rs8JzqSHtEre7qz3F0QIejRI+6Tqu+BTgvrgQWpTKqjyJ4B4U1Yjs6gk=\n"
/* the same bytes after "ET" instead of "Ed" */
#define UNKNOWN   "RVRYKKeqI3Px/CLeZes/a3cQW4bDxM+bTbyeKPA5i/2rs8JzqSHtEre7qz3F0QIejRI+6Tqu+BTgvrgQWpTKqjyJ4B4U1Yjs6gk=\n"
#define TRUSTED   "trusted comment: edition 1\n"
#define GLOBAL    "bM0jaz/FuNygz4Crn4Y9YHS0jF4wolFBqtROp8BK4Fv7SPuxy3zPg4B9q1yfIimS78MeqB0Zgrj33YFtt5uUCA==\n"
#define GOOD      COMMENT SIGNATURE TRUSTED GLOBAL
#define PREHASHED                                                                                            \
	COMMENT "RURYKKeqI3Px/HyROhRdaxt57A1rSNhIOwNGtzerCqKNClGVsYUODcIzToNBZKiahVdRFzWhruFSXZdmd4HU2BX2NAFuXNlZSgk=\n" TRUSTED \
		"KauMUSni2sUA8JHzlibvrhA0EVhopqbYzXH/UElDWNkTE40ByQRfkIufkwQU67CAwWeJ1VCIFTE1W/GJZio9Dg==\n"

static void
a_signature_verifies_with_one_key_and_one_file(void **state)
{
	static const struct {
		const char *what, *key, *file, *signature;
		enum res res;
	} rows[] = {
	    {"the signature of the file", KEY, FILE_TEXT, GOOD, RES_OK},
	    {"with CR LF as line ends", KEY, FILE_TEXT,
		"untrusted comment: x\r\n" "RWRYKKeqI3Px/CLeZes/a3cQW4bDxM+bTbyeKPA5i/2rs8JzqSHtEre7qz3F0QIejRI+6Tqu+BTgvrgQWpTKqjyJ4B4U1Yjs6gk=\r\n"
		TRUSTED GLOBAL, RES_OK},
	    {"another untrusted comment", KEY, FILE_TEXT, "untrusted comment: whatever\n" SIGNATURE TRUSTED GLOBAL, RES_OK},
	    {"another file", KEY, "hello feed", GOOD, RES_MALFORMED},
	    {"an empty file", KEY, "", GOOD, RES_MALFORMED},
	    {"another key", OTHER_KEY, FILE_TEXT, GOOD, RES_MALFORMED},
	    {"another key under the same id", MIXED_KEY, FILE_TEXT, GOOD, RES_MALFORMED},
	    {"another trusted comment", KEY, FILE_TEXT, COMMENT SIGNATURE "trusted comment: edition 2\n" GLOBAL, RES_MALFORMED},
	    {"no trusted comment", KEY, FILE_TEXT, COMMENT SIGNATURE, RES_MALFORMED},
	    {"no untrusted comment", KEY, FILE_TEXT, SIGNATURE TRUSTED GLOBAL, RES_MALFORMED},
	    {"an extra line", KEY, FILE_TEXT, GOOD "x\n", RES_MALFORMED},
	    {"the signature of a hash", KEY, FILE_TEXT, PREHASHED, RES_UNSUPPORTED},
	    {"a signature of an unknown kind", KEY, FILE_TEXT, COMMENT UNKNOWN TRUSTED GLOBAL, RES_UNSUPPORTED},
	    {"a signature cut short", KEY, FILE_TEXT, COMMENT "RWRYKKeqI3Px/CLeZes/a3cQ\n" TRUSTED GLOBAL, RES_MALFORMED},
	    {"the global signature instead of the signature", KEY, FILE_TEXT, COMMENT GLOBAL TRUSTED GLOBAL, RES_MALFORMED},
	    {"nothing", KEY, FILE_TEXT, "", RES_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct minisign_key key;
		struct span comment = {NULL, 0};
		char *why = NULL;
		enum res res;

		assert_int_equal(minisign_key_read(&key, span_str(rows[i].key), &why), RES_OK);
		res = minisign_verify(&key, span_str(rows[i].file), span_str(rows[i].signature), &comment, &why);
		if (res != rows[i].res || (res != RES_OK) != (why != NULL))
			fail_msg("%s: %s", rows[i].what, why != NULL ? why : "taken");
		if (res == RES_OK)
			assert_true(span_equal(comment, span_str("edition 1")));
		free(why);
	}
}

static void
every_bit_of_a_signature_counts(void **state)
{
	char signature[] = SIGNATURE, text[512];
	struct minisign_key key;

	(void)state;
	assert_int_equal(minisign_key_read(&key, span_str(KEY), NULL), RES_OK);
	for (size_t i = 16; i < sizeof signature - 4; i++) { /* after kind and id */
		signature[i] = signature[i] == 'A' ? 'B' : 'A';
		(void)snprintf(text, sizeof text, "%s%s%s%s", COMMENT, signature, TRUSTED, GLOBAL);
		if (minisign_verify(&key, span_str(FILE_TEXT), span_str(text), NULL, NULL) == RES_OK &&
		    strcmp(signature, SIGNATURE) != 0)
			fail_msg("letter %zu", i);
		memcpy(signature, SIGNATURE, sizeof signature);
	}
}

static void
keys_have_their_form(void **state)
{
	static const struct {
		const char *what, *text;
	} rows[] = {
	    {"nothing", ""},
	    {"no comment", "RWRYKKeqI3Px/JlaBooKcEEBNblyAE1x0gjwHxARiBA97RPeVt8FdNJu\n"},
	    {"another kind", "untrusted comment: x\nRURYKKeqI3Px/JlaBooKcEEBNblyAE1x0gjwHxARiBA97RPeVt8FdNJu\n"},
	    {"too short", "untrusted comment: x\nRWRYKKeqI3Px/JlaBooKcEEBNblyAE1x0gjwHxARiBA97RPeVt8F\n"},
	    {"a signature", GOOD},
	    {"an extra line", KEY "x\n"},
	};
	struct minisign_key key;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *why = NULL;

		if (minisign_key_read(&key, span_str(rows[i].text), &why) == RES_OK || why == NULL)
			fail_msg("%s", rows[i].what);
		free(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signature_verifies_with_one_key_and_one_file),
	    cmocka_unit_test(every_bit_of_a_signature_counts),
	    cmocka_unit_test(keys_have_their_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
