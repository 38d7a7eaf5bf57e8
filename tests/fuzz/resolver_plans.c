#include "tests/fuzz/resolver_plans.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#include <stdio.h>

const char *const fuzz_lines[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", LINE_CORP};
const unsigned fuzz_lines_n = sizeof fuzz_lines / sizeof *fuzz_lines;

const struct fuzz_name fuzz_names[] = {
    {"www.example.com", NAME_PUBLIC},
    {"WWW.Example.COM", NAME_PUBLIC},
    {"mail.example.com", NAME_PUBLIC},
    {"a.b.c.d.example.net", NAME_PUBLIC},
    {"xn--bcher-kva.example.org", NAME_PUBLIC},
    {"0.pool.example.net", NAME_PUBLIC}, /* in time-names of some configurations */
    {"example.com", NAME_PUBLIC},
    {"db.corp.example", NAME_CORP},
    {"corp.example", NAME_CORP},
    {"printer.home.example", NAME_HERE},
    {"localhost", NAME_HERE},
    {"x.onion", NAME_HERE},
    {"1.0.0.127.in-addr.arpa", NAME_HERE},
    {"detectportal.firefox.com", NAME_PORTAL},
    {"intranet", NAME_SINGLE},
    {"ads.example.org", NAME_FILTERED},
};
const unsigned fuzz_names_n = sizeof fuzz_names / sizeof *fuzz_names;

#define COMMON                                                                                               \
	"listen = {\"127.0.0.1:53\"}  user = \"\"  log-level = \"debug\"  allow = {\"0.0.0.0/0\", \"::/0\"}\n"   \
	"trust { anchors = \"" DATA_DIR "/replay/anchor.pem\" }  local { hosts-file = \"\" }\n"                \
	"forward \"corp.example\" { upstream = {\"corp\"} }  forward \"home.example\" { upstream = {} }\n"       \
	"upstream \"corp\" { address = {\"" LINE_CORP "\"}  ct = \"off\" }\n"

static const char *const plan_text[PLANS] = {
    COMMON "upstream \"a\" { address = {\"192.0.2.1\"}  ct = \"off\" }\n"
	   "upstream \"b\" { address = {\"192.0.2.2\"}  ct = \"off\" }\n"
	   "strategy = \"ordered\"  hedge = false\n",
    COMMON "upstream \"a\" { address = {\"192.0.2.1\", \"2001:db8::1\"}  ct = \"off\"  trust-ad = false }\n"
	   "upstream \"b\" { address = {\"192.0.2.2\"}  protocol = \"doh\"  ct = \"off\" }\n"
	   "upstream \"c\" { address = {\"192.0.2.3\"}  ct = \"off\" }\n"
	   "strategy = \"fastest\"  hedge = true  time-names = {\"0.pool.example.net\"}\n"
	   "cache { size = \"1MiB\"  min-ttl = \"5s\"  max-ttl = \"10m\"  serve-stale = \"1h\" }\n",
    COMMON "upstream \"b\" { address = {\"192.0.2.2\"}  ct = \"off\" }\n"
	   "upstream \"c\" { address = {\"192.0.2.3\"}  ct = \"off\" }\n"
	   "strategy = \"spread\"  single-labels = \"forward\"  rebinding { protect = true }\n"
	   "local { data = {\"ads.example.org A 203.0.113.9\"} }  cache { serve-stale = \"0s\"  prefetch = false }\n",
    COMMON "upstream \"a\" { address = {\"192.0.2.1\"}  ct = \"off\" }\n"
	   "strategy = \"fastest\"  single-labels = \"refuse\"  cache { size = \"64KiB\" }\n"
	   "local { hosts-file = \"@/hosts\" }  filter { list-file = {\"@/filter\"} }  filter-answer = \"zero\"\n",
};

/* `@` stands for the folder. */
static void
file_write(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", scratch_folder(), name);
	check((f = fopen(path, "w")) != NULL);
	for (; *text != '\0'; text++)
		(void)(*text == '@' ? fputs(scratch_folder(), f) : fputc(*text, f));
	check(fclose(f) == 0);
}

static struct plan *
plan_make(unsigned i)
{
	struct config_errors errors = {0};
	struct plan *plan = NULL;
	char path[128];

	file_write("hosts", "192.0.2.77 intranet printer.home.example # a comment\n");
	file_write("filter", "ads.example.org\n");
	file_write("conf", plan_text[i]);
	(void)snprintf(path, sizeof path, "%s/conf", scratch_folder());
	(void)plan_read(&plan, path, i + 1, false, &errors);
	for (size_t k = 0; k < errors.n; k++)
		(void)fprintf(stderr, "%s\n", errors.line[k]);
	check(plan != NULL);
	config_errors_free(&errors);
	return plan;
}

struct plan *
fuzz_plan(unsigned i)
{
	static struct plan *plan[PLANS];

	if (plan[i] == NULL)
		plan[i] = plan_make(i);
	return plan[i];
}
