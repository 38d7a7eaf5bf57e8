#include "contrib/watch/record.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "verify/why.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_FILE     "findings.lock"
#define LOCK_RETRY_US 20000
#define SLOTS_MIN     1024

/* What one log takes of it. */
struct share {
	uint32_t log; /* the first bytes of its id */
	size_t n[2];  /* findings: not rogue, rogue */
	off_t bytes;
};

struct record {
	int fd, lock;
	off_t size;
	const struct record_limits *limits;
	struct share all, share[RECORD_LOGS_MAX];
	size_t n_share;
	struct record_entry *entry;
	size_t n, cap;
	uint32_t *slot; /* index + 1 by id; at most half of them are taken */
	size_t n_slots;
};

static const struct {
	enum record_mark mark;
	const char *event;
} events[] = {
    {RECORD_PENDING, "pending"},         {RECORD_REPORTED, "finding"},  {RECORD_BLOCKED, "blocked"},
    {RECORD_EVIDENCE, "evidence"},       {RECORD_EXEC, "exec-started"}, {RECORD_WITHDRAWN, "withdrawn"},
    {RECORD_NOT_BLOCKED, "not-blocked"}, {RECORD_AGAIN, "again"},       {RECORD_UNBLOCKED, "unblocked"}};

#define N_EVENTS (sizeof events / sizeof events[0])

static const char *
event_of(enum record_mark mark)
{
	for (size_t i = 0; i < N_EVENTS; i++)
		if (events[i].mark == mark)
			return events[i].event;
	return "?";
}

static unsigned
mark_of(const char *event)
{
	for (size_t i = 0; event != NULL && i < N_EVENTS; i++)
		if (strcmp(events[i].event, event) == 0)
			return events[i].mark;
	return 0;
}

/* ---- entries by id */

/* An id is a hash already. */
static size_t
slot_of(const struct record *r, const uint8_t id[FINDING_ID_SIZE])
{
	size_t i = be32_read(id) & (r->n_slots - 1);

	while (r->slot[i] != 0 && memcmp(r->entry[r->slot[i] - 1].id, id, FINDING_ID_SIZE) != 0)
		i = (i + 1) & (r->n_slots - 1);
	return i;
}

static bool
record_grow(struct record *r)
{
	size_t cap = r->cap == 0 ? SLOTS_MIN / 2 : 2 * r->cap;
	struct record_entry *entry = reallocarray(r->entry, cap, sizeof *entry);
	uint32_t *slot = calloc(2 * cap, sizeof *slot);

	if (entry != NULL)
		r->entry = entry;
	if (entry == NULL || slot == NULL) {
		free(slot);
		return false;
	}
	free(r->slot);
	r->slot = slot;
	r->n_slots = 2 * cap;
	r->cap = cap;
	for (size_t i = 0; i < r->n; i++)
		r->slot[slot_of(r, r->entry[i].id)] = (uint32_t)i + 1;
	return true;
}

struct record_entry *
record_find(const struct record *r, const uint8_t id[FINDING_ID_SIZE])
{
	size_t at = r->n_slots == 0 ? 0 : slot_of(r, id);

	return r->n_slots == 0 || r->slot[at] == 0 ? NULL : &r->entry[r->slot[at] - 1];
}

/* Only a new entry moves the others. */
static struct record_entry *
entry_get(struct record *r, const uint8_t id[FINDING_ID_SIZE])
{
	struct record_entry *e = record_find(r, id);

	if (e != NULL)
		return e;
	if (r->n == r->cap && !record_grow(r))
		return NULL;
	e = &r->entry[r->n];
	*e = (struct record_entry){.line = -1};
	memcpy(e->id, id, FINDING_ID_SIZE);
	r->slot[slot_of(r, id)] = (uint32_t)++r->n;
	return e;
}

size_t
record_count(const struct record *r)
{
	return r->n;
}

struct record_entry *
record_at(const struct record *r, size_t i)
{
	return &r->entry[i];
}

/* ---- shares */

static struct share *
share_of(struct record *r, const uint8_t log_id[32])
{
	uint32_t log = be32_read(log_id);
	size_t i = 0;

	while (i < r->n_share && r->share[i].log != log)
		i++;
	if (i == RECORD_LOGS_MAX)
		return &r->share[RECORD_LOGS_MAX - 1];
	if (i == r->n_share)
		r->share[r->n_share++] = (struct share){.log = log};
	return &r->share[i];
}

size_t
record_count_of(struct record *r, const uint8_t log_id[32], bool rogue)
{
	return share_of(r, log_id)->n[rogue];
}

/* A line with a certificate: of a finding that is new, or of one that is there already. */
static void
share_take(struct record *r, const uint8_t log_id[32], enum finding_kind kind, bool is_new, size_t bytes)
{
	struct share *shares[] = {&r->all, share_of(r, log_id)};

	for (size_t i = 0; i < 2; i++) {
		shares[i]->n[kind == FINDING_ROGUE] += is_new;
		shares[i]->bytes += (off_t)bytes;
	}
}

/* Has one more finding of this kind and log a place? */
static bool
share_has_room(struct record *r, const struct watch_finding *f)
{
	const struct record_limits *l = r->limits;
	const struct share *log = share_of(r, f->log_id);
	bool rogue = f->kind == FINDING_ROGUE;

	return r->all.n[rogue] < (rogue ? l->rogue_max : l->max) &&
	       log->n[rogue] < (rogue ? l->rogue_log_max : l->log_max) && r->all.bytes < l->bytes_max &&
	       log->bytes < l->log_bytes_max;
}

/* FNV-1a. Two that collide lose the entry by serial of one, and keep that by key. */
static uint64_t
hash_serial(const char *serial, const char *issuer)
{
	uint64_t h = 14695981039346656037u;

	if (serial == NULL || issuer == NULL || *serial == '\0')
		return 0;
	for (; *serial != '\0'; serial++)
		h = (h ^ (uint8_t)*serial) * 1099511628211u;
	for (h *= 1099511628211u; *issuer != '\0'; issuer++)
		h = (h ^ (uint8_t)*issuer) * 1099511628211u;
	return h | 1;
}

bool
record_source_add(struct record_entry *e, const uint8_t log_id[32])
{
	uint32_t source = be32_read(log_id);

	for (size_t i = 0; i < e->n_source; i++)
		if (e->source[i] == source)
			return false;
	if (e->n_source == RECORD_SOURCES_MAX)
		return false;
	e->source[e->n_source++] = source;
	return true;
}

/* Another log may prove what the ones before did not. */
static void
mark_set(struct record_entry *e, enum record_mark mark)
{
	e->marks |= mark;
	if (mark == RECORD_AGAIN)
		e->marks &= ~(unsigned)RECORD_NOT_BLOCKED;
}

/* ---- reading */

static bool
log_id_take(uint8_t out[32], const json_t *o)
{
	const char *id = json_string_value(json_object_get(json_object_get(o, "log"), "id"));
	struct buf raw = buf_max(32);
	bool ok = id != NULL && base64_read(&raw, span_str(id)) == RES_OK && raw.n == 32;

	if (ok)
		memcpy(out, raw.p, 32);
	buf_free(&raw);
	return ok;
}

static bool
line_take(struct record *r, struct span line, off_t at)
{
	json_t *o = json_loadb((const char *)line.p, line.n, 0, NULL);
	const char *id = json_string_value(json_object_get(o, "id"));
	const char *spki = json_string_value(json_object_get(o, "spki_sha256"));
	unsigned mark = mark_of(json_string_value(json_object_get(o, "event")));
	uint8_t raw[FINDING_ID_SIZE], log_id[32];
	struct record_entry *e = NULL;
	size_t before = r->n;

	if (id != NULL && mark != 0 && hex_read(raw, sizeof raw, span_str(id)) == RES_OK)
		e = entry_get(r, raw);
	if (e != NULL) {
		mark_set(e, (enum record_mark)mark);
		if (mark == RECORD_PENDING || mark == RECORD_REPORTED || mark == RECORD_WITHDRAWN)
			e->kind = finding_kind_read(json_string_value(json_object_get(o, "kind")));
		if (log_id_take(log_id, o)) {
			(void)record_source_add(e, log_id);
			share_take(r, log_id, e->kind, r->n > before, line.n);
		}
		if (spki != NULL)
			(void)hex_read(e->spki_sha256, sizeof e->spki_sha256, span_str(spki));
		if (spki != NULL)
			e->serial_hash = hash_serial(json_string_value(json_object_get(o, "serial")),
						     json_string_value(json_object_get(o, "issuer")));
		if (json_object_get(o, "der") != NULL) {
			e->line = at;
			e->n_line = line.n;
		}
	}
	json_decref(o);
	return e != NULL;
}

/* Lines of other kinds are skipped: a later version may write more. */
static enum res
record_read(struct record *r, char **why)
{
	FILE *file = fdopen(dup(r->fd), "r");
	char *text = NULL;
	size_t cap = 0;
	off_t at = 0;
	ssize_t n;
	enum res res = RES_OK;

	if (file == NULL)
		return why_say(why, RES_IO, RECORD_FILE ": %s", strerror(errno));
	while ((n = getline(&text, &cap, file)) > 0) {
		if (text[n - 1] != '\n')
			break; /* cut short */
		(void)line_take(r, span_of(text, (size_t)n - 1), at);
		at += n;
	}
	if (n < 0 && feof(file) == 0) /* what was not read must not be cut off */
		res = why_say(why, RES_IO, RECORD_FILE ": %s", strerror(errno));
	free(text);
	(void)fclose(file);
	if (res != RES_OK)
		return res;
	if (at < r->size && ftruncate(r->fd, at) != 0)
		return why_say(why, RES_IO, RECORD_FILE ": %s", strerror(errno));
	r->size = at;
	return RES_OK;
}

static enum res
lock_take(struct record *r, int folder, char **why)
{
	int64_t until = clock_mono_ms() + RECORD_LOCK_MS;

	r->lock = openat(folder, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r->lock < 0)
		return why_say(why, RES_IO, LOCK_FILE ": %s", strerror(errno));
	while (flock(r->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return why_say(why, RES_IO, LOCK_FILE ": %s", strerror(errno));
		if (clock_mono_ms() >= until)
			return why_say(why, RES_LIMIT, "another ctstub-watch works with this state-dir");
		(void)usleep(LOCK_RETRY_US);
	}
	return RES_OK;
}

enum res
record_open(struct record **out, int folder, const struct record_limits *limits, char **why)
{
	struct record *r = calloc(1, sizeof *r);
	struct stat st;
	enum res res;

	if (r == NULL)
		return RES_NOMEM;
	r->fd = r->lock = -1;
	r->limits = limits;
	res = lock_take(r, folder, why);
	if (res == RES_OK) {
		r->fd =
		    openat(folder, RECORD_FILE, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
		if (r->fd < 0 || fstat(r->fd, &st) != 0)
			res = why_say(why, RES_IO, RECORD_FILE ": %s", strerror(errno));
		else if (!S_ISREG(st.st_mode) || st.st_size > RECORD_MAX)
			res = why_say(why, RES_LIMIT, RECORD_FILE ": a file of at most %d bytes was expected",
				      RECORD_MAX);
	}
	if (res == RES_OK) {
		r->size = st.st_size;
		res = record_read(r, why);
	}
	if (res == RES_OK && r->cap == 0 && !record_grow(r))
		res = RES_NOMEM;
	if (res == RES_OK)
		*out = r;
	else
		record_close(r);
	return res;
}

void
record_close(struct record *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		(void)close(r->fd);
	if (r->lock >= 0)
		(void)close(r->lock);
	free(r->entry);
	free(r->slot);
	free(r);
}

/* ---- writing */

static enum res
line_append(struct record *r, struct span line)
{
	return record_line_write(r->fd, &r->size, line);
}

enum res
record_finding(struct record *r, const struct watch_finding *f, enum record_mark mark, bool with_der)
{
	struct buf line = buf_max(FINDING_LINE_MAX);
	off_t at = r->size;
	bool is_new = record_find(r, f->id) == NULL;
	bool has_room = (!is_new && mark != RECORD_AGAIN) || share_has_room(r, f);
	enum res res = has_room && r->size < RECORD_MAX ? RES_OK : RES_LIMIT;
	struct record_entry *e;

	if (res == RES_OK && is_new && r->n == r->cap && !record_grow(r))
		res = RES_NOMEM;
	if (res == RES_OK)
		res = finding_write(&line, f, event_of(mark), with_der);
	buf_u8(&line, '\n');
	if (res == RES_OK)
		res = buf_ok(&line) ? line_append(r, buf_span(&line)) : buf_res(&line);
	/* not before it is on disk: else it would count as known, and never be recorded */
	e = res == RES_OK ? entry_get(r, f->id) : NULL;
	if (e != NULL) {
		mark_set(e, mark);
		(void)record_source_add(e, f->log_id);
		share_take(r, f->log_id, f->kind, is_new, line.n);
		e->kind = f->kind;
		memcpy(e->spki_sha256, f->spki_sha256, sizeof e->spki_sha256);
		e->serial_hash = hash_serial(f->serial, f->issuer);
		if (with_der) {
			e->line = at;
			e->n_line = line.n - 1;
		}
	}
	buf_free(&line);
	return res;
}

void
record_note_make(const struct record *r, struct record_note *note, const uint8_t id[FINDING_ID_SIZE],
		 enum record_mark mark, const char *why)
{
	char hex[2 * FINDING_ID_SIZE + 1], time[TIME_TEXT_MAX];
	int n = snprintf(note->line, sizeof note->line,
			 "{\"event\":\"%s\",\"time\":\"%s\",\"id\":\"%s\"%s%s%s}\n", event_of(mark),
			 time_text_ms(clock_wall_ms(), time), hex_write(hex, span_of(id, FINDING_ID_SIZE)),
			 why != NULL ? ",\"why\":\"" : "", why != NULL ? why : "", why != NULL ? "\"" : "");

	note->n = n < 0 ? 0 : (size_t)n < sizeof note->line ? (size_t)n : sizeof note->line - 1;
	note->file = r->fd;
	note->lock = r->lock;
}

enum res
record_done(struct record *r, const uint8_t id[FINDING_ID_SIZE], enum record_mark mark, const char *why)
{
	struct record_entry *e = record_find(r, id);
	struct record_note note;
	enum res res;

	record_note_make(r, &note, id, mark, why);
	res = line_append(r, span_of(note.line, note.n));
	if (res == RES_OK && e != NULL)
		mark_set(e, mark);
	return res;
}

enum res
record_load(struct record *r, const struct record_entry *e, struct watch_finding **out)
{
	struct buf line = buf_max(FINDING_LINE_MAX);
	uint8_t *to = e->line < 0 ? NULL : buf_room(&line, e->n_line);
	enum res res = e->line < 0 ? RES_NOT_FOUND : to == NULL ? RES_NOMEM : RES_OK;

	if (res == RES_OK && pread(r->fd, to, e->n_line, e->line) != (ssize_t)e->n_line)
		res = RES_IO;
	if (res == RES_OK) {
		buf_added(&line, e->n_line);
		res = finding_read(out, buf_span(&line));
	}
	buf_free(&line);
	return res;
}

void
record_note_ended(struct record *r, const uint8_t id[FINDING_ID_SIZE], enum record_mark mark, bool done)
{
	struct record_entry *e = record_find(r, id);
	struct stat st;

	if (fstat(r->fd, &st) == 0 && (done || ftruncate(r->fd, r->size) != 0))
		r->size = st.st_size;
	if (e != NULL && done)
		e->marks |= mark;
}

static bool
was_expected(const struct record_entry *e)
{
	return e->kind == FINDING_EXPECTED && (e->marks & (RECORD_REPORTED | RECORD_WITHDRAWN)) != 0;
}

bool
record_expects_serial(const struct record *r, const struct watch_finding *f)
{
	uint64_t hash = hash_serial(f->serial, f->issuer);

	for (size_t i = 0; hash != 0 && i < r->n; i++)
		if (was_expected(&r->entry[i]) && r->entry[i].serial_hash == hash)
			return true;
	return false;
}

bool
record_expects_key(const struct record *r, const uint8_t spki_sha256[32])
{
	for (size_t i = 0; i < r->n; i++)
		if (was_expected(&r->entry[i]) && memcmp(r->entry[i].spki_sha256, spki_sha256, 32) == 0)
			return true;
	return false;
}
