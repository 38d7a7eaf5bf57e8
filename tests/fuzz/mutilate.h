/*
 * mutilate.h - DER with one element damaged at a time, and the lengths around it corrected.
 *
 * Prefixes and random changes of bytes do not make structures that are well-formed but for one element: the element is
 * missing, there twice, empty, one byte short, of another type, or followed by another.
 */
#ifndef TESTS_FUZZ_MUTILATE_H
#define TESTS_FUZZ_MUTILATE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Feeds every damaged form of an input: one DER element, elements after lengths of three bytes each, or two after lengths
 * of two bytes and a third without (the inputs of fuzz_verify and fuzz_staple). Does nothing with other inputs.
 */
void mutilate(const uint8_t *data, size_t n, void (*feed)(const uint8_t *, size_t));

#endif
