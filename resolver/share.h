/*
 * share.h - how much of something scarce each client address holds, and whether it may have more.
 *
 * One address may hold at most twice what is still free (dynamic thresholds: Choudhury and Hahne, 1998): a
 * lone client gets two thirds of everything, and however many press, the next one who comes finds room. No
 * table of clients has to be configured, and an address that holds nothing costs nothing.
 */
#ifndef RESOLVER_SHARE_H
#define RESOLVER_SHARE_H

#include "base/addr.h"
#include "base/res.h"

struct share;

enum res share_new(struct share **, uint32_t cap);
void share_free(struct share *);
/* True: one more is counted for this address (the port does not matter). */
bool share_take(struct share *, const struct addr *);
void share_give(struct share *, const struct addr *);
uint32_t share_used(const struct share *);
uint32_t share_of(const struct share *, const struct addr *);

#endif
