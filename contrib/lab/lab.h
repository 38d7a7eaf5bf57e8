/*
 * lab.h - the verbs of ctstub-lab.
 *
 * Each takes the arguments after its name, argv[0] being the verb, and returns the exit code: 0 done or
 * accepted, 1 refused, 2 usage, 3 trouble.
 */
#ifndef CONTRIB_LAB_LAB_H
#define CONTRIB_LAB_LAB_H

#include "contrib/lab/pki/world.h"

enum lab_exit { LAB_DONE = 0, LAB_REFUSED = 1, LAB_USAGE = 2, LAB_TROUBLE = 3 };

/* The default addresses of the scenarios' resolver. */
#define LAB_IP4 ((struct addr){.family = ADDR_V4, .ip = {1, 1, 1, 1}})
#define LAB_IP6                                                                                              \
	((struct addr){.family = ADDR_V6,                                                                    \
		       .ip = {0x26, 0x06, 0x47, 0x00, 0x47, 0x00, [14] = 0x11, [15] = 0x11}})

#define LAB_IP4_TWO ((struct addr){.family = ADDR_V4, .ip = {1, 0, 0, 1}})
#define LAB_IP6_TWO                                                                                          \
	((struct addr){.family = ADDR_V6,                                                                    \
		       .ip = {0x26, 0x06, 0x47, 0x00, 0x47, 0x00, [14] = 0x10, [15] = 0x01}})

/* Opens a world, or explains on standard error why it cannot. */
enum res lab_world(struct world **out, const char *folder, int64_t at_ms);

int lab_list(int argc, char **argv);
int lab_pki(int argc, char **argv);
int lab_serve(int argc, char **argv);
int lab_logs_serve(int argc, char **argv);
int lab_faults(int argc, char **argv);
int lab_run(int argc, char **argv);
int lab_report(int argc, char **argv);
int lab_up(int argc, char **argv);
int lab_switch(int argc, char **argv);
int lab_down(int argc, char **argv);

#endif
