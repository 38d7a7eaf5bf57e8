#include "contrib/watch/entries_json.h"

#include "base/text.h"
#include "verify/json.h"

#include <stdlib.h>
#include <string.h>

#define LEAF_MAX    ((size_t)17 * 1024 * 1024) /* ASN.1Cert is below 2^24 bytes (RFC 6962, 3.1) */
#define NESTING_MAX 8
#define MEMBER_MAX  64 /* bytes in the name of a member that is looked at */

static void
blanks_skip(struct entries_json *in)
{
	while (in->at < in->text.n && strchr(" \t\r\n", in->text.p[in->at]) != NULL &&
	       in->text.p[in->at] != '\0')
		in->at++;
}

static bool
byte_take(struct entries_json *in, uint8_t byte)
{
	blanks_skip(in);
	if (in->at >= in->text.n || in->text.p[in->at] != byte)
		return false;
	in->at++;
	return true;
}

/* A string without escapes and controls. */
static bool
string_take(struct entries_json *in, struct span *out)
{
	const uint8_t *begin, *end;

	if (!byte_take(in, '"'))
		return false;
	begin = in->text.p + in->at;
	end = memchr(begin, '"', in->text.n - in->at);
	if (end == NULL)
		return false;
	*out = span_of(begin, (size_t)(end - begin));
	in->at += out->n + 1;
	return true;
}

static bool
member_take(struct entries_json *in, const char *name, struct span *value)
{
	struct span found;

	return string_take(in, &found) && span_equal(found, span_str(name)) && byte_take(in, ':') &&
	       string_take(in, value);
}

/* ---- the form that logs write: {"entries":[{"leaf_input":"...","extra_data":"..."},...]} */

static bool
front_take(struct entries_json *in)
{
	struct span name;

	return byte_take(in, '{') && string_take(in, &name) && span_equal(name, span_str("entries")) &&
	       byte_take(in, ':') && byte_take(in, '[');
}

static bool
end_take(struct entries_json *in)
{
	if (!byte_take(in, ']') || !byte_take(in, '}'))
		return false;
	blanks_skip(in);
	return in->at == in->text.n;
}

static enum res
base64_take(struct buf *out, struct span text)
{
	buf_clear(out);
	return base64_read(out, text);
}

enum fast { FAST_ENTRY, FAST_END, FAST_OTHER, FAST_STARVED };

static bool
entries_json_take(struct entries_json *in, struct span *leaf, struct span *extra)
{
	return (in->n == 0 || byte_take(in, ',')) && byte_take(in, '{') &&
	       member_take(in, "leaf_input", leaf) && byte_take(in, ',') &&
	       member_take(in, "extra_data", extra) && byte_take(in, '}');
}

static enum fast
entry_take_fast(struct entries_json *in, struct span *leaf, struct span *extra)
{
	struct span leaf_text, extra_text;
	size_t begin = in->at;
	enum res r;

	if (end_take(in))
		return FAST_END;
	in->at = begin;
	if (!entries_json_take(in, &leaf_text, &extra_text))
		return FAST_OTHER;
	r = base64_take(&in->leaf, leaf_text);
	if (r == RES_OK && extra != NULL)
		r = base64_take(&in->extra, extra_text);
	if (r != RES_OK)
		return r == RES_NOMEM ? FAST_STARVED : FAST_OTHER;
	*leaf = buf_span(&in->leaf);
	if (extra != NULL)
		*extra = buf_span(&in->extra);
	return FAST_ENTRY;
}

/* ---- anything else */

static enum res
tree_read(struct entries_json *in)
{
	const struct json_bounds bounds = {in->text.n, NESTING_MAX, (size_t)ENTRIES_JSON_MAX * 8};
	json_t *root;
	enum res r = json_read(&root, in->text, &bounds, NULL);

	if (r == RES_OK && !json_is_array(json_object_get(root, "entries"))) {
		json_decref(root);
		r = RES_MALFORMED;
	}
	if (r == RES_OK)
		in->tree = root;
	else
		in->why = "the answer is not the JSON of get-entries";
	return r;
}

static enum res
member_read(struct buf *out, const json_t *entry, const char *name)
{
	struct span text;

	return json_text(&text, json_object_get(entry, name)) ? base64_take(out, text) : RES_MALFORMED;
}

static enum res
entry_take_tree(struct entries_json *in, struct span *leaf, struct span *extra)
{
	const json_t *entries = json_object_get(in->tree, "entries"), *entry;
	enum res r;

	if (in->n >= json_array_size(entries))
		return RES_NOT_FOUND;
	entry = json_array_get(entries, in->n);
	r = member_read(&in->leaf, entry, "leaf_input");
	if (r == RES_OK && extra != NULL)
		r = member_read(&in->extra, entry, "extra_data");
	if (r == RES_NOMEM)
		return r;
	if (r != RES_OK) {
		in->why = "an entry without leaf_input and extra_data in base64";
		return RES_MALFORMED;
	}
	*leaf = buf_span(&in->leaf);
	if (extra != NULL)
		*extra = buf_span(&in->extra);
	return RES_OK;
}

void
entries_json_open(struct entries_json *in, struct span text)
{
	in->text = text;
	in->at = in->n = 0;
	in->why = NULL;
	in->leaf.max = in->extra.max = LEAF_MAX;
	json_decref(in->tree);
	in->tree = NULL;
	in->fast = front_take(in);
}

enum res
entries_json_next(struct entries_json *in, struct span *leaf, struct span *extra)
{
	enum res r = RES_OK;

	if (in->n == ENTRIES_JSON_MAX) {
		in->why = "too many entries";
		return RES_LIMIT;
	}
	if (in->fast) {
		switch (entry_take_fast(in, leaf, extra)) {
		case FAST_ENTRY:
			in->n++;
			return RES_OK;
		case FAST_END:
			return RES_NOT_FOUND;
		case FAST_OTHER:
			in->fast = false;
			break;
		case FAST_STARVED:
			return RES_NOMEM;
		}
	}
	if (in->tree == NULL)
		r = tree_read(in);
	if (r == RES_OK)
		r = entry_take_tree(in, leaf, extra);
	in->n += r == RES_OK;
	return r;
}

void
entries_json_free(struct entries_json *in)
{
	json_decref(in->tree);
	in->tree = NULL;
	buf_free(&in->leaf);
	buf_free(&in->extra);
}
