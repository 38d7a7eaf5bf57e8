#include "config.h"

#include "resolver/daemon/writer.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "resolver/daemon/evidence_folder.h"
#include "resolver/daemon/folder_lock.h"
#include "resolver/daemon/helper.h"
#include "resolver/daemon/journal_file.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum message { MESSAGE_SETUP = 1, MESSAGE_LINE, MESSAGE_EVIDENCE };

#define REPORT_MAX 16                       /* bytes */
#define PEM_MAX    (2 * HELPER_MESSAGE_MAX) /* base64 takes a third more */

/* Another daemon has the folder. */
#define LOCK_WAIT_MS  3000  /* for one that is ending, which takes 1.5 s: nothing is lost */
#define LOCK_TRY_MS   50    /* how often it looks meanwhile */
#define LOCK_AGAIN_MS 10000 /* and after that, so that the state is right again soon */

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
report_put(struct buf *b, enum message kind, int error, pid_t holder)
{
	message_begin(b, kind);
	buf_u32(b, (uint32_t)error);
	buf_u32(b, (uint32_t)holder);
}

bool
writer_report_read(struct writer_report *r, struct span message)
{
	struct cursor in = cursor_over(message);
	uint8_t kind = cursor_u8(&in);

	r->of = kind == MESSAGE_LINE       ? REPORT_LINE
		: kind == MESSAGE_EVIDENCE ? REPORT_EVIDENCE
					   : REPORT_FOLDER;
	r->error = (int)cursor_u32(&in);
	r->holder = (pid_t)cursor_u32(&in);
	return cursor_done(&in) && kind >= MESSAGE_SETUP && kind <= MESSAGE_EVIDENCE;
}

/* ---- the helper */

struct writer {
	char state_dir[PATH_NAME_MAX];
	uint64_t journal_size, evidence_size;
	unsigned evidence_count;
	struct folder_lock lock;
	pid_t self, holder; /* the daemon; of another one, that has the folder */
	bool busy;          /* another one has it */
	struct buf report;  /* its memory is there from the start: every message gets one */
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

/* The folder, if nobody else writes to it: its descriptor, or -1 and errno. */
static int
folder_take(struct writer *w)
{
	const char *why;
	int folder = path_folder_open(w->state_dir, &why), error;
	enum res res;

	w->busy = false;
	w->holder = 0;
	if (folder < 0)
		return -1;
	res = folder_lock_take(&w->lock, folder, w->self, &w->holder);
	if (res == RES_OK)
		return folder;
	w->busy = res == RES_LIMIT;
	error = w->busy ? EBUSY : errno;
	(void)close(folder);
	errno = error;
	return -1;
}

/* Gives what is to be reported. */
static int
message_work(struct writer *w, enum message kind, struct cursor *in)
{
	int folder = folder_take(w), error;

	if (folder < 0)
		return errno;
	errno = 0;
	error = error_of(kind == MESSAGE_LINE ? message_line_take(w, folder, in)
					      : message_evidence_take(w, folder, in));
	(void)close(folder);
	return error;
}

/* Looks whether the folder is there and free. */
static bool
folder_look(struct writer *w)
{
	int folder = folder_take(w);

	if (folder >= 0)
		(void)close(folder);
	return folder >= 0;
}

static bool
writer_waits(int socket, short what, int ms)
{
	struct pollfd p = {.fd = socket, .events = what};

	return poll(&p, 1, ms) > 0;
}

/* The new settings may name another folder. The daemon before this one may be just ending. */
static void
folder_enter(struct writer *w, int socket)
{
	int64_t until_ms = clock_mono_ms() + LOCK_WAIT_MS;

	if (!folder_look(w))
		folder_lock_give(&w->lock); /* that of the folder before */
	while (w->busy && clock_mono_ms() < until_ms && !writer_waits(socket, POLLRDHUP, LOCK_TRY_MS))
		(void)folder_look(w);
}

static void
report_send(struct writer *w, int socket, enum message kind, int error)
{
	report_put(&w->report, kind, error, w->holder);
	(void)helper_send(socket, buf_span(&w->report));
}

static void
message_take(struct writer *w, int socket, struct span message)
{
	struct cursor in = cursor_over(message);
	enum message kind = (enum message)cursor_u8(&in);
	bool was_busy = w->busy;

	switch (kind) {
	case MESSAGE_SETUP:
		message_setup_take(w, &in);
		folder_enter(w, socket);
		if (w->busy || was_busy)
			report_send(w, socket, kind, w->busy ? EBUSY : 0);
		break;
	case MESSAGE_LINE:
	case MESSAGE_EVIDENCE:
		report_send(w, socket, kind, message_work(w, kind, &in));
		break;
	}
}

void
writer_run(int socket, void *self)
{
	uint8_t *room = malloc(HELPER_MESSAGE_MAX);
	struct writer *w = calloc(1, sizeof *w);
	ssize_t n = 0;

	if (w != NULL) {
		w->lock.fd = -1;
		w->self = *(pid_t *)self;
		w->report = buf_max(REPORT_MAX);
		report_put(&w->report, MESSAGE_SETUP, 0, 0);
	}
	while (room != NULL && w != NULL && buf_ok(&w->report) && n >= 0) {
		if (w->busy && !writer_waits(socket, POLLIN, LOCK_AGAIN_MS)) {
			(void)folder_look(w);
			if (!w->busy)
				report_send(w, socket, MESSAGE_SETUP, 0);
		} else if ((n = helper_receive(socket, room)) > 0) {
			message_take(w, socket, span_of(room, (size_t)n));
		}
	}
	if (w != NULL) {
		folder_lock_give(&w->lock);
		buf_free(&w->report);
	}
	free(room);
	free(w);
}
