/*
 * compiled_in.h - the upstreams that are used if the configuration has none.
 */
#ifndef CONFIG_COMPILED_IN_H
#define CONFIG_COMPILED_IN_H

#define COMPILED_IN_N 3

extern const char compiled_in_upstreams[];                  /* as a configuration file */
extern const char *const compiled_in_titles[COMPILED_IN_N]; /* of the upstreams in it */

#endif
