/* The API of RFC 6962, 4, and the submissions that both kinds of logs accept: add-chain and add-pre-chain. */
#include "config.h"

#include "contrib/lab/logs/logs_inside.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define DER_MAX (1024 * 1024)

bool
path_take(struct span *path, const char *front)
{
	size_t n = strlen(front);

	if (path->n < n || memcmp(path->p, front, n) != 0)
		return false;
	*path = span_slice(*path, n, path->n);
	return true;
}

bool
path_number(struct span text, uint64_t *out)
{
	*out = 0;
	if (text.n == 0 || text.n > 18)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(text.p[i] - '0');
	}
	return true;
}

/* The value of a parameter of the query, as it stands. */
static bool
logs_query_find(struct span query, const char *name, struct span *value)
{
	for (size_t i = 0, n; i < query.n; i += n + 1) {
		struct span pair = span_slice(query, i, query.n);

		for (n = 0; n < pair.n && pair.p[n] != '&'; n++)
			;
		pair.n = n;
		if (path_take(&pair, name) && path_take(&pair, "=")) {
			*value = pair;
			return true;
		}
	}
	return false;
}

static bool
query_number(struct span query, const char *name, uint64_t *out)
{
	struct span value;

	return logs_query_find(query, name, &value) && path_number(value, out);
}

/* RFC 3986, 2.1. */
static void
percent_decode(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t byte = text.p[i];

		if (byte == '%' && hex_read(&byte, 1, span_slice(text, i + 1, 2)) == RES_OK)
			i += 2;
		buf_u8(out, byte);
	}
}

static void
quoted_base64(struct buf *out, struct span bytes)
{
	buf_u8(out, '"');
	base64_write(out, bytes);
	buf_u8(out, '"');
}

static void
get_sth(struct lab_log *log, struct logs_reply *reply)
{
	struct toy_head head;
	enum res res = lab_log_head(log, &head);

	if (res == RES_OK) {
		buf_format(&reply->body,
			   "{\"tree_size\":%" PRIu64 ",\"timestamp\":%" PRIu64 ",\"sha256_root_hash\":",
			   head.size, head.timestamp_ms);
		quoted_base64(&reply->body, span_of(head.root.b, sizeof head.root.b));
		buf_text(&reply->body, ",\"tree_head_signature\":");
		quoted_base64(&reply->body, buf_span(&head.signature));
		buf_text(&reply->body, "}");
	} else {
		reply_say(reply, 500, res_text(res));
	}
	buf_free(&head.signature);
}

static void
proof_write(struct lab_log *log, struct buf *out, struct tree_proof *proof)
{
	if (log->wrong[MISBEHAVE_BAD_PROOF] && proof->n > 0)
		proof->hash[0].b[0] ^= 1;
	buf_text(out, "[");
	for (size_t i = 0; i < proof->n; i++) {
		if (i > 0)
			buf_text(out, ",");
		quoted_base64(out, span_of(proof->hash[i].b, sizeof proof->hash[i].b));
	}
	buf_text(out, "]");
}

static void
get_consistency(struct lab_log *log, struct span query, struct logs_reply *reply)
{
	struct toyview view = lab_log_view(log);
	struct tree_proof proof = {.n = 0};
	uint64_t first, second;

	if (!query_number(query, "first", &first) || !query_number(query, "second", &second) ||
	    second > lab_log_merge(log) ||
	    tree_consistency_prove(toytree_hasher(log->tree), &proof, first, second, toyview_node, &view) !=
		RES_OK) {
		reply_say(reply, 400, "first and second of a tree were expected");
		return;
	}
	buf_text(&reply->body, "{\"consistency\":");
	proof_write(log, &reply->body, &proof);
	buf_text(&reply->body, "}");
}

static void
get_proof_by_hash(struct lab_log *log, struct span query, struct logs_reply *reply)
{
	struct buf text = buf_max(256), hash = buf_max(32);
	struct toyview view = lab_log_view(log);
	struct tree_proof proof = {.n = 0};
	struct span value = {NULL, 0};
	uint64_t size, index;

	if (logs_query_find(query, "hash", &value))
		percent_decode(&text, value);
	if (base64_read(&hash, buf_span(&text)) != RES_OK || hash.n != 32 ||
	    !query_number(query, "tree_size", &size) || size == 0 || size > lab_log_merge(log)) {
		reply_say(reply, 400, "the hash of a leaf and the size of a tree were expected");
	} else if (toytree_find(log->tree, hash.p, size, &index) != RES_OK ||
		   (log->wrong[MISBEHAVE_MISSING_ENTRY] && index == log->victim) ||
		   tree_inclusion_prove(toytree_hasher(log->tree), &proof, index, size, toyview_node,
					&view) != RES_OK) {
		reply_say(reply, 404, "no such leaf");
	} else {
		buf_format(&reply->body, "{\"leaf_index\":%" PRIu64 ",\"audit_path\":", index);
		proof_write(log, &reply->body, &proof);
		buf_text(&reply->body, "}");
	}
	buf_free(&text);
	buf_free(&hash);
}

static void
logs_entry_write(struct lab_log *log, uint64_t index, struct buf *out, struct buf *scratch)
{
	buf_clear(scratch);
	toytree_leaf(log->tree, index, scratch);
	if (log->wrong[MISBEHAVE_ALTERED_ENTRY] && index == log->victim && scratch->n > 12)
		scratch->p[scratch->n - 12] ^= 1;
	buf_text(out, "{\"leaf_input\":");
	quoted_base64(out, buf_span(scratch));
	buf_clear(scratch);
	toytree_extra(log->tree, index, scratch);
	buf_text(out, ",\"extra_data\":");
	quoted_base64(out, buf_span(scratch));
	buf_text(out, "}");
}

static void
entries_write(struct lab_log *log, uint64_t start, uint64_t end, struct buf *out)
{
	struct buf scratch = buf_max(TOYTREE_ENTRY_MAX);
	bool comma = false;

	buf_text(out, "{\"entries\":[");
	for (uint64_t i = start; i <= end; i++) {
		if (log->wrong[MISBEHAVE_MISSING_ENTRY] && i == log->victim)
			continue;
		if (comma)
			buf_text(out, ",");
		logs_entry_write(log, i, out, &scratch);
		comma = true;
	}
	buf_text(out, "]}");
	out->bad = out->bad || !buf_ok(&scratch);
	buf_free(&scratch);
}

/* Without the lock where all is filler: this is what benches read. */
static void
get_entries(struct lab_log *log, struct span query, struct logs_reply *reply)
{
	uint64_t start, end, size, batch;
	bool filler;

	pthread_mutex_lock(&log->lock);
	size = lab_log_merge(log);
	batch = log->wrong[MISBEHAVE_FEWER_ENTRIES] ? 3 : log->options->batch;
	if (!query_number(query, "start", &start) || !query_number(query, "end", &end) || start > end ||
	    start >= size) {
		reply_say(reply, 400, "start and end of what is in the tree were expected");
		pthread_mutex_unlock(&log->lock);
		return;
	}
	end = end < size ? end : size - 1;
	end = end - start < batch ? end : start + batch - 1;
	filler = toytree_is_filler(log->tree, end);
	if (filler)
		pthread_mutex_unlock(&log->lock);
	entries_write(log, start, end, &reply->body);
	if (!filler)
		pthread_mutex_unlock(&log->lock);
}

bool
log_api_read(struct lab_log *log, struct span path, struct logs_reply *reply)
{
	static const struct {
		const char *front;
		void (*run)(struct lab_log *, struct span query, struct logs_reply *);
	} calls[] = {{"get-sth-consistency?", get_consistency}, {"get-proof-by-hash?", get_proof_by_hash}};

	reply->type = "application/json";
	if (!path_take(&path, "ct/v1/"))
		return false;
	if (path_take(&path, "get-entries?")) {
		get_entries(log, path, reply);
		return true;
	}
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (path_take(&path, calls[i].front)) {
			pthread_mutex_lock(&log->lock);
			calls[i].run(log, path, reply);
			pthread_mutex_unlock(&log->lock);
			return true;
		}
	if (!span_equal(path, span_str("get-sth")))
		return false;
	pthread_mutex_lock(&log->lock);
	get_sth(log, reply);
	pthread_mutex_unlock(&log->lock);
	return true;
}

/* ---- submission */

struct submission {
	struct buf der[TOYTREE_CHAIN_MAX];
	struct span chain[TOYTREE_CHAIN_MAX];
	size_t n;
};

static enum res
submission_read(struct submission *s, struct span body)
{
	json_t *root = json_loadb((const char *)body.p, body.n, 0, NULL), *item;
	enum res res = RES_OK;
	size_t i;

	json_array_foreach (json_object_get(root, "chain"), i, item) {
		if (i == TOYTREE_CHAIN_MAX || !json_is_string(item)) {
			res = RES_MALFORMED;
			break;
		}
		s->der[i] = buf_max(DER_MAX);
		s->n = i + 1;
		res = base64_read(&s->der[i], span_str(json_string_value(item)));
		s->chain[i] = buf_span(&s->der[i]);
		if (res != RES_OK)
			break;
	}
	json_decref(root);
	return res == RES_OK && s->n > 0 ? RES_OK : RES_MALFORMED;
}

/* RFC 6962, 4.1: the answer is the SCT. */
static void
sct_answer(struct lab_log *log, const struct leaf *leaf, struct buf *out)
{
	struct buf bytes = buf_max(2 * DER_MAX), signature = buf_max(1024), extensions = buf_max(64);

	leaf_write(&bytes, leaf);
	lab_log_sign(log, buf_span(&bytes), &signature);
	leaf_extensions_write(&extensions, leaf);
	buf_text(out, "{\"sct_version\":0,\"id\":");
	quoted_base64(out, span_of(log->key->spki_sha256, 32));
	buf_format(out, ",\"timestamp\":%" PRIu64 ",\"extensions\":", leaf->timestamp_ms);
	quoted_base64(out, span_slice(buf_span(&extensions), 2, extensions.n)); /* without its length */
	buf_text(out, ",\"signature\":");
	quoted_base64(out, buf_span(&signature));
	buf_text(out, "}");
	out->bad = out->bad || !buf_ok(&bytes) || !buf_ok(&signature);
	buf_free(&bytes);
	buf_free(&signature);
	buf_free(&extensions);
}

static enum res
submission_enter(struct lab_log *log, const struct submission *s, bool precertificate,
		 struct logs_reply *reply)
{
	struct leaf leaf = {
	    .timestamp_ms = (uint64_t)clock_wall_ms(), .has_index = log->tiled, .certificate = s->chain[0]};
	struct buf tbs = buf_max(DER_MAX);
	uint8_t key_hash[32];
	enum res res = RES_OK;

	if (precertificate) {
		res = s->n < 2 ? RES_MALFORMED : leaf_key_hash(key_hash, s->chain[1]);
		if (res == RES_OK)
			res = leaf_tbs_of(&tbs, s->chain[0]);
		leaf.issuer_key_hash = key_hash;
		leaf.certificate = buf_span(&tbs);
	}
	if (res == RES_OK && leaf_is_poisoned(s->chain[0]) != precertificate)
		res = RES_MALFORMED;
	if (res == RES_OK) {
		pthread_mutex_lock(&log->lock);
		leaf.index = toytree_count(log->tree);
		sct_answer(log, &leaf, &reply->body);
		res = lab_log_add(log, &leaf, s->chain, s->n,
				  (int64_t)leaf.timestamp_ms + log->options->merge_delay_ms);
		pthread_mutex_unlock(&log->lock);
	}
	buf_free(&tbs);
	return res;
}

bool
log_api_submit(struct lab_log *log, struct span path, struct span body, struct logs_reply *reply)
{
	bool precertificate = span_equal(path, span_str("ct/v1/add-pre-chain"));
	struct submission s = {.n = 0};
	enum res res;

	if (!precertificate && !span_equal(path, span_str("ct/v1/add-chain")))
		return false;
	reply->type = "application/json";
	res = submission_read(&s, body);
	if (res == RES_OK)
		res = submission_enter(log, &s, precertificate, reply);
	for (size_t i = 0; i < s.n; i++)
		buf_free(&s.der[i]);
	if (res != RES_OK)
		reply_say(reply, res == RES_MALFORMED ? 400 : 503, res_text(res));
	return true;
}
