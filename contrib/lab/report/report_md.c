/* report_md.c - the report as Markdown. */
#include "contrib/lab/report/report.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* Text inside a table cell. */
static void
md_put(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|' || *text == '\\')
			buf_u8(out, '\\');
		buf_u8(out, *text == '\n' ? ' ' : (uint8_t)*text);
	}
}

static void
put_entry(struct buf *out, const json_t *entry)
{
	if (report_entry_is(entry, "fail") || report_entry_is(entry, "note"))
		buf_format(out, report_entry_is(entry, "fail") ? "**%s**" : "note: %s",
			   report_entry_word(entry));
	else if (entry != NULL)
		buf_text(out, report_entry_word(entry));
}

static void
md_client(const struct report_column *column, struct buf *out)
{
	md_put(out, report_column_text(column, "client"));
	buf_format(out, ", %s", report_column_text(column, "protocol"));
}

static void
md_header_row(const struct report *report, struct buf *out, const char *const *first)
{
	for (size_t i = 0; first[i] != NULL; i++)
		buf_format(out, "| %s ", first[i]);
	buf_u8(out, '|');
	for (size_t i = 0; i < report->n; i++) {
		buf_u8(out, ' ');
		md_client(&report->columns[i], out);
		buf_text(out, " |");
	}
	buf_u8(out, '\n');
	for (size_t i = 0; first[i] != NULL; i++)
		buf_text(out, "|---");
	for (size_t i = 0; i < report->n; i++)
		buf_text(out, "|---");
	buf_text(out, "|\n");
}

static void
md_summary_header(struct buf *out)
{
	const struct scenario_group *group;
	size_t n = 0;

	buf_text(out, "| client |");
	for (; (group = scenario_group_at(n)) != NULL; n++)
		buf_format(out, " %s |", group->name);
	for (const struct report_sum *sum = report_sums; sum->name != NULL; sum++, n++)
		buf_format(out, " %s |", sum->name);
	buf_text(out, " slowest refusal with a reply |\n|---|---|");
	for (size_t i = 0; i < n; i++)
		buf_text(out, "---|");
	buf_u8(out, '\n');
}

static void
md_summary_row(const struct report_column *column, struct buf *out)
{
	const struct tally all = report_column_tally(column, NULL);
	const struct scenario_group *group;

	buf_text(out, "| ");
	md_client(column, out);
	buf_text(out, " |");
	for (size_t g = 0; (group = scenario_group_at(g)) != NULL; g++) {
		struct tally tally = report_column_tally(column, group);

		buf_format(out, tally.tried > 0 ? " %zu of %zu |" : " |", tally.wrong, tally.tried);
	}
	for (const struct report_sum *sum = report_sums; sum->name != NULL; sum++)
		buf_format(out, sum == report_sums ? " **%zu** |" : " %zu |", sum->number(&all));
	if (all.slowest_ms >= 0)
		buf_format(out, " %" PRId64 " ms |\n", all.slowest_ms);
	else
		buf_text(out, " |\n");
}

static void
md_summary(const struct report *report, struct buf *out)
{
	buf_text(out, "## Summary\n\nWrong of tried, by group. " REPORT_BY_NAME "\n\n");
	md_summary_header(out);
	for (size_t i = 0; i < report->n; i++)
		md_summary_row(&report->columns[i], out);
	buf_u8(out, '\n');
}

static void
md_group_table(const struct report *report, const struct scenario_group *group, struct buf *out)
{
	buf_format(out, "## %s\n\n%s\n\n", group->name, group->about);
	if (!report_has_group(report, group)) {
		buf_text(out, "Not tried.\n\n");
		return;
	}
	md_header_row(report, out, (const char *const[]){"scenario", "the impostor shows", "must be", NULL});
	for (size_t i = 0; i < group->n; i++) {
		const struct scenario *row = &group->rows[i];

		if (!report_has(report, row->name))
			continue;
		buf_format(out, "| %s | ", row->name);
		md_put(out, row->impostor);
		buf_format(out, " | %s |", report_want_text(row->want));
		for (size_t c = 0; c < report->n; c++) {
			buf_u8(out, ' ');
			put_entry(out, report_column_entry(&report->columns[c], row->name));
			buf_text(out, " |");
		}
		buf_u8(out, '\n');
	}
	buf_u8(out, '\n');
}

/* Which good resolvers it did not accept, and how far it came. */
static void
md_untaken(const struct report_column *column, struct buf *out)
{
	struct buf text = buf_max(1024);

	for (size_t i = 0; report_column_untaken(column, i, &text), text.n > 0; i++) {
		md_put(out, buf_cstr(&text));
		buf_u8(out, '\n');
		buf_clear(&text);
	}
	buf_free(&text);
}

static void
md_clients(const struct report *report, struct buf *out)
{
	buf_text(out, "## Clients\n\n");
	for (size_t i = 0; i < report->n; i++) {
		const struct report_column *c = &report->columns[i];

		buf_format(out, "### %s, %s\n\nVersion %s, tried %s. It knows its resolver by: %s.\n",
			   report_column_text(c, "client"), report_column_text(c, "protocol"),
			   report_column_text(c, "version"), report_column_text(c, "date"),
			   report_column_text(c, "identity"));
		md_untaken(c, out);
		buf_format(out, "\n```\n%s```\n\n", report_column_text(c, "config"));
	}
}

void
report_markdown(const struct report *report, struct buf *out)
{
	const struct scenario_group *group;

	buf_format(out,
		   "# What DNS clients do when their resolver is impersonated\n\nMade by `ctstub-lab report` "
		   "from %s of `ctstub-lab run`; not "
		   "edited by hand. In each trial the client runs in namespaces of its own in which the "
		   "resolver really is at 1.1.1.1, 1.0.0.1 and "
		   "2606:4700:4700::1111, and every other address answers with lies in clear text.\n\n| word "
		   "| meaning |\n|---|---|\n",
		   COUNTED(report->n, "run"));
	for (const struct outcome_meaning *m = report_outcome_meanings; m->word != NULL; m++)
		buf_format(out, "| %s | %s |\n", m->word, m->meaning);
	buf_u8(out, '\n');
	md_summary(report, out);
	for (size_t g = 0; (group = scenario_group_at(g)) != NULL; g++)
		md_group_table(report, group, out);
	md_clients(report, out);
}
