#include "config.h"

#include "contrib/portal/resolvers.h"

#include "base/path.h"
#include "base/replace.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DNS_PORT 53

/* ---- text */

bool
resolvers_usable(const struct addr *a)
{
	if (addr_is_loopback(a) || addr_is_any(a))
		return false;
	if (a->family == ADDR_V4)
		return a->ip[0] != 0 && a->ip[0] != 127 && a->ip[0] < 224;
	return a->ip[0] != 0xff && !(a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80);
}

static void
resolver_add(struct resolvers *r, struct span word)
{
	struct addr a;

	if (r->n == RESOLVERS_MAX || addr_read_ip_span(&a, word) != RES_OK || !resolvers_usable(&a))
		return;
	a.port = DNS_PORT;
	for (size_t i = 0; i < r->n; i++)
		if (addr_equal(&r->v[i], &a))
			return;
	r->v[r->n++] = a;
}

/* Takes the next word off a line; commas and semicolons stand between words as blanks do. */
static struct span
word_take(struct span *line)
{
	struct span word;
	size_t at = 0, end;

	while (at < line->n && (ascii_is_blank(line->p[at]) || line->p[at] == ',' || line->p[at] == ';'))
		at++;
	end = at;
	while (end < line->n && !ascii_is_blank(line->p[end]) && line->p[end] != ',' && line->p[end] != ';')
		end++;
	word = span_slice(*line, at, end - at);
	*line = span_slice(*line, end, line->n);
	return word;
}

static bool
word_is(struct span word, const char *text)
{
	return span_equal(word, span_str(text));
}

static void
words_add(struct resolvers *r, struct span line)
{
	struct span word;

	while ((word = word_take(&line)).n > 0)
		resolver_add(r, word);
}

/* expire 6 2026/11/28 10:00:00; (UTC) or expire never; */
static bool
is_expired(struct span line, int64_t now_ms)
{
	struct span day, time;
	char text[] = "YYYY-MM-DDThh:mm:ssZ";
	int64_t end_ms;

	(void)word_take(&line);
	day = word_take(&line);
	time = word_take(&line);
	if (day.n != 10 || time.n != 8)
		return false;
	memcpy(text, day.p, 10);
	memcpy(text + 11, time.p, 8);
	text[4] = text[7] = '-';
	return time_read(&end_ms, text) == RES_OK && end_ms <= now_ms;
}

/* One line of dhclient's file; lease: what the present block names. */
static void
lease_line(struct resolvers *lease, struct span line, int64_t now_ms)
{
	struct span word = word_take(&line);

	if (word_is(word, "lease") || word_is(word, "lease6")) {
		lease->n = 0;
	} else if (word_is(word, "option")) {
		word = word_take(&line);
		if (word_is(word, "domain-name-servers") || word_is(word, "dhcp6.name-servers"))
			words_add(lease, line);
	} else if (word_is(word, "expire") && is_expired(line, now_ms)) {
		lease->n = 0;
	}
}

static void
line_read(struct resolvers *r, enum resolvers_form form, struct span line)
{
	static const char dns[] = "DNS=";
	struct span word;

	switch (form) {
	case RESOLVERS_RESOLV_CONF:
		word = word_take(&line);
		if (word_is(word, "nameserver"))
			resolver_add(r, word_take(&line));
		return;
	case RESOLVERS_NETWORKD:
		if (line.n >= sizeof dns && memcmp(line.p, dns, sizeof dns - 1) == 0)
			words_add(r, span_slice(line, sizeof dns - 1, line.n));
		return;
	case RESOLVERS_DHCLIENT:
		return;
	}
}

void
resolvers_read(struct resolvers *r, enum resolvers_form form, struct span text, int64_t now_ms)
{
	struct resolvers lease = {.n = 0};

	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		struct span line = span_of(text.p, end != NULL ? (size_t)(end - text.p) : text.n);

		if (form == RESOLVERS_DHCLIENT)
			lease_line(&lease, line, now_ms);
		else
			line_read(r, form, line);
		text = span_slice(text, line.n + 1, text.n);
	}
	for (size_t i = 0; i < lease.n; i++)
		resolver_add(r, span_str(addr_ip_text(&lease.v[i], (char[ADDR_TEXT_MAX]){0})));
}

/* ---- files */

/* The end of a long file counts: dhclient appends. */
static void
fd_read(struct resolvers *r, enum resolvers_form form, int fd, const struct stat *st, int64_t now_ms)
{
	uint8_t *text = malloc(RESOLVERS_FILE_MAX);
	off_t from = st->st_size > RESOLVERS_FILE_MAX ? st->st_size - RESOLVERS_FILE_MAX : 0;
	ssize_t n = text == NULL ? -1 : file_read_at(fd, text, RESOLVERS_FILE_MAX, from);

	if (n > 0)
		resolvers_read(r, form, span_of(text, (size_t)n), now_ms);
	free(text);
	(void)close(fd);
}

static void
folder_read(struct resolvers *r, enum resolvers_form form, int folder, const char *prefix, int64_t now_ms)
{
	int readable =
	    openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* folder is good for names alone */
	DIR *dir = readable < 0 ? NULL : fdopendir(readable);
	const struct dirent *entry;

	(void)close(folder);
	if (dir == NULL) {
		if (readable >= 0)
			(void)close(readable);
		return;
	}
	for (unsigned i = 0; i < RESOLVERS_DIR_MAX && (entry = readdir(dir)) != NULL; i++) {
		struct stat st;
		const char *why;
		int fd;

		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		fd = path_file_open_at(dirfd(dir), entry->d_name, &st, &why);
		if (fd >= 0)
			fd_read(r, form, fd, &st, now_ms);
	}
	(void)closedir(dir);
}

void
resolvers_find(struct resolvers *r, const char *root, int64_t now_ms)
{
	static const struct {
		const char *path;
		const char *prefix; /* of the names in a folder; NULL: it is a file */
		enum resolvers_form form;
	} sources[] = {
	    {"/run/NetworkManager/no-stub-resolv.conf", NULL, RESOLVERS_RESOLV_CONF},
	    {"/run/NetworkManager/resolv.conf", NULL, RESOLVERS_RESOLV_CONF},
	    {"/run/systemd/netif/leases", "", RESOLVERS_NETWORKD},
	    {"/run/systemd/resolve/resolv.conf", NULL, RESOLVERS_RESOLV_CONF},
	    {"/run/dhcpcd/hook-state/resolv.conf", "", RESOLVERS_RESOLV_CONF},
	    {"/run/resolvconf/interface", "", RESOLVERS_RESOLV_CONF},
	    {"/run/resolvconf/interfaces", "", RESOLVERS_RESOLV_CONF},
	    {"/var/lib/dhcp", "dhclient", RESOLVERS_DHCLIENT},
	};
	struct stat st;
	const char *why;

	r->n = 0;
	for (size_t i = 0; i < sizeof sources / sizeof *sources && r->n == 0; i++) {
		struct buf path = buf_max(PATH_NAME_MAX);
		bool is_file = sources[i].prefix == NULL;
		int fd = -1;

		buf_format(&path, "%s%s", root, sources[i].path);
		if (buf_ok(&path))
			fd = is_file ? path_file_open(buf_cstr(&path), &st, &why)
				     : path_folder_open(buf_cstr(&path), &why);
		if (fd >= 0 && is_file)
			fd_read(r, sources[i].form, fd, &st, now_ms);
		else if (fd >= 0)
			folder_read(r, sources[i].form, fd, sources[i].prefix, now_ms);
		buf_free(&path);
	}
}
