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
	USE_FOLDER,
	USE_PLACE,        /* something that will be made there: its folder must exist */
	USE_SOCKET_PLACE, /* a socket that will be made there, in place of an old one */
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
    {OPTION_STATE_DIR, USE_FOLDER, false, "nothing is remembered until it is there"},
    {OPTION_CONTROL_SOCKET, USE_SOCKET_PLACE, false, "the tool cannot talk to the daemon"},
    {OPTION_LOCAL_HOSTS_FILE, USE_FILE, false, "its names are not answered here until it can be read"},
    {OPTION_QUERY_LOG_TO, USE_PLACE, false, "questions are not logged until it is there"},
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

static int
named_folder_look(const char *path, const char **why)
{
	int fd = path_folder_open(path, why);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static bool
is_made_later(enum use use)
{
	return use == USE_PLACE || use == USE_SOCKET_PLACE;
}

/* The entry itself, when it is there; *why is set when it has the wrong kind. */
static int
entry_look(const char *path, enum use use, const char **why)
{
	const char *name;
	struct stat st;
	int folder = path_parent_open(path, &name, why), error = errno;
	bool there;

	if (folder < 0)
		return error;
	there = fstatat(folder, name, &st, 0) == 0;
	error = there ? 0 : errno;
	(void)close(folder);
	if (!there) {
		*why = strerror(error);
		return is_made_later(use) && error == ENOENT ? 0 : error;
	}
	*why = S_ISDIR(st.st_mode) ? "it is a folder"
	       : (use == USE_SOCKET || use == USE_SOCKET_PLACE) && !S_ISSOCK(st.st_mode)
		   ? "it is not a socket"
	       : use == USE_PROGRAM && (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0
		   ? "nobody may execute it"
		   : NULL;
	return *why != NULL ? EINVAL : 0;
}

static int
path_look(const char *path, enum use use, const char **why)
{
	*why = NULL;
	switch (use) {
	case USE_FILE:
		return named_file_look(path, why);
	case USE_FOLDER:
		return named_folder_look(path, why);
	case USE_ANCHORS:
		return named_folder_look(path, why) == 0 ? 0 : named_file_look(path, why);
	case USE_PLACE:
	case USE_SOCKET_PLACE:
	case USE_SOCKET:
	case USE_PROGRAM:
		break;
	}
	return entry_look(path, use, why);
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
	error = path_look(path, use, &why);
	if (l->user != NULL && error == EACCES && !is_made_later(use))
		config_errors_add(l->out, place, "option \"%s\": user %s cannot use %s: %s%s", name, l->user,
				  path, strerror(error), uses[row].compiled ? ", so a reload will fail" : "");
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
