#include "CVectorMath.h"
#include "vector.h"

#define EACH_ROW for (long i = 0; i < n; i += 16)
#define EACH_OUTPUT for (long j = 0, at = i; j < width; j++, at += stride)

// Softmax cross-entropy with smoothed labels (Szegedy et al. 2016): the class has probability
// 1 - e + e / width, every other one e / width.
CLONES double apus_cross_entropy_smoothed(const float *z, const int32_t *classes,
                                          const float *weights, float smoothing, float *gradient,
                                          float scale, long width, long n, long stride) {
  double total = 0;
  const float base = smoothing / (float)width;
  EACH_ROW {
    f16v top = load(z + i), sum = splat(0.0f), loss = splat(0.0f), w = load(weights + i);
    EACH_OUTPUT {
      f16v v = load(z + at);
      top = choose(v > top, v, top);
    }
    EACH_OUTPUT sum += exp16(load(z + at) - top);
    f16v log_sum = log16(sum) + top;
    i16v wanted;
    memcpy(&wanted, classes + i, sizeof(wanted));
    EACH_OUTPUT {
      f16v share = choose(wanted == (int32_t)j, splat(1.0f - smoothing + base), splat(base));
      f16v log_p = load(z + at) - log_sum;
      loss -= share * log_p;
      store(gradient + at, choose(w > 0.0f, (exp16(log_p) - share) * (w * scale), splat(0.0f)));
    }
    total += sum16(choose(w > 0.0f, loss * w, splat(0.0f)));
  }
  return total;
}

// -(c y log s(z) + (1 - y) log(1 - s(z))), c[j] a weight of the positive cases of output j.
CLONES double apus_bce_logits_weighted(const float *z, const float *y, const float *weights,
                                       const float *positive, float *gradient, float scale,
                                       long width, long n, long stride) {
  f16v total = splat(0.0f);
  EACH_ROW {
    f16v w = load(weights + i);
    EACH_OUTPUT {
      f16v v = load(z + at), t = load(y + at);
      f16v l = 1.0f + (positive[j] - 1.0f) * t;
      f16v e = exp16(-absolute(v));
      f16v loss = (1.0f - t) * v + l * (log1p16(e) + choose(v < 0.0f, -v, splat(0.0f)));
      f16v s = 1.0f / (1.0f + e);
      // s(-v), accurate on both sides.
      f16v other = choose(v > 0.0f, e * s, s);
      total += choose(w > 0.0f, loss * w, splat(0.0f));
      store(gradient + at, choose(w > 0.0f, ((1.0f - t) - l * other) * (w * scale), splat(0.0f)));
    }
  }
  return sum16(total);
}

// y (log y - z), z log-probabilities: torch.nn.functional.kl_div.
CLONES double apus_kl_divergence(const float *z, const float *y, const float *weights,
                                 float *gradient, float scale, long width, long n, long stride) {
  f16v total = splat(0.0f);
  EACH_ROW {
    f16v w = load(weights + i);
    EACH_OUTPUT {
      f16v t = load(y + at);
      f16v loss = t * (log16(at_least(t, 1e-38f)) - load(z + at));
      total += choose((w > 0.0f) & (t > 0.0f), loss * w, splat(0.0f));
      store(gradient + at, choose(w > 0.0f, -t * (w * scale), splat(0.0f)));
    }
  }
  return sum16(total);
}

// 1 - cosine(z, y) of a row.
CLONES double apus_cosine_loss(const float *z, const float *y, const float *weights,
                               float *gradient, float scale, long width, long n, long stride) {
  f16v total = splat(0.0f);
  const float tiny = 1e-12f;
  EACH_ROW {
    f16v w = load(weights + i), zz = splat(tiny), yy = splat(tiny), zy = splat(0.0f);
    EACH_OUTPUT {
      f16v v = load(z + at), t = load(y + at);
      zz += v * v;
      yy += t * t;
      zy += v * t;
    }
    f16v inverse = 1.0f / __builtin_elementwise_sqrt(zz * yy);
    f16v cosine = zy * inverse;
    f16v pull = cosine / zz;
    total += choose(w > 0.0f, (1.0f - cosine) * w, splat(0.0f));
    EACH_OUTPUT {
      f16v slope = load(z + at) * pull - load(y + at) * inverse;
      store(gradient + at, choose(w > 0.0f, slope * (w * scale), splat(0.0f)));
    }
  }
  return sum16(total);
}

// Binary cross-entropy of probabilities. log16(0) = -inf is cut at -100.
CLONES double apus_bce_probabilities(const float *z, const float *y, const float *weights,
                                     float *gradient, float scale, long width, long n,
                                     long stride) {
  f16v total = splat(0.0f);
  EACH_ROW {
    f16v w = load(weights + i);
    EACH_OUTPUT {
      f16v p = load(z + at), t = load(y + at);
      f16v ln_p = at_least(log16(p), -100.0f), ln_q = at_least(log16(1.0f - p), -100.0f);
      f16v loss = -(t * ln_p + (1.0f - t) * ln_q);
      f16v slope = (p - t) / at_least(p * (1.0f - p), 1e-12f);
      total += choose(w > 0.0f, loss * w, splat(0.0f));
      store(gradient + at, choose(w > 0.0f, slope * (w * scale), splat(0.0f)));
    }
  }
  return sum16(total);
}

// 1 - cosine(z, y) where the rows are alike, max(0, cosine - margin) where they are not.
CLONES double apus_cosine_embedding(const float *z, const float *y, const float *weights,
                                    float margin, float *gradient, float scale, long width, long n,
                                    long stride) {
  f16v total = splat(0.0f);
  const float tiny = 1e-12f;
  EACH_ROW {
    f16v w = load(weights + i), zz = splat(tiny), yy = splat(tiny), zy = splat(0.0f);
    EACH_OUTPUT {
      f16v v = load(z + at), t = load(y + at);
      zz += v * v;
      yy += t * t;
      zy += v * t;
    }
    i16v alike = load(y + width * stride + i) > 0.0f;
    f16v inverse = 1.0f / __builtin_elementwise_sqrt(zz * yy);
    f16v cosine = zy * inverse;
    f16v pull = cosine / zz;
    f16v loss = choose(alike, 1.0f - cosine, at_least(cosine - margin, 0.0f));
    // d cosine / dz = y inverse - z pull; its sign turns where the rows are alike.
    f16v sign = choose(alike, splat(-1.0f), choose(cosine > margin, splat(1.0f), splat(0.0f)));
    total += choose(w > 0.0f, loss * w, splat(0.0f));
    EACH_OUTPUT {
      f16v slope = (load(y + at) * inverse - load(z + at) * pull) * sign;
      store(gradient + at, choose(w > 0.0f, slope * (w * scale), splat(0.0f)));
    }
  }
  return sum16(total);
}
