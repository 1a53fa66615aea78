#include "CVectorMath.h"
#include "vector.h"

typedef double d8v __attribute__((vector_size(64)));
typedef double d8u __attribute__((vector_size(64), aligned(8)));

#define load8(p) (*(const d8u *)(p))
#define sum8(x) ({ d8v s_x = (x); \
  ((s_x[0] + s_x[4]) + (s_x[2] + s_x[6])) + ((s_x[1] + s_x[5]) + (s_x[3] + s_x[7])); })

// Sums over pairs of elements, a vector at a time and the rest one by one; the bodies see `a` and
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

CLONES float apus_dot(const float *x, const float *y, long n) {
  f16v lanes_xy = {};
  float rest_xy = 0;
  PAIRS(16, f16v, float, load, PRODUCT)
  return sum16(lanes_xy) + rest_xy;
}

CLONES double apus_dot_double(const double *x, const double *y, long n) {
  d8v lanes_xy = {};
  double rest_xy = 0;
  PAIRS(8, d8v, double, load8, PRODUCT)
  return sum8(lanes_xy) + rest_xy;
}

CLONES float apus_square_distance(const float *x, const float *y, long n) {
  f16v lanes_xy = {};
  float rest_xy = 0;
  PAIRS(16, f16v, float, load, SQUARES)
  return sum16(lanes_xy) + rest_xy;
}

CLONES double apus_square_distance_double(const double *x, const double *y, long n) {
  d8v lanes_xy = {};
  double rest_xy = 0;
  PAIRS(8, d8v, double, load8, SQUARES)
  return sum8(lanes_xy) + rest_xy;
}

CLONES void apus_products(const float *x, const float *y, long n, float *sums) {
  f16v lanes_xy = {}, lanes_xx = {}, lanes_yy = {};
  float rest_xy = 0, rest_xx = 0, rest_yy = 0;
  PAIRS(16, f16v, float, load, PRODUCTS)
  sums[0] = sum16(lanes_xy) + rest_xy;
  sums[1] = sum16(lanes_xx) + rest_xx;
  sums[2] = sum16(lanes_yy) + rest_yy;
}

CLONES void apus_products_double(const double *x, const double *y, long n, double *sums) {
  d8v lanes_xy = {}, lanes_xx = {}, lanes_yy = {};
  double rest_xy = 0, rest_xx = 0, rest_yy = 0;
  PAIRS(8, d8v, double, load8, PRODUCTS)
  sums[0] = sum8(lanes_xy) + rest_xy;
  sums[1] = sum8(lanes_xx) + rest_xx;
  sums[2] = sum8(lanes_yy) + rest_yy;
}
