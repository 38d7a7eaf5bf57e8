/* A finding as one line of JSON, both ways. */
#include "base/text.h"
#include "contrib/watch/finding.h"

#include <jansson.h>

#include <gnutls/crypto.h>

#include <stdlib.h>
#include <string.h>

static json_t *
hex_json(struct span bytes)
{
	char hex[2 * 32 + 1];

	return json_string(hex_write(hex, span_slice(bytes, 0, 32)));
}

static json_t *
base64_json(struct span bytes)
{
	struct buf text = buf_max(bytes.n / 3 * 4 + 8);
	json_t *out;

	base64_write(&text, bytes);
	out = buf_cstr(&text) != NULL ? json_string(buf_cstr(&text)) : NULL;
	buf_free(&text);
	return out;
}

static json_t *
time_json(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms == 0 ? json_null() : json_string(time_text_ms(ms, text));
}

static json_t *
items_json(const struct watch_finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n_item; i++)
		if (json_array_append_new(
			list, json_pack("{s:s,s:s?}", "item", f->item[i], "upstream", f->upstream[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* What only a certificate has. False: no memory for what finding_read needs. */
static bool
certificate_add(json_t *out, const struct watch_finding *f)
{
	char hash[2 * 32 + 1] = "";
	uint8_t sha256[32];
	bool ok = json_object_set_new(out, "matched", items_json(f)) == 0;

	(void)json_object_set_new(out, "where", json_string(f->where));
	(void)json_object_set_new(out, "shown", json_string(f->shown));
	(void)json_object_set_new(out, "precertificate", json_boolean(f->precertificate));
	(void)json_object_set_new(out, "subject", json_string(f->subject));
	(void)json_object_set_new(out, "issuer", json_string(f->issuer));
	(void)json_object_set_new(out, "serial", json_string(f->serial));
	(void)json_object_set_new(out, "not_before", time_json(f->not_before_ms));
	(void)json_object_set_new(out, "not_after", time_json(f->not_after_ms));
	ok &= json_object_set_new(out, "spki_sha256", hex_json(span_of(f->spki_sha256, 32))) == 0;
	if (!f->precertificate && gnutls_hash_fast(GNUTLS_DIG_SHA256, f->der.p, f->der.n, sha256) >= 0)
		(void)hex_write(hash, span_of(sha256, 32));
	(void)json_object_set_new(out, "cert_sha256", *hash != '\0' ? json_string(hash) : json_null());
	ok &= json_object_set_new(out, "issuer_key_sha256",
				  f->precertificate ? hex_json(span_of(f->issuer_key_hash, 32))
						    : json_null()) == 0;
	return ok;
}

static json_t *
finding_json(const struct watch_finding *f, const char *event)
{
	char time[TIME_TEXT_MAX], id[2 * FINDING_ID_SIZE + 1];
	json_t *out = json_pack("{s:s,s:s,s:s,s:s,s:s?,s:{s:s,s:o},s:I,s:o}", "event", event, "time",
				time_text_ms(f->found_ms, time), "id", finding_id_text(f, id), "kind",
				finding_kind_text(f->kind), "because", f->because, "log", "name", f->log,
				"id", base64_json(span_of(f->log_id, 32)),
				f->kind == FINDING_LOG_MISBEHAVED ? "tree_size" : "index",
				(json_int_t)f->index, "logged", time_json(f->logged_ms));

	if (out != NULL && f->kind != FINDING_LOG_MISBEHAVED && !certificate_add(out, f)) {
		json_decref(out);
		return NULL;
	}
	if (out != NULL && (f->proven || f->unproven != NULL))
		(void)json_object_set_new(out, "proven", json_boolean(f->proven));
	if (out != NULL && f->unproven != NULL)
		(void)json_object_set_new(out, "unproven", json_string(f->unproven));
	if (out != NULL && f->problem != NULL)
		(void)json_object_set_new(out, "problem", json_string(f->problem));
	return out;
}

enum res
finding_write(struct buf *out, const struct watch_finding *f, const char *event, bool with_der)
{
	json_t *json = finding_json(f, event);
	bool ok = json != NULL;
	char *text;

	if (ok && with_der)
		ok = json_object_set_new(json, "der", base64_json(buf_span(&f->der))) == 0;
	text = ok ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (text == NULL)
		return RES_NOMEM;
	buf_text(out, text);
	free(text);
	return buf_res(out);
}

/* ---- reading what we wrote */

static char *
text_take(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return strdup(s != NULL ? s : "");
}

static bool
hex_take(uint8_t *out, size_t n, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL && hex_read(out, n, span_str(s)) == RES_OK;
}

static int64_t
time_take(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	int64_t ms = 0;

	return s != NULL && time_read(&ms, s) == RES_OK ? ms : 0;
}

static enum finding_kind
kind_take(const json_t *o)
{
	return finding_kind_read(json_string_value(json_object_get(o, "kind")));
}

static bool
items_read(struct watch_finding *f, const json_t *list)
{
	size_t i;
	json_t *one;

	json_array_foreach (list, i, one) {
		const char *title = json_string_value(json_object_get(one, "upstream"));

		if (f->n_item == FINDING_ITEMS)
			break;
		f->item[f->n_item] = text_take(one, "item");
		f->upstream[f->n_item] = title != NULL ? strdup(title) : NULL;
		if (f->item[f->n_item] == NULL)
			return false;
		f->n_item++;
	}
	return true;
}

static bool
finding_fill(struct watch_finding *f, const json_t *o)
{
	const json_t *log = json_object_get(o, "log");
	const char *id = json_string_value(json_object_get(log, "id"));
	const char *der = json_string_value(json_object_get(o, "der"));
	struct buf raw = buf_max(32);
	bool ok;

	f->kind = kind_take(o);
	f->problem = json_object_get(o, "problem") != NULL ? text_take(o, "problem") : NULL;
	f->because = text_take(o, "because");
	f->found_ms = time_take(o, "time");
	f->log = text_take(log, "name");
	f->index =
	    (uint64_t)json_integer_value(json_object_get(o, f->problem != NULL ? "tree_size" : "index"));
	f->logged_ms = time_take(o, "logged");
	f->precertificate = json_is_true(json_object_get(o, "precertificate"));
	f->where = text_take(o, "where");
	f->shown = text_take(o, "shown");
	f->subject = text_take(o, "subject");
	f->issuer = text_take(o, "issuer");
	f->serial = text_take(o, "serial");
	f->not_before_ms = time_take(o, "not_before");
	f->not_after_ms = time_take(o, "not_after");
	f->der = buf_max(FINDING_LINE_MAX);
	ok = id != NULL && base64_read(&raw, span_str(id)) == RES_OK && raw.n == 32 && der != NULL &&
	     base64_read(&f->der, span_str(der)) == RES_OK && hex_take(f->id, sizeof f->id, o, "id");
	if (ok && f->problem == NULL)
		ok = hex_take(f->spki_sha256, 32, o, "spki_sha256") &&
		     items_read(f, json_object_get(o, "matched"));
	if (ok)
		memcpy(f->log_id, raw.p, 32);
	buf_free(&raw);
	if (f->precertificate)
		ok = ok && hex_take(f->issuer_key_hash, 32, o, "issuer_key_sha256");
	return ok && f->because != NULL && f->log != NULL && f->where != NULL && f->shown != NULL &&
	       f->subject != NULL && f->issuer != NULL && f->serial != NULL;
}

enum res
finding_read(struct watch_finding **out, struct span line)
{
	struct watch_finding *f = calloc(1, sizeof *f);
	json_t *o = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	enum res res = f == NULL ? RES_NOMEM : o != NULL && finding_fill(f, o) ? RES_OK : RES_MALFORMED;

	json_decref(o);
	if (res == RES_OK)
		*out = f;
	else
		finding_free(f);
	return res;
}
