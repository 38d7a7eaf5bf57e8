/*
 * lab_ask.h - the question that a trial asks a client, and the client's answer.
 */
#ifndef CONTRIB_LAB_RUN_LAB_ASK_H
#define CONTRIB_LAB_RUN_LAB_ASK_H

#include "base/bytes.h"

#define ASK_NAME_MAX    128
#define ASK_RECORDS_MAX 16
#define ASK_EDE_MAX     256

struct asked {
	uint8_t rcode;
	uint8_t a[ASK_RECORDS_MAX][4];
	size_t n_a;
	bool has_ede;
	uint16_t ede_code;
	char ede_text[ASK_EDE_MAX]; /* printable ASCII only */
};

/* A name that has not been asked before: "q-<hex>.example.com." */
void ask_name_new(char name[ASK_NAME_MAX]);
/* The A record that only the lab's encrypted servers give (lab_zone.h), and the one that only the traps
 * give. */
void ask_truth(const char *name, uint8_t a[4]);
void ask_lie(uint8_t a[4]);

/* Appends a query for the name's A record, with an OPT record. */
void ask_query_write(struct buf *out, uint16_t id, const char *name);
/* False: it is not an answer with this id. */
bool ask_answer_read(struct asked *, struct span wire, uint16_t id);
/* Does one of the A records have this address? */
bool ask_says(const struct asked *, const uint8_t a[4]);

#endif
