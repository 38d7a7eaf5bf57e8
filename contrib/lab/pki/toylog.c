#include "contrib/lab/pki/toylog.h"
#include "base/text.h"
#include "contrib/lab/lab_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define DAY_MS        ((int64_t)86400000)
#define SCT_INPUT_MAX (1024 * 1024) /* forged certificates reach 256 KiB */
#define SIGNATURE_MAX 1024

enum toy_state {
	TOY_QUALIFIED,
	TOY_USABLE,
	TOY_READONLY,
	TOY_PENDING,
	TOY_REJECTED,
	TOY_RETIRED,
	TOY_STATELESS
};

static const char *const state_names[] = {
    [TOY_QUALIFIED] = "qualified", [TOY_USABLE] = "usable",     [TOY_READONLY] = "readonly",
    [TOY_PENDING] = "pending",     [TOY_REJECTED] = "rejected", [TOY_RETIRED] = "retired",
    [TOY_STATELESS] = NULL,
};

static const struct toylog {
	const char *name;
	const char *operator_name; /* NULL: in no list */
	enum key_kind key;
	enum toy_state state;
	int state_days; /* ago */
	bool tiled;
	bool test;
	int interval[2];        /* days from now; both 0: none */
	const char *moved_from; /* former operator, until yesterday */
} rows[LOG_COUNT] = {
    [LOG_ALPHA] = {"alpha-1", "Alpha", KEY_P256, TOY_USABLE, 400, .tiled = false},
    [LOG_ALPHA_TWO] = {"alpha-2", "Alpha", KEY_P256, TOY_USABLE, 400, .tiled = false},
    [LOG_BETA] = {"beta-1", "Beta", KEY_P256, TOY_USABLE, 400, .tiled = false},
    [LOG_GAMMA] = {"gamma-1", "Gamma", KEY_P256, TOY_QUALIFIED, 20, .tiled = false},
    [LOG_DELTA_TILED] = {"delta-1", "Delta", KEY_P256, TOY_USABLE, 300, .tiled = true},
    [LOG_ALPHA_TILED] = {"alpha-3", "Alpha", KEY_P256, TOY_USABLE, 300, .tiled = true},
    [LOG_READONLY] = {"epsilon-1", "Epsilon", KEY_P256, TOY_READONLY, 5, .tiled = false},
    [LOG_PENDING] = {"zeta-1", "Zeta", KEY_P256, TOY_PENDING, 30, .tiled = false},
    [LOG_REJECTED] = {"eta-1", "Eta", KEY_P256, TOY_REJECTED, 300, .tiled = false},
    [LOG_RETIRED_EARLY] = {"theta-1", "Theta", KEY_P256, TOY_RETIRED, 60, .tiled = false},
    [LOG_RETIRED_LATE] = {"theta-2", "Theta", KEY_P256, TOY_RETIRED, 1, .tiled = false},
    [LOG_RETIRED_LATE_TWO] = {"iota-1", "Iota", KEY_P256, TOY_RETIRED, 1, .tiled = false},
    [LOG_STATELESS] = {"kappa-1", "Kappa", KEY_P256, TOY_STATELESS, 0, .tiled = false},
    [LOG_TEST] = {"lambda-1", "Lambda", KEY_P256, TOY_USABLE, 300, .test = true},
    [LOG_SHARD_PAST] = {"mu-past", "Mu", KEY_P256, TOY_USABLE, 700, .interval = {-800, -400}},
    [LOG_SHARD_NOW] = {"mu-now", "Mu", KEY_P256, TOY_USABLE, 400, .interval = {-30, 400}},
    [LOG_MOVED] = {"nu-1", "Nu", KEY_P256, TOY_USABLE, 400, .moved_from = "Alpha"},
    [LOG_RSA] = {"xi-rsa", "Xi", KEY_RSA_2048, TOY_USABLE, 400, .tiled = false},
    [LOG_UNKNOWN] = {"nobody", NULL, KEY_P256, TOY_USABLE, 400, .tiled = false},
    [LOG_MIMIC] = {"mimic", NULL, KEY_P256, TOY_USABLE, 400, .tiled = false},
};

/* The id of a log whose private key is public: it must not count, whatever a list says. */
static const char mimic_id[] = "9EGV1vAOLbVUNcrdV3iS5T4VrUFwWPh44U/2uRh0FYk=";

struct toylogs {
	char folder[FILE_PATH_MAX];
	int64_t at_ms;
	struct key *keys[LOG_COUNT];
};

enum res
toylogs_new(struct toylogs **out, const char *folder, int64_t at_ms)
{
	struct toylogs *logs = calloc(1, sizeof *logs);

	if (logs == NULL)
		return RES_NOMEM;
	if (snprintf(logs->folder, sizeof logs->folder, "%s", folder) >= (int)sizeof logs->folder) {
		free(logs);
		return RES_LIMIT;
	}
	logs->at_ms = at_ms;
	*out = logs;
	return RES_OK;
}

void
toylogs_free(struct toylogs *logs)
{
	if (logs == NULL)
		return;
	for (size_t i = 0; i < LOG_COUNT; i++)
		key_free(logs->keys[i]);
	free(logs);
}

const char *
toylog_name(enum log_id id)
{
	return rows[id].name;
}

bool
toylog_is_tiled(enum log_id id)
{
	return rows[id].tiled;
}

bool
toylog_is_listed(enum log_id id)
{
	return rows[id].operator_name != NULL;
}

int64_t
toylog_mmd_s(enum log_id id)
{
	return rows[id].tiled ? 60 : 86400;
}

const struct key *
toylog_key(struct toylogs *logs, enum log_id id)
{
	char name[64], path[FILE_PATH_MAX];

	if (logs->keys[id] != NULL)
		return logs->keys[id];
	snprintf(name, sizeof name, "log-%s.pem", rows[id].name);
	if (lab_path_join(path, logs->folder, name) != RES_OK ||
	    key_open(&logs->keys[id], rows[id].key, path) != RES_OK)
		return NULL;
	return logs->keys[id];
}

static void
leaf_index_write(struct buf *out, uint64_t index)
{
	buf_u8(out, 0); /* C2SP static-ct-api, CtExtensions: type leaf_index, 5 bytes */
	buf_u16(out, 5);
	buf_u8(out, (uint8_t)(index >> 32));
	buf_u32(out, (uint32_t)index);
}

static void
extensions_write(struct buf *out, const struct forge_sct *sct)
{
	if (rows[sct->log].tiled && sct->fault != SCT_NO_EXTENSIONS)
		leaf_index_write(out, 1000003 + (uint64_t)sct->log);
	if (sct->fault == SCT_SPARE_EXTENSION) {
		buf_u8(out, 7);
		buf_u16(out, 2);
		buf_u16(out, 0xbeef);
	}
}

/* RFC 6962, 3.2: digitally-signed struct of a certificate_timestamp. */
static void
signed_bytes_write(struct buf *out, const struct forge_sct *sct, const struct log_entry *entry,
		   struct span extensions)
{
	static const uint8_t stranger[32] = {0x5a, 0xa5};
	bool other = sct->fault == SCT_OTHER_CERTIFICATE;
	int64_t ms = sct->fault == SCT_OTHER_TIME ? sct->ms - 1 : sct->ms;

	buf_u8(out, 0); /* v1 */
	buf_u8(out, 0); /* certificate_timestamp */
	buf_u64(out, (uint64_t)ms);
	if (sct->fault == SCT_X509_ENTRY) {
		buf_u16(out, 0);
	} else {
		buf_u16(out, 1);
		buf_put(out, span_of(sct->fault == SCT_OTHER_ISSUER ? stranger : entry->issuer_key_hash, 32));
	}
	buf_u24(out, (uint32_t)(other ? entry->tbs.n - 1 : entry->tbs.n));
	buf_put(out, other ? span_slice(entry->tbs, 0, entry->tbs.n - 1) : entry->tbs);
	buf_u16(out, (uint16_t)extensions.n);
	buf_put(out, extensions);
}

static void
log_id_write(struct buf *out, enum log_id id, const struct key *key)
{
	if (id == LOG_MIMIC)
		out->bad = base64_read(out, span_str(mimic_id)) != RES_OK || out->bad;
	else
		buf_put(out, span_of(key->spki_sha256, 32));
}

static uint8_t
signature_code(const struct forge_sct *sct, const struct key *key)
{
	const uint8_t rsa = 1, ecdsa = 3; /* RFC 5246, 7.4.1.4.1 */

	return key->kind != KEY_P256 || sct->fault == SCT_ALGORITHM_RSA ? rsa : ecdsa;
}

void
toylog_sign(struct toylogs *logs, const struct forge_sct *sct, const struct log_entry *entry, struct buf *out)
{
	const struct key *key = toylog_key(logs, sct->log);
	struct buf extensions = buf_max(64), input = buf_max(SCT_INPUT_MAX),
		   signature = buf_max(SIGNATURE_MAX);

	if (key == NULL || entry->tbs.n == 0) {
		out->bad = true;
		return;
	}
	extensions_write(&extensions, sct);
	signed_bytes_write(&input, sct, entry, buf_span(&extensions));
	if (buf_ok(&input))
		key_sign(key, KEY_SHA256, buf_span(&input), &signature);
	if (sct->fault == SCT_ALTERED_EXTENSIONS && extensions.n > 0)
		extensions.p[extensions.n - 1] ^= 1;
	if (sct->fault == SCT_BROKEN_SIGNATURE && signature.n > 0)
		signature.p[signature.n - 1] ^= 1;

	buf_u8(out, sct->fault == SCT_VERSION_2);
	log_id_write(out, sct->log, key);
	buf_u64(out, (uint64_t)sct->ms);
	buf_u16(out, (uint16_t)extensions.n);
	buf_put(out, buf_span(&extensions));
	buf_u8(out, sct->fault == SCT_ALGORITHM_SHA1 ? 2 : 4);
	buf_u8(out, signature_code(sct, key));
	buf_u16(out, (uint16_t)signature.n);
	buf_put(out, buf_span(&signature));
	out->bad = out->bad || !buf_ok(&input) || !buf_ok(&signature);
	buf_free(&extensions);
	buf_free(&input);
	buf_free(&signature);
}

const char *
pkidir_list_variant(enum list_variant variant)
{
	switch (variant) {
	case LIST_FRESH:
		return "ct-logs.json";
	case LIST_69_DAYS:
		return "ct-logs-69-days.json";
	case LIST_71_DAYS:
		return "ct-logs-71-days.json";
	case LIST_ALL_RETIRED:
		return "ct-logs-all-retired.json";
	case LIST_COUNT:
		break;
	}
	return "";
}

static json_t *
toylog_json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return json_string(time_text(ms, text));
}

static json_t *
toylog_json_base64(struct span bytes)
{
	struct buf text = buf_max(4096);
	json_t *json;

	base64_write(&text, bytes);
	json = buf_cstr(&text) != NULL ? json_string(buf_cstr(&text)) : NULL;
	buf_free(&text);
	return json;
}

static void
log_state_set(json_t *log, const struct toylog *row, enum list_variant variant, int64_t at_ms)
{
	enum toy_state state =
	    variant == LIST_ALL_RETIRED && row->state != TOY_REJECTED ? TOY_RETIRED : row->state;
	int64_t since = at_ms - row->state_days * DAY_MS;

	if (state == TOY_STATELESS)
		return;
	if (variant == LIST_ALL_RETIRED)
		since = at_ms - DAY_MS;
	json_object_set_new(log, "state",
			    json_pack("{s:{s:o}}", state_names[state], "timestamp", toylog_json_time(since)));
}

static json_t *
toylog_json(struct toylogs *logs, enum log_id id, enum list_variant variant, const char *base)
{
	const struct toylog *row = &rows[id];
	const struct key *key = toylog_key(logs, id);
	json_t *log;
	char url[256];

	if (key == NULL)
		return NULL;
	if (base != NULL)
		snprintf(url, sizeof url, "%s/%s/", base, row->name);
	else
		snprintf(url, sizeof url, "https://%s.ct.lab.test/", row->name);
	log = json_pack("{s:s, s:o, s:o, s:i}", "description", row->name, "log_id",
			toylog_json_base64(span_of(key->spki_sha256, 32)), "key",
			toylog_json_base64(buf_span(&key->spki)), "mmd", (int)toylog_mmd_s(id));
	if (row->tiled) {
		json_object_set_new(log, "submission_url", json_string(url));
		json_object_set_new(log, "monitoring_url", json_string(url));
	} else {
		json_object_set_new(log, "url", json_string(url));
	}
	if (row->test)
		json_object_set_new(log, "log_type", json_string("test"));
	log_state_set(log, row, variant, logs->at_ms);
	if (row->interval[0] != row->interval[1])
		json_object_set_new(log, "temporal_interval",
				    json_pack("{s:o, s:o}", "start_inclusive",
					      toylog_json_time(logs->at_ms + row->interval[0] * DAY_MS),
					      "end_exclusive",
					      toylog_json_time(logs->at_ms + row->interval[1] * DAY_MS)));
	if (row->moved_from != NULL)
		json_object_set_new(log, "previous_operators",
				    json_pack("[{s:s, s:o}]", "name", row->moved_from, "end_time",
					      toylog_json_time(logs->at_ms - DAY_MS)));
	return log;
}

/* The operator's entry in the list, made when it is not there yet. Lent. */
static json_t *
operator_json(json_t *operators, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach (operators, i, entry)
		if (strcmp(json_string_value(json_object_get(entry, "name")), name) == 0)
			return entry;
	entry = json_pack("{s:s, s:[s], s:[], s:[]}", "name", name, "email", "test-only@lab.test", "logs",
			  "tiled_logs");
	return entry != NULL && json_array_append_new(operators, entry) == 0 ? entry : NULL;
}

static int64_t
list_date(enum list_variant variant, int64_t at_ms)
{
	switch (variant) {
	case LIST_FRESH:
	case LIST_ALL_RETIRED:
		return at_ms - DAY_MS / 2;
	case LIST_69_DAYS:
		return at_ms - 69 * DAY_MS;
	case LIST_71_DAYS:
		return at_ms - 71 * DAY_MS;
	case LIST_COUNT:
		break;
	}
	return 0;
}

enum res
toylogs_list(struct toylogs *logs, enum list_variant variant, const char *base, struct buf *out)
{
	json_t *operators = json_array(), *list;
	char *text = NULL;
	bool done = true;

	for (enum log_id id = 0; id < LOG_COUNT && done; id++) {
		json_t *entry, *log;

		if (rows[id].operator_name == NULL)
			continue;
		entry = operator_json(operators, rows[id].operator_name);
		log = toylog_json(logs, id, variant, base);
		done = entry != NULL && log != NULL &&
		       json_array_append_new(json_object_get(entry, rows[id].tiled ? "tiled_logs" : "logs"),
					     log) == 0;
	}
	list = json_pack("{s:s, s:o, s:o}", "version", "lab", "log_list_timestamp",
			 toylog_json_time(list_date(variant, logs->at_ms)), "operators", operators);
	if (done && list != NULL)
		text = json_dumps(list, JSON_INDENT(2));
	buf_text(out, text != NULL ? text : "");
	buf_u8(out, '\n');
	json_decref(list);
	free(text);
	if (!done) /* a key that could not be stored, or no memory: errno says which */
		return RES_IO;
	return text != NULL && buf_ok(out) ? RES_OK : RES_NOMEM;
}
