/*
 * forms.h - what a string of the configuration may look like, by its form; and domain names as people write them.
 */
#ifndef CONFIG_FORMS_H
#define CONFIG_FORMS_H

#include "config/options.h"

#define DOMAIN_WIRE_MAX 255 /* RFC 1035, 2.3.4 */

/* What was expected, for an error: "a DNS name". Constant. */
const char *form_expected(enum option_form);
/* Copies text to out in its normal form; false: it is not of this form. */
bool form_read(char out[CONFIG_STRING_MAX + 1], enum option_form, const char *text);
/* The first moment after a day that form_read took: midnight (UTC) at its end. 0 for "". */
int64_t form_date_end_ms(const char *day);
/* NULL, or what is wrong: "the unusable address". Lent. */
const char *form_read_address(struct addr *, enum option_form, const char *text);

/* A name in ASCII: labels of letters, digits, "-" and "_", at most 63 long, 253 in all, with or without the dot at
 * its end; "." is the root. Lower case and without that dot in out. False: it is none. */
bool domain_read(char out[CONFIG_STRING_MAX + 1], const char *text);
/* The wire form of what domain_read gave; its length. */
size_t domain_wire(uint8_t out[DOMAIN_WIRE_MAX], const char *domain);

#endif
