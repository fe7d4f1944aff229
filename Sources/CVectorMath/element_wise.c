// Loops that the compiler vectorizes, one clone per instruction set, chosen when the program is
// loaded. Contraction to fused multiply-add is off: every clone gives the same bits.
#include <math.h>

#include "CVectorMath.h"

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

CLONES static void add_bias(float *y, const float *bias, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    float *row = y + r * columns;
    for (size_t c = 0; c < columns; c++) row[c] += bias[c];
  }
}

CLONES static void add_bias_relu(float *y, const float *bias, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    float *row = y + r * columns;
    for (size_t c = 0; c < columns; c++) {
      float z = row[c] + bias[c];
      row[c] = z < 0.0f ? 0.0f : z;  // NaN passes
    }
  }
}

void cvm_bias_activation(
    float *y, const float *bias, size_t rows, size_t columns, cvm_activation activation) {
  if (activation == cvm_identity) return add_bias(y, bias, rows, columns);
  if (activation == cvm_relu) return add_bias_relu(y, bias, rows, columns);
  if (rows == 0 || columns == 0) return;
  cvm_function f = activation == cvm_activation_tanh ? cvm_tanh : cvm_sigmoid;
  cvm_level level = cvm_best_level();
  // Blocks of about 16 KiB stay in the first cache between the two passes.
  size_t block = columns >= 4096 ? 1 : 4096 / columns;
  for (size_t r = 0; r < rows; r += block) {
    size_t count = rows - r < block ? rows - r : block;
    add_bias(y + r * columns, bias, count, columns);
    cvm_map(f, level, y + r * columns, y + r * columns, count * columns);
  }
}

CLONES void cvm_multiply_by_derivative(
    float *dy, const float *y, size_t n, cvm_activation activation) {
  switch (activation) {
    case cvm_identity: return;
    case cvm_relu:
      for (size_t i = 0; i < n; i++) dy[i] = y[i] <= 0.0f ? 0.0f : dy[i];
      return;
    case cvm_activation_tanh:
      for (size_t i = 0; i < n; i++) dy[i] *= 1.0f - y[i] * y[i];
      return;
    case cvm_activation_sigmoid:
      for (size_t i = 0; i < n; i++) dy[i] *= y[i] * (1.0f - y[i]);
      return;
  }
}

CLONES void cvm_add_scaled(float *y, const float *x, float scale, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += scale * x[i];
}

CLONES void cvm_scale(float *y, float scale, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] *= scale;
}

CLONES void cvm_multiply(float *y, const float *x, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] *= x[i];
}

CLONES void cvm_blend(float *y, const float *x, float rate, size_t n) {
  for (size_t i = 0; i < n; i++) y[i] += rate * (x[i] - y[i]);
}

CLONES void cvm_adam(
    float *restrict parameters, float *restrict first, float *restrict second,
    const float *restrict gradient, size_t n, float step, float decay1, float share1,
    float decay2, float share2, float epsilon, float correction2) {
  for (size_t i = 0; i < n; i++) {
    float g = gradient[i];
    float m = decay1 * first[i] + share1 * g;
    float v = decay2 * second[i] + share2 * g * g;
    first[i] = m;
    second[i] = v;
    parameters[i] -= step * m / (__builtin_sqrtf(v / correction2) + epsilon);
  }
}

#define LANES 16

static double total(const double *lanes) {
  double sum = 0.0;
  for (size_t k = 0; k < LANES; k++) sum += lanes[k];
  return sum;
}

CLONES double cvm_sum(const float *x, size_t n) {
  double lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t k = 0; k < LANES; k++) lanes[k] += x[i + k];
  for (; i < n; i++) lanes[i % LANES] += x[i];
  return total(lanes);
}

CLONES double cvm_dot(const float *x, const float *y, size_t n) {
  double lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t k = 0; k < LANES; k++) lanes[k] += (double)x[i + k] * (double)y[i + k];
  for (; i < n; i++) lanes[i % LANES] += (double)x[i] * (double)y[i];
  return total(lanes);
}

CLONES float cvm_maximum(const float *x, size_t n) {
  float lanes[LANES];
  for (size_t k = 0; k < LANES; k++) lanes[k] = -INFINITY;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t k = 0; k < LANES; k++) {
      // Keeps a NaN once it is there.
      float v = x[i + k], most = lanes[k];
      lanes[k] = (v <= most || most != most) ? most : v;
    }
  float most = -INFINITY;
  for (size_t k = 0; k < LANES; k++)
    most = (lanes[k] <= most || most != most) ? most : lanes[k];
  for (; i < n; i++) most = (x[i] <= most || most != most) ? most : x[i];
  return most;
}

#define COLUMN_BLOCK 64

CLONES void cvm_add_column_sums(const float *x, size_t rows, size_t columns, float *sums) {
  for (size_t start = 0; start < columns; start += COLUMN_BLOCK) {
    double block[COLUMN_BLOCK] = {0};
    size_t width = columns - start < COLUMN_BLOCK ? columns - start : COLUMN_BLOCK;
    for (size_t r = 0; r < rows; r++) {
      const float *row = x + r * columns + start;
      for (size_t c = 0; c < width; c++) block[c] += row[c];
    }
    for (size_t c = 0; c < width; c++) sums[start + c] = (float)((double)sums[start + c] + block[c]);
  }
}
