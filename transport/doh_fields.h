/*
 * doh_fields.h - the few HTTP fields that a DoH client reads and writes, as text. No HTTP/2 in here.
 */
#ifndef TRANSPORT_DOH_FIELDS_H
#define TRANSPORT_DOH_FIELDS_H

#include "transport/transport.h"

/* application/dns-message, with any parameters (RFC 8484, 6; RFC 9110, 8.3.1). */
bool doh_type_is_dns(struct span value);
/* delta-seconds (RFC 9111, 1.2.2): 0 when it is not a number, UINT32_MAX when it is too large. */
uint32_t doh_seconds(struct span value);
/* Age in seconds. In a list, the first member counts (RFC 9111, 5.1). 0 if that is not a number. */
uint32_t doh_age(struct span value);
/* Retry-After, as seconds or as a date (RFC 9110, 10.2.3), in seconds from now; 0 for a date in the past and
 * for anything else. */
uint32_t doh_retry_after(struct span value, int64_t now_ms);
/* Three digits; 0 for anything else. */
int doh_status(struct span value);
/* The name or the address literal, and the port unless it is 443 (RFC 3986, 3.2). */
void doh_authority(struct buf *, const struct tp_target *);
/* The path without a URI template's "{?dns}"; for GET followed by the question (RFC 8484, 4.1). */
void doh_path(struct buf *, const char *path, const struct span *question);

#endif
