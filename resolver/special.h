/*
 * special.h - special-use names: answered locally, never sent upstream.
 *
 * RFC 6761 (localhost, invalid, test; example is resolved like others), 6762 (local), 7686 (onion), 9476 (alt), 8375
 * (home.arpa), 9462 (resolver.arpa), 9665 (service.arpa), 6303 and 7793 (reverse zones of private and reserved addresses).
 */
#ifndef RESOLVER_SPECIAL_H
#define RESOLVER_SPECIAL_H

#include "base/dns/message.h"

struct special;
/*
 * test_is_sent: "test" and names below it are not special. They are for testing (RFC 6761, 6.2), so they are never sent
 * to a public resolver. But if all resolvers are on this machine or in private networks, these resolvers are being
 * tested.
 */
enum res special_new(struct special **, bool test_is_sent);
void special_free(struct special *);
bool special_is_localhost(const struct msg_question *); /* localhost itself, or below it */
/* The name exists: it is one of these zones, or above one. */
bool special_has(const struct special *, struct span name);
/* True: answered, the message is appended. False: nothing special, or the DS of such a zone, which its parent has. */
bool special_answer(const struct special *, const struct msg_question *, struct buf *out);

#endif
