#include "config.h"

#include "config/load.h"

#include "config/file.h"

#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_LIST_NAME "ct-logs.json"

/* Where distributions keep the anchors of the machine, the first that is there. */
static const char *const system_anchors[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine */
};

static char *
sentence(const char *a, const char *b, const char *c)
{
	struct buf text = buf_max(8192);

	buf_text(&text, a);
	buf_text(&text, b);
	buf_text(&text, c);
	return buf_take_cstr(&text);
}

/* Puts the file's name before what was wrong in it. */
static void
why_name(char **why, const char *file, enum res res)
{
	char *named = sentence(file, ": ", *why != NULL ? *why : res_text(res));

	free(*why);
	*why = named;
}

static enum res
read_file(struct buf *out, const char *file, size_t max, bool trusted, char **why)
{
	return trusted ? config_file_read(out, file, max, why) : config_file_read_any(out, file, max, why);
}

/* Anchors on their way. */
struct anchors {
	struct trust *trust; /* NULL: none yet */
	bool trusted;
	struct config_errors *warnings;
};

/* Adds a file's certificates. */
static enum res
anchors_add_file(struct anchors *a, const char *file, char **why)
{
	struct buf pem = buf_max(0);
	enum res res = read_file(&pem, file, TRUST_FILE_MAX, a->trusted, why);

	if (res != RES_OK)
		return res;
	res = a->trust == NULL ? trust_from_pem(&a->trust, buf_span(&pem), why)
			       : trust_add_pem(a->trust, buf_span(&pem), why);
	if (res != RES_OK)
		why_name(why, file, res);
	if (a->trust != NULL) {
		config_errors_add_faults(a->warnings, file, trust_left_out(a->trust));
		faults_clear(trust_left_out(a->trust));
	}
	buf_free(&pem);
	return res;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* One entry of a folder; what is no regular file, or holds no certificate, is passed over. */
static enum res
anchors_add_entry(struct anchors *a, const char *folder, const char *name)
{
	char *file = sentence(folder, "/", name), *why = NULL;
	enum res res = file == NULL ? RES_NOMEM : RES_OK;
	struct stat st;

	if (res == RES_OK && stat(file, &st) == 0 && S_ISREG(st.st_mode))
		res = anchors_add_file(a, file, &why);
	if (res != RES_OK && res != RES_NOT_FOUND && res != RES_NOMEM)
		config_errors_add(a->warnings, (struct place){0}, "file left out: %s",
				  why != NULL ? why : res_text(res));
	free(why);
	free(file);
	return res == RES_NOMEM ? res : RES_OK;
}

/* Every PEM file of the folder; one is needed. */
static enum res
anchors_add_folder(struct anchors *a, const char *folder, char **why)
{
	struct dirent **entry = NULL;
	const char *cause = NULL;
	char most[40];
	int fd =
	    a->trusted ? path_folder_open(folder, &cause) : open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int n = fd < 0 ? -1 : scandirat(fd, ".", &entry, is_visible, alphasort);
	enum res res = n < 0 ? RES_IO : n > ANCHOR_FILES_MAX ? RES_LIMIT : RES_OK;

	if (res == RES_LIMIT) {
		(void)snprintf(most, sizeof most, "more than %d files", ANCHOR_FILES_MAX);
		*why = sentence(folder, ": ", most);
	}
	if (n < 0)
		*why = sentence(folder, ": ", cause != NULL ? cause : strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	for (int i = 0; i < n; i++) {
		if (res == RES_OK)
			res = anchors_add_entry(a, folder, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	if (res == RES_OK && trust_count(a->trust) == 0) {
		*why = sentence(folder, ": no usable certificate", "");
		res = RES_NOT_FOUND;
	}
	return res;
}

static enum res
anchors_add_system(struct anchors *a, char **why)
{
	enum res res = RES_NOT_FOUND;

	for (size_t i = 0; res == RES_NOT_FOUND && i < sizeof system_anchors / sizeof *system_anchors; i++)
		if (access(system_anchors[i], F_OK) == 0) {
			free(*why);
			*why = NULL;
			res = anchors_add_file(a, system_anchors[i], why);
		}
	if (res == RES_NOT_FOUND && *why == NULL)
		*why = sentence("this system has no file of trust anchors ",
				"(Debian: apt install ca-certificates)", "");
	return res;
}

enum res
anchors_load(struct trust **out, const char *where, bool trusted, struct config_errors *warnings, char **why)
{
	struct anchors a = {NULL, trusted, warnings};
	enum res res;
	struct stat st;

	*why = NULL;
	if (strcmp(where, "system") == 0) {
		a.trusted = true;
		res = anchors_add_system(&a, why);
	} else if (stat(where, &st) == 0 && S_ISDIR(st.st_mode)) {
		res = anchors_add_folder(&a, where, why);
	} else {
		res = anchors_add_file(&a, where, why);
	}
	if (res == RES_OK)
		*out = a.trust;
	else
		trust_free(a.trust);
	return res;
}

/* text is taken. file: its name, for what is wrong in it. */
static enum res
log_list_read(struct ctlogs **out, struct buf *text, const char *file, char **why)
{
	enum res res = ctlogs_from_any(out, buf_span(text), why);

	if (res != RES_OK)
		why_name(why, file, res);
	buf_free(text);
	return res;
}

enum res
log_list_load(struct ctlogs **out, const char *file, bool trusted, char **why)
{
	struct buf text = buf_max(0);
	enum res res;

	*why = NULL;
	res = read_file(&text, file, CTLOGS_FILE_MAX, trusted, why);
	return res == RES_OK ? log_list_read(out, &text, file, why) : res;
}

char *
log_list_file(const char *state_dir)
{
	return sentence(state_dir, "/", LOG_LIST_NAME);
}

enum res
log_list_stored(struct ctlogs **out, const char *folder, char **why)
{
	struct buf text = buf_max(0);
	char *file = log_list_file(folder);
	enum res res = RES_NOMEM;

	*why = NULL;
	if (file != NULL)
		res = config_state_read(&text, folder, LOG_LIST_NAME, CTLOGS_FILE_MAX, why);
	if (res == RES_OK)
		res = log_list_read(out, &text, file, why);
	free(file);
	return res;
}

/* The list on its way, and where it is from. */
struct choice {
	struct ctlogs *list;
	char *from;
	char *warning;
};

/* Takes the list of a folder if it is newer. */
static enum res
choice_offer(struct choice *c, const char *folder)
{
	struct ctlogs *stored = NULL;
	char *file = log_list_file(folder), *why = NULL;
	enum res res = file == NULL ? RES_NOMEM : log_list_stored(&stored, folder, &why);

	if (res != RES_OK && (res != RES_NOT_FOUND || why != NULL)) {
		free(c->warning);
		c->warning =
		    sentence("the stored log list is not used: ", why != NULL ? why : res_text(res), "");
	}
	free(why);
	if (res == RES_OK && ctlogs_date_ms(stored) > ctlogs_date_ms(c->list) &&
	    ctlogs_add_retired(stored) == RES_OK) {
		ctlogs_free(c->list);
		free(c->from);
		c->list = stored;
		c->from = file;
		return RES_OK;
	}
	ctlogs_free(stored);
	free(file);
	return file == NULL ? RES_NOMEM : RES_OK;
}

enum res
log_list_choose(struct ctlogs **out, const char *state_dir, char **from, char **warning)
{
	struct choice c = {.from = strdup("compiled in")};
	char *folder = sentence(state_dir, "/", LOG_LIST_FOLDER);
	enum res res = c.from == NULL || folder == NULL ? RES_NOMEM : ctlogs_compiled_in(&c.list);

	if (res == RES_OK && *state_dir != '\0')
		res = choice_offer(&c, state_dir);
	if (res == RES_OK && *state_dir != '\0')
		res = choice_offer(&c, folder);
	free(folder);
	*warning = NULL;
	*from = NULL;
	if (res != RES_OK) {
		ctlogs_free(c.list);
		free(c.from);
		free(c.warning);
		return res;
	}
	*out = c.list;
	*from = c.from;
	*warning = c.warning;
	return RES_OK;
}
