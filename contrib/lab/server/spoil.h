/*
 * spoil.h - answers altered byte by byte.
 */
#ifndef CONTRIB_LAB_SERVER_SPOIL_H
#define CONTRIB_LAB_SERVER_SPOIL_H

#include "contrib/lab/server/lab_fault.h"
#include "contrib/lab/server/lab_zone.h"

/* Alters the good answer as the faults want. */
void lab_spoil(const struct lab_faults *, const struct lab_zone_question *, struct buf *answer);

#endif
