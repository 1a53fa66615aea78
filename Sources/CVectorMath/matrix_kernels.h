// The matrix kernels for one instruction set. Included once per set with:
//   LEVEL(name)  the function's name for this set     TARGET  its target attribute
//   LANES        floats in a register                 ROWS    rows of a block
//   COLUMNS      columns of a block of dot products
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
  // Locals: a store to C might change what p has, as far as the compiler knows.
  const long c_row = p->c_row, left = p->n - column;
  const int accumulate = p->accumulate, relu = p->relu;
  float *c = p->c + row * c_row + column;
  const int whole = left >= registers * LANES;
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < registers; j++) {
      long count = whole ? LANES : left - j * LANES;
      if (count > 0) {
        VEC v = sums[i][j];
        if (accumulate) v += LEVEL(get)(c + j * LANES, count);
        if (relu) v = (VEC)(~(LEVEL(mask))(v < 0.0f) & (LEVEL(mask))v);
        LEVEL(put)(c + j * LANES, v, count);
      }
    }
    c += c_row;
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

// Adds the halves of r[i], beside those of r[i + S]: afterwards the even blocks of S lanes are sums
// of the one, the odd blocks of the other.
#define FOLD(S, EVEN, ODD)                                      \
  for (int i = 0; i < S; i++)                                   \
    r[i] = __builtin_shufflevector(r[i], r[i + S], EVEN) +      \
           __builtin_shufflevector(r[i], r[i + S], ODD);

// Lane i of the result is the sum of the lanes of r[i]: its halves are added, the halves of that, and
// so on, so that what stands beside it does not change its bits. Overwrites r.
BLOCK_KERNEL VEC LEVEL(totals)(VEC *r) {
#if LANES == 16
#pragma clang loop unroll(full)
  FOLD(8, PAIR(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
       PAIR(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#pragma clang loop unroll(full)
  FOLD(4, PAIR(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
       PAIR(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
#pragma clang loop unroll(full)
  FOLD(2, PAIR(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
       PAIR(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
#pragma clang loop unroll(full)
  FOLD(1, PAIR(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
       PAIR(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#elif LANES == 8
#pragma clang loop unroll(full)
  FOLD(4, PAIR(0, 1, 2, 3, 8, 9, 10, 11), PAIR(4, 5, 6, 7, 12, 13, 14, 15))
#pragma clang loop unroll(full)
  FOLD(2, PAIR(0, 1, 8, 9, 4, 5, 12, 13), PAIR(2, 3, 10, 11, 6, 7, 14, 15))
#pragma clang loop unroll(full)
  FOLD(1, PAIR(0, 8, 2, 10, 4, 12, 6, 14), PAIR(1, 9, 3, 11, 5, 13, 7, 15))
#else
#pragma clang loop unroll(full)
  FOLD(2, PAIR(0, 1, 4, 5), PAIR(2, 3, 6, 7))
#pragma clang loop unroll(full)
  FOLD(1, PAIR(0, 4, 2, 6), PAIR(1, 5, 3, 7))
#endif
  return r[0];
}

// rows x columns dot products, at most 16. `rows` and `columns` are literals at every call.
BLOCK_KERNEL void LEVEL(dots)(const float *a, long a_row, const float *b, long b_row, float *c,
                              long c_row, long c_column, long k, const int rows,
                              const int columns) {
  VEC sums[16 + LANES];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows * columns + LANES; i++) sums[i] = LEVEL(repeat)(0.0f);
  for (long t = 0; t < k; t += LANES) {
    VEC x[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) x[j] = *(const VEC *)(b + j * b_row + t);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      VEC y = *(const VEC *)(a + i * a_row + t);
#pragma clang loop unroll(full)
      for (int j = 0; j < columns; j++) sums[i * columns + j] += y * x[j];
    }
  }
#pragma clang loop unroll(full)
  for (int first = 0; first < rows * columns; first += LANES) {
    VEC totals = LEVEL(totals)(sums + first);
#pragma clang loop unroll(full)
    for (int lane = 0; lane < LANES; lane++) {
      int at = first + lane;
      if (at < rows * columns) c[at / columns * c_row + at % columns * c_column] += totals[lane];
    }
  }
}

// All rows of A with `columns` rows of B, a literal.
#define PANEL(HEIGHT, COLUMNS)                                                                     \
  {                                                                                                \
    long i = 0;                                                                                    \
    const float *x = b + j * b_row;                                                                \
    float *y = c + j * c_column;                                                                   \
    for (; i + HEIGHT <= m; i += HEIGHT)                                                           \
      LEVEL(dots)(a + i * a_row, a_row, x, b_row, y + i * c_row, c_row, c_column, k, HEIGHT,       \
                  COLUMNS);                                                                        \
    for (; i < m; i++)                                                                             \
      LEVEL(dots)(a + i * a_row, a_row, x, b_row, y + i * c_row, c_row, c_column, k, 1, COLUMNS);  \
    j += COLUMNS;                                                                                  \
  }

TARGET static void LEVEL(multiply_transposed)(const float *a, long a_row, const float *b,
                                              long b_row, float *c, long c_row, long m, long n,
                                              long k) {
  long c_column = 1, j = 0;
  if (m < n) {
    // A block is high and narrow: the longer side goes down. The products are the same.
    const float *other = a;
    long other_row = a_row, count = m;
    a = b, a_row = b_row, b = other, b_row = other_row;
    m = n, n = count;
    c_column = c_row, c_row = 1;
  }
  while (n - j >= COLUMNS) PANEL(4, COLUMNS)
#if COLUMNS > 3
  if (n - j == 3) PANEL(4, 3)
#endif
  if (n - j == 2) PANEL(4, 2)
  if (n - j == 1) PANEL(8, 1)
}

// The sums of `rows` rows of x (a literal, at most LANES), each along n floats.
BLOCK_KERNEL void LEVEL(add_sums)(const float *x, long n, long stride, float *sums,
                                  const int rows) {
  VEC r[LANES];
#pragma clang loop unroll(full)
  for (int i = 0; i < LANES; i++) r[i] = LEVEL(repeat)(0.0f);
  for (long t = 0; t < n; t += LANES)
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) r[i] += *(const VEC *)(x + i * stride + t);
  VEC totals = LEVEL(totals)(r);
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sums[i] += totals[i];
}

TARGET static void LEVEL(add_row_sums)(const float *x, long width, long n, long stride,
                                       float *sums) {
  long j = 0;
  for (; j + LANES <= width; j += LANES)
    LEVEL(add_sums)(x + j * stride, n, stride, sums + j, LANES);
  for (; j + 4 <= width; j += 4) LEVEL(add_sums)(x + j * stride, n, stride, sums + j, 4);
  for (; j < width; j++) LEVEL(add_sums)(x + j * stride, n, stride, sums + j, 1);
}

#undef VEC
#undef BLOCK_KERNEL
#undef LEVEL
#undef TARGET
#undef LANES
#undef ROWS
#undef COLUMNS
#undef FOLD
#undef PANEL
