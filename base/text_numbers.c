/*
 * Times, durations, sizes and whole numbers.
 */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Civil date from days since 1970-01-01 and back, proleptic Gregorian, by eras of 400 years. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static void
civil_from_days(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

enum res
time_from_civil(int64_t *ms, int year, int month, int day, int hour, int minute, int second)
{
	static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] ||
	    (month == 2 && day == 29 && !leap) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 60)
		return RES_MALFORMED;
	*ms = (days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000;
	return RES_OK;
}

static const char *
time_format(int64_t ms, char text[TIME_TEXT_MAX], bool with_ms)
{
	int64_t days = ms / 86400000, rest = ms % 86400000, y;
	int m, d;

	if (rest < 0) {
		rest += 86400000;
		days--;
	}
	civil_from_days(days, &y, &m, &d);
	if (y < 0 || y > 9999)
		return memcpy(text, "invalid", sizeof "invalid");
	if (with_ms)
		(void)snprintf(text, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y, m, d,
			       (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60),
			       (int)(rest % 1000));
	else
		(void)snprintf(text, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)y, m, d,
			       (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60));
	return text;
}

const char *
time_text(int64_t ms, char text[TIME_TEXT_MAX])
{
	return time_format(ms, text, false);
}

const char *
time_text_ms(int64_t ms, char text[TIME_TEXT_MAX])
{
	return time_format(ms, text, true);
}

/* n digits; -1 when they are not all digits. */
static int
digits_read(const char **text, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		v = v * 10 + (**text - '0');
	}
	return v;
}

static bool
skip_char(const char **text, const char *any)
{
	if (**text == '\0' || strchr(any, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static enum res
offset_read(int64_t *ms, const char **text)
{
	bool minus = **text == '-';
	int h, m;

	if (skip_char(text, "Zz")) {
		*ms = 0;
		return RES_OK;
	}
	if (!skip_char(text, "+-") || (h = digits_read(text, 2)) < 0 || h > 23 || !skip_char(text, ":") ||
	    (m = digits_read(text, 2)) < 0 || m > 59)
		return RES_MALFORMED;
	*ms = (int64_t)(h * 60 + m) * 60000 * (minus ? 1 : -1);
	return RES_OK;
}

enum res
time_read(int64_t *out, const char *text)
{
	int y, mo, d, h, mi, s;
	int64_t ms, offset, fraction = 0, unit = 100;

	if ((y = digits_read(&text, 4)) < 0 || !skip_char(&text, "-") || (mo = digits_read(&text, 2)) < 0 ||
	    !skip_char(&text, "-") || (d = digits_read(&text, 2)) < 0 || !skip_char(&text, "Tt ") ||
	    (h = digits_read(&text, 2)) < 0 || !skip_char(&text, ":") || (mi = digits_read(&text, 2)) < 0 ||
	    !skip_char(&text, ":") || (s = digits_read(&text, 2)) < 0)
		return RES_MALFORMED;
	if (skip_char(&text, ".")) {
		if (*text < '0' || *text > '9')
			return RES_MALFORMED;
		for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
			fraction += unit * (*text - '0');
	}
	if (offset_read(&offset, &text) != RES_OK || *text != '\0' ||
	    time_from_civil(&ms, y, mo, d, h, mi, s) != RES_OK)
		return RES_MALFORMED;
	*out = ms + fraction + offset;
	return RES_OK;
}

/* A run of digits; the rest is left in *text. */
static enum res
uint_read(uint64_t *out, const char **text)
{
	uint64_t v = 0;

	if (**text < '0' || **text > '9')
		return RES_MALFORMED;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		if (v > (UINT64_MAX - 9) / 10)
			return RES_LIMIT;
		v = v * 10 + (uint64_t)(**text - '0');
	}
	*out = v;
	return RES_OK;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct unit size_units[] = {{"KiB", 1 << 10}, {"MiB", 1 << 20}};

static enum res
quantity_read(uint64_t *out, const char *text, const struct unit *units, size_t n, uint64_t max)
{
	uint64_t v;
	enum res res = uint_read(&v, &text);

	if (res != RES_OK)
		return res;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (v > max / units[i].factor)
			return RES_LIMIT;
		*out = v * units[i].factor;
		return RES_OK;
	}
	return RES_MALFORMED;
}

static const char *
quantity_text(uint64_t v, char text[TIME_TEXT_MAX], const struct unit *units, size_t n)
{
	size_t best = 0;

	for (size_t i = 0; i < n; i++)
		if (v % units[i].factor == 0)
			best = i;
	if (v == 0)
		best = n > 1 && units[0].name[0] != '\0' ? 1 : 0;
	(void)snprintf(text, TIME_TEXT_MAX, "%llu%s", (unsigned long long)(v / units[best].factor),
		       units[best].name);
	return text;
}

enum res
duration_read(int64_t *ms, const char *text)
{
	uint64_t v;
	enum res res = quantity_read(&v, text, duration_units, 5, (uint64_t)36525 * 86400000);

	if (res == RES_OK)
		*ms = (int64_t)v;
	return res;
}

const char *
duration_text(int64_t ms, char text[TIME_TEXT_MAX])
{
	return quantity_text((uint64_t)ms, text, duration_units, 5);
}

enum res
size_read(uint64_t *bytes, const char *text)
{
	return quantity_read(bytes, text, size_units, 2, (uint64_t)1 << 50);
}

const char *
size_text(uint64_t bytes, char text[TIME_TEXT_MAX])
{
	return quantity_text(bytes, text, size_units, 2);
}

enum res
number_read(int64_t *out, const char *text)
{
	bool minus = *text == '-';
	uint64_t v;
	enum res res;

	text += minus;
	res = uint_read(&v, &text);
	if (res != RES_OK)
		return res;
	if (*text != '\0')
		return RES_MALFORMED;
	if (v > INT64_MAX)
		return RES_LIMIT;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return RES_OK;
}

/* "entry" gives "entries", "address" gives "addresses". */
static const char *
plural_of(const char *noun, int *stem)
{
	size_t n = strlen(noun);

	*stem = (int)n;
	if (n > 1 && noun[n - 1] == 'y' && strchr("aeiou", noun[n - 2]) == NULL) {
		*stem = (int)n - 1;
		return "ies";
	}
	return n > 0 && noun[n - 1] == 's' ? "es" : "s";
}

const char *
text_counted(uint64_t n, const char *noun, char text[COUNTED_TEXT_MAX])
{
	int stem;
	const char *end = plural_of(noun, &stem);

	if (n == 1)
		(void)snprintf(text, COUNTED_TEXT_MAX, "1 %s", noun);
	else
		(void)snprintf(text, COUNTED_TEXT_MAX, "%" PRIu64 " %.*s%s", n, stem, noun, end);
	return text;
}
