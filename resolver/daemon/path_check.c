#include "config.h"

#include "resolver/daemon/path_check.h"

#include "base/sandbox/sandbox.h"
#include "config/named_paths.h"
#include "resolver/daemon/portal_reach.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192 /* of the child: a path of the longest, and a sentence */

void
path_check(const struct settings *s, struct config_errors *warnings)
{
	const char *portal = portal_reach_trouble(s, 0);

	named_paths_check(s, NULL, warnings);
	if (portal != NULL)
		config_errors_add(
		    warnings, s->set_at[OPTION_PORTAL_SOCKET],
		    "option \"socket\" of section \"portal\": cannot use %s: %s, so no portal window can "
		    "open (is ctstub-portal.socket enabled?)",
		    s->portal_socket, portal);
}

/* ---- as the daemon's user */

/* In the child: the lines go to the pipe. */
static void
child_look(const struct settings *s, int to)
{
	struct config_errors found = {0};
	char *why = NULL;

	if (sandbox_drop(s->user, &why) != RES_OK)
		_exit(1);
	named_paths_check(s, s->user, &found);
	for (size_t i = 0; i < found.n; i++)
		(void)dprintf(to, "%s\n", found.line[i]);
	_exit(0);
}

/* A path with a line feed in it is no line of its own: it is shown in two. */
static void
child_lines_take(int from, struct config_errors *warnings)
{
	FILE *in = fdopen(from, "r");
	char line[LINE_MAX_BYTES];

	while (in != NULL && fgets(line, sizeof line, in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		config_errors_add(warnings, (struct place){0}, "%s", line);
	}
	if (in != NULL)
		(void)fclose(in);
	else
		(void)close(from);
}

void
path_check_as_user(const struct settings *s, struct config_errors *warnings)
{
	int pair[2];
	pid_t pid;
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0 || s->user[0] == '\0' || sandbox_user(s->user, &uid, &gid) != RES_OK || uid == 0 ||
	    pipe2(pair, O_CLOEXEC) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		child_look(s, pair[1]);
	}
	(void)close(pair[1]);
	child_lines_take(pair[0], warnings);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}
