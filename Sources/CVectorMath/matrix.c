#include "CVectorMath.h"
#include "vector.h"

// `target_clones` gives one source per CPU, but a register block must differ with the number and
// width of the registers, so these kernels are instantiated by hand and chosen through a table.

// The indices of a shuffle, as one argument of a macro.
#define PAIR(...) __VA_ARGS__

#if defined(__x86_64__)
#define LEVEL(name) name##_v4
#define TARGET __attribute__((target("arch=x86-64-v4")))
#define LANES 16
#define ROWS 8
#define COLUMNS 4
#include "matrix_kernels.h"

#define LEVEL(name) name##_v3
#define TARGET __attribute__((target("arch=x86-64-v3")))
#define LANES 8
#define ROWS 6
#define COLUMNS 3
#include "matrix_kernels.h"
#endif

#define LEVEL(name) name##_v1
#define TARGET
#define LANES 4
#define ROWS 6
#define COLUMNS 3
#include "matrix_kernels.h"

typedef struct {
  int level;
  void (*multiply)(const apus_product *);
  void (*multiply_transposed)(const float *, long, const float *, long, float *, long, long, long,
                              long);
  void (*add_row_sums)(const float *, long, long, long, float *);
} matrix_kernels;

static const matrix_kernels level1 = {1, multiply_v1, multiply_transposed_v1, add_row_sums_v1};
#if defined(__x86_64__)
static const matrix_kernels level3 = {3, multiply_v3, multiply_transposed_v3, add_row_sums_v3};
static const matrix_kernels level4 = {4, multiply_v4, multiply_transposed_v4, add_row_sums_v4};
#endif
static const matrix_kernels *active = &level1;

__attribute__((constructor)) static void choose_level(void) { apus_limit_vector_level(4); }

void apus_limit_vector_level(int limit) {
  active = &level1;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (limit >= 3 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    active = &level3;
  if (limit >= 4 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    active = &level4;
#endif
}

int apus_vector_level(void) { return active->level; }

void apus_multiply(const apus_product *p) { active->multiply(p); }

void apus_multiply_transposed(const float *a, long a_row, const float *b, long b_row, float *c,
                              long c_row, long m, long n, long k) {
  active->multiply_transposed(a, a_row, b, b_row, c, c_row, m, n, k);
}

void apus_add_row_sums(const float *x, long width, long n, long stride, float *sums) {
  active->add_row_sums(x, width, n, stride, sums);
}

// A 16 x 16 transpose in four rounds of exchanging blocks of 8, 4, 2 and 1.
#define EXCHANGE(S, ...)                                               \
  for (int i = 0; i < 16; i++)                                         \
    if (!(i & S)) {                                                    \
      f16v low = r[i], high = r[i + S];                                \
      r[i] = __builtin_shufflevector(low, high, __VA_ARGS__);          \
      r[i + S] = __builtin_shufflevector(low, high, PARTNER_##S);      \
    }
#define PARTNER_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define PARTNER_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define PARTNER_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define PARTNER_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31

INLINE void transpose16(f16v *r) {
#pragma clang loop unroll(full)
  EXCHANGE(8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#pragma clang loop unroll(full)
  EXCHANGE(4, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
#pragma clang loop unroll(full)
  EXCHANGE(2, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#pragma clang loop unroll(full)
  EXCHANGE(1, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
}

CLONES void apus_transpose(const float *source, long source_row, long rows, long columns,
                           float *target, long target_row) {
  for (long i = 0; i < rows; i += 16) {
    const float *from = source + i * source_row;
    long height = rows - i < 16 ? rows - i : 16;
    for (long j = 0; j < columns; j += 16) {
      f16v r[16];
      if (height == 16) {
        UNROLL for (int k = 0; k < 16; k++) r[k] = load(from + k * source_row + j);
      } else {
        UNROLL for (int k = 0; k < 16; k++)
          r[k] = k < height ? load(from + k * source_row + j) : splat(0.0f);
      }
      transpose16(r);
      UNROLL for (int k = 0; k < 16; k++) store(target + (j + k) * target_row + i, r[k]);
    }
  }
}

CLONES void apus_gather_rows(const float *source, long width, const uint32_t *order, long first,
                             long rows, float *target, long target_row) {
  long padded = (rows + 15) & ~15L;
  if (width <= 6) {
    for (long i = 0; i < rows; i++) {
      const float *row = source + (order ? (long)order[i] : first + i) * width;
      for (long j = 0; j < width; j++) target[j * target_row + i] = row[j];
    }
    for (long j = 0; j < width; j++)
      for (long i = rows; i < padded; i++) target[j * target_row + i] = 0;
    return;
  }
  for (long i = 0; i < rows; i += 16) {
    const float *row[16];
    long height = rows - i < 16 ? rows - i : 16;
    for (long k = 0; k < height; k++)
      row[k] = source + (order ? (long)order[i + k] : first + i + k) * width;
    for (long j = 0; j < width; j += 16) {
      f16v r[16];
      UNROLL for (int k = 0; k < 16; k++)
        r[k] = k < height ? load(row[k] + j) : splat(0.0f);
      transpose16(r);
      long count = width - j < 16 ? width - j : 16;
      for (long k = 0; k < count; k++) store(target + (j + k) * target_row + i, r[k]);
    }
  }
}
