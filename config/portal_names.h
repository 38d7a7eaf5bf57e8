/*
 * portal_names.h - the only names that a window for a captive portal lets go in clear text: the compiled list
 * (portal_names.def) and those of portal.names.
 *
 * The daemon asks it which questions it may hand to ctstub-portal, and ctstub-portal asks it again which of them it may
 * send: neither trusts the other. A name is on the list as a whole or not at all: nothing below it, nothing above it.
 */
#ifndef CONFIG_PORTAL_NAMES_H
#define CONFIG_PORTAL_NAMES_H

#include "config/settings.h"

/* name: uncompressed wire form in lower case. */
bool portal_names_have(const struct settings *, struct span name);
/* The compiled list, for manuals and tests; NULL after the last. */
const char *portal_names_compiled(size_t i);

#endif
