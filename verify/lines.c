#include "verify/lines.h"

#include "base/text.h"

static enum res
line_give(struct span line, size_t number, lines_take *take, void *arg, char **why)
{
	char quote[WHY_QUOTE_MAX];

	return text_is_plain(line)
		   ? take(arg, line, number, why)
		   : why_say(why, RES_MALFORMED,
			     "\"%s\": a NUL byte or another control character; lines end in LF or CR LF",
			     why_quote(quote, line));
}

enum res
lines_read(struct span text, size_t max, lines_take *take, void *arg, struct faults *faults)
{
	enum res res = RES_OK, all = RES_OK;
	struct span line;
	char *why = NULL;

	if (text.n > max) {
		(void)why_say(&why, RES_LIMIT, "larger than %zu bytes", max);
		faults_add(faults, 0, why);
		return RES_LIMIT;
	}
	if (faults_add_foreign(faults, text))
		return RES_MALFORMED;
	if (text_without_bom(text).n < text.n) {
		all = why_say(&why, RES_MALFORMED, "a byte order mark; save the file without it");
		faults_add(faults, 1, why);
		text = text_without_bom(text);
	}
	for (size_t number = 1; res != RES_NOMEM && res != RES_LIMIT && text_line_take(&text, &line);
	     number++) {
		why = NULL;
		res = line_give(line, number, take, arg, &why);
		if (res == RES_OK)
			continue;
		faults_add(faults, number, why);
		all = res == RES_NOMEM || res == RES_LIMIT ? res : RES_MALFORMED;
	}
	return all;
}
