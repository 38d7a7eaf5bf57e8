/* ctstub.conf(5) has the options, ranges and defaults of the option table, ctstub(1) has all codes, and every configuration
 * that is shown is valid. */
#include "base/text.h"
#include "config/reader.h"
#include "config/watch_files.h"
#include "resolver/filter.h"
#include "resolver/hosts_table.h"
#include "verify/anchor_limits.h"
#include "verify/ct/ctlogs.h"
#include "verify/disallow.h"
#include "verify/revocation/revocation.h"
#include "verify/x509/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
read_file(const char *name)
{
	const char *top = getenv("srcdir");
	struct buf path = buf_max(4096), text = buf_max(1024 * 1024);
	FILE *f;
	int c;

	buf_format(&path, "%s/%s", top != NULL ? top : ".", name);
	f = fopen(buf_cstr(&path), "r");
	if (f == NULL)
		fail_msg("cannot open %s", buf_cstr(&path));
	while ((c = getc(f)) != EOF)
		buf_u8(&text, (uint8_t)c);
	fclose(f);
	buf_free(&path);
	return buf_take_cstr(&text);
}

/* mdoc's \(dq is a quote, \e a backslash. */
static void
plain(char *s)
{
	char *out = s;

	while (*s != '\0') {
		if (strncmp(s, "\\(dq", 4) == 0) {
			*out++ = '"';
			s += 4;
		} else if (strncmp(s, "\\e", 2) == 0) {
			*out++ = '\\';
			s += 2;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

static enum section
section_of(const char *heading)
{
	char want[64];

	for (unsigned i = 1; i < SECTION_COUNT; i++) {
		(void)snprintf(want, sizeof want, ".Ss The %s section", section_names[i]);
		if (strcmp(heading, want) == 0)
			return (enum section)i;
	}
	return SECTION_TOP;
}

static void
every_option_is_in_the_manual_with_its_default(void **state)
{
	char *text = read_file("config/ctstub.conf.5"), *rest = text, *line;
	bool seen[OPTION_COUNT] = {false};
	enum section section = SECTION_TOP;

	(void)state;
	while ((line = strsep(&rest, "\n")) != NULL) {
		static const char item[] = ".It Ic ", is[] = " No = Li ";
		const struct option_row *o;
		char *fallback;

		if (strncmp(line, ".Ss ", 4) == 0)
			section = section_of(line);
		if (strncmp(line, item, sizeof item - 1) != 0)
			continue;
		fallback = strstr(line, is);
		if (fallback == NULL)
			fail_msg("an option without its default: %s", line);
		*fallback = '\0';
		fallback += sizeof is - 1;
		plain(fallback);
		o = option_find(section, line + sizeof item - 1);
		if (o == NULL)
			fail_msg("the manual has an option %s that is not in section \"%s\"", line, section_names[section]);
		if (strcmp(o->fallback, fallback) != 0)
			fail_msg("%s: the manual says %s, the table %s", o->name, fallback, o->fallback);
		assert_false(seen[o->id]);
		seen[o->id] = true;
	}
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (!seen[i])
			fail_msg("%s of section \"%s\" is not in the manual", option_table[i].name,
			    section_names[option_table[i].section]);
	free(text);
}

/* "1 to 64", as errors show it; for a list, the number of its values. False: the option has no range of its own. */
static bool
range_put(struct buf *out, const struct option_row *o)
{
	char least[TIME_TEXT_MAX], most[TIME_TEXT_MAX];

	switch (o->kind) {
	case KIND_COUNT:
	case KIND_PORT:
		buf_format(out, "%lld to %lld\n", (long long)o->least, (long long)o->most);
		return true;
	case KIND_DURATION:
		buf_format(out, "%s to %s\n", duration_text(o->least, least), duration_text(o->most, most));
		return true;
	case KIND_SIZE:
		buf_format(out, "%s to %s\n", size_text((uint64_t)o->least, least), size_text((uint64_t)o->most, most));
		return true;
	case KIND_STRINGS:
	case KIND_ADDRESSES:
		buf_format(out, "%lld to %lld values\n", (long long)o->least, (long long)o->most);
		return o->most != CONFIG_LIST_MAX;
	case KIND_BOOL:
	case KIND_WORD:
	case KIND_STRING:
		break;
	}
	return false;
}

#define MIB (1024 * 1024)

static void
every_range_is_in_the_manual(void **state)
{
	char *text = read_file("config/ctstub.conf.5"), *ranges = strstr(text, "\n.Ss Ranges\n"), *end, limits[512];
	size_t rows = 0, items = 0;

	(void)state;
	assert_non_null(ranges);
	end = strstr(ranges, "\n.Sh ");
	assert_non_null(end);
	*end = '\0';
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *o = &option_table[i];
		struct buf item = buf_max(512);

		buf_format(&item, "\n.It Li %s%s%s\n", section_names[o->section], o->section == SECTION_TOP ? "" : ".", o->name);
		if (range_put(&item, o) && ++rows > 0 && strstr(ranges, buf_cstr(&item)) == NULL)
			fail_msg("the manual lacks %s", buf_cstr(&item));
		buf_free(&item);
	}
	for (const char *s = ranges; (s = strstr(s, "\n.It Li ")) != NULL; s++)
		items++;
	assert_int_equal(items, rows);
	(void)snprintf(limits, sizeof limits,
	    "All other lists have at most %d values, and strings %d bytes.\n"
	    "A file has at most %d MiB; a list of CT logs or a\n.Ic watch-file\n%d MiB, trust anchors or a hosts file %d MiB, disallow entries, a\n"
	    ".Ic known-file\nor CRLs %d MiB, and a block list %d MiB.\n"
	    "There may be %d upstreams, %d forwards and %d files in\n",
	    CONFIG_LIST_MAX, CONFIG_STRING_MAX, CONFIG_FILE_MAX / MIB, CTLOGS_FILE_MAX / MIB, TRUST_FILE_MAX / MIB, DISALLOW_FILE_MAX / MIB,
	    FILTER_FILE_MAX / MIB, CONFIG_UPSTREAMS_MAX, CONFIG_FORWARDS_MAX, CONFIG_FILES_MAX);
	assert_int_equal(ANCHOR_LIMITS_FILE_MAX, CONFIG_FILE_MAX);
	assert_int_equal(WATCH_FILE_MAX, CTLOGS_FILE_MAX);
	assert_int_equal(HOSTS_FILE_MAX, TRUST_FILE_MAX);
	assert_int_equal(CRL_FILE_MAX, DISALLOW_FILE_MAX);
	if (strstr(ranges, limits) == NULL)
		fail_msg("the manual lacks: %s", limits);
	free(text);
}

/* Is it an argument of a macro, as in ".Li word"? In prose it may mean something else, or be part of another word. */
static bool
is_marked_up(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL; at += n) {
		const char *line = at;

		while (line > text && line[-1] != '\n')
			line--;
		if (*line == '.' && (at[-1] == ' ' || strncmp(at - 4, "\\(dq", 4) == 0) && strchr(" \n\\", at[n]) != NULL)
			return true;
	}
	return false;
}

static void
every_word_of_a_choice_is_in_the_manual(void **state)
{
	char *text = read_file("config/ctstub.conf.5");

	(void)state;
	for (size_t i = 0; i < OPTION_COUNT; i++)
		for (const char *const *w = form_words(option_table[i].form); w != NULL && *w != NULL; w++)
			if (!is_marked_up(text, *w))
				fail_msg("%s: the manual lacks \"%s\"", option_table[i].name, *w);
	free(text);
}

/* The section that a line of a configuration opens or is inside of. */
static enum section
section_after(enum section now, const char *line)
{
	char head[32];

	if (*line == '}')
		return SECTION_TOP;
	for (unsigned i = 1; i < SECTION_COUNT; i++) {
		(void)snprintf(head, sizeof head, "%s ", section_names[i]);
		if (strncmp(line, head, strlen(head)) == 0 && line[strlen(line) - 1] == '{')
			return (enum section)i;
	}
	return now;
}

/* An option that must be set has no default to show. */
static bool
is_required(const struct option_row *o)
{
	return o->id == OPTION_ADDRESS || o->id == OPTION_FORWARD_UPSTREAM;
}

/* "name = default", after '#' unless it is required. */
static void
option_is_shown(bool seen[OPTION_COUNT], enum section section, char *line)
{
	char *is = strstr(line, " = ");
	bool off = *line == '#';
	const struct option_row *o;

	if (is == NULL || strncmp(line, "# ", 2) == 0)
		return;
	*is = '\0';
	o = option_find(section, line + off);
	if (o == NULL)
		fail_msg("the example has an option %s that is not in section \"%s\"", line, section_names[section]);
	if (off == is_required(o) || (off && strcmp(is + 3, o->fallback) != 0))
		fail_msg("%s: the example shows %s, the table %s", line, is + 3, o->fallback);
	assert_false(seen[o->id]);
	seen[o->id] = true;
}

static void
every_option_is_in_the_commented_example_with_its_default(void **state)
{
	char *text = read_file("contrib/examples/ctstub.conf"), *rest = text, *line;
	bool seen[OPTION_COUNT] = {false};
	enum section section = SECTION_TOP;

	(void)state;
	while ((line = strsep(&rest, "\n")) != NULL) {
		line += strspn(line, "\t");
		section = section_after(section, line);
		option_is_shown(seen, section, line);
	}
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (!seen[i])
			fail_msg("%s of section \"%s\" is not in contrib/examples/ctstub.conf", option_table[i].name,
			    section_names[option_table[i].section]);
	free(text);
}

static void
is_configuration(const char *what, struct span text)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;

	if (settings_read_text(&s, what, text, &errors) != RES_OK)
		fail_msg("%s", errors.line[0]);
	settings_free(s);
	config_errors_free(&errors);
}

static void
every_configuration_that_is_shown_is_valid(void **state)
{
	static const char begin[] = ".Bd -literal -offset indent\n";
	char *manual = read_file("config/ctstub.conf.5"), *file = read_file("contrib/ctstub.conf");
	const char *at = strstr(manual, "\n.Sh EXAMPLES\n");
	int examples = 0;

	(void)state;
	assert_non_null(at);
	while ((at = strstr(at, begin)) != NULL) {
		const char *end = strstr(at, ".Ed");

		at += sizeof begin - 1;
		assert_non_null(end);
		is_configuration("manual", span_of(at, (size_t)(end - at)));
		examples++;
	}
	assert_int_equal(examples, 2);
	is_configuration("contrib/ctstub.conf", span_str(file));
	free(manual);
	free(file);
}

static void
is_item(const char *manual, const char *code)
{
	char item[64];

	(void)snprintf(item, sizeof item, "\n.It Li %s\n", code);
	if (strstr(manual, item) == NULL)
		fail_msg("ctstub.1 lacks %s", code);
}

static void
every_reason_and_sct_status_is_in_the_manual(void **state)
{
	char *manual = read_file("cli/ctstub.1");

	(void)state;
#define REASON(id, code, stage, sentence) is_item(manual, code);
#include "verify/reasons.def"
#undef REASON
#define SCT_STATUS(id, code, sentence) is_item(manual, code);
#include "verify/ct/sct_status.def"
#undef SCT_STATUS
	free(manual);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_option_is_in_the_manual_with_its_default),
	    cmocka_unit_test(every_option_is_in_the_commented_example_with_its_default),
	    cmocka_unit_test(every_range_is_in_the_manual),
	    cmocka_unit_test(every_word_of_a_choice_is_in_the_manual),
	    cmocka_unit_test(every_configuration_that_is_shown_is_valid),
	    cmocka_unit_test(every_reason_and_sct_status_is_in_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
