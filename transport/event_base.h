/* event_base.h - libevent's base of a loop that one thread owns. */
#ifndef TRANSPORT_EVENT_BASE_H
#define TRANSPORT_EVENT_BASE_H

#include "base/res.h"

struct event_base;

/* *out is yours (event_base_free). RES_NOMEM, or RES_IO: no descriptors, errno says why. */
enum res event_base_make(struct event_base **out);

#endif
