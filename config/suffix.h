/*
 * suffix.h - the names below which strangers register theirs: the Public Suffix List, as the system's libpsl has it
 * compiled in. No file is read.
 */
#ifndef CONFIG_SUFFIX_H
#define CONFIG_SUFFIX_H

#include "base/bytes.h"
#include "verify/x509/identity.h"

/* For vfy_policy.is_public_suffix: the suffixes of registries and those of private owners ("s3.amazonaws.com"). */
identity_is_suffix suffix_is_public;

/* A single label in lower case that is a top-level domain of the public DNS, as far as that list knows. */
bool suffix_is_top_level(const char *label);

/*
 * The registered domain of a name in wire form, lower case: the part whose labels one owner controls ("www.example.co.uk"
 * gives "example.co.uk"). A public suffix, or the root, gives itself. The span points into the name.
 */
struct span suffix_zone(struct span name);

#endif
