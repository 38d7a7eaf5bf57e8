/*
 * question.h - the one question that leaves in clear text, and what is believed of its answer. Bytes in, bytes out: no
 * sockets, no clock.
 */
#ifndef CONTRIB_PORTAL_QUESTION_H
#define CONTRIB_PORTAL_QUESTION_H

#include "base/dns/portal_message.h"

#define QUESTION_MAX (MSG_HEADER + MSG_NAME_MAX + 4)
/* More than a resolver sends to a question without EDNS (512 bytes); longer ones are dropped. */
#define ANSWER_UDP_MAX 1232
#define ALIASES_MAX    8 /* CNAMEs followed; content networks use up to four */

/* Header and question: RD, one question, no EDNS, so that nothing in it identifies the machine. Appends. */
void question_compose(struct buf *out, uint16_t id, uint16_t type, struct span name);

enum question_verdict {
	QUESTION_ANSWERED, /* outcome, ttl and addresses are filled */
	QUESTION_IGNORED,  /* it does not answer this question: another may come */
	QUESTION_REFUSED,  /* it does, and says that this resolver cannot help */
};

/*
 * Judges what came back for a question of question_compose: it must be an answer to it (id, name, type, class),
 * well-formed to the last byte. Only addresses of the name itself, or of the end of its CNAME chain in this message,
 * count. Loopback, unspecified and multicast addresses are dropped: a web page at a login name must not reach a server on
 * loopback. A truncated answer is used as far as it goes; the question is never repeated over TCP.
 */
enum question_verdict question_judge(struct portal_message *answer, struct span wire, struct span question);

#endif
