// Float kernels, compiled for several CPUs and chosen at load time.
//
// A tile is a matrix stored feature-major: `width` rows (features) of `n` values (the rows of a
// batch), each feature `stride` floats after the one before. `n` is a multiple of 16, `stride` at
// least `n`, and every base pointer 64-byte aligned; so kernels never need a tail, and a value of
// the padding may be computed but is never used.
#ifndef APUS_CVECTORMATH_H
#define APUS_CVECTORMATH_H

#include "bit_packing.h"
#include "csv_scan.h"
#include <stdint.h>

// ---- matrix.c ---------------------------------------------------------------------------------

// C[m, n] = sum over k of A[m, k] B[k, n] (+ bias[m]) (+ C), then max(0, C) when `relu`.
// A is read one value at a time (any strides). The rows of B are contiguous and readable up to n
// rounded up to 16; C is written exactly.
typedef struct {
  const float *a;
  long a_row, a_column;
  const float *b;
  long b_row;
  float *c;
  long c_row;
  const float *bias;
  long m, n, k;
  int accumulate;
  int relu;
} apus_product;

void apus_multiply(const apus_product *p);

// C[m, n] += sum over t < k of A[m, t] B[n, t]; both contiguous along t, k a multiple of 16.
void apus_multiply_transposed(const float *a, long a_row, const float *b, long b_row, float *c,
                              long c_row, long m, long n, long k);
// sums[i] += sum over t < n of x[i, t].
void apus_add_row_sums(const float *x, long width, long n, long stride, float *sums);
// target[j, i] = source[i, j] for i < rows, j < columns. Source rows are readable up to `columns`
// rounded up to 16; the target has room for `columns` rounded up to 16 rows, of which the extra
// ones receive garbage, and each target row room for `rows` rounded up to 16 (garbage too).
void apus_transpose(const float *source, long source_row, long rows, long columns, float *target,
                    long target_row);
// target[j, i] = source[order[i], j], i < rows; zero for i up to rows rounded up to 16. `order`
// may be null: the rows from `first` on. The source is readable for 16 floats past its end.
void apus_gather_rows(const float *source, long width, const uint32_t *order, long first,
                      long rows, float *target, long target_row);
// The widest instruction set in use: 4 (AVX-512), 3 (AVX2) or 1; `limit` lowers it (tests).
int apus_vector_level(void);
void apus_limit_vector_level(int limit);

// ---- activations.c: y from x, and dx from dy; y may be x, dx may be dy ------------------------

void apus_relu(const float *x, float *y, long width, long n, long stride);
void apus_relu_backward(const float *y, const float *dy, float *dx, long width, long n, long stride);
void apus_leaky_relu(const float *x, float *y, long width, long n, long stride, float slope);
void apus_leaky_relu_backward(const float *x, const float *dy, float *dx, long width, long n,
                              long stride, float slope);
void apus_elu(const float *x, float *y, long width, long n, long stride, float alpha);
void apus_elu_backward(const float *x, const float *dy, float *dx, long width, long n, long stride,
                       float alpha);
void apus_gelu(const float *x, float *y, long width, long n, long stride);
void apus_gelu_backward(const float *x, const float *dy, float *dx, long width, long n, long stride);
void apus_silu(const float *x, float *y, long width, long n, long stride);
void apus_silu_backward(const float *x, const float *dy, float *dx, long width, long n, long stride);
void apus_tanh(const float *x, float *y, long width, long n, long stride);
void apus_tanh_backward(const float *y, const float *dy, float *dx, long width, long n, long stride);
void apus_sigmoid(const float *x, float *y, long width, long n, long stride);
void apus_sigmoid_backward(const float *y, const float *dy, float *dx, long width, long n,
                           long stride);
void apus_softplus(const float *x, float *y, long width, long n, long stride, float beta,
                   float threshold);
void apus_softplus_backward(const float *x, const float *dy, float *dx, long width, long n,
                            long stride, float beta, float threshold);
void apus_softmax(const float *x, float *y, long width, long n, long stride);
void apus_softmax_backward(const float *y, const float *dy, float *dx, long width, long n,
                           long stride);
void apus_log_softmax(const float *x, float *y, long width, long n, long stride);
void apus_log_softmax_backward(const float *y, const float *dy, float *dx, long width, long n,
                               long stride);
// y = x / (1 - p) where a draw keeps the value, 0 elsewhere. The draw depends on key, position of
// the row (first + i) and feature only. The backward pass is the same call on gradients.
void apus_dropout(const float *x, float *y, long width, long n, long stride, float p, uint64_t key,
                  uint64_t first);

// ---- activations_more.c: out = f(x), or with dy: out = f'(x) dy -------------------------------
void apus_relu6(const float *x, const float *dy, float *out, long width, long n, long stride);
void apus_softsign(const float *x, const float *dy, float *out, long width, long n, long stride);
void apus_hardsigmoid(const float *x, const float *dy, float *out, long width, long n, long stride);
void apus_hardswish(const float *x, const float *dy, float *out, long width, long n, long stride);
void apus_mish(const float *x, const float *dy, float *out, long width, long n, long stride);
void apus_gelu_tanh(const float *x, const float *dy, float *out, long width, long n, long stride);
void apus_l2norm(const float *x, const float *dy, float *out, long width, long n, long stride,
                 float eps);

// Flat arrays of any length.
void apus_exp(const float *x, float *y, long n);
void apus_log(const float *x, float *y, long n);
void apus_erf(const float *x, float *y, long n);

// ---- losses.c: the sum of weights[i] * loss, and gradient = its derivative times `scale` -------
// Predictions z and targets y [width, n]; `gradient` may be null, may be z. Padding has weight 0.

typedef enum {
  APUS_MSE = 0,
  APUS_MAE = 1,
  APUS_HUBER = 2,
  APUS_SMOOTH_L1 = 3,
  APUS_BCE_LOGITS = 4,
} apus_loss_kind;

double apus_elementwise_loss(int kind, float parameter, const float *z, const float *y,
                             const float *weights, float *gradient, float scale, long width, long n,
                             long stride);
// Softmax cross-entropy on logits; class ids in classes[n] (each within 0 ..< width).
// `gradient` is required (it is scratch too) and must not be z.
double apus_cross_entropy_classes(const float *z, const int32_t *classes, const float *weights,
                                  float *gradient, float scale, long width, long n, long stride);
double apus_cross_entropy_soft(const float *z, const float *y, const float *weights,
                               float *gradient, float scale, long width, long n, long stride);
double apus_nll_classes(const float *z, const int32_t *classes, const float *weights,
                        float *gradient, float scale, long width, long n, long stride);
double apus_nll_soft(const float *z, const float *y, const float *weights, float *gradient,
                     float scale, long width, long n, long stride);
// ---- losses_more.c: as above -------------------------------------------------------------------
double apus_cross_entropy_smoothed(const float *z, const int32_t *classes, const float *weights,
                                   float smoothing, float *gradient, float scale, long width,
                                   long n, long stride);
double apus_bce_logits_weighted(const float *z, const float *y, const float *weights,
                                const float *positive, float *gradient, float scale, long width,
                                long n, long stride);
double apus_kl_divergence(const float *z, const float *y, const float *weights, float *gradient,
                          float scale, long width, long n, long stride);
// Of probabilities z; logarithms end at -100, as in PyTorch.
double apus_bce_probabilities(const float *z, const float *y, const float *weights, float *gradient,
                              float scale, long width, long n, long stride);
// y has width + 1 vectors, the last says which rows are alike (> 0).
double apus_cosine_embedding(const float *z, const float *y, const float *weights, float margin,
                             float *gradient, float scale, long width, long n, long stride);
double apus_cosine_loss(const float *z, const float *y, const float *weights, float *gradient,
                        float scale, long width, long n, long stride);
// The sum of weights where the largest prediction is that of the class (first of equals).
double apus_count_correct_classes(const float *z, const int32_t *classes, const float *weights,
                                  long width, long n, long stride);
// The sum of weights where (z > threshold) == (y > 0.5), averaged over the width.
double apus_count_correct_binary(const float *z, const float *y, const float *weights,
                                 float threshold, long width, long n, long stride);

// ---- optimizers.c: gradient = sum of the lanes in their order, which are cleared ---------------

typedef struct {
  float *lanes;      // lane_count vectors, lane_stride floats apart
  long lane_stride;
  long lane_count;
} apus_gradient;

typedef struct {
  float learning_rate, momentum, dampening, weight_decay;
  int nesterov, first_step;
} apus_sgd_options;
void apus_sgd(float *p, apus_gradient g, float *velocity, long n, const apus_sgd_options *o);

typedef struct {
  float learning_rate, beta1, beta2, eps, weight_decay;
  float correction1, correction2;  // 1 - beta1^t and sqrt(1 - beta2^t)
  int decoupled;                   // AdamW: the decay acts on the weights, not on the gradient
} apus_adam_options;
// largest: null, or the largest v so far (AMSGrad, Reddi et al. 2018).
void apus_adam(float *p, apus_gradient g, float *m, float *v, float *largest, long n,
               const apus_adam_options *o);

// ---- optimizers_adaptive.c: what each field means is in the function that reads it -------------
typedef struct {
  float learning_rate, decay1, decay2, eps, weight_decay, momentum;
  float initial, scale, gradient_rate, smallest, largest;
  int first_step;
} apus_adaptive_options;
// velocity and average may be null: no momentum, not centered.
void apus_rmsprop(float *p, apus_gradient g, float *square, float *velocity, float *average, long n,
                  const apus_adaptive_options *o);
void apus_adagrad(float *p, apus_gradient g, float *sum, long n, const apus_adaptive_options *o);
void apus_adadelta(float *p, apus_gradient g, float *square, float *change, long n,
                   const apus_adaptive_options *o);
void apus_adamax(float *p, apus_gradient g, float *m, float *norm, long n,
                 const apus_adaptive_options *o);
void apus_nadam(float *p, apus_gradient g, float *m, float *v, long n,
                const apus_adaptive_options *o);
void apus_radam(float *p, apus_gradient g, float *m, float *v, long n,
                const apus_adaptive_options *o);
void apus_rprop(float *p, apus_gradient g, float *previous, float *sizes, long n,
                const apus_adaptive_options *o);
// x within -limit ... limit.
void apus_clamp(float *x, long n, float limit);

// lane 0 = the sum of the lanes, the others cleared; returns the sum of its squares.
double apus_reduce_lanes(apus_gradient g, long n);
void apus_scale(float *x, long n, float factor);

// ---- shaped.c: vectors of n rows, `stride` floats apart ----------------------------------------
void apus_add_scaled(const float *x, float *y, long n, float scale);  // y += x scale
void apus_add_vectors(const float *x, const float *y, float *sum, long width, long n, long stride);
void apus_multiply_vectors(const float *x, const float *y, float *product, long width, long n,
                           long stride, int accumulate);
void apus_largest(const float *x, float *y, long n);  // y = max(x, y)
void apus_largest_backward(const float *x, const float *y, const float *dy, float *dx, float *taken,
                           long n);
// (x - mean) / sqrt(variance + eps) * weight + bias over `width` vectors of each row; `span` vectors
// in a row share a weight. Not centered: the mean is taken for 0. bias may be null, as may dx.
void apus_normalize(const float *x, float *y, const float *weight, const float *bias, long width,
                    long span, int centered, float eps, long n, long stride);
void apus_normalize_backward(const float *x, const float *dy, float *dx, const float *weight,
                             float *weight_sums, float *bias_sums, long width, long span,
                             int centered, float eps, long n, long stride);
double apus_sum_channel(const float *x, float mean, int squared, long span, long count, long n,
                        long stride);
double apus_dot_channel(const float *x, float mean, const float *dy, long span, long count, long n,
                        long stride);
void apus_affine_channel(const float *x, float *y, float a, float b, long span, long n,
                         long stride);
void apus_affine_channel_backward(const float *x, const float *dy, float *dx, float mean, float a,
                                  float b, float c, long span, long count, long n, long stride);

// ---- recurrent.c: the cells of lstm and gru, and attention -------------------------------------
void apus_lstm_cell(float *gates, const float *before, float *cell, float *output, long hidden,
                    long n, long stride);
void apus_lstm_cell_backward(const float *gates, const float *before, const float *cell,
                             const float *slope, float *cell_slope, float *gate_slopes, long hidden,
                             long n, long stride);
void apus_gru_cell(float *input, const float *state, const float *before, float *output,
                   long hidden, long n, long stride);
void apus_gru_cell_backward(const float *gates, const float *state, const float *before,
                            const float *slope, float *direct, float *input_slopes,
                            float *state_slopes, long hidden, long n, long stride);
typedef struct {
  long queries, keys, depth, query_pitch, key_pitch, output_pitch;
  int causal;
} apus_attention_shape;

void apus_attention(const apus_attention_shape *a, const float *q, const float *k, const float *v,
                    const float *lengths, float *weights, float *output, long n, long stride);
void apus_attention_backward(const apus_attention_shape *a, const float *q, const float *k,
                             const float *v, const float *weights, const float *slope, float *dq,
                             float *dk, float *dv, float *slopes, long n, long stride);

// ---- distances.c: two vectors of any length ----------------------------------------------------
float apus_dot(const float *x, const float *y, long n);
double apus_dot_double(const double *x, const double *y, long n);
float apus_square_distance(const float *x, const float *y, long n);
double apus_square_distance_double(const double *x, const double *y, long n);
// sums = x y, x x, y y
void apus_products(const float *x, const float *y, long n, float *sums);
void apus_products_double(const double *x, const double *y, long n, double *sums);

// ---- cores.c -----------------------------------------------------------------------------------
// The cores that this process may use (the affinity mask, which Swift's Glibc does not import).
int apus_usable_cores(void);

// Tells the core that this is a spin loop.
static inline void apus_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

#endif
