#include "config.h"

#include "resolver/daemon/writer.h"

#include "base/path.h"
#include "base/text.h"
#include "resolver/daemon/evidence_folder.h"
#include "resolver/daemon/helper.h"
#include "resolver/daemon/journal_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum message { MESSAGE_SETUP = 1, MESSAGE_LINE, MESSAGE_EVIDENCE };

#define PEM_MAX (2 * HELPER_MESSAGE_MAX) /* base64 takes a third more */

/* ---- messages */

static void
message_begin(struct buf *b, enum message kind)
{
	buf_clear(b);
	buf_u8(b, (uint8_t)kind);
}

void
writer_put_setup(struct buf *b, const struct settings *s)
{
	message_begin(b, MESSAGE_SETUP);
	buf_u64(b, s->journal_size);
	buf_u32(b, s->evidence_count);
	buf_u64(b, s->evidence_size);
	buf_text(b, s->state_dir);
}

void
writer_put_line(struct buf *b, struct span line)
{
	message_begin(b, MESSAGE_LINE);
	buf_put(b, line);
}

void
writer_put_evidence(struct buf *b, const char *name, struct span certs, const char *verdict_json)
{
	size_t n = strlen(name);

	message_begin(b, MESSAGE_EVIDENCE);
	buf_u16(b, (uint16_t)n);
	buf_put(b, span_of(name, n));
	buf_u24(b, (uint32_t)certs.n);
	buf_put(b, certs);
	buf_text(b, verdict_json);
}

static void
report_put(struct buf *b, enum message kind, int error)
{
	message_begin(b, kind);
	buf_u32(b, (uint32_t)error);
}

bool
writer_report_read(struct writer_report *r, struct span message)
{
	struct cursor in = cursor_over(message);
	uint8_t kind = cursor_u8(&in);

	*r = (struct writer_report){.evidence = kind == MESSAGE_EVIDENCE, .error = (int)cursor_u32(&in)};
	return cursor_done(&in) && (kind == MESSAGE_LINE || kind == MESSAGE_EVIDENCE);
}

/* ---- the helper */

struct writer {
	char state_dir[PATH_NAME_MAX];
	uint64_t journal_size, evidence_size;
	unsigned evidence_count;
};

static void
message_setup_take(struct writer *w, struct cursor *in)
{
	struct span path;

	w->journal_size = cursor_u64(in);
	w->evidence_count = cursor_u32(in);
	w->evidence_size = cursor_u64(in);
	path = cursor_take(in, cursor_left(in));
	if (path.n >= sizeof w->state_dir)
		path.n = 0;
	memcpy(w->state_dir, path.p, path.n);
	w->state_dir[path.n] = '\0';
}

static enum res
message_line_take(const struct writer *w, int folder, struct cursor *in)
{
	return journal_file_append(folder, cursor_take(in, cursor_left(in)), w->journal_size);
}

static void
certs_put(struct buf *pem, struct span certs)
{
	struct cursor in = cursor_over(certs);

	while (cursor_left(&in) > 0) {
		struct span der = cursor_vec24(&in);

		if (der.n > 0)
			pem_write(pem, "CERTIFICATE", der);
	}
}

static enum res
message_evidence_take(const struct writer *w, int folder, struct cursor *in)
{
	struct span name = cursor_vec16(in), certs = cursor_vec24(in),
		    verdict = cursor_take(in, cursor_left(in));
	struct buf pem = buf_max(PEM_MAX), json = buf_max(HELPER_MESSAGE_MAX + 1);
	char text[REFUSAL_NAME_MAX];
	enum res res = RES_NOMEM;

	if (name.n >= sizeof text)
		return RES_LIMIT;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	certs_put(&pem, certs);
	buf_put(&json, verdict);
	buf_text(&json, "\n");
	if (buf_ok(&pem) && buf_ok(&json))
		res = evidence_folder_put(folder, text, buf_span(&pem), buf_span(&json), w->evidence_count,
					  w->evidence_size);
	buf_free(&pem);
	buf_free(&json);
	return res;
}

static int
error_of(enum res res)
{
	switch (res) {
	case RES_OK:
	case RES_LIMIT: /* too large to be kept: the option says so */
		return 0;
	case RES_NOMEM:
		return ENOMEM;
	case RES_IO:
	case RES_MALFORMED:
	case RES_NOT_FOUND:
	case RES_UNSUPPORTED:
		break;
	}
	return errno != 0 ? errno : EIO;
}

/* Gives what is to be reported. */
static int
message_work(const struct writer *w, enum message kind, struct cursor *in)
{
	const char *why;
	int folder = path_folder_open(w->state_dir, &why), error;

	if (folder < 0)
		return errno;
	errno = 0;
	error = error_of(kind == MESSAGE_LINE ? message_line_take(w, folder, in)
					      : message_evidence_take(w, folder, in));
	(void)close(folder);
	return error;
}

void
writer_run(int socket, void *ctx)
{
	uint8_t *room = malloc(HELPER_MESSAGE_MAX);
	struct writer *w = calloc(1, sizeof *w);
	struct buf report = buf_max(16);
	ssize_t n;

	(void)ctx;
	while (room != NULL && w != NULL && (n = helper_receive(socket, room)) >= 0) {
		if (n == 0)
			continue;

		struct cursor in = cursor_over(span_of(room, (size_t)n));
		enum message kind = (enum message)cursor_u8(&in);

		switch (kind) {
		case MESSAGE_SETUP:
			message_setup_take(w, &in);
			break;
		case MESSAGE_LINE:
		case MESSAGE_EVIDENCE:
			report_put(&report, kind, message_work(w, kind, &in));
			(void)helper_send(socket, buf_span(&report));
			break;
		}
	}
	free(room);
	free(w);
	buf_free(&report);
}
