#include "CVectorMath.h"
#include "vector.h"

typedef double d8v __attribute__((vector_size(64)));
typedef double d8u __attribute__((vector_size(64), aligned(8)));

#define load8(p) (*(const d8u *)(p))
#define sum8(x) ({ d8v s_x = (x); \
  ((s_x[0] + s_x[4]) + (s_x[2] + s_x[6])) + ((s_x[1] + s_x[5]) + (s_x[3] + s_x[7])); })

// Sums over pairs of elements, a vector at a time and the rest one by one; the body sees `a` and
// `b`, of vectors and of single numbers.
#define PAIRS(lanes, vector, number, load_lanes, ...)          \
  long at = 0;                                                 \
  for (; at + lanes <= n; at += lanes) {                       \
    vector a = load_lanes(x + at), b = load_lanes(y + at);     \
    __VA_ARGS__(lanes_)                                        \
  }                                                            \
  for (; at < n; at++) {                                       \
    number a = x[at], b = y[at];                               \
    __VA_ARGS__(rest_)                                         \
  }

#define PRODUCT(to) to##xy += a * b;
#define SQUARES(to) to##xy += (a - b) * (a - b);
#define PRODUCTS(to) to##xy += a * b; to##xx += a * a; to##yy += b * b;

// The three functions for one type of number.
#define DISTANCES(suffix, number, vector, lanes, load_lanes, sum)                              \
  CLONES number apus_dot##suffix(const number *x, const number *y, long n) {                   \
    vector lanes_xy = {};                                                                      \
    number rest_xy = 0;                                                                        \
    PAIRS(lanes, vector, number, load_lanes, PRODUCT)                                          \
    return sum(lanes_xy) + rest_xy;                                                            \
  }                                                                                            \
  CLONES number apus_square_distance##suffix(const number *x, const number *y, long n) {       \
    vector lanes_xy = {};                                                                      \
    number rest_xy = 0;                                                                        \
    PAIRS(lanes, vector, number, load_lanes, SQUARES)                                          \
    return sum(lanes_xy) + rest_xy;                                                            \
  }                                                                                            \
  CLONES void apus_products##suffix(const number *x, const number *y, long n, number *sums) {  \
    vector lanes_xy = {}, lanes_xx = {}, lanes_yy = {};                                        \
    number rest_xy = 0, rest_xx = 0, rest_yy = 0;                                              \
    PAIRS(lanes, vector, number, load_lanes, PRODUCTS)                                         \
    sums[0] = sum(lanes_xy) + rest_xy;                                                         \
    sums[1] = sum(lanes_xx) + rest_xx;                                                         \
    sums[2] = sum(lanes_yy) + rest_yy;                                                         \
  }

DISTANCES(, float, f16v, 16, load, sum16)
DISTANCES(_double, double, d8v, 8, load8, sum8)
