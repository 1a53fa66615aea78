#include "CVectorMath.h"
#include "vector.h"

// The vectors are padded to 16 floats and cleared there, so no loop needs a tail.

INLINE void take_gradient(apus_gradient g, long i, f16v *gradient) {
  f16v sum = load(g.lanes + i);
  store(g.lanes + i, splat(0.0f));
  for (long lane = 1; lane < g.lane_count; lane++) {
    float *p = g.lanes + lane * g.lane_stride + i;
    sum += load(p);
    store(p, splat(0.0f));
  }
  *gradient = sum;
}

// torch.optim.SGD (Sutskever et al. 2013 for the momentum; its first step takes the gradient).
CLONES void apus_sgd(float *p, apus_gradient gradient, float *velocity, long n,
                     const apus_sgd_options *o) {
  const float momentum = o->momentum, rate = o->learning_rate, decay = o->weight_decay;
  const float fresh = 1.0f - o->dampening;
  for (long i = 0; i < n; i += 16) {
    f16v w = load(p + i), g;
    take_gradient(gradient, i, &g);
    g = g + w * decay;
    if (momentum != 0.0f) {
      f16v v = o->first_step ? g : load(velocity + i) * momentum + g * fresh;
      store(velocity + i, v);
      g = o->nesterov ? g + v * momentum : v;
    }
    store(p + i, w - g * rate);
  }
}

// torch.optim.Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019).
CLONES void apus_adam(float *p, apus_gradient gradient, float *m, float *v, float *largest,
                      long n, const apus_adam_options *o) {
  const float beta1 = o->beta1, beta2 = o->beta2, eps = o->eps;
  const float step = o->learning_rate / o->correction1;
  const float scale = 1.0f / o->correction2;
  const float gradient_decay = o->decoupled ? 0.0f : o->weight_decay;
  const float keep = o->decoupled ? 1.0f - o->learning_rate * o->weight_decay : 1.0f;
  for (long i = 0; i < n; i += 16) {
    f16v w = load(p + i), g;
    take_gradient(gradient, i, &g);
    g = g + w * gradient_decay;
    f16v first = load(m + i) * beta1 + g * (1.0f - beta1);
    f16v second = load(v + i) * beta2 + g * g * (1.0f - beta2);
    store(m + i, first);
    store(v + i, second);
    if (largest) {
      f16v top = load(largest + i);
      second = choose(second > top, second, top);
      store(largest + i, second);
    }
    store(p + i, w * keep - step * (first / (__builtin_elementwise_sqrt(second) * scale + eps)));
  }
}

CLONES double apus_reduce_lanes(apus_gradient gradient, long n) {
  double total = 0;
  for (long i = 0; i < n; i += 16) {
    f16v g;
    take_gradient(gradient, i, &g);
    store(gradient.lanes + i, g);
    total += sum16(g * g);
  }
  return total;
}

CLONES void apus_scale(float *x, long n, float factor) {
  for (long i = 0; i < n; i += 16) store(x + i, load(x + i) * factor);
}
