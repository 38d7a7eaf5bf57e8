#include "config.h"

#include "verify/ct/head.h"

#include "base/text.h"
#include "verify/ct/logsign.h"
#include "verify/json.h"
#include "verify/why.h"

#include <gnutls/crypto.h>

#include <string.h>

#define VALUES_MAX     64 /* members in a head: it has four */
#define NESTING_MAX    4  /* depth of it: it has one */
#define LINES_MAX      64 /* signatures under a checkpoint: the log's and those of its witnesses */
#define NOTE_SIGNATURE 5  /* RFC6962NoteSignature (C2SP static-ct-api, Checkpoints) */
#define DASH           "\xe2\x80\x94 " /* U+2014 and a space begin a signature line (C2SP signed-note) */

/* digitally-signed (RFC 5246, 4.7), which fills the span. */
static bool
signature_read(struct head *head, struct span wire)
{
	struct cursor in = cursor_over(wire);
	struct span signature;

	head->hash_algorithm = cursor_u8(&in);
	head->signature_algorithm = cursor_u8(&in);
	signature = cursor_vec16(&in);
	if (!cursor_done(&in) || signature.n == 0 || signature.n > HEAD_SIGNATURE_MAX)
		return false;
	head->n_signature = (uint16_t)signature.n;
	memcpy(head->signature, signature.p, signature.n);
	return true;
}

static enum res
root_read(struct head *head, struct span text)
{
	struct buf b = buf_max(TREE_HASH_SIZE);
	enum res r = base64_read(&b, text);

	if (r == RES_OK && b.n == TREE_HASH_SIZE)
		memcpy(head->root.b, b.p, TREE_HASH_SIZE);
	else if (r != RES_NOMEM)
		r = RES_MALFORMED;
	buf_free(&b);
	return r;
}

static bool
number_member(uint64_t *out, const json_t *root, const char *name)
{
	const json_t *value = json_object_get(root, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static enum res
sth_members_read(struct head *head, const json_t *json)
{
	struct buf bytes = buf_max(HEAD_SIGNATURE_MAX + 4);
	struct span root, signature;
	enum res r = RES_MALFORMED;

	if (json_is_object(json) && number_member(&head->size, json, "tree_size") &&
	    head->size <= TREE_SIZE_MAX && number_member(&head->timestamp_ms, json, "timestamp") &&
	    json_text(&root, json_object_get(json, "sha256_root_hash")) &&
	    json_text(&signature, json_object_get(json, "tree_head_signature")))
		r = root_read(head, root);
	if (r == RES_OK)
		r = base64_read(&bytes, signature);
	if (r == RES_OK && !signature_read(head, buf_span(&bytes)))
		r = RES_MALFORMED;
	buf_free(&bytes);
	return r;
}

enum res
head_read_sth(struct head *out, struct span json, char **why)
{
	static const struct json_bounds bounds = {HEAD_FILE_MAX, NESTING_MAX, VALUES_MAX};
	struct head head = {0};
	json_t *root;
	enum res r = json_read(&root, json, &bounds, why);

	if (r != RES_OK)
		return r;
	r = sth_members_read(&head, root);
	if (r == RES_OK)
		*out = head;
	else if (r == RES_NOMEM)
		r = why_say(why, r, "no memory");
	else
		r = why_say(why, RES_MALFORMED, "not a signed tree head");
	json_decref(root);
	return r;
}

/* The lines up to an empty one are what is signed; those after it are signatures. */
static bool
note_split(struct span note, struct span *body, struct span *signatures)
{
	const uint8_t *gap = note.n == 0 ? NULL : memmem(note.p, note.n, "\n\n", 2);

	if (gap == NULL || note.p[note.n - 1] != '\n')
		return false;
	*body = span_of(note.p, (size_t)(gap - note.p) + 1);
	*signatures = span_slice(note, body->n + 1, note.n);
	return true;
}

/* Takes the bytes up to a newline off the front; CR is a byte like others here. */
static struct span
line_take(struct span *text)
{
	const uint8_t *end = text->n == 0 ? NULL : memchr(text->p, '\n', text->n);
	size_t n = end == NULL ? text->n : (size_t)(end - text->p);
	struct span line = span_of(text->p, n);

	*text = span_slice(*text, end == NULL ? n : n + 1, text->n);
	return line;
}

static bool
size_read_decimal(uint64_t *out, struct span line)
{
	uint64_t n = 0;

	if (line.n == 0 || line.n > 19 || (line.n > 1 && line.p[0] == '0'))
		return false;
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(line.p[i] - '0');
	}
	*out = n;
	return n <= TREE_SIZE_MAX;
}

static bool
key_id(uint8_t out[4], struct span name, const uint8_t log_id[32])
{
	struct buf b = buf_max(HEAD_ORIGIN_MAX + 2 + 32);
	uint8_t hash[32];
	bool ok;

	buf_put(&b, name);
	buf_u8(&b, '\n');
	buf_u8(&b, NOTE_SIGNATURE);
	buf_put(&b, span_of(log_id, 32));
	ok = buf_ok(&b) && gnutls_hash_fast(GNUTLS_DIG_SHA256, b.p, b.n, hash) >= 0;
	buf_free(&b);
	memcpy(out, hash, 4);
	return ok;
}

/* One signature line: dash, name, base64 of key id, timestamp and signature. RES_MALFORMED: it is another key's, or cannot
 * be read. */
static enum res
signature_line_read(struct head *head, struct span line, struct span origin, const uint8_t id[4])
{
	const size_t front = strlen(DASH) + origin.n + 1;
	struct buf bytes = buf_max(4 + 8 + 4 + HEAD_SIGNATURE_MAX);
	struct cursor in;
	enum res r;

	if (line.n <= front || memcmp(line.p, DASH, strlen(DASH)) != 0 ||
	    !span_equal(span_slice(line, strlen(DASH), origin.n), origin) || line.p[front - 1] != ' ')
		return RES_MALFORMED;
	r = base64_read(&bytes, span_slice(line, front, line.n));
	in = cursor_over(buf_span(&bytes));
	if (r != RES_NOMEM && !span_equal(cursor_take(&in, 4), span_of(id, 4)))
		r = RES_MALFORMED;
	head->timestamp_ms = cursor_u64(&in);
	if (r == RES_OK && (!cursor_ok(&in) || !signature_read(head, span_of(in.p, cursor_left(&in)))))
		r = RES_MALFORMED;
	buf_free(&bytes);
	return r;
}

static enum res
signatures_read(struct head *head, struct span lines, struct span origin, const uint8_t log_id[32],
		char **why)
{
	uint8_t id[4];
	enum res r = key_id(id, origin, log_id) ? RES_MALFORMED : RES_NOMEM;

	for (size_t i = 0; r != RES_NOMEM && lines.n > 0; i++) {
		if (i == LINES_MAX)
			return why_say(why, RES_MALFORMED, "more than %d signatures", LINES_MAX);
		r = signature_line_read(head, line_take(&lines), origin, id);
		if (r == RES_OK)
			return RES_OK;
	}
	if (r == RES_NOMEM)
		return why_say(why, r, "no memory");
	return why_say(why, RES_MALFORMED, "no signature of the log's key");
}

enum res
head_read_checkpoint(struct head *out, struct span note, const uint8_t log_id[32], const char *want,
		     char **why)
{
	struct span body, signatures, origin, size, root;
	char quote[WHY_QUOTE_MAX];
	struct head head = {0};
	enum res r;

	if (note.n > HEAD_FILE_MAX || !note_split(note, &body, &signatures))
		return why_say(why, RES_MALFORMED, "not a signed note");
	origin = line_take(&body);
	size = line_take(&body);
	root = line_take(&body);
	r = origin.n == 0 || origin.n > HEAD_ORIGIN_MAX || !text_is_plain(origin) || body.n > 0 ||
		    !size_read_decimal(&head.size, size)
		? RES_MALFORMED
		: root_read(&head, root);
	if (r == RES_NOMEM)
		return why_say(why, r, "no memory");
	if (r != RES_OK)
		return why_say(why, RES_MALFORMED, "not a checkpoint of origin, size and root");
	if (want != NULL && !span_equal(origin, span_str(want)))
		return why_say(why, RES_MALFORMED, "the origin is \"%s\", not the log's",
			       why_quote(quote, origin));
	r = signatures_read(&head, signatures, origin, log_id, why);
	/* a head is kept in the JSON of get-sth, whose numbers end here */
	if (r == RES_OK && head.timestamp_ms > INT64_MAX)
		r = why_say(why, RES_MALFORMED, "the timestamp is too large");
	if (r == RES_OK)
		*out = head;
	return r;
}

void
head_write_sth(struct buf *out, const struct head *head)
{
	struct buf signature = buf_max(HEAD_SIGNATURE_MAX + 4);

	buf_u8(&signature, head->hash_algorithm);
	buf_u8(&signature, head->signature_algorithm);
	buf_u16(&signature, head->n_signature);
	buf_put(&signature, span_of(head->signature, head->n_signature));
	buf_format(out, "{\"tree_size\":%llu,\"timestamp\":%llu,\"sha256_root_hash\":\"",
		   (unsigned long long)head->size, (unsigned long long)head->timestamp_ms);
	base64_write(out, span_of(head->root.b, TREE_HASH_SIZE));
	buf_text(out, "\",\"tree_head_signature\":\"");
	base64_write(out, buf_span(&signature));
	buf_text(out, "\"}");
	out->bad = out->bad || !buf_ok(&signature);
	buf_free(&signature);
}

enum res
head_verify(const struct head *head, const struct ctlog *log)
{
	struct buf bytes = buf_max(2 + 8 + 8 + TREE_HASH_SIZE);
	enum res r;

	if (!log_algorithm_fits(log, head->hash_algorithm, head->signature_algorithm))
		return RES_MALFORMED;
	buf_u8(&bytes, 0); /* v1 (RFC 6962, 3.5) */
	buf_u8(&bytes, 1); /* tree_hash */
	buf_u64(&bytes, head->timestamp_ms);
	buf_u64(&bytes, head->size);
	buf_put(&bytes, span_of(head->root.b, TREE_HASH_SIZE));
	r = buf_ok(&bytes)
		? log_signature_verify(log, buf_span(&bytes), span_of(head->signature, head->n_signature))
		: RES_NOMEM;
	buf_free(&bytes);
	return r;
}
