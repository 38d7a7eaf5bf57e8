/*
 * spoil.h - answers made wrong, byte by byte.
 */
#ifndef LAB_SPOIL_H
#define LAB_SPOIL_H

#include "contrib/lab/fault.h"
#include "contrib/lab/zone.h"

/* Changes the good answer to what the faults want. */
void spoil(const struct faults *, const struct zone_question *, struct buf *answer);

#endif
