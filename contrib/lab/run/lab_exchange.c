#include "config.h"

#include "contrib/lab/run/lab_exchange.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/random.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define START_PATIENCE_MS  10000 /* for a daemon to listen at all */
#define REPEAT_MS          4000  /* a question is sent again, as a stub resolver does */
#define RETRY_START_MS     50
#define COMMAND_OUTPUT_MAX (64 * 1024)

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	*(bool *)arg = true;
}

void
lab_exchange_wait(struct event_base *base, int64_t ms, const bool *stop)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
	bool done = false;
	struct event *timer = evtimer_new(base, on_wake, &done);

	if (timer == NULL || event_add(timer, &wait) < 0)
		return;
	while (!done && (stop == NULL || !*stop))
		event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
}

static void
exchange_on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct lab_exchange *exchange = arg;
	uint8_t bytes[UINT16_MAX];
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

	(void)what;
	if (n < 0)
		exchange->refused = errno == ECONNREFUSED;
	else
		exchange->done = ask_answer_read(&exchange->asked, span_of(bytes, (size_t)n), exchange->id);
	exchange->woken = exchange->done || exchange->refused;
}

static int
client_socket(void)
{
	struct addr to = {.family = ADDR_V4, .ip = {127, 0, 0, 1}, .port = EXCHANGE_PORT};
	struct sockaddr_storage address;
	socklen_t n = addr_to_sockaddr(&to, &address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, n) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What one exchange with a daemon waits for. */
struct waiting {
	struct event_base *base;
	int64_t patience_ms;
	const bool *gone;
	int fd;
	struct span query;
};

/* Sends until an answer comes: every REPEAT_MS, and more often while the client does not listen yet. */
static void
exchange_run(struct lab_exchange *exchange, const struct waiting *w)
{
	int64_t start = clock_mono_ms(), now = start, next = start, alive = start;

	while (!exchange->done && !*w->gone && now - alive < w->patience_ms) {
		if (now >= next) {
			(void)send(w->fd, w->query.p, w->query.n, 0); /* an error comes back by recv */
			next = now + REPEAT_MS;
		}
		exchange->woken = false;
		lab_exchange_wait(w->base, next - now, &exchange->woken);
		now = clock_mono_ms();
		if (exchange->refused && !exchange->done) {
			exchange->refused = false;
			lab_exchange_wait(w->base, RETRY_START_MS, NULL);
			now = clock_mono_ms();
			if (now - start > START_PATIENCE_MS)
				return;
			alive = next = now; /* its time starts when it listens */
		}
	}
	exchange->ms = exchange->done ? now - alive : -1;
}

void
lab_exchange_daemon(struct lab_exchange *exchange, struct event_base *base, int64_t patience_ms,
		    const char *name, const bool *gone)
{
	struct buf query = buf_max(512);
	struct waiting w = {.base = base, .patience_ms = patience_ms, .gone = gone, .fd = client_socket()};
	struct event *event;

	*exchange = (struct lab_exchange){.ms = -1, .id = (uint16_t)random_u32()};
	event = w.fd >= 0 ? event_new(base, w.fd, EV_READ | EV_PERSIST, exchange_on_answer, exchange) : NULL;
	ask_query_write(&query, exchange->id, name);
	w.query = buf_span(&query);
	if (event != NULL && event_add(event, NULL) == 0)
		exchange_run(exchange, &w);
	if (event != NULL)
		event_free(event);
	if (w.fd >= 0)
		close(w.fd);
	buf_free(&query);
}

struct command_output {
	struct buf text;
	bool done;
};

static void
command_on_output(evutil_socket_t fd, short what, void *arg)
{
	struct command_output *output = arg;
	uint8_t *room = buf_room(&output->text, 4096);
	ssize_t n = room != NULL ? read(fd, room, 4096) : 0;

	(void)what;
	if (n > 0)
		buf_added(&output->text, (size_t)n);
	else
		output->done = n == 0 || (errno != EAGAIN && errno != EINTR);
}

/* Every line of the output that is an IPv4 address is an answer. */
static void
command_addresses(struct asked *asked, const char *text)
{
	const uint8_t servfail = 2;
	char line[ADDR_TEXT_MAX];
	struct addr addr;

	asked->rcode = servfail;
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		if (n < sizeof line) {
			memcpy(line, text, n);
			line[n] = '\0';
			if (addr_read_ip(&addr, line) == RES_OK && addr.family == ADDR_V4 &&
			    asked->n_a < ASK_RECORDS_MAX) {
				memcpy(asked->a[asked->n_a++], addr.ip, 4);
				asked->rcode = 0;
			}
		}
		text += n + (text[n] == '\n');
	}
}

void
lab_exchange_command(struct lab_exchange *exchange, struct event_base *base,
		     const struct lab_client_about *client, int64_t patience_ms, const char *name)
{
	struct command_output output = {.text = buf_max(COMMAND_OUTPUT_MAX)};
	int64_t start = clock_mono_ms();
	struct event *event;
	const char *text;
	pid_t pid;
	int fd;

	*exchange = (struct lab_exchange){.ms = -1};
	if (lab_client_spawn(&pid, client, "ask", name, &fd, NULL) != RES_OK)
		return;
	event = event_new(base, fd, EV_READ | EV_PERSIST, command_on_output, &output);
	if (event != NULL && event_add(event, NULL) == 0)
		lab_exchange_wait(base, patience_ms, &output.done);
	if (output.done) {
		text = buf_cstr(&output.text);
		exchange->done = true;
		exchange->ms = clock_mono_ms() - start;
		command_addresses(&exchange->asked, text != NULL ? text : "");
	} else {
		(void)kill(pid, SIGKILL);
	}
	if (event != NULL)
		event_free(event);
	close(fd);
	buf_free(&output.text);
}
