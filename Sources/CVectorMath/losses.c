#include "CVectorMath.h"
#include "vector.h"

// loss and derivative of one element, d = z - y where a difference is what counts.
INLINE void element(int kind, float parameter, const f16v *prediction, const f16v *target,
                    f16v *loss, f16v *slope) {
  const f16v z = *prediction, y = *target;
  f16v d = z - y;
  f16v a = absolute(d);
  f16v sign = choose(d > 0.0f, splat(1.0f), choose(d < 0.0f, splat(-1.0f), d));
  switch (kind) {
    case APUS_MSE:
      *loss = d * d;
      *slope = d + d;
      break;
    case APUS_MAE:
      *loss = a;
      *slope = sign;
      break;
    case APUS_HUBER:
      *loss = choose(a <= parameter, d * d * 0.5f, (a - parameter * 0.5f) * parameter);
      *slope = choose(a <= parameter, d, sign * parameter);
      break;
    case APUS_SMOOTH_L1:
      *loss = choose(a < parameter, d * d * (0.5f / parameter), a - parameter * 0.5f);
      *slope = choose(a < parameter, d / parameter, sign);
      break;
    default: {
      // max(z, 0) - z y + log(1 + e^-|z|): no overflow, no log of zero.
      f16v e = exp16(-absolute(z));
      *loss = choose(z > 0.0f, z, splat(0.0f)) - z * y + log1p16(e);
      f16v s = 1.0f / (1.0f + e);
      *slope = choose(z < 0.0f, e * s, s) - y;
    }
  }
  // NaN must not vanish in a comparison.
  *loss = choose(z != z, z, *loss);
}

INLINE double elementwise(const int kind, float parameter, const float *z, const float *y,
                          const float *weights, float *gradient, float scale, long width, long n,
                          long stride) {
  f16v total = splat(0.0f);
  for (long j = 0; j < width; j++)
    for (long i = 0; i < n; i += 16) {
      long at = j * stride + i;
      f16v w = load(weights + i), prediction = load(z + at), target = load(y + at), loss, slope;
      element(kind, parameter, &prediction, &target, &loss, &slope);
      total += choose(w > 0.0f, loss * w, splat(0.0f));
      if (gradient) store(gradient + at, choose(w > 0.0f, slope * (w * scale), splat(0.0f)));
    }
  return sum16(total);
}

CLONES double apus_elementwise_loss(int kind, float parameter, const float *z, const float *y,
                                    const float *weights, float *gradient, float scale, long width,
                                    long n, long stride) {
  switch (kind) {
    case APUS_MSE:
      return elementwise(APUS_MSE, 0, z, y, weights, gradient, scale, width, n, stride);
    case APUS_MAE:
      return elementwise(APUS_MAE, 0, z, y, weights, gradient, scale, width, n, stride);
    case APUS_HUBER:
      return elementwise(APUS_HUBER, parameter, z, y, weights, gradient, scale, width, n, stride);
    case APUS_SMOOTH_L1:
      return elementwise(APUS_SMOOTH_L1, parameter, z, y, weights, gradient, scale, width, n,
                         stride);
    default:
      return elementwise(APUS_BCE_LOGITS, 0, z, y, weights, gradient, scale, width, n, stride);
  }
}

// gradient = e^(z - top) for sixteen rows, their top and their sum.
INLINE void exponentials(const float *z, float *gradient, long width, long stride, long i,
                         f16v *top, f16v *total) {
  f16v m = load(z + i);
  for (long j = 1; j < width; j++) {
    f16v v = load(z + j * stride + i);
    m = choose(v > m, v, m);
  }
  f16v sum = splat(0.0f);
  for (long j = 0; j < width; j++) {
    f16v e = exp16(load(z + j * stride + i) - m);
    store(gradient + j * stride + i, e);
    sum += e;
  }
  *top = m;
  *total = sum;
}

CLONES double apus_cross_entropy_classes(const float *z, const int32_t *classes,
                                         const float *weights, float *gradient, float scale,
                                         long width, long n, long stride) {
  double total = 0;
  for (long i = 0; i < n; i += 16) {
    f16v top, sum;
    exponentials(z, gradient, width, stride, i, &top, &sum);
    f16v w = load(weights + i);
    f16v factor = w * scale / sum;
    for (long j = 0; j < width; j++) {
      long at = j * stride + i;
      store(gradient + at, load(gradient + at) * factor);
    }
    f16v log_sum = log16(sum) + top;
    f16v picked;
    for (long k = 0; k < 16; k++) {
      long at = (long)classes[i + k] * stride + i + k;
      picked[k] = z[at];
      gradient[at] -= weights[i + k] * scale;
    }
    total += sum16(choose(w > 0.0f, (log_sum - picked) * w, splat(0.0f)));
  }
  return total;
}

CLONES double apus_cross_entropy_soft(const float *z, const float *y, const float *weights,
                                      float *gradient, float scale, long width, long n,
                                      long stride) {
  double total = 0;
  for (long i = 0; i < n; i += 16) {
    f16v top, sum;
    exponentials(z, gradient, width, stride, i, &top, &sum);
    f16v log_sum = log16(sum) + top;
    f16v w = load(weights + i);
    f16v mass = splat(0.0f), loss = splat(0.0f);
    for (long j = 0; j < width; j++) {
      long at = j * stride + i;
      f16v t = load(y + at);
      mass += t;
      loss += t * (log_sum - load(z + at));
    }
    f16v inverse = 1.0f / sum;
    for (long j = 0; j < width; j++) {
      long at = j * stride + i;
      f16v p = load(gradient + at) * inverse;
      store(gradient + at, (p * mass - load(y + at)) * (w * scale));
    }
    total += sum16(choose(w > 0.0f, loss * w, splat(0.0f)));
  }
  return total;
}

CLONES double apus_nll_classes(const float *z, const int32_t *classes, const float *weights,
                               float *gradient, float scale, long width, long n, long stride) {
  double total = 0;
  for (long j = 0; j < width; j++)
    for (long i = 0; i < n; i += 16) store(gradient + j * stride + i, splat(0.0f));
  for (long i = 0; i < n; i++) {
    long at = (long)classes[i] * stride + i;
    if (weights[i] > 0) total -= (double)z[at] * weights[i];
    gradient[at] = -weights[i] * scale;
  }
  return total;
}

CLONES double apus_nll_soft(const float *z, const float *y, const float *weights, float *gradient,
                            float scale, long width, long n, long stride) {
  double total = 0;
  for (long j = 0; j < width; j++)
    for (long i = 0; i < n; i += 16) {
      long at = j * stride + i;
      f16v t = load(y + at), w = load(weights + i);
      total -= sum16(choose(t * w > 0.0f, t * w * load(z + at), splat(0.0f)));
      store(gradient + at, -(t * w * scale));
    }
  return total;
}

CLONES double apus_count_correct_classes(const float *z, const int32_t *classes,
                                         const float *weights, long width, long n, long stride) {
  double total = 0;
  const i16v zero = {0};
  for (long i = 0; i < n; i += 16) {
    f16v top = load(z + i);
    i16v best = zero;
    for (long j = 1; j < width; j++) {
      f16v v = load(z + j * stride + i);
      i16v greater = v > top;
      top = choose(greater, v, top);
      best = (greater & (zero + (int32_t)j)) | (~greater & best);
    }
    i16v wanted;
    memcpy(&wanted, classes + i, sizeof(wanted));
    total += sum16(choose(best == wanted, load(weights + i), splat(0.0f)));
  }
  return total;
}

CLONES double apus_count_correct_binary(const float *z, const float *y, const float *weights,
                                        float threshold, long width, long n, long stride) {
  double total = 0;
  for (long j = 0; j < width; j++)
    for (long i = 0; i < n; i += 16) {
      long at = j * stride + i;
      i16v same = (load(z + at) > threshold) == (load(y + at) > 0.5f);
      total += sum16(choose(same, load(weights + i), splat(0.0f)));
    }
  return total / (double)width;
}
