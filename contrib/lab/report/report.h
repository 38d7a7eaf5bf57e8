/*
 * report.h - the matrix of clients and scenarios, from the results of `run`.
 */
#ifndef CONTRIB_LAB_REPORT_REPORT_H
#define CONTRIB_LAB_REPORT_REPORT_H

#include "contrib/lab/scenarios/scenario.h"

#include <jansson.h>

#define REPORT_COLUMNS_MAX 64
#define REPORT_FILE_MAX    (32 * 1024 * 1024)

/* One client over one protocol. */
struct report_column {
	json_t *results; /* as results.h has it; owned */
	json_t *by_name; /* its entries by scenario; owned */
};

struct report {
	struct report_column columns[REPORT_COLUMNS_MAX];
	size_t n;
};

/* RES_MALFORMED: not a file of results. */
enum res report_add(struct report *, struct span json);
void report_free(struct report *);

/* "" when the column lacks the key. */
const char *report_column_text(const struct report_column *, const char *key);
/* The entry of a scenario; NULL when the client was not tried with it. Lent. */
const json_t *report_column_entry(const struct report_column *, const char *scenario);
const char *report_entry_text(const json_t *entry, const char *key);
bool report_entry_is(const json_t *entry, const char *mark);
/* The one word of report_outcome_meanings that the entry is shown as. */
const char *report_entry_word(const json_t *entry);
/* A sentence about the i-th good resolver that the client did not accept; nothing after the last. */
void report_column_untaken(const struct report_column *, size_t i, struct buf *out);
/* Was any client tried with it? */
bool report_has(const struct report *, const char *scenario);
bool report_has_group(const struct report *, const struct scenario_group *);

/* How many of a group (NULL: of all) have the mark, and how many were tried; skipped and void ones do not
 * count as tried. */
struct tally {
	size_t tried, wrong, accepted_bad, refused_good, silent, voided;
	int64_t slowest_ms; /* of the refusals that came as an answer; -1: none */
};
struct tally report_column_tally(const struct report_column *, const struct scenario_group *);

/* The numbers about all scenarios together; name NULL after the last. */
struct report_sum {
	const char *name;
	size_t (*number)(const struct tally *);
};
extern const struct report_sum report_sums[];
/* What a summary needs to be understood. */
#define REPORT_BY_NAME                                                                                       \
	"A client that is configured with the resolver's name cannot notice a wrong address; what it "       \
	"accepts in the group identity follows from that."
/* What a strict client must do with the scenario, as a word. */
const char *report_want_text(enum want);

void report_markdown(const struct report *, struct buf *out);
void report_html(const struct report *, struct buf *out);
char *report_json(const struct report *); /* yours */

/* What an outcome means, a sentence; word NULL after the last. */
struct outcome_meaning {
	const char *word, *meaning;
};
extern const struct outcome_meaning report_outcome_meanings[];

#endif
