/*
 * fuzz_lists.c - hosts files and filter lists: any text is read, and each name in it is found again.
 */
#include "resolver/filter.h"
#include "resolver/hosts.h"

#include "base/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
hosts(struct span text)
{
	static const char question[] = "\0\0\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1";
	struct buf out = buf_max(MSG_MAX);
	struct msg_question q;
	struct hosts *h;

	check(hosts_new(&h, NULL) == RES_OK);
	check(hosts_read(h, text) == RES_OK);
	check(msg_question_read(&q, span_of(question, sizeof question - 1)) == MSG_OK);
	(void)hosts_answer(h, &q, 0, &out);
	hosts_free(h);
	buf_free(&out);
}

static void
filter(struct span text)
{
	struct faults left_out = {.n = 0};
	struct span line, word;
	enum res res;
	struct filter *f;

	check(filter_new(&f) == RES_OK);
	res = filter_read(f, text, &left_out);
	check(res == RES_OK || left_out.n > 0);
	if (left_out.n > 0)
		res = RES_MALFORMED;
	text = text_without_bom(text);
	/* In a list without a fault every plain name is refused. */
	while (res == RES_OK && text_line_take(&text, &line)) {
		uint8_t name[MSG_NAME_MAX], name_n;
		struct addr ip;

		/* Names in other scripts are listed by their A-labels. */
		if (memchr(line.p, '#', line.n) == NULL && text_is_ascii(line) && text_word_take(&line, &word) && line.n == 0 &&
		    word.p[0] != '*' && word.p[0] != '!' && word.p[0] != '|' && addr_read_ip_span(&ip, word) != RES_OK &&
		    msg_name_read_span(name, &name_n, word) == RES_OK)
			check(filter_has(f, span_of(name, name_n)));
	}
	faults_clear(&left_out);
	filter_free(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > 65536)
		return 0;
	hosts(span_of(data, n));
	filter(span_of(data, n));
	return 0;
}
