/*
 * onecrl.h - Mozilla's OneCRL as a disallow file.
 *
 * A serial number with its issuer becomes a `serial` entry with the issuer's own bytes, the hash of a key an `spki-sha256`
 * entry, whatever its subject is. Records that are marked as not enabled are taken as well: it is unclear whether Mozilla's own
 * readers use that mark, and an additional entry refuses only what Mozilla once meant to refuse.
 */
#ifndef VERIFY_ONECRL_H
#define VERIFY_ONECRL_H

#include "base/bytes.h"
#include "base/faults.h"
#include "base/res.h"

/* Converts OneCRL's JSON to the text of a disallow file, which is yours. *left_out counts the records that are not
 * in it: those that an entry cannot express, and those that cannot be read, which are also added to faults (may be
 * NULL). RES_MALFORMED: not OneCRL, or no record can be read. On failure *why gets a sentence (why.h). */
enum res onecrl_to_disallow(char **text, struct span json, size_t *entries, size_t *left_out,
			    struct faults *faults, char **why);

#endif
