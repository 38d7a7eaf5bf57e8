#include "base/text.h"
#include "verify/verdict.h"

#include <stdlib.h>

#include <jansson.h>

/*
 * Every helper gives a new value, or NULL when there is no memory. jansson's setters fail on NULL, so one
 * flag that sticks is asked at the end of each object.
 */

/* Text from outside need not be UTF-8; then its odd bytes are escaped. NULL text is null. */
static json_t *
text_value(const char *text)
{
	struct buf escaped = buf_max(1024 * 1024);
	json_t *value;

	if (text == NULL)
		return json_null();
	value = json_string(text);
	if (value == NULL) {
		text_escape(&escaped, span_str(text));
		value = buf_cstr(&escaped) == NULL ? NULL : json_string(buf_cstr(&escaped));
		buf_free(&escaped);
	}
	return value;
}

static json_t *
time_value(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms == VERDICT_NUMBER_NONE ? json_null() : json_string(time_text(ms, text));
}

static json_t *
hash_value(const uint8_t hash[32])
{
	char text[65];

	return json_string(hex_write(text, span_of(hash, 32)));
}

/* Sets and remembers failure. The value is taken. */
static void
put(json_t *object, const char *key, json_t *value, bool *failed)
{
	if (json_object_set_new(object, key, value) != 0)
		*failed = true;
}

static json_t *
finished(json_t *object, bool failed)
{
	if (!failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *
finding_value(const struct finding *f)
{
	json_t *o = json_object();
	bool failed = o == NULL;

	put(o, "reason", json_string(reason_code(f->reason)), &failed);
	put(o, "stage", json_string(reason_stage(f->reason)), &failed);
	put(o, "text", text_value(f->text), &failed);
	if (f->have != VERDICT_NUMBER_NONE)
		put(o, "have", json_integer(f->have), &failed);
	if (f->want != VERDICT_NUMBER_NONE)
		put(o, "want", json_integer(f->want), &failed);
	if (!f->enforced)
		put(o, "enforced", json_false(), &failed);
	return finished(o, failed);
}

static json_t *
cert_value(const struct verdict_cert *c)
{
	json_t *o = json_object();
	bool failed = o == NULL;

	put(o, "subject", text_value(c->subject), &failed);
	put(o, "issuer", text_value(c->issuer), &failed);
	put(o, "serial", text_value(c->serial), &failed);
	put(o, "not_before", time_value(c->not_before_ms), &failed);
	put(o, "not_after", time_value(c->not_after_ms), &failed);
	put(o, "sha256", hash_value(c->sha256), &failed);
	put(o, "spki_sha256", hash_value(c->spki_sha256), &failed);
	return finished(o, failed);
}

static json_t *
log_id_value(const uint8_t id[32])
{
	struct buf b = buf_max(64);
	json_t *value;

	base64_write(&b, span_of(id, 32));
	value = buf_cstr(&b) == NULL ? NULL : json_string(buf_cstr(&b));
	buf_free(&b);
	return value;
}

static json_t *
sct_value(const struct verdict_sct *s)
{
	char text[TIME_TEXT_MAX];
	json_t *o = json_object();
	bool failed = o == NULL;

	put(o, "log", text_value(s->log), &failed);
	put(o, "operator", text_value(s->operator_name), &failed);
	put(o, "log_id", log_id_value(s->log_id), &failed);
	put(o, "timestamp", json_string(time_text_ms(s->timestamp_ms, text)), &failed);
	put(o, "status", json_string(sct_status_code(s->status)), &failed);
	put(o, "counts", json_boolean(s->counts), &failed);
	return finished(o, failed);
}

/* Only what refuses, each once; findings are in the order of reasons.def already. */
static json_t *
reasons_value(const struct verdict *v)
{
	enum reason last = REASON_NONE;
	json_t *a = json_array();
	bool failed = a == NULL;

	for (size_t i = 0; i < v->n_findings; i++) {
		const struct finding *f = &v->findings[i];

		if (!f->enforced || f->reason == last)
			continue;
		last = f->reason;
		failed |= json_array_append_new(a, json_string(reason_code(last))) != 0;
	}
	if (v->out_of_memory && last != REASON_OUT_OF_MEMORY)
		failed |= json_array_append_new(a, json_string(reason_code(REASON_OUT_OF_MEMORY))) != 0;
	return finished(a, failed);
}

static json_t *
findings_value(const struct verdict *v)
{
	json_t *a = json_array();
	bool failed = a == NULL;

	for (size_t i = 0; i < v->n_findings; i++)
		failed |= json_array_append_new(a, finding_value(&v->findings[i])) != 0;
	return finished(a, failed);
}

static json_t *
warnings_value(const struct verdict *v)
{
	json_t *a = json_array();
	bool failed = a == NULL;

	for (size_t i = 0; i < v->n_warnings; i++)
		failed |= json_array_append_new(a, text_value(v->warnings[i])) != 0;
	return finished(a, failed);
}

static json_t *
chain_value(const struct verdict *v)
{
	json_t *a = json_array();
	bool failed = a == NULL;

	for (size_t i = 0; i < v->n_chain; i++)
		failed |= json_array_append_new(a, cert_value(&v->chain[i])) != 0;
	return finished(a, failed);
}

static json_t *
scts_value(const struct verdict *v)
{
	json_t *a = json_array();
	bool failed = a == NULL;

	for (size_t i = 0; i < v->n_scts; i++)
		failed |= json_array_append_new(a, sct_value(&v->scts[i])) != 0;
	return finished(a, failed);
}

static json_t *
log_list_value(const struct verdict *v)
{
	int64_t age_ms;
	json_t *o;
	bool failed;

	if (v->log_list_ms == VERDICT_NUMBER_NONE)
		return json_null();
	age_ms = v->at_ms - v->log_list_ms;
	o = json_object();
	failed = o == NULL;
	put(o, "date", time_value(v->log_list_ms), &failed);
	put(o, "age_days", json_integer(age_ms / 86400000), &failed);
	return finished(o, failed);
}

static json_t *
expected_value(const struct verdict *v)
{
	json_t *o = json_object();
	bool failed = o == NULL;

	put(o, "ip", text_value(v->expected_ip), &failed);
	put(o, "name", text_value(v->expected_name), &failed);
	return finished(o, failed);
}

char *
verdict_json(const struct verdict *v)
{
	json_t *o = json_object();
	bool failed = o == NULL;
	char *text;

	put(o, "outcome", json_string(verdict_accepted(v) ? "accepted" : "refused"), &failed);
	put(o, "reasons", reasons_value(v), &failed);
	put(o, "findings", findings_value(v), &failed);
	put(o, "warnings", warnings_value(v), &failed);
	put(o, "expected", expected_value(v), &failed);
	put(o, "chain", chain_value(v), &failed);
	put(o, "scts", scts_value(v), &failed);
	put(o, "log_list", log_list_value(v), &failed);
	put(o, "at", time_value(v->at_ms), &failed);
	put(o, "valid_until", time_value(v->valid_until_ms), &failed);
	if (v->report_until_ms != 0)
		put(o, "report_until", time_value(v->report_until_ms), &failed);
	text = failed ? NULL : json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(o);
	return text;
}
