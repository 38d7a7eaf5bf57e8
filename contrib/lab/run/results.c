#include "config.h"

#include "contrib/lab/run/results.h"
#include "base/clock.h"
#include "base/text.h"

#include <string.h>

json_t *
results_new(const struct lab_client_about *client, enum lab_server_protocol protocol, const char *config)
{
	char date[TIME_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[]}", "client", client->name, "version",
			 client->version, "identity", client->identity, "protocol",
			 protocol == SERVER_DOH ? "doh" : "dot", "date", time_text(clock_wall_ms(), date),
			 "lab", PACKAGE_VERSION, "config", config, "results");
}

static json_t *
counts_json(const struct lab_server_counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "connections", (json_int_t)c->connections,
			 "handshakes", (json_int_t)c->handshakes, "resumed", (json_int_t)c->resumed,
			 "refused", (json_int_t)c->refused, "bytes", (json_int_t)c->bytes, "questions",
			 (json_int_t)c->questions, "answers", (json_int_t)c->answers);
}

void
results_add(json_t *results, const struct scenario *row, const struct trial_result *r)
{
	const char *reason = row->wire_reason != NULL ? row->wire_reason : row->reason;
	json_t *entry = json_pack(
	    "{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:I, s:i, s:s, s:b, s:s, s:o}", "scenario", row->name,
	    "group", scenario_group_of(row)->name, "impostor", row->impostor, "strict",
	    scenario_want_text(row->want), "reason", reason, "outcome", report_outcome_text(r->outcome),
	    "mark", trial_mark_text(r->mark), "ms", (json_int_t)r->ms, "rcode", r->rcode, "ede", r->ede,
	    "resumed", (int)r->resumed, "detail", r->detail, "server", counts_json(&r->counts));

	json_array_append_new(json_object_get(results, "results"), entry);
}

size_t
results_count(const json_t *results, const char *mark)
{
	const json_t *entry;
	size_t i, n = 0;

	json_array_foreach (json_object_get(results, "results"), i, entry)
		n += strcmp(json_string_value(json_object_get(entry, "mark")), mark) == 0;
	return n;
}

static const char *
results_text(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text != NULL ? text : "";
}

/* Was the good resolver of this name tried and not accepted? */
static bool
refused_good(const json_t *list, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		if (strcmp(results_text(entry, "scenario"), name) == 0)
			return strcmp(results_text(entry, "mark"), "fail") == 0;
	}
	return false;
}

/* Would a client that contacts no server have had the same outcome? */
static bool
proves_nothing(const json_t *entry)
{
	return strcmp(results_text(entry, "strict"), "accept") != 0 &&
	       (strcmp(results_text(entry, "mark"), "pass") == 0 ||
		strcmp(results_text(entry, "outcome"), "broken") == 0);
}

void
results_void(json_t *results)
{
	json_t *list = json_object_get(results, "results"), *entry;
	const struct scenario *row;
	size_t i;

	json_array_foreach (list, i, entry) {
		row = scenario_find(results_text(entry, "scenario"));
		if (row != NULL && proves_nothing(entry) && refused_good(list, scenario_good_resolver(row)))
			json_object_set_new(entry, "mark", json_string("void"));
	}
}
