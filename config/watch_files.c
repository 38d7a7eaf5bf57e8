#include "config.h"

#include "config/watch_files.h"

#include "base/path.h"
#include "base/text.h"
#include "config/file.h"
#include "verify/x509/idn.h"

#include <stdlib.h>
#include <string.h>

/* ---- names */

static bool
is_name_byte(uint8_t c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* What a person can mean by a name: no wildcard, nothing that cannot be seen. */
static bool
is_name_text(struct span text)
{
	for (size_t i = 0, n; i < text.n; i += n) {
		uint32_t c = 0;

		n = utf8_read(&c, span_slice(text, i, text.n));
		if (n == 0 || unicode_is_control(c) || (c < 0x80 && !is_name_byte((uint8_t)c)))
			return false;
	}
	return true;
}

/* IDNA alone would take "bü*.test". */
enum res
watch_files_name_normal(struct buf *out, const char *name)
{
	enum res res;

	if (!is_name_text(span_str(name)))
		return RES_MALFORMED;
	res = idn_to_ascii(out, span_str(name));
	while (out->n > 0 && out->p[out->n - 1] == '.')
		out->n--;
	for (size_t i = 0; i < out->n; i++) {
		out->p[i] = ascii_lower(out->p[i]);
		if (!is_name_byte(out->p[i]))
			return RES_MALFORMED;
	}
	if (res == RES_OK &&
	    (out->n == 0 || out->n > 253 || out->p[0] == '.' || memmem(out->p, out->n, "..", 2) != NULL))
		return RES_MALFORMED;
	return res;
}

/* ---- items */

static enum res
item_read(struct watched *item, const char *text)
{
	*item = (struct watched){.kind = WATCHED_NAME, .text = text};
	if (strchr(text, '/') != NULL) {
		item->kind = WATCHED_PREFIX;
		return prefix_read(&item->net, text) == RES_OK ? RES_OK : RES_MALFORMED;
	}
	if (addr_read_ip(&item->net.addr, text) == RES_OK) {
		item->kind = WATCHED_ADDRESS;
		item->net.bits = item->net.addr.family == ADDR_V4 ? 32 : 128;
		return RES_OK;
	}
	/* a mistyped address is no name */
	return strchr(text, ':') != NULL || strspn(text, "0123456789.") == strlen(text) ? RES_MALFORMED
											: RES_OK;
}

#define ITEM_SHOWN_MAX 80 /* bytes of a bad line */

static char *
line_fault(struct span line)
{
	struct buf why = buf_max(8 * ITEM_SHOWN_MAX + 256);

	buf_u8(&why, '"');
	text_show(&why, span_slice(line, 0, ITEM_SHOWN_MAX));
	buf_text(&why, line.n > ITEM_SHOWN_MAX ? "...\"" : "\"");
	buf_text(&why,
		 ": an address, a prefix with host bits zero, a name or .domain was expected, one a line");
	return buf_take_cstr(&why);
}

static enum res
line_read(struct span line, size_t number, watched_fn on_item, void *ctx, struct faults *faults)
{
	const uint8_t *comment = line.n == 0 ? NULL : memchr(line.p, '#', line.n);
	char text[IDN_TEXT_MAX + 1];
	struct span word, rest = comment == NULL ? line : span_slice(line, 0, (size_t)(comment - line.p));
	struct watched item;
	enum res res = RES_MALFORMED;

	if (!text_word_take(&rest, &word))
		return RES_OK;
	if (word.n < sizeof text && text_is_plain(line) && !text_word_take(&rest, &(struct span){0})) {
		memcpy(text, word.p, word.n);
		text[word.n] = '\0';
		res = item_read(&item, text);
		if (res == RES_OK)
			res = on_item(ctx, &item);
	}
	if (res == RES_LIMIT)
		faults_add(faults, number, strdup("there are too many items"));
	else if (res != RES_OK)
		faults_add(faults, number, line_fault(line));
	return res;
}

enum res
watch_files_text_read(struct span text, watched_fn on_item, void *ctx, struct faults *faults)
{
	struct span line;
	enum res worst = RES_OK, res;

	if (faults_add_foreign(faults, text))
		return RES_MALFORMED;
	text = text_without_bom(text);
	for (size_t number = 1; text_line_take(&text, &line); number++) {
		res = line_read(line, number, on_item, ctx, faults);
		if (res == RES_NOMEM || res == RES_LIMIT)
			return res;
		if (res != RES_OK)
			worst = res;
	}
	return worst;
}

/* ---- files */

/* How the files are read, and where their faults go. */
struct reading {
	bool any_owner;
	struct config_errors *errors;
};

static void
file_faults_report(const struct reading *r, struct place place, const char *option, const char *file,
		   const struct faults *faults)
{
	for (size_t i = 0; i < faults_lines(faults); i++) {
		char *text = faults_text(faults, i, file);

		config_errors_add(r->errors, place, "option \"%s\": %s", option,
				  text != NULL ? text : res_text(RES_NOMEM));
		free(text);
	}
}

static enum res
file_text(struct buf *text, const struct reading *r, const struct strings *files, size_t i, size_t max,
	  const char *option)
{
	char *why = NULL;
	enum res res = r->any_owner ? config_file_read_any(text, files->v[i], max, &why)
				    : config_file_read(text, files->v[i], max, &why);

	if (res != RES_OK)
		config_errors_add(r->errors, files->place[i], "option \"%s\": %s", option,
				  why != NULL ? why : res_text(res));
	free(why);
	return res;
}

static enum res
watch_file_take(const struct reading *r, const struct settings *s, size_t i, watched_fn on_item, void *ctx)
{
	const struct strings *files = &s->watch_file;
	struct faults faults = {.n = 0};
	struct buf text = buf_max(0);
	enum res res = file_text(&text, r, files, i, WATCH_FILE_MAX, "watch-file");

	if (res == RES_OK) {
		res = watch_files_text_read(buf_span(&text), on_item, ctx, &faults);
		file_faults_report(r, files->place[i], "watch-file", files->v[i], &faults);
	}
	faults_clear(&faults);
	buf_free(&text);
	return res;
}

enum res
watch_files_watched_read(const struct settings *s, size_t i, watched_fn on_item, void *ctx,
			 struct config_errors *errors)
{
	return watch_file_take(&(struct reading){.errors = errors}, s, i, on_item, ctx);
}

/* Any CA can choose any serial: a known serial says nothing about a certificate. */
static enum res
known_serials_find(struct faults *faults, struct span text)
{
	struct span line, word;
	enum res res = RES_OK;

	for (size_t n = 1; text_line_take(&text, &line); n++) {
		if (!text_word_take(&line, &word) || !span_equal(word, span_str("serial")))
			continue;
		faults_add(faults, n,
			   strdup("an entry by serial, \"cert-sha256\", \"spki-sha256\" or \"issuer\" was "
				  "expected: any CA can choose a serial"));
		res = RES_MALFORMED;
	}
	return res;
}

static enum res
known_file_take(const struct reading *r, const struct settings *s, size_t i, struct cert_match_builder *b)
{
	const struct strings *files = &s->known_file;
	struct faults faults = {.n = 0};
	struct buf text = buf_max(0);
	enum res res = file_text(&text, r, files, i, DISALLOW_FILE_MAX, "known-file"), serials;

	if (res == RES_OK) {
		serials = known_serials_find(&faults, buf_span(&text));
		res = disallow_add_file(b, buf_span(&text), &faults);
		res = res == RES_OK ? serials : res;
		file_faults_report(r, files->place[i], "known-file", files->v[i], &faults);
	}
	faults_clear(&faults);
	buf_free(&text);
	return res;
}

enum res
watch_files_known_read(const struct settings *s, size_t i, struct cert_match_builder *b,
		       struct config_errors *errors)
{
	return known_file_take(&(struct reading){.errors = errors}, s, i, b);
}

/* ---- a check of all */

/* That there are too many, only the table of ctstub-watch can tell: it has each once. */
static enum res
item_check(void *ctx, const struct watched *item)
{
	struct buf normal = buf_max(IDN_TEXT_MAX);
	enum res res = item->kind == WATCHED_NAME
			   ? watch_files_name_normal(&normal, item->text + (item->text[0] == '.'))
			   : RES_OK;

	(void)ctx;
	buf_free(&normal);
	return res;
}

void
watch_files_check(const struct settings *s, struct config_errors *warnings)
{
	const struct reading r = {.any_owner = true, .errors = warnings};
	struct cert_match_builder *b = NULL;

	for (size_t i = 0; i < s->watch_file.n; i++)
		if (path_file_is_readable(s->watch_file.v[i]))
			(void)watch_file_take(&r, s, i, item_check, NULL);
	if (cert_match_builder_new(&b) != RES_OK) {
		config_errors_add(warnings, (struct place){0}, "%s", res_text(RES_NOMEM));
		return;
	}
	for (size_t i = 0; i < s->known_file.n; i++)
		if (path_file_is_readable(s->known_file.v[i]))
			(void)known_file_take(&r, s, i, b);
	cert_match_builder_free(b);
}
