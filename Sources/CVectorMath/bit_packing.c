// Bit-packing in blocks of 1024 values, laid out so that SIMD needs no shuffles: a block is `BITS`
// rows of 1024 / BITS neighbouring values, and each lane packs its column of values into words of
// its own. A row's shift is then the same in all lanes. (The idea of FastLanes, Afroozeh and Boncz
// 2023, with rows in their natural order.)
#include "include/bit_packing.h"

#include <string.h>

#include "vector.h"

// What a float decodes to must not depend on the processor.
#pragma clang fp contract(off)

#define APUS_BIT_PACKING(BITS)                                                                    \
  typedef uint##BITS##_t word_##BITS __attribute__((aligned(1)));                                 \
                                                                                                  \
  static inline uint##BITS##_t low_bits_##BITS(unsigned width) {                                  \
    return width >= BITS ? (uint##BITS##_t)~0ull : (uint##BITS##_t)((1ull << width) - 1);         \
  }                                                                                               \
                                                                                                  \
  CLONES void apus_pack_##BITS(                                                                   \
      const uint##BITS##_t *values, void *packed, unsigned width, uint##BITS##_t base) {          \
    enum { LANES = APUS_BLOCK_VALUES / BITS };                                                    \
    word_##BITS *words = packed;                                                                  \
    memset(packed, 0, (size_t)width * 128);                                                       \
    if (width == 0) return;                                                                       \
    for (unsigned row = 0; row < BITS; row++) {                                                   \
      unsigned bit = row * width, shift = bit % BITS;                                             \
      word_##BITS *low = words + bit / BITS * LANES;                                              \
      const uint##BITS##_t *source = values + row * LANES;                                        \
      for (unsigned lane = 0; lane < LANES; lane++)                                               \
        low[lane] |= (uint##BITS##_t)((uint##BITS##_t)(source[lane] - base) << shift);            \
      if (shift + width <= BITS) continue;                                                        \
      for (unsigned lane = 0; lane < LANES; lane++)                                               \
        low[LANES + lane] |= (uint##BITS##_t)(source[lane] - base) >> (BITS - shift);             \
    }                                                                                             \
  }                                                                                               \
                                                                                                  \
  CLONES void apus_unpack_##BITS(                                                                 \
      const void *packed, uint##BITS##_t *restrict values, unsigned width,                        \
      uint##BITS##_t base) {                                                                      \
    enum { LANES = APUS_BLOCK_VALUES / BITS };                                                    \
    const word_##BITS *restrict words = packed;                                                   \
    if (width == 0) {                                                                             \
      for (unsigned row = 0; row < APUS_BLOCK_VALUES; row++) values[row] = base;                  \
      return;                                                                                     \
    }                                                                                             \
    uint##BITS##_t mask = low_bits_##BITS(width);                                                 \
    for (unsigned row = 0; row < BITS; row++) {                                                   \
      unsigned bit = row * width, shift = bit % BITS;                                             \
      const word_##BITS *restrict low = words + bit / BITS * LANES;                               \
      uint##BITS##_t *restrict target = values + row * LANES;                                     \
      if (shift + width <= BITS) {                                                                \
        for (unsigned lane = 0; lane < LANES; lane++)                                             \
          target[lane] = (uint##BITS##_t)((uint##BITS##_t)(low[lane] >> shift & mask) + base);    \
      } else {                                                                                    \
        for (unsigned lane = 0; lane < LANES; lane++) {                                           \
          uint##BITS##_t high = (uint##BITS##_t)(low[LANES + lane] << (BITS - shift));            \
          target[lane] = (uint##BITS##_t)(((low[lane] >> shift | high) & mask) + base);           \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
                                                                                                  \
  void apus_pack_tail_##BITS(                                                                     \
      const uint##BITS##_t *values, size_t count, uint8_t *packed, unsigned width,                \
      uint##BITS##_t base) {                                                                      \
    unsigned __int128 pending = 0;                                                                \
    unsigned bits = 0;                                                                            \
    for (size_t row = 0; row < count; row++) {                                                    \
      pending |= (unsigned __int128)(uint##BITS##_t)(values[row] - base) << bits;                 \
      for (bits += width; bits >= 8; bits -= 8, pending >>= 8) *packed++ = (uint8_t)pending;      \
    }                                                                                             \
    if (bits > 0) *packed = (uint8_t)pending;                                                     \
  }                                                                                               \
                                                                                                  \
  void apus_unpack_tail_##BITS(                                                                   \
      const uint8_t *packed, size_t count, uint##BITS##_t *values, unsigned width,                \
      uint##BITS##_t base) {                                                                      \
    unsigned __int128 pending = 0;                                                                \
    unsigned bits = 0;                                                                            \
    uint##BITS##_t mask = low_bits_##BITS(width);                                                 \
    for (size_t row = 0; row < count; row++) {                                                    \
      for (; bits < width; bits += 8) pending |= (unsigned __int128)*packed++ << bits;            \
      values[row] = (uint##BITS##_t)(((uint##BITS##_t)pending & mask) + base);                    \
      pending >>= width;                                                                          \
      bits -= width;                                                                              \
    }                                                                                             \
  }                                                                                               \
                                                                                                  \
  void apus_accumulate_##BITS(uint##BITS##_t *values, size_t count, uint##BITS##_t start) {       \
    for (size_t row = 0; row < count; row++) {                                                    \
      start = (uint##BITS##_t)(start + values[row]);                                              \
      values[row] = start;                                                                        \
    }                                                                                             \
  }                                                                                               \
                                                                                                  \
  CLONES uint##BITS##_t apus_largest_##BITS(const uint##BITS##_t *values, size_t count) {         \
    uint##BITS##_t largest = 0;                                                                   \
    for (size_t row = 0; row < count; row++)                                                      \
      largest = values[row] > largest ? values[row] : largest;                                    \
    return largest;                                                                               \
  }                                                                                               \
                                                                                                  \
  /* Most runs are short: eight values are written without asking how many there are. */         \
  CLONES void apus_fill_runs_##BITS(                                                              \
      const uint##BITS##_t *values, const uint32_t *lengths, size_t runs,                         \
      uint##BITS##_t *target, size_t count) {                                                     \
    uint##BITS##_t *end = target + count;                                                         \
    for (size_t run = 0; run < runs; run++) {                                                     \
      uint##BITS##_t value = values[run];                                                         \
      size_t length = lengths[run], row = 0;                                                      \
      if (end - target >= 8) {                                                                    \
        for (unsigned lane = 0; lane < 8; lane++) target[lane] = value;                           \
        row = 8;                                                                                  \
      }                                                                                           \
      for (; row < length; row++) target[row] = value;                                            \
      target += length;                                                                           \
    }                                                                                             \
  }

APUS_BIT_PACKING(8)
APUS_BIT_PACKING(16)
APUS_BIT_PACKING(32)
APUS_BIT_PACKING(64)

// An integer below 2^51 added to the bits of 2^52 + 2^51 is that number plus the integer: a
// conversion that every instruction set has as two additions.
CLONES void apus_scale_64(void *values, size_t count, double factor, double inverse) {
  const double shifter = 6755399441055744.0;
  uint64_t shifter_bits;
  memcpy(&shifter_bits, &shifter, 8);
  uint8_t *place = values;
  for (size_t row = 0; row < count; row++) {
    uint64_t bits;
    double number;
    memcpy(&bits, place + row * 8, 8);
    bits += shifter_bits;
    memcpy(&number, &bits, 8);
    number = (number - shifter) * factor * inverse;
    memcpy(place + row * 8, &number, 8);
  }
}

CLONES void apus_scale_32(void *values, size_t count, float factor, float inverse) {
  uint8_t *place = values;
  for (size_t row = 0; row < count; row++) {
    int32_t bits;
    memcpy(&bits, place + row * 4, 4);
    float number = (float)bits * factor * inverse;
    memcpy(place + row * 4, &number, 4);
  }
}

// Rounding and conversion in one: 2^52 + 2^51 added to a number below 2^51 leaves its nearest integer
// in the low bits of the sum, without the conversions that older instruction sets lack.
#define APUS_DECIMALS(BITS, NUMBER, SHIFTER, LIMIT)                                               \
  CLONES size_t apus_decimals_##BITS(                                                             \
      const NUMBER *restrict values, size_t count, apus_decimal_scale_##BITS scale,               \
      int##BITS##_t *restrict wholes, uint8_t *restrict misses) {                                 \
    const NUMBER shifter = SHIFTER;                                                               \
    uint##BITS##_t shifter_bits, total = 0;                                                       \
    memcpy(&shifter_bits, &shifter, sizeof shifter);                                              \
    for (size_t row = 0; row < count; row++) {                                                    \
      NUMBER value = values[row], scaled = value * scale.up * scale.down;                         \
      NUMBER sum = scaled + shifter, back = (sum - shifter) * scale.back_up * scale.back_down;    \
      uint##BITS##_t sum_bits, value_bits, back_bits;                                             \
      memcpy(&sum_bits, &sum, sizeof sum);                                                        \
      memcpy(&value_bits, &value, sizeof value);                                                  \
      memcpy(&back_bits, &back, sizeof back);                                                     \
      /* One comparison each, joined as bits: a branch would keep the loop scalar. */             \
      uint##BITS##_t miss = (uint##BITS##_t)(back_bits != value_bits) |                           \
                            (uint##BITS##_t)!(scaled < LIMIT) |                                   \
                            (uint##BITS##_t)!(scaled > -LIMIT);                                   \
      wholes[row] = (int##BITS##_t)(sum_bits - shifter_bits);                                     \
      misses[row] = (uint8_t)miss;                                                                \
      total += miss;                                                                              \
    }                                                                                             \
    return total;                                                                                 \
  }

APUS_DECIMALS(64, double, 6755399441055744.0, 0x1p51)
APUS_DECIMALS(32, float, 12582912.0f, 0x1p22f)
