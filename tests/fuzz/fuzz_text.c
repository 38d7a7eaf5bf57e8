/*
 * fuzz_text.c - the readers of short texts (addresses, times and others): a value that is accepted is written and read again
 * the same.
 */
#include "base/addr.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define TEXT_SIZE 512

static void
addresses(const char *text)
{
	char again[ADDR_TEXT_MAX];
	struct addr a, b;
	struct prefix prefix;

	if (addr_read(&a, text, 853) == RES_OK) {
		check(a.port != 0);
		check(addr_read(&b, addr_text(&a, again), 1) == RES_OK && addr_equal(&a, &b));
	}
	if (addr_read_ip(&a, text) == RES_OK)
		check(addr_read_ip(&b, addr_ip_text(&a, again)) == RES_OK && addr_ip_equal(&a, &b));
	if (prefix_read(&prefix, text) == RES_OK)
		check(prefix_has(&prefix, &prefix.addr));
}

static void
numbers(const char *text)
{
	char again[TIME_TEXT_MAX];
	int64_t a, b;
	uint64_t size, size_again;

	if (duration_read(&a, text) == RES_OK)
		check(duration_read(&b, duration_text(a, again)) == RES_OK && a == b);
	if (size_read(&size, text) == RES_OK)
		check(size_read(&size_again, size_text(size, again)) == RES_OK && size == size_again);
	if (time_read(&a, text) == RES_OK && strcmp(time_text_ms(a, again), "invalid") != 0)
		check(time_read(&b, again) == RES_OK && a == b);
	if (number_read(&a, text) == RES_OK)
		check(text[0] != '\0');
}

static void
bytes(struct span text)
{
	struct buf raw = buf_max(TEXT_SIZE), again = buf_max(4 * TEXT_SIZE);

	if (base64_read(&raw, text) == RES_OK) {
		base64_write(&again, buf_span(&raw));
		check(span_equal(buf_span(&again), text));
	}
	buf_clear(&again);
	text_escape(&again, text);
	for (size_t i = 0; i < again.n; i++)
		check(again.p[i] >= 0x20 && again.p[i] < 0x7f);
	buf_free(&raw);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[TEXT_SIZE];

	if (n >= sizeof text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	addresses(text);
	numbers(text);
	bytes(span_of(data, n));
	return 0;
}
