/*
 * pem.h - the binary inside PEM text (RFC 7468). Text around and between the blocks is passed over.
 */
#ifndef VERIFY_X509_PEM_H
#define VERIFY_X509_PEM_H

#include "base/bytes.h"
#include "base/res.h"

/* A text read block by block. */
struct pem_text {
	struct span left;
	size_t line; /* of what comes next, from 1 */
};

struct pem_text pem_text_over(struct span);
/*
 * Appends the content of the next block with any of the n labels ("CERTIFICATE") to out; *label: which, *line: where it
 * begins. RES_NOT_FOUND: there is none left. RES_MALFORMED: it has no end or is not base64. RES_LIMIT: more than out
 * takes. RES_NOMEM. After RES_MALFORMED and RES_LIMIT the text continues after the bad block, so reading can go on; a
 * block without an end line of its own label ends where the next block begins.
 */
enum res pem_next_of(struct buf *out, struct pem_text *, const char *const *labels, size_t n, size_t *label,
		     size_t *line);
/* The same for one label, without lines. */
enum res pem_next(struct buf *out, struct span *text, const char *label);

#endif
