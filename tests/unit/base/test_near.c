/* Misspelt words and the words that they are near. */
#include "base/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *what, *text, *near; /* NULL: none */
} rows[] = {
    {"a letter is missing", "adress", "address"},
    {"there is a letter too many", "addresss", "address"},
    {"a letter is wrong", "addrass", "address"},
    {"two neighbours are swapped", "adderss", "address"},
    {"three of nine letters are wrong", "log-lxxxl", "log-level"},
    {"four of nine letters are wrong", "lxx-lxxel", NULL},
    {"another case", "ADDRESS", "address"},
    {"an underscore", "log_level", "log-level"},
    {"the beginning", "addr", "address"},
    {"the word and more", "port-number", "port"},
    {"two letters of a beginning", "ad", NULL},
    {"one letter of a word of three is wrong", "pom", "pem"},
    {"two letters of a word of three are wrong", "xxm", NULL},
    {"a single letter", "x", NULL},
    {"nothing", "", NULL},
    {"the word itself", "port", "port"},
    {"far from all", "nonsense", NULL},
    {"longer than any word",
	"addressaddressaddressaddressaddressaddressaddressaddressaddressaddress", NULL},
};

static void
the_nearest_word_is_found(void **state)
{
	static const char *const words[] = {"log-format", "log-level", "address", "port", "pem", "y", NULL};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *near = near_of(rows[i].text, words);

		if ((near == NULL) != (rows[i].near == NULL) || (near != NULL && strcmp(near, rows[i].near) != 0))
			fail_msg("%s: %s", rows[i].what, near != NULL ? near : "none");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_nearest_word_is_found)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
