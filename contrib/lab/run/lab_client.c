#include "config.h"

#include "contrib/lab/run/lab_client.h"

#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADAPTER_OUTPUT_MAX (1024 * 1024)
#define NOT_INSTALLED      77 /* an adapter's exit code for "the client is not here" */

/* In the child: becomes the adapter. */
static void
become(const struct lab_client_about *about, const char *verb, const char *argument, int out)
{
	char *args[] = {(char *)(uintptr_t)about->path, (char *)(uintptr_t)verb, (char *)(uintptr_t)argument,
			NULL};
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0)
		_exit(126);
	if (out >= 0 && (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0))
		_exit(126);
	execv(about->path, args);
	_exit(127);
}

enum res
lab_client_spawn(pid_t *out_pid, const struct lab_client_about *about, const char *verb, const char *argument,
		 int *out_fd, const char *file)
{
	int pipe_fds[2] = {-1, -1}, out = -1;
	pid_t pid;

	if (out_fd != NULL && pipe2(pipe_fds, O_CLOEXEC) < 0)
		return RES_IO;
	if (out_fd != NULL)
		out = pipe_fds[1];
	else if (file != NULL && (out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) < 0)
		return RES_IO;
	pid = fork();
	if (pid == 0)
		become(about, verb, argument, out);
	if (out >= 0)
		close(out);
	if (pid < 0) {
		if (out_fd != NULL)
			close(pipe_fds[0]);
		return RES_IO;
	}
	if (out_fd != NULL)
		*out_fd = pipe_fds[0];
	*out_pid = pid;
	return RES_OK;
}

enum res
lab_client_run(const struct lab_client_about *about, const char *verb, const char *argument, struct buf *out,
	       int *exit_code)
{
	struct buf own = buf_max(ADAPTER_OUTPUT_MAX), *text = out != NULL ? out : &own;
	uint8_t *room;
	ssize_t n = 1;
	int fd, status;
	pid_t pid;
	enum res res = lab_client_spawn(&pid, about, verb, argument, &fd, NULL);

	if (res != RES_OK)
		return res;
	while (n > 0 && (room = buf_room(text, 4096)) != NULL) {
		n = file_read_some(fd, room, 4096);
		if (n > 0)
			buf_added(text, (size_t)n);
	}
	close(fd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return RES_IO;
	*exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	buf_free(&own);
	return RES_OK;
}

/* The value of "key: value" in the adapter's lines. */
static void
value_of(char out[CLIENT_TEXT_MAX], const char *lines, const char *key)
{
	size_t n = strlen(key);

	out[0] = '\0';
	for (const char *line = lines; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) == 0 && line[n] == ':') {
			line += n + 1 + strspn(line + n + 1, " ");
			snprintf(out, CLIENT_TEXT_MAX, "%.*s", (int)strcspn(line, "\n"), line);
			return;
		}
	}
}

static enum res
about_read(struct lab_client_about *about, const char *lines)
{
	char text[CLIENT_TEXT_MAX];

	value_of(about->name, lines, "name");
	value_of(about->version, lines, "version");
	value_of(about->identity, lines, "identity");
	value_of(text, lines, "protocols");
	about->dot = strstr(text, "dot") != NULL;
	about->doh = strstr(text, "doh") != NULL;
	value_of(text, lines, "reasons");
	about->reasons = strcmp(text, "yes") == 0;
	value_of(text, lines, "names");
	about->names = strcmp(text, "yes") == 0;
	value_of(text, lines, "reload");
	about->reload = strcmp(text, "yes") == 0;
	value_of(text, lines, "kind");
	about->kind = strcmp(text, "command") == 0 ? CLIENT_COMMAND : CLIENT_DAEMON;
	return about->name[0] != '\0' && (about->dot || about->doh) && text[0] != '\0' ? RES_OK
										       : RES_MALFORMED;
}

enum res
lab_client_describe(struct lab_client_about *about, const char *adapter, const char *folder)
{
	struct buf text = buf_max(ADAPTER_OUTPUT_MAX);
	char path[FILE_PATH_MAX];
	enum res res;
	int code;

	*about = (struct lab_client_about){.name = ""};
	if (strchr(adapter, '/') != NULL)
		snprintf(path, sizeof path, "%s", adapter);
	else if (lab_path_join(path, folder, adapter) != RES_OK)
		return RES_LIMIT;
	if (realpath(path, about->path) == NULL || access(about->path, X_OK) < 0)
		return RES_NOT_FOUND;
	res = lab_client_run(about, "describe", NULL, &text, &code);
	if (res == RES_OK && code == NOT_INSTALLED)
		res = RES_UNSUPPORTED;
	if (res == RES_OK)
		res =
		    code == 0 && buf_cstr(&text) != NULL ? about_read(about, buf_cstr(&text)) : RES_MALFORMED;
	buf_free(&text);
	return res;
}
