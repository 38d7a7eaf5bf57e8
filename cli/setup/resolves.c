#include "config.h"

#include "cli/setup/resolves.h"

#include "base/clock.h"
#include "base/random.h"
#include "cli/setup/program.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define DATAGRAM_MAX 1232
#define LABEL_MAX    63
#define QTYPE_A      1
#define QCLASS_IN    1

static void
question_write(struct buf *out, uint16_t id, const char *name)
{
	static const uint8_t header[] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 0}; /* RD, one question */

	buf_u16(out, id);
	buf_put(out, span_of(header, sizeof header));
	while (*name != '\0') {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > LABEL_MAX)
			break;
		buf_u8(out, (uint8_t)n);
		buf_put(out, span_of(name, n));
		name += n + (name[n] == '.');
	}
	buf_u8(out, 0);
	buf_u16(out, QTYPE_A);
	buf_u16(out, QCLASS_IN);
}

/* RFC 1035, 4.1.1: the response to this question, NOERROR, at least one answer. */
static bool
answer_is_good(const uint8_t *p, size_t n, uint16_t id)
{
	return n >= 12 && be16_read(p) == id && (p[2] & 0x80) != 0 && (p[3] & 0x0f) == 0 &&
	       be16_read(p + 6) > 0;
}

static bool
answer_wait(int fd, uint16_t id)
{
	int64_t until = clock_mono_ms() + RESOLVES_WAIT_MS, left;
	uint8_t answer[DATAGRAM_MAX];

	while ((left = until - clock_mono_ms()) > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = recv(fd, answer, sizeof answer, 0);
		if (n < 0)
			return false; /* refused: nobody listens */
		if (n >= 2 && be16_read(answer) == id)
			return answer_is_good(answer, (size_t)n, id);
	}
	return false;
}

bool
resolves_at(const struct addr *server, const char *name)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(server, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint16_t id = (uint16_t)random_u32();
	struct buf question = buf_max(512);
	bool ok = false;

	question_write(&question, id, name);
	if (fd >= 0 && buf_ok(&question) && connect(fd, (const struct sockaddr *)&ss, n) == 0 &&
	    send(fd, question.p, question.n, 0) == (ssize_t)question.n)
		ok = answer_wait(fd, id);
	if (fd >= 0)
		(void)close(fd);
	buf_free(&question);
	return ok;
}

bool
resolves_here(const char *name)
{
	const char *argv[] = {"/usr/bin/getent", "ahosts", name, NULL};

	return program_run(argv, NULL) == 0;
}
