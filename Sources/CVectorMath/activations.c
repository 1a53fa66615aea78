#include "CVectorMath.h"
#include "vector.h"

// One loop for all: `EACH` walks the tile; the body sees the offset `at`.
#define EACH                               \
  for (long j = 0; j < width; j++)         \
    for (long at = j * stride, end = at + n; at < end; at += 16)

CLONES void apus_relu(const float *x, float *y, long width, long n, long stride) {
  EACH {
    f16v v = load(x + at);
    // NaN stays NaN.
    store(y + at, choose(v < 0.0f, splat(0.0f), v));
  }
}

CLONES void apus_relu_backward(const float *y, const float *dy, float *dx, long width, long n,
                               long stride) {
  EACH store(dx + at, choose(load(y + at) > 0.0f, load(dy + at), splat(0.0f)));
}

CLONES void apus_leaky_relu(const float *x, float *y, long width, long n, long stride,
                            float slope) {
  EACH {
    f16v v = load(x + at);
    store(y + at, choose(v < 0.0f, v * slope, v));
  }
}

CLONES void apus_leaky_relu_backward(const float *x, const float *dy, float *dx, long width, long n,
                                     long stride, float slope) {
  EACH {
    f16v g = load(dy + at);
    store(dx + at, choose(load(x + at) > 0.0f, g, g * slope));
  }
}

// e^x - 1 for x <= 0: the series below 0.35 in magnitude, where the difference would cancel.
#define expm1_negative(x) ({                                                                      \
  f16v n_x = (x);                                                                                 \
  f16v n_p = n_x * (1.0f / 5040) + (1.0f / 720);                                                  \
  n_p = n_p * n_x + (1.0f / 120);                                                                 \
  n_p = n_p * n_x + (1.0f / 24);                                                                  \
  n_p = n_p * n_x + (1.0f / 6);                                                                   \
  n_p = n_p * n_x + 0.5f;                                                                         \
  n_p = n_p * (n_x * n_x) + n_x;                                                                  \
  choose(n_x > -0.35f, n_p, exp16(n_x) - 1.0f); })

CLONES void apus_elu(const float *x, float *y, long width, long n, long stride, float alpha) {
  EACH {
    f16v v = load(x + at);
    store(y + at, choose(v <= 0.0f, expm1_negative(at_most(v, 0.0f)) * alpha, v));
  }
}

CLONES void apus_elu_backward(const float *x, const float *dy, float *dx, long width, long n,
                              long stride, float alpha) {
  EACH {
    f16v v = load(x + at), g = load(dy + at);
    store(dx + at, choose(v <= 0.0f, g * (exp16(at_most(v, 0.0f)) * alpha), g));
  }
}

CLONES void apus_gelu(const float *x, float *y, long width, long n, long stride) {
  EACH {
    f16v v = load(x + at);
    f16v h = v * 0.5f;
    f16v r = h + h * erf16(v * 0.707106781186547524f);
    // -inf * 0 would be NaN.
    store(y + at, choose(v < -14.0f, splat(-0.0f), r));
  }
}

CLONES void apus_gelu_backward(const float *x, const float *dy, float *dx, long width, long n,
                               long stride) {
  EACH {
    f16v v = load(x + at);
    f16v cdf = 0.5f + 0.5f * erf16(v * 0.707106781186547524f);
    f16v bounded = at_most(at_least(v, -14.0f), 14.0f);
    f16v density = exp16(bounded * bounded * -0.5f) * 0.398942280401432678f;
    store(dx + at, load(dy + at) * (cdf + bounded * density));
  }
}

CLONES void apus_silu(const float *x, float *y, long width, long n, long stride) {
  EACH {
    f16v v = load(x + at);
    store(y + at, choose(v < -104.0f, splat(-0.0f), v * sigmoid16(v)));
  }
}

CLONES void apus_silu_backward(const float *x, const float *dy, float *dx, long width, long n,
                               long stride) {
  EACH {
    f16v v = load(x + at);
    f16v s = sigmoid16(v);
    f16v bounded = at_most(at_least(v, -200.0f), 200.0f);
    store(dx + at, load(dy + at) * (s + bounded * (s * (1.0f - s))));
  }
}

CLONES void apus_tanh(const float *x, float *y, long width, long n, long stride) {
  EACH store(y + at, tanh16(load(x + at)));
}

CLONES void apus_tanh_backward(const float *y, const float *dy, float *dx, long width, long n,
                               long stride) {
  EACH {
    f16v v = load(y + at);
    store(dx + at, load(dy + at) * (1.0f - v * v));
  }
}

CLONES void apus_sigmoid(const float *x, float *y, long width, long n, long stride) {
  EACH store(y + at, sigmoid16(load(x + at)));
}

CLONES void apus_sigmoid_backward(const float *y, const float *dy, float *dx, long width, long n,
                                  long stride) {
  EACH {
    f16v v = load(y + at);
    store(dx + at, load(dy + at) * (v * (1.0f - v)));
  }
}

// log(1 + e^(beta x)) / beta; x itself above the threshold, as PyTorch does.
CLONES void apus_softplus(const float *x, float *y, long width, long n, long stride, float beta,
                          float threshold) {
  EACH {
    f16v v = load(x + at);
    f16v z = v * beta;
    f16v r = choose(z > 0.0f, z, splat(0.0f)) + log1p16(exp16(-absolute(z)));
    store(y + at, choose(z > threshold, v, r / beta));
  }
}

CLONES void apus_softplus_backward(const float *x, const float *dy, float *dx, long width, long n,
                                   long stride, float beta, float threshold) {
  EACH {
    f16v z = load(x + at) * beta;
    f16v g = load(dy + at);
    store(dx + at, choose(z > threshold, g, g * sigmoid16(z)));
  }
}

// The three passes of a softmax run down the features, sixteen rows at a time: no horizontal sums.
CLONES void apus_softmax(const float *x, float *y, long width, long n, long stride) {
  for (long i = 0; i < n; i += 16) {
    f16v top = load(x + i);
    for (long j = 1; j < width; j++) {
      f16v v = load(x + j * stride + i);
      top = choose(v > top, v, top);
    }
    f16v sum = splat(0.0f);
    for (long j = 0; j < width; j++) {
      f16v e = exp16(load(x + j * stride + i) - top);
      store(y + j * stride + i, e);
      sum += e;
    }
    f16v scale = 1.0f / sum;
    for (long j = 0; j < width; j++) {
      store(y + j * stride + i, load(y + j * stride + i) * scale);
    }
  }
}

CLONES void apus_softmax_backward(const float *y, const float *dy, float *dx, long width, long n,
                                  long stride) {
  for (long i = 0; i < n; i += 16) {
    f16v dot = splat(0.0f);
    for (long j = 0; j < width; j++) {
      dot += load(y + j * stride + i) * load(dy + j * stride + i);
    }
    for (long j = 0; j < width; j++) {
      long at = j * stride + i;
      store(dx + at, load(y + at) * (load(dy + at) - dot));
    }
  }
}

CLONES void apus_log_softmax(const float *x, float *y, long width, long n, long stride) {
  for (long i = 0; i < n; i += 16) {
    f16v top = load(x + i);
    for (long j = 1; j < width; j++) {
      f16v v = load(x + j * stride + i);
      top = choose(v > top, v, top);
    }
    f16v sum = splat(0.0f);
    for (long j = 0; j < width; j++) sum += exp16(load(x + j * stride + i) - top);
    f16v log_sum = log16(sum);
    for (long j = 0; j < width; j++) {
      long at = j * stride + i;
      store(y + at, (load(x + at) - top) - log_sum);
    }
  }
}

CLONES void apus_log_softmax_backward(const float *y, const float *dy, float *dx, long width,
                                      long n, long stride) {
  for (long i = 0; i < n; i += 16) {
    f16v sum = splat(0.0f);
    for (long j = 0; j < width; j++) sum += load(dy + j * stride + i);
    for (long j = 0; j < width; j++) {
      long at = j * stride + i;
      store(dx + at, load(dy + at) - exp16(load(y + at)) * sum);
    }
  }
}

CLONES void apus_dropout(const float *x, float *y, long width, long n, long stride, float p,
                         uint64_t key, uint64_t first) {
  const float scale = p < 1.0f ? 1.0f / (1.0f - p) : 0.0f;
  // Keep where the draw's upper 31 bits reach p * 2^31.
  const int32_t bound = (int32_t)((double)p * 2147483647.0);
  const u16v count = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
  for (long i = 0; i < n; i += 16) {
    uint64_t position = first + (uint64_t)i;
    u16v row = mix16((count + (uint32_t)position) ^ low) + (high ^ (uint32_t)(position >> 32));
    for (long j = 0; j < width; j++) {
      u16v draw = mix16(row ^ ((uint32_t)j * 0x9e3779b9u));
      long at = j * stride + i;
      i16v keep = (i16v)(draw >> 1) >= bound;
      store(y + at, (f16v)((i16v)(load(x + at) * scale) & keep));
    }
  }
}

#define FLAT(NAME, FUNCTION)                                    \
  CLONES void NAME(const float *x, float *y, long n) {          \
    long i = 0;                                                 \
    for (; i + 16 <= n; i += 16) store(y + i, FUNCTION(load(x + i))); \
    if (i < n) {                                                \
      f16v v = splat(1.0f);                                     \
      memcpy(&v, x + i, (size_t)(n - i) * sizeof(float));       \
      v = FUNCTION(v);                                          \
      memcpy(y + i, &v, (size_t)(n - i) * sizeof(float));       \
    }                                                           \
  }

FLAT(apus_exp, exp16)
FLAT(apus_log, log16)
FLAT(apus_erf, erf16)
