/* What setup plans for each kind of machine, applied in a folder of the test and undone again. */
#include "config.h"

#include "cli/setup/apply.h"

#include "cli/cli.h"
#include "tests/unit/failing_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES_MAX 8

/* apply.c reports through the tool's own function; here the number of reports is what counts. */
static size_t n_complaints;

enum exit_code
cli_complain(enum exit_code code, const char *verb, const char *format, ...)
{
	(void)verb;
	(void)format;
	n_complaints++;
	return code;
}

struct file {
	const char *path, *content; /* a content that begins with "-> " is a link */
};

struct row {
	const char *name;
	struct file before[FILES_MAX];
	struct file after[FILES_MAX]; /* content: what must be in it */
	size_t steps;                 /* of files */
};

#define NM      {"/usr/sbin/NetworkManager", "program"}
#define NM_DIR  {"/etc/NetworkManager/conf.d/.keep", ""}
#define OURS    {"/etc/resolv.conf", "nameserver 127.0.0.1\nnameserver ::1\n"}

static const struct row rows[] = {
    {"a plain file", {{"/etc/resolv.conf", "nameserver 192.0.2.1\n"}}, {OURS}, 1},
    {"no file at all", {{"/etc/hostname", "x\n"}}, {OURS}, 1},
    {"a link to systemd-resolved's stub",
     {{"/etc/resolv.conf", "-> ../run/systemd/resolve/stub-resolv.conf"}},
     {OURS},
     1},
    {"a link to what resolvconf writes",
     {{"/etc/resolv.conf", "-> /run/resolvconf/resolv.conf"}, {"/etc/resolvconf/update.d/libc", "x"}},
     {OURS},
     1},
    {"NetworkManager",
     {NM, NM_DIR, {"/etc/resolv.conf", "nameserver 192.0.2.1\n"}},
     {OURS, {"/etc/NetworkManager/conf.d/zz-ctstub.conf", "dns=none\nsystemd-resolved=false\nrc-manager=unmanaged\n"}},
     2},
    {"dhclient",
     {{"/etc/dhcp/dhclient-enter-hooks.d/debug", "x"}, {"/etc/resolv.conf", "nameserver 192.0.2.1\n"}},
     {OURS, {"/etc/dhcp/dhclient-enter-hooks.d/zz-ctstub", "make_resolv_conf() {\n"}},
     2},
    {"dhcpcd keeps what its file says",
     {{"/etc/dhcpcd.conf", "hostname\n"}, {"/etc/resolv.conf", "nameserver 192.0.2.1\n"}},
     {OURS, {"/etc/dhcpcd.enter-hook", "skip_hooks="}, {"/etc/dhcpcd.conf", "hostname\n"}},
     2},
    {"dhcpcd with a hook of the administrator",
     {{"/etc/dhcpcd.conf", "hostname\n"}, {"/etc/dhcpcd.enter-hook", "echo mine\n"}},
     {OURS, {"/etc/dhcpcd.enter-hook", "echo mine\n"}, {"/etc/dhcpcd.enter-hook", "skip_hooks="}},
     2},
    {"openresolv keeps what its file says",
     {{"/etc/resolvconf.conf", "resolv_conf=/etc/resolv.conf\n"}},
     {OURS, {"/etc/resolvconf.conf", "resolv_conf="}, {"/etc/resolvconf.conf", "\nresolvconf=NO\n"}},
     2},
    {"all mechanisms at once",
     {NM,
      NM_DIR,
      {"/etc/dhcp/dhclient-enter-hooks.d/debug", "x"},
      {"/etc/dhcpcd.conf", "hostname\n"},
      {"/etc/resolvconf.conf", "\n"},
      {"/etc/resolv.conf", "-> /run/NetworkManager/resolv.conf"}},
     {OURS, {"/etc/dhcpcd.enter-hook", "skip_hooks"}, {"/etc/resolvconf.conf", "resolvconf=NO"}},
     5},
};

/* ---- a root folder */

static char root[] = "/tmp/ctstub-test-setup-XXXXXX";

static void
put(const struct file *f)
{
	char path[1024];
	FILE *out;

	(void)snprintf(path, sizeof path, "%s%s", root, f->path);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
	if (strncmp(f->content, "-> ", 3) == 0) {
		assert_int_equal(symlink(f->content + 3, path), 0);
		return;
	}
	out = fopen(path, "w");
	assert_non_null(out);
	(void)fputs(f->content, out);
	assert_int_equal(fclose(out), 0);
}

static void
read_at(struct entry *e, const char *path)
{
	char full[1024];

	(void)snprintf(full, sizeof full, "%s%s", root, path);
	assert_int_equal(entry_read(e, full), RES_OK);
}

static void
root_empty(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s/*", root);
	assert_int_equal(system(command), 0);
}

static void
plan_for(struct plan *plan, struct machine *m)
{
	struct plan_request request = {.server = {"127.0.0.1", "::1"}, .n_server = 2};

	assert_int_equal(machine_look(m, root), RES_OK);
	assert_int_equal(plan_make(plan, m, &request), RES_OK);
}

/* ---- the table */

static void
expect_after(const struct row *row)
{
	for (size_t i = 0; i < FILES_MAX && row->after[i].path != NULL; i++) {
		struct entry e;

		read_at(&e, row->after[i].path);
		assert_int_equal(e.kind, ENTRY_FILE);
		if (strstr(buf_cstr(&e.bytes), row->after[i].content) == NULL)
			fail_msg("%s: %s does not hold \"%s\"", row->name, row->after[i].path, row->after[i].content);
		entry_free(&e);
	}
}

static void
expect_before(const struct row *row, const struct entry *kept)
{
	for (size_t i = 0; i < FILES_MAX && row->before[i].path != NULL; i++) {
		struct entry e;

		read_at(&e, row->before[i].path);
		if (!entry_equal(&e, &kept[i]) || (e.kind == ENTRY_FILE && e.mtime.tv_nsec != kept[i].mtime.tv_nsec))
			fail_msg("%s: %s is not as it was", row->name, row->before[i].path);
		entry_free(&e);
	}
}

static void
keep(const struct row *row, struct entry *kept)
{
	for (size_t i = 0; i < FILES_MAX && row->before[i].path != NULL; i++) {
		put(&row->before[i]);
		read_at(&kept[i], row->before[i].path);
	}
}

static void
every_machine(void **state)
{
	(void)state;
	for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
		struct entry kept[FILES_MAX] = {0};
		struct record record = {.n = 0};
		struct machine m;
		struct plan plan;
		struct plan again;
		struct machine seen;

		root_empty();
		put(&(struct file){"/etc/hostname", "x\n"});
		keep(&rows[r], kept);
		plan_for(&plan, &m);
		assert_int_equal(plan.n, rows[r].steps);
		assert_int_equal(record_merge(&record, &plan), RES_OK);
		assert_true(apply_plan(&plan));
		expect_after(&rows[r]);
		assert_int_equal(apply_drift(&record), 0);
		plan_for(&again, &seen); /* a second run finds nothing to do */
		assert_int_equal(again.n, 0);
		assert_int_equal(apply_undo(&record), 0);
		assert_int_equal(record.n, 0);
		expect_before(&rows[r], kept);
		for (size_t i = 0; i < FILES_MAX; i++)
			entry_free(&kept[i]);
		plan_free(&again);
		machine_free(&seen);
		plan_free(&plan);
		machine_free(&m);
	}
}

static void
links_have_a_step_for_each_manager(void **state)
{
	static const struct {
		const char *name;
		bool with_links, network_manager, networkd, unit_runs;
		size_t files, units; /* steps */
	} links[] = {
	    {"NetworkManager", true, true, false, false, 1, 0},
	    {"systemd-networkd", true, false, true, false, 0, 1},
	    {"both", true, true, true, false, 1, 1},
	    {"systemd-networkd that is followed already", true, false, true, true, 0, 0},
	    {"no manager of links", true, false, false, false, 0, 0},
	    {"links that nobody asked for", false, true, true, false, 0, 0},
	};

	(void)state;
	root_empty();
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		const struct machine m = {.root = root,
					  .network_manager = links[i].network_manager,
					  .networkd_runs = links[i].networkd,
					  .links_unit_runs = links[i].unit_runs};
		const struct plan_request request = {.with_links = links[i].with_links, .hook = "#!/bin/sh\n"};
		size_t files = 0, units = 0;
		struct plan plan;

		assert_int_equal(plan_make(&plan, &m, &request), RES_OK);
		for (size_t j = 0; j < plan.n; j++) {
			files += strstr(plan.step[j].path, LINKS_HOOK_FILE) != NULL ? 1 : 0;
			units += plan.step[j].kind == STEP_ENABLE && strcmp(plan.step[j].path, LINKS_UNIT) == 0 ? 1 : 0;
		}
		if (files != links[i].files || units != links[i].units)
			fail_msg("%s: %zu files, %zu units", links[i].name, files, units);
		plan_free(&plan);
	}
}

static void
a_file_that_changed_since_is_left_alone(void **state)
{
	struct record record = {.n = 0};
	struct machine m;
	struct plan plan;
	struct entry e;

	(void)state;
	root_empty();
	put(&(struct file){"/etc/resolv.conf", "nameserver 192.0.2.1\n"});
	put(&(struct file){"/etc/dhcpcd.conf", "hostname\n"});
	plan_for(&plan, &m);
	assert_int_equal(record_merge(&record, &plan), RES_OK);
	assert_true(apply_plan(&plan));
	put(&(struct file){"/etc/resolv.conf", "nameserver 192.0.2.99\n"});
	n_complaints = 0;
	assert_int_equal(apply_drift(&record), 1);
	assert_int_equal(apply_undo(&record), 1);
	assert_int_equal(n_complaints, 2);
	assert_int_equal(record.n, 1);
	read_at(&e, "/etc/resolv.conf");
	assert_string_equal(buf_cstr(&e.bytes), "nameserver 192.0.2.99\n");
	entry_free(&e);
	read_at(&e, "/etc/dhcpcd.enter-hook");
	assert_int_equal(e.kind, ENTRY_ABSENT);
	entry_free(&e);
	record_free(&record);
	plan_free(&plan);
	machine_free(&m);
}

static void
a_second_setup_keeps_the_original_state(void **state)
{
	struct record record = {.n = 0};
	struct machine m;
	struct plan plan;
	struct entry e;

	(void)state;
	root_empty();
	put(&(struct file){"/etc/resolv.conf", "nameserver 192.0.2.1\n"});
	plan_for(&plan, &m);
	assert_int_equal(record_merge(&record, &plan), RES_OK);
	assert_true(apply_plan(&plan));
	plan_free(&plan);
	machine_free(&m);
	put(&(struct file){"/etc/resolv.conf", "nameserver 192.0.2.99\n"}); /* somebody wrote over it */
	plan_for(&plan, &m);
	assert_int_equal(plan.n, 1);
	assert_int_equal(record_merge(&record, &plan), RES_OK);
	assert_int_equal(record.n, 1);
	assert_true(apply_plan(&plan));
	assert_int_equal(apply_undo(&record), 0);
	read_at(&e, "/etc/resolv.conf");
	assert_string_equal(buf_cstr(&e.bytes), "nameserver 192.0.2.1\n");
	entry_free(&e);
	plan_free(&plan);
	machine_free(&m);
}

/* ---- the record on disk */

static void
state_path(char out[1024], const char *name)
{
	(void)snprintf(out, 1024, "%s/state%s", root, name);
}

static void
record_made(struct record *record, struct plan *plan, struct machine *m)
{
	char path[1024];

	root_empty();
	state_path(path, "");
	assert_int_equal(mkdir(path, 0755), 0);
	put(&(struct file){"/etc/resolv.conf", "-> ../run/systemd/resolve/stub-resolv.conf"});
	put(&(struct file){"/etc/dhcpcd.conf", "binary \001\377 text\n"});
	plan_for(plan, m);
	*record = (struct record){.n = 0};
	assert_int_equal(record_merge(record, plan), RES_OK);
}

static void
the_record_comes_back_as_it_was(void **state)
{
	struct record record, back;
	struct machine m;
	struct plan plan;
	char path[1024], *why = NULL;

	(void)state;
	record_made(&record, &plan, &m);
	state_path(path, "");
	assert_int_equal(setup_record_read(&back, path, &why), RES_NOT_FOUND);
	record.change[record.n++] = (struct change){.kind = STEP_ENABLE, .path = LINKS_UNIT};
	record.change[record.n++] = (struct change){.kind = STEP_SERVICE, .path = "x.service", .enabled = true, .idle = true};
	assert_int_equal(record_write(&record, path, &why), RES_OK);
	assert_int_equal(setup_record_read(&back, path, &why), RES_OK);
	assert_int_equal(back.n, record.n);
	for (size_t i = 0; i < back.n; i++) {
		assert_int_equal(back.change[i].kind, record.change[i].kind);
		assert_string_equal(back.change[i].path, record.change[i].path);
		assert_string_equal(back.change[i].after, record.change[i].after);
		assert_true(entry_equal(&back.change[i].before, &record.change[i].before));
		assert_true(span_equal(buf_span(&back.change[i].before.xattrs), buf_span(&record.change[i].before.xattrs)));
		assert_int_equal(back.change[i].enabled, record.change[i].enabled);
		assert_int_equal(back.change[i].idle, record.change[i].idle);
	}
	assert_int_equal(record_remove(path, &why), RES_OK);
	record_free(&record);
	assert_int_equal(setup_record_read(&record, path, &why), RES_NOT_FOUND);
	record_free(&back);
	plan_free(&plan);
	machine_free(&m);
}

/* What a record lacks would be written over what was there before. */
static void
a_record_is_whole_or_not_written_when_memory_ends(void **state)
{
	struct record record = {.n = 1}, back;
	struct entry *before = &record.change[0].before;
	char path[1024], *why;
	size_t allocations = 1, refused = 0;

	(void)state;
	root_empty();
	state_path(path, "");
	assert_int_equal(mkdir(path, 0755), 0);
	record.change[0] = (struct change){.kind = STEP_FILE, .path = "/etc/resolv.conf",
	    .before = {.kind = ENTRY_FILE, .mode = 0644, .bytes = buf_max(1024), .xattrs = buf_max(1024)}};
	buf_text(&before->bytes, "nameserver 192.0.2.1\n");
	buf_put(&before->xattrs, span_of("user.note\0\0\0\0\4mine", 18));
	for (size_t k = 1; k <= allocations; k++) {
		enum res res;

		why = NULL;
		failing_alloc_begin(k);
		res = record_write(&record, path, &why);
		allocations = failing_alloc_end();
		free(why);
		refused += res != RES_OK;
		if (res != RES_OK)
			continue;
		assert_int_equal(setup_record_read(&back, path, &why), RES_OK);
		if (!entry_equal(&back.change[0].before, before) ||
		    !span_equal(buf_span(&back.change[0].before.xattrs), buf_span(&before->xattrs)))
			fail_msg("allocation %zu of %zu", k, allocations);
		record_free(&back);
	}
	assert_true(refused > 0);
	record_free(&record);
}

static void
a_record_that_others_may_write_is_refused(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		const char *content; /* NULL: as written */
	} broken[] = {
	    {"a folder that the group may write", 0770, NULL},
	    {"a folder that all may write", 0707, NULL},
	    {"no JSON", 0700, "{"},
	    {"no list", 0700, "{\"changes\": 1}"},
	    {"a change without a path", 0700, "{\"changes\": [{\"kind\": \"file\"}]}"},
	    {"an empty file", 0700, ""},
	    {"a record without a version", 0700, "{\"changes\": []}"},
	    {"a record of a newer ctstub", 0700, "{\"version\": 2, \"changes\": []}"},
	};
	struct record record, back;
	struct machine m;
	struct plan plan;
	char path[1024], folder[1024], *why = NULL;

	(void)state;
	record_made(&record, &plan, &m);
	state_path(path, "");
	state_path(folder, "/setup");
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		assert_int_equal(record_write(&record, path, &why), RES_OK);
		if (broken[i].content != NULL)
			put(&(struct file){"/state/setup/record.json", broken[i].content});
		assert_int_equal(chmod(folder, broken[i].mode), 0);
		why = NULL;
		if (setup_record_read(&back, path, &why) == RES_OK)
			fail_msg("%s: taken", broken[i].name);
		assert_non_null(why);
		assert_int_equal(back.n, 0);
		free(why);
		assert_int_equal(chmod(folder, 0700), 0);
	}
	record_free(&record);
	plan_free(&plan);
	machine_free(&m);
}

/* Undo of a machine with one change, /etc/resolv.conf, which was a file before. */
static void
changed_and_undone(void (*meddle)(const char *path), size_t want_left)
{
	struct record record = {.n = 0};
	struct machine m;
	struct plan plan;
	struct entry before, after;
	char path[1024];

	root_empty();
	put(&(struct file){"/etc/resolv.conf", "nameserver 192.0.2.1\n"});
	(void)snprintf(path, sizeof path, "%s/etc/resolv.conf", root);
	(void)setxattr(path, "user.note", "mine", 4, 0);
	assert_int_equal(entry_read(&before, path), RES_OK);
	plan_for(&plan, &m);
	assert_int_equal(record_merge(&record, &plan), RES_OK);
	assert_true(apply_plan(&plan));
	if (meddle != NULL)
		meddle(path);
	assert_int_equal(apply_undo(&record), want_left);
	assert_int_equal(entry_read(&after, path), RES_OK);
	if (want_left == 0) {
		assert_true(entry_equal(&before, &after));
		assert_memory_equal(&before.mtime, &after.mtime, sizeof before.mtime);
		assert_true(span_equal(buf_span(&before.xattrs), buf_span(&after.xattrs)));
	}
	entry_free(&before);
	entry_free(&after);
	record_free(&record);
	plan_free(&plan);
	machine_free(&m);
}

static void
delete_it(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void
close_it(const char *path)
{
	assert_int_equal(chmod(path, 0600), 0);
}

static void
make_it_a_link(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
}

static void
undo_restores_what_nobody_changed_since(void **state)
{
	(void)state;
	changed_and_undone(NULL, 0);
	changed_and_undone(delete_it, 0);
	changed_and_undone(close_it, 1);
	changed_and_undone(make_it_a_link, 1);
}

static void
a_link_comes_back_with_its_time(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000000000, .tv_nsec = 5}, {.tv_sec = 1000000000, .tv_nsec = 5}};
	struct entry before, after;
	char path[1024];

	(void)state;
	root_empty();
	put(&(struct file){"/etc/resolv.conf", "-> nowhere"});
	(void)snprintf(path, sizeof path, "%s/etc/resolv.conf", root);
	assert_int_equal(utimensat(AT_FDCWD, path, old, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(entry_read(&before, path), RES_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(entry_write(path, &before), RES_OK);
	assert_int_equal(entry_read(&after, path), RES_OK);
	assert_true(entry_equal(&before, &after));
	assert_int_equal(after.mtime.tv_sec, 1000000000);
	assert_int_equal(after.mtime.tv_nsec, 5);
	entry_free(&before);
	entry_free(&after);
}

static int
make_root(void **state)
{
	(void)state;
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int
remove_root(void **state)
{
	(void)state;
	root_empty();
	return rmdir(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_machine),
	    cmocka_unit_test(links_have_a_step_for_each_manager),
	    cmocka_unit_test(a_file_that_changed_since_is_left_alone),
	    cmocka_unit_test(a_second_setup_keeps_the_original_state),
	    cmocka_unit_test(the_record_comes_back_as_it_was),
	    cmocka_unit_test(a_record_is_whole_or_not_written_when_memory_ends),
	    cmocka_unit_test(a_record_that_others_may_write_is_refused),
	    cmocka_unit_test(undo_restores_what_nobody_changed_since),
	    cmocka_unit_test(a_link_comes_back_with_its_time),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
