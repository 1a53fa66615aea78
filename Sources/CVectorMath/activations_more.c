#include "CVectorMath.h"
#include "vector.h"

// Activations where one kernel does forward (dy null) and backward.
#define EACH                               \
  for (long j = 0; j < width; j++)         \
    for (long at = j * stride, end = at + n; at < end; at += 16)

#define ACTIVATION(NAME, VALUE, SLOPE)                                                     \
  CLONES void NAME(const float *x, const float *dy, float *out, long width, long n,        \
                   long stride) {                                                          \
    if (dy) {                                                                              \
      EACH {                                                                               \
        f16v v = load(x + at);                                                             \
        store(out + at, load(dy + at) * (SLOPE));                                          \
      }                                                                                    \
    } else {                                                                               \
      EACH {                                                                               \
        f16v v = load(x + at);                                                             \
        store(out + at, (VALUE));                                                          \
      }                                                                                    \
    }                                                                                      \
  }

#define one splat(1.0f)
#define none splat(0.0f)

ACTIVATION(apus_relu6, at_most(at_least(v, 0.0f), 6.0f),
           choose((v > 0.0f) & (v < 6.0f), one, none))
ACTIVATION(apus_softsign, v / (1.0f + absolute(v)),
           1.0f / ((1.0f + absolute(v)) * (1.0f + absolute(v))))
ACTIVATION(apus_hardsigmoid, at_most(at_least(v * (1.0f / 6) + 0.5f, 0.0f), 1.0f),
           choose((v > -3.0f) & (v < 3.0f), splat(1.0f / 6), none))
ACTIVATION(apus_hardswish, v * at_most(at_least(v * (1.0f / 6) + 0.5f, 0.0f), 1.0f),
           choose(v <= -3.0f, none, choose(v < 3.0f, v * (1.0f / 3) + 0.5f, one)))

// tanh(softplus(x)), from e^-|x| alone: with u = (1 + e^x)^2 it is (u - 1) / (u + 1).
#define squashed(v, t, s) ({                                                        \
  f16v q_e = exp16(-absolute(v));                                                   \
  f16v q_up = choose((v) > 0.0f, 1.0f + 2.0f * q_e, q_e * (q_e + 2.0f));            \
  f16v q_down = choose((v) > 0.0f, 1.0f + 2.0f * q_e + 2.0f * q_e * q_e,            \
                       q_e * (q_e + 2.0f) + 2.0f);                                  \
  t = q_up / q_down;                                                                \
  s = choose((v) < 0.0f, q_e / (1.0f + q_e), 1.0f / (1.0f + q_e)); })

CLONES void apus_mish(const float *x, const float *dy, float *out, long width, long n,
                      long stride) {
  EACH {
    f16v v = load(x + at), t, s;
    squashed(v, t, s);
    f16v bounded = at_most(at_least(v, -104.0f), 3e38f);
    f16v slope = t + bounded * s * (1.0f - t * t);
    store(out + at, dy ? load(dy + at) * slope : choose(v < -104.0f, splat(-0.0f), v * t));
  }
}

CLONES void apus_gelu_tanh(const float *x, const float *dy, float *out, long width, long n,
                           long stride) {
  EACH {
    // Beyond 20 the tanh is 1, and a cube would overflow.
    f16v v = load(x + at), b = at_most(at_least(v, -20.0f), 20.0f);
    f16v square = b * b;
    f16v t = tanh16(b * (square * 0.0356774081363f + 0.797884560802865f));
    f16v slope = 0.5f * (1.0f + t) +
                 0.5f * b * (1.0f - t * t) * (0.797884560802865f + square * 0.107032224409f);
    store(out + at, dy ? load(dy + at) * slope
                       : choose(v < -20.0f, splat(-0.0f), v * (0.5f + 0.5f * t)));
  }
}

// x / max(|x|, eps) over `width` values. Backward: (dy - y (y dy)) / |x|.
CLONES void apus_l2norm(const float *x, const float *dy, float *out, long width, long n,
                        long stride, float eps) {
  for (long i = 0; i < n; i += 16) {
    f16v sum = none, dot = none;
    for (long j = 0; j < width; j++) {
      f16v v = load(x + j * stride + i);
      sum += v * v;
      if (dy) dot += v * load(dy + j * stride + i);
    }
    f16v size = __builtin_elementwise_sqrt(sum);
    f16v scale = 1.0f / at_least(size, eps);
    f16v pull = choose(size > eps, dot * scale * scale, none);
    for (long j = 0; j < width; j++) {
      long at = j * stride + i;
      f16v v = load(x + at);
      store(out + at, dy ? (load(dy + at) - v * pull) * scale : v * scale);
    }
  }
}
