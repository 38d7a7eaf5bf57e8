/* ctstub upstreams: shows every upstream address, and why one is not used. */
#include "cli/control.h"
#include "base/text.h"

#include <stdio.h>

static void
upstream_print(const json_t *u, bool workers)
{
	const json_t *srtt = json_object_get(u, "srtt_us");
	json_t *reason;
	size_t i;

	(void)printf("%-12s %-42s %-3s %-8s", control_text(u, "upstream"), control_text(u, "address"),
		     control_text(u, "protocol"), control_text(u, "health"));
	if (!control_is_null(u, "reason"))
		(void)printf(" %s", control_text(u, "reason"));
	json_array_foreach (json_object_get(u, "would_be_refused"), i, reason) {
		(void)fputs(i == 0 ? " would be refused: " : ", ", stdout);
		control_write(stdout, json_string_value(reason), false);
	}
	if (control_integer(u, "retry_in_ms") > 0)
		(void)printf(" (again in %.1f s)", (double)control_integer(u, "retry_in_ms") / 1000);
	if (json_is_integer(srtt) && json_integer_value(srtt) >= 0)
		(void)printf(" %.1f ms", (double)json_integer_value(srtt) / 1000);
	(void)printf(" %s, %s (%lld resumed), %s", COUNTED(control_integer(u, "answers"), "answer"),
		     COUNTED(control_integer(u, "handshakes"), "handshake"), control_integer(u, "resumed"),
		     control_text(u, "state"));
	if (workers)
		(void)printf(", worker %lld", control_integer(u, "worker"));
	(void)putchar('\n');
}

static void
upstreams_print(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "upstreams");
	bool workers = false;
	size_t i;
	json_t *u;

	json_array_foreach (list, i, u)
		workers |= control_integer(u, "worker") > 0;
	(void)printf("%-12s %-42s %-3s %s\n", "UPSTREAM", "ADDRESS", "VIA",
		     "HEALTH, REASON, ANSWER TIME, COUNTS, CONNECTION");
	json_array_foreach (list, i, u)
		upstream_print(u, workers);
}

enum exit_code
cmd_upstreams(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, 0, 0, &code))
		return code;
	return control_report(&args, argv[0], json_pack("{s:s}", "verb", "upstreams"), upstreams_print);
}
