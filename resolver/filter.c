#include "resolver/filter.h"

#include "base/addr.h"
#include "base/text.h"
#include "base/dns/nameset.h"
#include "config/snapshot.h"
#include "verify/x509/idn.h"

#include <stdlib.h>
#include <string.h>

#define FILTER_SHOWN_MAX 80 /* bytes of a bad word that a message repeats */

struct filter {
	struct nameset *names; /* refused, with all below */
	struct nameset *below; /* "*.": all below, the name itself not */
};

/* The file under way. */
struct list {
	struct filter *filter;
	struct faults *left_out;
	size_t line;
	size_t names; /* names that it gave, duplicates included */
	bool foreign; /* some item has the form of no known list */
	enum res res; /* RES_NOMEM or RES_LIMIT end the reading */
};

static void
filter_leave_out(struct list *l, const char *what, struct span word)
{
	struct buf text = buf_max(8 * FILTER_SHOWN_MAX);
	char *why = NULL;

	if (l->left_out->n_shown < FAULTS_SHOWN_MAX) { /* the others are only counted */
		buf_u8(&text, '"');
		text_escape(&text, span_slice(word, 0, FILTER_SHOWN_MAX));
		buf_format(&text, "\": left out: %s", what);
		why = buf_take_cstr(&text);
	}
	faults_add(l->left_out, l->line, why);
	buf_free(&text);
}

/* Letters, digits, '-', '_', '.', and other scripts. Anything else is of another kind of list, a URL or a page. */
static bool
is_name_like(struct span word)
{
	for (size_t i = 0; i < word.n; i++) {
		uint8_t c = ascii_lower(word.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.' &&
		    c < 0x80)
			return false;
	}
	return word.n > 0;
}

/* NULL: the name is in out; else why it cannot be used. */
static const char *
name_take(uint8_t out[MSG_NAME_MAX], uint8_t *n, struct span text)
{
	struct buf ascii = buf_max(IDN_TEXT_MAX);
	const char *why = NULL;

	if (!text_is_ascii(text)) {
		if (idn_to_ascii(&ascii, text) != RES_OK)
			why = "no A-label exists for this name";
		text = buf_span(&ascii);
	}
	if (why == NULL && (msg_name_read_span(out, n, text) != RES_OK || *n == 1))
		why = "not a domain name (a label is empty or longer than 63 bytes, or the name is too long)";
	buf_free(&ascii);
	return why;
}

static void
name_add(struct list *l, bool wildcard, struct span name)
{
	enum res res = RES_OK;

	l->names++;
	if (nameset_find_above(l->filter->names, name, NULL) != 0)
		return; /* already refused by a name above */
	res = filter_count(l->filter) < FILTER_NAMES_MAX
		  ? nameset_add(wildcard ? l->filter->below : l->filter->names, name, 0)
		  : RES_LIMIT;
	if (res != RES_OK)
		l->res = res;
}

/* "||name^" and "*.name" to the name. */
static struct span
word_unwrap(struct span word, bool *wildcard)
{
	*wildcard = false;
	if (word.n > 3 && word.p[0] == '|' && word.p[1] == '|' && word.p[word.n - 1] == '^')
		return span_slice(word, 2, word.n - 3);
	if (word.n > 2 && word.p[0] == '*' && word.p[1] == '.') {
		*wildcard = true;
		return span_slice(word, 2, word.n);
	}
	return word;
}

static void
filter_word_add(struct list *l, struct span word, bool hosts)
{
	uint8_t name[MSG_NAME_MAX], n = 0;
	const char *why;
	struct span text;
	bool wildcard;

	text = word_unwrap(word, &wildcard);
	if (!is_name_like(text)) {
		l->foreign = true;
		filter_leave_out(l,
				 "not a domain name; expected a name, \"*.\" and a name, \"||name^\", or an "
				 "address and names",
				 word);
		return;
	}
	why = name_take(name, &n, text);
	if (why != NULL)
		filter_leave_out(l, why, word);
	else if (!hosts || n != 2U + name[0])
		/* Hosts files name hosts: their "localhost", "broadcasthost" and the like are not top-level domains. */
		name_add(l, wildcard, span_of(name, n));
}

/* A zone may follow, as in every hosts file of macOS: "fe80::1%lo0 localhost". */
static bool
is_address(struct span word)
{
	const uint8_t *zone = memchr(word.p, '%', word.n);
	struct addr addr;

	if (zone != NULL)
		word.n = (size_t)(zone - word.p);
	return addr_read_ip_span(&addr, word) == RES_OK && (zone == NULL || addr.family == ADDR_V6);
}

static void
filter_hosts_line_read(struct list *l, struct span address, struct span rest)
{
	struct span word;
	bool any = false;

	for (; text_word_take(&rest, &word); any = true)
		filter_word_add(l, word, true);
	if (!any) {
		l->foreign = true; /* a list of addresses alone would refuse no name */
		filter_leave_out(l, "an address alone; names after it were expected", address);
	}
}

static void
filter_line_read(struct list *l, struct span line)
{
	const uint8_t *comment = line.n == 0 ? NULL : memchr(line.p, '#', line.n);
	struct span word, first;

	if (comment != NULL)
		line.n = (size_t)(comment - line.p);
	if (!text_word_take(&line, &first) || first.p[0] == '!')
		return;
	if (is_address(first)) {
		filter_hosts_line_read(l, first, line);
	} else if (text_word_take(&line, &word)) { /* a sentence: none of its words is an entry */
		l->foreign = true;
		filter_leave_out(l, "a second word; one name a line was expected", word);
	} else {
		filter_word_add(l, first, false);
	}
}

enum res
filter_read(struct filter *f, struct span text, struct faults *left_out)
{
	struct list l = {.filter = f, .left_out = left_out, .res = RES_OK};
	struct span line;

	if (faults_add_foreign(left_out, text))
		return RES_MALFORMED;
	text = text_without_bom(text);
	while (l.res == RES_OK && text_line_take(&text, &line)) {
		l.line++;
		filter_line_read(&l, line);
	}
	return l.res == RES_OK && l.names == 0 && l.foreign ? RES_MALFORMED : l.res;
}

/* Reports the error of the i-th file. */
static void
filter_file_complain(struct config_errors *to, const struct strings *files, size_t i, enum res res,
		     const char *why)
{
	const char *text = why != NULL            ? why
			   : res == RES_MALFORMED ? "it has no name to refuse"
						  : res_text(res);

	if (why != NULL)
		config_errors_add(to, files->place[i], "filter.list-file: %s", text);
	else
		config_errors_add(to, files->place[i], "filter.list-file: %s: %s", files->v[i], text);
}

static enum res
filter_file_read(struct filter *f, const struct settings *s, size_t i, struct config_errors *errors,
		 struct config_errors *warnings)
{
	const struct strings *files = &s->filter_list_file;
	struct buf text = buf_max(FILTER_FILE_MAX);
	struct faults left_out = {.n = 0};
	char *why = NULL;
	enum res res = config_file_read(&text, files->v[i], FILTER_FILE_MAX, &why);

	if (res == RES_OK)
		res = filter_read(f, buf_span(&text), &left_out);
	if (res != RES_OK)
		filter_file_complain(s->serve_without && res != RES_NOMEM ? warnings : errors, files, i, res,
				     why);
	config_errors_add_faults(res == RES_OK || s->serve_without ? warnings : errors, files->v[i],
				 &left_out);
	faults_clear(&left_out);
	free(why);
	buf_free(&text);
	return s->serve_without && res != RES_NOMEM ? RES_OK : res;
}

enum res
filter_new(struct filter **out)
{
	struct filter *f = calloc(1, sizeof *f);

	if (f == NULL || nameset_new(&f->names) != RES_OK || nameset_new(&f->below) != RES_OK) {
		filter_free(f);
		return RES_NOMEM;
	}
	*out = f;
	return RES_OK;
}

enum res
filter_compile(struct filter **out, const struct settings *settings, struct config_errors *errors,
	       struct config_errors *warnings)
{
	const struct strings *files = &settings->filter_list_file;
	struct filter *f = NULL;
	enum res res, worst = RES_OK;

	*out = NULL;
	if (files->n == 0)
		return RES_OK;
	worst = filter_new(&f);
	if (worst != RES_OK)
		config_errors_add(errors, (struct place){0}, "filter: %s", res_text(worst));
	for (size_t i = 0; f != NULL && i < files->n; i++) {
		res = filter_file_read(f, settings, i, errors, warnings);
		worst = worst == RES_OK ? res : worst;
	}
	if (worst != RES_OK) {
		filter_free(f);
		return worst;
	}
	filter_seal(f);
	*out = f;
	return RES_OK;
}

void
filter_seal(struct filter *f)
{
	nameset_seal(f->names);
	nameset_seal(f->below);
}

void
filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	nameset_free(f->names);
	nameset_free(f->below);
	free(f);
}

size_t
filter_count(const struct filter *f)
{
	return f == NULL ? 0 : nameset_count(f->names) + nameset_count(f->below);
}

bool
filter_has(const struct filter *f, struct span name)
{
	if (f == NULL)
		return false;
	if (nameset_find_above(f->names, name, NULL) != 0)
		return true;
	return name.n > 1 &&
	       nameset_find_above(f->below, span_slice(name, 1U + name.p[0], name.n), NULL) != 0;
}
