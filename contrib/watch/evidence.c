#include "config.h"

#include "contrib/watch/evidence.h"

#include "base/replace.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE   0640
#define FOLDER_MODE 0750
#define PROOF_MAX   (64 * 1024)
#define PEM_MAX     (8 * 1024 * 1024)

static int
folder_in(int folder, const char *name)
{
	if (mkdirat(folder, name, FOLDER_MODE) != 0 && errno != EEXIST)
		return -1;
	return openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The folder of one finding, made where it is not there. */
static int
folder_of(int folder, const struct watch_finding *f)
{
	char id[2 * FINDING_ID_SIZE + 1];
	int all = folder_in(folder, EVIDENCE_FOLDER), one;

	if (all < 0)
		return -1;
	one = folder_in(all, finding_id_text(f, id));
	(void)close(all);
	return one;
}

/* What is larger than a file may be is left out: the log and the index say where it is. */
static bool
evidence_put(int folder, const char *name, struct span content)
{
	return content.n == 0 || content.n > EVIDENCE_FILE_MAX ||
	       file_replace_at(folder, name, content, FILE_MODE);
}

static bool
put_buf(int folder, const char *name, struct buf *b)
{
	bool ok = buf_ok(b) && evidence_put(folder, name, buf_span(b));

	if (!buf_ok(b))
		errno = buf_res(b) == RES_LIMIT ? EFBIG : ENOMEM;
	buf_free(b);
	return ok;
}

static bool
put_finding(int folder, const struct watch_finding *f)
{
	struct buf line = buf_max(FINDING_LINE_MAX);

	if (finding_write(&line, f, "finding", false) != RES_OK) {
		buf_free(&line);
		errno = ENOMEM;
		return false;
	}
	buf_text(&line, "\n");
	return put_buf(folder, "finding.json", &line);
}

static bool
put_head(int folder, const char *name, const struct head *head)
{
	struct buf json = buf_max(PROOF_MAX);

	if (head == NULL)
		return true;
	head_write_sth(&json, head);
	buf_text(&json, "\n");
	return put_buf(folder, name, &json);
}

static bool
put_chain(int folder, const struct watch_evidence *e)
{
	struct buf pem = buf_max(PEM_MAX);

	for (size_t i = 0; i < e->n_chain; i++)
		pem_write(&pem, "CERTIFICATE", e->chain[i]);
	return put_buf(folder, "chain.pem", &pem);
}

/* {"log_id": ..., "leaf_index": ..., "audit_path": [...], "tree_head": {...}}, as get-proof-by-hash names them. */
static bool
put_proof(int folder, const struct watch_finding *f, const struct watch_evidence *e)
{
	struct buf json = buf_max(PROOF_MAX);

	if (e->head == NULL || e->proof == NULL)
		return true;
	buf_text(&json, "{\"log_id\":\"");
	base64_write(&json, span_of(f->log_id, sizeof f->log_id));
	buf_format(&json, "\",\"leaf_index\":%llu,\"audit_path\":[", (unsigned long long)f->index);
	for (size_t i = 0; i < e->proof->n; i++) {
		buf_text(&json, i == 0 ? "\"" : ",\"");
		base64_write(&json, span_of(e->proof->hash[i].b, TREE_HASH_SIZE));
		buf_text(&json, "\"");
	}
	buf_text(&json, "],\"tree_head\":");
	head_write_sth(&json, e->head);
	buf_text(&json, "}\n");
	return put_buf(folder, "proof.json", &json);
}

bool
evidence_write(int folder, const struct watch_finding *f, const struct watch_evidence *e)
{
	int in = folder_of(folder, f);
	bool ok = in >= 0 && put_finding(in, f);

	if (ok && e != NULL)
		ok = evidence_put(in, "leaf.bin", e->leaf) &&
		     evidence_put(in, "certificate.der", e->certificate) && put_chain(in, e) &&
		     put_proof(in, f, e);
	else if (ok)
		ok = evidence_put(in, f->precertificate ? "tbs.der" : "certificate.der", buf_span(&f->der));
	if (in >= 0)
		(void)close(in);
	return ok;
}

bool
evidence_write_log(int folder, const struct watch_finding *f, const struct watch_misbehaviour *m)
{
	int in = folder_of(folder, f);
	bool ok = in >= 0 && put_finding(in, f) && put_head(in, "first.json", m->first) &&
		  put_head(in, "second.json", m->second) && evidence_put(in, "answer.bin", m->bytes);

	if (in >= 0)
		(void)close(in);
	return ok;
}
