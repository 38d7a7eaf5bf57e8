#include "base/log.h"

#include "base/clock.h"
#include "base/log_journald.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096 /* one write to a pipe of this size is not torn (PIPE_BUF) */

static atomic_int level_now = LOG_INFO;
static atomic_int format_now = LOG_TEXT;
static atomic_uint lost; /* lines that standard error did not take */
static atomic_bool torn; /* it took a part of the last one: its disk is full */
static void (*capture)(void *, const char *, size_t);
static void *capture_ctx;

static const char *const level_names[] = {"error", "warn", "notice", "info", "debug"};

void
log_setup(enum log_level level, enum log_format format)
{
	atomic_store(&level_now, (int)level);
	atomic_store(&format_now, (int)format);
}

bool
log_is_json(void)
{
	return atomic_load(&format_now) == LOG_JSON;
}

enum log_level
log_level(void)
{
	return (enum log_level)atomic_load_explicit(&level_now, memory_order_relaxed);
}

void
log_level_set(enum log_level level)
{
	atomic_store(&level_now, (int)level);
}

int
log_level_read(const char *text)
{
	for (int i = 0; i <= LOG_DEBUG; i++)
		if (strcmp(text, level_names[i]) == 0)
			return i;
	return -1;
}

const char *
log_level_text(enum log_level level)
{
	return level_names[level];
}

bool
log_wants(enum log_level level)
{
	return level <= log_level();
}

static void
put_json_string(struct buf *b, const char *s)
{
	struct span left = span_str(s);

	buf_u8(b, '"');
	while (left.n > 0) {
		uint32_t c = left.p[0]; /* what is not UTF-8 is shown byte by byte */
		size_t n = utf8_read(&c, left);

		if (c == '"' || c == '\\')
			buf_format(b, "\\%c", (char)c);
		else if (c >= 0x10000) /* RFC 8259, 7 */
			buf_format(b, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
				   (unsigned)(0xdc00 + ((c - 0x10000) & 0x3ff)));
		else if (c < 0x20 || c >= 0x7f)
			buf_format(b, "\\u%04x", (unsigned)c);
		else
			buf_u8(b, (uint8_t)c);
		left = span_slice(left, n > 0 ? n : 1, left.n);
	}
	buf_u8(b, '"');
}

static void
put_text_string(struct buf *b, const char *s)
{
	bool plain = *s != '\0';

	for (const char *c = s; *c != '\0'; c++)
		if (*c <= 0x20 || *c >= 0x7f || *c == '"' || *c == '\\' || *c == '=')
			plain = false;
	if (plain) {
		buf_text(b, s);
		return;
	}
	buf_u8(b, '"');
	text_escape(b, span_str(s));
	buf_u8(b, '"');
}

void
log_put_string(struct buf *b, const char *s, bool json)
{
	if (json)
		put_json_string(b, s);
	else
		put_text_string(b, s);
}

static void
put_value(struct buf *b, const struct log_field *f, bool json)
{
	char text[ADDR_TEXT_MAX];
	const char *s = "-";

	switch (f->kind) {
	case LOG_KIND_INT:
		buf_format(b, "%lld", (long long)f->i);
		return;
	case LOG_KIND_STR:
		s = f->s != NULL ? f->s : s;
		break;
	case LOG_KIND_ADDR:
		s = addr_text(f->addr, text);
		break;
	case LOG_KIND_IP:
		s = addr_ip_text(f->addr, text);
		break;
	case LOG_KIND_JSON:
		buf_text(b, f->s);
		return;
	case LOG_END:
		return;
	}
	log_put_string(b, s, json);
}

/* A full pipe must not stop the event loop. */
static bool
stderr_write(const char *bytes, size_t n)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	ssize_t written = -1;

	if (poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0)
		written = write(STDERR_FILENO, bytes, n);
	if (written > 0)
		atomic_store(&torn, (size_t)written < n);
	return written == (ssize_t)n;
}

/* n: how many lines are lost without it. */
static void
line_write(const char *line, size_t bytes, unsigned n)
{
	if (capture != NULL)
		capture(capture_ctx, line, bytes);
	else if ((atomic_load(&torn) && !stderr_write("\n", 1)) || !stderr_write(line, bytes))
		atomic_fetch_add(&lost, n);
}

static void
put_line(struct buf *b, enum log_level level, const char *event, const struct log_field *fields)
{
	const bool json = log_is_json(); /* a reload may change it in the middle */
	char now[TIME_TEXT_MAX];

	if (json)
		buf_format(b, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"",
			   time_text_ms(clock_wall_ms(), now), level_names[level], event);
	else
		buf_format(b, "%s %s", level_names[level], event);
	for (; fields->kind != LOG_END; fields++) {
		size_t before = b->n;

		if (fields->kind == LOG_KIND_JSON && (!json || fields->s == NULL))
			continue;
		buf_format(b, json ? ",\"%s\":" : " %s=", fields->key);
		put_value(b, fields, json);
		if (!buf_ok(b)) { /* too long: it and the rest are left out, the line stays well-formed */
			b->bad = false;
			b->n = before;
			break;
		}
	}
	b->max = LINE_MAX_BYTES;
	buf_text(b, json ? "}\n" : "\n");
}

void
log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	struct buf b = buf_max(LINE_MAX_BYTES - 2);
	unsigned before = atomic_exchange(&lost, 0);

	if (before > 0) {
		const struct log_field count[] = {LOG_INT("lines", before), {.kind = LOG_END}};

		put_line(&b, LOG_WARN, "log-lines-lost", count);
		line_write((const char *)b.p, b.n, before);
		buf_clear(&b);
		b.max = LINE_MAX_BYTES - 2;
	}
	put_line(&b, level, event, fields);
	if (b.n > 0 && (capture != NULL ||
			!log_journald_send(level, event, fields, span_of(b.p, b.n - 1 /* its end */))))
		line_write((const char *)b.p, b.n, 1);
	buf_free(&b);
}

void
log_to_journal(const char *program)
{
	(void)log_journald_open(program);
}

bool
log_limit_ok(struct log_limit *l, uint32_t burst, int64_t per_ms, uint32_t *left_out)
{
	int64_t now = clock_boot_ms();

	if (now - l->since_ms >= per_ms || now < l->since_ms) {
		*left_out = l->dropped;
		*l = (struct log_limit){.since_ms = now, .used = 1};
		return true;
	}
	*left_out = 0;
	if (l->used < burst) {
		l->used++;
		return true;
	}
	l->dropped++;
	return false;
}

void
log_capture(void (*sink)(void *, const char *, size_t), void *ctx)
{
	capture = sink;
	capture_ctx = ctx;
}
