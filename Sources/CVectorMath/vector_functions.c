#include <math.h>

#include "CVectorMath.h"

#pragma STDC FP_CONTRACT OFF

#define NAME(x) scalar_##x
#define TARGET
#define WIDTH 1
#define VEC float
#define LOAD(p) (*(p))
#define STORE(p, v) (*(p) = (v))
#define SET(c) (c)
#define ADD(a, b) ((a) + (b))
#define DIV(a, b) ((a) / (b))
#define MAX(a, b) ((b) < (a) ? (a) : (b))
#define ABS(a) fabsf(a)
#define NEG(a) (-(a))
#define EXP(a) expf(a)
#define LOG(a) logf(a)
#define LOG1P(a) log1pf(a)
#define TANH(a) tanhf(a)
#include "vector_functions.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
#define HAVE_LIBMVEC 1
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
AVX2 __m256 _ZGVdN8v_expf(__m256);
AVX2 __m256 _ZGVdN8v_logf(__m256);
AVX2 __m256 _ZGVdN8v_log1pf(__m256);
AVX2 __m256 _ZGVdN8v_tanhf(__m256);

#define NAME(x) avx2_##x
#define TARGET AVX2
#define WIDTH 8
#define VEC __m256
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define SET(c) _mm256_set1_ps(c)
#define ADD(a, b) _mm256_add_ps(a, b)
#define DIV(a, b) _mm256_div_ps(a, b)
#define MAX(a, b) _mm256_max_ps(a, b)
#define ABS(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
#define NEG(a) _mm256_xor_ps(_mm256_set1_ps(-0.0f), a)
#define EXP(a) _ZGVdN8v_expf(a)
#define LOG(a) _ZGVdN8v_logf(a)
#define LOG1P(a) _ZGVdN8v_log1pf(a)
#define TANH(a) _ZGVdN8v_tanhf(a)
#include "vector_functions.h"

#define AVX512 __attribute__((target("avx512f,avx512dq")))
AVX512 __m512 _ZGVeN16v_expf(__m512);
AVX512 __m512 _ZGVeN16v_logf(__m512);
AVX512 __m512 _ZGVeN16v_log1pf(__m512);
AVX512 __m512 _ZGVeN16v_tanhf(__m512);

#define NAME(x) avx512_##x
#define TARGET AVX512
#define WIDTH 16
#define VEC __m512
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define SET(c) _mm512_set1_ps(c)
#define ADD(a, b) _mm512_add_ps(a, b)
#define DIV(a, b) _mm512_div_ps(a, b)
#define MAX(a, b) _mm512_max_ps(a, b)
#define ABS(a) _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a)
#define NEG(a) _mm512_xor_ps(_mm512_set1_ps(-0.0f), a)
#define EXP(a) _ZGVeN16v_expf(a)
#define LOG(a) _ZGVeN16v_logf(a)
#define LOG1P(a) _ZGVeN16v_log1pf(a)
#define TANH(a) _ZGVeN16v_tanhf(a)
#include "vector_functions.h"
#endif

cvm_level cvm_best_level(void) {
#ifdef HAVE_LIBMVEC
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return cvm_avx512;
  if (__builtin_cpu_supports("avx2")) return cvm_avx2;
#endif
  return cvm_scalar;
}

void cvm_map(cvm_function f, cvm_level level, const float *x, float *y, size_t n) {
#ifdef HAVE_LIBMVEC
  if (level == cvm_avx512) return avx512_map(f, x, y, n);
  if (level == cvm_avx2) return avx2_map(f, x, y, n);
#endif
  scalar_map(f, x, y, n);
}
