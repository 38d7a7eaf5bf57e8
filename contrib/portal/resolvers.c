#include "config.h"

#include "contrib/portal/resolvers.h"

#include "base/path.h"
#include "base/replace.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DNS_PORT 53

/* What the lines of a file are read with. */
struct reading {
	struct span links; /* if_inet6 */
	struct span link;  /* the name of the one that the present lease is of */
	int64_t now_ms;
};

/* ---- addresses */

bool
resolver_usable(const struct resolver *r)
{
	const struct addr *a = &r->addr;

	if (addr_is_loopback(a) || addr_is_any(a) || addr_is_link_local(a) != (r->link != 0))
		return false;
	if (a->family == ADDR_V4)
		return a->ip[0] != 0 && a->ip[0] != 127 && a->ip[0] < 224;
	return a->ip[0] != 0xff;
}

const char *
resolver_text(const struct resolver *r, char text[RESOLVER_TEXT_MAX])
{
	char ip[ADDR_TEXT_MAX];

	(void)snprintf(text, RESOLVER_TEXT_MAX, r->link != 0 ? "%s%%%" PRIu32 : "%s",
		       addr_ip_text(&r->addr, ip), r->link);
	return text;
}

static void
resolver_add(struct resolvers *r, const struct resolver *one)
{
	if (r->n == RESOLVERS_MAX || !resolver_usable(one))
		return;
	for (size_t i = 0; i < r->n; i++)
		if (addr_equal(&r->v[i].addr, &one->addr) && r->v[i].link == one->link)
			return;
	r->v[r->n++] = *one;
}

/* ---- text */

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

/* A line of if_inet6: the address, the link's index, three more numbers, all in hex, and the link's name. 0: another link. */
static uint32_t
link_of_line(struct span line, struct span name)
{
	struct span word[6];
	uint8_t octets[4];
	uint32_t link = 0;
	size_t n;

	for (unsigned i = 0; i < 6; i++)
		word[i] = word_take(&line);
	if (!span_equal(word[5], name) || hex_number_read(octets, sizeof octets, &n, word[1]) != RES_OK)
		return 0;
	for (size_t i = 0; i < n; i++)
		link = link << 8 | octets[i];
	return link;
}

/* A link by its name, or by its index in decimal. 0: there is no such link. */
static uint32_t
link_find(struct span links, struct span name)
{
	char text[sizeof "2147483647"];
	uint32_t link = 0;
	struct span line;
	int64_t number;

	if (name.n > 0 && name.n < sizeof text) {
		memcpy(text, name.p, name.n);
		text[name.n] = '\0';
		if (number_read(&number, text) == RES_OK)
			return number > 0 && number <= INT32_MAX ? (uint32_t)number : 0;
	}
	while (name.n > 0 && link == 0 && text_line_take(&links, &line))
		link = link_of_line(line, name);
	return link;
}

/* fe80::1%eth0; in a lease fe80::1 */
static void
word_add(struct resolvers *r, const struct reading *reading, struct span word)
{
	const uint8_t *zone = word.n > 0 ? memchr(word.p, '%', word.n) : NULL;
	size_t n = zone != NULL ? (size_t)(zone - word.p) : word.n;
	struct span link = zone != NULL ? span_slice(word, n + 1, word.n) : reading->link;
	struct resolver one = {.link = 0};

	if (addr_read_ip_span(&one.addr, span_slice(word, 0, n)) != RES_OK)
		return;
	one.addr.port = DNS_PORT;
	if (addr_is_link_local(&one.addr))
		one.link = link_find(reading->links, link);
	else if (zone != NULL)
		return;
	resolver_add(r, &one);
}

static void
words_add(struct resolvers *r, const struct reading *reading, struct span line)
{
	struct span word;

	while ((word = word_take(&line)).n > 0)
		word_add(r, reading, word);
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
lease_line(struct resolvers *lease, struct reading *reading, struct span line)
{
	struct span word = word_take(&line);

	if (word_is(word, "lease") || word_is(word, "lease6")) {
		lease->n = 0;
		reading->link = span_str("");
	} else if (word_is(word, "interface")) { /* it stands first in a lease, in quotation marks */
		word = word_take(&line);
		reading->link = span_slice(word, 1, word.n > 2 ? word.n - 2 : 0);
	} else if (word_is(word, "option")) {
		word = word_take(&line);
		if (word_is(word, "domain-name-servers") || word_is(word, "dhcp6.name-servers"))
			words_add(lease, reading, line);
	} else if (word_is(word, "expire") && is_expired(line, reading->now_ms)) {
		lease->n = 0;
	}
}

static void
line_read(struct resolvers *r, const struct reading *reading, enum resolvers_form form, struct span line)
{
	static const char dns[] = "DNS=";
	struct span word;

	switch (form) {
	case RESOLVERS_RESOLV_CONF:
		word = word_take(&line);
		if (word_is(word, "nameserver"))
			word_add(r, reading, word_take(&line));
		return;
	case RESOLVERS_NETWORKD:
		if (line.n >= sizeof dns && memcmp(line.p, dns, sizeof dns - 1) == 0)
			words_add(r, reading, span_slice(line, sizeof dns - 1, line.n));
		return;
	case RESOLVERS_DHCLIENT:
		return;
	}
}

void
resolvers_read(struct resolvers *r, enum resolvers_form form, struct span text, struct span links,
	       int64_t now_ms)
{
	struct reading reading = {.links = links, .link = span_str(""), .now_ms = now_ms};
	struct resolvers lease = {.n = 0};

	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		struct span line = span_of(text.p, end != NULL ? (size_t)(end - text.p) : text.n);

		if (form == RESOLVERS_DHCLIENT)
			lease_line(&lease, &reading, line);
		else
			line_read(r, &reading, form, line);
		text = span_slice(text, line.n + 1, text.n);
	}
	for (size_t i = 0; i < lease.n; i++)
		resolver_add(r, &lease.v[i]);
}

/* ---- files */

/* Where files are looked for, and the links of this machine. */
struct search {
	const char *root;
	struct buf links;
	int64_t now_ms;
};

/* Adds at most RESOLVERS_FILE_MAX bytes from there on; the descriptor is closed. */
static void
fd_text(struct buf *b, int fd, off_t from)
{
	uint8_t *room = buf_room(b, RESOLVERS_FILE_MAX);
	ssize_t n = room == NULL ? -1 : file_read_at(fd, room, RESOLVERS_FILE_MAX, from);

	if (n > 0)
		buf_added(b, (size_t)n);
	(void)close(fd);
}

/* The end of a long file counts: dhclient appends. */
static void
fd_read(struct resolvers *r, const struct search *s, enum resolvers_form form, int fd, const struct stat *st)
{
	struct buf text = buf_max(RESOLVERS_FILE_MAX);

	fd_text(&text, fd, st->st_size > RESOLVERS_FILE_MAX ? st->st_size - RESOLVERS_FILE_MAX : 0);
	resolvers_read(r, form, buf_span(&text), buf_span(&s->links), s->now_ms);
	buf_free(&text);
}

static void
folder_read(struct resolvers *r, const struct search *s, enum resolvers_form form, int folder,
	    const char *prefix)
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
			fd_read(r, s, form, fd, &st);
	}
	(void)closedir(dir);
}

/* path: below the root. -1: it cannot be opened. */
static int
search_open(const struct search *s, const char *path, bool is_file, struct stat *st)
{
	struct buf whole = buf_max(PATH_NAME_MAX);
	const char *why;
	int fd = -1;

	buf_format(&whole, "%s%s", s->root, path);
	if (buf_ok(&whole))
		fd = is_file ? path_file_open(buf_cstr(&whole), st, &why)
			     : path_folder_open(buf_cstr(&whole), &why);
	buf_free(&whole);
	return fd;
}

static void
search_links(struct search *s)
{
	struct stat st;
	int fd = search_open(s, "/proc/self/net/if_inet6", true, &st);

	if (fd >= 0)
		fd_text(&s->links, fd, 0);
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
	struct search s = {.root = root, .links = buf_max(RESOLVERS_FILE_MAX), .now_ms = now_ms};
	struct stat st;

	r->n = 0;
	search_links(&s);
	for (size_t i = 0; i < sizeof sources / sizeof *sources && r->n == 0; i++) {
		bool is_file = sources[i].prefix == NULL;
		int fd = search_open(&s, sources[i].path, is_file, &st);

		if (fd >= 0 && is_file)
			fd_read(r, &s, sources[i].form, fd, &st);
		else if (fd >= 0)
			folder_read(r, &s, sources[i].form, fd, sources[i].prefix);
	}
	buf_free(&s.links);
}
