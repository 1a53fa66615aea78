// The matrix kernels for one instruction set. Included once per set with:
//   LEVEL(name)  the function's name for this set     TARGET  its target attribute
//   LANES        floats in a register                 ROWS    rows of a block
// A block of ROWS x 2 registers keeps all its sums in registers; 16 chains hide the latency of
// the multiply-add on every x86-64 core since 2013.

typedef float LEVEL(vec) __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t LEVEL(mask) __attribute__((vector_size(LANES * 4), aligned(4)));
#define VEC LEVEL(vec)

#define BLOCK_KERNEL static inline __attribute__((always_inline)) TARGET

BLOCK_KERNEL VEC LEVEL(repeat)(float x) {
  // x - 0 is x for every x, which + 0 is not (of -0): so this folds to a broadcast.
  return x - (VEC){0};
}

// Stores the first `count` lanes.
BLOCK_KERNEL void LEVEL(put)(float *c, VEC v, long count) {
  if (count >= LANES) {
    *(VEC *)c = v;
  } else {
    for (long i = 0; i < count; i++) c[i] = v[i];
  }
}

BLOCK_KERNEL VEC LEVEL(get)(const float *c, long count) {
  if (count >= LANES) return *(const VEC *)c;
  VEC v = {0};
  for (long i = 0; i < count; i++) v[i] = c[i];
  return v;
}

// rows x registers of C from column `column` on. `rows` and `registers` are literals at every call.
BLOCK_KERNEL void LEVEL(block)(const apus_product *p, long row, long column, const int rows,
                               const int registers) {
  VEC sums[ROWS][4];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < registers; j++)
      sums[i][j] = LEVEL(repeat)(p->bias ? p->bias[row + i] : 0.0f);
  const float *a = p->a + row * p->a_row;
  const float *b = p->b + column;
  const long a_row = p->a_row, a_column = p->a_column, b_row = p->b_row;
  for (long k = 0; k < p->k; k++) {
    VEC line[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < registers; j++) line[j] = *(const VEC *)(b + j * LANES);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      VEC factor = LEVEL(repeat)(a[i * a_row]);
#pragma clang loop unroll(full)
      for (int j = 0; j < registers; j++) sums[i][j] += factor * line[j];
    }
    a += a_column;
    b += b_row;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < registers; j++) {
      long at = column + j * LANES;
      long count = p->n - at;
      if (count > 0) {
        float *c = p->c + (row + i) * p->c_row + at;
        VEC v = sums[i][j];
        if (p->accumulate) v += LEVEL(get)(c, count);
        if (p->relu) v = (VEC)(~(LEVEL(mask))(v < 0.0f) & (LEVEL(mask))v);
        LEVEL(put)(c, v, count);
      }
    }
}

TARGET static void LEVEL(multiply)(const apus_product *p) {
  const long m = p->m, n = p->n;
  // A strip of B stays in the first-level cache while all rows of A pass over it. B is readable up
  // to 16 columns past, so a last strip narrower than its registers only wastes lanes.
  long column = 0;
  while (column < n) {
    long left = n - column;
    if (m <= 2) {
      // One or two rows: more columns at once, for enough chains.
      long registers = left >= 4 * LANES ? 4 : left > LANES ? 2 : 1;
      for (long row = 0; row < m; row++) {
        if (registers == 4)
          LEVEL(block)(p, row, column, 1, 4);
        else if (registers == 2)
          LEVEL(block)(p, row, column, 1, 2);
        else
          LEVEL(block)(p, row, column, 1, 1);
      }
      column += registers * LANES;
      continue;
    }
    long row = 0;
    // Two registers may reach past n by less than 16 columns, which B allows.
    if (left > LANES) {
      for (; row + ROWS <= m; row += ROWS) LEVEL(block)(p, row, column, ROWS, 2);
      for (; row + 4 <= m; row += 4) LEVEL(block)(p, row, column, 4, 2);
      for (; row < m; row++) LEVEL(block)(p, row, column, 1, 2);
      column += 2 * LANES;
      continue;
    }
    for (; row + ROWS <= m; row += ROWS) LEVEL(block)(p, row, column, ROWS, 1);
    for (; row + 4 <= m; row += 4) LEVEL(block)(p, row, column, 4, 1);
    for (; row < m; row++) LEVEL(block)(p, row, column, 1, 1);
    column += LANES;
  }
}

BLOCK_KERNEL float LEVEL(total)(VEC v) {
  float s[LANES];
  memcpy(s, &v, sizeof(s));
  for (int half = LANES / 2; half >= 1; half /= 2)
    for (int i = 0; i < half; i++) s[i] += s[i + half];
  return s[0];
}

BLOCK_KERNEL void LEVEL(dots)(const float *a, long a_row, const float *b, long b_row, float *c,
                              long c_row, long k, const int rows, const int columns) {
  VEC sums[4][4];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) sums[i][j] = LEVEL(repeat)(0.0f);
  for (long t = 0; t < k; t += LANES) {
    VEC x[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) x[j] = *(const VEC *)(b + j * b_row + t);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      VEC y = *(const VEC *)(a + i * a_row + t);
#pragma clang loop unroll(full)
      for (int j = 0; j < columns; j++) sums[i][j] += y * x[j];
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) c[i * c_row + j] += LEVEL(total)(sums[i][j]);
}

TARGET static void LEVEL(multiply_transposed)(const float *a, long a_row, const float *b,
                                              long b_row, float *c, long c_row, long m, long n,
                                              long k) {
  long j = 0;
  for (; j + 3 <= n; j += 3) {
    long i = 0;
    const float *x = b + j * b_row;
    for (; i + 4 <= m; i += 4)
      LEVEL(dots)(a + i * a_row, a_row, x, b_row, c + i * c_row + j, c_row, k, 4, 3);
    for (; i < m; i++)
      LEVEL(dots)(a + i * a_row, a_row, x, b_row, c + i * c_row + j, c_row, k, 1, 3);
  }
  for (; j < n; j++) {
    long i = 0;
    const float *x = b + j * b_row;
    for (; i + 4 <= m; i += 4)
      LEVEL(dots)(a + i * a_row, a_row, x, b_row, c + i * c_row + j, c_row, k, 4, 1);
    for (; i < m; i++)
      LEVEL(dots)(a + i * a_row, a_row, x, b_row, c + i * c_row + j, c_row, k, 1, 1);
  }
}

#undef VEC
#undef BLOCK_KERNEL
#undef LEVEL
#undef TARGET
#undef LANES
#undef ROWS
