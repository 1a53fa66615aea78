#include "CVectorMath.h"
#include "vector.h"

// Cells of recurrent layers. `hidden` vectors of n rows, `stride` floats apart.
#define EACH                               \
  for (long j = 0; j < hidden; j++)        \
    for (long at = j * stride, end = at + n; at < end; at += 16)

// gates: i, f, g, o before their functions; after them on return. Hochreiter, Schmidhuber 1997.
CLONES void apus_lstm_cell(float *gates, const float *before, float *cell, float *output,
                           long hidden, long n, long stride) {
  const long gate = hidden * stride;
  EACH {
    f16v i = sigmoid16(load(gates + at)), f = sigmoid16(load(gates + gate + at));
    f16v g = tanh16(load(gates + 2 * gate + at)), o = sigmoid16(load(gates + 3 * gate + at));
    f16v c = f * load(before + at) + i * g;
    store(gates + at, i);
    store(gates + gate + at, f);
    store(gates + 2 * gate + at, g);
    store(gates + 3 * gate + at, o);
    store(cell + at, c);
    store(output + at, o * tanh16(c));
  }
}

// cell_slope: of the cell after this step on entry, of the one before on return.
CLONES void apus_lstm_cell_backward(const float *gates, const float *before, const float *cell,
                                    const float *slope, float *cell_slope, float *gate_slopes,
                                    long hidden, long n, long stride) {
  const long gate = hidden * stride;
  EACH {
    f16v i = load(gates + at), f = load(gates + gate + at), g = load(gates + 2 * gate + at);
    f16v o = load(gates + 3 * gate + at), t = tanh16(load(cell + at)), d = load(slope + at);
    f16v c = load(cell_slope + at) + d * o * (1.0f - t * t);
    store(gate_slopes + at, c * g * i * (1.0f - i));
    store(gate_slopes + gate + at, c * load(before + at) * f * (1.0f - f));
    store(gate_slopes + 2 * gate + at, c * i * (1.0f - g * g));
    store(gate_slopes + 3 * gate + at, d * t * o * (1.0f - o));
    store(cell_slope + at, c * f);
  }
}

// input: r, z, n of W x + b; state: the same of U h + b. Keeps r, z, n in `input`. Cho et al. 2014,
// with the reset gate after the product, as cuDNN and PyTorch have it.
CLONES void apus_gru_cell(float *input, const float *state, const float *before, float *output,
                          long hidden, long n, long stride) {
  const long gate = hidden * stride;
  EACH {
    f16v r = sigmoid16(load(input + at) + load(state + at));
    f16v z = sigmoid16(load(input + gate + at) + load(state + gate + at));
    f16v c = tanh16(load(input + 2 * gate + at) + r * load(state + 2 * gate + at));
    store(input + at, r);
    store(input + gate + at, z);
    store(input + 2 * gate + at, c);
    store(output + at, c + z * (load(before + at) - c));
  }
}

// direct: the part of the slope that reaches the state before without the product.
CLONES void apus_gru_cell_backward(const float *gates, const float *state, const float *before,
                                   const float *slope, float *direct, float *input_slopes,
                                   float *state_slopes, long hidden, long n, long stride) {
  const long gate = hidden * stride;
  EACH {
    f16v r = load(gates + at), z = load(gates + gate + at), c = load(gates + 2 * gate + at);
    f16v d = load(slope + at), u = load(state + 2 * gate + at);
    f16v dc = d * (1.0f - z) * (1.0f - c * c);
    f16v dz = d * (load(before + at) - c) * z * (1.0f - z);
    f16v dr = dc * u * r * (1.0f - r);
    store(input_slopes + at, dr);
    store(input_slopes + gate + at, dz);
    store(input_slopes + 2 * gate + at, dc);
    store(state_slopes + at, dr);
    store(state_slopes + gate + at, dz);
    store(state_slopes + 2 * gate + at, dc * r);
    store(direct + at, d * z);
  }
}

// Scaled dot product of one head: `queries` steps look at `keys` steps, those below lengths[row]
// where there are lengths. Step t begins t * pitch vectors after the first; `depth` vectors each.
// weights: [queries, keys] vectors, kept for the way back. A row that may look at nothing gets zero.
// Vaswani et al. 2017, eq. 1.
CLONES void apus_attention(const apus_attention_shape *a, const float *q, const float *k,
                           const float *v, const float *lengths, float *weights, float *output,
                           long n, long stride) {
  const float scale = 1.0f / __builtin_sqrtf((float)a->depth);
  const long depth = a->depth, pitch = a->key_pitch;
  for (long s = 0; s < a->queries; s++) {
    const long keys = a->causal && s + 1 < a->keys ? s + 1 : a->keys;
    for (long i = 0; i < n; i += 16) {
      float *row = weights + s * a->keys * stride + i;
      f16v top = splat(-3e38f), sum = splat(0.0f);
      f16v length = lengths ? load(lengths + i) : splat(3e38f);
      for (long t = 0; t < keys; t++) {
        f16v dot = splat(0.0f);
        for (long d = 0; d < depth; d++)
          dot += load(q + (s * a->query_pitch + d) * stride + i) *
                 load(k + (t * pitch + d) * stride + i);
        dot = dot * scale;
        store(row + t * stride, dot);
        top = choose((dot > top) & (length > (float)t), dot, top);
      }
      for (long t = 0; t < keys; t++) {
        f16v e = exp16(load(row + t * stride) - top);
        e = choose(length > (float)t, e, splat(0.0f));
        store(row + t * stride, e);
        sum += e;
      }
      f16v inverse = choose(sum == 0.0f, splat(0.0f), 1.0f / sum);
      for (long t = 0; t < keys; t++) store(row + t * stride, load(row + t * stride) * inverse);
      for (long d = 0; d < depth; d++) {
        f16v mean = splat(0.0f);
        for (long t = 0; t < keys; t++)
          mean += load(row + t * stride) * load(v + (t * pitch + d) * stride + i);
        store(output + (s * a->output_pitch + d) * stride + i, mean);
      }
    }
  }
}

// Adds to dq, dk, dv. slopes: `keys` vectors of scratch. A key that was not looked at has weight 0.
CLONES void apus_attention_backward(const apus_attention_shape *a, const float *q, const float *k,
                                    const float *v, const float *weights, const float *slope,
                                    float *dq, float *dk, float *dv, float *slopes, long n,
                                    long stride) {
  const float scale = 1.0f / __builtin_sqrtf((float)a->depth);
  const long depth = a->depth, pitch = a->key_pitch;
  for (long s = 0; s < a->queries; s++) {
    const long keys = a->causal && s + 1 < a->keys ? s + 1 : a->keys;
    for (long i = 0; i < n; i += 16) {
      const float *row = weights + s * a->keys * stride + i;
      f16v dot = splat(0.0f);
      for (long t = 0; t < keys; t++) {
        f16v p = load(row + t * stride), sum = splat(0.0f);
        for (long d = 0; d < depth; d++) {
          f16v g = load(slope + (s * a->output_pitch + d) * stride + i);
          long at = (t * pitch + d) * stride + i;
          sum += g * load(v + at);
          store(dv + at, load(dv + at) + p * g);
        }
        store(slopes + t * stride + i, sum);
        dot += p * sum;
      }
      for (long t = 0; t < keys; t++) {
        f16v d_score = load(row + t * stride) * (load(slopes + t * stride + i) - dot) * scale;
        for (long d = 0; d < depth; d++) {
          long from = (s * a->query_pitch + d) * stride + i, to = (t * pitch + d) * stride + i;
          store(dq + from, load(dq + from) + d_score * load(k + to));
          store(dk + to, load(dk + to) + d_score * load(q + from));
        }
      }
    }
  }
}
