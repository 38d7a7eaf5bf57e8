#include "contrib/lab/report/report.h"
#include "contrib/lab/run/results.h"

#include <string.h>

const struct outcome_meaning report_outcome_meanings[] = {
    {"ok", "The client did what a strict client must: it accepted a good resolver, or refused an impostor."},
    {"accepted",
     "The client accepted an impostor's answer. Whoever can redirect its packets controls what it resolves."},
    {"refused", "The client refused a good resolver: its users cannot resolve names."},
    {"silent", "The client refused a good resolver and sent no answer at all."},
    {"leaked", "The client accepted no answer, but sent its question before it validated the certificate, so "
	       "the impostor saw the question."},
    {"fallback",
     "The client asked in clear text, or accepted an answer in clear text: an attacker can switch "
     "its encryption off."},
    {"wrong reason", "The client refused an impostor, but its Extended DNS Error gives the wrong reason."},
    {"broken", "The client did not start, ended, or failed before the scenario began."},
    {"void", "The client refuses the good resolver as well, so its refusal proves nothing."},
    {"note", "Both behaviours are defensible; shown, not counted."},
    {"-", "Not tried: the client cannot be configured for this."},
    {NULL, NULL},
};

enum res
report_add(struct report *report, struct span text)
{
	struct report_column *column = &report->columns[report->n];
	json_t *results = json_loadb((const char *)text.p, text.n, 0, NULL), *entry;
	size_t i;

	if (report->n == REPORT_COLUMNS_MAX || !json_is_array(json_object_get(results, "results")) ||
	    !json_is_string(json_object_get(results, "client"))) {
		json_decref(results);
		return report->n == REPORT_COLUMNS_MAX ? RES_LIMIT : RES_MALFORMED;
	}
	results_void(results);
	column->results = results;
	column->by_name = json_object();
	json_array_foreach (json_object_get(results, "results"), i, entry) {
		const char *name = json_string_value(json_object_get(entry, "scenario"));

		if (name != NULL)
			json_object_set(column->by_name, name, entry);
	}
	report->n++;
	return RES_OK;
}

void
report_free(struct report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		json_decref(report->columns[i].results);
		json_decref(report->columns[i].by_name);
	}
	report->n = 0;
}

const char *
report_entry_text(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text != NULL ? text : "";
}

const char *
report_column_text(const struct report_column *column, const char *key)
{
	return report_entry_text(column->results, key);
}

const json_t *
report_column_entry(const struct report_column *column, const char *scenario)
{
	return json_object_get(column->by_name, scenario);
}

bool
report_entry_is(const json_t *entry, const char *mark)
{
	return entry != NULL && strcmp(report_entry_text(entry, "mark"), mark) == 0;
}

const char *
report_entry_word(const json_t *entry)
{
	const char *outcome = report_entry_text(entry, "outcome");
	bool refusal = strcmp(outcome, "refused") == 0 || strcmp(outcome, "silent") == 0;

	if (report_entry_is(entry, "pass"))
		return "ok";
	if (report_entry_is(entry, "skip"))
		return "-";
	if (report_entry_is(entry, "void"))
		return "void";
	if (report_entry_is(entry, "fail") && refusal &&
	    strcmp(report_entry_text(entry, "strict"), "refuse") == 0)
		return "wrong reason";
	return outcome;
}

void
report_column_untaken(const struct report_column *column, size_t i, struct buf *out)
{
	static const char *const good[] = {"good-v4", "good-v6", "good-name"};

	for (size_t k = 0; k < sizeof good / sizeof good[0]; k++) {
		const json_t *entry = report_column_entry(column, good[k]);

		if (!report_entry_is(entry, "fail") || i-- > 0)
			continue;
		buf_format(
		    out,
		    "It does not accept a good resolver (%s, %s: %s), so its refusals of the same kind "
		    "prove nothing.",
		    good[k], report_entry_text(entry, "outcome"), report_entry_text(entry, "detail"));
		return;
	}
}

bool
report_has(const struct report *report, const char *scenario)
{
	for (size_t i = 0; i < report->n; i++)
		if (report_column_entry(&report->columns[i], scenario) != NULL)
			return true;
	return false;
}

bool
report_has_group(const struct report *report, const struct scenario_group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (report_has(report, group->rows[i].name))
			return true;
	return false;
}

static void
tally_add(struct tally *tally, const json_t *entry)
{
	bool good = strcmp(report_entry_text(entry, "strict"), "accept") == 0,
	     wrong = report_entry_is(entry, "fail");
	int64_t ms = json_integer_value(json_object_get(entry, "ms"));

	tally->voided += report_entry_is(entry, "void");
	if (report_entry_is(entry, "void"))
		return;
	tally->tried++;
	tally->wrong += wrong;
	tally->refused_good += wrong && good;
	tally->accepted_bad += wrong && !good && strcmp(report_entry_text(entry, "outcome"), "accepted") == 0;
	tally->silent += !good && strcmp(report_entry_text(entry, "outcome"), "silent") == 0;
	if (!good && strcmp(report_entry_text(entry, "outcome"), "refused") == 0 && ms > tally->slowest_ms)
		tally->slowest_ms = ms;
}

struct tally
report_column_tally(const struct report_column *column, const struct scenario_group *group)
{
	struct tally tally = {.slowest_ms = -1};
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(column->results, "results"), i, entry)
		if (!report_entry_is(entry, "skip") &&
		    (group == NULL || strcmp(report_entry_text(entry, "group"), group->name) == 0))
			tally_add(&tally, entry);
	return tally;
}

static size_t
sum_accepted(const struct tally *tally)
{
	return tally->accepted_bad;
}

static size_t
sum_refused(const struct tally *tally)
{
	return tally->refused_good;
}

static size_t
sum_silent(const struct tally *tally)
{
	return tally->silent;
}

static size_t
sum_void(const struct tally *tally)
{
	return tally->voided;
}

const struct report_sum report_sums[] = {
    {"impostors accepted", sum_accepted},
    {"good resolvers refused", sum_refused},
    {"silent refusals", sum_silent},
    {"void", sum_void},
    {NULL, NULL},
};

const char *
report_want_text(enum want want)
{
	switch (want) {
	case WANT_ACCEPT:
		return "accepted";
	case WANT_REFUSE:
		return "refused";
	case WANT_NOTE:
		break;
	}
	return "either";
}

char *
report_json(const struct report *report)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i < report->n; i++)
		json_array_append(list, report->columns[i].results);
	text = json_dumps(list, JSON_INDENT(1));
	json_decref(list);
	return text;
}
