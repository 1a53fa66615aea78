#ifndef APUS_BIT_PACKING_H
#define APUS_BIT_PACKING_H

#include <stddef.h>
#include <stdint.h>

/// Values of a full block.
#define APUS_BLOCK_VALUES 1024

// For each width of words the same kernels. Packed memory needs no alignment.
// pack: 1024 values less `base`, `width` bits each, to 128 * width bytes.
// unpack: the way back; every width from 0 to that of the words.
// pack_tail, unpack_tail: fewer values, one after the other, (count * width + 7) / 8 bytes.
// accumulate: values[i] = start + values[0] + ... + values[i], wrapping.
// largest: the largest of `count` values, 0 of none.
#define APUS_BIT_PACKING(BITS)                                                                    \
  void apus_pack_##BITS(                                                                          \
      const uint##BITS##_t *values, void *packed, unsigned width, uint##BITS##_t base);           \
  void apus_unpack_##BITS(                                                                        \
      const void *packed, uint##BITS##_t *values, unsigned width, uint##BITS##_t base);           \
  void apus_pack_tail_##BITS(                                                                     \
      const uint##BITS##_t *values, size_t count, uint8_t *packed, unsigned width,                \
      uint##BITS##_t base);                                                                       \
  void apus_unpack_tail_##BITS(                                                                   \
      const uint8_t *packed, size_t count, uint##BITS##_t *values, unsigned width,                \
      uint##BITS##_t base);                                                                       \
  void apus_accumulate_##BITS(uint##BITS##_t *values, size_t count, uint##BITS##_t start);        \
  uint##BITS##_t apus_largest_##BITS(const uint##BITS##_t *values, size_t count)
APUS_BIT_PACKING(8);
APUS_BIT_PACKING(16);
APUS_BIT_PACKING(32);
APUS_BIT_PACKING(64);
#undef APUS_BIT_PACKING

/// In place, integers to floating point: values[i] = values[i] * factor * inverse, in this order.
/// Integers beyond 2^51 give an unspecified number.
void apus_scale_64(void *values, size_t count, double factor, double inverse);
void apus_scale_32(void *values, size_t count, float factor, float inverse);

#endif
