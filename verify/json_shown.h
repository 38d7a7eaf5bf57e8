/*
 * json_shown.h - text with arbitrary bytes as a string of JSON, which is UTF-8 (RFC 8259, 8.1).
 */
#ifndef VERIFY_JSON_SHOWN_H
#define VERIFY_JSON_SHOWN_H

#include <jansson.h>

/* A file name or another text: as it is if it is UTF-8, otherwise as a complaint shows it (text_show). NULL is null.
 * Yours (json_decref); NULL: out of memory. */
json_t *json_shown(const char *text);

#endif
