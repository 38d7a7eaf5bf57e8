/*
 * mutilate.h - DER with one element damaged at a time, the lengths around it mended.
 *
 * What a parser does with a structure that is well-formed but for one element is beyond prefixes and bytes changed at
 * random: the element is missing, there twice, empty, one byte short, of another type, or followed by one too many.
 */
#ifndef TESTS_FUZZ_MUTILATE_H
#define TESTS_FUZZ_MUTILATE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Feeds every damaged form of an input: one DER element, elements behind lengths of three bytes each, or two behind lengths
 * of two bytes and a third without (the inputs of fuzz_verify and fuzz_staple). Other inputs are not for it.
 */
void mutilate(const uint8_t *data, size_t n, void (*feed)(const uint8_t *, size_t));

#endif
