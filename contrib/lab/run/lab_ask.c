#include "contrib/lab/run/lab_ask.h"
#include "base/random.h"
#include "contrib/lab/pki/key.h"

#include <stdio.h>
#include <string.h>

#define TYPE_A     1
#define TYPE_OPT   41
#define OPTION_EDE 15 /* RFC 8914, 2 */
#define UDP_SIZE   1232

void
ask_name_new(char name[ASK_NAME_MAX])
{
	snprintf(name, ASK_NAME_MAX, "q-%08x%08x.example.com.", random_u32(), random_u32());
}

void
ask_truth(const char *name, uint8_t a[4])
{
	uint8_t hash[32];

	lab_sha256(hash, span_of(name, strlen(name) - 1)); /* without the last dot */
	a[0] = 198;
	a[1] = 18;
	a[2] = hash[0];
	a[3] = hash[1];
}

void
ask_lie(uint8_t a[4])
{
	memset(a, 6, 4);
}

void
ask_query_write(struct buf *out, uint16_t id, const char *name)
{
	size_t n;

	buf_u16(out, id);
	buf_u16(out, 0x0100); /* RD */
	buf_u16(out, 1);
	buf_u16(out, 0);
	buf_u16(out, 0);
	buf_u16(out, 1);
	for (; *name != '\0'; name += n + 1) {
		n = strcspn(name, ".");
		buf_u8(out, (uint8_t)n);
		buf_put(out, span_of(name, n));
	}
	buf_u8(out, 0);
	buf_u16(out, TYPE_A);
	buf_u16(out, 1);
	buf_u8(out, 0);
	buf_u16(out, TYPE_OPT);
	buf_u16(out, UDP_SIZE);
	buf_u32(out, 0);
	buf_u16(out, 0);
}

/* Passes over a name, compressed or not. */
static void
ask_name_skip(struct cursor *in)
{
	uint8_t n;

	while (cursor_ok(in) && (n = cursor_u8(in)) != 0) {
		if (n >= 0xc0) {
			cursor_u8(in);
			return;
		}
		cursor_take(in, n);
	}
}

static void
ask_ede_read(struct asked *asked, struct span options)
{
	struct cursor in = cursor_over(options);

	while (cursor_left(&in) >= 4) {
		uint16_t code = cursor_u16(&in);
		struct span value = cursor_vec16(&in);
		size_t n = 0;

		if (code != OPTION_EDE || value.n < 2)
			continue;
		asked->has_ede = true;
		asked->ede_code = be16_read(value.p);
		for (size_t i = 2; i < value.n && n + 1 < sizeof asked->ede_text; i++)
			asked->ede_text[n++] =
			    value.p[i] >= 0x20 && value.p[i] < 0x7f ? (char)value.p[i] : '?';
		asked->ede_text[n] = '\0';
	}
}

static void
ask_record_read(struct asked *asked, struct cursor *in)
{
	uint16_t type;
	struct span data;

	ask_name_skip(in);
	type = cursor_u16(in);
	cursor_u16(in);
	cursor_u32(in);
	data = cursor_vec16(in);
	if (type == TYPE_A && data.n == 4 && asked->n_a < ASK_RECORDS_MAX)
		memcpy(asked->a[asked->n_a++], data.p, 4);
	if (type == TYPE_OPT)
		ask_ede_read(asked, data);
}

bool
ask_answer_read(struct asked *asked, struct span wire, uint16_t id)
{
	struct cursor in = cursor_over(wire);
	uint16_t flags, questions;
	uint32_t records = 0;

	*asked = (struct asked){.n_a = 0};
	if (cursor_u16(&in) != id)
		return false;
	flags = cursor_u16(&in);
	asked->rcode = flags & 0x0f;
	questions = cursor_u16(&in);
	for (int i = 0; i < 3; i++)
		records += cursor_u16(&in);
	for (uint16_t i = 0; i < questions && cursor_ok(&in); i++) {
		ask_name_skip(&in);
		cursor_u32(&in);
	}
	for (uint32_t i = 0; i < records && cursor_ok(&in); i++)
		ask_record_read(asked, &in);
	return cursor_ok(&in) && (flags & 0x8000) != 0;
}

bool
ask_says(const struct asked *asked, const uint8_t a[4])
{
	for (size_t i = 0; i < asked->n_a; i++)
		if (memcmp(asked->a[i], a, 4) == 0)
			return true;
	return false;
}
