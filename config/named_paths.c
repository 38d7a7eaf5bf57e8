#include "config/named_paths.h"

#include "base/path.h"
#include "config/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an option names. */
enum use {
	USE_FILE,
	USE_FOLDER,       /* in which the daemon's user will write */
	USE_LOG,          /* a file that the daemon's user will append to; it is made unless it is there */
	USE_SOCKET_PLACE, /* a socket that will be made there, in place of an old one, and so will its folder */
	USE_SOCKET,
	USE_PROGRAM,
	USE_ANCHORS, /* a file or a folder */
};

static const struct {
	enum option_id id;
	enum use use;
	bool compiled;    /* an error of the compiler's when it cannot be read */
	const char *then; /* what happens without it */
} uses[] = {
    {OPTION_STATE_DIR, USE_FOLDER, false, "nothing is remembered"},
    {OPTION_CONTROL_SOCKET, USE_SOCKET_PLACE, false, "the tool cannot talk to the daemon"},
    {OPTION_LOCAL_HOSTS_FILE, USE_FILE, false, "its names are not answered here until it can be read"},
    {OPTION_QUERY_LOG_TO, USE_LOG, false, "queries are not logged"},
    {OPTION_CT_LIST_URL, USE_FILE, false, "`ctstub ct-logs update` cannot take the list from it"},
    {OPTION_CT_LIST_KEY, USE_FILE, false, "`ctstub ct-logs update` refuses the mirror's list"},
    {OPTION_WATCH_FILE, USE_FILE, false, "ctstub-watch does not start"},
    {OPTION_KNOWN_FILE, USE_FILE, false, "ctstub-watch does not start"},
    {OPTION_WATCH_EXEC, USE_PROGRAM, false, "ctstub-watch cannot run it"},
    {OPTION_CT_LOG_LIST, USE_FILE, true, NULL},
    {OPTION_TRUST_ANCHORS, USE_ANCHORS, true, NULL},
    {OPTION_CONSTRAINTS_FILE, USE_FILE, true, NULL},
    {OPTION_DISALLOW_FILE, USE_FILE, true, NULL},
    {OPTION_FILTER_LIST_FILE, USE_FILE, true, NULL},
    {OPTION_UP_TRUST_ANCHORS, USE_ANCHORS, true, NULL},
    {OPTION_UP_CT_LOGS, USE_FILE, true, NULL},
    {OPTION_UP_DISALLOW_FILE, USE_FILE, true, NULL},
    {OPTION_CRL_FILE, USE_FILE, true, NULL},
    {OPTION_CLIENT_CERT, USE_FILE, true, NULL},
    {OPTION_CLIENT_KEY, USE_FILE, true, NULL},
};

/* ---- one path */

static int
named_file_look(const char *path, const char **why)
{
	struct stat st;
	int fd = path_file_open(path, &st, why);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

/* With `writes`: may files be made there, too? */
static int
named_folder_look(const char *path, bool writes, const char **why)
{
	int fd = path_folder_open(path, why), error;

	if (fd < 0)
		return errno;
	error = writes && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0 ? errno : 0;
	(void)close(fd);
	return error;
}

/* The folder of the socket is missing: can it be made? */
static bool
can_make_parent(const char *path)
{
	char parent[PATH_NAME_MAX];
	const char *slash = strrchr(path, '/'), *name, *why;
	int folder;

	if (slash == NULL || slash == path || (size_t)(slash - path) >= sizeof parent)
		return false;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	folder = path_parent_open(parent, &name, &why);
	if (folder < 0)
		return false;
	(void)close(folder);
	return true;
}

/* Why an entry cannot be used for this, or NULL. */
static const char *
entry_fault(const struct stat *st, enum use use)
{
	if (S_ISDIR(st->st_mode))
		return "it is a folder";
	switch (use) {
	case USE_LOG:
		return S_ISLNK(st->st_mode)    ? "it is a symbolic link"
		       : !S_ISREG(st->st_mode) ? "it is not a regular file"
		       : st->st_nlink != 1     ? "it has another hard link"
					       : NULL;
	case USE_SOCKET:
	case USE_SOCKET_PLACE:
		return S_ISSOCK(st->st_mode) ? NULL : "it is not a socket";
	case USE_PROGRAM:
		return (st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0 ? "nobody may execute it" : NULL;
	case USE_FILE:
	case USE_FOLDER:
	case USE_ANCHORS:
		break;
	}
	return NULL;
}

/* Can this user append to the log, or make it? st: NULL when it is not there. */
static int
log_rights_look(int folder, const char *name, const struct stat *st, const char **why)
{
	if (st != NULL && st->st_uid != geteuid()) {
		*why = "it belongs to another user";
		return EACCES;
	}
	if (st != NULL)
		return faccessat(folder, name, W_OK, AT_EACCESS) == 0 ? 0 : errno;
	return faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* The entry itself, when it is there; *why is set when it has the wrong kind. */
static int
entry_look(const char *path, enum use use, bool as_user, const char **why)
{
	bool made = use == USE_LOG || use == USE_SOCKET_PLACE, there;
	const char *name;
	struct stat st;
	int folder = path_parent_open(path, &name, why), error = errno;

	if (folder < 0)
		return use == USE_SOCKET_PLACE && error == ENOENT && can_make_parent(path) ? 0 : error;
	there = fstatat(folder, name, &st, made ? AT_SYMLINK_NOFOLLOW : 0) == 0;
	error = there || (made && errno == ENOENT) ? 0 : errno;
	if (there)
		*why = entry_fault(&st, use);
	if (error == 0 && *why == NULL && use == USE_LOG && as_user)
		error = log_rights_look(folder, name, there ? &st : NULL, why);
	(void)close(folder);
	return error == 0 && *why != NULL ? EINVAL : error;
}

static int
path_look(const char *path, enum use use, bool as_user, const char **why)
{
	*why = NULL;
	switch (use) {
	case USE_FILE:
		return named_file_look(path, why);
	case USE_FOLDER:
		return named_folder_look(path, as_user, why);
	case USE_ANCHORS:
		return named_folder_look(path, false, why) == 0 ? 0 : named_file_look(path, why);
	case USE_LOG:
	case USE_SOCKET_PLACE:
	case USE_SOCKET:
	case USE_PROGRAM:
		break;
	}
	return entry_look(path, use, as_user, why);
}

/* ---- all options */

struct look {
	const struct settings *s;
	struct config_errors *out;
	const char *user; /* NULL: with the rights that a reload has, too */
};

/* The path in the value of the option; NULL: it names none. *use may change. */
static const char *
path_in(enum option_id id, const char *text, enum use *use)
{
	if (*text == '\0' || (id == OPTION_CT_LIST_URL && *text != '/'))
		return NULL;
	if ((id == OPTION_TRUST_ANCHORS || id == OPTION_UP_TRUST_ANCHORS) && strcmp(text, "system") == 0)
		return NULL;
	if (id != OPTION_QUERY_LOG_TO)
		return text;
	if (strncmp(text, QUERY_LOG_DNSTAP_FILE, strlen(QUERY_LOG_DNSTAP_FILE)) == 0)
		return text + strlen(QUERY_LOG_DNSTAP_FILE);
	if (strncmp(text, QUERY_LOG_DNSTAP, strlen(QUERY_LOG_DNSTAP)) != 0)
		return text;
	*use = USE_SOCKET;
	return text + strlen(QUERY_LOG_DNSTAP);
}

static void
value_look(const struct look *l, size_t row, const char *text, struct place place)
{
	const char *name = option_table[uses[row].id].name, *why = NULL, *path;
	enum use use = uses[row].use;
	int error;

	path = path_in(uses[row].id, text, &use);
	if (path == NULL)
		return;
	error = path_look(path, use, l->user != NULL, &why);
	if (l->user != NULL && error == EACCES && use != USE_SOCKET_PLACE)
		config_errors_add(l->out, place, "option \"%s\": user %s cannot use %s: %s, so %s", name,
				  l->user, path, why != NULL ? why : strerror(error),
				  uses[row].compiled ? "a reload will fail" : uses[row].then);
	else if (l->user == NULL && error != 0 && place.line != 0)
		config_errors_add(l->out, place, "option \"%s\": cannot use %s: %s, so %s", name, path,
				  why != NULL ? why : strerror(error), uses[row].then);
}

static void
option_look(const struct look *l, size_t row, const void *base, const struct place *set_at)
{
	const struct option_row *o = &option_table[uses[row].id];
	const void *field = (const char *)base + o->offset;
	const struct strings *list = field;

	if (o->kind == KIND_STRING)
		value_look(l, row, *(char *const *)field, set_at[o->id]);
	for (size_t i = 0; o->kind == KIND_STRINGS && i < list->n; i++)
		value_look(l, row, list->v[i], list->place[i]);
}

static void
options_look(const struct look *l)
{
	for (size_t row = 0; row < sizeof uses / sizeof *uses; row++) {
		if (l->user == NULL && uses[row].compiled)
			continue;
		if (option_table[uses[row].id].section != SECTION_UPSTREAM)
			option_look(l, row, l->s, l->s->set_at);
		else
			for (size_t i = 0; i < l->s->n_upstream; i++)
				option_look(l, row, &l->s->upstream[i], l->s->upstream[i].set_at);
	}
}

void
named_paths_check(const struct settings *s, const char *user, struct config_errors *warnings)
{
	const struct look look = {.s = s, .out = warnings, .user = user};
	const char *why;

	for (size_t i = 0; user != NULL && i < s->n_file; i++)
		if (named_file_look(s->file[i], &why) == EACCES)
			config_errors_add(warnings, (struct place){0},
					  "user %s cannot read %s, so a reload will fail", user, s->file[i]);
	options_look(&look);
}
