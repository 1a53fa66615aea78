// Sixteen floats, as two, four or one machine vectors: whatever the clone's CPU has.
//
// All of it is macros, because clang refuses to pass such vectors between functions of different
// targets, inlined or not. Each macro's variables carry a prefix of their own.
#ifndef APUS_VECTOR_H
#define APUS_VECTOR_H

#include <stdint.h>
#include <string.h>

// Multiply-add where the CPU has it. None of the kernels relies on a product being rounded.
#pragma clang fp contract(fast)

typedef float f16v __attribute__((vector_size(64)));
typedef int32_t i16v __attribute__((vector_size(64)));
typedef uint32_t u16v __attribute__((vector_size(64)));
// The same without the alignment promise.
typedef float f16u __attribute__((vector_size(64), aligned(4)));
typedef float f8v __attribute__((vector_size(32)));
typedef float f4v __attribute__((vector_size(16)));

#define INLINE static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define UNROLL _Pragma("clang loop unroll(full)")

#define load(p) (*(const f16u *)(p))
#define store(p, v) (*(f16u *)(p) = (v))
// x - 0 is x for every x, which + 0 is not (of -0): so this folds to a broadcast.
#define splat(x) ((x) - (f16v){})
// a where the mask is set, b elsewhere.
#define choose(mask, a, b) ((f16v)(((mask) & (i16v)(a)) | (~(mask) & (i16v)(b))))
#define absolute(x) ((f16v)((i16v)(x) & 0x7fffffff))
#define with_sign(magnitude, sign) \
  ((f16v)(((i16v)(magnitude) & 0x7fffffff) | ((i16v)(sign) & (int32_t)0x80000000)))
// NaN in x stays NaN: the comparison is then false.
#define at_least(x, low) ({ f16v c_x = (x); choose(c_x < (low), splat(low), c_x); })
#define at_most(x, high) ({ f16v d_x = (x); choose(d_x > (high), splat(high), d_x); })

// A fixed tree, the same for every instruction set.
#define sum16(x) ({ \
  f16v u_x = (x); \
  f8v u_a = __builtin_shufflevector(u_x, u_x, 0, 1, 2, 3, 4, 5, 6, 7) + \
            __builtin_shufflevector(u_x, u_x, 8, 9, 10, 11, 12, 13, 14, 15); \
  f4v u_b = __builtin_shufflevector(u_a, u_a, 0, 1, 2, 3) + \
            __builtin_shufflevector(u_a, u_a, 4, 5, 6, 7); \
  (u_b[0] + u_b[2]) + (u_b[1] + u_b[3]); })

// e^x, about 1 ulp; Cephes' expf (Moshier 1989) with the scaling in two steps, so that subnormal
// results are right. Adding 1.5 * 2^23 rounds to an integer.
#define exp16(x) ({                                                                               \
  f16v e_x = at_most(at_least(x, -104.0f), 89.0f);                                                \
  f16v e_s = e_x * 1.44269504088896341f + 12582912.0f;                                            \
  f16v e_n = e_s - 12582912.0f;                                                                   \
  i16v e_i = (i16v)e_s - 0x4b400000;                                                              \
  f16v e_r = e_x - e_n * 0.693359375f;                                                            \
  e_r = e_r - e_n * -2.12194440e-4f;                                                              \
  f16v e_p = e_r * 1.9875691500e-4f + 1.3981999507e-3f;                                           \
  e_p = e_p * e_r + 8.3334519073e-3f;                                                             \
  e_p = e_p * e_r + 4.1665795894e-2f;                                                             \
  e_p = e_p * e_r + 1.6666665459e-1f;                                                             \
  e_p = e_p * e_r + 5.0000001201e-1f;                                                             \
  e_p = e_p * (e_r * e_r) + e_r;                                                                  \
  e_p = e_p + 1.0f;                                                                               \
  i16v e_h = e_i >> 1;                                                                            \
  e_p * (f16v)((e_h + 127) << 23) * (f16v)((e_i - e_h + 127) << 23); })

// Natural logarithm, about 1 ulp; Cephes' logf. log 0 = -inf, of a negative NaN.
#define log16(x) ({                                                                               \
  f16v l_o = (x);                                                                                 \
  i16v l_t = l_o < 1.17549435e-38f;                                                               \
  i16v l_b = (i16v)choose(l_t, l_o * 8388608.0f, l_o);                                            \
  i16v l_e = (l_b - 0x3f3504f3) >> 23;                                                            \
  f16v l_r = (f16v)(l_b - (l_e << 23)) - 1.0f;                                                    \
  f16v l_k = __builtin_convertvector(l_e, f16v) - choose(l_t, splat(23.0f), splat(0.0f));         \
  f16v l_p = l_r * 7.0376836292e-2f - 1.1514610310e-1f;                                           \
  l_p = l_p * l_r + 1.1676998740e-1f;                                                             \
  l_p = l_p * l_r - 1.2420140846e-1f;                                                             \
  l_p = l_p * l_r + 1.4249322787e-1f;                                                             \
  l_p = l_p * l_r - 1.6668057665e-1f;                                                             \
  l_p = l_p * l_r + 2.0000714765e-1f;                                                             \
  l_p = l_p * l_r - 2.4999993993e-1f;                                                             \
  l_p = l_p * l_r + 3.3333331174e-1f;                                                             \
  f16v l_z = l_r * l_r;                                                                           \
  f16v l_y = l_p * l_r * l_z + l_k * -2.12194440e-4f;                                             \
  l_y = l_y - l_z * 0.5f;                                                                         \
  l_y = l_r + l_y;                                                                                \
  l_y = l_y + l_k * 0.693359375f;                                                                 \
  l_y = choose(l_o == __builtin_inff(), l_o, l_y);                                                \
  l_y = choose(l_o == 0.0f, splat(-__builtin_inff()), l_y);                                       \
  l_y = choose(l_o < 0.0f, splat(__builtin_nanf("")), l_y);                                       \
  choose(l_o != l_o, l_o, l_y); })

// log(1 + u) for u in [0, 1] (Kahan's correction).
#define log1p16(u) ({                                                                             \
  f16v k_u = (u);                                                                                 \
  f16v k_w = k_u + 1.0f;                                                                          \
  f16v k_d = k_w - 1.0f;                                                                          \
  i16v k_n = k_d == 0.0f;                                                                         \
  choose(k_n, k_u, log16(k_w) * (k_u / choose(k_n, splat(1.0f), k_d))); })

// From e^-|x|, which cannot overflow; the left side e / (1 + e) keeps its relative accuracy.
#define sigmoid16(x) ({                                                                           \
  f16v s_x = (x);                                                                                 \
  f16v s_e = exp16(-absolute(s_x));                                                               \
  f16v s_s = 1.0f / (1.0f + s_e);                                                                 \
  choose(s_x < 0.0f, s_e * s_s, s_s); })

// Cephes' tanhf: an odd polynomial below 0.625, 1 - 2 / (e^2|x| + 1) above.
#define tanh16(x) ({                                                                              \
  f16v t_x = (x);                                                                                 \
  f16v t_a = absolute(t_x);                                                                       \
  f16v t_z = t_x * t_x;                                                                           \
  f16v t_p = t_z * -5.70498872745e-3f + 2.06390887954e-2f;                                        \
  t_p = t_p * t_z - 5.37397155531e-2f;                                                            \
  t_p = t_p * t_z + 1.33314422036e-1f;                                                            \
  t_p = t_p * t_z - 3.33332819422e-1f;                                                            \
  t_p = t_p * t_z * t_x + t_x;                                                                    \
  f16v t_b = 1.0f - 2.0f / (exp16(t_a + t_a) + 1.0f);                                             \
  choose(t_a < 0.625f, t_p, with_sign(t_b, t_x)); })

// erf, about 1 ulp; N. Juffa's minimax pair (StackOverflow 35148198).
#define erf16(a) ({                                                                               \
  f16v r_x = (a);                                                                                 \
  f16v r_t = absolute(r_x);                                                                       \
  f16v r_s = r_x * r_x;                                                                           \
  f16v r_r = r_t * -1.72853470e-5f + 3.83197126e-4f;                                              \
  f16v r_u = r_t * -3.88396438e-3f + 2.42546219e-2f;                                              \
  r_r = r_r * r_s + r_u;                                                                          \
  r_r = r_r * r_t - 1.06777877e-1f;                                                               \
  r_r = r_r * r_t - 6.34846687e-1f;                                                               \
  r_r = r_r * r_t - 1.28717512e-1f;                                                               \
  r_r = r_r * r_t - r_t;                                                                          \
  f16v r_b = with_sign(1.0f - exp16(r_r), r_x);                                                   \
  r_b = choose(r_t > 4.0f, with_sign(splat(1.0f), r_x), r_b);                                     \
  f16v r_q = r_s * -5.96761703e-4f + 4.99119423e-3f;                                              \
  r_q = r_q * r_s - 2.67681349e-2f;                                                               \
  r_q = r_q * r_s + 1.12819925e-1f;                                                               \
  r_q = r_q * r_s - 3.76125336e-1f;                                                               \
  r_q = r_q * r_s + 1.28379166e-1f;                                                               \
  r_q = r_q * r_x + r_x;                                                                          \
  choose(r_x != r_x, r_x, choose(r_t > 0.927734375f, r_b, r_q)); })

// C. Wellons' lowbias32: two multiplications, bias 0.17.
#define mix16(x) ({                                                                               \
  u16v m_x = (x);                                                                                 \
  m_x ^= m_x >> 16;                                                                               \
  m_x *= 0x7feb352du;                                                                             \
  m_x ^= m_x >> 15;                                                                               \
  m_x *= 0x846ca68bu;                                                                             \
  m_x ^ (m_x >> 16); })

#endif
