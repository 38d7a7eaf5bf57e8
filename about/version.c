#include "about/version.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct parts {
	unsigned long epoch;
	const char *upstream, *revision;
	size_t n_upstream, n_revision;
};

static struct parts
parts_of(const char *version)
{
	struct parts p = {.upstream = version, .revision = ""};
	const char *colon = strchr(version, ':'), *hyphen;

	if (colon != NULL) {
		p.epoch = strtoul(version, NULL, 10);
		p.upstream = colon + 1;
	}
	hyphen = strrchr(p.upstream, '-');
	p.n_upstream = hyphen != NULL ? (size_t)(hyphen - p.upstream) : strlen(p.upstream);
	if (hyphen != NULL) {
		p.revision = hyphen + 1;
		p.n_revision = strlen(p.revision);
	}
	return p;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "~" is before the end of the text, letters are before all else. */
static int
weight(const char *s, size_t n, size_t at)
{
	char c = at < n ? s[at] : '\0';

	if (c == '\0' || is_digit(c))
		return 0;
	if (c == '~')
		return -1;
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ? c : c + 256;
}

/* The run of digits at *at: its length without leading zeros; *at comes after it. */
static size_t
digits_take(const char *s, size_t n, size_t *at, const char **first)
{
	size_t length = 0;

	while (*at < n && s[*at] == '0')
		(*at)++;
	*first = s + *at;
	for (; *at < n && is_digit(s[*at]); (*at)++)
		length++;
	return length;
}

/* One part: runs of other characters and numbers take turns. */
static int
part_compare(const char *a, size_t n, const char *b, size_t m)
{
	size_t i = 0, j = 0;
	int d = 0;

	while (d == 0 && (i < n || j < m)) {
		const char *x, *y;
		size_t digits_a, digits_b;

		while (d == 0 && ((i < n && !is_digit(a[i])) || (j < m && !is_digit(b[j])))) {
			d = weight(a, n, i) - weight(b, m, j);
			i += i < n && !is_digit(a[i]);
			j += j < m && !is_digit(b[j]);
		}
		digits_a = digits_take(a, n, &i, &x);
		digits_b = digits_take(b, m, &j, &y);
		if (d == 0)
			d = digits_a != digits_b ? (digits_a < digits_b ? -1 : 1) : memcmp(x, y, digits_a);
	}
	return d;
}

int
version_compare(const char *a, const char *b)
{
	struct parts x = parts_of(a), y = parts_of(b);
	int d = (x.epoch > y.epoch) - (x.epoch < y.epoch);

	if (d == 0)
		d = part_compare(x.upstream, x.n_upstream, y.upstream, y.n_upstream);
	return d != 0 ? d : part_compare(x.revision, x.n_revision, y.revision, y.n_revision);
}

bool
version_holds(const char *package, const char *library)
{
	struct parts p = parts_of(package);
	size_t n = strlen(library);

	/* 3.8.1 holds 3.8, which is all that nettle says of itself; 3.81 does not */
	return p.n_upstream >= n && memcmp(p.upstream, library, n) == 0 &&
	       (p.n_upstream == n || !is_digit(p.upstream[n]));
}

bool
version_same_upstream(const char *a, const char *b)
{
	struct parts x = parts_of(a), y = parts_of(b);

	return part_compare(x.upstream, x.n_upstream, y.upstream, y.n_upstream) == 0;
}
