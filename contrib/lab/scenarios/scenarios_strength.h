/*
 * scenarios_strength.h - usages, extensions, keys and digests of the chain group's scenarios.
 *
 * `leaf` changes the server's certificate before it is signed; `build` makes the whole chain.
 */
#ifndef CONTRIB_LAB_SCENARIOS_SCENARIOS_STRENGTH_H
#define CONTRIB_LAB_SCENARIOS_SCENARIOS_STRENGTH_H

#include "contrib/lab/scenarios/site.h"

void strength_leaf_client_auth(struct site *, struct forge *);
void strength_leaf_code_signing(struct site *, struct forge *);
void strength_leaf_rsa_2048(struct site *, struct forge *);
void strength_leaf_rsa_1024(struct site *, struct forge *);
void strength_build_weak_intermediate(struct site *);
void strength_leaf_sha1(struct site *, struct forge *);
void strength_build_md5(struct site *);
void strength_build_sha1_intermediate(struct site *);
void strength_leaf_unknown_critical(struct site *, struct forge *);
void strength_leaf_extension_twice(struct site *, struct forge *);

#endif
