#include "verify/onecrl.h"

#include "base/text.h"
#include "verify/disallow.h"
#include "verify/x509/der.h"
#include "verify/json.h"
#include "verify/why.h"

/* The list has about 13 members a record; records are bounded by CERT_MATCH_ENTRIES_MAX. */
#define VALUES_MAX 4000000
#define DEPTH_MAX  16
#define FIELD_MAX  6000 /* characters of base64: an entry must stay below CERT_MATCH_ENTRY_MAX */
#define SERIAL_MAX 64   /* bytes, as in cert_match.c */

enum field { FIELD_ABSENT, FIELD_BAD, FIELD_LONG, FIELD_NOMEM, FIELD_OK };

/* A member that is base64; its bytes go to out, its characters to *text. */
static enum field
field_read(struct buf *out, struct span *text, const json_t *record, const char *key)
{
	const json_t *value = json_object_get(record, key);
	enum res res;

	buf_clear(out);
	if (value == NULL)
		return FIELD_ABSENT;
	if (!json_text(text, value))
		return FIELD_BAD;
	if (text->n > FIELD_MAX)
		return FIELD_LONG;
	res = base64_read(out, *text);
	if (res == RES_NOMEM)
		return FIELD_NOMEM;
	return res == RES_OK && out->n > 0 ? FIELD_OK : FIELD_BAD;
}

/* FIELD_ABSENT: the record is not of this kind. */
static enum field
serial_put(struct buf *out, const json_t *record, struct buf *bytes)
{
	char hex[2 * SERIAL_MAX + 1];
	struct span issuer, serial;
	enum field got = field_read(bytes, &issuer, record, "issuerName");

	if (got != FIELD_OK)
		return got;
	if (der_only(buf_span(bytes), DER_SEQUENCE).bad)
		return FIELD_BAD;
	got = field_read(bytes, &serial, record, "serialNumber");
	if (got != FIELD_OK)
		return got;
	if (bytes->n > SERIAL_MAX)
		return FIELD_LONG;
	buf_format(out, "serial %s issuer der:", hex_write(hex, buf_span(bytes)));
	buf_put(out, issuer);
	buf_u8(out, '\n');
	return FIELD_OK;
}

static enum field
key_put(struct buf *out, const json_t *record, struct buf *bytes)
{
	char hex[65];
	struct span text;
	enum field got = field_read(bytes, &text, record, "pubKeyHash");

	if (got != FIELD_OK)
		return got;
	if (bytes->n != 32)
		return FIELD_BAD;
	buf_format(out, "spki-sha256 %s\n", hex_write(hex, buf_span(bytes)));
	return FIELD_OK;
}

static enum res
records_put(struct buf *out, const json_t *records, size_t *entries, size_t *left_out, struct faults *faults)
{
	struct buf bytes = buf_max(FIELD_MAX);
	const json_t *record;
	size_t i, bad = 0;
	enum field got = FIELD_ABSENT;

	json_array_foreach (records, i, record) {
		got = json_is_object(record) ? serial_put(out, record, &bytes) : FIELD_BAD;
		if (got == FIELD_ABSENT)
			got = key_put(out, record, &bytes);
		if (got == FIELD_NOMEM)
			break;
		if (got == FIELD_BAD) {
			char *why = NULL;

			(void)why_say(&why, RES_OK, "data[%zu]: left out: not a record of base64 fields", i);
			faults_add(faults, 0, why);
			bad++;
		}
		*entries += got == FIELD_OK;
		*left_out += got != FIELD_OK;
	}
	buf_free(&bytes);
	if (got == FIELD_NOMEM)
		return RES_NOMEM;
	return bad > 0 && bad == i ? RES_MALFORMED : RES_OK;
}

enum res
onecrl_to_disallow(char **text, struct span json, size_t *entries, size_t *left_out, struct faults *faults,
		   char **why)
{
	static const struct json_bounds bounds = {DISALLOW_FILE_MAX, DEPTH_MAX, VALUES_MAX};
	struct buf out = buf_max(DISALLOW_FILE_MAX);
	json_t *root, *records;
	size_t taken = 0, passed = 0;
	char *made = NULL;
	enum res res = json_read(&root, json, &bounds, why);

	if (res != RES_OK)
		return res;
	records = json_object_get(root, "data");
	if (!json_is_array(records))
		res = why_say(why, RES_MALFORMED, "no array of records under \"data\"");
	else if (json_array_size(records) > CERT_MATCH_ENTRIES_MAX)
		res = why_say(why, RES_LIMIT, "more than %d records", CERT_MATCH_ENTRIES_MAX);
	else
		res = records_put(&out, records, &taken, &passed, faults);
	if (res == RES_MALFORMED && why != NULL && *why == NULL)
		(void)why_say(why, res, "no record has base64 fields, beginning with data[0]");
	json_decref(root);
	if (res == RES_OK && (made = buf_take_cstr(&out)) == NULL) {
		if (buf_res(&out) == RES_LIMIT)
			res = why_say(why, RES_LIMIT, "the entries are larger than %d bytes",
				      DISALLOW_FILE_MAX);
		else
			res = why_say(why, RES_NOMEM, "no memory");
	}
	buf_free(&out);
	if (res != RES_OK)
		return res;
	*text = made;
	*entries = taken;
	*left_out = passed;
	return RES_OK;
}
