/*
 * netlink.h - the rtnetlink messages that set up the loopback interface of an empty network namespace.
 */
#ifndef CONTRIB_LAB_RUN_NETLINK_H
#define CONTRIB_LAB_RUN_NETLINK_H

#include "base/addr.h"
#include "base/res.h"

/* Brings lo up, gives it these addresses, and makes every other address of both families local too. */
enum res netlink_loopback_set_up(const struct addr *own, size_t n);

#endif
