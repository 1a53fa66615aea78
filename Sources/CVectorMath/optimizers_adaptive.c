#include "CVectorMath.h"
#include "vector.h"

// Optimizers beside SGD and Adam, as torch.optim has them. Vectors are padded to 16 floats.

#define EACH for (long i = 0; i < n; i += 16)
#define root(x) __builtin_elementwise_sqrt(x)

// The gradient is the sum of the lanes in their order, which are cleared; plus the L2 term.
#define take(g, w) ({                                         \
  f16v g_sum = load(gradient.lanes + i);                      \
  store(gradient.lanes + i, splat(0.0f));                     \
  for (long lane = 1; lane < gradient.lane_count; lane++) {   \
    float *g_p = gradient.lanes + lane * gradient.lane_stride + i; \
    g_sum += load(g_p);                                       \
    store(g_p, splat(0.0f));                                  \
  }                                                           \
  g = g_sum + (w) * o->weight_decay; })

CLONES void apus_rmsprop(float *p, apus_gradient gradient, float *square, float *velocity,
                         float *average, long n, const apus_adaptive_options *o) {
  const float alpha = o->decay1, fresh = 1.0f - alpha;
  EACH {
    f16v w = load(p + i), g;
    take(g, w);
    f16v s = load(square + i) * alpha + g * g * fresh;
    store(square + i, s);
    if (average) {
      f16v a = load(average + i) * alpha + g * fresh;
      store(average + i, a);
      // Rounding may leave a tiny negative difference.
      s = s - a * a;
      s = choose(s > 0.0f, s, splat(0.0f));
    }
    g = g / (root(s) + o->eps);
    if (velocity) {
      g = load(velocity + i) * o->momentum + g;
      store(velocity + i, g);
    }
    store(p + i, w - g * o->learning_rate);
  }
}

CLONES void apus_adagrad(float *p, apus_gradient gradient, float *sum, long n,
                         const apus_adaptive_options *o) {
  EACH {
    f16v w = load(p + i), g;
    take(g, w);
    f16v s = o->first_step ? splat(o->initial) : load(sum + i);
    s = s + g * g;
    store(sum + i, s);
    store(p + i, w - g / (root(s) + o->eps) * o->learning_rate);
  }
}

CLONES void apus_adadelta(float *p, apus_gradient gradient, float *square, float *change, long n,
                          const apus_adaptive_options *o) {
  const float rho = o->decay1, fresh = 1.0f - rho;
  EACH {
    f16v w = load(p + i), g;
    take(g, w);
    f16v s = load(square + i) * rho + g * g * fresh, c = load(change + i);
    f16v d = root(c + o->eps) / root(s + o->eps) * g;
    store(square + i, s);
    store(change + i, c * rho + d * d * fresh);
    store(p + i, w - d * o->learning_rate);
  }
}

CLONES void apus_adamax(float *p, apus_gradient gradient, float *m, float *norm, long n,
                        const apus_adaptive_options *o) {
  EACH {
    f16v w = load(p + i), g;
    take(g, w);
    f16v first = load(m + i) * o->decay1 + g * (1.0f - o->decay1);
    f16v u = load(norm + i) * o->decay2, a = absolute(g) + o->eps;
    u = choose(a > u, a, u);
    store(m + i, first);
    store(norm + i, u);
    store(p + i, w - first / u * o->learning_rate);
  }
}

CLONES void apus_nadam(float *p, apus_gradient gradient, float *m, float *v, long n,
                       const apus_adaptive_options *o) {
  EACH {
    f16v w = load(p + i), g;
    take(g, w);
    f16v first = load(m + i) * o->decay1 + g * (1.0f - o->decay1);
    f16v second = load(v + i) * o->decay2 + g * g * (1.0f - o->decay2);
    store(m + i, first);
    store(v + i, second);
    f16v below = root(second * o->scale) + o->eps;
    store(p + i, w - (g * o->gradient_rate + first * o->learning_rate) / below);
  }
}

CLONES void apus_radam(float *p, apus_gradient gradient, float *m, float *v, long n,
                       const apus_adaptive_options *o) {
  EACH {
    f16v w = load(p + i), g;
    take(g, w);
    f16v first = load(m + i) * o->decay1 + g * (1.0f - o->decay1);
    f16v second = load(v + i) * o->decay2 + g * g * (1.0f - o->decay2);
    store(m + i, first);
    store(v + i, second);
    // scale 0: too few steps for a variance, so a plain momentum step.
    f16v d = o->scale > 0.0f ? first * o->scale / (root(second) + o->eps) : first;
    store(p + i, w - d * o->learning_rate);
  }
}

CLONES void apus_rprop(float *p, apus_gradient gradient, float *previous, float *sizes, long n,
                       const apus_adaptive_options *o) {
  EACH {
    f16v w = load(p + i), g;
    take(g, w);
    f16v size = o->first_step ? splat(o->learning_rate) : load(sizes + i);
    f16v agreement = g * load(previous + i);
    size = size * choose(agreement > 0.0f, splat(o->decay2),
                         choose(agreement < 0.0f, splat(o->decay1), splat(1.0f)));
    size = at_most(at_least(size, o->smallest), o->largest);
    g = choose(agreement < 0.0f, splat(0.0f), g);
    store(sizes + i, size);
    store(previous + i, g);
    f16v sign = choose(g > 0.0f, splat(1.0f), choose(g < 0.0f, splat(-1.0f), splat(0.0f)));
    store(p + i, w - sign * size);
  }
}

CLONES void apus_clamp(float *x, long n, float limit) {
  EACH store(x + i, at_most(at_least(load(x + i), -limit), limit));
}
