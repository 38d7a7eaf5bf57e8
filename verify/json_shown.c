#include "config.h"

#include "verify/json_shown.h"

#include "base/bytes.h"
#include "base/text.h"

#include <string.h>

json_t *
json_shown(const char *text)
{
	struct buf shown = {0};
	json_t *out;

	if (text == NULL)
		return json_null();
	out = json_string(text);
	if (out != NULL)
		return out;
	shown = buf_max(4 * strlen(text) + 1);
	text_show(&shown, span_str(text));
	out = buf_cstr(&shown) != NULL ? json_string(buf_cstr(&shown)) : NULL;
	buf_free(&shown);
	return out;
}
