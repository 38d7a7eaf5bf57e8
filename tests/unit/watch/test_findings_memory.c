/* Findings without memory, with each allocation failing in turn: nothing that is written lacks a part, and none is lost. */
#include "tests/unit/watch/findings_scene.h"

#include "contrib/watch/block.h"
#include "tests/unit/failing_alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST "list.txt"

static const char config[] = "state-dir = \"@D\"\n" PLAIN;

/* A failed attempt leaves the file as it was. */
static void
a_block_list_gets_all_entries_of_a_finding_or_none(void **state)
{
	struct watch_finding *f;
	struct scene s;
	size_t needed;
	char *why = NULL, *whole, *list;

	(void)state;
	scene_open(&s, config, "");
	f = scene_finding(&s, true);
	f->proven = true;
	failing_alloc_begin(0);
	assert_int_equal(block_add(s.watch, LIST, f, BLOCK_SERIAL | BLOCK_KEY, &why), RES_OK);
	needed = failing_alloc_end();
	assert_true(needed > 3); /* the mark, the entries, the text */
	whole = scene_file_get(&s, LIST);
	assert_int_equal(text_times(whole, "\nserial "), 1);
	assert_int_equal(text_times(whole, "\nspki-sha256 "), 1);
	for (size_t i = 1; i <= needed; i++) {
		enum res res;

		assert_int_equal(unlinkat(s.watch, LIST, 0), 0);
		failing_alloc_begin(i);
		res = block_add(s.watch, LIST, f, BLOCK_SERIAL | BLOCK_KEY, &why);
		(void)failing_alloc_end();
		free(why);
		why = NULL;
		list = scene_file_get(&s, LIST);
		/* an issuer has two forms: without memory it may be bytes instead of text */
		if (res == RES_OK ? text_times(list, "\nserial ") != 1 || text_times(list, "\nspki-sha256 ") != 1
				  : res != RES_NOMEM || *list != '\0')
			fail_msg("allocation %zu of %zu: %s, %s", i, needed, res_text(res), list);
		if (*list == '\0')
			assert_int_equal(block_add(s.watch, LIST, f, BLOCK_SERIAL | BLOCK_KEY, &why), RES_OK);
		free(list);
	}
	free(whole);
	finding_free(f);
	scene_close(&s);
}

static void
only_the_entries_of_one_finding_are_removed(void **state)
{
	static const uint8_t other[FINDING_ID_SIZE] = {1};
	struct watch_finding *f;
	struct scene s;
	size_t needed = 1;
	char *why = NULL, *one, *both, *list;
	bool changed;

	(void)state;
	scene_open(&s, config, "");
	f = scene_finding(&s, true);
	f->proven = true;
	assert_int_equal(block_add(s.watch, LIST, f, BLOCK_SERIAL | BLOCK_KEY, &why), RES_OK);
	one = scene_file_get(&s, LIST);
	memcpy(f->id, other, sizeof f->id);
	assert_int_equal(block_add(s.watch, LIST, f, BLOCK_SERIAL | BLOCK_KEY, &why), RES_OK);
	both = scene_file_get(&s, LIST);
	for (size_t i = 0; i <= needed; i++) { /* 0: none fails */
		enum res res;

		failing_alloc_begin(i);
		res = block_remove(s.watch, LIST, other, &changed, &why);
		if (i == 0)
			needed = failing_alloc_end();
		else
			(void)failing_alloc_end();
		assert_true(res == RES_OK || why != NULL);
		free(why);
		why = NULL;
		list = scene_file_get(&s, LIST);
		if ((res == RES_OK) != changed || strcmp(list, changed ? one : both) != 0 || (i == 0) != changed)
			fail_msg("allocation %zu of %zu: %s, %s", i, needed, res_text(res), list);
		free(list);
		if (changed)
			assert_int_equal(block_add(s.watch, LIST, f, BLOCK_SERIAL | BLOCK_KEY, &why), RES_OK);
	}
	assert_true(needed >= 3); /* the file, the mark, the rest */
	free(one);
	free(both);
	finding_free(f);
	scene_close(&s);
}

/* With the id of a part, the second misbehaviour would count as known. */
static void
the_id_of_a_misbehaviour_is_of_all_its_parts(void **state)
{
	const struct head head = {.size = 1};
	const struct watch_misbehaviour m = {.log = &scene_log, .kind = "head-forked", .text = "two heads", .second = &head};
	struct watch_finding *f, *again;
	size_t needed;

	(void)state;
	failing_alloc_begin(0);
	f = finding_of_log(&m, 0);
	needed = failing_alloc_end();
	assert_non_null(f);
	assert_true(needed > 3);
	for (size_t i = 1; i <= needed; i++) {
		failing_alloc_begin(i);
		again = finding_of_log(&m, 0);
		(void)failing_alloc_end();
		if (again != NULL && memcmp(again->id, f->id, sizeof f->id) != 0)
			fail_msg("allocation %zu of %zu", i, needed);
		finding_free(again);
	}
	finding_free(f);
}

/* Equal but for the time, and for what is shown to people, for which there may be no memory. */
static bool
is_same_finding(const char *a, const char *b)
{
	static const char *const parts[][2] = {{"\"id\":", "\"because\":"}, {"\"log\":", "\"shown\":"}, {"\"precertificate\":", "\n"}};

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		const char *in_a = strstr(a, parts[i][0]), *in_b = strstr(b, parts[i][0]);
		const char *end = in_a != NULL ? strstr(in_a, parts[i][1]) : NULL;

		if (end == NULL || in_b == NULL || strncmp(in_a, in_b, (size_t)(end - in_a) + 1) != 0)
			return false;
	}
	return true;
}

/* Else the entry comes again. */
static void
an_entry_counts_as_seen_when_it_was_recorded_whole(void **state)
{
	(void)state;
	for (int precertificate = 0; precertificate < 2; precertificate++) {
		struct watch_entry e;
		struct scene s;
		size_t needed = 1;
		char *whole = NULL, *record;

		scene_open(&s, config, "");
		e = scene_entry(&s, precertificate, 7);
		for (size_t i = 0; i <= needed; i++) { /* 0: none fails */
			size_t n;
			bool seen;

			scene_start(&s);
			failing_alloc_begin(i);
			seen = watch_entry_seen(s.w, &e);
			n = failing_alloc_end();
			needed = i == 0 ? n : needed;
			scene_kill(&s);
			record = scene_file_get(&s, "findings.jsonl");
			whole = i == 0 ? strdup(record) : whole;
			if (seen ? !is_same_finding(record, whole) : i == 0 || *record != '\0')
				fail_msg("allocation %zu of %zu: %d, %s", i, needed, seen, record);
			free(record);
			assert_int_equal(unlinkat(s.watch, "findings.jsonl", 0), 0);
		}
		assert_true(needed > 10);
		free(whole);
		scene_close(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_block_list_gets_all_entries_of_a_finding_or_none),
	    cmocka_unit_test(only_the_entries_of_one_finding_are_removed),
	    cmocka_unit_test(the_id_of_a_misbehaviour_is_of_all_its_parts),
	    cmocka_unit_test(an_entry_counts_as_seen_when_it_was_recorded_whole),
	};

	return cmocka_run_group_tests(tests, scene_group_open, forged_world_close);
}
