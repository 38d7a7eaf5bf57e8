#include "config/hints.h"

#include "base/near.h"

#include <string.h>

#define LISTED_MAX 6 /* so many names are shown; of more, the manual has the list */

static unsigned
section_find(const char *name)
{
	for (unsigned section = SECTION_TOP + 1; section < SECTION_COUNT; section++)
		if (strcmp(section_names[section], name) == 0)
			return section;
	return SECTION_COUNT;
}

/* The first section that has an option of that name; SECTION_COUNT: none. */
static unsigned
section_of_option(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strcmp(option_table[i].name, name) == 0)
			return option_table[i].section;
	return SECTION_COUNT;
}

static void
put_section(struct buf *why, unsigned section)
{
	buf_format(why, "%s%s { ... }", section_names[section],
		   section_has_title((enum section)section) ? " \"TITLE\"" : "");
}

/* `, "a", "b" or "c" was expected`; of a long list only where it is written. */
static void
put_known(struct buf *why, enum section section)
{
	size_t n = 0, put = 0;

	for (size_t i = 0; i < OPTION_COUNT; i++)
		n += option_table[i].section == section;
	buf_text(why, ", ");
	for (size_t i = 0; n <= LISTED_MAX && i < OPTION_COUNT; i++)
		if (option_table[i].section == section) {
			buf_format(why, "%s\"%s\"",
				   put == 0       ? ""
				   : put + 1 == n ? " or "
						  : ", ",
				   option_table[i].name);
			put++;
		}
	buf_text(why,
		 n <= LISTED_MAX ? " was expected" : "one of the options in ctstub.conf(5) was expected");
}

/* The nearest option of the section; SECTION_COUNT: of any. NULL: none is near. */
static const struct option_row *
option_near(enum section section, const char *name)
{
	struct near near = near_to(name);
	const struct option_row *found = NULL;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const char *before = near.word;

		if (section == SECTION_COUNT || option_table[i].section == section)
			near_offer(&near, option_table[i].name);
		if (near.word != before)
			found = &option_table[i];
	}
	return found;
}

/* Where an option of exactly that name, or a section, does exist. False: nowhere. */
static bool
put_elsewhere(struct buf *why, enum section section, const char *name)
{
	unsigned other = section_of_option(name), named = section_find(name);

	if (section == SECTION_TOP && named != SECTION_COUNT) {
		buf_format(why, "\"%s\" is a section, not an option: ", name);
		put_section(why, named);
		buf_text(why, " was expected");
		return true;
	}
	if (other == SECTION_COUNT)
		return false;
	if (other == SECTION_TOP) {
		buf_format(
		    why,
		    "option \"%s\" does not belong to section \"%s\", it was expected outside all sections",
		    name, section_names[section]);
		return true;
	}
	buf_format(why, "option \"%s\" does not belong %s%s%s, it was expected inside ", name,
		   section == SECTION_TOP ? "outside sections" : "to section \"", section_names[section],
		   section == SECTION_TOP ? "" : "\"");
	put_section(why, other);
	return true;
}

/* `ct.mode`, as the manual and our messages name an option of a section. False: it is none of them. */
static bool
put_dotted(struct buf *why, const char *name)
{
	const char *dot = strchr(name, '.');

	for (unsigned s = SECTION_TOP + 1; dot != NULL && s < SECTION_COUNT; s++)
		if (strlen(section_names[s]) == (size_t)(dot - name) &&
		    strncmp(name, section_names[s], (size_t)(dot - name)) == 0 &&
		    option_find((enum section)s, dot + 1) != NULL) {
			buf_format(why, "\"%s\" is not the name of an option: %s%s { %s = ... } was expected",
				   name, section_names[s],
				   section_has_title((enum section)s) ? " \"TITLE\"" : "", dot + 1);
			return true;
		}
	return false;
}

bool
hint_is_include(const char *name)
{
	static const char *const words[] = {"include",      "includes", "include-dir",
					    "include-file", "import",   "source"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

void
hint_option(struct buf *why, enum section section, const char *name)
{
	const struct option_row *near = option_near(section, name), *other = option_near(SECTION_COUNT, name);

	if (put_elsewhere(why, section, name) || put_dotted(why, name))
		return;
	if (hint_is_include(name)) {
		buf_format(why, HINT_INCLUDE, name);
		return;
	}
	buf_format(why, "unknown option \"%s\"", name);
	if (section != SECTION_TOP)
		buf_format(why, " in section \"%s\"", section_names[section]);
	if (near != NULL) {
		near_put(why, near->name);
	} else if (other != NULL) {
		buf_format(why, ", did you mean \"%s\" ", other->name);
		if (other->section == SECTION_TOP)
			buf_text(why, "outside sections?");
		else
			buf_format(why, "of section \"%s\"?", section_names[other->section]);
	} else {
		put_known(why, section);
	}
}

void
hint_section(struct buf *why, const char *name)
{
	struct near near = near_to(name);

	if (option_find(SECTION_TOP, name) != NULL) {
		buf_format(why, "\"%s\" is an option, not a section: %s = ... was expected", name, name);
		return;
	}
	buf_format(why, "unknown section \"%s\"", name);
	for (unsigned i = SECTION_TOP + 1; i < SECTION_COUNT; i++)
		near_offer(&near, section_names[i]);
	near_put(why, near.word);
	for (unsigned i = SECTION_TOP + 1; near.word == NULL && i < SECTION_COUNT; i++)
		buf_format(why, "%s\"%s\"",
			   i == SECTION_TOP + 1     ? ", "
			   : i + 1 == SECTION_COUNT ? " or "
						    : ", ",
			   section_names[i]);
	if (near.word == NULL)
		buf_text(why, " was expected");
}

void
hint_nested(struct buf *why, enum section outer, const char *name)
{
	if (option_find(outer, name) != NULL)
		buf_format(why, "\"%s\" is an option of section \"%s\", not a section: %s = ... was expected",
			   name, section_names[outer], name);
	else
		buf_format(why, "section \"%s\" inside section \"%s\", an option or \"}\" was expected", name,
			   section_names[outer]);
}
