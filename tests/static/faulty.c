/* What each analyser must find, so that a silent one is not taken for a clean product. Nothing builds this file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
use_after_free(int n)
{
	char *p = malloc(10);
	int a[4];

	if (p == NULL || n > 4)
		return 1;
	p[0] = 1;
	free(p);
	p[1] = (char)n;
	snprintf(p, 2, "%d", n);
	if (memcmp(p, "a", 1))
		return a[7];
	return a[3];
}
