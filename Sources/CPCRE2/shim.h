#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stddef.h>

/* glibc's substring search (two-way), which Swift's Glibc module hides behind _GNU_SOURCE. */
void *memmem(const void *haystack, size_t haystack_length, const void *needle,
             size_t needle_length);
