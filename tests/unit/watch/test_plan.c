/* Errors in the watcher's configuration. */
#include "tests/unit/watch/findings_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
errors_of_the_plan_have_their_place(void **state)
{
	static const struct {
		const char *what, *config, *known, *watched, *error;
	} rows[] = {
	    {"a bad item", "watch { watch-file = {\"@D/watched.txt\"} }", "", "1.1.1.1\n*.test\n", "/watched.txt:2: \"*.test\": an address, a prefix"},
	    {"a file that is not there", "watch { watch-file = {\"@D/none.txt\"} }", "", "", "none.txt"},
	    {"a bad known entry", "watch { known-file = {\"@D/known.txt\"} }", "spki-sha256 00\n", "", "/known.txt:1: "},
	    {"a known serial", "watch { known-file = {\"@D/known.txt\"} }", "issuer CN=y\n serial 01 issuer CN=x\n", "",
		"/known.txt:2: an entry by serial, \"cert-sha256\", \"spki-sha256\" or \"issuer\" was expected: any CA can choose a serial"},
	    {"no folder for its state", "state-dir = \"\"", "", "", "option \"state-dir\" is empty, a folder was expected"},
	    {"enforce without anything known", "watch { block = \"enforce\" }", "", "", "upstream \"lab\" has no allow-issuer"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config_errors errors = {0};
		struct watch_plan *plan = NULL;
		struct scene s;
		char path[128], config[512], *text;

		scene_open(&s, "state-dir = \"@D\"\n" PLAIN, rows[i].known);
		scene_file_put(&s, "watched.txt", rows[i].watched);
		(void)snprintf(config, sizeof config, "%s\n" PLAIN "%s\n", strncmp(rows[i].config, "state-dir", 9) == 0 ? "" : "state-dir = \"@D\"",
			       rows[i].config);
		text = scene_fill(&s, config);
		scene_file_put(&s, "bad.conf", text);
		(void)snprintf(path, sizeof path, "%s/bad.conf", s.folder);
		if (watch_plan_read(&plan, path, &errors) == RES_OK)
			fail_msg("%s: taken", rows[i].what);
		if (errors.n != 1 || strstr(errors.line[0], "bad.conf:3: ") == NULL || strstr(errors.line[0], rows[i].error) == NULL)
			fail_msg("%s: %s", rows[i].what, errors.n > 0 ? errors.line[0] : "no error");
		config_errors_free(&errors);
		free(text);
		scene_close(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errors_of_the_plan_have_their_place),
	};

	return cmocka_run_group_tests(tests, scene_group_open, forged_world_close);
}
