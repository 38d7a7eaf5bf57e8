/*
 * dpkg.h - the versions of installed packages, from dpkg's database.
 */
#ifndef ABOUT_DPKG_H
#define ABOUT_DPKG_H

#include <stddef.h>
#include <stdio.h>

#define DPKG_STATUS "/var/lib/dpkg/status"
/* Bytes with the NUL; the longest in Debian 12 has 46, a longer one is not known. */
#define DPKG_VERSION_MAX 64
/* Bytes that are read: Debian with everything installed would need about 50 MiB. */
#define DPKG_FILE_MAX (64L << 20)

struct dpkg_wanted {
	const char *packages;           /* names with a space between them: any of them */
	char version[DPKG_VERSION_MAX]; /* out: empty when none is installed */
};

/* Fills in the versions of the wanted packages that the file has as installed. */
void dpkg_read(FILE *status, struct dpkg_wanted *wanted, size_t n);

/* The same of this machine; everything stays empty where there is no dpkg. */
void dpkg_find(struct dpkg_wanted *wanted, size_t n);

#endif
