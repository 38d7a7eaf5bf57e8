#include "contrib/lab/lab_help.h"

#include "contrib/lab/lab.h"

#include <stdio.h>
#include <string.h>

#define HELP_ROWS_MAX 16
#define HELP_COLUMN   26

static const struct help {
	const char *verb;
	const char *synopsis; /* after the verb; lines after the first are indented */
	struct {
		const char *word, *about;
	} row[HELP_ROWS_MAX];
} helps[] = {
    {"list",
     "[--json] [GLOB]",
     {{"GLOB", "only scenarios whose name matches; quote it"}, {"--json", "one JSON array"}}},
    {"pki",
     "[--at RFC3339] [--ip ADDR]... [--json] DIR",
     {{"--at RFC3339", "the time at which everything is created and verified (default: now)"},
      {"--ip ADDR",
       "the resolver's address, once for each family\n(default: 1.1.1.1 and 2606:4700:4700::1111)"},
      {"--json", "print the folder and the number of scenarios as one JSON object"}}},
    {"serve",
     "SCENARIO --listen ADDR:PORT [--doh] [--pki DIR] [--ip ADDR]... [--fault NAME]...\n"
     "[--count FILE] [--json]",
     {{"--listen ADDR:PORT", "where to listen; port 0 selects a free one"},
      {"--doh", "DNS over HTTPS instead of DNS over TLS"},
      {"--pki DIR", "a folder that pki wrote (default: a new one, removed at the end)"},
      {"--ip ADDR", "the resolver's address, if not that of --listen"},
      {"--fault NAME",
       "also break this rule, NAME or NAME=VALUE, several with commas (see\n`ctstub-lab faults`)"},
      {"--count FILE", "write the numbers of connections, handshakes and queries to this file"},
      {"--json", "one line of JSON for each event"}}},
    {"logs",
     "--pki DIR [--listen ADDR:PORT] [--fill N] [--entry-size N] [--batch N]\n"
     "[--gzip LEVEL] [--merge-delay TIME] [--misbehave NAME[@LOG]]... [--json] [--quiet]",
     {{"--pki DIR", "the folder that pki wrote, whose logs are served"},
      {"--listen ADDR:PORT", "where to listen (default: port 8445 of loopback)"},
      {"--fill N", "entries of each log from the start"},
      {"--entry-size N", "size of their certificates in bytes (default: 1600)"},
      {"--batch N", "at most this many entries from get-entries (default: 256)"},
      {"--gzip LEVEL", "compression of tiles of entries, 0 for none (default: 1)"},
      {"--merge-delay TIME", "time until a submitted certificate is in the tree (default: 0s)"},
      {"--misbehave NAME[@LOG]", "misbehave from the start, one log or all of them"},
      {"--json", "one line of JSON for each event"},
      {"--quiet", "no line for each request"}}},
    {"up",
     "[--dot-port N] [--doh-port N] [--detach | --cell] [--json] [SCENARIO]",
     {{"SCENARIO", "what to show first (default: good-v4)"},
      {"--dot-port N", "port for DNS over TLS (default: 8853, in a cell 853)"},
      {"--doh-port N", "port for DNS over HTTPS (default: 8443, in a cell 443)"},
      {"--detach", "return at once; `ctstub-lab down` ends it"},
      {"--cell", "a shell in namespaces in which the resolver is at its real addresses"},
      {"--json", "one line of JSON for each event"}}},
    {"switch",
     "[--keep-tickets] [--json] SCENARIO",
     {{"--keep-tickets", "tickets of the previous scenario stay valid"}, {"--json", "one JSON object"}}},
    {"down", "[--json]", {{"--json", "one JSON object"}}},
    {"run",
     "--client ADAPTER [--scenario GLOB] [--doh] [--jobs N] [--patience TIME] [--out FILE]\n"
     "[--json] [--verbose] [--adapters DIR] [--keep]",
     {{"--client ADAPTER", "the client to test"},
      {"--scenario GLOB", "only scenarios whose name matches; quote it"},
      {"--doh", "DNS over HTTPS instead of DNS over TLS"},
      {"--jobs N", "trials at the same time (default: 4 for each processor, at most 8)"},
      {"--patience TIME", "how long a client may take (default: 12s)"},
      {"--out FILE", "write the results here, for report"},
      {"--json", "print the results as JSON"},
      {"-v, --verbose", "a line for each trial"},
      {"--adapters DIR", "the folder of adapters (default: that of the source or the installation)"},
      {"--keep", "keep the folder of the trials"}}},
    {"report",
     "[--markdown FILE] [--html FILE] [--json FILE] RESULTS.json...",
     {{"--markdown FILE", "write the report as Markdown; \"-\" is standard output, for one of the three"},
      {"--html FILE", "write it as one HTML page"},
      {"--json FILE", "write the combined results"}}},
    {"faults", "[--json]", {{"--json", "one JSON array"}}},
};

static const struct help *
help_of(const char *verb)
{
	for (size_t i = 0; i < sizeof helps / sizeof helps[0]; i++)
		if (strcmp(helps[i].verb, verb) == 0)
			return &helps[i];
	return NULL;
}

/* Lines after the first begin in that column. */
static void
lines_print(FILE *to, const char *text, int column)
{
	for (;;) {
		int n = (int)strcspn(text, "\n");

		fprintf(to, "%.*s\n", n, text);
		if (text[n] == '\0')
			return;
		text += n + 1;
		fprintf(to, "%*s", column, "");
	}
}

static void
synopsis_print(FILE *to, const struct help *help)
{
	int column = fprintf(to, "usage: ctstub-lab %s%s", help->verb, *help->synopsis != '\0' ? " " : "");

	lines_print(to, help->synopsis, column);
}

int
lab_help_wrong(const char *verb)
{
	const struct help *help = help_of(verb);

	if (help != NULL)
		synopsis_print(stderr, help);
	return LAB_USAGE;
}

bool
lab_help_print(const char *verb)
{
	const struct help *help = help_of(verb);

	if (help == NULL)
		return false;
	synopsis_print(stdout, help);
	for (size_t i = 0; i < HELP_ROWS_MAX && help->row[i].word != NULL; i++) {
		int used = printf("  %s", help->row[i].word);

		printf("%*s", used < HELP_COLUMN ? HELP_COLUMN - used : 1, "");
		lines_print(stdout, help->row[i].about, HELP_COLUMN);
	}
	printf("  %-*s%s\n", HELP_COLUMN - 2, "-h, --help", "print this");
	return true;
}
