/*
 * client_quota.h - how much of something scarce each client address holds, and whether it may have more.
 *
 * One address may hold at most twice what is still free (dynamic thresholds: Choudhury and Hahne, 1998): a
 * single client gets two thirds of everything, and however many clients there are, there is room for another one. No
 * table of clients has to be configured, and an address that holds nothing costs nothing.
 */
#ifndef RESOLVER_CLIENT_QUOTA_H
#define RESOLVER_CLIENT_QUOTA_H

#include "base/addr.h"
#include "base/res.h"

struct client_quota;

enum res client_quota_new(struct client_quota **, uint32_t cap);
void client_quota_free(struct client_quota *);
/* True: one more is counted for this address (the port does not matter). */
bool client_quota_take(struct client_quota *, const struct addr *);
void client_quota_give(struct client_quota *, const struct addr *);
uint32_t client_quota_used(const struct client_quota *);
uint32_t client_quota_of(struct client_quota *, const struct addr *);

#endif
