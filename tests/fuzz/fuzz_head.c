/*
 * fuzz_head.c - signed tree heads, as JSON of get-sth and as checkpoints: a head that is read is written and read again the
 * same, and none has a valid signature of a log of the list.
 *
 * The input is either form. The key of the checkpoint's log has the id 01 02 00 00..., its origin is log.example/2026h2.
 */
#include "verify/ct/head.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const uint8_t log_id[32] = {1, 2};

static void
same(const struct head *a, const struct head *b)
{
	check(a->size == b->size && a->timestamp_ms == b->timestamp_ms && tree_hash_equal(&a->root, &b->root));
	check(a->hash_algorithm == b->hash_algorithm && a->signature_algorithm == b->signature_algorithm);
	check(a->n_signature == b->n_signature && memcmp(a->signature, b->signature, a->n_signature) == 0);
}

static void
head_look(const struct head *head)
{
	static struct ctlogs *logs;
	struct buf json = buf_max(HEAD_FILE_MAX);
	struct head again;

	check(head->size <= TREE_SIZE_MAX && head->n_signature > 0 && head->n_signature <= HEAD_SIGNATURE_MAX);
	head_write_sth(&json, head);
	check(buf_ok(&json) && head_read_sth(&again, buf_span(&json), NULL) == RES_OK);
	same(head, &again);
	buf_free(&json);
	if (logs == NULL)
		check(ctlogs_compiled_in(&logs) == RES_OK);
	for (size_t i = 0; i < 2; i++)
		check(head_verify(head, ctlogs_at(logs, i)) == RES_MALFORMED);
}

static void
outcome_look(enum res r, const struct head *head, const char *why)
{
	check((r == RES_OK) == (why == NULL));
	if (r == RES_OK)
		head_look(head);
	else
		check(r == RES_MALFORMED || r == RES_LIMIT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct head head, other;
	char *why = NULL;
	enum res r = head_read_sth(&head, span_of(data, n), &why);

	outcome_look(r, &head, why);
	free(why);
	why = NULL;
	r = head_read_checkpoint(&head, span_of(data, n), log_id, NULL, &why);
	outcome_look(r, &head, why);
	free(why);
	/* with an expected origin more is refused, never less */
	if (head_read_checkpoint(&other, span_of(data, n), log_id, "log.example/2026h2", NULL) == RES_OK) {
		check(r == RES_OK);
		same(&head, &other);
	}
	return 0;
}
