#include "base/log_journald.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_SOCKET  "/run/systemd/journal/socket"
#define ENTRY_MAX_BYTES 16384 /* a line of 4 KiB twice, as a message and as fields, and some room for names */
#define FACILITY_DAEMON 3     /* RFC 5424, table 1 */

static int journal_fd = -1;
static const char *identifier;

static const struct {
	const char *event, *id;
} events[] = {
#define LOG_EVENT(name, id, text) {name, id},
#include "base/log_events.def"
#undef LOG_EVENT
};

const char *
log_event_id(const char *event)
{
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		if (strcmp(events[i].event, event) == 0)
			return events[i].id;
	return NULL;
}

/* systemd sets JOURNAL_STREAM for standard output and error; a later redirection of one of them does not change it. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream != NULL && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

bool
log_journald_open(const char *program)
{
	if (!stderr_is_journal())
		return false;
	identifier = program;
	if (journal_fd < 0)
		journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return journal_fd >= 0;
}

static int
syslog_priority(enum log_level level)
{
	switch (level) {
	case LOG_ERROR:
		return 3;
	case LOG_WARN:
		return 4;
	case LOG_NOTICE:
		return 5;
	case LOG_INFO:
		return 6;
	case LOG_DEBUG:
		break;
	}
	return 7;
}

/* "not_after" becomes CTSTUB_NOT_AFTER. */
static void
put_name(struct buf *b, const char *key)
{
	buf_text(b, "CTSTUB_");
	for (; *key != '\0'; key++)
		buf_u8(b, *key == '-'                  ? '_'
			  : *key >= 'a' && *key <= 'z' ? (uint8_t)(*key - 'a' + 'A')
						       : (uint8_t)*key);
}

/* Escaped like the values of a text line, so that none ends its field early. */
static void
put_field_value(struct buf *b, const struct log_field *f)
{
	char text[ADDR_TEXT_MAX];

	switch (f->kind) {
	case LOG_KIND_INT:
		buf_format(b, "%" PRId64, f->i);
		return;
	case LOG_KIND_STR:
		text_escape(b, span_str(f->s != NULL ? f->s : "-"));
		return;
	case LOG_KIND_ADDR:
		buf_text(b, addr_text(f->addr, text));
		return;
	case LOG_KIND_IP:
		buf_text(b, addr_ip_text(f->addr, text));
		return;
	case LOG_KIND_JSON:
		buf_text(b, f->s);
		return;
	case LOG_END:
		return;
	}
}

static void
put_fields(struct buf *b, const struct log_field *fields)
{
	for (; fields->kind != LOG_END && buf_ok(b); fields++) {
		size_t before = b->n;

		if (fields->kind == LOG_KIND_JSON && fields->s == NULL)
			continue;
		put_name(b, fields->key);
		buf_u8(b, '=');
		put_field_value(b, fields);
		buf_u8(b, '\n');
		if (!buf_ok(b)) { /* it and the rest are left out */
			b->bad = false;
			b->n = before;
			return;
		}
	}
}

/* The line has no line break: log.c escapes them. */
static void
put_entry(struct buf *b, enum log_level level, const char *event, struct span line)
{
	const char *id = log_event_id(event);

	buf_text(b, "MESSAGE=");
	buf_put(b, line);
	buf_format(b, "\nPRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%ld\n",
		   syslog_priority(level), FACILITY_DAEMON, identifier, (long)getpid());
	if (id != NULL)
		buf_format(b, "MESSAGE_ID=%s\n", id);
	buf_format(b, "CTSTUB_EVENT=%s\n", event);
}

bool
log_journald_send(enum log_level level, const char *event, const struct log_field *fields, struct span line)
{
	/* By its path each time: a socket that was made anew is found. */
	const struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	struct buf b = buf_max(ENTRY_MAX_BYTES);
	bool sent = false;

	if (journal_fd < 0)
		return false;
	put_entry(&b, level, event, line);
	put_fields(&b, fields);
	if (buf_ok(&b))
		sent = sendto(journal_fd, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to,
			      sizeof to) == (ssize_t)b.n;
	buf_free(&b);
	return sent;
}
