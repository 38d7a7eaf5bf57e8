#include "resolver/daemon/control_value.h"

#include "base/text.h"

/* Shown of bytes that are no text: a quarter of it, each may need four characters. */
#define VALUE_TEXT_MAX 4096

/* Titles and paths may be any bytes, JSON strings may not. */
json_t *
control_value_text(const char *s)
{
	struct buf escaped = buf_max(VALUE_TEXT_MAX);
	const char *shown;
	json_t *out;

	if (s == NULL)
		return json_null();
	out = json_string(s);
	if (out != NULL)
		return out;
	text_escape(&escaped, span_slice(span_str(s), 0, VALUE_TEXT_MAX / 4));
	shown = buf_cstr(&escaped);
	out = shown == NULL ? json_null() : json_string(shown);
	buf_free(&escaped);
	return out;
}

json_t *
control_value_number(uint64_t v)
{
	return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

/* An unknown time or number is null. */
json_t *
control_value_known(int64_t v)
{
	return v < 0 ? json_null() : json_integer(v);
}

json_t *
control_value_date(int64_t ms)
{
	char s[TIME_TEXT_MAX];

	return json_string(time_text(ms, s));
}
