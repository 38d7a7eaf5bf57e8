/*
 * fuzz_tool.c - ctstub(1) with a hostile daemon: what it prints of an answer from the control socket.
 *
 * The first byte chooses the verb and --json; the rest is the answer. The tool's own code runs, from its arguments to its exit
 * code; only connect() is replaced: the socket is one of a pair whose other end has the answer. Whatever the answer: the exit
 * code is one of the four, and no text on either stream has control characters for a terminal.
 */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX  65536 /* fits into the socket's buffer, so nothing waits */
#define PRINTED_MAX (32 * 1024 * 1024)

static struct span answer;
static int daemon_end = -1;

int __wrap_connect(int fd, const struct sockaddr *, socklen_t);

/* The daemon has answered before it was asked, and closes. */
int
__wrap_connect(int fd, const struct sockaddr *to, socklen_t n)
{
	int pair[2];

	(void)to;
	(void)n;
	check(daemon_end < 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	check(dup2(pair[0], fd) == fd && close(pair[0]) == 0);
	daemon_end = pair[1];
	for (struct span rest = answer; rest.n > 0;) {
		ssize_t sent = send(daemon_end, rest.p, rest.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		rest = span_slice(rest, (size_t)sent, rest.n);
	}
	check(shutdown(daemon_end, SHUT_WR) == 0);
	return 0;
}

/* Lines of well-formed UTF-8 without control characters: colours are added only on a terminal, which this is not. JSON, which
 * is for programs, escapes only those that it must (RFC 8259, 7). */
static void
printed_check(struct span text, bool json)
{
	check(text.n < PRINTED_MAX);
	while (text.n > 0) {
		uint32_t c = 0;
		size_t n = utf8_read(&c, text);

		check(n > 0 && (c == '\n' || (json && c >= 0x20) || !unicode_is_control(c)));
		text = span_slice(text, n, text.n);
	}
}

static enum exit_code
run_verb(uint8_t which)
{
	static const struct {
		enum exit_code (*run)(int, char **);
		const char *words[4];
	} verbs[] = {
	    {cmd_status, {"status"}},
	    {cmd_upstreams, {"upstreams"}},
	    {cmd_stats, {"stats"}},
	    {cmd_stats, {"stats", "--prometheus"}},
	    {cmd_reload, {"reload"}},
	    {cmd_flush, {"flush", "www.example.com"}},
	    {cmd_captive, {"captive", "5m"}},
	    {cmd_log_level, {"log-level", "debug"}},
	};
	char words[8][32], *argv[8];
	int argc = 0;

	(void)snprintf(words[argc++], sizeof words[0], "%s", verbs[which % 8].words[0]);
	(void)snprintf(words[argc++], sizeof words[0], "--socket");
	(void)snprintf(words[argc++], sizeof words[0], "played");
	if (which & 8 && which % 8 != 3) /* --prometheus is a form of its own */
		(void)snprintf(words[argc++], sizeof words[0], "--json");
	for (int i = 1; i < 4 && verbs[which % 8].words[i] != NULL; i++)
		(void)snprintf(words[argc++], sizeof words[0], "%s", verbs[which % 8].words[i]);
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	argv[argc] = NULL;
	optind = 0; /* getopt begins anew */
	return verbs[which % 8].run(argc, argv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	FILE *out = stdout, *err = stderr;
	char *text[2] = {NULL, NULL};
	size_t text_n[2];
	enum exit_code code;

	if (n == 0 || n > ANSWER_MAX)
		return 0;
	answer = span_of(data + 1, n - 1);
	stdout = open_memstream(&text[0], &text_n[0]);
	stderr = open_memstream(&text[1], &text_n[1]);
	check(stdout != NULL && stderr != NULL);
	code = run_verb(data[0]);
	check(fclose(stdout) == 0 && fclose(stderr) == 0);
	stdout = out;
	stderr = err;
	check(code >= EXIT_GOOD && code <= EXIT_TROUBLE);
	check(daemon_end >= 0 && close(daemon_end) == 0);
	daemon_end = -1;
	printed_check(span_of(text[0], text_n[0]), data[0] & 8);
	printed_check(span_of(text[1], text_n[1]), false);
	free(text[0]);
	free(text[1]);
	return 0;
}
