#include "config.h"

#include "contrib/lab/logs/lab_logs.h"

#include "contrib/lab/logs/logs_inside.h"

#include "base/clock.h"
#include "base/text.h"
#include "verify/ct/sct.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNED_MAX   (2 * 1024 * 1024)
#define PEM_CERT_MAX 64

struct lab_logs {
	struct logs_options options;
	struct filler *filler[2]; /* of RFC 6962 logs, of static-ct logs */
	struct lab_log log[LOG_COUNT];
	size_t n;
};

static const struct {
	const char *name, *text;
} misbehaviours[MISBEHAVIOUR_COUNT] = {
#define MISBEHAVIOUR(id, name, sentence) [MISBEHAVE_##id] = {name, sentence},
#include "contrib/lab/logs/lab_misbehaviour.def"
#undef MISBEHAVIOUR
};

const char *
misbehaviour_name(enum misbehaviour m)
{
	return misbehaviours[m].name;
}

const char *
misbehaviour_text(enum misbehaviour m)
{
	return misbehaviours[m].text;
}

static enum res
log_open(struct lab_logs *logs, struct world *world, enum log_id id, const char *base)
{
	struct lab_log *log = &logs->log[logs->n];
	const char *host = strstr(base, "://");

	log->key = toylog_key(world_logs(world), id);
	log->tiled = toylog_is_tiled(id);
	log->mmd_ms = toylog_mmd_s(id) * SECOND_MS;
	log->options = &logs->options;
	log->name = toylog_name(id);
	snprintf(log->origin, sizeof log->origin, "%s/%s", host != NULL ? host + 3 : base, log->name);
	if (log->key == NULL)
		return RES_IO;
	pthread_mutex_init(&log->lock, NULL);
	logs->n++;
	log->merged = logs->options.fill;
	return toytree_new(&log->tree, logs->filler[log->tiled], logs->options.fill);
}

enum res
lab_logs_new(struct lab_logs **out, struct world *world, const char *base, const struct logs_options *options)
{
	struct lab_logs *logs = calloc(1, sizeof *logs);
	enum res res;

	if (logs == NULL)
		return RES_NOMEM;
	logs->options = *options;
	res = filler_new(&logs->filler[0], world, false, options->entry_size);
	if (res == RES_OK)
		res = filler_new(&logs->filler[1], world, true, options->entry_size);
	for (enum log_id id = 0; id < LOG_COUNT && res == RES_OK; id++)
		if (toylog_is_listed(id))
			res = log_open(logs, world, id, base);
	if (res != RES_OK) {
		lab_logs_free(logs);
		return res;
	}
	*out = logs;
	return RES_OK;
}

void
lab_logs_free(struct lab_logs *logs)
{
	if (logs == NULL)
		return;
	for (size_t i = 0; i < logs->n; i++) {
		toytree_free(logs->log[i].tree);
		free(logs->log[i].due_ms);
		pthread_mutex_destroy(&logs->log[i].lock);
	}
	filler_free(logs->filler[0]);
	filler_free(logs->filler[1]);
	free(logs);
}

static struct lab_log *
log_find(struct lab_logs *logs, struct span name)
{
	for (size_t i = 0; i < logs->n; i++)
		if (span_equal(span_str(logs->log[i].name), name))
			return &logs->log[i];
	return NULL;
}

static bool
misbehaviour_find(enum misbehaviour *out, struct span name)
{
	for (*out = 0; *out < MISBEHAVIOUR_COUNT; (*out)++)
		if (span_equal(span_str(misbehaviours[*out].name), name))
			return true;
	return false;
}

static void
misbehave(struct lab_log *log, enum misbehaviour m, bool on, const uint64_t *victim)
{
	pthread_mutex_lock(&log->lock);
	(void)lab_log_merge(log); /* what was due before stays in the tree */
	log->wrong[m] = on;
	log->victim = victim != NULL ? *victim : log->merged / 2;
	pthread_mutex_unlock(&log->lock);
}

static bool
misbehave_named(struct lab_logs *logs, struct span name, struct span log, bool on, const uint64_t *victim)
{
	enum misbehaviour m;
	bool any = false;

	if (!misbehaviour_find(&m, name))
		return false;
	for (size_t i = 0; i < logs->n; i++)
		if (log.n == 0 || span_equal(span_str(logs->log[i].name), log)) {
			misbehave(&logs->log[i], m, on, victim);
			any = true;
		}
	return any;
}

bool
lab_logs_misbehave(struct lab_logs *logs, const char *misbehaviour, const char *log, bool on)
{
	return misbehave_named(logs, span_str(misbehaviour), span_str(log), on, NULL);
}

/* ---- one log */

uint64_t
lab_log_merge(struct lab_log *log)
{
	uint64_t fill = toytree_count(log->tree) - log->n_due;
	int64_t now = clock_wall_ms();

	while (!log->wrong[MISBEHAVE_LATE_MERGE] && log->merged - fill < log->n_due &&
	       log->due_ms[log->merged - fill] <= now)
		log->merged++;
	return log->merged;
}

struct toyview
lab_log_view(const struct lab_log *log)
{
	return (struct toyview){.tree = log->tree, .forked = log->wrong[MISBEHAVE_SPLIT_VIEW] && log->forked};
}

void
lab_log_sign(struct lab_log *log, struct span bytes, struct buf *out)
{
	struct buf signature = buf_max(1024);

	key_sign(log->key, KEY_SHA256, bytes, &signature);
	buf_u8(out, 4); /* SHA-256; RFC 5246, 7.4.1.4.1 */
	buf_u8(out, log->key->kind == KEY_P256 ? 3 : 1);
	buf_u16(out, (uint16_t)signature.n);
	buf_put(out, buf_span(&signature));
	out->bad = out->bad || !buf_ok(&signature);
	buf_free(&signature);
}

static uint64_t
head_time(const struct lab_log *log)
{
	int64_t now = clock_wall_ms();

	if (log->wrong[MISBEHAVE_STALE_HEAD])
		now -= log->mmd_ms + DAY_MS;
	if (log->wrong[MISBEHAVE_FUTURE_HEAD])
		now += DAY_MS;
	return (uint64_t)now;
}

enum res
lab_log_head(struct lab_log *log, struct toy_head *head)
{
	struct buf bytes = buf_max(64);
	struct toyview view;
	enum res res;

	head->size = lab_log_merge(log);
	if (log->wrong[MISBEHAVE_ROLL_BACK])
		head->size /= 2;
	head->timestamp_ms = head_time(log);
	log->forked = log->heads++ % 2 == 1;
	view = lab_log_view(log);
	head->signature = buf_max(1024);
	res = toyview_root(&view, head->size, &head->root);
	if (res != RES_OK)
		return res;
	buf_u8(&bytes, 0); /* RFC 6962, 3.5: v1, tree_hash */
	buf_u8(&bytes, 1);
	buf_u64(&bytes, head->timestamp_ms);
	buf_u64(&bytes, head->size);
	buf_put(&bytes, span_of(head->root.b, sizeof head->root.b));
	lab_log_sign(log, buf_span(&bytes), &head->signature);
	buf_free(&bytes);
	if (log->wrong[MISBEHAVE_BAD_SIGNATURE] && head->signature.n > 0)
		head->signature.p[head->signature.n - 1] ^= 1;
	return buf_ok(&head->signature) ? RES_OK : RES_NOMEM;
}

enum res
lab_log_add(struct lab_log *log, const struct leaf *leaf, const struct span *chain, size_t n, int64_t due_ms)
{
	int64_t *larger = reallocarray(log->due_ms, log->n_due + 1, sizeof *larger);
	enum res res;

	if (larger == NULL)
		return RES_NOMEM;
	log->due_ms = larger;
	res = toytree_add(log->tree, leaf, chain, n);
	if (res == RES_OK)
		log->due_ms[log->n_due++] = due_ms;
	return res;
}

/* ---- certificates that have SCTs already */

/* Fills a static-ct log up to the index that the SCT promises. */
static enum res
place_make(struct lab_logs *logs, struct lab_log *log, struct span extensions)
{
	uint64_t index, count = toytree_count(log->tree);
	enum res res;

	if (!log->tiled)
		return RES_OK;
	if (sct_leaf_index(&index, extensions) != RES_OK)
		return RES_MALFORMED;
	if (index == count)
		return RES_OK;
	res = toytree_fill(log->tree, logs->filler[1], index);
	if (res == RES_OK)
		log->merged = index;
	return res;
}

static enum res
promise_keep(struct lab_logs *logs, struct lab_log *log, const struct sct *sct, struct span tbs,
	     const uint8_t key_hash[32], const struct span *chain, size_t n)
{
	struct leaf leaf = {.timestamp_ms = sct->timestamp_ms,
			    .issuer_key_hash = key_hash,
			    .certificate = tbs,
			    .extensions = sct->extensions};
	enum res res;

	pthread_mutex_lock(&log->lock);
	res = place_make(logs, log, sct->extensions);
	if (res == RES_OK)
		res = lab_log_add(log, &leaf, chain, n, clock_wall_ms() + logs->options.merge_delay_ms);
	pthread_mutex_unlock(&log->lock);
	return res;
}

static struct lab_log *
log_by_id(struct lab_logs *logs, struct span id)
{
	for (size_t i = 0; i < logs->n; i++)
		if (span_equal(span_of(logs->log[i].key->spki_sha256, 32), id))
			return &logs->log[i];
	return NULL;
}

enum res
lab_logs_enter(struct lab_logs *logs, const struct span *chain, size_t n, struct buf *entered)
{
	struct buf tbs = buf_max(SIGNED_MAX);
	struct sct_list scts = {.n = 0};
	uint8_t key_hash[32];
	enum res res = n < 2 ? RES_MALFORMED : leaf_key_hash(key_hash, chain[1]);
	size_t kept = 0;

	if (res == RES_OK)
		res = sct_list_read(&scts, leaf_sct_list(chain[0]));
	if (res == RES_OK)
		res = leaf_tbs_of(&tbs, chain[0]);
	for (size_t i = 0; res == RES_OK && i < scts.n; i++) {
		struct lab_log *log = scts.sct[i].malformed ? NULL : log_by_id(logs, scts.sct[i].log_id);

		if (log == NULL)
			continue;
		res = promise_keep(logs, log, &scts.sct[i], buf_span(&tbs), key_hash, chain, n);
		if (entered != NULL)
			buf_format(entered, "%s %s\n", log->name, res_text(res));
		kept++;
	}
	buf_free(&tbs);
	return res == RES_OK && kept == 0 ? RES_NOT_FOUND : res;
}

/* ---- the lab's own requests */

void
reply_say(struct logs_reply *reply, int status, const char *text)
{
	reply->status = status;
	reply->type = "text/plain; charset=utf-8";
	buf_clear(&reply->body);
	buf_format(&reply->body, "%s\n", text);
}

/* PEM certificates one after the other. */
static size_t
pem_read(struct span text, struct buf der[PEM_CERT_MAX])
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	struct buf base64 = buf_max(SIGNED_MAX);
	bool inside = false;
	struct span line;
	size_t n = 0;

	while (n < PEM_CERT_MAX && text_line_take(&text, &line)) {
		if (span_equal(line, span_str(begin))) {
			buf_clear(&base64);
			inside = true;
		} else if (inside && span_equal(line, span_str(end))) {
			der[n] = buf_max(SIGNED_MAX);
			inside = false;
			n += base64_read(&der[n], buf_span(&base64)) == RES_OK;
		} else if (inside) {
			buf_put(&base64, line);
		}
	}
	buf_free(&base64);
	return n;
}

static void
chain_enter(struct lab_logs *logs, struct span body, struct logs_reply *reply)
{
	struct buf der[PEM_CERT_MAX];
	struct span chain[PEM_CERT_MAX];
	struct buf entered = buf_max(65536);
	size_t n = pem_read(body, der);
	enum res res;

	for (size_t i = 0; i < n; i++)
		chain[i] = buf_span(&der[i]);
	res = lab_logs_enter(logs, chain, n < TOYTREE_CHAIN_MAX ? n : TOYTREE_CHAIN_MAX, &entered);
	reply_say(reply, res == RES_OK ? 200 : 400, res == RES_OK ? buf_cstr(&entered) : res_text(res));
	for (size_t i = 0; i < n; i++)
		buf_free(&der[i]);
	buf_free(&entered);
}

/* "split-view alpha-1", "no split-view alpha-1", "altered-entry alpha-1 17"; without a log all of them. */
static void
misbehave_line(struct lab_logs *logs, struct span line, struct logs_reply *reply)
{
	struct span word = {NULL, 0}, log = {NULL, 0}, number;
	bool on = true, has_victim;
	uint64_t victim;

	while (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	(void)text_word_take(&line, &word);
	if (span_equal(word, span_str("no"))) {
		on = false;
		(void)text_word_take(&line, &word);
	}
	(void)text_word_take(&line, &log);
	has_victim = text_word_take(&line, &number) && path_number(number, &victim);
	if (misbehave_named(logs, word, log, on, has_victim ? &victim : NULL))
		reply_say(reply, 200, "ok");
	else
		reply_say(reply, 400, "no such misbehaviour or log");
}

/* A line a log: name, kind, entries in the tree, entries in all. */
static void
logs_list(struct lab_logs *logs, struct logs_reply *reply)
{
	reply->status = 200;
	reply->type = "text/plain; charset=utf-8";
	for (size_t i = 0; i < logs->n; i++) {
		struct lab_log *log = &logs->log[i];

		pthread_mutex_lock(&log->lock);
		buf_format(&reply->body, "%s %s %" PRIu64 " %" PRIu64, log->name,
			   log->tiled ? "tiled" : "rfc6962", lab_log_merge(log), toytree_count(log->tree));
		for (enum misbehaviour m = 0; m < MISBEHAVIOUR_COUNT; m++)
			if (log->wrong[m])
				buf_format(&reply->body, " %s", misbehaviours[m].name);
		buf_text(&reply->body, "\n");
		pthread_mutex_unlock(&log->lock);
	}
}

static void
lab_answer(struct lab_logs *logs, struct span path, const struct logs_request *request,
	   struct logs_reply *reply)
{
	if (request->post && span_equal(path, span_str("chain")))
		chain_enter(logs, request->body, reply);
	else if (request->post && span_equal(path, span_str("misbehave")))
		misbehave_line(logs, request->body, reply);
	else if (!request->post && span_equal(path, span_str("logs")))
		logs_list(logs, reply);
	else
		reply_say(reply, 404, "not found");
}

/* ---- which log, and does it answer at all? */

static bool
refuses(struct lab_log *log, struct logs_reply *reply, bool *junk)
{
	const unsigned served_of_busy = 2; /* one request in so many */
	bool busy, broken;

	pthread_mutex_lock(&log->lock);
	busy = log->wrong[MISBEHAVE_BUSY] && log->requests++ % served_of_busy != served_of_busy - 1;
	broken = log->wrong[MISBEHAVE_BROKEN];
	*junk = log->wrong[MISBEHAVE_NOT_JSON];
	reply->slow = log->wrong[MISBEHAVE_SLOW];
	reply->endless = log->wrong[MISBEHAVE_OVERSIZED];
	pthread_mutex_unlock(&log->lock);
	if (busy) {
		reply_say(reply, 429, "too many requests");
		reply->retry_after_s = 1;
	} else if (broken) {
		reply_say(reply, 500, "out of order");
	}
	return busy || broken;
}

static void
log_answer(struct lab_log *log, struct span path, const struct logs_request *request,
	   struct logs_reply *reply)
{
	bool known, junk;

	if (refuses(log, reply, &junk))
		return;
	reply->status = 200;
	if (request->post)
		known = log_api_submit(log, path, request->body, reply);
	else
		known = log->tiled ? log_api_tiles(log, path, request->gzip, reply)
				   : log_api_read(log, path, reply);
	if (!known)
		reply_say(reply, 404, "not found");
	else if (!buf_ok(&reply->body))
		reply_say(reply, 500, "the answer does not fit");
	else if (junk && reply->status == 200)
		reply_say(reply, 200, "<html>Sorry for the inconvenience</html>");
}

void
lab_logs_answer(struct lab_logs *logs, const struct logs_request *request, struct logs_reply *reply)
{
	struct span path = request->path, name;
	struct lab_log *log;

	*reply = (struct logs_reply){.status = 404, .type = "text/plain", .body = reply->body};
	if (path_take(&path, "/lab/")) {
		lab_answer(logs, path, request, reply);
		return;
	}
	name = span_slice(path, 1, path.n);
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '/')
			name.n = i;
	log = log_find(logs, name);
	if (log == NULL || path.n < name.n + 2)
		reply_say(reply, 404, "no such log");
	else
		log_answer(log, span_slice(path, name.n + 2, path.n), request, reply);
}
