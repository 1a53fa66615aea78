// Structural bytes of CSV, 64 bytes at a time: compare to bit masks, remove what lies inside
// quotes by a prefix XOR, write out the positions of the bits that stay. (The method of simdjson:
// Langdale and Lemire 2019.) Functions are chosen once, at the first call, by what the CPU has.
#include "include/csv_scan.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef struct {
  uint64_t delimiter, newline, quote, high;
} masks;

static inline __attribute__((always_inline)) uint64_t prefix_xor(uint64_t bits) {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  bits ^= bits << 32;
  return bits;
}

static inline __attribute__((always_inline)) uint32_t *put(
    uint32_t *out, uint32_t base, uint64_t bits, int count) {
  // Writing a few too many is cheaper than a branch a bit; there is room for 16.
  uint32_t *end = out + count;
  do {
    for (int i = 0; i < 8; i++) {
      out[i] = base + (uint32_t)__builtin_ctzll(bits | (1ull << 63));
      bits &= bits - 1;
    }
    out += 8;
  } while (out < end);
  return end;
}

#define APUS_CSV_SCAN(NAME, TARGET, MASKS)                                                        \
  TARGET static size_t NAME(                                                                      \
      const uint8_t *data, size_t from, size_t to, apus_csv_dialect dialect,                      \
      apus_csv_state *state, uint32_t *positions, uint32_t *record_ends) {                        \
    apus_csv_state s = *state;                                                                    \
    uint32_t *out = positions ? positions + s.positions : 0;                                      \
    size_t at = from;                                                                             \
    for (; at < to; at += 64) {                                                                   \
      uint8_t tail[64];                                                                           \
      const uint8_t *block = data + at;                                                           \
      uint64_t live = ~0ull;                                                                      \
      if (to - at < 64) {                                                                         \
        memset(tail, 0, 64);                                                                      \
        memcpy(tail, block, to - at);                                                             \
        block = tail;                                                                             \
        live = (1ull << (to - at)) - 1;                                                           \
      }                                                                                           \
      masks m = MASKS(block, dialect);                                                            \
      uint64_t structural = (m.delimiter | m.newline) & live;                                     \
      uint64_t newline = m.newline & live;                                                        \
      uint64_t quote = dialect.has_quote ? m.quote & live : 0;                                    \
      uint64_t last = live == ~0ull ? 1ull << 63 : (live + 1) >> 1;                               \
      if (quote | s.inside) {                                                                     \
        uint64_t inside = prefix_xor(quote) ^ s.inside;                                           \
        uint64_t open = quote & inside, close = quote & ~inside;                                  \
        structural &= ~inside;                                                                    \
        newline &= ~inside;                                                                       \
        uint64_t again = open & (close << 1 | s.after_close);                                     \
        uint64_t stray = open & ~again & ~(structural << 1 | s.after_structural);                 \
        if (stray) break;                                                                         \
        s.doubled |= again;                                                                       \
        s.inside = inside & last ? ~0ull : 0;                                                     \
        s.after_close = (close & last) != 0;                                                      \
      } else {                                                                                    \
        s.after_close = 0;                                                                        \
      }                                                                                           \
      s.after_structural = (structural & last) != 0;                                              \
      s.high |= m.high & live;                                                                    \
      if (out) {                                                                                  \
        uint64_t ends = newline;                                                                  \
        size_t before = (size_t)(out - positions);                                                \
        while (ends) {                                                                            \
          uint64_t through = ends ^ (ends - 1);                                                   \
          record_ends[s.records++] =                                                              \
              (uint32_t)(before + (size_t)__builtin_popcountll(structural & through));            \
          ends &= ends - 1;                                                                       \
        }                                                                                         \
        out = put(out, (uint32_t)at, structural, __builtin_popcountll(structural));               \
      }                                                                                           \
      if (newline) s.record_start = at + 64 - (size_t)__builtin_clzll(newline);                   \
    }                                                                                             \
    if (out) s.positions = (size_t)(out - positions);                                             \
    *state = s;                                                                                   \
    return at < to ? at : to;                                                                     \
  }

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx512f,avx512bw,bmi,bmi2,popcnt,lzcnt")))
#define HALF __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))

WIDE static inline __attribute__((always_inline)) masks masks_avx512(
    const uint8_t *block, apus_csv_dialect d) {
  __m512i v = _mm512_loadu_si512(block);
  return (masks){
      _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8((char)d.delimiter)),
      _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8((char)d.newline)),
      _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8((char)d.quote)), _mm512_movepi8_mask(v)};
}

HALF static inline __attribute__((always_inline)) uint64_t equal_avx2(
    __m256i a, __m256i b, uint8_t byte) {
  __m256i wanted = _mm256_set1_epi8((char)byte);
  uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, wanted));
  uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, wanted));
  return low | (uint64_t)high << 32;
}

HALF static inline __attribute__((always_inline)) masks masks_avx2(
    const uint8_t *block, apus_csv_dialect d) {
  __m256i a = _mm256_loadu_si256((const __m256i *)block);
  __m256i b = _mm256_loadu_si256((const __m256i *)(block + 32));
  return (masks){
      equal_avx2(a, b, d.delimiter), equal_avx2(a, b, d.newline), equal_avx2(a, b, d.quote),
      (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32};
}

APUS_CSV_SCAN(scan_avx512, WIDE, masks_avx512)
APUS_CSV_SCAN(scan_avx2, HALF, masks_avx2)
#endif

// Eight bytes to eight bits by multiplication; for CPUs without the vectors above.
static inline __attribute__((always_inline)) uint64_t gather_bits(uint64_t high_bits) {
  return ((high_bits >> 7) * 0x0102040810204080ull) >> 56;
}

static inline __attribute__((always_inline)) uint64_t equal_word(uint64_t word, uint8_t byte) {
  uint64_t x = word ^ (0x0101010101010101ull * byte);
  uint64_t nonzero = ((x & 0x7F7F7F7F7F7F7F7Full) + 0x7F7F7F7F7F7F7F7Full) | x;
  return gather_bits(~nonzero & 0x8080808080808080ull);
}

static inline __attribute__((always_inline)) masks masks_plain(
    const uint8_t *block, apus_csv_dialect d) {
  masks m = {0, 0, 0, 0};
  for (int i = 0; i < 8; i++) {
    uint64_t word;
    memcpy(&word, block + i * 8, 8);
    m.delimiter |= equal_word(word, d.delimiter) << (i * 8);
    m.newline |= equal_word(word, d.newline) << (i * 8);
    m.quote |= equal_word(word, d.quote) << (i * 8);
    m.high |= gather_bits(word & 0x8080808080808080ull) << (i * 8);
  }
  return m;
}

APUS_CSV_SCAN(scan_plain, , masks_plain)

size_t apus_csv_scan(
    const uint8_t *data, size_t from, size_t to, apus_csv_dialect dialect, apus_csv_state *state,
    uint32_t *positions, uint32_t *record_ends) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2"))
    return scan_avx512(data, from, to, dialect, state, positions, record_ends);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
    return scan_avx2(data, from, to, dialect, state, positions, record_ends);
#endif
  return scan_plain(data, from, to, dialect, state, positions, record_ends);
}

int apus_utf8_valid(const uint8_t *p, size_t count) {
  const uint8_t *end = p + count;
  while (p < end) {
    if (end - p >= 8) {
      uint64_t word;
      memcpy(&word, p, 8);
      if (!(word & 0x8080808080808080ull)) {
        p += 8;
        continue;
      }
    }
    uint8_t c = *p;
    if (c < 0x80) {
      p++;
      continue;
    }
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c > 0xF4 || end - p <= more) return 0;
    for (int i = 1; i <= more; i++)
      if ((p[i] & 0xC0) != 0x80) return 0;
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) || (c == 0xF0 && p[1] < 0x90) ||
        (c == 0xF4 && p[1] > 0x8F))
      return 0;
    p += more + 1;
  }
  return 1;
}
