#include "resolver/filter.h"

#include "base/addr.h"
#include "base/text.h"
#include "config/snapshot.h"
#include "base/dns/nameset.h"

#include <stdlib.h>
#include <string.h>

#define FILTER_SHOWN_MAX 80 /* bytes of a bad word that its message repeats */

struct filter {
	struct nameset *names; /* refused, with all below */
	struct nameset *below; /* "*.": all below, the name itself not */
};

/* The file under way. */
struct list {
	struct filter *filter;
	struct place place;
	struct config_errors *errors;
	enum res res; /* the first thing that was wrong */
};

static void
list_error(struct list *l, const char *what, struct span word)
{
	struct buf text = buf_max(8 * FILTER_SHOWN_MAX);
	const char *shown;

	text_escape(&text, span_slice(word, 0, FILTER_SHOWN_MAX));
	shown = buf_cstr(&text);
	config_errors_add(l->errors, l->place, "\"%s\": %s", shown == NULL ? "?" : shown, what);
	buf_free(&text);
	if (l->res == RES_OK)
		l->res = RES_MALFORMED;
}

/* What a pattern of another kind of list, an address with a port or a URL would hold. */
static bool
is_no_name(struct span word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] <= ' ' || word.p[i] >= 0x7f || strchr("|/*^:\\", word.p[i]) != NULL)
			return true;
	return false;
}

static void
list_add(struct list *l, struct span word, bool hosts)
{
	bool wildcard = word.n > 2 && word.p[0] == '*' && word.p[1] == '.';
	struct span text = wildcard ? span_slice(word, 2, word.n) : word;
	uint8_t name[MSG_NAME_MAX], n;
	enum res res;

	if (is_no_name(text) || msg_name_read_span(name, &n, text) != RES_OK || n == 1) {
		list_error(l, "no domain name; expected a name, \"*.\" and a name, or an address and names",
			   word);
		return;
	}
	/* A hosts file means hosts: its "localhost", "broadcasthost" and the like are not top-level domains.
	 */
	if (hosts && n == 2U + name[0])
		return;
	if (nameset_find_above(l->filter->names, span_of(name, n), NULL) != 0)
		return; /* refused already, with what is above */
	res = filter_count(l->filter) < FILTER_NAMES_MAX
		  ? nameset_add(wildcard ? l->filter->below : l->filter->names, span_of(name, n), 0)
		  : RES_LIMIT;
	if (res != RES_OK && l->res != res) {
		config_errors_add(l->errors, l->place, "filter.list-file: %s", res_text(res));
		l->res = res;
	}
}

/* With its zone, as every hosts file of a Mac has it: "fe80::1%lo0 localhost". */
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
line_read(struct list *l, struct span line)
{
	const uint8_t *comment = line.n == 0 ? NULL : memchr(line.p, '#', line.n);
	struct span word, first;
	bool hosts, any = false;

	if (comment != NULL)
		line.n = (size_t)(comment - line.p);
	if (!text_word_take(&line, &first))
		return;
	hosts = is_address(first);
	if (!hosts)
		list_add(l, first, false);
	for (; text_word_take(&line, &word); any = true) {
		if (hosts)
			list_add(l, word, true);
		else
			list_error(l, "a second name; expected one a line", word);
	}
	if (hosts && !any) /* a list of addresses would refuse nothing */
		list_error(l, "an address alone; expected names behind it", first);
}

void
filter_read(struct filter *f, struct span text, struct place place, struct config_errors *errors,
	    enum res *res)
{
	struct list l = {f, place, errors, *res};
	struct span line;

	while (l.res != RES_NOMEM && l.res != RES_LIMIT && text_line_take(&text, &line)) {
		l.place.line++;
		line_read(&l, line);
	}
	*res = l.res;
}

static enum res
file_read(struct filter *f, const struct strings *files, size_t i, struct config_errors *errors)
{
	struct buf text = buf_max(FILTER_FILE_MAX);
	char *why = NULL;
	enum res res = config_file_read(&text, files->v[i], FILTER_FILE_MAX, &why);

	if (res != RES_OK)
		config_errors_add(errors, files->place[i], "filter.list-file: %s",
				  why == NULL ? res_text(res) : why);
	else
		filter_read(f, buf_span(&text), (struct place){files->v[i], 0}, errors, &res);
	free(why);
	buf_free(&text);
	return res;
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
filter_compile(struct filter **out, const struct settings *settings, struct config_errors *errors)
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
		res = file_read(f, files, i, errors);
		worst = worst == RES_OK ? res : worst;
	}
	if (worst != RES_OK) {
		filter_free(f);
		return worst;
	}
	nameset_seal(f->names);
	nameset_seal(f->below);
	*out = f;
	return RES_OK;
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
