/*
 * sanitized.h - SANITIZED is defined in a build with AddressSanitizer or ThreadSanitizer, with gcc and clang: their runtime makes
 * system calls that a sandbox of ours forbids.
 */
#ifndef TESTS_UNIT_SANITIZED_H
#define TESTS_UNIT_SANITIZED_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#endif
