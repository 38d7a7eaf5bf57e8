#include "config.h"

#include "resolver/daemon/socket_unit.h"

#include "base/path.h"
#include "base/text.h"
#include "config/file.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DROP_IN_PATH_MAX 512

const char *const socket_unit_folders[] = {"/etc/systemd/system",           "/run/systemd/system",
					   "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
					   "/lib/systemd/system",           NULL};

/* Its drop-ins and those of every socket unit; for files of one name the first folder wins. */
static const char *const drop_in_folders[] = {SOCKET_UNIT ".d", "socket.d"};

struct drop_in {
	char name[NAME_MAX + 1];
	char path[DROP_IN_PATH_MAX];
};

struct unit {
	struct held_sockets *held;
	const char *path;        /* of the file under way */
	bool in_socket;          /* inside [Socket] */
	struct drop_in *drop_in; /* room for SOCKET_UNIT_DROP_INS */
	size_t n_drop_in;
	char **why;
};

static enum res
unit_fail(const struct unit *u, enum res res, const char *what, struct span about)
{
	struct buf b = buf_max(2048);

	buf_format(&b, "%s: %s", u->path, what);
	if (about.n > 0) {
		buf_text(&b, " \"");
		text_escape(&b, span_slice(about, 0, 128));
		buf_u8(&b, '"');
	}
	free(*u->why);
	*u->why = buf_take_cstr(&b);
	buf_free(&b);
	return res;
}

/* ---- one file */

static struct span
trimmed(struct span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_slice(s, 1, s.n);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s = span_slice(s, 0, s.n - 1);
	return s;
}

/* "53" is every address of both families; paths and others are not for DNS clients. */
static bool
address_read(struct addr *out, struct span value)
{
	char text[ADDR_TEXT_MAX];
	int64_t port;

	if (value.n >= sizeof text)
		return false;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	if (number_read(&port, text) == RES_OK && port > 0 && port <= UINT16_MAX) {
		*out = (struct addr){.family = ADDR_V6, .port = (uint16_t)port};
		return true;
	}
	return addr_read(out, text, 0) == RES_OK && out->port != 0;
}

/* An assignment in [Socket]. An empty value of any Listen... takes all of them back. */
static enum res
assignment_take(struct unit *u, struct span key, struct span value)
{
	bool udp = span_equal(key, span_str("ListenDatagram"));
	struct addr addr;

	if (key.n < 6 || memcmp(key.p, "Listen", 6) != 0)
		return RES_OK;
	if (value.n == 0) {
		u->held->n = 0;
		return RES_OK;
	}
	if (!udp && !span_equal(key, span_str("ListenStream")))
		return RES_OK;
	if (!address_read(&addr, value))
		return unit_fail(u, RES_MALFORMED, "an address with a port was expected instead of", value);
	held_add(u->held, &addr, udp);
	return RES_OK;
}

static enum res
line_take(struct unit *u, struct span line)
{
	const uint8_t *equals;

	line = trimmed(line);
	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
		return RES_OK;
	if (line.p[0] == '[') {
		u->in_socket = span_equal(line, span_str("[Socket]"));
		return RES_OK;
	}
	equals = memchr(line.p, '=', line.n);
	if (!u->in_socket || equals == NULL)
		return RES_OK;
	return assignment_take(u, trimmed(span_slice(line, 0, (size_t)(equals - line.p))),
			       trimmed(span_slice(line, (size_t)(equals - line.p) + 1, line.n)));
}

/* A line that ends in a backslash goes on in the next one. */
static enum res
lines_take(struct unit *u, struct span text)
{
	struct buf whole = buf_max(SOCKET_UNIT_FILE_MAX);
	struct span line;
	enum res res = RES_OK;

	u->in_socket = false;
	while (res == RES_OK && text_line_take(&text, &line)) {
		bool goes_on = line.n > 0 && line.p[line.n - 1] == '\\';

		buf_put(&whole, goes_on ? span_slice(line, 0, line.n - 1) : line);
		if (goes_on && text.n > 0) {
			buf_u8(&whole, ' ');
			continue;
		}
		res = buf_ok(&whole) ? line_take(u, buf_span(&whole)) : RES_NOMEM;
		buf_clear(&whole);
	}
	buf_free(&whole);
	return res;
}

/* RES_NOT_FOUND: there is no such file. An empty one, and a link to /dev/null, mask others of its name: *masked. */
static enum res
unit_file_read(struct unit *u, const char *path, bool *masked)
{
	struct buf text = buf_max(0);
	struct stat st;
	enum res res;

	*masked = false;
	if (stat(path, &st) != 0)
		return RES_NOT_FOUND;
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		*masked = true;
		return RES_OK;
	}
	free(*u->why);
	*u->why = NULL;
	u->path = path;
	res = config_file_read(&text, path, SOCKET_UNIT_FILE_MAX, u->why);
	if (res == RES_OK)
		res = lines_take(u, buf_span(&text));
	buf_free(&text);
	return res;
}

/* ---- drop-ins */

static int
is_drop_in(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static enum res
drop_in_add(struct unit *u, const char *folder, const char *name)
{
	struct drop_in *d = &u->drop_in[u->n_drop_in];

	for (size_t i = 0; i < u->n_drop_in; i++)
		if (strcmp(u->drop_in[i].name, name) == 0)
			return RES_OK;
	u->path = folder;
	if (u->n_drop_in == SOCKET_UNIT_DROP_INS)
		return unit_fail(u, RES_LIMIT, "more drop-ins than are read", span_str(""));
	(void)snprintf(d->name, sizeof d->name, "%s", name);
	if (snprintf(d->path, sizeof d->path, "%s/%s", folder, name) >= (int)sizeof d->path)
		return unit_fail(u, RES_LIMIT, "a name that is too long", span_str(name));
	u->n_drop_in++;
	return RES_OK;
}

static enum res
drop_ins_of(struct unit *u, const char *folder)
{
	struct dirent **entry = NULL;
	const char *cause;
	int fd = path_folder_open(folder, &cause);
	int n = fd < 0 ? 0 : scandirat(fd, ".", &entry, is_drop_in, alphasort);
	enum res res = RES_OK;

	if (fd >= 0)
		(void)close(fd);
	for (int i = 0; i < n; i++) {
		if (res == RES_OK)
			res = drop_in_add(u, folder, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return res;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

static enum res
drop_ins_read(struct unit *u, const char *const *folders)
{
	char folder[DROP_IN_PATH_MAX];
	enum res res = RES_OK;
	bool masked;

	for (size_t k = 0; k < sizeof drop_in_folders / sizeof *drop_in_folders; k++)
		for (size_t i = 0; res == RES_OK && folders[i] != NULL; i++) {
			(void)snprintf(folder, sizeof folder, "%s/%s", folders[i], drop_in_folders[k]);
			res = drop_ins_of(u, folder);
		}
	qsort(u->drop_in, u->n_drop_in, sizeof *u->drop_in, by_name);
	for (size_t i = 0; res == RES_OK && i < u->n_drop_in; i++) {
		res = unit_file_read(u, u->drop_in[i].path, &masked);
		res = res == RES_NOT_FOUND ? RES_OK : res;
	}
	return res;
}

enum res
socket_unit_read(struct held_sockets *out, const char *const *folders, char **why)
{
	struct unit u = {.held = out, .why = why};
	char path[DROP_IN_PATH_MAX];
	enum res res = RES_NOT_FOUND;
	bool masked = false;

	*why = NULL;
	*out = (struct held_sockets){.from = SOCKET_UNIT};
	for (size_t i = 0; res == RES_NOT_FOUND && folders[i] != NULL; i++) {
		(void)snprintf(path, sizeof path, "%s/" SOCKET_UNIT, folders[i]);
		res = unit_file_read(&u, path, &masked);
	}
	if (res != RES_OK || masked)
		return masked ? RES_NOT_FOUND : res;
	u.drop_in = calloc(SOCKET_UNIT_DROP_INS, sizeof *u.drop_in);
	res = u.drop_in == NULL ? RES_NOMEM : drop_ins_read(&u, folders);
	free(u.drop_in);
	return res;
}
