#include "verify/ct/sct.h"
#include "verify/x509/der.h"

#include <string.h>

void
sct_read(struct sct *sct, struct span wire)
{
	struct cursor in = cursor_over(wire);

	memset(sct, 0, sizeof *sct);
	sct->version = cursor_u8(&in);
	if (sct->version != 0)
		return;
	sct->log_id = cursor_take(&in, 32);
	sct->timestamp_ms = cursor_u64(&in);
	sct->extensions = cursor_vec16(&in);
	sct->hash_algorithm = cursor_u8(&in);
	sct->signature_algorithm = cursor_u8(&in);
	sct->signature = cursor_vec16(&in);
	sct->malformed = !cursor_done(&in);
}

enum res
sct_list_read(struct sct_list *list, struct span extension)
{
	struct der_reader outer = der_over(extension);
	struct cursor in = cursor_over(der_take(&outer, DER_OCTET_STRING).body);
	struct cursor items = cursor_over(cursor_vec16(&in));
	enum res r = RES_OK;

	list->n = 0;
	if (!der_done(&outer) || !cursor_done(&in) || cursor_left(&items) == 0)
		return RES_MALFORMED;
	while (r == RES_OK && cursor_left(&items) > 0) {
		struct span item = cursor_vec16(&items);

		/* An item that is cut short is empty, too. */
		if (item.n == 0)
			r = RES_MALFORMED;
		else if (list->n == SCT_LIST_MAX)
			r = RES_LIMIT;
		else
			sct_read(&list->sct[list->n++], item);
	}
	if (r != RES_OK)
		list->n = 0;
	return r;
}

enum res
sct_leaf_index(uint64_t *index, struct span extensions)
{
	struct cursor in = cursor_over(extensions);
	bool seen[256] = {false};
	uint64_t value = 0;

	while (cursor_left(&in) > 0) {
		uint8_t type = cursor_u8(&in);
		struct span data = cursor_vec16(&in);

		if (!cursor_ok(&in) || seen[type] || (type == 0 && data.n != 5))
			return RES_MALFORMED;
		seen[type] = true;
		for (size_t i = 0; type == 0 && i < data.n; i++)
			value = value << 8 | data.p[i];
	}
	if (!cursor_done(&in))
		return RES_MALFORMED;
	if (!seen[0])
		return RES_NOT_FOUND;
	*index = value;
	return RES_OK;
}
