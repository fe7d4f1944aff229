// Float kernels that Swift cannot express as fast: libmvec's exp, log and tanh at the width of the
// processor, and loops compiled once per instruction set.
//
// Element-wise results do not depend on an element's position or on the length of the array.
// The loops without transcendental functions give the same bits on every processor.
#ifndef C_VECTOR_MATH_H
#define C_VECTOR_MATH_H

#include <stddef.h>

// Threads of one product until cvm_set_threads is called; see Docs/Decisions.
#define CVM_DEFAULT_THREADS 1

#pragma clang assume_nonnull begin

// Width of the vector functions, in rising order.
typedef enum { cvm_scalar = 0, cvm_avx2 = 1, cvm_avx512 = 2 } cvm_level;

typedef enum {
  cvm_exp = 0,
  cvm_log = 1,
  cvm_tanh = 2,
  cvm_sigmoid = 3,   // 1 / (1 + e^-x)
  cvm_softplus = 4,  // ln(1 + e^x)
} cvm_function;

typedef enum {
  cvm_identity = 0,
  cvm_relu = 1,
  cvm_activation_tanh = 2,
  cvm_activation_sigmoid = 3,
} cvm_activation;

// The widest level of this processor; never changes while the process lives.
cvm_level cvm_best_level(void);

// y[i] = f(x[i]); y may be x. `level` must not exceed cvm_best_level().
void cvm_map(cvm_function f, cvm_level level, const float *x, float *y, size_t n);

// y[r, c] = activation(y[r, c] + bias[c]), row-major.
void cvm_bias_activation(
    float *y, const float *bias, size_t rows, size_t columns, cvm_activation activation);

// dy[i] *= activation'(z) with the derivative computed from the output y[i] = activation(z).
void cvm_multiply_by_derivative(
    float *dy, const float *y, size_t n, cvm_activation activation);

// y += scale * x
void cvm_add_scaled(float *y, const float *x, float scale, size_t n);

// y *= scale
void cvm_scale(float *y, float scale, size_t n);

// y *= x
void cvm_multiply(float *y, const float *x, size_t n);

// y += rate * (x - y)
void cvm_blend(float *y, const float *x, float rate, size_t n);

// One step of Adam:
//   first = decay1 * first + share1 * g, second = decay2 * second + share2 * g * g,
//   parameters -= step * first / (sqrt(second / correction2) + epsilon)
void cvm_adam(
    float *parameters, float *first, float *second, const float *gradient, size_t n, float step,
    float decay1, float share1, float decay2, float share2, float epsilon, float correction2);

// Sums in double, in a fixed order of 16 lanes.
double cvm_sum(const float *x, size_t n);
double cvm_dot(const float *x, const float *y, size_t n);

// The largest element, -inf when there is none, NaN when one is NaN.
float cvm_maximum(const float *x, size_t n);

// sums[c] += sum over r of x[r, c], accumulated in double.
void cvm_add_column_sums(const float *x, size_t rows, size_t columns, float *sums);

// Threads that OpenMP uses for products started from any thread of this process. Takes effect at
// a thread's next call of cvm_apply_threads(), which is cheap and stands before each product.
void cvm_set_threads(int threads);
int cvm_threads(void);
void cvm_apply_threads(void);

// Tells the C library to keep freed memory for the next allocation; 1 if it could be told.
int cvm_keep_freed_memory(void);

#pragma clang assume_nonnull end

#endif
