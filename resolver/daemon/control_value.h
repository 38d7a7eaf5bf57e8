/*
 * control_value.h - JSON values of the control socket's answers. Each is yours.
 */
#ifndef RESOLVER_DAEMON_CONTROL_VALUE_H
#define RESOLVER_DAEMON_CONTROL_VALUE_H

#include <jansson.h>
#include <stdint.h>

json_t *control_value_text(const char *); /* any bytes, escaped where they are not UTF-8; NULL: null */
json_t *control_value_number(uint64_t);
json_t *control_value_known(int64_t);   /* negative: null */
json_t *control_value_date(int64_t ms); /* since 1970 */

#endif
