/*
 * spoil.h - answers made wrong, byte by byte.
 */
#ifndef CONTRIB_LAB_SERVER_SPOIL_H
#define CONTRIB_LAB_SERVER_SPOIL_H

#include "contrib/lab/server/fault.h"
#include "contrib/lab/server/zone.h"

/* Changes the good answer to what the faults want. */
void spoil(const struct faults *, const struct zone_question *, struct buf *answer);

#endif
