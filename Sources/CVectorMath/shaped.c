#include "CVectorMath.h"
#include "vector.h"

// Kernels over feature vectors of `n` rows each, `stride` floats apart.
#define EACH_ROW for (long i = 0; i < n; i += 16)

CLONES void apus_add_scaled(const float *x, float *y, long n, float scale) {
  EACH_ROW store(y + i, load(y + i) + load(x + i) * scale);
}

CLONES void apus_add_vectors(const float *x, const float *y, float *sum, long width, long n,
                             long stride) {
  for (long j = 0; j < width; j++)
    EACH_ROW {
      long at = j * stride + i;
      store(sum + at, load(x + at) + load(y + at));
    }
}

CLONES void apus_multiply_vectors(const float *x, const float *y, float *product, long width,
                                  long n, long stride, int accumulate) {
  for (long j = 0; j < width; j++)
    EACH_ROW {
      long at = j * stride + i;
      f16v v = load(x + at) * load(y + at);
      store(product + at, accumulate ? load(product + at) + v : v);
    }
}

CLONES void apus_largest(const float *x, float *y, long n) {
  EACH_ROW {
    f16v v = load(x + i), top = load(y + i);
    // NaN wins.
    store(y + i, choose((v > top) | (v != v), v, top));
  }
}

// dx += dy where x is y and no earlier value of the window was; `taken` says where one was.
CLONES void apus_largest_backward(const float *x, const float *y, const float *dy, float *dx,
                                  float *taken, long n) {
  EACH_ROW {
    f16v t = load(taken + i);
    i16v hit = (load(x + i) == load(y + i)) & (t == 0.0f);
    store(dx + i, load(dx + i) + choose(hit, load(dy + i), splat(0.0f)));
    store(taken + i, choose(hit, splat(1.0f), t));
  }
}

// Mean and 1 / deviation of `width` values for sixteen rows.
#define statistics(x, centered, mean, inverse) ({                         \
  f16v s_sum = splat(0.0f);                                               \
  mean = splat(0.0f);                                                     \
  if (centered) {                                                         \
    for (long j = 0; j < width; j++) s_sum += load((x) + j * stride + i); \
    mean = s_sum / (float)width;                                          \
  }                                                                       \
  s_sum = splat(0.0f);                                                    \
  for (long j = 0; j < width; j++) {                                      \
    f16v s_d = load((x) + j * stride + i) - mean;                         \
    s_sum += s_d * s_d;                                                   \
  }                                                                       \
  inverse = 1.0f / __builtin_elementwise_sqrt(s_sum / (float)width + eps); })

CLONES void apus_normalize(const float *x, float *y, const float *weight, const float *bias,
                           long width, long span, int centered, float eps, long n, long stride) {
  EACH_ROW {
    f16v mean, inverse;
    statistics(x, centered, mean, inverse);
    for (long j = 0; j < width; j++) {
      long at = j * stride + i, k = j / span;
      f16v v = (load(x + at) - mean) * inverse * weight[k];
      store(y + at, bias ? v + bias[k] : v);
    }
  }
}

CLONES void apus_normalize_backward(const float *x, const float *dy, float *dx, const float *weight,
                                    float *weight_sums, float *bias_sums, long width, long span,
                                    int centered, float eps, long n, long stride) {
  EACH_ROW {
    f16v mean, inverse, sum = splat(0.0f), dot = splat(0.0f);
    statistics(x, centered, mean, inverse);
    for (long j = 0; j < width; j++) {
      long at = j * stride + i, k = j / span;
      f16v v = (load(x + at) - mean) * inverse, g = load(dy + at);
      weight_sums[k] += sum16(g * v);
      if (bias_sums) bias_sums[k] += sum16(g);
      sum += g * weight[k];
      dot += g * weight[k] * v;
    }
    if (!dx) continue;
    sum = centered ? sum / (float)width : splat(0.0f);
    dot = dot / (float)width;
    for (long j = 0; j < width; j++) {
      long at = j * stride + i;
      f16v v = (load(x + at) - mean) * inverse;
      store(dx + at, (load(dy + at) * weight[j / span] - sum - v * dot) * inverse);
    }
  }
}

static const i16v lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
// v in the first `count` rows, 0 in the padding.
#define within(v, count) choose(lane_numbers < (int32_t)((count) - i), v, splat(0.0f))

// Sums over `span` vectors and the first `count` rows of each: of x - mean, or of its square.
CLONES double apus_sum_channel(const float *x, float mean, int squared, long span, long count,
                               long n, long stride) {
  double total = 0;
  for (long j = 0; j < span; j++) {
    f16v sum = splat(0.0f);
    EACH_ROW {
      f16v v = load(x + j * stride + i) - mean;
      sum += within(squared ? v * v : v, count);
    }
    total += sum16(sum);
  }
  return total;
}

CLONES double apus_dot_channel(const float *x, float mean, const float *dy, long span, long count,
                               long n, long stride) {
  double total = 0;
  for (long j = 0; j < span; j++) {
    f16v sum = splat(0.0f);
    EACH_ROW {
      long at = j * stride + i;
      sum += within((load(x + at) - mean) * load(dy + at), count);
    }
    total += sum16(sum);
  }
  return total;
}

// y = x a + b over `span` vectors.
CLONES void apus_affine_channel(const float *x, float *y, float a, float b, long span, long n,
                                long stride) {
  for (long j = 0; j < span; j++)
    EACH_ROW store(y + j * stride + i, load(x + j * stride + i) * a + b);
}

// dx = dy a + (x - mean) b + c in the first `count` rows, 0 in the padding.
CLONES void apus_affine_channel_backward(const float *x, const float *dy, float *dx, float mean,
                                         float a, float b, float c, long span, long count, long n,
                                         long stride) {
  for (long j = 0; j < span; j++)
    EACH_ROW {
      long at = j * stride + i;
      store(dx + at, within(load(dy + at) * a + (load(x + at) - mean) * b + c, count));
    }
}
