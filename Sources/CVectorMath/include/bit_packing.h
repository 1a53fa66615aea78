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
// fill_runs: values[i], lengths[i] times, one run after the other; the lengths add up to `count`.
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
  uint##BITS##_t apus_largest_##BITS(const uint##BITS##_t *values, size_t count);                 \
  void apus_fill_runs_##BITS(                                                                     \
      const uint##BITS##_t *values, const uint32_t *lengths, size_t runs, uint##BITS##_t *target, \
      size_t count)
APUS_BIT_PACKING(8);
APUS_BIT_PACKING(16);
APUS_BIT_PACKING(32);
APUS_BIT_PACKING(64);
#undef APUS_BIT_PACKING

/// In place, integers to floating point: values[i] = values[i] * factor * inverse, in this order.
/// Integers beyond 2^51 give an unspecified number.
void apus_scale_64(void *values, size_t count, double factor, double inverse);
void apus_scale_32(void *values, size_t count, float factor, float inverse);

/// The powers of ten of one pair of exponents: 10^exponent, 10^-factor; 10^factor, 10^-exponent.
typedef struct apus_decimal_scale_64 {
  double up, down, back_up, back_down;
} apus_decimal_scale_64;
typedef struct apus_decimal_scale_32 {
  float up, down, back_up, back_down;
} apus_decimal_scale_32;

/// Floating point to integers: wholes[i] = round(values[i] * up * down), and misses[i] is 1 where
/// wholes[i] * back_up * back_down is not values[i] bit for bit (then wholes[i] is anything), else 0.
/// Gives the number of misses.
size_t apus_decimals_64(
    const double *values, size_t count, apus_decimal_scale_64 scale, int64_t *wholes,
    uint8_t *misses);
size_t apus_decimals_32(
    const float *values, size_t count, apus_decimal_scale_32 scale, int32_t *wholes,
    uint8_t *misses);

#endif
