/*
 * pkidir.h - a world as files: anchors, log lists, chains, policies, and an index of them.
 *
 * DIR/anchors.pem, DIR/ct-logs*.json   the trusted roots; the log list and its variants
 * DIR/keys/                            private keys, TEST ONLY
 * DIR/chains/NAME.pem                  what the server of a scenario presents
 * DIR/policy/NAME.*                    the client's policy: .anchors.pem .disallow .pins .allow .constraints .crl.pem;
 *                                      .staple is the OCSP response that the server staples
 * DIR/conf/NAME.conf                   the same as a configuration file of ctstub, upstream "lab" (-doh.conf: over DoH)
 * DIR/index.json                       for each scenario: files, address, name, options, expected outcome and reason
 */
#ifndef CONTRIB_LAB_SCENARIOS_PKIDIR_H
#define CONTRIB_LAB_SCENARIOS_PKIDIR_H

#include "contrib/lab/scenarios/site.h"

#include <stdbool.h>

#include <jansson.h>

/* Writes all scenarios that can be judged offline, and the configuration of the others. */
enum res pkidir_write(struct world *, const struct addr *ip4, const struct addr *ip6);

/* Writes what all scenarios share: the folders, the anchors and the log lists. The chains, policies and configurations
 * that are there stay. */
enum res pkidir_write_common(const struct site *);

/* Writes one site's files (not the index), its configuration for an upstream on `port` of the site's
 * address.
 */
enum res pkidir_write_site(const struct site *, bool doh, uint16_t port);

/* A scenario's row as JSON. Yours. */
json_t *scenario_json(const struct scenario *);

#endif
