#include "cli/control.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/args.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_RETRY_MS 50

const struct cli_option control_options[] = {
    {"config", 'c', "FILE",
     "the configuration, which names the control socket; the daemon's own\nwithout it"},
    {"socket", CONTROL_OPTION_SOCKET, "PATH", "the control socket"},
    {"json", CONTROL_OPTION_JSON, NULL, "print the daemon's answer as one JSON object, even on failure"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

static enum exit_code
control_find_socket(char out[CONTROL_PATH_MAX], const char *verb, const char *config, const char *given)
{
	struct settings *s = NULL;
	const char *path = given;
	enum exit_code code = EXIT_GOOD;

	/* The file may be broken now; the daemon that read it before may well be running. */
	if (path == NULL)
		code = cli_settings_as_read(&s, verb, config);
	if (s != NULL)
		path = s->control_socket;
	if (code == EXIT_GOOD && (path == NULL || strlen(path) >= CONTROL_PATH_MAX))
		code = cli_complain(EXIT_USAGE, verb, "the path of a control socket was expected");
	if (code == EXIT_GOOD)
		memcpy(out, path, strlen(path) + 1);
	settings_free(s);
	return code;
}

struct control_request {
	struct control_args *args;
	const char *config, *given;
};

static bool
control_take(void *ctx, int id, const char *value)
{
	struct control_request *req = ctx;

	switch (id) {
	case 'c':
		req->config = value;
		break;
	case CONTROL_OPTION_SOCKET:
		req->given = value;
		break;
	case CONTROL_OPTION_JSON:
		req->args->json = true;
		break;
	case CONTROL_OPTION_PROMETHEUS:
		req->args->prometheus = true;
		break;
	case CONTROL_OPTION_WATCH:
		req->args->watch = true;
		break;
	case CONTROL_OPTION_LISTEN:
		req->args->listen = value;
		break;
	}
	return true;
}

bool
control_args_read(struct control_args *args, int argc, char **argv, int least, int most, enum exit_code *code)
{
	struct control_request req = {.args = args};
	const struct args_rules rules = {control_take, &req, least, most};

	*args = (struct control_args){0};
	args->first = args_read(&rules, argv[0], argc, argv, code);
	if (args->first == 0)
		return false;
	args->config = req.config;
	args->other_daemon = req.given != NULL && req.config == NULL;
	*code = control_find_socket(args->socket, argv[0], req.config, req.given);
	return *code == EXIT_GOOD;
}

/* How long is waited for the daemon. */
struct control_wait {
	int64_t until_ms;
	struct control_end *end; /* NULL: nothing ends it before */
};

/* Waits for at most so long until fd (-1: none) is ready. Like poll, but -1 with ECANCELED when the wait is to end. */
static int
control_poll(int fd, short events, int64_t ms, struct control_end *end)
{
	struct pollfd p[] = {{.fd = fd, .events = events},
			     {.fd = end != NULL ? end->fd : -1, .events = POLLIN}};
	int n = poll(p, 2, (int)ms);

	if (n <= 0 || p[0].revents != 0)
		return n;
	end->came = true;
	errno = ECANCELED;
	return -1;
}

/* A daemon that hangs accepts nobody, and calls before this one may have filled its backlog: a blocking connect would then
 * wait for ever. No event tells when there is a place again (connect(2), EAGAIN). */
static int
control_connect(const char *path, const struct control_wait *w)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(sun.sun_path, path, strlen(path) + 1); /* control_find_socket checked its length */
	while (fd >= 0 && connect(fd, (const struct sockaddr *)&sun, sizeof sun) != 0) {
		int error = errno == EAGAIN && clock_mono_ms() >= w->until_ms ? ETIMEDOUT : errno;

		if (error == EAGAIN && control_poll(-1, 0, CONNECT_RETRY_MS, w->end) < 0 && errno != EINTR)
			error = errno;
		if (error == EAGAIN)
			continue;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool
control_wait(int fd, short events, const struct control_wait *w)
{
	int64_t left;

	while ((left = w->until_ms - clock_mono_ms()) > 0) {
		int n = control_poll(fd, events, left, w->end);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	errno = ETIMEDOUT;
	return false;
}

static bool
control_send(int fd, const char *text, const struct control_wait *w)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t sent =
		    control_wait(fd, POLLOUT, w) ? send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;

		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (sent < 0)
			return false;
		text += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Up to the end of the line, or of the connection. */
static bool
control_receive(int fd, struct buf *out, const struct control_wait *w)
{
	for (;;) {
		uint8_t *to = buf_room(out, 65536);
		ssize_t n;

		if (to == NULL) {
			errno = EMSGSIZE;
			return false;
		}
		n = control_wait(fd, POLLIN, w) ? recv(fd, to, 65536, MSG_DONTWAIT) : -1;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return false;
		if (n == 0 || memchr(to, '\n', (size_t)n) != NULL) {
			buf_added(out, (size_t)n);
			errno = ECONNRESET;
			return out->n > 0;
		}
		buf_added(out, (size_t)n);
	}
}

/* Why there is no answer, and what to do where we know. */
static const char *
control_why(int error)
{
	switch (error) {
	case EACCES:
		return "permission denied: run with sudo";
	case ENOENT: /* there is no socket, or nobody behind it */
	case ECONNREFUSED:
		return "it does not run, or its configuration is broken: see `ctstubd -t` and `systemctl "
		       "status "
		       "ctstubd`";
	default:
		return strerror(error);
	}
}

enum res
control_exchange(struct buf *answer, const char *socket, const char *request, struct control_end *end,
		 const char **why)
{
	const struct control_wait wait = {clock_mono_ms() + CONTROL_WAIT_MS, end};
	int fd = control_connect(socket, &wait);
	enum res res = RES_IO;

	*answer = buf_max(CONTROL_ANSWER_MAX);
	if (fd >= 0 && control_send(fd, request, &wait) && control_send(fd, "\n", &wait) &&
	    control_receive(fd, answer, &wait))
		res = RES_OK;
	else
		*why = control_why(errno);
	if (fd >= 0)
		(void)close(fd);
	if (res != RES_OK)
		buf_free(answer);
	return res;
}

/* A list of errors means that the configuration is wrong; else we lack the right, or the daemon could not do it. */
static enum exit_code
control_print_refusal(const char *verb, const json_t *answer)
{
	const json_t *errors = json_object_get(answer, "errors");
	json_t *line;
	size_t i;

	json_array_foreach (errors, i, line)
		if (json_is_string(line))
			control_write_line(stderr, json_string_value(line));
	if (json_array_size(errors) > 0)
		return cli_complain(EXIT_USAGE, verb, "the daemon keeps the configuration that it has");
	return cli_complain(EXIT_TROUBLE, verb, "the daemon refused: %s", control_text(answer, "error"));
}

static enum exit_code
control_print_answer(const struct control_args *args, const char *verb, const struct buf *text,
		     void (*people)(const json_t *answer))
{
	json_t *answer = json_loadb((const char *)text->p, text->n, JSON_DISABLE_EOF_CHECK, NULL);
	bool good = json_is_true(json_object_get(answer, "ok"));
	enum exit_code code = EXIT_GOOD;

	if (!json_is_object(answer)) {
		json_decref(answer);
		return cli_complain(EXIT_TROUBLE, verb, "the daemon's answer is not JSON");
	}
	if (good && args->add != NULL)
		args->add(args, answer);
	if (args->json)
		code = cli_print_json(verb, json_dumps(answer, JSON_COMPACT));
	else if (good)
		people(answer);
	if (!good)
		code = control_print_refusal(verb, answer);
	else if (code == EXIT_GOOD && args->judge != NULL)
		code = args->judge(answer);
	json_decref(answer);
	return code;
}

enum exit_code
control_report(const struct control_args *args, const char *verb, json_t *request,
	       void (*people)(const json_t *answer))
{
	char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
	const char *why = NULL;
	struct buf line = {0};
	enum exit_code code = EXIT_TROUBLE;
	enum res res;
	bool ended;

	json_decref(request);
	if (text == NULL)
		return cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	res = control_exchange(&line, args->socket, text, args->end, &why);
	ended = res != RES_OK && args->end != NULL && args->end->came;
	if (!ended && args->begin != NULL)
		args->begin();
	if (res == RES_OK)
		code = control_print_answer(args, verb, &line, people);
	else if (!ended)
		code = cli_complain(EXIT_TROUBLE, verb, "the daemon does not answer on %s: %s", args->socket,
				    why);
	buf_free(&line);
	free(text);
	return code;
}

/* Takes the next character of well-formed UTF-8 (jansson hands out nothing else), fit for a terminal. Its bytes; 0: none is
 * left. */
static size_t
char_take(struct span *s, char out[4], bool lines)
{
	uint32_t c = 0;
	size_t n = s->n > 0 ? utf8_read(&c, *s) : 0;

	if (n == 0)
		return 0;
	memcpy(out, s->p, n);
	*s = span_slice(*s, n, s->n);
	if (!unicode_is_control(c) || (lines && c == '\n'))
		return n;
	out[0] = '?';
	return 1;
}

void
control_write(FILE *out, const char *text, bool lines)
{
	struct span s = span_str(text);
	char one[4];
	size_t n;

	while ((n = char_take(&s, one, lines)) > 0)
		(void)fwrite(one, 1, n, out);
}

void
control_write_line(FILE *out, const char *text)
{
	control_write(out, text, false);
	(void)fputc('\n', out);
}

const char *
control_shown(const char *text)
{
	static char kept[CONTROL_TEXTS][1024];
	static unsigned turn;
	struct span s = span_str(text);
	char *out = kept[turn++ % CONTROL_TEXTS];
	size_t n = 0, length = 1;

	if (s.p == NULL)
		return "-";
	while (length > 0 && n + 4 < sizeof kept[0]) {
		length = char_take(&s, out + n, false);
		n += length;
	}
	out[n] = '\0';
	return out;
}

const char *
control_text(const json_t *object, const char *key)
{
	return control_shown(json_string_value(json_object_get(object, key)));
}

long long
control_integer(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

bool
control_is_null(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return v == NULL || json_is_null(v);
}
