/*
 * Evidence of one entry: the entry with its chain, and the proof that it is in the log's tree.
 *
 * Step by step: the entry, the issuers that a static-ct log keeps by their hash, the proof to the newest verified head. A
 * step that fails is tried again, more slowly each time.
 */
#include "base/clock.h"
#include "base/random.h"
#include "contrib/watch/follow.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX  12 /* with the waits between them: an hour */
#define BYTES_MAX  ((size_t)4 * 1024 * 1024)
#define ISSUER_MAX ((size_t)256 * 1024) /* as large as certificates are read elsewhere */
#define ONE_ENTRY  65536

static void
proven_end(struct proven *p, enum res res, const char *why, const struct watch_evidence *evidence)
{
	watch_evidence_fn *fn = p->fn;
	void *arg = p->arg;
	const struct watch_log *log = &p->follow->log;
	uint64_t index = p->index;

	/* the evidence is in p, which stays in use until the callback returns */
	fn(arg, res, why, log, index, evidence);
	buf_free(&p->bytes);
	*p = (struct proven){.used = false};
}

/* retry_after_ms: what the log asks for, 0: nothing. */
static void
proven_failed(struct proven *p, const char *why, int64_t retry_after_ms)
{
	bool once = p->reader->settings.once;
	int64_t wait_ms = PACE_BACKOFF_MS;

	p->under_way = false;
	if (++p->tries >= TRIES_MAX ||
	    (once && (p->tries >= FOLLOW_GIVE_UP || retry_after_ms > PACE_BACKOFF_MAX_MS))) {
		proven_end(p, RES_IO, why != NULL ? why : "the log does not answer", NULL);
		return;
	}
	for (unsigned i = 0; i < p->tries && wait_ms < PACE_BACKOFF_MAX_MS; i++)
		wait_ms *= 2;
	wait_ms = wait_ms / 2 + random_below((uint32_t)(wait_ms / 2 + 1));
	if (retry_after_ms > PACE_RETRY_AFTER_MAX_MS)
		retry_after_ms = PACE_RETRY_AFTER_MAX_MS;
	p->next_ms = clock_boot_ms() + (wait_ms > retry_after_ms ? wait_ms : retry_after_ms);
}

/* Any answer with status 200. */
static bool
answer_good(struct proven *p, const struct fetch_answer *answer)
{
	p->under_way = false;
	if (answer->result == FETCH_ANSWER && answer->status == 200)
		return true;
	proven_failed(p, answer->why != NULL ? answer->why : "the log does not give the entry",
		      answer->retry_after_ms);
	return false;
}

static bool
proven_get(struct proven *p, struct buf *url, size_t expected, size_t limit, bool gzip, fetch_fn *fn)
{
	struct fetch_request request = {
	    .url = buf_cstr(url), .expected = expected, .limit = limit, .gzip = gzip};

	p->under_way = request.url != NULL && fetcher_get(p->reader->fetcher, &request, fn, p) == RES_OK;
	buf_free(url);
	return p->under_way;
}

/* ---- the entry */

static void
chain_add(struct proven *p, struct span issuer)
{
	buf_put(&p->bytes, issuer);
	p->chain_n[p->n_chain++] = issuer.n;
}

/* Of get-entries the chain is at hand; of a tile its fingerprints are. */
static bool
extra_keep(struct proven *p, const struct batch_entry *e)
{
	struct entry_extra extra = e->extra;
	struct span certificate;

	if (!p->follow->log.ctlog->tiled &&
	    entry_read_extra(&extra, e->extra_data, e->entry.precertificate) != RES_OK)
		return false;
	certificate = e->entry.precertificate ? extra.precertificate : e->entry.certificate;
	buf_put(&p->bytes, certificate);
	p->certificate_n = certificate.n;
	for (size_t i = 0; i < extra.n_chain && p->n_chain < WATCH_CHAIN_MAX; i++)
		chain_add(p, extra.chain[i]);
	for (size_t i = 0; i + 32 <= extra.fingerprints.n && p->n_issuers < WATCH_CHAIN_MAX; i += 32)
		memcpy(p->fingerprint[p->n_issuers++], extra.fingerprints.p + i, 32);
	return buf_ok(&p->bytes);
}

static bool
entry_keep(struct proven *p, const struct batch_entry *e)
{
	buf_clear(&p->bytes);
	p->n_chain = p->n_issuers = 0;
	buf_put(&p->bytes, e->front);
	buf_put(&p->bytes, e->rest);
	p->leaf_n = e->front.n + e->rest.n;
	p->certificate_n = 0;
	tree_leaf_hash(p->reader->hasher, &p->leaf_hash, e->front, e->rest);
	p->has_entry = !e->readable || extra_keep(p, e);
	return p->has_entry;
}

static void
proven_on_entry(void *arg, const struct fetch_answer *answer)
{
	struct proven *p = arg;
	const struct watch_log *log = &p->follow->log;
	uint64_t first = log->ctlog->tiled ? p->index / TILE_WIDTH * TILE_WIDTH : p->index;
	struct batch_entry entry;

	if (!answer_good(p, answer))
		return;
	if (reader_entry_find(p->reader, log, buf_span(&answer->body->bytes), answer->gzip, first, p->index,
			      &entry) != RES_OK ||
	    !entry_keep(p, &entry))
		proven_failed(p, "the answer does not have the entry", 0);
}

static bool
entry_ask(struct proven *p)
{
	const struct watch_log *log = &p->follow->log;
	unsigned width = source_tile_width(0, p->index / TILE_WIDTH, p->follow->state.head.size);
	struct buf url = buf_max(FETCHER_URL_MAX);

	/* a partial tile may be gone by now: each second try is for the full one */
	source_entries_url(&url, log, p->index, p->index + 1, p->tries % 2 == 1 ? TILE_WIDTH : width);
	return proven_get(p, &url, log->ctlog->tiled ? p->follow->entry_bytes * TILE_WIDTH : ONE_ENTRY,
			  FETCHER_ANSWER_MAX, true, proven_on_entry);
}

/* ---- the issuers */

static void
proven_on_issuer(void *arg, const struct fetch_answer *answer)
{
	struct proven *p = arg;
	struct span issuer = buf_span(&answer->body->bytes);
	uint8_t hash[32];

	if (!answer_good(p, answer))
		return;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, issuer.p, issuer.n, hash) < 0 ||
	    memcmp(hash, p->fingerprint[p->n_chain], 32) != 0) {
		proven_failed(p, "the log gives another issuer than the entry names", 0);
		return;
	}
	chain_add(p, issuer);
	if (!buf_ok(&p->bytes))
		proven_end(p, RES_LIMIT, "the chain is too large", NULL);
}

static bool
issuer_ask(struct proven *p)
{
	struct buf url = buf_max(FETCHER_URL_MAX);

	source_issuer_url(&url, &p->follow->log, p->fingerprint[p->n_chain]);
	return proven_get(p, &url, 4096, ISSUER_MAX, false, proven_on_issuer);
}

/* ---- the proof */

static void
proven_on_proof(void *arg, const struct proof_result *result)
{
	struct proven *p = arg;

	p->job = NULL;
	p->under_way = false;
	if (result->res == RES_OK &&
	    tree_inclusion_verify(p->reader->hasher, &p->leaf_hash, p->index, p->head.size, result->proof,
				  &p->head.root) == RES_OK) {
		p->proof = *result->proof;
		p->has_proof = true;
		return;
	}
	p->has_entry = false; /* the log may have another entry there now */
	proven_failed(p, result->res == RES_OK ? "the log does not prove that it has the entry" : result->why,
		      result->answer != NULL ? result->answer->retry_after_ms : 0);
}

static bool
proven_proof_ask(struct proven *p)
{
	struct proof_request request = {
	    .log = &p->follow->log, .inclusion = true, .first = p->index, .leaf = p->leaf_hash};

	p->head = p->follow->state.head;
	request.second = p->head.size;
	if (p->head.size == 1) { /* the leaf is the root */
		p->proof.n = 0;
		p->has_proof = tree_hash_equal(&p->leaf_hash, &p->head.root);
		return p->has_proof;
	}
	p->under_way = proof_start(&p->job, p->reader->fetcher, p->reader->hasher, &request, proven_on_proof,
				   p) == RES_OK;
	return p->under_way;
}

/* ---- all of it */

static void
proven_report(struct proven *p)
{
	struct watch_evidence evidence = {.head = &p->head, .proof = &p->proof, .n_chain = p->n_chain};
	struct span bytes = buf_span(&p->bytes);
	size_t at = p->leaf_n + p->certificate_n;

	evidence.leaf = span_slice(bytes, 0, p->leaf_n);
	evidence.certificate = span_slice(bytes, p->leaf_n, p->certificate_n);
	for (size_t i = 0; i < p->n_chain; at += p->chain_n[i++])
		evidence.chain[i] = span_slice(bytes, at, p->chain_n[i]);
	proven_end(p, RES_OK, NULL, &evidence);
}

static void
proven_go_on(struct proven *p, int64_t now_ms)
{
	bool asked;

	if (!p->follow->has_head || p->follow->state.head.size <= p->index)
		return; /* the head comes first */
	if (!p->has_entry)
		asked = entry_ask(p);
	else if (p->n_chain < p->n_issuers)
		asked = issuer_ask(p);
	else if (!p->has_proof)
		asked = proven_proof_ask(p);
	else {
		proven_report(p);
		return;
	}
	if (!asked)
		p->next_ms = now_ms + FOLLOW_RECHECK_MS;
	follow_due(p->reader, p->under_way ? INT64_MAX : p->next_ms);
}

void
proven_step(struct watch_reader *reader, int64_t now_ms)
{
	for (size_t i = 0; i < WATCH_EVIDENCE_MAX; i++) {
		struct proven *p = &reader->proven[i];

		if (!p->used || p->under_way)
			continue;
		if (p->next_ms > now_ms)
			follow_due(reader, p->next_ms);
		else
			proven_go_on(p, now_ms);
	}
}

void
proven_close(struct watch_reader *reader)
{
	for (size_t i = 0; i < WATCH_EVIDENCE_MAX; i++) {
		struct proven *p = &reader->proven[i];

		if (!p->used)
			continue;
		proof_drop(p->job);
		fetcher_drop(reader->fetcher, p);
		buf_free(&p->bytes);
		p->used = false;
	}
}

enum res
watch_evidence_get(struct watch_reader *reader, const struct watch_log *log, uint64_t index,
		   watch_evidence_fn *fn, void *arg)
{
	struct proven *p = NULL;
	const struct follow *follow = NULL;
	unsigned n_log = 0;

	for (size_t i = 0; i < reader->n_follow; i++)
		if (&reader->follow[i].log == log)
			follow = &reader->follow[i];
	for (size_t i = 0; i < WATCH_EVIDENCE_MAX; i++) {
		if (!reader->proven[i].used)
			p = &reader->proven[i];
		else
			n_log += reader->proven[i].follow == follow;
	}
	if (follow == NULL)
		return RES_NOT_FOUND;
	if (p == NULL || n_log >= WATCH_EVIDENCE_LOG_MAX)
		return RES_LIMIT;
	*p = (struct proven){.reader = reader,
			     .follow = follow,
			     .index = index,
			     .fn = fn,
			     .arg = arg,
			     .used = true,
			     .bytes = buf_max(BYTES_MAX)};
	return RES_OK;
}
