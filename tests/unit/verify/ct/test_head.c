#include "verify/ct/head.h"
#include "base/text.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/verify/ct/signing_log.h"
#include "verify/ct/sct.h"

#include <gnutls/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ORIGIN "log.example/2026h2"

static struct ctlog log_known;
static struct head good;

/* A note's signature by this log under this name, with this type in its key id, in base64. */
static void
note_signature_put(struct buf *out, const struct head *head, const char *name, uint8_t type)
{
	struct buf id = buf_max(200), bytes = buf_max(200);
	uint8_t hash[32];

	buf_text(&id, name);
	buf_u8(&id, '\n');
	buf_u8(&id, type);
	buf_put(&id, span_of(log_known.id, 32));
	assert_true(gnutls_hash_fast(GNUTLS_DIG_SHA256, id.p, id.n, hash) >= 0);
	buf_put(&bytes, span_of(hash, 4));
	buf_u64(&bytes, head->timestamp_ms);
	buf_u8(&bytes, head->hash_algorithm);
	buf_u8(&bytes, head->signature_algorithm);
	buf_u16(&bytes, head->n_signature);
	buf_put(&bytes, span_of(head->signature, head->n_signature));
	base64_write(out, buf_span(&bytes));
	buf_free(&id);
	buf_free(&bytes);
}

static void
an_sth_is_written_read_and_holds(void **state)
{
	struct buf json = buf_max(HEAD_FILE_MAX);
	struct head head;

	(void)state;
	head_write_sth(&json, &good);
	assert_int_equal(head_read_sth(&head, buf_span(&json), NULL), RES_OK);
	assert_memory_equal(&head, &good, sizeof head);
	assert_int_equal(head_verify(&head, &log_known), RES_OK);
	buf_free(&json);
}

static void
a_head_that_was_changed_does_not_hold(void **state)
{
	struct head head;

	(void)state;
#define CHANGED(what) \
	do { \
		head = good; \
		what; \
		assert_int_equal(head_verify(&head, &log_known), RES_MALFORMED); \
	} while (0)
	CHANGED(head.size++);
	CHANGED(head.timestamp_ms--);
	CHANGED(head.root.b[0] ^= 1);
	CHANGED(head.signature[10] ^= 1);
	CHANGED(head.n_signature--);
	CHANGED(head.hash_algorithm = 2);
	CHANGED(head.signature_algorithm = SCT_SIGNATURE_RSA);
}

#define ROOT "\"sha256_root_hash\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\""
#define SIG  "\"tree_head_signature\":\"BAMAAgEC\""

static const struct {
	const char *name;
	const char *json;
	enum res want;
} sths[] = {
    {"all four members", "{\"tree_size\":3,\"timestamp\":4," ROOT "," SIG "}", RES_OK},
    {"and one more", "{\"x\":[],\"tree_size\":3,\"timestamp\":4," ROOT "," SIG "}", RES_OK},
    {"no size", "{\"timestamp\":4," ROOT "," SIG "}", RES_MALFORMED},
    {"a negative size", "{\"tree_size\":-3,\"timestamp\":4," ROOT "," SIG "}", RES_MALFORMED},
    {"a size in text", "{\"tree_size\":\"3\",\"timestamp\":4," ROOT "," SIG "}", RES_MALFORMED},
    {"a size that is not a whole number", "{\"tree_size\":3.0,\"timestamp\":4," ROOT "," SIG "}", RES_MALFORMED},
    {"a size beyond the limit", "{\"tree_size\":9223372036854775807,\"timestamp\":4," ROOT "," SIG "}", RES_MALFORMED},
    {"a root of 3 bytes", "{\"tree_size\":3,\"timestamp\":4,\"sha256_root_hash\":\"AAAA\"," SIG "}", RES_MALFORMED},
    {"no signature", "{\"tree_size\":3,\"timestamp\":4," ROOT "}", RES_MALFORMED},
    {"an empty signature", "{\"tree_size\":3,\"timestamp\":4," ROOT ",\"tree_head_signature\":\"BAMAAA==\"}", RES_MALFORMED},
    {"a signature with a byte after it", "{\"tree_size\":3,\"timestamp\":4," ROOT ",\"tree_head_signature\":\"BAMAAQEC\"}", RES_MALFORMED},
    {"an array", "[]", RES_MALFORMED},
    {"nothing", "", RES_MALFORMED},
};

static void
sths_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sths / sizeof sths[0]; i++) {
		struct head head;
		char *why = NULL;
		enum res r = head_read_sth(&head, span_str(sths[i].json), &why);

		if (r != sths[i].want)
			print_error("%s: %s\n", sths[i].name, why);
		assert_int_equal(r, sths[i].want);
		assert_true((why != NULL) == (r != RES_OK));
		free(why);
	}
}

#define R32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* @1 is the log's signature under ORIGIN, @2 one of another type, @3 one under another name, @4 one with a timestamp of 2^63. */
static const struct {
	const char *name;
	const char *note;
	const char *origin;
	enum res want;
} notes[] = {
    {"a checkpoint", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_OK},
    {"of a log whose origin is not known", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @1\n", NULL, RES_OK},
    {"with a witness before the log", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 witness AAAA\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_OK},
    {"with another key of that name before", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @2\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_OK},
    {"with a line that is not base64 before", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " !\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_OK},
    {"of another log", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @1\n", "other.example", RES_MALFORMED},
    {"signed under another type", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @2\n", ORIGIN, RES_MALFORMED},
    {"signed under another name", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 other.example @3\n", ORIGIN, RES_MALFORMED},
    {"not signed", ORIGIN "\n1234\n" R32 "\n\n", ORIGIN, RES_MALFORMED},
    {"without a gap", ORIGIN "\n1234\n" R32 "\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_MALFORMED},
    {"without an end", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @1", ORIGIN, RES_MALFORMED},
    {"with an extension line", ORIGIN "\n1234\n" R32 "\nmore\n\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_MALFORMED},
    {"with a size that begins with a zero", ORIGIN "\n01234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_MALFORMED},
    {"with a size in hex", ORIGIN "\n0x12\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_MALFORMED},
    {"with a size beyond the limit", ORIGIN "\n9999999999999999999\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_MALFORMED},
    {"with a size that wraps", ORIGIN "\n18446744073709552850\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_MALFORMED},
    {"with a short root", ORIGIN "\n1234\nAAAA\n\n\xe2\x80\x94 " ORIGIN " @1\n", ORIGIN, RES_MALFORMED},
    {"with lines that end in CR LF", ORIGIN "\r\n1234\r\n" R32 "\r\n\r\n\xe2\x80\x94 " ORIGIN " @1\r\n", ORIGIN, RES_MALFORMED},
    {"with a timestamp beyond the numbers of JSON", ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @4\n", ORIGIN, RES_MALFORMED},
    {"with an empty origin", "\n1234\n" R32 "\n\n\xe2\x80\x94  @1\n", "", RES_MALFORMED},
};

static void
note_fill(struct buf *out, const char *text, struct buf signature[4])
{
	for (; *text != '\0'; text++)
		if (*text == '@')
			buf_put(out, buf_span(&signature[*++text - '1']));
		else
			buf_u8(out, (uint8_t)*text);
	assert_true(buf_ok(out));
}

static void
checkpoints_are_read_strictly(void **state)
{
	struct buf signature[4] = {buf_max(1000), buf_max(1000), buf_max(1000), buf_max(1000)};
	struct head late = good;

	(void)state;
	note_signature_put(&signature[0], &good, ORIGIN, 5);
	note_signature_put(&signature[1], &good, ORIGIN, 1);
	note_signature_put(&signature[2], &good, "other.example", 5);
	late.timestamp_ms = (uint64_t)1 << 63;
	signing_log_sign(&late);
	note_signature_put(&signature[3], &late, ORIGIN, 5);
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		struct head head;
		struct buf note = buf_max(2000);
		char *why = NULL;
		enum res r;

note_fill(&note, notes[i].note, signature);
		r = head_read_checkpoint(&head, buf_span(&note), log_known.id, notes[i].origin, &why);
		if (r != notes[i].want)
			print_error("%s: %s\n", notes[i].name, why);
		assert_int_equal(r, notes[i].want);
		free(why);
		buf_free(&note);
		if (r != RES_OK)
			continue;
		assert_memory_equal(&head, &good, sizeof head);
		assert_int_equal(head_verify(&head, &log_known), RES_OK);
	}
	for (size_t i = 0; i < 4; i++)
		buf_free(&signature[i]);
}

static enum res
sth_judge(struct span text)
{
	struct head head;
	enum res r = head_read_sth(&head, text, NULL);

	return r == RES_OK ? head_verify(&head, &log_known) : r;
}

static enum res
checkpoint_judge(struct span text)
{
	struct head head;
	enum res r = head_read_checkpoint(&head, text, log_known.id, ORIGIN, NULL);

	return r == RES_OK ? head_verify(&head, &log_known) : r;
}

/* Else a log is blamed for it, or a state moved away. */
static void
no_memory_does_not_make_a_head_malformed(void **state)
{
	static const struct {
		const char *what;
		enum res (*judge)(struct span);
		size_t least; /* allocations */
	} rows[] = {
	    {"an STH", sth_judge, 3},
	    {"a checkpoint", checkpoint_judge, 4},
	};
	struct buf text[2] = {buf_max(HEAD_FILE_MAX), buf_max(HEAD_FILE_MAX)}, signature[4] = {buf_max(1000), buf_max(1000)};

	(void)state;
	note_signature_put(&signature[0], &good, ORIGIN, 5);
	note_signature_put(&signature[1], &good, ORIGIN, 1);
	head_write_sth(&text[0], &good);
	note_fill(&text[1], ORIGIN "\n1234\n" R32 "\n\n\xe2\x80\x94 " ORIGIN " @2\n\xe2\x80\x94 " ORIGIN " @1\n", signature);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t needed;

		failing_alloc_begin(0);
		assert_int_equal(rows[i].judge(buf_span(&text[i])), RES_OK);
		needed = failing_alloc_end();
		assert_true(needed >= rows[i].least);
		for (size_t at = 1; at <= needed; at++) {
			enum res r;

			failing_alloc_begin(at);
			r = rows[i].judge(buf_span(&text[i]));
			(void)failing_alloc_end();
			if (r != RES_NOMEM)
				fail_msg("%s: %s when allocation %zu of %zu fails", rows[i].what, res_text(r), at, needed);
		}
		buf_free(&text[i]);
		buf_free(&signature[i]);
	}
}

static int
setup(void **state)
{
	(void)state;
	if (!signing_log_open(&log_known))
		return -1;
	good = (struct head){.size = 1234, .timestamp_ms = 1700000000123};
	for (uint8_t i = 0; i < 32; i++)
		good.root.b[i] = i;
	signing_log_sign(&good);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signing_log_close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_sth_is_written_read_and_holds),
	    cmocka_unit_test(a_head_that_was_changed_does_not_hold),
	    cmocka_unit_test(sths_are_read_strictly),
	    cmocka_unit_test(checkpoints_are_read_strictly),
	    cmocka_unit_test(no_memory_does_not_make_a_head_malformed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
