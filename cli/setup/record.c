#include "config.h"

#include "cli/setup/record.h"

#include "base/path.h"
#include "base/replace.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_VERSION 1 /* of what the file means */

static const char folder_name[] = "setup";
static const char file_name[] = "record.json";
static const char *const kind_names[] = {
    [STEP_FILE] = "file",
    [STEP_SERVICE] = "service",
    [STEP_RESTART] = "restart",
    [STEP_ENABLE] = "enable",
};
static const char *const entry_names[] = {
    [ENTRY_ABSENT] = "absent",
    [ENTRY_FILE] = "file",
    [ENTRY_LINK] = "link",
};

static enum res
explain(char **why, enum res res, const char *state_dir, const char *text)
{
	struct buf sentence = buf_max(8192);

	buf_format(&sentence, "%s/%s/%s: %s", state_dir, folder_name, file_name, text);
	*why = buf_take_cstr(&sentence);
	return res;
}

static struct change *
change_find(struct record *r, const struct step *step)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->change[i].kind == step->kind && strcmp(r->change[i].path, step->path) == 0)
			return &r->change[i];
	return NULL;
}

static enum res
change_make(struct change *change, const struct step *step)
{
	*change = (struct change){.kind = step->kind, .enabled = step->enabled, .idle = step->idle};
	memcpy(change->path, step->path, sizeof change->path);
	return step->kind == STEP_FILE ? entry_read(&change->before, step->path) : RES_OK;
}

static enum res
change_merge(struct record *r, const struct step *step)
{
	struct change *change = change_find(r, step);
	enum res res = RES_OK;

	if (change == NULL) {
		if (r->n == PLAN_STEPS_MAX)
			return RES_LIMIT;
		change = &r->change[r->n++];
		res = change_make(change, step);
	}
	if (res == RES_OK && step->kind == STEP_FILE)
		res = entry_digest(change->after, &step->entry);
	return res;
}

enum res
record_merge(struct record *r, const struct plan *plan)
{
	size_t n = r->n;
	enum res res = RES_OK;

	for (size_t i = 0; i < plan->n && res == RES_OK; i++)
		res = change_merge(r, &plan->step[i]);
	while (res != RES_OK && r->n > n)
		entry_free(&r->change[--r->n].before);
	return res;
}

void
record_free(struct record *r)
{
	for (size_t i = 0; i < r->n; i++)
		entry_free(&r->change[i].before);
	r->n = 0;
}

/* ---- as JSON */

/* What an entry lacks would be taken for what was there before, and undo would write it. NULL: no memory. */
static json_t *
change_json(const struct change *c)
{
	const struct entry *e = &c->before;
	struct buf base64 = buf_max(2 * ENTRY_FILE_MAX), xattrs = buf_max(2 * ENTRY_XATTRS_MAX);
	const char *content, *attributes;
	json_t *json = NULL;

	base64_write(&base64, buf_span(&e->bytes));
	base64_write(&xattrs, buf_span(&e->xattrs));
	content = buf_cstr(&base64);
	attributes = buf_cstr(&xattrs);
	if (content != NULL && attributes != NULL)
		json = json_pack("{s:s,s:s,s:b,s:s,s:s,s:i,s:i,s:i,s:I,s:I,s:s,s:s,s:b}", "kind",
				 kind_names[c->kind], "path", c->path, "enabled", c->enabled, "after-sha256",
				 c->after, "before", entry_names[e->kind], "mode", (int)e->mode, "uid",
				 (int)e->uid, "gid", (int)e->gid, "mtime", (json_int_t)e->mtime.tv_sec,
				 "mtime-ns", (json_int_t)e->mtime.tv_nsec, "content", content, "xattrs",
				 attributes, "idle", c->idle);
	buf_free(&base64);
	buf_free(&xattrs);
	return json;
}

static int
name_index(const char *const names[], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static bool
change_read(struct change *c, json_t *json)
{
	const char *kind, *path, *after, *before, *content, *xattrs = "";
	int enabled, idle = 0, mode, uid, gid, k, b;
	json_int_t seconds, nanoseconds;

	c->before = (struct entry){.bytes = buf_max(ENTRY_FILE_MAX), .xattrs = buf_max(ENTRY_XATTRS_MAX)};
	if (json_unpack(json, "{s:s,s:s,s:b,s:s,s:s,s:i,s:i,s:i,s:I,s:I,s:s,s?s,s?b}", "kind", &kind, "path",
			&path, "enabled", &enabled, "after-sha256", &after, "before", &before, "mode", &mode,
			"uid", &uid, "gid", &gid, "mtime", &seconds, "mtime-ns", &nanoseconds, "content",
			&content, "xattrs", &xattrs, "idle", &idle) != 0)
		return false;
	k = name_index(kind_names, sizeof kind_names / sizeof kind_names[0], kind);
	b = name_index(entry_names, sizeof entry_names / sizeof entry_names[0], before);
	if (k < 0 || b < 0 || strlen(path) >= sizeof c->path || strlen(after) >= sizeof c->after ||
	    base64_read(&c->before.bytes, span_str(content)) != RES_OK ||
	    base64_read(&c->before.xattrs, span_str(xattrs)) != RES_OK)
		return false;
	c->kind = (enum step_kind)k;
	c->enabled = enabled != 0;
	c->idle = idle != 0;
	memcpy(c->path, path, strlen(path) + 1);
	memcpy(c->after, after, strlen(after) + 1);
	c->before.kind = (enum entry_kind)b;
	c->before.mode = (mode_t)mode & 07777;
	c->before.uid = (uid_t)uid;
	c->before.gid = (gid_t)gid;
	c->before.mtime = (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)nanoseconds};
	return true;
}

/* NULL: it was read. */
static const char *
record_parse(struct record *r, struct span text)
{
	json_t *json = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *list = json_object_get(json, "changes"), *item;
	json_int_t version = json_integer_value(json_object_get(json, "version"));
	size_t i;
	bool ok = version == RECORD_VERSION && json_is_array(list) && json_array_size(list) <= PLAN_STEPS_MAX;

	*r = (struct record){.n = 0};
	if (ok)
		json_array_foreach (list, i, item)
			ok = ok && change_read(&r->change[r->n++], item);
	json_decref(json);
	if (ok)
		return NULL;
	record_free(r);
	return version > RECORD_VERSION ? "the record of a newer ctstub, which alone can undo it"
					: "not a record of setup";
}

/* ---- on disk */

/* Gives the folder, made when `make` is set; -1 and *why (constant, or strerror's). */
static int
folder_open(const char *state_dir, bool make, const char **why)
{
	int state = path_folder_open(state_dir, why), fd;
	struct stat st;

	if (state < 0)
		return -1;
	if (make && mkdirat(state, folder_name, 0700) != 0 && errno != EEXIST) {
		*why = strerror(errno);
		(void)close(state);
		return -1;
	}
	fd = openat(state, folder_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	*why = strerror(errno);
	(void)close(state);
	if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0)) {
		*why = "the folder belongs to somebody else";
		(void)close(fd);
		errno = EPERM;
		return -1;
	}
	return fd;
}

enum res
record_write(const struct record *r, const char *state_dir, char **why)
{
	json_t *list = json_array(), *json;
	const char *cause = res_text(RES_NOMEM);
	char *text;
	int folder;
	bool ok = false;

	for (size_t i = 0; i < r->n; i++)
		(void)json_array_append_new(list, change_json(&r->change[i]));
	json = json_pack("{s:i,s:o}", "version", RECORD_VERSION, "changes", list);
	text = json != NULL && json_array_size(list) == r->n ? json_dumps(json, JSON_INDENT(1)) : NULL;
	folder = text != NULL ? folder_open(state_dir, true, &cause) : -1;
	if (folder >= 0) {
		ok = file_replace_at(folder, file_name, span_str(text), 0600);
		cause = strerror(errno);
		(void)close(folder);
	}
	json_decref(json);
	free(text);
	return ok ? RES_OK : explain(why, RES_IO, state_dir, cause);
}

static enum res
text_read(struct buf *text, int folder, const char **cause)
{
	struct stat st;
	uint8_t chunk[4096];
	ssize_t n = 0;
	int fd = path_file_open_at(folder, file_name, &st, cause);

	if (fd < 0)
		return errno == ENOENT ? RES_NOT_FOUND : RES_IO;
	if (st.st_uid != geteuid()) {
		*cause = "the file belongs to somebody else";
		(void)close(fd);
		return RES_IO;
	}
	while (buf_ok(text) && (n = file_read_some(fd, chunk, sizeof chunk)) > 0)
		buf_put(text, span_of(chunk, (size_t)n));
	*cause = n < 0 ? strerror(errno) : "too large";
	(void)close(fd);
	return n < 0 || !buf_ok(text) ? RES_IO : RES_OK;
}

enum res
setup_record_read(struct record *r, const char *state_dir, char **why)
{
	struct buf text = buf_max(RECORD_FILE_MAX);
	const char *cause = NULL;
	int folder = folder_open(state_dir, false, &cause);
	enum res res;

	*r = (struct record){.n = 0};
	*why = NULL;
	if (folder < 0)
		return errno == ENOENT ? RES_NOT_FOUND : explain(why, RES_IO, state_dir, cause);
	res = text_read(&text, folder, &cause);
	(void)close(folder);
	if (res == RES_OK && (cause = record_parse(r, buf_span(&text))) != NULL)
		res = RES_MALFORMED;
	buf_free(&text);
	return res == RES_OK || res == RES_NOT_FOUND ? res : explain(why, res, state_dir, cause);
}

enum res
record_remove(const char *state_dir, char **why)
{
	const char *cause = NULL;
	int state, folder = folder_open(state_dir, false, &cause);
	bool ok;

	if (folder < 0)
		return explain(why, RES_IO, state_dir, cause);
	ok = unlinkat(folder, file_name, 0) == 0;
	cause = strerror(errno);
	(void)close(folder);
	if (!ok)
		return explain(why, RES_IO, state_dir, cause);
	state = path_folder_open(state_dir, &cause);
	if (state >= 0) {
		(void)unlinkat(state, folder_name, AT_REMOVEDIR);
		(void)close(state);
	}
	return RES_OK;
}
