/* The addresses of an installed ctstubd.socket, and how they are compared with `listen`. */
#include "config/reader.h"
#include "resolver/daemon/socket_unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOTH(a) "ListenDatagram=" a "\nListenStream=" a "\n"
#define OURS    "[Socket]\n" BOTH("127.0.0.1:53") BOTH("[::1]:53")
#define LOOPS   "udp+tcp 127.0.0.1:53, udp+tcp [::1]:53"

/* A file in one of three folders, the first the strongest; NULL: a link to /dev/null. */
struct file {
	const char *name, *text;
};

static const struct {
	const char *what;
	struct file file[4];
	const char *expected; /* the addresses; "none": not installed or masked; "?...": what is wrong */
} rows[] = {
    {"the unit as it is installed", {{"3/ctstubd.socket", OURS}}, LOOPS},
    {"no unit", {{"3/other.socket", OURS}}, "none"},
    {"a unit of the administrator", {{"1/ctstubd.socket", "[Socket]\n" BOTH("127.0.0.1:5353")}, {"3/ctstubd.socket", OURS}},
     "udp+tcp 127.0.0.1:5353"},
    {"a masked unit", {{"1/ctstubd.socket", NULL}, {"3/ctstubd.socket", OURS}}, "none"},
    {"an empty unit masks as well", {{"2/ctstubd.socket", ""}, {"3/ctstubd.socket", OURS}}, "none"},
    {"a drop-in adds", {{"3/ctstubd.socket", OURS}, {"1/ctstubd.socket.d/a.conf", "[Socket]\n" BOTH("192.0.2.1:53")}},
     LOOPS ", udp+tcp 192.0.2.1:53"},
    {"a drop-in clears the list and sets another", {{"3/ctstubd.socket", OURS}, {"1/ctstubd.socket.d/a.conf", "[Socket]\nListenStream=\n" BOTH("127.0.0.1:54")}},
     "udp+tcp 127.0.0.1:54"},
    {"any empty Listen option clears the list", {{"3/ctstubd.socket", OURS "ListenFIFO=\n"}}, ""},
    {"drop-ins come in the order of their names, from all folders",
     {{"3/ctstubd.socket", OURS}, {"3/ctstubd.socket.d/20.conf", "[Socket]\nListenStream=\n"}, {"1/ctstubd.socket.d/10.conf", "[Socket]\n" BOTH("127.0.0.1:55")}}, ""},
    {"of two drop-ins with one name the first folder wins",
     {{"3/ctstubd.socket", OURS}, {"3/ctstubd.socket.d/a.conf", "[Socket]\nListenStream=\n"}, {"1/ctstubd.socket.d/a.conf", "# nothing\n"}}, LOOPS},
    {"a masked drop-in", {{"3/ctstubd.socket", OURS}, {"3/ctstubd.socket.d/a.conf", "[Socket]\nListenStream=\n"}, {"1/ctstubd.socket.d/a.conf", NULL}}, LOOPS},
    {"a drop-in of all socket units", {{"3/ctstubd.socket", OURS}, {"1/socket.d/a.conf", "[Socket]\nListenStream=\n"}}, ""},
    {"a file that is no drop-in", {{"3/ctstubd.socket", OURS}, {"1/ctstubd.socket.d/a.conf~", "[Socket]\nListenStream=\n"}}, LOOPS},
    {"one transport alone", {{"3/ctstubd.socket", "[Socket]\nListenDatagram=127.0.0.1:53\n"}}, "udp 127.0.0.1:53"},
    {"comments, blanks, other sections and other options",
     {{"3/ctstubd.socket", "# x\n; x\n[Unit]\nListenStream=1.2.3.4:5\n[Socket]\nBacklog=5\n \tListenStream =\t127.0.0.1:53 \n"}}, "tcp 127.0.0.1:53"},
    {"a value over two lines", {{"3/ctstubd.socket", "[Socket]\nListenStream= \\\n  127.0.0.1:53\n"}}, "tcp 127.0.0.1:53"},
    {"a port alone is every address", {{"3/ctstubd.socket", "[Socket]\nListenStream=53\n"}}, "tcp [::]:53"},
    {"a path is no address", {{"3/ctstubd.socket", "[Socket]\nListenStream=/run/x\n"}}, "?ctstubd.socket: an address with a port was expected instead of \"/run/x\""},
    {"a specifier", {{"3/ctstubd.socket", "[Socket]\nListenStream=%i:53\n"}}, "?instead of \"%i:53\""},
    {"an address without a port", {{"3/ctstubd.socket", "[Socket]\nListenStream=127.0.0.1\n"}}, "?instead of \"127.0.0.1\""},
    {"an invalid value in a drop-in is reported with its file", {{"3/ctstubd.socket", OURS}, {"1/ctstubd.socket.d/a.conf", "[Socket]\nListenStream=x\n"}}, "?a.conf: an address"},
};

static char folder[] = "/tmp/ctstub-unit-XXXXXX";
static char folders_text[3][64];
static const char *const folders[] = {folders_text[0], folders_text[1], folders_text[2], NULL};

static void
file_write(const struct file *f)
{
	char path[256], *slash;
	FILE *out;

	(void)snprintf(path, sizeof path, "%s/%s", folder, f->name);
	for (slash = path + sizeof folder; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
		*slash = '\0';
		(void)mkdir(path, 0755);
	}
	if (f->text == NULL) {
		assert_int_equal(symlink("/dev/null", path), 0);
		return;
	}
	out = fopen(path, "w");
	assert_non_null(out);
	(void)fputs(f->text, out);
	(void)fclose(out);
	assert_int_equal(chmod(path, 0644), 0);
}

static void
folder_new(void)
{
	memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	for (unsigned i = 0; i < 3; i++) {
		(void)snprintf(folders_text[i], sizeof folders_text[i], "%s/%u", folder, i + 1);
		assert_int_equal(mkdir(folders_text[i], 0755), 0);
	}
}

static void
folder_remove(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void
addresses_of_the_unit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct held_sockets held;
		struct buf seen = buf_max(4096);
		char text[ADDR_TEXT_MAX], *why = NULL;
		const char *expected = rows[i].expected;
		enum res res;

		folder_new();
		for (size_t k = 0; k < 4 && rows[i].file[k].name != NULL; k++)
			file_write(&rows[i].file[k]);
		res = socket_unit_read(&held, folders, &why);
		for (size_t k = 0; res == RES_OK && k < held.n; k++)
			buf_format(&seen, "%s%s%s%s %s", k > 0 ? ", " : "", held.v[k].udp ? "udp" : "", held.v[k].udp && held.v[k].tcp ? "+" : "",
				   held.v[k].tcp ? "tcp" : "", addr_text(&held.v[k].addr, text));
		if (res == RES_NOT_FOUND)
			buf_text(&seen, "none");
		if (res != RES_OK && res != RES_NOT_FOUND)
			buf_format(&seen, "?%s", why != NULL ? why : "");
		if (expected[0] == '?' ? strstr(buf_cstr(&seen), expected + 1) == NULL : strcmp(buf_cstr(&seen), expected) != 0)
			fail_msg("%s: %s instead of %s", rows[i].what, buf_cstr(&seen), expected);
		free(why);
		buf_free(&seen);
		folder_remove();
	}
}

static void
drop_ins_are_bounded(void **state)
{
	struct held_sockets held;
	char *why = NULL, name[64];

	(void)state;
	folder_new();
	file_write(&(struct file){"1/ctstubd.socket", OURS});
	for (unsigned i = 0; i <= SOCKET_UNIT_DROP_INS; i++) {
		(void)snprintf(name, sizeof name, "2/ctstubd.socket.d/%u.conf", i);
		file_write(&(struct file){name, "[Socket]\n"});
	}
	assert_int_equal(socket_unit_read(&held, folders, &why), RES_LIMIT);
	assert_non_null(strstr(why, "more drop-ins"));
	free(why);
	folder_remove();
}

/* ---- compared with `listen` */

static const struct {
	const char *what, *unit, *listen;
	bool without_ipv6;
	const char *error[3];
} pairs[] = {
    {"the same", OURS, "listen = {\"127.0.0.1:53\", \"[::1]:53\"}", false, {NULL}},
    {"the same in another order", OURS, "listen = {\"[::1]:53\", \"127.0.0.1:53\"}", false, {NULL}},
    {"the defaults", OURS, "", false, {NULL}},
    {"no socket at all", "[Socket]\n", "", false, {NULL}},
    {"another port", OURS, "\nlisten = {\"127.0.0.1:5353\", \"[::1]:53\"}", false,
     {"f:2: listen has 127.0.0.1:5353, and ctstubd.socket does not listen there, the same addresses were expected",
      "f:2: ctstubd.socket listens on 127.0.0.1:53, and listen does not have it"}},
    {"an address that listen lacks", OURS, "listen = {\"127.0.0.1:53\"}", false, {"f:1: ctstubd.socket listens on [::1]:53, and listen"}},
    {"an address that the unit lacks", "[Socket]\n" BOTH("127.0.0.1:53"), "", false, {"listen has [::1]:53, and ctstubd.socket does not listen there"}},
    {"that address, where there is no IPv6", "[Socket]\n" BOTH("127.0.0.1:53"), "", true, {NULL}},
    {"another one, where there is no IPv6", "[Socket]\n" BOTH("[::1]:53"), "", true, {"listen has 127.0.0.1:53, and"}},
    {"UDP alone", "[Socket]\n" BOTH("[::1]:53") "ListenDatagram=127.0.0.1:53\n", "", false, {"listen has 127.0.0.1:53, and ctstubd.socket does not listen there over TCP"}},
    {"TCP alone", "[Socket]\n" BOTH("[::1]:53") "ListenStream=127.0.0.1:53\n", "", false, {"does not listen there over UDP"}},
};

static void
a_difference_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct config_errors errors = {0};
		struct held_sockets held;
		struct settings *s = NULL;
		char *why = NULL;
		size_t n = 0;

		assert_int_equal(settings_read_text(&s, "f", span_str(pairs[i].listen), &errors), RES_OK);
		folder_new();
		file_write(&(struct file){"1/ctstubd.socket", pairs[i].unit});
		assert_int_equal(socket_unit_read(&held, folders, &why), RES_OK);
		folder_remove();
		held.without_ipv6 = pairs[i].without_ipv6;
		if (held_matches(&held, s, &errors) != (pairs[i].error[0] == NULL))
			fail_msg("%s: %zu errors", pairs[i].what, errors.n);
		while (n < errors.n && n < 3 && pairs[i].error[n] != NULL && strstr(errors.line[n], pairs[i].error[n]) != NULL)
			n++;
		if (n != errors.n || (n < 3 && pairs[i].error[n] != NULL))
			fail_msg("%s: error %zu is %s", pairs[i].what, n, n < errors.n ? errors.line[n] : "missing");
		config_errors_free(&errors);
		settings_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_of_the_unit),
	    cmocka_unit_test(drop_ins_are_bounded),
	    cmocka_unit_test(a_difference_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
