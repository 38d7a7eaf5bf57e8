/*
 * spoil.h - answers made wrong, byte by byte.
 */
#ifndef CONTRIB_LAB_SERVER_SPOIL_H
#define CONTRIB_LAB_SERVER_SPOIL_H

#include "contrib/lab/server/lab_fault.h"
#include "contrib/lab/server/lab_zone.h"

/* Changes the good answer to what the faults want. */
void lab_spoil(const struct lab_faults *, const struct lab_zone_question *, struct buf *answer);

#endif
