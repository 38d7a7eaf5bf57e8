/*
 * Disallow files, line by line, and the list that is compiled in.
 */
#include "verify/disallow.h"

#include "base/text.h"
#include "verify/data_text.h"
#include "verify/lines.h"
#include "verify/why.h"

#define NAME_READINGS_MAX 4 /* `#` signs in a line that may or may not begin a comment */

/* Does the entry end with a name, in which a `#` may stand? */
static bool
has_name(struct span entry)
{
	struct span kind;

	(void)text_word_take(&entry, &kind);
	return span_equal(kind, span_str("issuer")) || span_equal(kind, span_str("serial"));
}

/* Could a comment begin at i: a `#` at the start, or after white space? */
static bool
comment_may_begin(struct span line, size_t i)
{
	return line.p[i] == '#' &&
	       (i == 0 || (ascii_is_blank(line.p[i - 1]) && (i == 1 || line.p[i - 2] != '\\')));
}

/* An entry that is too long is a bad line; RES_LIMIT is for a list that is full. */
static enum res
disallow_entry_take(struct cert_match_builder *b, struct span entry, char **why)
{
	enum res res = cert_match_add(b, entry, why);

	return res == RES_LIMIT && cert_match_builder_count(b) < CERT_MATCH_ENTRIES_MAX ? RES_MALFORMED : res;
}

/*
 * One line of a file. No part of a name is cut silently: in an entry with a name, a `#` that a letter or digit follows
 * belongs to the name, and one with white space on both sides is read both ways, so that the entry stands for the name
 * with it and for the name before it. Elsewhere, and at the start of a line, `#` begins a comment.
 */
static enum res
disallow_line_take(void *arg, struct span line, size_t number, char **why)
{
	struct cert_match_builder *b = arg;
	size_t readings = 0;
	enum res res;

	(void)number;
	text_blanks_skip(&line);
	for (size_t i = 0; i < line.n; i++) {
		bool spaced = i + 1 == line.n || ascii_is_blank(line.p[i + 1]);

		if (!comment_may_begin(line, i))
			continue;
		if (i == 0)
			return RES_OK;
		if (!has_name(line))
			return disallow_entry_take(b, span_slice(line, 0, i), why);
		if (!spaced)
			continue;
		if (++readings > NAME_READINGS_MAX)
			return why_say(why, RES_MALFORMED, "more than %d `#` that could begin a comment",
				       NAME_READINGS_MAX);
		res = disallow_entry_take(b, span_slice(line, 0, i), readings == 1 ? why : NULL);
		if (res != RES_OK && (readings == 1 || res != RES_MALFORMED))
			return res;
	}
	if (line.n == 0)
		return RES_OK;
	res = disallow_entry_take(b, line, readings == 0 ? why : NULL);
	return readings > 0 && res == RES_MALFORMED ? RES_OK : res;
}

enum res
disallow_add_file(struct cert_match_builder *b, struct span text, struct faults *faults)
{
	return lines_read(text, DISALLOW_FILE_MAX, disallow_line_take, b, faults);
}

enum res
disallow_add_builtin(struct cert_match_builder *b)
{
	return disallow_add_file(b, span_str(data_text_disallow), NULL);
}
