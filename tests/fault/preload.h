/*
 * preload.h - for preloaded libraries: the next function of a name.
 *
 * REAL(name), among the declarations of a function of that name, makes `real` the next function of the name.
 */
#ifndef TESTS_FAULT_PRELOAD_H
#define TESTS_FAULT_PRELOAD_H

#include <dlfcn.h>

#define REAL(name)                                                   \
	static __typeof__(name) *real;                               \
	if (real == NULL)                                            \
		real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#endif
