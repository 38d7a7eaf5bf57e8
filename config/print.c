#include "config/reader.h"

#include <errno.h>

#define PRINT_MAX (64 * 1024 * 1024)

/* Options of DNS over HTTPS are not in effect with DoT. */
static bool
is_in_effect(const struct option_row *o, const void *base)
{
	const struct upstream_settings *u = base;

	return o->section != SECTION_UPSTREAM || u->protocol == TP_DOH ||
	       (o->id != OPTION_URL_PATH && o->id != OPTION_METHOD);
}

static void
put_options(struct buf *b, enum section section, const void *base, uint16_t port)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *o = &option_table[i];

		if (o->section != section || !is_in_effect(o, base))
			continue;
		buf_format(b, "%s%s = ", section == SECTION_TOP ? "" : "\t", o->name);
		option_print(b, o, base, port);
		buf_u8(b, '\n');
	}
}

enum res
settings_print(const struct settings *s, FILE *to)
{
	struct buf b = buf_max(PRINT_MAX);
	enum res res = RES_OK;

	put_options(&b, SECTION_TOP, s, 0);
	for (unsigned section = SECTION_TOP + 1; section < SECTION_UPSTREAM; section++) {
		buf_format(&b, "\n%s {\n", section_names[section]);
		put_options(&b, (enum section)section, s, 0);
		buf_text(&b, "}\n");
	}
	for (size_t i = 0; i < s->n_upstream; i++) {
		buf_text(&b, "\nupstream ");
		string_print(&b, s->upstream[i].title);
		buf_text(&b, " {\n");
		put_options(&b, SECTION_UPSTREAM, &s->upstream[i], upstream_port(&s->upstream[i]));
		buf_text(&b, "}\n");
	}
	for (size_t i = 0; i < s->n_forward; i++) {
		buf_text(&b, "\nforward ");
		string_print(&b, s->forward[i].title);
		buf_text(&b, " {\n");
		put_options(&b, SECTION_FORWARD, &s->forward[i], 0);
		buf_text(&b, "}\n");
	}
	if (!buf_ok(&b))
		res = RES_NOMEM;
	else if (fwrite(b.p, 1, b.n, to) != b.n || fflush(to) != 0)
		res = RES_IO;
	buf_free(&b);
	return res;
}
