#include "resolver/daemon/querylog/query_stream.h"

#include "base/clock.h"

#include <errno.h>
#include <fstrm.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char content_type[] = "protobuf:dnstap.Dnstap";

struct query_stream {
	struct query_file *file; /* NULL: a socket */
	const char *path;
	int fd; /* of the socket; -1 */
	struct fstrm_writer *writer;
	const char *why; /* what failed last */
	bool lost;       /* the file did not take the last frame */
};

static fstrm_res
stream_fail(struct query_stream *s, const char *why)
{
	s->why = why;
	return fstrm_res_failure;
}

/* ---- the socket */

static bool
socket_waits(struct query_stream *s, short events, int64_t until_ms)
{
	struct pollfd fd = {.fd = s->fd, .events = events};
	int64_t left = until_ms - clock_mono_ms();

	if (left > 0 && poll(&fd, 1, (int)left) == 1)
		return true;
	s->why = "the collector does not read";
	return false;
}

static fstrm_res
socket_on_open(void *ctx)
{
	struct query_stream *s = ctx;
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(s->path) >= sizeof to.sun_path)
		return stream_fail(s, "the path is too long for a socket");
	memcpy(to.sun_path, s->path, strlen(s->path));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd >= 0 && connect(s->fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return fstrm_res_success;
	(void)stream_fail(s, strerror(errno));
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	return fstrm_res_failure;
}

static fstrm_res
socket_on_close(void *ctx)
{
	struct query_stream *s = ctx;

	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	return fstrm_res_success;
}

/* Every byte that was asked for: of the handshake. */
static fstrm_res
socket_on_read(void *ctx, void *room, size_t n)
{
	struct query_stream *s = ctx;
	int64_t until = clock_mono_ms() + QUERY_STREAM_WAIT_MS;
	uint8_t *to = room;

	while (n > 0) {
		ssize_t got;

		if (!socket_waits(s, POLLIN, until))
			return fstrm_res_failure;
		got = recv(s->fd, to, n, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return stream_fail(s, got == 0 ? "the collector closed" : strerror(errno));
		to += got > 0 ? got : 0;
		n -= got > 0 ? (size_t)got : 0;
	}
	return fstrm_res_success;
}

static bool
socket_write_all(struct query_stream *s, struct span bytes, int64_t until_ms)
{
	while (bytes.n > 0) {
		ssize_t sent = send(s->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return stream_fail(s, strerror(errno)) == fstrm_res_success;
		if (sent < 0 && !socket_waits(s, POLLOUT, until_ms))
			return false;
		if (sent > 0)
			bytes = span_of(bytes.p + sent, bytes.n - (size_t)sent);
	}
	return true;
}

static fstrm_res
socket_on_write(void *ctx, const struct iovec *v, int n)
{
	struct query_stream *s = ctx;
	int64_t until = clock_mono_ms() + QUERY_STREAM_WAIT_MS;

	for (int i = 0; i < n; i++)
		if (!socket_write_all(s, span_of(v[i].iov_base, v[i].iov_len), until))
			return fstrm_res_failure;
	return fstrm_res_success;
}

/* ---- the file */

static fstrm_res
file_on_open(void *ctx)
{
	struct query_stream *s = ctx;

	return query_file_open(s->file, &s->why) ? fstrm_res_success : fstrm_res_failure;
}

static fstrm_res
file_on_close(void *ctx)
{
	struct query_stream *s = ctx;

	query_file_close(s->file);
	return fstrm_res_success;
}

/* A frame or nothing of it: the stream goes on after a full disk. libfstrm would close a stream that fails. */
static fstrm_res
file_on_write(void *ctx, const struct iovec *v, int n)
{
	struct query_stream *s = ctx;
	uint64_t before = s->file->n;

	for (int i = 0; i < n; i++)
		if (!query_file_append(s->file, span_of(v[i].iov_base, v[i].iov_len), &s->why)) {
			(void)query_file_cut(s->file, before);
			s->lost = true;
			break;
		}
	return fstrm_res_success;
}

/* ---- the stream */

static struct fstrm_rdwr *
rdwr_new(struct query_stream *s)
{
	struct fstrm_rdwr *rdwr = fstrm_rdwr_init(s);

	if (rdwr == NULL)
		return NULL;
	fstrm_rdwr_set_open(rdwr, s->file != NULL ? file_on_open : socket_on_open);
	fstrm_rdwr_set_close(rdwr, s->file != NULL ? file_on_close : socket_on_close);
	fstrm_rdwr_set_write(rdwr, s->file != NULL ? file_on_write : socket_on_write);
	if (s->file == NULL) /* with it the stream has a handshake */
		fstrm_rdwr_set_read(rdwr, socket_on_read);
	return rdwr;
}

static struct fstrm_writer *
writer_new(struct query_stream *s)
{
	struct fstrm_writer_options *options = fstrm_writer_options_init();
	struct fstrm_rdwr *rdwr = rdwr_new(s);
	struct fstrm_writer *w = NULL;

	if (options != NULL && rdwr != NULL &&
	    fstrm_writer_options_add_content_type(options, content_type, sizeof content_type - 1) ==
		fstrm_res_success)
		w = fstrm_writer_init(options, &rdwr);
	if (rdwr != NULL)
		(void)fstrm_rdwr_destroy(&rdwr);
	fstrm_writer_options_destroy(&options);
	return w;
}

struct query_stream *
query_stream_new(struct query_file *file, const char *socket_path)
{
	struct query_stream *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	*s = (struct query_stream){.file = file, .path = socket_path, .fd = -1};
	return s;
}

void
query_stream_free(struct query_stream *s)
{
	if (s == NULL)
		return;
	query_stream_close(s);
	free(s);
}

bool
query_stream_open(struct query_stream *s, const char **why)
{
	if (s->writer != NULL)
		return true;
	s->why = "the collector does not accept dnstap frames";
	s->writer = writer_new(s);
	s->lost = false;
	if (s->writer != NULL && fstrm_writer_open(s->writer) == fstrm_res_success && !s->lost)
		return true;
	*why = s->writer != NULL ? s->why : "out of memory";
	query_stream_close(s);
	return false;
}

bool
query_stream_append(struct query_stream *s, struct span frame, const char **why)
{
	s->why = "the frame was not taken";
	s->lost = false;
	if (fstrm_writer_write(s->writer, frame.p, frame.n) == fstrm_res_success && !s->lost)
		return true;
	*why = s->why;
	return false;
}

void
query_stream_close(struct query_stream *s)
{
	if (s->writer != NULL)
		(void)fstrm_writer_destroy(&s->writer);
	s->writer = NULL;
	if (s->file == NULL)
		(void)socket_on_close(s);
	else
		query_file_close(s->file);
}
