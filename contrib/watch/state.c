#include "config.h"

#include "contrib/watch/state.h"

#include "base/path.h"
#include "base/replace.h"
#include "base/text.h"
#include "verify/why.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LINE "ctstub-watch log state 1"
#define FOLDER     "watch"

int
state_folder_open(const char *state_dir, char **why)
{
	const char *cause = NULL;
	int parent = path_folder_open(state_dir, &cause), folder = -1;

	if (parent < 0) {
		(void)why_say(why, RES_IO, "cannot open %s: %s", state_dir, cause);
		return -1;
	}
	if (mkdirat(parent, FOLDER, 0755) != 0 && errno != EEXIST)
		(void)why_say(why, RES_IO, "cannot make %s/" FOLDER ": %s", state_dir, strerror(errno));
	else
		folder = openat(parent, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 && *why == NULL)
		(void)why_say(why, RES_IO, "cannot open %s/" FOLDER ": %s", state_dir, strerror(errno));
	(void)close(parent);
	return folder;
}

/* ---- writing */

static void
range_put(struct buf *out, const char *name, const struct tree_range *range)
{
	char hex[2 * TREE_HASH_SIZE + 1];

	buf_format(out, "%s %" PRIu64, name, range->size);
	for (unsigned level = TREE_LEVELS; level-- > 0;)
		if ((range->size >> level & 1) != 0)
			buf_format(out, " %s", hex_write(hex, span_of(range->node[level].b, TREE_HASH_SIZE)));
	buf_text(out, "\n");
}

enum res
state_write(int folder, const struct watch_log *log, const struct log_state *state, char **why)
{
	struct buf text = buf_max(STATE_FILE_MAX);
	enum res r = RES_OK;

	buf_format(&text, FIRST_LINE "\nlog %s\nstart %" PRIu64 "\n", log->id_hex, state->start);
	if (state->head.n_signature > 0) {
		buf_text(&text, "head ");
		head_write_sth(&text, &state->head);
		buf_text(&text, "\n");
	}
	buf_format(&text, "checked-ms %" PRIu64 "\n", state->checked_ms);
	range_put(&text, "checked", &state->checked);
	range_put(&text, "range", &state->range);
	buf_text(&text, "end\n");
	if (!buf_ok(&text))
		r = why_say(why, RES_NOMEM, "no memory");
	else if (!file_replace_at(folder, log->id_hex, buf_span(&text), 0644))
		r = why_say(why, RES_IO, "cannot write " FOLDER "/%s: %s", log->id_hex, strerror(errno));
	buf_free(&text);
	return r;
}

/* ---- reading */

static bool
number_take(uint64_t *out, struct span *line)
{
	struct span word;
	uint64_t n = 0;

	if (!text_word_take(line, &word) || word.n > 19)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(word.p[i] - '0');
	}
	*out = n;
	return true;
}

static bool
range_take(struct tree_range *out, struct span line)
{
	struct span word;

	if (!number_take(&out->size, &line) || out->size > TREE_SIZE_MAX)
		return false;
	for (unsigned level = TREE_LEVELS; level-- > 0;)
		if ((out->size >> level & 1) != 0 &&
		    (!text_word_take(&line, &word) ||
		     hex_read(out->node[level].b, TREE_HASH_SIZE, word) != RES_OK))
			return false;
	return !text_word_take(&line, &word);
}

enum field {
	FIELD_LOG = 1,
	FIELD_START = 2,
	FIELD_CHECKED_MS = 4,
	FIELD_CHECKED = 8,
	FIELD_RANGE = 16,
	FIELD_END = 32
};
#define FIELDS_ALL 63

static bool
is_word(struct span word, const char *text)
{
	return span_equal(word, span_str(text));
}

static enum res
res_of(bool ok)
{
	return ok ? RES_OK : RES_MALFORMED;
}

/* One line; *seen gets its field. */
static enum res
line_read(struct log_state *out, unsigned *seen, struct span line, const struct watch_log *log)
{
	struct span name, rest = line, word;

	if ((*seen & FIELD_END) != 0 || !text_word_take(&rest, &name))
		return RES_MALFORMED;
	if (is_word(name, "head"))
		return head_read_sth(&out->head, span_slice(line, 5, line.n), NULL);
	if (is_word(name, "log")) {
		*seen |= FIELD_LOG;
		return res_of(text_word_take(&rest, &word) && is_word(word, log->id_hex));
	}
	if (is_word(name, "start")) {
		*seen |= FIELD_START;
		return res_of(number_take(&out->start, &rest));
	}
	if (is_word(name, "checked-ms")) {
		*seen |= FIELD_CHECKED_MS;
		return res_of(number_take(&out->checked_ms, &rest));
	}
	if (is_word(name, "checked")) {
		*seen |= FIELD_CHECKED;
		return res_of(range_take(&out->checked, rest));
	}
	if (is_word(name, "range")) {
		*seen |= FIELD_RANGE;
		return res_of(range_take(&out->range, rest));
	}
	*seen |= FIELD_END;
	return res_of(is_word(name, "end"));
}

static enum res
state_text_read(struct log_state *out, struct span text, const struct watch_log *log)
{
	struct span line;
	unsigned seen = 0;
	enum res r = res_of(text_line_take(&text, &line) && is_word(line, FIRST_LINE));

	while (r == RES_OK && text_line_take(&text, &line))
		r = line_read(out, &seen, line, log);
	if (r == RES_OK)
		r = res_of(seen == FIELDS_ALL && out->checked.size <= out->range.size &&
			   out->range.size <= out->head.size);
	return r != RES_OK || out->head.n_signature == 0 ? r : head_verify(&out->head, log->ctlog);
}

static enum res
state_file_read(struct buf *out, int fd)
{
	ssize_t n;

	do {
		uint8_t *room = buf_room(out, 4096);

		if (room == NULL)
			return buf_res(out);
		n = file_read_some(fd, room, 4096);
		if (n > 0)
			buf_added(out, (size_t)n);
	} while (n > 0);
	return n == 0 ? RES_OK : RES_IO;
}

/* Moving the file away loses the position, so only a damaged file gets that advice: the next start may well be able to read
 * another one. cause: of RES_IO. */
static enum res
state_complain(char **why, enum res r, const struct watch_log *log, const char *cause)
{
	if (r == RES_IO)
		return why_say(why, r, "cannot read " FOLDER "/%s: %s", log->id_hex, cause);
	if (r == RES_NOMEM)
		return why_say(why, r, "no memory");
	return why_say(why, RES_MALFORMED,
		       FOLDER "/%s is not a state of the log \"%s\": move it away to start it anew",
		       log->id_hex, log->ctlog->description);
}

enum res
state_load(struct log_state *out, int folder, const struct watch_log *log, char **why)
{
	struct log_state state = {.start = 0};
	struct buf text = buf_max(STATE_FILE_MAX);
	const char *cause = NULL;
	struct stat st;
	int fd = path_file_open_at(folder, log->id_hex, &st, &cause);
	enum res r;

	if (fd < 0)
		return errno == ENOENT
			   ? RES_NOT_FOUND
			   : why_say(why, RES_IO, "cannot read " FOLDER "/%s: %s", log->id_hex, cause);
	r = state_file_read(&text, fd);
	cause = strerror(errno);
	(void)close(fd);
	if (r == RES_OK)
		r = state_text_read(&state, buf_span(&text), log);
	if (r == RES_OK)
		*out = state;
	else
		r = state_complain(why, r, log, cause);
	buf_free(&text);
	return r;
}
