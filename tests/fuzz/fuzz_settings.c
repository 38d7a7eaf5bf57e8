/* The configuration reader: any text is accepted, or refused with errors; accepted settings are printed and read again as the same. */
#include "config/reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char *
print(const struct settings *s, size_t *n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, n);

	if (f == NULL || settings_print(s, f) != RES_OK)
		abort();
	(void)fclose(f);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct config_errors errors = {0};
	struct settings *s = NULL, *again = NULL;
	enum res res = settings_read_text(&s, "fuzz", span_of(data, n), &errors);

	if (res == RES_OK) {
		size_t first_n, second_n;
		char *first = print(s, &first_n), *second;

		assert(errors.n == 0);
		if (first_n <= CONFIG_FILE_MAX) {
			if (settings_read_text(&again, "again", span_of(first, first_n), &errors) != RES_OK)
				abort();
			second = print(again, &second_n);
			if (first_n != second_n || memcmp(first, second, first_n) != 0)
				abort();
			settings_free(again);
			free(second);
		}
		free(first);
		settings_free(s);
	} else if (errors.n == 0) {
		abort(); /* refused without an error */
	}
	config_errors_free(&errors);
	return 0;
}
