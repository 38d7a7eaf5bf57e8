/*
 * report_html.c - the report as one HTML page that needs nothing else: no script, no font, no picture.
 *
 * Marks are words, never colours alone. Tables have captions and scoped headers and scroll by keyboard.
 * The page follows the reader's light or dark setting. On a phone each row is a block with one labelled
 * line a cell, so that nothing scrolls sideways; the roles keep it a table for screen readers. On paper,
 * tables come in bands of a few clients.
 */
#include "contrib/lab/report/report.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAND        9   /* clients beside each other on a sheet of paper */
#define LABEL_MAX   300 /* a client's name and protocol */
#define HTML_COLUMN "th role=\"columnheader\" scope=\"col\""
#define HTML_ROW    "th role=\"rowheader\" scope=\"row\""
#define SHOWS       "The impostor shows"
#define MUST        "Must be"
#define SLOWEST     "slowest refusal with a reply"

/* The clients that a table shows. */
struct band {
	size_t from, to;
	const char *class; /* of the table's frame */
	size_t number;     /* of its caption */
};

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#c9c9c9;--soft:#f3f3f3}\n"
    ":root{--bad:#9c1111;--badbg:#fde8e8;--good:#135c1c;--note:#6b4a00}\n"
    "@media (prefers-color-scheme:dark){\n"
    ":root{--ink:#ececec;--paper:#141414;--line:#4a4a4a;--soft:#222}\n"
    ":root{--bad:#ff9d9d;--badbg:#3d1515;--good:#8fdc98;--note:#f0c96a}}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}\n"
    "body{max-width:85rem;margin:0 auto;padding:1rem}\n"
    "h1{line-height:1.2}h2{margin-top:2.5rem}h2::first-letter{text-transform:uppercase}\n"
    "a{color:inherit}.skip{position:absolute;left:-99rem}.skip:focus{position:static}\n"
    ".scroll{overflow-x:auto;border:1px solid var(--line)}\n"
    ".scroll:focus{outline:3px solid #2f6fd6;outline-offset:2px}\n"
    "table{border-collapse:collapse;width:100%;font-size:.875rem}\n"
    "caption{text-align:left;padding:.5rem;font-weight:600}\n"
    "th,td{border:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}\n"
    "thead th{background:var(--soft)}\n"
    "tbody th{position:sticky;left:0;background:var(--paper);min-width:9rem;overflow-wrap:anywhere}\n"
    "td.good{color:var(--good)}td.note{color:var(--note)}\n"
    "td.bad{color:var(--bad);background:var(--badbg);font-weight:700}td.what{min-width:16rem}\n"
    "td.number{white-space:nowrap}.paper{display:none}\n"
    "pre{overflow-x:auto;background:var(--soft);padding:.75rem;font-size:.8rem}\n"
    "nav ul{columns:2;padding-left:1.2rem}dt{font-weight:600}dd{margin:0 0 .5rem 1.2rem}\n"
    "@media screen and (max-width:40rem){nav ul{columns:1}thead{display:none}\n"
    "table,caption,tbody,tr,tbody th,td{display:block}tr{border-bottom:2px solid var(--line)}\n"
    "tbody th{position:static;background:var(--soft);border:0}td{border:0}td:empty{display:none}\n"
    "td.what{min-width:0}td.number{white-space:normal}td{overflow-wrap:anywhere}\n"
    "td::before{content:attr(data-label)\": \";font-weight:400;color:var(--ink)}}\n"
    "@media print{body{max-width:none;color:#000;background:#fff}nav,.skip{display:none}\n"
    ".scroll{overflow:visible;border:0}.screen{display:none}.paper{display:block;margin-bottom:1rem}\n"
    "details>*{display:block}pre{white-space:pre-wrap}table{font-size:7pt}td.number{white-space:normal}\n"
    "tr{break-inside:avoid}h2,caption{break-after:avoid}td.what{min-width:0}}\n";

static void
html_put(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '<':
			buf_text(out, "&lt;");
			break;
		case '>':
			buf_text(out, "&gt;");
			break;
		case '&':
			buf_text(out, "&amp;");
			break;
		case '"':
			buf_text(out, "&quot;");
			break;
		default: /* bytes of a text, not an enumeration of ours */
			buf_u8(out, (uint8_t)*text);
			break;
		}
}

static void
element(struct buf *out, const char *tag, const char *text)
{
	buf_format(out, "<%s>", tag);
	html_put(out, text);
	buf_format(out, "</%.*s>", (int)strcspn(tag, " "), tag);
}

static void
table_open(struct buf *out, const char *id, const char *caption, const struct band *band)
{
	buf_format(out,
		   "<div class=\"scroll%s\" role=\"region\" aria-labelledby=\"cap-%s-%zu\" "
		   "tabindex=\"0\"><table role=\"table\">\n<caption id=\"cap-%s-%zu\">",
		   band->class, id, band->number, id, band->number);
	html_put(out, caption);
	buf_text(out, "</caption>\n");
}

/* Number 0 is for screens and has all clients; the next ones are for paper, when one sheet is not wide
 * enough. False after the last. */
static bool
band_at(struct band *band, size_t number, const struct report *report)
{
	const bool fits = report->n <= BAND;
	size_t from = number > 0 ? (number - 1) * BAND : 0;

	if (number > 0 && (fits || from >= report->n))
		return false;
	*band = (struct band){from, from + BAND < report->n ? from + BAND : report->n, " paper", number};
	if (number == 0)
		*band = (struct band){0, report->n, fits ? "" : " screen", 0};
	return true;
}

/* "ctstub, dot" in name, which is returned. */
static const char *
client_label(const struct report_column *column, char name[LABEL_MAX])
{
	snprintf(name, LABEL_MAX, "%s, %s", report_column_text(column, "client"),
		 report_column_text(column, "protocol"));
	return name;
}

static void
html_header_row(const struct report *report, struct buf *out, const struct band *band)
{
	char name[LABEL_MAX];

	buf_text(out, "<thead><tr role=\"row\">");
	element(out, HTML_COLUMN, "Scenario");
	element(out, HTML_COLUMN, SHOWS);
	element(out, HTML_COLUMN, MUST);
	for (size_t i = band->from; i < band->to; i++)
		element(out, HTML_COLUMN, client_label(&report->columns[i], name));
	buf_text(out, "</tr></thead>\n<tbody>\n");
}

static void
table_close(struct buf *out)
{
	buf_text(out, "</tbody></table></div>\n");
}

/* A cell; on a phone its label stands before it. The content and </td> follow. */
static void
cell_open(struct buf *out, const char *class, const char *label)
{
	buf_format(out, "<td role=\"cell\" class=\"%s\" data-label=\"", class);
	html_put(out, label);
	buf_text(out, "\">");
}

static void
summary_header(struct buf *out)
{
	const struct scenario_group *group;

	buf_text(out, "<thead><tr role=\"row\">");
	element(out, HTML_COLUMN, "Client");
	for (size_t g = 0; (group = scenario_group_at(g)) != NULL; g++)
		buf_format(out, "<" HTML_COLUMN "><a href=\"#%s\">%s</a></th>", group->name, group->name);
	for (const struct report_sum *sum = report_sums; sum->name != NULL; sum++)
		element(out, HTML_COLUMN, sum->name);
	element(out, HTML_COLUMN, SLOWEST);
	buf_text(out, "</tr></thead>\n<tbody>\n");
}

static void
summary_row(const struct report_column *column, struct buf *out)
{
	const struct tally all = report_column_tally(column, NULL);
	const struct scenario_group *group;
	char name[LABEL_MAX];

	buf_text(out, "<tr role=\"row\">");
	element(out, HTML_ROW, client_label(column, name));
	for (size_t g = 0; (group = scenario_group_at(g)) != NULL; g++) {
		struct tally tally = report_column_tally(column, group);

		cell_open(out,
			  tally.tried == 0  ? ""
			  : tally.wrong > 0 ? "number bad"
					    : "number good",
			  group->name);
		buf_format(out, tally.tried == 0 ? "not tried</td>" : "%zu of %zu</td>", tally.wrong,
			   tally.tried);
	}
	for (const struct report_sum *sum = report_sums; sum->name != NULL; sum++) {
		cell_open(out, "number", sum->name);
		buf_format(out, "%zu</td>", sum->number(&all));
	}
	cell_open(out, "number", SLOWEST);
	if (all.slowest_ms >= 0)
		buf_format(out, "%" PRId64 " ms</td></tr>\n", all.slowest_ms);
	else
		buf_text(out, "none</td></tr>\n");
}

static void
html_summary(const struct report *report, struct buf *out)
{
	const struct band whole = {0, report->n, "", 0};

	buf_text(out, "<h2 id=\"summary\">Summary</h2>\n<p>" REPORT_BY_NAME "</p>\n");
	table_open(out, "summary", "Wrong of tried, by group of scenarios", &whole);
	summary_header(out);
	for (size_t i = 0; i < report->n; i++)
		summary_row(&report->columns[i], out);
	table_close(out);
}

static void
entry_cell(struct buf *out, const json_t *entry, const char *label)
{
	const bool odd = report_entry_is(entry, "fail") || report_entry_is(entry, "note");
	const char *class = report_entry_is(entry, "pass")   ? "good"
			    : report_entry_is(entry, "fail") ? "bad"
			    : odd                            ? "note"
							     : "";

	if (entry == NULL) {
		buf_text(out, "<td role=\"cell\"></td>");
		return;
	}
	cell_open(out, class, label);
	html_put(out, report_entry_is(entry, "skip") ? "not tried" : report_entry_word(entry));
	if (odd && report_entry_text(entry, "detail")[0] != '\0') {
		buf_text(out, "<br>");
		element(out, "small", report_entry_text(entry, "detail"));
	}
	buf_text(out, "</td>");
}

static void
scenario_row(const struct report *report, const struct scenario *row, struct buf *out,
	     const struct band *band)
{
	char name[LABEL_MAX];

	buf_text(out, "<tr role=\"row\">");
	element(out, HTML_ROW, row->name);
	cell_open(out, "what", SHOWS);
	html_put(out, row->impostor);
	buf_text(out, "</td>");
	cell_open(out, "", MUST);
	buf_format(out, "%s</td>", report_want_text(row->want));
	for (size_t c = band->from; c < band->to; c++)
		entry_cell(out, report_column_entry(&report->columns[c], row->name),
			   client_label(&report->columns[c], name));
	buf_text(out, "</tr>\n");
}

static void
html_group_table(const struct report *report, const struct scenario_group *group, struct buf *out,
		 const struct band *band)
{
	table_open(out, group->name, "What each client did", band);
	html_header_row(report, out, band);
	for (size_t i = 0; i < group->n; i++)
		if (report_has(report, group->rows[i].name))
			scenario_row(report, &group->rows[i], out, band);
	table_close(out);
}

static void
group_section(const struct report *report, const struct scenario_group *group, struct buf *out)
{
	struct band band;

	buf_format(out, "<h2 id=\"%s\">%s</h2>\n", group->name, group->name);
	element(out, "p", group->about);
	if (!report_has_group(report, group)) {
		element(out, "p", "Not tried.");
		return;
	}
	for (size_t i = 0; band_at(&band, i, report); i++)
		html_group_table(report, group, out, &band);
}

/* Which good resolvers it did not accept, and how far it came. */
static void
html_untaken(const struct report_column *column, struct buf *out)
{
	struct buf text = buf_max(1024);

	for (size_t i = 0; report_column_untaken(column, i, &text), text.n > 0; i++) {
		buf_u8(out, ' ');
		html_put(out, buf_cstr(&text));
		buf_clear(&text);
	}
	buf_free(&text);
}

static void
html_clients(const struct report *report, struct buf *out)
{
	buf_text(out, "<h2 id=\"clients\">Clients</h2>\n");
	for (size_t i = 0; i < report->n; i++) {
		const struct report_column *c = &report->columns[i];

		buf_text(out, "<details open><summary>");
		html_put(out, report_column_text(c, "client"));
		buf_text(out, " over ");
		html_put(out, report_column_text(c, "protocol"));
		buf_text(out, "</summary>\n<p>Version ");
		html_put(out, report_column_text(c, "version"));
		buf_text(out, ", tried ");
		element(out, "time", report_column_text(c, "date"));
		buf_text(out, ". It knows its resolver by: ");
		html_put(out, report_column_text(c, "identity"));
		buf_text(out, ".");
		html_untaken(c, out);
		buf_text(out, "</p>\n");
		element(out, "pre", report_column_text(c, "config"));
		buf_text(out, "</details>\n");
	}
}

static void
contents(struct buf *out)
{
	const struct scenario_group *group;

	buf_text(out, "<nav aria-label=\"Contents\"><ul><li><a href=\"#summary\">Summary</a></li><li><a "
		      "href=\"#words\">The words</a></li>");
	for (size_t g = 0; (group = scenario_group_at(g)) != NULL; g++)
		buf_format(out, "<li><a href=\"#%s\">%s</a></li>", group->name, group->name);
	buf_text(out, "<li><a href=\"#clients\">Clients and their configurations</a></li></ul></nav>\n");
}

static void
words(struct buf *out)
{
	buf_text(out, "<h2 id=\"words\">The words</h2>\n<dl>");
	for (const struct outcome_meaning *m = report_outcome_meanings; m->word != NULL; m++) {
		element(out, "dt", strcmp(m->word, "-") == 0 ? "not tried" : m->word);
		element(out, "dd", m->meaning);
	}
	buf_text(out, "</dl>\n");
}

void
report_html(const struct report *report, struct buf *out)
{
	const struct scenario_group *group;

	buf_format(out,
		   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<title>What DNS clients do when their resolver is "
		   "impersonated</title>\n<style>\n%s</style>\n</head>\n<body>\n"
		   "<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header><h1>What DNS clients do "
		   "when their resolver is impersonated</h1>\n"
		   "<p>Made by <code>ctstub-lab report</code> from %s. In each trial the client runs "
		   "in namespaces of its own in which the "
		   "resolver really is at 1.1.1.1, 1.0.0.1 and 2606:4700:4700::1111, and every other address "
		   "answers with lies in clear text.</p>\n"
		   "</header>\n",
		   style, COUNTED(report->n, "run"));
	contents(out);
	buf_text(out, "<main id=\"main\">\n");
	html_summary(report, out);
	words(out);
	for (size_t g = 0; (group = scenario_group_at(g)) != NULL; g++)
		group_section(report, group, out);
	html_clients(report, out);
	buf_text(out, "</main>\n</body>\n</html>\n");
}
