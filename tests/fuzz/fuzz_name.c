/*
 * fuzz_name.c - distinguished names: RFC 4514 text, and DER whose text reads as the same name.
 */
#include "verify/x509/name.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX  (16 * 1024)
#define TEXT_MAX (64 * 1024)

static void
from_der(struct span der)
{
	struct buf key = buf_max(KEY_MAX), again = buf_max(KEY_MAX), text = buf_max(TEXT_MAX);

	if (name_key_from_der(&key, der) == RES_OK && name_text(&text, der) == RES_OK) {
		enum res res = name_key_from_text(&again, buf_cstr(&text));

		check(res == RES_LIMIT || (res == RES_OK && span_equal(buf_span(&key), buf_span(&again))));
		for (size_t i = 0; i < text.n; i++)
			check(text.p[i] >= 0x20 && text.p[i] != 0x7f);
	}
	buf_free(&key);
	buf_free(&again);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf key = buf_max(KEY_MAX);
	char *text = malloc(n + 1);

	if (text == NULL)
		abort();
	if (n > 0)
		memcpy(text, data, n);
	text[n] = '\0';
	if (name_key_from_text(&key, text) != RES_OK)
		check(key.n == 0);
	free(text);
	buf_free(&key);
	from_der(span_of(data, n));
	return 0;
}
