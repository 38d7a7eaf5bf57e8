/*
 * preload.h - for libraries that are preloaded: the function that comes next under a name.
 *
 * REAL(name) stands among the declarations of a function of that name and makes `real` the next one.
 */
#ifndef TESTS_FAULT_PRELOAD_H
#define TESTS_FAULT_PRELOAD_H

#include <dlfcn.h>

#define REAL(name)                                                   \
	static __typeof__(name) *real;                               \
	if (real == NULL)                                            \
		real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#endif
