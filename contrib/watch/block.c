#include "config.h"

#include "contrib/watch/block.h"

#include "base/path.h"
#include "base/replace.h"
#include "base/text.h"
#include "verify/disallow.h"
#include "verify/why.h"
#include "verify/x509/name.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Of one finding: a comment and two lines of at most CERT_MATCH_ENTRY_MAX. */
#define BLOCK_ENTRIES_MAX (64 * 1024)
#define FILE_MODE         0644

static const char header[] =
    "# Entries that ctstub-watch(8) made from its findings; ctstub-disallow(5) describes their form.\n"
    "# It adds entries, and removes those of a finding that turns out to be expected. It does not add again\n"
    "# a line that was deleted.\n";

static void
nothing(void *ctx, const struct identifier *id)
{
	(void)ctx;
	(void)id;
}

/* As RFC 4514 text where that names the same, else as bytes. */
static void
issuer_put(struct buf *out, struct span issuer)
{
	struct buf text = buf_max(NAME_TEXT_MAX), der = buf_max(NAME_TEXT_MAX * 4),
		   again = buf_max(NAME_TEXT_MAX * 4);
	bool same = name_text(&text, issuer) == RES_OK && text.n > 0 &&
		    name_key_from_der(&der, issuer) == RES_OK &&
		    name_key_from_text(&again, buf_cstr(&text)) == RES_OK &&
		    span_equal(buf_span(&der), buf_span(&again)) && memchr(text.p, '#', text.n) == NULL;

	if (same) {
		buf_put(out, buf_span(&text));
	} else {
		buf_text(out, "der:");
		base64_write(out, issuer);
	}
	buf_free(&text);
	buf_free(&der);
	buf_free(&again);
}

/* One line, whatever is in it. */
static void
comment_put(struct buf *out, const char *what, const char *text)
{
	buf_format(out, " %s=\"", what);
	text_escape(out, span_slice(span_str(text), 0, 300));
	buf_text(out, "\"");
}

static void
mark_put(struct buf *out, const uint8_t id[FINDING_ID_SIZE], bool proven)
{
	char hex[2 * FINDING_ID_SIZE + 1];

	buf_format(out, "# %s %s",
		   proven ? "finding" : "not proven:", hex_write(hex, span_of(id, FINDING_ID_SIZE)));
}

/* What it is about, on one line. */
static void
about_put(struct buf *out, const struct watch_finding *f)
{
	char time[TIME_TEXT_MAX];

	mark_put(out, f->id, f->proven);
	buf_format(out, " kind=%s index=%llu logged=%s", finding_kind_text(f->kind),
		   (unsigned long long)f->index, time_text_ms(f->logged_ms, time));
	comment_put(out, "log", f->log);
	comment_put(out, "for", f->n_item > 0 ? f->item[0] : "");
	comment_put(out, "because", f->because);
	if (!f->proven)
		comment_put(out, "unproven", f->unproven != NULL ? f->unproven : "");
	buf_text(out, "\n");
}

enum res
block_entries(struct buf *out, const struct watch_finding *f, unsigned by)
{
	const char *begin = f->proven ? "" : "# ";
	struct cert_parts parts;
	struct span serial;
	char hex[2 * 64 + 1];

	identifiers_read(&parts, buf_span(&f->der), f->precertificate, nothing, NULL);
	if (parts.serial.n == 0 || parts.issuer.n == 0 || parts.spki.n == 0)
		return RES_MALFORMED;
	for (serial = parts.serial; serial.n > 1 && serial.p[0] == 0;)
		serial = span_slice(serial, 1, serial.n);
	about_put(out, f);
	if ((by & BLOCK_SERIAL) == 0) {
		buf_text(out, "# its serial is not blocked: a good certificate has it\n");
	} else if (serial.n <= 64) {
		buf_format(out, "%sserial %s issuer ", begin, hex_write(hex, serial));
		issuer_put(out, parts.issuer);
		buf_text(out, "\n");
	}
	if ((by & BLOCK_KEY) != 0)
		buf_format(out, "%sspki-sha256 %s\n", begin, hex_write(hex, span_of(f->spki_sha256, 32)));
	else
		buf_text(out, "# its key is not blocked: a good certificate has it, or may have it\n");
	return buf_res(out);
}

/* What the file holds; empty when it is not there. */
static enum res
file_get(struct buf *out, int folder, const char *file, char **why)
{
	const char *cause;
	struct stat st;
	int fd = path_file_open_at(folder, file, &st, &cause);
	uint8_t *to = NULL;
	ssize_t n = 1;
	int error;

	if (fd < 0)
		return errno == ENOENT ? RES_OK : why_say(why, RES_IO, "%s: %s", file, cause);
	while (n > 0) {
		to = buf_room(out, 65536);
		n = to == NULL ? -1 : file_read_some(fd, to, 65536);
		if (n > 0)
			buf_added(out, (size_t)n);
	}
	error = errno;
	(void)close(fd);
	if (n == 0)
		return RES_OK;
	return why_say(why, RES_IO, "%s: %s", file,
		       to == NULL ? "it is too large, or there is no memory" : strerror(error));
}

enum res
block_add(int folder, const char *file, const struct watch_finding *f, unsigned by, char **why)
{
	struct buf all = buf_max(BLOCK_FILE_MAX), entries = buf_max(BLOCK_ENTRIES_MAX), mark = buf_max(256);
	enum res res = file_get(&all, folder, file, why);
	bool there;

	mark_put(&mark, f->id, f->proven);
	if (res == RES_OK)
		res = buf_res(&mark); /* without it, every file would have the finding already */
	there = res == RES_OK && all.n > 0 && memmem(all.p, all.n, mark.p, mark.n) != NULL;
	if (res == RES_OK && !there)
		res = block_entries(&entries, f, by);
	if (res == RES_OK && !there) {
		if (all.n == 0)
			buf_text(&all, header);
		if (all.n > 0 && all.p[all.n - 1] != '\n')
			buf_text(&all, "\n");
		buf_put(&all, buf_span(&entries));
		if (!buf_ok(&all))
			res = why_say(why, buf_res(&all), "%s: %s", file,
				      buf_res(&all) == RES_NOMEM ? "no memory" : "it is full");
		else if (!file_replace_at(folder, file, buf_span(&all), FILE_MODE))
			res = why_say(why, RES_IO, "%s: %s", file, strerror(errno));
	}
	buf_free(&all);
	buf_free(&entries);
	buf_free(&mark);
	return res;
}

/* Is it a line that block_entries writes after the first? */
static bool
is_entry(struct span line)
{
	static const char *const begins[] = {"serial ", "spki-sha256 ", "# its serial is not blocked",
					     "# its key is not blocked"};

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (line.n >= strlen(begins[i]) && memcmp(line.p, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* All lines but those of the finding with this mark. */
static void
lines_keep(struct buf *out, struct span text, struct span mark)
{
	unsigned drop = 0; /* at most two lines after the mark are its entries */
	struct span line;

	while (text_line_take(&text, &line)) {
		if (line.n >= mark.n && memcmp(line.p, mark.p, mark.n) == 0) {
			drop = 2;
			continue;
		}
		if (drop > 0 && is_entry(line)) {
			drop--;
			continue;
		}
		drop = 0;
		buf_put(out, line);
		buf_text(out, "\n");
	}
}

enum res
block_remove(int folder, const char *file, const uint8_t id[FINDING_ID_SIZE], bool *changed, char **why)
{
	struct buf all = buf_max(BLOCK_FILE_MAX), rest = buf_max(BLOCK_FILE_MAX + 1), mark = buf_max(256);
	enum res res = file_get(&all, folder, file, why);

	*changed = false;
	mark_put(&mark, id, true);
	if (res == RES_OK && !buf_ok(&mark)) /* without it, every line would be one of the finding */
		res = why_say(why, buf_res(&mark), "%s: no memory", file);
	if (res == RES_OK && all.n > 0)
		lines_keep(&rest, buf_span(&all), buf_span(&mark));
	if (res == RES_OK && rest.n < all.n) {
		if (!buf_ok(&rest))
			res = why_say(why, buf_res(&rest), "%s: no memory", file);
		else if (!file_replace_at(folder, file, buf_span(&rest), FILE_MODE))
			res = why_say(why, RES_IO, "%s: %s", file, strerror(errno));
		*changed = res == RES_OK;
	}
	buf_free(&all);
	buf_free(&rest);
	buf_free(&mark);
	return res;
}
